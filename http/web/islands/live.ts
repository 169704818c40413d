/** The live feed: shows what happens to devices as it happens, the newest on top. */

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

const EVENTS: Readonly<Record<string, string>> = {
  opened: 'opened its claim window',
  pending: 'waits for you to approve its claim window',
  approved: 'had its claim window approved',
  closed: 'had its window closed',
  elapsed: 'was not claimed in time',
  claimed: 'was claimed',
  refused: 'was not claimed:',
  assigned: 'was assigned',
  'given-back': 'was given back',
  transferred: 'was handed over',
  unassigned: 'was taken from its owner',
  reset: 'was reset, and has no owner any more',
  'take-over-asked': 'is wanted by somebody; its owner may object',
  'take-over-ended': 'stays with its owner:',
  'taken-over': 'was taken over',
};

const REASONS: Readonly<Record<string, string>> = {
  'wrong-secret': 'wrong key',
  'no-window': 'no open window',
  'window-elapsed': 'the window had elapsed',
  'window-pending': 'the window waits for approval',
  'already-claimed': 'it has an owner',
  'unknown-device': 'there is no such device',
  'proof-required': 'it wants a proof of possession',
  'wrong-proof': 'wrong proof of possession',
  'proof-outdated': 'the proof was too old',
  objected: 'they objected',
  cancelled: 'cancelled by the tenant',
  withdrawn: 'who asked has thought better of it',
  'not-allowed': 'it is not allowed any more',
  'newcomer-gone': 'who asked is gone',
};

function show(event: DeviceEvent): void {
  if (!list) return;
  const time = document.createElement('time');
  time.dateTime = new Date(event.at).toISOString();
  time.textContent = times.format(event.at);
  const name = document.createElement(event.deviceId === null ? 'span' : 'a');
  if (event.deviceId !== null)
    name.setAttribute(
      'href',
      new URL(`../../devices/${encodeURIComponent(event.deviceId)}`, import.meta.url).pathname,
    );
  name.textContent = event.deviceName;
  const item = document.createElement('li');
  item.className = 'fresh';
  const reason = event.reason === null ? '' : ` ${REASONS[event.reason] ?? event.reason}`;
  item.append(time, name, `${EVENTS[event.type] ?? event.type}${reason}`);
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
  const source = new EventSource(list.dataset.feed ?? '');
  source.addEventListener('open', () => {
    if (state) state.textContent = 'Watching.';
  });
  source.addEventListener('error', () => {
    // Closed for good when the server refuses, e.g. after signing out elsewhere or with too many pages open.
    const refused = source.readyState === EventSource.CLOSED;
    if (state)
      state.textContent = refused
        ? 'Not watching any more. Load the page again.'
        : 'The connection was lost; trying again.';
  });
  source.addEventListener('device', ({ data }: MessageEvent<string>) => {
    show(JSON.parse(data));
    refreshSoon();
  });
  addEventListener('pagehide', () => source.close());
}

export {};
