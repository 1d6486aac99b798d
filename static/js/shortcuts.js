// Single keys, off while typing, off altogether where the user said so; and the sidebar's width.
const root = document.documentElement;
const GO_WITHIN = 1200;
let goUntil = 0;

// --- Sidebar -------------------------------------------------------------------------------------------------------
function nameSidebar() {
  const collapsed = root.dataset.sidebar === "collapsed";
  for (const button of document.querySelectorAll("[data-sidebar-toggle]")) {
    const label = collapsed ? "Expand sidebar" : "Collapse sidebar";
    button.setAttribute("aria-expanded", String(!collapsed));
    button.setAttribute("aria-label", label);
    button.dataset.tip = label;
  }
}

function toggleSidebar() {
  const collapsed = root.dataset.sidebar === "collapsed";
  if (collapsed) delete root.dataset.sidebar;
  else root.dataset.sidebar = "collapsed";
  try {
    localStorage.setItem("sidebar", collapsed ? "" : "collapsed");
  } catch {
    // Not kept, but it works for this page.
  }
  nameSidebar();
}
document.addEventListener("click", (event) => event.target.closest("[data-sidebar-toggle]") && toggleSidebar());
nameSidebar();

// --- Rows ----------------------------------------------------------------------------------------------------------
const rows = () => [...document.querySelectorAll("#main [data-row-link]")];

function moveRow(step) {
  const all = rows();
  if (!all.length) return;
  const row = document.activeElement.closest("tr, li");
  const now = all.findIndex((link) => link === document.activeElement || row?.contains(link));
  const next = now === -1 ? (step > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, now + step));
  all[next].focus();
}

function openRow() {
  const row = document.activeElement.closest("tr, li");
  row?.querySelector("[data-row-link]")?.click();
}

// --- Keys ----------------------------------------------------------------------------------------------------------
const press = (selector) => document.querySelector(selector)?.click();

function search() {
  const box = document.querySelector("#main .filters :is(input[type=search], input[type=text])");
  if (box) {
    box.focus();
    box.select();
  } else document.dispatchEvent(new Event("palette:open"));
}

const KEYS = {
  "/": search,
  "?": () => document.getElementById("keys-help").showModal(),
  b: toggleSidebar,
  t: () => press("[data-theme-toggle]"),
  z: () => document.dispatchEvent(new Event("toast:undo")),
  j: () => moveRow(1),
  k: () => moveRow(-1),
  o: openRow,
  "[": () => press('#main a[rel="prev"]'),
  "]": () => press('#main a[rel="next"]'),
};

const typing = (target) => target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio], [type=range]), select, textarea");

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (document.body.dataset.shortcuts === "off" || typing(event.target) || document.querySelector("dialog[open], .menu:popover-open")) return;
  const key = event.key.toLowerCase();
  if (event.timeStamp < goUntil) {
    goUntil = 0;
    const place = document.querySelector(`#nav [data-go="${CSS.escape(key)}"]`);
    if (place) {
      event.preventDefault();
      place.click();
      return;
    }
  }
  if (key === "g") {
    goUntil = event.timeStamp + GO_WITHIN;
    return;
  }
  if (key === "escape") {
    press("#main .page-head .back");
    return;
  }
  const own = key.length === 1 && document.querySelector(`#main [data-key="${CSS.escape(key)}"]`);
  const action = own ? () => own.click() : KEYS[key];
  if (!action) return;
  event.preventDefault();
  action();
});
