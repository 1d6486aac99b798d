// The list of lots: selection over pages, cells that are edited in place, the lot beside the list, and their keys.
const $ = (selector, place = document) => place.querySelector(selector);
const $$ = (selector, place = document) => [...place.querySelectorAll(selector)];
const rows = () => $("#rows[data-lots]");
const sheet = document.getElementById("sheet");
const whole = new Intl.NumberFormat("en");
const cents = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const changed = () => document.dispatchEvent(new Event("lots:changed"));
const announce = (text) => document.dispatchEvent(new CustomEvent("announce", { detail: text }));
const typing = (target) => target.matches?.("input:not([type=checkbox], [type=radio]), select, textarea");

// --- Selection -----------------------------------------------------------------------------------------------------
const selected = new Map();
// Everything that the filters leave; its query, or null.
let all = null;
let last = null;

const checks = () => $$(".row-check", rows() ?? document);
const rowOf = (element) => element.closest("tr[data-lot]");
const totals = () => $("#totals")?.dataset ?? {};

function worth(row) {
  const { qty, price } = row.dataset;
  return { qty: Number(qty), value: Number(qty) * Number(price) };
}

function mark(check, on) {
  const row = rowOf(check);
  check.checked = on;
  if (on) selected.set(row.dataset.lot, worth(row));
  else selected.delete(row.dataset.lot);
}

function clearSelection() {
  selected.clear();
  all = null;
  showSelection();
}

function selectAll() {
  const place = rows();
  if (!place) return;
  all = place.dataset.filters;
  selected.clear();
  showSelection();
}

function sums() {
  if (all !== null) {
    const { total, pieces, value, capped } = totals();
    const count = `${whole.format(total ?? 0)}${capped === undefined ? "" : "+"}`;
    return { count, text: pieces === undefined ? "" : `${whole.format(pieces)} pcs · ${cents.format(value)}` };
  }
  let qty = 0;
  let value = 0;
  for (const one of selected.values()) {
    qty += one.qty;
    value += one.value;
  }
  return { count: whole.format(selected.size), text: `${whole.format(qty)} pcs · ${cents.format(value)}` };
}

function showSelection() {
  const place = rows();
  const bar = $("#bulk-bar");
  if (place && all !== null && place.dataset.filters !== all) all = null;
  const boxes = checks();
  for (const check of boxes) check.checked = all !== null || selected.has(rowOf(check).dataset.lot);
  const head = $("[data-select-page]");
  if (head) {
    const on = boxes.filter((check) => check.checked).length;
    head.checked = on > 0 && on === boxes.length;
    head.indeterminate = on > 0 && on < boxes.length;
  }
  if (!bar) return;
  bar.hidden = all === null && selected.size === 0;
  if (bar.hidden) return;
  const { count, text } = sums();
  $("[data-bulk-count]", bar).textContent = `${count} selected`;
  $("[data-bulk-sums]", bar).textContent = text;
  const more = $("[data-select-all]", bar);
  const { total, capped } = totals();
  more.hidden = all !== null || !head?.checked || !(Number(total) > boxes.length);
  more.textContent = `Select all ${whole.format(total ?? 0)}${capped === undefined ? "" : "+"} that match`;
  for (const { elements } of $$("form[data-selection]")) {
    elements.ids.value = [...selected.keys()].join(" ");
    elements.query.value = all ?? "";
    elements.all.value = all === null ? "" : "1";
  }
}

function toggle(check, on, extend) {
  if (all !== null) all = null;
  const boxes = checks();
  const from = boxes.findIndex((box) => rowOf(box).dataset.lot === last);
  const to = boxes.indexOf(check);
  if (extend && from >= 0) for (const box of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) mark(box, on);
  else mark(check, on);
  last = rowOf(check).dataset.lot;
  showSelection();
}

document.addEventListener("click", (event) => {
  const { target } = event;
  if (target.matches(".row-check")) toggle(target, target.checked, event.shiftKey);
  else if (target.matches("[data-select-page]")) {
    all = null;
    for (const check of checks()) mark(check, target.checked);
    showSelection();
  } else if (target.closest("[data-select-all]")) selectAll();
  else if (target.closest("[data-select-none]")) clearSelection();
});

// --- Cells ---------------------------------------------------------------------------------------------------------
const SUM = /^\s*([+\-*/=×÷−]?)\s*(\d+(?:[.,]\d*)?|[.,]\d+)\s*(%?)\s*$/;
const PLACES = { unit_price: 4, qty_available: 0, low_stock_threshold: 0 };

