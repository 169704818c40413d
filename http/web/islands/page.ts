/**
 * On every page: tells the server the time zone, tells instants in it, counts windows down, and takes a claim link's
 * fragment out of the address bar before anybody copies it.
 */

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const secure = location.protocol === 'https:' ? '; Secure' : '';
// biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not everywhere yet
if (zone) document.cookie = `claimd-tz=${zone}; Path=/; SameSite=Lax; Max-Age=31536000${secure}`;

const locale = document.documentElement.dataset.locale;
const instants = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
for (const time of document.querySelectorAll<HTMLTimeElement>('time[data-local]')) {
  time.textContent = instants.format(new Date(time.dateTime));
}

/** `closes <span data-closes="epoch ms">at 14:03</span>`: for how long a claim window is still open. */
function countDown(): void {
  for (const element of document.querySelectorAll<HTMLElement>('[data-closes]')) {
    const left = Math.max(0, Number(element.dataset.closes) - Date.now() + skew);
    element.textContent = `in ${told(Math.ceil(left / 1000))}`;
  }
}

/** The server's clock less ours, from the page itself. */
const skew =
  -Number(document.querySelector<HTMLElement>('[data-now]')?.dataset.now ?? Date.now()) + Date.now();

function told(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h >= 48) return `${Math.floor(h / 24)} days`;
  return h > 0 ? `${h} h ${String(m).padStart(2, '0')} min` : `${m}:${String(s).padStart(2, '0')}`;
}

countDown();
setInterval(countDown, 1000); // also for windows that are shown later

// A claim link that leads over the sign-in page: browsers carry the fragment along, we keep it until it is used.
const fragment = new URLSearchParams(location.hash.slice(1));
if (fragment.has('device')) {
  sessionStorage.setItem('claim', fragment.toString());
  history.replaceState(null, '', location.pathname + location.search);
}
const waiting = new URLSearchParams(sessionStorage.getItem('claim') ?? '').get('device');
const hint = document.querySelector<HTMLElement>('[data-claim-hint]');
if (hint !== null && waiting !== null) {
  hint.textContent = `Sign in to claim “${waiting}”.`;
  hint.hidden = false;
}

export {};
