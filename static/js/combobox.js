// A field that offers what the server finds: arrow keys, Enter takes the chosen one, Escape closes the list, then the rest.
const WAIT = 120;
let count = 0;

function offer(input, { url, label, present, least = 0, pick, done }) {
  const list = document.createElement("div");
  list.className = "offers";
  list.role = "listbox";
  list.id = `offers-${(count += 1)}`;
  list.popover = "manual";
  list.setAttribute("aria-label", label);
  input.after(list);
  input.role = "combobox";
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  let asked = null;
  let timer;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector('[aria-selected="true"]');
  const isOpen = () => list.matches(":popover-open");

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    if (!option) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  }

  function close() {
    asked?.abort();
    clearTimeout(timer);
    if (isOpen()) list.hidePopover();
    choose(null);
    input.setAttribute("aria-expanded", "false");
  }

  // Below the field, or above it where there is more room; never cut off by the table around it.
  function place() {
    const below = input.parentElement.querySelector("[role=alert]");
    const at = input.getBoundingClientRect();
    const bottom = (below ?? input).getBoundingClientRect().bottom;
    list.style.minWidth = `${at.width}px`;
    const { offsetHeight: height, offsetWidth: width } = list;
    list.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    const fits = bottom + height + 12 <= innerHeight || at.top < height + 12;
    list.style.top = `${fits ? bottom + 4 : at.top - height - 4}px`;
  }

  async function ask() {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    if (input.value.trim().length < least) {
      close();
      return;
    }
    try {
      // What stands there already is no search.
      const text = input.value === present ? "" : input.value;
      const answer = await fetch(`${url}?${new URLSearchParams({ q: text })}`, { headers: { "HX-Request": "true", Accept: "text/html" }, signal });
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.text();
      if (signal.aborted || !input.isConnected || document.activeElement !== input) return;
      list.innerHTML = found;
    } catch {
      // Without suggestions a code can be typed all the same.
      if (!signal.aborted) close();
      return;
    }
    if (!list.firstElementChild) {
      close();
      return;
    }
    for (const [number, option] of options().entries()) option.id = `${list.id}-${number}`;
    choose(list.querySelector("[data-likely]"));
    if (!isOpen()) list.showPopover();
    place();
    input.setAttribute("aria-expanded", "true");
    document.dispatchEvent(new CustomEvent("announce", { detail: `${options().length} suggestion${options().length === 1 ? "" : "s"}` }));
  }

  function take(option) {
    input.value = option.dataset.value;
    pick(option);
    close();
  }

  input.addEventListener("focus", ask);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const all = options();
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !event.altKey) {
      event.preventDefault();
      event.stopPropagation();
      if (!isOpen()) ask();
      else if (all.length) {
        const step = event.key === "ArrowDown" ? 1 : -1;
        const now = all.indexOf(chosen());
        choose(all[now < 0 && step < 0 ? all.length - 1 : (now + step + all.length) % all.length]);
      }
    } else if (event.key === "Escape" && isOpen()) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if ((event.key === "Enter" || event.key === "Tab") && isOpen()) {
      const option = chosen();
      if (option) take(option);
      else close();
    }
  });
  if (document.activeElement === input) ask();
  // A press keeps the focus in the field.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    take(option);
    done();
  });
}

// Whoever has a field to be filled so says from where, and what follows.
document.addEventListener("offers:wanted", ({ target, detail }) => offer(target, detail));