// What will stand there, as far as can be told before the server has said so.
function foreseen(name, entry, seen) {
  const found = name in PLACES && SUM.exec(entry);
  if (!found) return entry;
  // How thousands are told from decimals is for the server to say.
  if (name !== "unit_price" && /[.,]/.test(found[2]) && !"*/×÷".includes(found[1] || "?")) return entry;
  const present = Number(seen) || 0;
  let by = Number(found[2].replace(",", "."));
  if (found[3]) by = "+-−".includes(found[1] || "?") ? (present * by) / 100 : by / 100;
  const value = { "+": present + by, "-": present - by, "−": present - by, "*": present * by, "×": present * by, "/": present / by, "÷": present / by }[found[1]] ?? by;
  if (name !== "unit_price") return whole.format(Math.round(value));
  return value.toFixed(4).replace(/(\.\d\d\d*?)0+$/, "$1");
}

const editable = () => $$("[data-edit]", rows() ?? document);

function cellButton(name, text, seen) {
  const button = document.createElement("button");
  button.className = "cell";
  button.type = "button";
  button.dataset.edit = name;
  button.dataset.seen = seen;
  button.textContent = text;
  return button;
}

function openCell(button, entry) {
  const name = button.dataset.edit;
  const seen = button.dataset.seen ?? button.textContent;
  const form = document.createElement("form");
  form.className = "cell-form";
  form.method = "post";
  form.dataset.cellForm = "";
  form.dataset.edit = name;
  form.dataset.seen = seen;
  const input = document.createElement("input");
  input.className = "input";
  input.name = "entry";
  input.autocomplete = "off";
  input.value = entry ?? seen;
  input.dataset.shown = button.textContent;
  if (name in PLACES) input.inputMode = name === "unit_price" ? "decimal" : "numeric";
  input.setAttribute("aria-label", { unit_price: "Price", qty_available: "Available", remarks: "Remarks", low_stock_threshold: "Low stock below", location: "Location" }[name]);
  form.append(input);
  button.replaceWith(form);
  if (name === "location") offerPlaces(form);
  input.focus();
  input.select();
  return input;
}

// Places that suit the lot or begin as what is typed; one that is new is made when it is picked.
function offerPlaces(form) {
  const detail = {
    url: `/inventory/${rowOf(form).dataset.lot}/places/`,
    label: "Locations",
    present: form.dataset.seen,
    pick: (option) => {
      if ("make" in option.dataset) form.dataset.make = "1";
    },
    done: () => form.requestSubmit(),
  };
  form.elements.entry.dispatchEvent(new CustomEvent("offers:wanted", { bubbles: true, detail }));
}

function closeCell(form, focus = true) {
  const input = form.elements.entry;
  const button = cellButton(form.dataset.edit, input.dataset.shown, form.dataset.seen);
  form.replaceWith(button);
  if (focus) button.focus();
}

function neighbor(cell, key, back) {
  const row = rowOf(cell);
  if (key === "Tab") {
    const every = editable();
    const inRow = every.filter((each) => rowOf(each) === row);
    const place = inRow.findIndex((each) => each.closest("td") === cell);
    return every[every.indexOf(inRow[place]) + (back ? -1 : 1)];
  }
  const next = back ? row.previousElementSibling : row.nextElementSibling;
  return next && $(`[data-edit="${cell.querySelector("[data-edit]").dataset.edit}"]`, next);
}

function saveCell(form) {
  const cell = form.closest("td");
  const { edit: name, seen } = form.dataset;
  const entry = form.elements.entry.value;
  if (entry.trim() === seen && !form.querySelector("[role=alert]")) {
    closeCell(form, false);
    return;
  }
  const button = cellButton(name, foreseen(name, entry, seen), seen);
  button.classList.add("pending");
  form.replaceWith(button);
  button.dataset.entry = entry;
  button.dataset.shown = form.elements.entry.dataset.shown;
  button.dataset.make = form.dataset.make ?? "";
  send(button);
}

function send(button) {
  const { edit: field, entry, seen, make } = button.dataset;
  htmx.ajax("POST", `/inventory/${rowOf(button).dataset.lot}/${field === "location" ? "place" : "edit"}/`, {
    source: button,
    target: button.closest("td"),
    swap: "innerHTML",
    push: "false",
    values: { field, entry, seen, make, cell: "1" },
  });
}

