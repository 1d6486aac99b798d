// Hardware scanners type and press Enter: Enter goes on to the next field, and sends the form after the last one.
let sound;

function beep(isGood) {
  try {
    sound ??= new AudioContext();
    const tone = sound.createOscillator();
    const volume = sound.createGain();
    tone.frequency.value = isGood ? 1320 : 220;
    volume.gain.value = 0.08;
    tone.connect(volume).connect(sound.destination);
    tone.start();
    tone.stop(sound.currentTime + (isGood ? 0.08 : 0.3));
  } catch {
    // A browser without sound still shows what happened.
  }
}

document.addEventListener("keydown", (event) => {
  const field = event.target;
  const form = field.form;
  if (event.key !== "Enter" || !form || !("scanForm" in form.dataset) || field.tagName !== "INPUT") return;
  const fields = [...form.querySelectorAll("input.input")].filter((one) => one.offsetParent !== null);
  const next = fields[fields.indexOf(field) + 1];
  // What was scanned into the field for other lots is added at once.
  const adds = form.querySelector('[name="step"][value="add"]');
  if (adds && "scan" in field.dataset && field.value.trim()) {
    event.preventDefault();
    beep(true);
    form.requestSubmit(adds);
  } else if (next) {
    event.preventDefault();
    if (field.value.trim()) beep(true);
    next.focus();
    next.select();
  }
});

function begin() {
  const form = document.querySelector("[data-scan-form]");
  if (!form) return;
  const wanted =
    form.querySelector('[aria-invalid="true"], [autofocus]') ??
    [...form.querySelectorAll("input.input")].find((one) => !one.value);
  wanted?.focus();
  if (document.querySelector('#main [role="alert"], #main [aria-invalid="true"]')) beep(false);
}
document.addEventListener("htmx:after:swap", begin);
begin();
