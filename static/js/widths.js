// Columns as wide as one likes: their heads' edges are dragged, or moved by arrow keys; a double click fits the content.
// The widths go into the address, and so into saved views.
const [NARROWEST, WIDEST, STEP, WAIT] = [48, 800, 16, 400];
const column = (table, name) => table.querySelector(`col[data-column="${name}"]`);
const headOf = (edge) => edge.closest("th");
let drag = null;
let timer;

// From the first change on each column has a width of its own, or they would make room for each other.
function hold(table) {
  if (table.classList.contains("sized")) return;
  const widths = [...table.querySelectorAll("[data-edge]")].map((edge) => [edge.dataset.edge, headOf(edge).offsetWidth]);
  for (const [name, width] of widths) column(table, name).width = width;
  table.classList.add("sized");
}

function setWidth(edge, width) {
  const fitting = Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));
  column(edge.closest("table"), edge.dataset.edge).width = fitting;
  edge.setAttribute("aria-valuenow", fitting);
}

function natural(edge) {
  const table = edge.closest("table");
  const col = column(table, edge.dataset.edge);
  const { width } = col;
  table.classList.remove("sized");
  col.removeAttribute("width");
  const found = headOf(edge).offsetWidth;
  col.width = width;
  table.classList.add("sized");
  return found;
}

function keep(table) {
  const address = new URL(location.href);
  const columns = [...table.querySelectorAll("[data-edge]")].map(({ dataset: { edge } }) => `${edge}:${column(table, edge).width}`);
  address.searchParams.set("columns", columns.join(","));
  const url = address.pathname + address.search.replaceAll("%3A", ":").replaceAll("%2C", ",");
  htmx.ajax("GET", url, { source: document.getElementById("rows"), target: "#rows", swap: "outerMorph", push: "false", replace: url });
}

document.addEventListener("pointerdown", (event) => {
  const edge = event.target.closest?.("[data-edge]");
  if (!edge || event.button) return;
  event.preventDefault();
  edge.focus();
  hold(edge.closest("table"));
  drag = { edge, from: event.clientX, width: Number(column(edge.closest("table"), edge.dataset.edge).width), moved: false };
  edge.classList.add("dragged");
  edge.setPointerCapture(event.pointerId);
});
document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  drag.moved ||= event.clientX !== drag.from;
  setWidth(drag.edge, drag.width + event.clientX - drag.from);
});
for (const kind of ["pointerup", "pointercancel"]) {
  document.addEventListener(kind, () => {
    if (!drag) return;
    drag.edge.classList.remove("dragged");
    if (drag.moved) keep(drag.edge.closest("table"));
    drag = null;
  });
}
document.addEventListener("dblclick", (event) => {
  const edge = event.target.closest?.("[data-edge]");
  if (!edge) return;
  setWidth(edge, natural(edge));
  keep(edge.closest("table"));
});
document.addEventListener("keydown", (event) => {
  const edge = event.target.closest?.("[data-edge]");
  const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
  if (!edge || !(step || event.key === "Enter")) return;
  event.preventDefault();
  hold(edge.closest("table"));
  const width = Number(column(edge.closest("table"), edge.dataset.edge).width);
  setWidth(edge, step ? width + step : natural(edge));
  const { dataset: { edge: name } } = edge;
  const wanted = edge.getAttribute("aria-valuenow");
  clearTimeout(timer);
  timer = setTimeout(() => {
    // Rows that came meanwhile are as wide as the address said then.
    const now = document.querySelector(`[data-edge="${name}"]`);
    if (!now) return;
    hold(now.closest("table"));
    setWidth(now, wanted);
    keep(now.closest("table"));
  }, WAIT);
});