// What was on its way when the session ended goes once more.
document.addEventListener("session:renewed", () => {
  for (const button of $$("button.cell.pending", rows() ?? document)) {
    button.dataset.again = "";
    send(button);
  }
});
// Nobody signed in again: what was typed stays to be tried once more.
document.getElementById("login-sheet")?.addEventListener("close", () => {
  for (const button of $$("button.cell.pending:not([data-again])", rows() ?? document)) {
    const { edit, entry, shown, seen } = button.dataset;
    const back = cellButton(edit, shown, seen);
    button.replaceWith(back);
    openCell(back, entry);
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-edit]");
  if (button && !button.classList.contains("pending")) openCell(button);
});
document.addEventListener(
  "submit",
  (event) => {
    if (!event.target.matches("[data-cell-form]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    saveCell(event.target);
  },
  true,
);
document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-cell-form]");
  if (!form) return;
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    closeCell(form);
  } else if (event.key === "Enter" || event.key === "Tab") {
    event.preventDefault();
    const cell = form.closest("td");
    const next = neighbor(cell, event.key, event.shiftKey);
    saveCell(form);
    if (next?.isConnected && next.matches("button")) openCell(next);
    else $("[data-edit]", cell)?.focus();
  }
});
document.addEventListener("focusout", (event) => {
  const form = event.target.closest?.("[data-cell-form]");
  // What stands there as wrong waits for another try.
  if (form?.isConnected && !form.querySelector("[role=alert]") && !document.querySelector("#login-sheet[open]")) setTimeout(() => form.isConnected && !form.contains(document.activeElement) && saveCell(form));
});

// Refused in a way that has no place in the cell, or not answered at all: what was there comes back, what was typed stays
// to be tried again. Not before the answer was shown, which is looked for from this element.
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const button = ctx.sourceElement;
  if (!button?.matches?.("button.pending") || !button.isConnected) return;
  const status = ctx.response?.status ?? 0;
  if (status === 401) return;
  const { edit, entry, shown, seen } = button.dataset;
  const back = cellButton(edit, shown, seen);
  button.replaceWith(back);
  if (status === 409) refresh();
  else openCell(back, entry);
});

function refresh() {
  const place = rows();
  if (place) htmx.ajax("GET", location.pathname + location.search, { source: place, target: "#rows", swap: "outerMorph", push: "false" });
}

// Rows that arrive meanwhile don't take away what is being typed: it goes on in the same lot's cell, wherever that is now.
let typed = null;
document.addEventListener("htmx:before:swap", () => {
  const form = $("[data-cell-form]", rows() ?? document);
  typed = form && { form, lot: rowOf(form).dataset.lot, name: form.dataset.edit, entry: form.elements.entry.value, at: form.elements.entry.selectionEnd, all: form.elements.entry.selectionStart !== form.elements.entry.selectionEnd };
});
document.addEventListener("htmx:after:swap", () => {
  const cell = typed && !typed.form.isConnected && $(`tr[data-lot="${typed.lot}"] button[data-edit="${typed.name}"]`, rows() ?? document);
  if (cell) {
    const input = openCell(cell, typed.entry);
    if (!typed.all) input.setSelectionRange(typed.at, typed.at);
  }
  typed = null;
});

function flash(element) {
  element.classList.remove("flash");
  void element.offsetWidth;
  element.classList.add("flash");
  setTimeout(() => element.classList.remove("flash"), 1300);
}

// --- The lot beside the list -----------------------------------------------------------------------------------------
const wide = matchMedia("(min-width: 1024px)");
let listAddress = null;
let isStale = false;

function openLot(link) {
  if (!wide.matches || !rows()) {
    htmx.ajax("GET", link.getAttribute("href"), { source: document.body, target: "#main", select: "#main", swap: "outerHTML", selectOOB: "#nav:outerHTML,#bottombar:outerHTML,#banners:outerHTML", push: "true" });
    return;
  }
  for (const row of $$("tr.cursor")) row.classList.remove("cursor");
  rowOf(link)?.classList.add("cursor");
  if (!listAddress) {
    listAddress = location.pathname + location.search;
    history.pushState({ htmx: true }, "", link.getAttribute("href"));
  } else history.replaceState({ htmx: true }, "", link.getAttribute("href"));
  htmx.ajax("GET", link.getAttribute("href"), { source: sheet, target: "#sheet", swap: "innerHTML", push: "false" });
}

function walk(step) {
  const id = $("[data-lot-sheet]", sheet)?.dataset.lotSheet;
  const links = $$("#rows [data-row-link]");
  const now = links.findIndex((link) => rowOf(link).dataset.lot === id);
  const next = links[now + step];
  if (next) openLot(next);
}

sheet?.addEventListener("close", () => {
  if (!listAddress) return;
  const address = listAddress;
  listAddress = null;
  if (location.pathname.startsWith("/inventory/") && rows()) {
    history.replaceState({ htmx: true }, "", address);
    $("tr.cursor [data-row-link]")?.focus();
    if (isStale) htmx.ajax("GET", address, { source: rows(), target: "#rows", swap: "outerMorph", push: "false" });
  }
  isStale = false;
});
addEventListener("popstate", () => {
  listAddress = null;
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("#rows [data-row-link]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openLot(link);
  }
  const walker = event.target.closest("[data-walk]");
  if (walker) walk(Number(walker.dataset.walk));
});

