// One box for everything: a combobox over what the server finds. Arrow keys, Enter, Ctrl/⌘ Enter in a new tab.
const dialog = document.getElementById("palette");
const input = dialog.querySelector(".query");
const list = dialog.querySelector(".results");
const WAIT = 80;
let asked = null;
let timer;

const options = () => [...list.querySelectorAll('[role="option"]:not([aria-disabled])')];
const chosen = () => list.querySelector('[aria-selected="true"]');

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  if (option) {
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  } else input.removeAttribute("aria-activedescendant");
}

async function ask() {
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  list.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`${dialog.dataset.url}?${new URLSearchParams({ q: input.value })}`, {
      headers: { "HX-Request": "true", "HX-Target": "div#palette-results", Accept: "text/html" },
      signal,
    });
    if (answer.status === 401) {
      location.reload();
      return;
    }
    if (!answer.ok) throw new Error(answer.status);
    list.innerHTML = await answer.text();
    htmx.process(list);
  } catch (error) {
    if (signal.aborted) return;
    list.innerHTML = '<p class="empty"></p>';
    list.firstElementChild.textContent = "The search doesn't answer. Try again in a moment.";
  }
  list.removeAttribute("aria-busy");
  const found = options();
  found.forEach((option, number) => {
    option.id ||= `palette-option-${number}`;
    option.setAttribute("aria-selected", "false");
    option.tabIndex = -1;
  });
  choose(found[0]);
  document.dispatchEvent(new CustomEvent("announce", { detail: `${found.length} result${found.length === 1 ? "" : "s"}` }));
}

function open() {
  if (!dialog.open) dialog.showModal();
  input.value = "";
  ask();
}

input.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT);
});

input.addEventListener("keydown", (event) => {
  const all = options();
  const now = all.indexOf(chosen());
  const next = {
    ArrowDown: (now + 1) % all.length,
    ArrowUp: (now - 1 + all.length) % all.length,
    PageDown: all.length - 1,
    PageUp: 0,
  }[event.key];
  if (next !== undefined && all.length) {
    event.preventDefault();
    choose(all[next]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    const option = chosen();
    if (!option) return;
    if ((event.ctrlKey || event.metaKey) && option.href) window.open(option.href, "_blank", "noopener");
    else option.click();
  }
});

list.addEventListener("pointermove", (event) => {
  const option = event.target.closest('[role="option"]:not([aria-disabled])');
  if (option && option !== chosen()) choose(option);
});
list.addEventListener("click", (event) => {
  if (event.target.closest('[role="option"]:not([aria-disabled])') && !event.ctrlKey && !event.metaKey) dialog.close();
});
dialog.querySelector("form").addEventListener("submit", (event) => event.preventDefault());

document.addEventListener("palette:open", open);
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-palette]");
  if (!opener) return;
  event.preventDefault();
  open();
});
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  }
});
