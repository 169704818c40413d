/**
 * The service worker. It keeps the page `offline` and what that is made of. It shows the page where there is no connection, in
 * place of the browser's own, and where a proxy says that the server is away. It keeps and answers nothing else.
 */

// Missing in the types of a page: https://www.w3.org/TR/service-workers/
interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

declare function skipWaiting(): Promise<void>;

(() => {
  // Below a proxy's prefix, not at the root of the host.
  const OFFLINE = new URL('offline', location.href).pathname;
  /** The reader's language: another one is another worker. */
  const lang = new URL(location.href).searchParams.get('lang') ?? '';
  const OFFLINE_PAGE = `${OFFLINE}?${new URLSearchParams({ lang })}`;
  const PARTS = ['style.css', 'page.js', 'again.js', 'kept-claim.js'];
  /** `/assets/DIGEST/`: a new version of the pages is a new worker. */
  const assets = new URL(location.href).searchParams.get('assets') ?? '';
  const name = `claimd ${assets} ${lang}`;

  async function keep(): Promise<void> {
    const cache = await caches.open(name);
    // Without cookies: it is the page of nobody.
    await cache.add(new Request(OFFLINE_PAGE, { credentials: 'omit', cache: 'reload' }));
    await cache.addAll(PARTS.map((part) => `${assets}${part}`));
  }

  async function forgetOthers(): Promise<void> {
    for (const other of await caches.keys()) if (other !== name) await caches.delete(other);
  }

  async function page(request: Request): Promise<Response> {
    const response = await fetch(request).catch(() => undefined);
    // A page of ours has a policy; a proxy's word that the server is away has none.
    const isAway =
      response !== undefined && response.status >= 502 && !response.headers.has('content-security-policy');
    if (response !== undefined && !isAway) return response;
    return (await caches.match(OFFLINE_PAGE)) ?? response ?? Response.error();
  }

  const part = (request: Request): Promise<Response> =>
    fetch(request).catch(async () => (await caches.match(request)) ?? Response.error());

  // It takes over at once: it keeps nothing that a page is in the middle of.
  addEventListener('install', (event) => (event as Extendable).waitUntil(keep().then(() => skipWaiting())));
  addEventListener('activate', (event) => (event as Extendable).waitUntil(forgetOthers()));
  addEventListener('fetch', (event) => {
    const fetching = event as Fetching;
    const { request } = fetching;
    if (request.method !== 'GET') return;
    if (request.mode === 'navigate') fetching.respondWith(page(request));
    else if (assets !== '' && new URL(request.url).pathname.startsWith(assets))
      fetching.respondWith(part(request));
  });
})();
