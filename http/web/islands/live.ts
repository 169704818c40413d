/** The live feed: shows what happens to devices as it happens, the newest on top, in the words that the page gives. */
import type { LiveScriptWords } from '../pages/live-words.ts';

const SHOWN_MAX = 100;
const list = document.querySelector<HTMLOListElement>('[data-feed]');
const state = document.querySelector<HTMLElement>('[data-feed-state]');
const times = new Intl.DateTimeFormat(document.documentElement.dataset.locale, { timeStyle: 'medium' });

interface DeviceEvent {
  readonly type: string;
  readonly at: number;
  readonly deviceId: string | null;
  readonly deviceName: string;
  readonly reason: string | null;
}

function wordsOf({ type, reason }: DeviceEvent, { events, reasons, withReason }: LiveScriptWords): string {
  const what = events[type] ?? type;
  if (reason === null) return what;
  const why = reasons[reason] ?? reason;
  return withReason.replace(/\{(what|whatOf)\}/g, (_, place) => (place === 'what' ? what : why));
}

function show(list: HTMLOListElement, event: DeviceEvent, words: LiveScriptWords): void {
  const time = document.createElement('time');
  time.dateTime = new Date(event.at).toISOString();
  time.textContent = times.format(event.at);
  const name = document.createElement(event.deviceId === null ? 'span' : 'a');
  if (event.deviceId !== null)
    name.setAttribute(
      'href',
      new URL(`../../devices/${encodeURIComponent(event.deviceId)}`, import.meta.url).pathname,
    );
  const isolated = document.createElement('bdi');
  isolated.textContent = event.deviceName;
  name.append(isolated);
  const item = document.createElement('li');
  item.className = 'fresh';
  item.append(time, name, wordsOf(event, words));
  list.prepend(item);
  while (list.children.length > SHOWN_MAX) list.lastElementChild?.remove();
}

/** The figures come from the audit trail, which is written up to a second after the events. */
const FIGURES_LAG_MS = 1500;
const FIGURES_EVERY_MS = 3000;
let refreshing = false;

/** Fetches this page again and takes the figures out of it. */
async function refresh(): Promise<void> {
  const response = await fetch(location.href);
  if (!response.ok) return;
  const next = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const old of document.querySelectorAll<HTMLElement>('[data-fresh]')) {
    const fresh = next.querySelector(`[data-fresh="${old.dataset.fresh}"]`);
    if (fresh !== null && !old.contains(document.activeElement))
      old.replaceWith(document.importNode(fresh, true));
  }
}

function refreshSoon(): void {
  if (refreshing) return;
  refreshing = true;
  setTimeout(() => void refresh().catch(() => {}), FIGURES_LAG_MS);
  setTimeout(() => {
    refreshing = false;
  }, FIGURES_EVERY_MS);
}

if (list) {
  const words: LiveScriptWords = JSON.parse(list.dataset.words ?? '{}');
  const source = new EventSource(list.dataset.feed ?? '');
  source.addEventListener('open', () => {
    if (state) state.textContent = words.watching;
  });
  source.addEventListener('error', () => {
    // Closed for good when the server refuses, e.g. after signing out elsewhere or with too many pages open.
    const refused = source.readyState === EventSource.CLOSED;
    if (state) state.textContent = refused ? words.notWatching : words.reconnecting;
  });
  source.addEventListener('device', ({ data }: MessageEvent<string>) => {
    show(list, JSON.parse(data), words);
    refreshSoon();
  });
  addEventListener('pagehide', () => source.close());
}
