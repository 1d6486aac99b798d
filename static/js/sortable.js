// Items of a list are dragged by their handle into an order; the form then shows what follows from it. Buttons do the same.
let dragged = null;

const itemOf = (target) => target.closest?.("[data-sortable] > [data-sortable-item]");

document.addEventListener("dragstart", (event) => {
  if (!event.target.closest?.("[data-sortable-handle]")) return;
  dragged = itemOf(event.target);
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.id);
});
document.addEventListener("dragover", (event) => {
  const item = dragged && itemOf(event.target);
  if (!item) return;
  event.preventDefault();
  if (item === dragged || item.parentElement !== dragged.parentElement) return;
  const { top, height } = item.getBoundingClientRect();
  if (event.clientY < top + height / 2) item.before(dragged);
  else item.after(dragged);
});
document.addEventListener("drop", (event) => {
  if (dragged && itemOf(event.target)) event.preventDefault();
});
document.addEventListener("dragend", () => {
  const form = dragged?.closest("form");
  dragged = null;
  form?.querySelector("[data-sorted]")?.click();
});
