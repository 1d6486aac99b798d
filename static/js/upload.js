// A file is dropped or chosen: shows its name and size, and says before sending what the server wouldn't take.

const UNITS = ["bytes", "KB", "MB", "GB"];

function sized(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toLocaleString("en", { maximumFractionDigits: 1 })} ${UNITS[unit]}`;
}

function show(input) {
  const file = input.files[0];
  const told = input.closest("[data-drop]").querySelector(".files");
  told.hidden = !file;
  input.setCustomValidity("");
  if (!file) return;
  told.textContent = `${file.name} · ${sized(file.size)}`;
  const limit = Number(input.dataset.limitMb);
  if (file.size > limit * 1024 * 1024) {
    input.setCustomValidity(`This file has ${sized(file.size)}; at most ${limit} MB are read.`);
    input.reportValidity();
  }
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-drop] input[type=file]")) show(event.target);
});

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.("[data-drop]");
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("over", kind === "dragover");
    if (kind !== "drop" || !event.dataTransfer.files.length) return;
    const input = zone.querySelector("input[type=file]");
    input.files = event.dataTransfer.files;
    show(input);
  });
}
