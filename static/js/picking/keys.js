// The keyboard, and scanners that are one: keys that come faster than fingers and end with Enter are a label.
const FAST_MS = 45;
const SHORTEST = 4;

export function listen({ scanned, typed, deeds, isOff }) {
  let text = "";
  let began = 0;
  let last = 0;
  let timer = null;

  const clear = () => {
    clearTimeout(timer);
    text = "";
  };

  // What stood alone for a moment was a finger's.
  function settle() {
    const keys = text;
    clear();
    if (/^\d+$/.test(keys)) typed(keys);
    else if (keys.length === 1) deeds[keys.toLowerCase()]?.();
  }

  function isLabel(now) {
    return text.length >= SHORTEST && now - began <= FAST_MS * text.length;
  }

  addEventListener(
    "keydown",
    (event) => {
      const { key, target, timeStamp: now } = event;
      const isField = target.closest?.("input:not([type=radio], [type=checkbox]), select, textarea");
      if (event.ctrlKey || event.metaKey || event.altKey || isField) return;
      if (now - last > FAST_MS * 2 && text) settle();
      last = now;
      if (key === "Enter" && isLabel(now)) {
        event.preventDefault();
        event.stopPropagation();
        const label = text;
        clear();
        scanned(label);
        return;
      }
      if (isOff()) {
        if (key.length !== 1) return;
      } else if (!text && deeds[key] && !isPressable(event)) {
        event.preventDefault();
        if (!event.repeat) deeds[key]();
        return;
      } else if (key === "Enter" && text) {
        event.preventDefault();
        settle();
        deeds.Enter();
        return;
      }
      if (key.length !== 1 || event.repeat) return;
      // A scanner's space would press the button that has the focus.
      if (key === " " && text) event.preventDefault();
      if (!text) began = now;
      text += key;
      clearTimeout(timer);
      timer = setTimeout(isOff() ? clear : settle, FAST_MS * 2);
    },
    true,
  );
}

// Enter and space on a button press that button, unless it is the one that the keys mean anyway.
function isPressable({ key, target }) {
  return (key === "Enter" || key === " ") && target.closest?.("a, button:not([data-pick]), summary, label, input");
}
