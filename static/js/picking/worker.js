// Keeps the picking page working without a connection: its shell, and pictures of the session. Nothing else of the
// shop passes here. VERSION, SHELL and PAGE come from what the server rendered before this (picker/views/walk.py).
const KEPT = `picking-shell-${VERSION}`;
const PICTURES = "picking-pictures";
const WALK = /^\/picking\/[0-9a-f-]{36}\/walk\/$/;
const PICTURE = /\/images\/480\//;
const PATIENCE_MS = 3000;
const shell = new Set(SHELL.map((url) => new URL(url, location.href).pathname));

addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(KEPT);
      await cache.addAll(SHELL);
      await self.skipWaiting();
    })(),
  );
});

addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith("picking-shell-") && name !== KEPT);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

// One page for all sessions. One of another version would ask for files that aren't here.
async function keep(answer) {
  if (!answer.ok || answer.redirected || answer.type !== "basic") return;
  const text = await answer.text();
  if (!text.includes(`data-version="${VERSION}"`)) return;
  const cache = await caches.open(KEPT);
  await cache.put(
    PAGE,
    new Response(text, {
      headers: {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": answer.headers.get("content-security-policy") ?? "default-src 'self'",
      },
    }),
  );
}

async function page(event) {
  const asked = fetch(event.request);
  const kept = await caches.match(PAGE, { cacheName: KEPT });
  const late = new Promise((resolve) => setTimeout(resolve, kept ? PATIENCE_MS : 60_000));
  const answer = await Promise.race([asked.catch(() => null), late]);
  if (!answer || answer.status >= 500) return kept ?? answer ?? asked;
  event.waitUntil(keep(answer.clone()));
  return answer;
}

async function file(event) {
  return (await caches.match(event.request, { cacheName: KEPT, ignoreVary: true })) ?? fetch(event.request);
}

async function decoder(event) {
  const cache = await caches.open(KEPT);
  const here = await cache.match(event.request, { ignoreVary: true });
  if (here) return here;
  const answer = await fetch(event.request);
  if (answer.ok) event.waitUntil(cache.put(event.request, answer.clone()));
  return answer;
}

async function picture(event) {
  const cache = await caches.open(PICTURES);
  const here = await cache.match(event.request, { ignoreVary: true, ignoreSearch: true });
  if (here) return here;
  const answer = await fetch(event.request);
  // A drawing stands in for a picture that may come later.
  const isPicture = answer.ok && answer.type === "basic" && answer.headers.get("content-type")?.startsWith("image/webp");
  if (isPicture) event.waitUntil(cache.put(event.request.url.split("?")[0], answer.clone()));
  return answer;
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (WALK.test(url.pathname)) event.respondWith(page(event));
  } else if (shell.has(url.pathname)) event.respondWith(file(event));
  else if (DECODER.includes(url.pathname)) event.respondWith(decoder(event));
  else if (PICTURE.test(url.pathname)) event.respondWith(picture(event));
});

addEventListener("message", (event) => {
  if (event.data?.kind === "keep" && WALK.test(event.data.url)) {
    event.waitUntil(fetch(event.data.url, { headers: { Accept: "text/html" } }).then(keep, () => {}));
  }
});
