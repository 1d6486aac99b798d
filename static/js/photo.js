// A photo says what a lot is: taken, chosen, dropped or pasted, made small here, sent, and answered with suggestions.
const LONGEST = 1024;
const QUALITY = 0.85;
const LIMIT = 10 * 1024 * 1024;
const NO_CAMERA = {
  NotAllowedError: "The browser may not use the camera. Allow it for this site, or choose a picture.",
  NotFoundError: "There is no camera on this device. Choose a picture.",
  NotReadableError: "Another program is using the camera. Close it, or choose a picture.",
};
const zone = () => document.querySelector("form[data-photo]");
const part = (form, name) => form.querySelector(`[data-${name}]`);
let stream = null;
let preview = "";
// The number that a photo, and nobody's hand, has put into the form.
let filled = "";

function complain(form, message = "") {
  const place = part(form, "problem");
  place.textContent = message;
  place.hidden = !message;
}

function offer(form) {
  part(form, "upgrade").hidden = false;
}

// --- The picture ---------------------------------------------------------------------------------------------------
// What is drawn anew has no place, time or camera in it. A format that only the server reads goes there as it is.
async function shrunk(file) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file;
  }
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const place = canvas.getContext("2d");
  place.fillStyle = "#fff";
  place.fillRect(0, 0, canvas.width, canvas.height);
  place.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return jpegOf(canvas);
}

function jpegOf(canvas) {
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(new File([blob], "photo.jpg", { type: "image/jpeg" })), "image/jpeg", QUALITY));
}

async function send(form, file) {
  if (!file || "busy" in form.dataset) return;
  if ("locked" in form.dataset) {
    offer(form);
    return;
  }
  complain(form);
  const small = await shrunk(file);
  if (small.size > LIMIT) {
    complain(form, "The picture is larger than 10 MB. Choose a smaller one.");
    return;
  }
  const chosen = new DataTransfer();
  chosen.items.add(small);
  form.elements.image.files = chosen.files;
  show(form, small);
  part(form, "state").hidden = false;
  form.querySelector("#suggestions").replaceChildren();
  form.requestSubmit();
}

function show(form, file) {
  URL.revokeObjectURL(preview);
  preview = URL.createObjectURL(file);
  const image = part(form, "preview");
  image.src = preview;
  image.hidden = false;
  image.onerror = () => (image.hidden = true);
}

// --- The camera ----------------------------------------------------------------------------------------------------
function look(form, isLive) {
  part(form, "live").hidden = !isLive;
  part(form, "stop").hidden = !isLive;
  if (isLive) part(form, "preview").hidden = true;
}

function stop(form) {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  if (form) look(form, false);
}

async function take(form) {
  if ("locked" in form.dataset) {
    offer(form);
    return;
  }
  if (stream) {
    const video = part(form, "live");
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    const file = await jpegOf(canvas);
    stop(form);
    send(form, file);
    return;
  }
  complain(form);
  // A phone's own camera has flash, zoom and another try.
  if (matchMedia("(pointer: coarse)").matches) {
    part(form, "camera").click();
    return;
  }
  try {
    if (!navigator.mediaDevices) throw new DOMException("", "NotFoundError");
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  } catch (error) {
    complain(form, NO_CAMERA[error.name] ?? "The camera can't be used. Choose a picture.");
    return;
  }
  const video = part(form, "live");
  video.srcObject = stream;
  look(form, true);
  await video.play().catch(() => {});
}

document.addEventListener("click", (event) => {
  const form = event.target.closest("form[data-photo]");
  if (!form) return;
  if (event.target.closest("[data-take]")) take(form);
  else if (event.target.closest("[data-stop]")) stop(form);
  else if (event.target.closest("label.pick") && "locked" in form.dataset) offer(form);
});

// --- Chosen, dropped, pasted ---------------------------------------------------------------------------------------
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-photo]");
  if (form && event.target.type === "file") send(form, event.target.files[0]);
});

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const form = zone();
    if (!form || !event.dataTransfer?.types.includes("Files")) return;
    // Without this the browser leaves the page and opens the picture.
    event.preventDefault();
    form.classList.toggle("over", kind === "dragover");
    if (kind === "drop") send(form, event.dataTransfer.files[0]);
  });
}

document.addEventListener("paste", (event) => {
  const form = zone();
  const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
  if (!form || !file) return;
  event.preventDefault();
  send(form, file);
});

// --- Suggestions ---------------------------------------------------------------------------------------------------
function choose(link) {
  const number = document.getElementById("add-no");
  const { itemNo, itemType, itemName } = link.dataset;
  document.getElementById("add-type").value = itemType;
  document.getElementById("add-name").value = itemName;
  number.value = filled = itemNo;
  number.dispatchEvent(new Event("input", { bubbles: true }));
  for (const one of document.querySelectorAll("[data-suggestion]")) {
    if (one === link) one.setAttribute("aria-current", "true");
    else one.removeAttribute("aria-current");
  }
  document.dispatchEvent(new CustomEvent("announce", { detail: `${itemNo} ${itemName} chosen` }));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-suggestion]");
  if (!link || !document.getElementById("add-no") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  choose(link);
  document.getElementById("add-color").focus();
}, true);

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const form = ctx.sourceElement;
  if (!form?.matches?.("form[data-photo]")) return;
  part(form, "state").hidden = true;
  // What went wrong on the way is told at the bottom of the page, and here, where one is looking.
  const status = ctx.response?.status ?? 0;
  if (!status || (status >= 400 && status !== 401 && status !== 422)) complain(form, "No answer came. Go on by hand, or try again shortly.");
});

document.addEventListener("htmx:after:swap", () => {
  const form = zone();
  if (stream && !part(form ?? document, "live")) stop();
  const top = document.querySelector("[data-suggestion][data-top]:not([data-told])");
  if (!top) return;
  top.dataset.told = "";
  // Sure enough to be taken for what it is, unless something else was typed.
  const number = document.getElementById("add-no")?.value.trim();
  if (number === "" || number === filled) choose(top);
});
