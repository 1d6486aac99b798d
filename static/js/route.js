// Rows of the storage are dragged by their handle into the order in which one walks; typing a number does the same.
let dragged = null;

const rowOf = (target) => target.closest?.("[data-route] tr[data-location]");

function unmark() {
  for (const row of document.querySelectorAll("[data-route] tr.drop-before")) row.classList.remove("drop-before");
}

document.addEventListener("dragstart", (event) => {
  if (!event.target.closest?.("[data-handle]")) return;
  dragged = rowOf(event.target);
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.location);
});
document.addEventListener("dragover", (event) => {
  const row = dragged && rowOf(event.target);
  if (!row) return;
  event.preventDefault();
  unmark();
  if (row !== dragged) row.classList.add("drop-before");
});
document.addEventListener("drop", (event) => {
  const row = dragged && rowOf(event.target);
  if (!row || row === dragged) return;
  event.preventDefault();
  const form = document.getElementById("route-form");
  form.action = `${location.pathname}${dragged.dataset.location}/route/`;
  form.elements.before.value = row.dataset.location;
  form.requestSubmit();
});
document.addEventListener("dragend", () => {
  dragged = null;
  unmark();
});
