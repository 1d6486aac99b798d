// What of picking lies on the device besides taps: the page itself, by the worker, and this session's pictures.
const PICTURES = "picking-pictures";
const MOST = 1000;
const AT_ONCE = 2;
const { worker, decoder, decoderWasm } = document.body.dataset;

export async function settle() {
  if (!navigator.serviceWorker) return;
  try {
    const registration = await navigator.serviceWorker.register(worker, { scope: "/picking/" });
    const ready = await navigator.serviceWorker.ready;
    // The first visit came before the worker.
    ready.active?.postMessage({ kind: "keep", url: location.pathname });
    await isControlled();
    document.addEventListener("visibilitychange", () => document.hidden || registration.update().catch(() => {}));
  } catch {
    // Without it the page needs a connection to open; taps are kept all the same.
  }
}

// A moment after the first visit; never where the page was loaded past its worker.
function isControlled() {
  if (navigator.serviceWorker.controller) return null;
  return new Promise((resolve) => {
    navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
    setTimeout(resolve, 5000);
  });
}

let isRunning = false;
// Not every thing has a picture, and one that is on its way needs a while.
const TRIES = 3;
const AGAIN_MS = 60_000;
const asked = new Map();

function isDue(url) {
  const { times, at } = asked.get(url) ?? { times: 0, at: 0 };
  if (times >= TRIES || (times && Date.now() - at < AGAIN_MS)) return false;
  asked.set(url, { times: times + 1, at: Date.now() });
  return true;
}

// Fetches what isn't here, quietly, in the order of the walk; other sessions' pictures go.
export async function keepPictures(stops) {
  if (isRunning || !("caches" in self) || !navigator.onLine || !navigator.serviceWorker?.controller) return;
  isRunning = true;
  try {
    const cache = await caches.open(PICTURES);
    const wanted = [...new Set(stops.map(({ lot }) => lot.picture).filter(Boolean))].slice(0, MOST);
    const paths = new Set(wanted.map((url) => new URL(url, location.href).href));
    const here = new Set();
    for (const { url } of await cache.keys()) {
      if (paths.has(url)) here.add(url);
      else await cache.delete(url);
    }
    const missing = wanted.filter((url) => !here.has(new URL(url, location.href).href) && isDue(url));
    const next = async () => {
      // The worker keeps what passes it.
      for (let url = missing.shift(); url; url = missing.shift()) await fetch(url).catch(() => (missing.length = 0));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  } finally {
    isRunning = false;
  }
}

// Where the browser has no detector of its own, the camera works without a connection too.
export async function keepDecoder() {
  if (!navigator.serviceWorker?.controller || navigator.connection?.saveData) return;
  await Promise.all([decoder, decoderWasm].map((url) => fetch(url))).catch(() => {});
}
