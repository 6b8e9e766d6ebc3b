/* Keeps the pages of links that were opened on this phone, for when it has no connection; a page that ended is forgotten.
   And shows what the push service brings while no page is open. */

importScripts(new URL("told.js", self.location));

const KEPT = "reparto-pages";
const ASSETS = new URL("..", self.location).pathname; // of this release
const MOST_PAGES = 20;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers().then(() => self.clients.claim())));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && /^\/t\/[\w-]+$/.test(url.pathname)) event.respondWith(page(request));
  else if (url.pathname.startsWith(ASSETS)) event.respondWith(asset(request));
});

async function page(request) {
  const kept = await caches.open(KEPT);
  try {
    const response = await fetch(request);
    if (response.ok) await keep(kept, request, response.clone());
    else if (response.status === 404 || response.status === 410) await kept.delete(request);
    return response;
  } catch (error) {
    const before = await kept.match(request);
    if (!before) throw error;
    const text = (await before.text()).replace("<html ", "<html data-kept ");
    return new Response(text, { headers: before.headers });
  }
}

async function keep(kept, request, response) {
  await kept.put(request, response);
  const pages = (await kept.keys()).filter(({ url }) => new URL(url).pathname.startsWith("/t/"));
  for (const old of pages.slice(0, -MOST_PAGES)) await kept.delete(old);
}

async function asset(request) {
  const kept = await caches.open(KEPT);
  const before = await kept.match(request);
  if (before) return before;
  const response = await fetch(request);
  if (response.ok) await kept.put(request, response.clone());
  return response;
}

async function forgetOthers() {
  const kept = await caches.open(KEPT);
  for (const request of await kept.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/static/") && !pathname.startsWith(ASSETS)) await kept.delete(request);
  }
}
