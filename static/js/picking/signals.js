// What is heard and felt, and a screen that stays on.
import { settings } from "./settings.js";

let sound = null;

function tone(frequency, seconds, delay = 0) {
  try {
    sound ??= new AudioContext();
    if (sound.state === "suspended") sound.resume();
    const oscillator = sound.createOscillator();
    const volume = sound.createGain();
    const start = sound.currentTime + delay;
    oscillator.frequency.value = frequency;
    volume.gain.setValueAtTime(0.09, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + seconds);
    oscillator.connect(volume).connect(sound.destination);
    oscillator.start(start);
    oscillator.stop(start + seconds);
  } catch {
    // A device without sound still shows what happened.
  }
}

// Browsers refuse to shake before the first touch, and say so in the console.
const shake = (pattern) => settings.vibration && navigator.userActivation?.hasBeenActive && navigator.vibrate?.(pattern);

export function good() {
  if (settings.sounds) tone(1320, 0.09);
  shake(30);
}

export function wrong() {
  if (settings.sounds) {
    tone(196, 0.22);
    tone(165, 0.3, 0.24);
  }
  shake([120, 60, 120]);
}

let lock = null;

async function stayAwake() {
  if (document.hidden || lock) return;
  try {
    lock = await navigator.wakeLock?.request("screen");
    lock?.addEventListener("release", () => (lock = null));
  } catch {
    // Low battery, or not allowed: the screen does as the device likes.
  }
}

export function keepAwake() {
  document.addEventListener("visibilitychange", stayAwake);
  stayAwake();
}
