// What a picker likes on this device: which hand, contrast, sounds. Signing out leaves it.
const KEY = "picking-settings";
const DEFAULTS = { leftHanded: false, contrast: false, sounds: true, vibration: true };

function read() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

export const settings = read();

function show() {
  document.documentElement.classList.toggle("contrast", settings.contrast);
  document.body.classList.toggle("left-handed", settings.leftHanded);
}

export function set(name, value) {
  settings[name] = value;
  show();
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // It holds until the page is left.
  }
}

show();
