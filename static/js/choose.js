// A field that offers items of the catalog: what is taken fills the fields beside it; `data-send` sends the form at once.
function offerItems() {
  const input = document.querySelector("[data-choose]");
  if (!input || input.role === "combobox") return;
  const { form } = input;
  const detail = {
    url: input.dataset.choose,
    label: "Items",
    least: 2,
    pick: ({ dataset }) => {
      const kind = form.elements.namedItem(input.dataset.kind);
      if (kind) kind.value = dataset.type;
    },
    done: () => {
      if (input.hasAttribute("data-send")) form.requestSubmit();
    },
  };
  input.dispatchEvent(new CustomEvent("offers:wanted", { bubbles: true, detail }));
}

// What was typed after an item was taken is another search.
document.addEventListener("input", ({ target }) => {
  if (target.matches("[data-choose][data-send]")) target.form.elements.namedItem(target.dataset.kind).value = "";
});
document.addEventListener("htmx:after:swap", offerItems);
offerItems();
