/**
 * The claim page in the browser. It shows what a label said as a name and one button, and keeps the key in this tab until the
 * device is claimed. It sends the form without leaving the page, and tries again while there is no connection. It waits in
 * place of the person until the device opens its window. Without this script the form works as any form does.
 */
import type { ClaimScriptWords } from '../pages/claim-words.ts';
import { forgetClaim, type Kept, keepClaim, keptClaim } from './kept-claim.ts';

/** How long the page waits for a device by itself, and the pause between two questions, each of which takes five seconds. */
const WAIT_MS = 5 * 60_000;
const PAUSE_MS = 500;
/** How long it tries again without an answer, and the longest pause. */
const AWAY_MS = 10 * 60_000;
const RETRY_MAX_MS = 15_000;

const find = <E extends Element>(selector: string) => document.querySelector<E>(selector);
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What is shown now: a refusal replaces it. */
interface Shown {
  readonly form: HTMLFormElement;
  readonly words: ClaimScriptWords;
  readonly device: HTMLInputElement;
  readonly key: HTMLInputElement;
  readonly state: HTMLElement;
}

let shown: Shown | undefined;
/** Counts what the person began; whatever was begun before is over. */
let turn = 0;

function begin(): void {
  const form = find<HTMLFormElement>('form[data-claim]');
  const device = find<HTMLInputElement>('#f-device');
  const key = find<HTMLInputElement>('#f-key');
  const state = find<HTMLElement>('[data-state]');
  if (form === null || device === null || key === null || state === null) return;
  shown = { form, words: JSON.parse(form.dataset.words ?? '{}'), device, key, state };
  const scan = find<HTMLElement>('[data-scan]');
  if (scan && 'mediaDevices' in navigator) scan.hidden = false;
  const kept = keptClaim();
  if (kept !== undefined && (device.value === '' || device.value === kept.device)) fill(shown, kept);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (shown === undefined) return;
    keepClaim({ device: device.value, key: key.value, scanned: isScanned(shown) });
    void send(shown).catch(() => form.submit());
  });
  key.addEventListener('input', () => shown && showGroups(shown));
  find('[data-instead] button')?.addEventListener('click', () => {
    if (shown === undefined) return;
    showTyped(shown);
    device.focus();
  });
  scan?.querySelector('button')?.addEventListener('click', () => void openCamera());
}

// ------------------------------------------------------------------------------------------------- what is shown

const isScanned = ({ form }: Shown) => form.querySelector<HTMLElement>('[data-scanned]')?.hidden === false;

/** Fills in name and key. What a label said is shown as a name and one button, unless it has to be corrected. */
function fill(to: Shown, { device, key, scanned }: Kept): void {
  to.device.value = device;
  to.key.value = key;
  const corrects = to.form.dataset.typed !== undefined;
  if (scanned && !corrects) showScanned(to, device);
  else showGroups(to);
}

function showScanned({ form }: Shown, name: string): void {
  const label = form.querySelector<HTMLElement>('[data-scanned-name]');
  if (label) label.textContent = name;
  toggle(form, {
    '[data-scanned]': true,
    '[data-fields]': false,
    '[data-scan]': false,
    '[data-instead]': true,
  });
  form.querySelector<HTMLButtonElement>('button[type=submit]')?.focus();
}

function showTyped(to: Shown): void {
  toggle(to.form, {
    '[data-scanned]': false,
    '[data-fields]': true,
    '[data-scan]': 'mediaDevices' in navigator,
    '[data-instead]': false,
  });
  showGroups(to);
}

function toggle(form: HTMLElement, parts: Readonly<Record<string, boolean>>): void {
  for (const [selector, isShown] of Object.entries(parts)) {
    const part = form.querySelector<HTMLElement>(selector);
    if (part) part.hidden = !isShown;
  }
}

/** A key of ours in its groups, as it is printed. What is typed stays as it is: it may be the key of another maker. */
function showGroups({ form, key, words }: Shown): void {
  const groups = form.querySelector<HTMLElement>('[data-groups]');
  if (!groups) return;
  const letters = key.value
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toUpperCase();
  groups.hidden = !/^[A-HJKMNP-Z2-9]{4,16}$/.test(letters);
  groups.textContent = words.readAs.replace('{key}', () => letters.match(/.{1,4}/g)?.join('-') ?? '');
}

function say({ state }: Shown, text: string): void {
  state.hidden = text === '';
  state.textContent = text;
}

// ------------------------------------------------------------------------------------------------------- sending

/** Sends the form until there is an answer, and shows it. */
async function send(from: Shown): Promise<void> {
  turn += 1;
  const mine = turn;
  const button = from.form.querySelector<HTMLButtonElement>('button[type=submit]');
  if (button) button.disabled = true;
  say(from, from.words.claiming);
  const answer = await answered(from, new FormData(from.form), mine);
  if (mine !== turn) return;
  if (button) button.disabled = false;
  if (answer === undefined) say(from, from.words.gaveUp);
  else if (answer.type === 'elsewhere') leave(answer.to);
  else show(answer);
}

interface Refused {
  readonly type: 'refused';
  readonly main: Element;
  readonly title: string;
}

/** Elsewhere: claimed, or to be signed in first. */
type Answered = { readonly type: 'elsewhere'; readonly to: string } | Refused;

