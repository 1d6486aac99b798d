// Places of a free layout are put where its plan is pressed.
// Without a script there is nothing to press, so its tools show only here.
const showTools = () => {
  for (const tools of document.querySelectorAll("[data-plan-tools]")) tools.hidden = false;
};

document.addEventListener("click", (event) => {
  const plan = event.target.closest?.("[data-plan-scale]");
  const input = plan && document.querySelector("[data-plan-code]");
  const code = input?.value.trim();
  if (!code) return;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(plan.getScreenCTM().inverse());
  const { planScale, planX, planY } = plan.dataset;
  const x = ((at.x - planX) / planScale).toFixed(1);
  const y = ((planY - at.y) / planScale).toFixed(1);
  const text = input.form.elements.namedItem("points");
  const others = text.value.split("\n").filter((line) => line.trim() && line.trim().split(/[\s;,]+/)[0].toLowerCase() !== code.toLowerCase());
  text.value = [...others, `${code}  ${x}  ${y}`].join("\n");
  input.value = [...input.list.options].map((option) => option.value).find((value) => value !== code) ?? "";
  text.dispatchEvent(new Event("change", { bubbles: true }));
});
document.addEventListener("htmx:after:swap", showTools);
showTools();
