// Pictures of items: those that are on their way are asked for again, a few times, and a small one is shown large for
// whoever stays on it. The size of what came says what it is (catalog/views.py): below 64 pixels a drawing in whose
// place a picture may be in a moment, from 96 on a picture.
const ON_ITS_WAY = 64;
const PICTURE = 96;
const WAITS = [1200, 3000, 8000, 20000];
const STAYS = 400;
const GAP = 8;

// --- On their way --------------------------------------------------------------------------------------------------
const tries = new WeakMap();

function again(image, url) {
  if (!image.isConnected || image.dataset.asked !== url) return;
  if (document.hidden) {
    document.addEventListener("visibilitychange", () => again(image, url), { once: true });
    return;
  }
  image.src = `${url}?again=${tries.get(image).count}`;
}

function look(image) {
  const url = image.getAttribute("src").replace(/\?again=\d+$/, "");
  let known = tries.get(image);
  // Swapped in place, an image can come to show another item.
  if (known?.url !== url) tries.set(image, (known = { url, count: 0 }));
  if (image.naturalWidth >= ON_ITS_WAY || !image.naturalWidth || known.count >= WAITS.length) return;
  image.dataset.asked = url;
  setTimeout(again, WAITS[known.count++], image, url);
}

document.addEventListener("load", (event) => event.target.matches?.("img[data-picture]") && look(event.target), true);
for (const image of document.querySelectorAll("img[data-picture]")) if (image.complete) look(image);

// --- Large ---------------------------------------------------------------------------------------------------------
const preview = document.createElement("div");
preview.className = "picture-preview";
preview.popover = "manual";
preview.setAttribute("aria-hidden", "true");
const large = new Image(240, 240);
large.alt = "";
preview.append(large);
let timer;

const pictureOf = (element) =>
  (element.closest?.(".picture") ?? element.querySelector?.(":scope > .picture"))?.querySelector("img[data-picture]");

function hide() {
  clearTimeout(timer);
  if (preview.isConnected && preview.matches(":popover-open")) preview.hidePopover();
}

function show(image) {
  if (!image.isConnected || image.naturalWidth < PICTURE) return;
  const url = image.getAttribute("src").replace(/\?again=\d+$/, "");
  large.src = url.replace(/\/images\/\d+\//, "/images/480/");
  // Inside an open dialog, which would be above it otherwise.
  (image.closest("dialog") ?? document.body).append(preview);
  preview.showPopover();
  const at = image.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = preview;
  const right = at.right + GAP;
  const left = right + width <= innerWidth ? right : Math.max(GAP, at.left - GAP - width);
  const top = Math.max(GAP, Math.min(at.top + at.height / 2 - height / 2, innerHeight - height - GAP));
  preview.style.left = `${left}px`;
  preview.style.top = `${top}px`;
}

function soon(image) {
  hide();
  if (image && image.width < large.width) timer = setTimeout(show, STAYS, image);
}

if (matchMedia("(hover: hover)").matches) {
  document.addEventListener("pointerover", (event) => {
    const picture = event.target.closest?.(".picture");
    if (picture && !picture.contains(event.relatedTarget)) soon(picture.querySelector("img[data-picture]"));
  });
  document.addEventListener("pointerout", (event) => {
    const picture = event.target.closest?.(".picture");
    if (picture && !picture.contains(event.relatedTarget)) hide();
  });
}
document.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && soon(pictureOf(event.target)));
document.addEventListener("focusout", hide);
document.addEventListener("pointerdown", hide);
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
addEventListener("scroll", hide, { capture: true, passive: true });
document.addEventListener("htmx:before:swap", hide);
