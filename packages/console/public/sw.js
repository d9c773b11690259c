// Keeps one small page for the time in which the server does not answer: a navigation then leads to
// Ponte's own words and not to the browser's. Nothing else is kept, and no other request is touched.
const CACHE = 'ponte-offline-1';
const PAGE = '/offline.html';
const KEPT = [PAGE, '/offline.css', '/offline.js', '/ponte.svg'];
const ANSWER_WITHIN_MS = 20_000;
/** What a proxy says for a server that is not there. */
const GATEWAY_DOWN = [502, 503, 504];

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(KEPT.map((path) => new Request(path, { cache: 'reload' }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') event.respondWith(navigate(request));
  else if (KEPT.includes(pathname)) event.respondWith(kept(request, pathname));
});

/** From the server while there is one, so that a new version shows at once. */
async function kept(request, pathname) {
  const answer = await fetch(request).catch(() => undefined);
  return answer?.ok ? answer : ((await caches.match(pathname)) ?? answer ?? Response.error());
}

async function navigate(request) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (!GATEWAY_DOWN.includes(answer.status)) return answer;
  } catch {
    // No answer from the server.
  }
  return (await caches.match(PAGE)) ?? Response.error();
}
