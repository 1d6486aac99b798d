// Rows that are ticked for something to be done to them: all of a page at once, all of a filter, and how many there are.
const forms = () => document.querySelectorAll("form[data-ticks]");

function show(form) {
  const boxes = [...form.querySelectorAll(".row-check")];
  const on = boxes.filter((box) => box.checked).length;
  const all = form.querySelector("[data-tick-all]");
  if (all) {
    all.checked = on > 0 && on === boxes.length;
    all.indeterminate = on > 0 && on < boxes.length;
  }
  const filter = form.querySelector("[data-tick-filter]");
  if (filter && on < boxes.length) filter.checked = false;
  const count = form.querySelector("[data-tick-count]");
  if (count) count.textContent = `${filter?.checked ? filter.dataset.tickFilter : on} selected`;
}

document.addEventListener("change", ({ target }) => {
  const form = target.closest?.("form[data-ticks]");
  if (!form || !target.matches("[data-tick-all], [data-tick-filter], .row-check")) return;
  const whole = target.matches("[data-tick-filter]") ? target.checked || null : target.matches("[data-tick-all]") ? target.checked : null;
  if (whole !== null) for (const box of form.querySelectorAll(".row-check")) box.checked = whole;
  show(form);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const form of forms()) {
    for (const box of form.querySelectorAll(".row-check")) box.checked = false;
    show(form);
  }
});
