// What picking keeps on the device, and how it leaves again: routes, own marks on them, taps that aren't sent.
const NAME = "brikonnect-picking";
const VERSION = 1;
let opened = null;

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function create({ target: { result: base } }) {
  base.createObjectStore("routes");
  base.createObjectStore("local");
  base.createObjectStore("lease");
  const outbox = base.createObjectStore("outbox", { keyPath: "id", autoIncrement: true });
  outbox.createIndex("user", "user");
}

export function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = create;
    request.onsuccess = () => {
      const base = request.result;
      // Signing out in another tab erases it.
      base.onversionchange = () => {
        base.close();
        opened = null;
      };
      resolve(base);
    };
    request.onerror = () => reject(request.error);
  });
  return opened;
}

// Runs `work(store, …)` in one transaction, and answers when it is on the disk, not merely on its way there.
export async function transact(names, mode, work) {
  const base = await open();
  const transaction = base.transaction(names, mode, { durability: mode === "readwrite" ? "strict" : "default" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new DOMException("", "AbortError"));
  });
  const stores = names.map((name) => transaction.objectStore(name));
  const result = await work(...stores);
  await done;
  return result;
}

export { settled };

// How many picks wait here, of whomever; nothing is made by asking.
export async function unsent() {
  const known = (await indexedDB.databases?.()) ?? [{ name: NAME }];
  if (!known.some(({ name }) => name === NAME)) return 0;
  const entries = await transact(["outbox"], "readonly", (outbox) => settled(outbox.getAll()));
  return entries.filter(({ state }) => state === "waiting").length;
}

const isOurs = (name) => name.startsWith("picking-");

export const channel = "BroadcastChannel" in self ? new BroadcastChannel("picking") : null;

export async function erase() {
  // Other tabs leave picking, or they would write again.
  channel?.postMessage("erased");
  const base = await opened;
  base?.close();
  opened = null;
  const gone = new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = request.onerror = request.onblocked = resolve;
  });
  const workers = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  await Promise.all([
    gone,
    ...workers.filter(({ scope }) => new URL(scope).pathname === "/picking/").map((one) => one.unregister()),
    ...("caches" in self ? (await caches.keys()).filter(isOurs).map((name) => caches.delete(name)) : []),
  ]);
}
