// A file is dropped anywhere on the page, or chosen: shows its size, says before sending what the server wouldn't take,
// and how much of it has been sent.
const UNITS = ["bytes", "KB", "MB", "GB"];
const zone = () => document.querySelector("[data-drop]");

function sized(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toLocaleString("en", { maximumFractionDigits: 1 })} ${UNITS[unit]}`;
}

// Stands beside the file until another one is chosen.
function complain(message = "") {
  const place = zone().querySelector("[data-problem]");
  place.textContent = message;
  place.hidden = !message;
}

function show(input) {
  const file = input.files[0];
  const told = input.closest("[data-drop]").querySelector(".files");
  told.hidden = !file;
  input.setCustomValidity("");
  complain();
  if (!file) return;
  told.textContent = sized(file.size);
  const limit = Number(input.dataset.limitMb);
  if (file.size > limit * 1024 * 1024) input.setCustomValidity(`This file has ${sized(file.size)}; at most ${limit} MB are read.`);
  else if (!file.size) input.setCustomValidity("This file is empty.");
  input.reportValidity();
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-drop] input[type=file]")) show(event.target);
});

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const place = zone();
    if (!place || !hasFiles(event)) return;
    // Without this the browser leaves the page and opens the file, wherever it is let go.
    event.preventDefault();
    place.classList.toggle("over", kind === "dragover");
    if (kind !== "drop") return;
    const input = place.querySelector("input[type=file]");
    if (event.dataTransfer.files.length !== 1) {
      complain("One file at a time.");
      return;
    }
    input.files = event.dataTransfer.files;
    show(input);
    if (input.validity.valid) input.form.requestSubmit();
  });
}

// --- Sending -------------------------------------------------------------------------------------------------------
function free(form) {
  delete form.dataset.busy;
  for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  form.querySelector(".sending").hidden = true;
}

// What the server says about the file stands where the file is; anything else is told as everywhere.
function answered(form, request) {
  const url = request.getResponseHeader("HX-Redirect");
  if (url) {
    location.assign(url);
    return;
  }
  free(form);
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const fresh = page.querySelector("form[data-upload]");
  if (request.status === 422 && fresh) {
    form.querySelector(".field").replaceWith(fresh.querySelector(".field"));
    form.elements.file.focus();
    return;
  }
  if (request.status === 401 || request.status === 403) {
    complain("You are no longer signed in, or may not import any more. Nothing was imported; sign in again and drop the file once more.");
    return;
  }
  const text = (selector) => page.querySelector(selector)?.textContent.trim();
  complain([text(".trouble h1"), text(".trouble h1 + p")].filter(Boolean).join(" ") || `The server answered ${request.status}.`);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-upload]") || event.defaultPrevented) return;
  event.preventDefault();
  const bar = form.querySelector(".sending");
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.hidden = false;
    bar.firstElementChild.value = (100 * loaded) / total;
    bar.lastElementChild.textContent = loaded < total ? `${sized(loaded)} of ${sized(total)} sent` : "Sent; looking at it";
  });
  request.addEventListener("load", () => answered(form, request));
  request.addEventListener("error", () => {
    free(form);
    complain("The file didn't arrive: the connection was cut, or the file has changed meanwhile. Nothing was imported; try again.");
  });
  request.open("POST", form.action);
  request.setRequestHeader("HX-Request", "true");
  request.send(new FormData(form));
});