// --- Counts of the views: known once, they survive the rows' being replaced --------------------------------------------
const counts = new Map();
function keepCounts() {
  for (const place of $$("[data-count]")) {
    if (!place.hidden) counts.set(place.dataset.count, place.textContent);
    else if (counts.has(place.dataset.count)) {
      place.textContent = counts.get(place.dataset.count);
      place.hidden = false;
    }
  }
}

// --- After the server has answered -----------------------------------------------------------------------------------
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const { target, response } = ctx;
  if (target?.matches?.("td") && rowOf(target)) {
    const row = rowOf(target);
    const button = $("button[data-edit]", target);
    if (button && response?.status === 200) {
      flash(target);
      if (button.dataset.edit === "qty_available") row.dataset.qty = button.dataset.seen;
      if (button.dataset.edit === "unit_price") row.dataset.price = button.dataset.seen;
      if (selected.has(row.dataset.lot)) selected.set(row.dataset.lot, worth(row));
      showSelection();
      changed();
    } else {
      const form = $("[data-cell-form]", target);
      if (form?.dataset.edit === "location") offerPlaces(form);
      form?.elements.entry.focus();
      form?.elements.entry.select();
    }
    return;
  }
  const saved = $("form[data-saved]");
  if (saved) {
    saved.removeAttribute("data-saved");
    flash(saved);
    if (sheet?.open) isStale = true;
    announce("Saved");
  }
  const known = $("[data-known-name]");
  const name = $("#add-name");
  if (known && name && !name.value) {
    name.value = known.dataset.knownName;
    $("#add-type").value = known.dataset.knownType;
    $("#add-category").value ||= known.dataset.knownCategory;
  }
  keepCounts();
  offerItems();
  if (target?.id === "rows" || target?.id === "main" || target?.id === "totals") showSelection();
});
// What was done to the selection is done: the bulk sheet says so.
document.addEventListener("lots:done", () => {
  clearSelection();
  refresh();
});
document.addEventListener("lots:refresh", refresh);

// --- Keys ------------------------------------------------------------------------------------------------------------
function here() {
  const row = document.activeElement.closest("tr[data-lot]") ?? $("#rows tr.cursor");
  return row ?? $("#rows tr[data-lot]");
}

const KEYS = {
  x: () => $(".row-check", here())?.click(),
  " ": () => $(".row-check", here())?.click(),
  e: () => $("button[data-edit]", here())?.click(),
  ArrowDown: () => document.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true })),
  ArrowUp: () => document.dispatchEvent(new KeyboardEvent("keydown", { key: "k", bubbles: true })),
};

document.addEventListener(
  "keydown",
  (event) => {
    if (event.defaultPrevented || document.body.dataset.shortcuts === "off" || typing(event.target)) return;
    if (sheet?.open && $("[data-lot-sheet]", sheet)) {
      const step = { j: 1, k: -1, "]": 1, "[": -1 }[event.key];
      if (step && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        walk(step);
      }
      return;
    }
    if (!rows() || document.querySelector("dialog[open], .menu:popover-open")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "a") {
      event.preventDefault();
      selectAll();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && (selected.size || all !== null)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      clearSelection();
      return;
    }
    const key = event.shiftKey && event.key === "X" ? "x" : event.key;
    if (!(key in KEYS) || (key.startsWith("Arrow") && !document.activeElement.closest("tr"))) return;
    if (key === " " && document.activeElement.matches("button, input, a, summary")) {
      if (!document.activeElement.matches("[data-row-link]")) return;
    }
    event.preventDefault();
    KEYS[key]();
  },
  true,
);

// --- Small things ------------------------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  const mover = event.target.closest(".orderable [data-move]");
  if (!mover) return;
  const item = mover.closest("li");
  const other = mover.dataset.move === "1" ? item.nextElementSibling : item.previousElementSibling;
  if (!other) return;
  if (mover.dataset.move === "1") other.after(item);
  else other.before(item);
  mover.focus();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-fixed]")) event.target.checked = true;
});
// The number field offers what the catalog knows, by any platform's number or by words; what is taken fills the form.
function offerItems() {
  const input = $("[data-items]");
  if (!input || input.role === "combobox") return;
  const detail = {
    url: input.dataset.items,
    label: "Items",
    least: 2,
    pick: ({ dataset }) => {
      $("#add-name").value = dataset.name;
      $("#add-type").value = dataset.type;
      $("#add-category").value = dataset.category;
      const color = $("#add-color");
      if (dataset.color) color.value = dataset.color;
      color.dispatchEvent(new Event("change", { bubbles: true }));
    },
    done: () => $("#add-color").focus(),
  };
  input.dispatchEvent(new CustomEvent("offers:wanted", { bubbles: true, detail }));
}

// Enter goes from number to color to quantity, and then adds the lot.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-add] [data-step]")) return;
  const steps = $$("[data-add] [data-step]");
  const next = steps[steps.indexOf(event.target) + 1];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.select();
});

offerItems();
showSelection();
