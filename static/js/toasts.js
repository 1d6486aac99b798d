// Results of one's own actions: 8 seconds, paused while looked at, at most three, each with its Undo.
const SHOWN_FOR = 8000;
const AT_MOST = 3;
const region = document.getElementById("toasts");
const sprite = document.querySelector("svg.icon use").getAttribute("href").replace(/#.*/, "");

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

function close(toast) {
  const next = toast.nextElementSibling ?? toast.previousElementSibling;
  const hadFocus = toast.contains(document.activeElement);
  toast.remove();
  if (hadFocus) (next?.querySelector("button") ?? document.getElementById("main"))?.focus();
}

function startClock(toast) {
  let left = SHOWN_FOR;
  let since = performance.now();
  let timer = setTimeout(() => close(toast), left);
  const pause = () => {
    clearTimeout(timer);
    left -= performance.now() - since;
  };
  const resume = () => {
    if (toast.matches(":hover, :focus-within") || "held" in toast.dataset) return;
    since = performance.now();
    timer = setTimeout(() => close(toast), Math.max(left, 1000));
  };
  toast.addEventListener("pointerenter", pause);
  toast.addEventListener("focusin", pause);
  toast.addEventListener("toast:hold", pause);
  toast.addEventListener("pointerleave", resume);
  toast.addEventListener("focusout", () => setTimeout(resume));
}

// Once pressed it stays until it was answered: an Undo that got no answer can be pressed again.
function undoButton(toast, url) {
  const button = element("button", { class: "btn sm undo", type: "button", "aria-keyshortcuts": "z", "hx-post": url, "hx-swap": "none", "hx-sync": "this:drop" }, "Undo");
  button.addEventListener("click", () => {
    toast.dataset.held = "";
    toast.dispatchEvent(new Event("toast:hold"));
  });
  button.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    const status = ctx.response?.status;
    if (status && status !== 401 && status !== 429 && status < 500) close(toast);
  });
  return button;
}

function show({ message, level = "status", undo_url: undoUrl, copy }) {
  const alert = level === "alert" || level === "error";
  const text = element("p", {});
  const dismiss = element("button", { class: "btn icon sm", type: "button", "aria-label": "Dismiss" }, icon("x"));
  const toast = element("div", { class: "toast", role: alert ? "alert" : "status" }, icon(alert ? "circle-alert" : level === "warning" ? "triangle-alert" : "circle-check"), text);
  if (undoUrl) {
    toast.append(undoButton(toast, undoUrl));
  }
  if (copy) {
    toast.append(element("button", { class: "btn icon sm", type: "button", "data-copy": copy, "aria-label": "Copy request number" }, icon("copy")));
  }
  dismiss.addEventListener("click", () => close(toast));
  toast.append(dismiss);
  // A modal dialog makes everything beside it inert, so the toasts go where they can be reached.
  (document.querySelector("dialog:modal") ?? document.body).append(region);
  region.append(toast);
  if (undoUrl) htmx.process(toast);
  while (region.children.length > AT_MOST) region.firstElementChild.remove();
  // Text that arrives after its live region is read out.
  requestAnimationFrame(() => (text.textContent = message));
  startClock(toast);
}

// Messages that the server put into the page.
function adopt(place) {
  for (const message of place.querySelectorAll("[data-message]")) {
    const level = /error|alert/.test(message.dataset.message) ? "alert" : /warning/.test(message.dataset.message) ? "warning" : "status";
    show({ message: message.textContent.trim(), level, undo_url: message.dataset.undo });
    message.remove();
  }
}

document.addEventListener("toast", (event) => show(event.detail));
document.addEventListener("toast:undo", () => {
  [...region.querySelectorAll('.undo:not([aria-busy="true"])')].at(-1)?.click();
});
document.addEventListener("close", () => document.body.append(region), true);
document.addEventListener("htmx:after:swap", () => adopt(document));
adopt(document);