/** Asks again and again while the server cannot be reached: the form claims once, however often it is sent. */
async function answered(from: Shown, body: FormData, mine: number): Promise<Answered | undefined> {
  const until = performance.now() + AWAY_MS;
  for (let wait = 1000; performance.now() < until && mine === turn; wait = Math.min(2 * wait, RETRY_MAX_MS)) {
    const answer = await ask(body);
    if (answer !== undefined) return answer;
    say(from, navigator.onLine ? from.words.away : from.words.offline);
    await Promise.race([
      pause(wait),
      new Promise((resolve) => addEventListener('online', resolve, { once: true })),
    ]);
  }
  return undefined;
}

/** Undefined: no answer, or none of the claim page. */
async function ask(body: FormData): Promise<Answered | undefined> {
  try {
    const response = await fetch(new URL('../../claim', import.meta.url), { method: 'POST', body });
    if (response.redirected) return { type: 'elsewhere', to: response.url };
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    const main = page.querySelector('main');
    return response.status < 500 && main ? { type: 'refused', main, title: page.title } : undefined;
  } catch {
    return undefined;
  }
}

function leave(to: string): void {
  // Anywhere but to the sign-in page: it is claimed, or was before.
  const signIn = new URL('../../login', import.meta.url).pathname;
  if (!new URL(to).pathname.startsWith(signIn)) forgetClaim();
  location.assign(to);
}

/** Shows a refusal in place of what was there. */
function show({ main, title }: Refused): void {
  const old = find('main');
  if (old === null) throw new Error('the page has no content');
  old.replaceChildren(...Array.from(main.childNodes, (node) => document.importNode(node, true)));
  document.title = title;
  scrollTo(0, 0);
  begin();
  const waiting = find<HTMLElement>('[data-waiting]');
  if (waiting && shown) void waitFor(shown, waiting);
}

// ------------------------------------------------------------------------------------------------------- waiting

/** Waits in place of the person, until the device opens its window or the time is up. */
async function waitFor(from: Shown, box: HTMLElement): Promise<void> {
  turn += 1;
  const mine = turn;
  showWaiting(from, box, true);
  const stop = box.querySelector('button');
  stop?.addEventListener('click', () => {
    turn += 1;
    showWaiting(from, box, false);
    say(from, from.words.stopped);
  });
  // Whoever types something else wants to send that.
  for (const field of [from.device, from.key])
    field.addEventListener('input', () => stop?.click(), { once: true });
  say(from, from.words.waiting);
  const until = performance.now() + WAIT_MS;
  const ticks = setInterval(() => showLeft(from, box, until - performance.now()), 1000);
  showLeft(from, box, WAIT_MS);
  try {
    while (performance.now() < until && mine === turn) {
      const body = new FormData(from.form);
      body.set('wait', 'yes');
      const answer = await answered(from, body, mine);
      if (mine !== turn) return;
      if (answer?.type === 'elsewhere') return leave(answer.to);
      if (answer !== undefined && answer.main.querySelector('[data-waiting]') === null) return show(answer);
      renew(from, answer?.main);
      say(from, from.words.waiting);
      await pause(PAUSE_MS);
    }
  } finally {
    clearInterval(ticks);
  }
  if (mine !== turn) return;
  showWaiting(from, box, false);
  say(from, from.words.waitedInVain);
}

/** While the page waits, there is nothing to tap but to stop it. */
function showWaiting({ form }: Shown, box: HTMLElement, waits: boolean): void {
  box.hidden = !waits;
  toggle(form, { 'button[type=submit]': !waits });
  const byHand = find<HTMLElement>('[data-by-hand]');
  if (byHand) byHand.hidden = waits;
}

function showLeft({ words }: Shown, box: HTMLElement, leftMs: number): void {
  const bar = box.querySelector('progress');
  if (bar) bar.value = 1 - leftMs / WAIT_MS;
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  const left = box.querySelector('[data-left]');
  if (left) left.textContent = words.left.replace('{time}', () => time);
}

/** What was answered is answered: the next question has a name of its own. */
function renew({ form }: Shown, main: Element | undefined): void {
  const next = main?.querySelector<HTMLInputElement>('input[name=once]');
  const once = form.querySelector<HTMLInputElement>('input[name=once]');
  if (next && once) once.value = next.value;
}

// -------------------------------------------------------------------------------------------------------- labels

/** @param fragment of a label's link @returns whether it was one */
function takeLabel(fragment: string): boolean {
  const label = new URLSearchParams(fragment);
  const device = label.get('device');
  if (device === null || shown === undefined) return false;
  const kept = { device, key: label.get('key') ?? '', scanned: true };
  keepClaim(kept);
  turn += 1;
  delete shown.form.dataset.typed;
  fill(shown, kept);
  say(shown, shown.words.wasRead);
  return true;
}

// When a label is scanned while the page is open, only the fragment changes.
addEventListener('hashchange', () => {
  if (takeLabel(location.hash.slice(1))) history.replaceState(null, '', location.pathname + location.search);
});

async function openCamera(): Promise<void> {
  const scan = find<HTMLElement>('[data-scan]');
  if (!scan || shown === undefined) return;
  const { toggleCamera } = await import('./camera.ts');
  await toggleCamera(scan, shown.words, (text) => takeLabel(text.slice(text.indexOf('#') + 1)));
}

begin();

// An administrator's label leads straight to the page of the device.
const finder = find<HTMLFormElement>('form[data-find]');
const wanted = keptClaim()?.device;
const name = finder?.querySelector<HTMLInputElement>('#f-device');
if (finder && name && wanted !== undefined) {
  forgetClaim();
  if (name.value === '') {
    name.value = wanted;
    finder.requestSubmit();
  }
}
