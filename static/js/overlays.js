// Menus where their button is, dialogs and sheets with the focus in and back, tooltips.
const root = document.documentElement;
const GAP = 4;
const EDGE = 8;

// A link that acts as a button is pressed by the space bar too.
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || !event.target.matches('a[role="button"]')) return;
  event.preventDefault();
  event.target.click();
});

// --- Menus ---------------------------------------------------------------------------------------------------------
const invokerOf = (menu) => document.querySelector(`[popovertarget="${menu.id}"]`);
const clamp = (value, low, high) => Math.max(low, Math.min(value, high));

function place(floating, anchor, { above = false, middle = false } = {}) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = floating;
  const below = at.bottom + GAP;
  const over = at.top - GAP - height;
  const fits = below + height <= innerHeight - EDGE;
  const top = above && over >= EDGE ? over : fits || over < EDGE ? below : over;
  let left = at.left;
  if (middle) left = at.left + at.width / 2 - width / 2;
  else if (at.left + width > innerWidth - EDGE) left = at.right - width;
  floating.style.top = `${clamp(top, EDGE, Math.max(EDGE, innerHeight - EDGE - height))}px`;
  floating.style.left = `${clamp(left, EDGE, Math.max(EDGE, innerWidth - EDGE - width))}px`;
}

document.addEventListener(
  "beforetoggle",
  (event) => {
    const menu = event.target;
    if (!menu.matches?.(".menu[popover]")) return;
    const invoker = invokerOf(menu);
    invoker?.setAttribute("aria-expanded", String(event.newState === "open"));
    // Shown after this event and painted after the next frame's callbacks: measured in between.
    if (event.newState === "open" && invoker) requestAnimationFrame(() => place(menu, invoker));
    // htmx copies attributes from old to new elements, and a style attribute is what the CSP forbids.
    else menu.removeAttribute("style");
  },
  true,
);

function replaceOpen() {
  for (const menu of document.querySelectorAll(".menu:popover-open")) {
    const invoker = invokerOf(menu);
    if (invoker) place(menu, invoker);
  }
}
addEventListener("resize", replaceOpen);
document.addEventListener("htmx:after:swap", replaceOpen);
addEventListener("scroll", (event) => event.target.closest?.(".menu") || replaceOpen(), { capture: true, passive: true });

const itemsOf = (menu) => [...menu.querySelectorAll("a, button, input, select")].filter((item) => item.offsetParent && !item.disabled);

document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  if (!step || event.target.matches("input, select, textarea")) return;
  let menu = event.target.closest(".menu");
  const invoker = event.target.closest("[popovertarget]");
  if (!menu && invoker) {
    const own = document.getElementById(invoker.getAttribute("popovertarget"));
    if (!own?.matches(":popover-open")) return;
    menu = own;
  }
  if (!menu) return;
  event.preventDefault();
  const items = itemsOf(menu);
  const now = items.indexOf(document.activeElement);
  const next = Number.isFinite(step) ? (now + step + items.length) % items.length : step > 0 ? items.length - 1 : 0;
  items[now === -1 && step === -1 ? items.length - 1 : next]?.focus();
});

// --- Dialogs, sheets -----------------------------------------------------------------------------------------------
const FIELDS = "[autofocus], input:not([type=hidden], :disabled), select:not(:disabled), textarea:not(:disabled)";

function open(dialog) {
  for (const menu of document.querySelectorAll(".menu:popover-open")) menu.hidePopover();
  if (!dialog.open) dialog.showModal();
  (dialog.querySelector("[autofocus]") ?? (dialog.matches(".sheet") ? dialog.querySelector(FIELDS) : null))?.focus();
}

function closeAll() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  for (const menu of document.querySelectorAll(".menu:popover-open")) menu.hidePopover();
}

let pressedOn = null;
document.addEventListener("pointerdown", (event) => (pressedOn = event.target));
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    // Where no script runs, the opener is a link to the same thing as a page.
    event.preventDefault();
    open(document.getElementById(opener.dataset.opens));
  }
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  // The backdrop belongs to the dialog itself; dragging a selection out of it is no press on the backdrop.
  if (event.target.matches("dialog") && pressedOn === event.target && event.detail) event.target.close();
  const item = event.target.closest(".menu .item");
  if (item && !item.matches("[data-keeps-open]")) setTimeout(() => item.closest(".menu:popover-open")?.hidePopover());
});

document.addEventListener("htmx:after:swap", (event) => {
  const { target: named } = event.detail.ctx;
  // Where the answer itself said where it belongs, that is a selector.
  const target = typeof named === "string" ? document.querySelector(named) : named;
  if (target?.matches?.("dialog[data-part]")) {
    const title = target.querySelector("h1, h2");
    if (title) {
      title.id ||= `${target.id}-title`;
      target.setAttribute("aria-labelledby", title.id);
    }
    if (target.childElementCount) open(target);
  } else if (target?.id === "main") closeAll();
});
document.addEventListener(
  "close",
  (event) => {
    if (event.target.matches("[data-part]")) event.target.replaceChildren();
  },
  true,
);
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.raw.ok && ctx.sourceElement.matches?.("[data-closes-after]")) ctx.sourceElement.closest("dialog")?.close();
});

// --- Tooltips ------------------------------------------------------------------------------------------------------
const tip = document.createElement("div");
tip.className = "tip";
tip.popover = "manual";
// What it says is the accessible name already.
tip.ariaHidden = "true";
document.body.append(tip);
let timer;

function showTip(target) {
  // A label that can be read anyway needs no second one.
  if (target.matches(".nav a") && root.dataset.sidebar !== "collapsed") return;
  tip.textContent = target.dataset.tip ?? target.ariaLabel;
  if (target.dataset.keys && document.body.dataset.shortcuts !== "off") {
    for (const key of target.dataset.keys.split(" ")) {
      const kbd = document.createElement("kbd");
      kbd.textContent = key;
      tip.append(kbd);
    }
  }
  (target.closest("dialog") ?? document.body).append(tip);
  tip.showPopover();
  place(tip, target, { middle: true });
}

function hideTip() {
  clearTimeout(timer);
  if (tip.matches(":popover-open")) tip.hidePopover();
}

document.addEventListener("pointerover", (event) => {
  const target = event.target.closest?.("[data-tip]");
  hideTip();
  if (target && event.pointerType === "mouse") timer = setTimeout(() => target.isConnected && showTip(target), 400);
});
document.addEventListener("focusin", (event) => {
  hideTip();
  const target = event.target.closest("[data-tip]");
  // Not at once: a menu that closes gives the focus back while it is still closing, and two can't move at a time.
  if (target?.matches(":focus-visible")) timer = setTimeout(() => target.matches(":focus") && showTip(target));
});
document.addEventListener("focusout", hideTip);
document.addEventListener("pointerdown", hideTip);
document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
