// A long press on the main button types a number, a swipe walks the stops.
const LONG_MS = 500;
const SWIPE_PX = 56;
let isGesture = false;
let press = null;
let from = null;

// Tells whether a click is only the end of a gesture.
export function takesClick() {
  const was = isGesture;
  isGesture = false;
  return was;
}

export function listen({ held, swiped }) {
  document.addEventListener("pointerdown", (event) => {
    isGesture = false;
    clearTimeout(press);
    if (event.target.closest('[data-act="pick"]')) {
      press = setTimeout(() => {
        isGesture = true;
        held();
      }, LONG_MS);
    }
    from = event.target.closest("[data-at]") && event.pointerType !== "mouse" ? event : null;
  });
  for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, () => clearTimeout(press));
  document.addEventListener("contextmenu", (event) => event.target.closest("[data-pick]") && event.preventDefault());
  document.addEventListener("pointerup", (event) => {
    // A click comes at once, or not at all.
    setTimeout(() => (isGesture = false));
    if (!from) return;
    const [x, y] = [event.clientX - from.clientX, event.clientY - from.clientY];
    from = null;
    if (Math.abs(x) < SWIPE_PX || Math.abs(y) > Math.abs(x) * 0.7) return;
    isGesture = true;
    swiped(x < 0 ? 1 : -1);
  });
}
