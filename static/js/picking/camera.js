// Reads labels with the camera: by the browser's own detector, else by a decoder that is loaded when it is needed.
import { h, icon } from "./dom.js";

const FORMATS = ["qr_code", "ean_13", "ean_8", "upc_a", "code_128"];
const DECODED = ["QRCode", "EAN13", "EAN8", "UPCA", "Code128"];
const EVERY_MS = 120;
const LONGEST = 720;
const NO_CAMERA = {
  NotAllowedError:
    "The browser may not use the camera. Allow it for this site in the browser's settings, then open it again. Buttons and a hardware scanner work without it.",
  NotFoundError: "There is no camera on this device. Buttons and a hardware scanner work without it.",
  NotReadableError: "Another app is using the camera. Close it, then open the camera again.",
};
const { decoder, decoderWasm } = document.body.dataset;

async function builtIn() {
  if (!("BarcodeDetector" in self)) return null;
  const known = await BarcodeDetector.getSupportedFormats().catch(() => []);
  if (!known.includes("qr_code")) return null;
  const detector = new BarcodeDetector({ formats: FORMATS.filter((one) => known.includes(one)) });
  return async (video) => (await detector.detect(video))[0]?.rawValue ?? "";
}

function script(url) {
  return new Promise((resolve, reject) => {
    const element = h("script", { src: url });
    element.onload = resolve;
    element.onerror = () => {
      element.remove();
      reject(new Error("no decoder"));
    };
    document.head.append(element);
  });
}

async function loaded() {
  if (!self.ZXingWASM) await script(decoder);
  await ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => decoderWasm }, fireImmediately: true });
  const canvas = document.createElement("canvas");
  const place = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const scale = Math.min(1, LONGEST / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    place.drawImage(video, 0, 0, canvas.width, canvas.height);
    const found = await ZXingWASM.readBarcodes(place.getImageData(0, 0, canvas.width, canvas.height), {
      formats: DECODED,
      maxNumberOfSymbols: 1,
    });
    return found[0]?.text ?? "";
  };
}

export const needsDecoder = async () => !(await builtIn());

let stream = null;

export function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
}

async function torch(button) {
  const isOn = button.getAttribute("aria-pressed") !== "true";
  await stream
    ?.getVideoTracks()[0]
    .applyConstraints({ advanced: [{ torch: isOn }] })
    .catch(() => {});
  button.setAttribute("aria-pressed", String(isOn));
}

// Draws itself into `place` and calls `found` with the first label; stop() ends it.
export async function look(place, found) {
  const video = h("video", { playsinline: true, muted: true, "aria-label": "What the camera sees" });
  const words = h("p", { role: "status" }, "Starting the camera…");
  const light = h("button", { type: "button", class: "btn outline main", "aria-pressed": "false", hidden: true }, icon("sun"), "Torch");
  light.addEventListener("click", () => torch(light));
  place.replaceChildren(video, words, light);
  try {
    if (!navigator.mediaDevices) throw new DOMException("", "NotFoundError");
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  } catch (error) {
    words.textContent = NO_CAMERA[error.name] ?? "The camera can't be used. Buttons and a hardware scanner work without it.";
    words.className = "alert warning";
    video.hidden = true;
    return;
  }
  const mine = stream;
  // Closed before it was there.
  if (!place.isConnected) {
    stop();
    return;
  }
  video.srcObject = stream;
  await video.play().catch(() => {});
  light.hidden = !stream.getVideoTracks()[0].getCapabilities?.().torch;
  try {
    const detect = (await builtIn()) ?? (await loaded());
    words.textContent = "Hold a label of a location or a lot in front of the camera.";
    watch(video, detect, () => stream === mine && place.isConnected, found);
  } catch {
    words.textContent = "What reads labels couldn't be loaded. Open the camera once where there is a connection.";
    words.className = "alert warning";
  }
}

async function watch(video, detect, goesOn, found) {
  while (goesOn()) {
    const text = video.readyState >= 2 ? await detect(video).catch(() => "") : "";
    if (text && goesOn()) {
      stop();
      found(text);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
