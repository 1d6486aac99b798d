// Signing out takes all that picking keeps off the device. Picks that wait there to be sent aren't lost without a word.
import { erase, unsent } from "./device.js";

const words = (number) => (number === 1 ? "1 pick isn't sent yet" : `${number.toLocaleString("en")} picks aren't sent yet`);

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.append(...children);
  return made;
}

// Answers whether they may be lost.
function ask(number) {
  const stay = element("button", { class: "btn", type: "button", autofocus: "" }, "Stay");
  const leave = element(
    "button",
    { class: "btn outline destructive", type: "button" },
    number === 1 ? "Sign out and lose it" : "Sign out and lose them",
  );
  const title = element("h2", { id: "unsent-title" }, words(number));
  const text = element("p", {}, "They are sent by themselves when picking is open and there is a connection.");
  const dialog = element(
    "dialog",
    { class: "dialog", "aria-labelledby": "unsent-title" },
    element("header", {}, title),
    element("div", { class: "body" }, text),
    element("footer", {}, leave, stay),
  );
  document.body.append(dialog);
  return new Promise((resolve) => {
    const answer = (value) => {
      dialog.close();
      dialog.remove();
      resolve(value);
    };
    stay.addEventListener("click", () => answer(false));
    leave.addEventListener("click", () => answer(true));
    dialog.addEventListener("cancel", () => answer(false));
    dialog.showModal();
    stay.focus();
  });
}

// Answers whether to go on; then nothing of picking is on the device any more.
export async function leave() {
  try {
    const waiting = await unsent();
    if (waiting && !(await ask(waiting))) return false;
    await erase();
  } catch {
    // Where the browser keeps nothing, there is nothing to erase.
  }
  return true;
}
