/**
 * On every page: sends the time zone to the server, shows times in it, counts windows down, and takes a claim link's
 * fragment out of the address bar before somebody copies it.
 */
import { keepClaim, keepClaimForMail, keptClaim } from './kept-claim.ts';

// Shows a page of ours where there is no connection. Browsers have it over HTTPS and on localhost alone.
const assets = new URL('.', import.meta.url).pathname;
// Where the pages begin: below a proxy's prefix, not at the root of the host.
const root = new URL('../../', import.meta.url).pathname;
if ('serviceWorker' in navigator && location.pathname !== `${root}offline`) {
  const { lang } = document.documentElement;
  const worker = `${root}worker.js?${new URLSearchParams({ assets, lang })}`;
  navigator.serviceWorker.register(worker).catch(() => {}); // the pages work without it
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const secure = location.protocol === 'https:' ? '; Secure' : '';
// biome-ignore lint/suspicious/noDocumentCookie: not every browser has the Cookie Store API
if (zone) document.cookie = `claimd-tz=${zone}; Path=${root}; SameSite=Lax; Max-Age=31536000${secure}`;

const locale = document.documentElement.dataset.locale;
const instants = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const exactly = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
for (const time of document.querySelectorAll<HTMLTimeElement>('time[data-local]')) {
  const format = time.dataset.local === 'exact' ? exactly : instants;
  time.textContent = format.format(new Date(time.dateTime));
}

/** Turns `<small data-closes="epoch ms" data-left="closes in {time}">closes at 14:03</small>` into the time that is left. */
function countDown(): void {
  for (const element of document.querySelectorAll<HTMLElement>('[data-closes]')) {
    const left = Math.max(0, Number(element.dataset.closes) - Date.now() + skew);
    const time = durationOf(Math.ceil(left / 1000));
    element.textContent = (element.dataset.left ?? '').replace('{time}', () => time);
  }
}

/** How far this clock is ahead of the server's, in ms, by the time in the page. */
const skew =
  Date.now() - Number(document.querySelector<HTMLElement>('[data-now]')?.dataset.now ?? Date.now());

const inUnits = (unit: 'day' | 'hour' | 'minute', unitDisplay: 'long' | 'short') =>
  new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay });
const [days, hours, minutes] = [inUnits('day', 'long'), inUnits('hour', 'short'), inUnits('minute', 'short')];

function durationOf(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h >= 48) return days.format(Math.floor(h / 24));
  return h > 0 ? `${hours.format(h)} ${minutes.format(m)}` : `${m}:${String(s).padStart(2, '0')}`;
}

countDown();
setInterval(countDown, 1000); // Also for windows that are shown later.

// A claim link may lead over the sign-in page. Browsers keep its fragment on redirects; it is kept until the device is claimed.
const fragment = new URLSearchParams(location.hash.slice(1));
const labelled = fragment.get('device');
if (labelled !== null) {
  keepClaim({ device: labelled, key: fragment.get('key') ?? '', scanned: true });
  history.replaceState(null, '', location.pathname + location.search);
}
if (document.querySelector('[data-keep-claim]') !== null) keepClaimForMail();
const waiting = keptClaim()?.device;
const hint = document.querySelector<HTMLElement>('[data-claim-hint]');
if (hint !== null && waiting !== undefined) {
  hint.textContent = (hint.dataset.claimHint ?? '').replace('{device}', () => waiting);
  hint.hidden = false;
}
