/** The claim page: fills the form from a label's link, and scans labels with the camera where the browser can. */

const form = document.querySelector<HTMLFormElement>('form[data-claim]');
const device = document.querySelector<HTMLInputElement>('#f-device');
const key = document.querySelector<HTMLInputElement>('#f-key');

/** Fills in name and key. @param fragment the fragment of a label's link @returns whether it was one */
function fill(fragment: string): boolean {
  const link = new URLSearchParams(fragment);
  const name = link.get('device');
  if (name === null || device === null || key === null) return false;
  device.value = name;
  key.value = link.get('key') ?? '';
  const ready = document.querySelector<HTMLElement>('[data-ready]');
  const readyName = document.querySelector<HTMLElement>('[data-ready-name]');
  if (ready !== null && readyName !== null) {
    readyName.textContent = name;
    ready.hidden = false;
  }
  form?.querySelector<HTMLButtonElement>('button[type=submit]')?.focus();
  return true;
}

/** The link that `page.ts` kept while the customer signed in. */
function takeKept(): void {
  const kept = sessionStorage.getItem('claim');
  // After a refusal the form shows what was sent, which stays.
  if (kept !== null && form?.dataset.claim !== 'answered') fill(kept);
  sessionStorage.removeItem('claim');
}
takeKept();

// When a label is scanned while the page is open, only the fragment changes.
addEventListener('hashchange', () => {
  if (fill(location.hash.slice(1))) history.replaceState(null, '', location.pathname + location.search);
});

const show = document.querySelector<HTMLInputElement>('[data-show-key]');
const showLabel = show?.closest<HTMLElement>('[hidden]');
if (showLabel) showLabel.hidden = false;
show?.addEventListener('change', () => {
  if (key !== null) key.type = show.checked ? 'text' : 'password';
});

// ------------------------------------------------------------------------------------------------------- camera

// Missing in TypeScript's DOM types: https://wicg.github.io/shape-detection-api/#barcode-detection-api
interface Detected {
  readonly rawValue: string;
}
interface Detector {
  detect(source: HTMLVideoElement): Promise<readonly Detected[]>;
}
declare const BarcodeDetector: { new (options: { formats: string[] }): Detector } | undefined;

const LOOK_EVERY_MS = 250;
const scan = document.querySelector<HTMLElement>('[data-scan]');
const start = scan?.querySelector('button');
const video = scan?.querySelector('video');
const message = scan?.querySelector<HTMLElement>('[role=status]');
if (scan && 'BarcodeDetector' in globalThis && 'mediaDevices' in navigator) scan.hidden = false;

start?.addEventListener('click', () => {
  void look().catch(() => {
    if (message) message.textContent = 'The camera cannot be used. Type the name and the key instead.';
  });
});

async function look(): Promise<void> {
  if (!video || !start || typeof BarcodeDetector === 'undefined') return;
  if (video.srcObject !== null) return close();
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  video.srcObject = stream;
  video.hidden = false;
  start.textContent = 'Stop the camera';
  await video.play();
  if (message) message.textContent = 'Point the camera at the code on the label.';
  const detector = new BarcodeDetector({ formats: ['qr_code'] });
  const timer = setInterval(async () => {
    if (video.srcObject === null) return clearInterval(timer);
    const codes = await detector.detect(video).catch(() => []);
    for (const { rawValue } of codes) {
      if (!fill(rawValue.slice(rawValue.indexOf('#') + 1))) continue;
      clearInterval(timer);
      close();
      if (message) message.textContent = 'The label was read.';
    }
  }, LOOK_EVERY_MS);
}

function close(): void {
  const stream = video?.srcObject;
  if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
  if (video) {
    video.srcObject = null;
    video.hidden = true;
  }
  if (start) start.textContent = 'Scan the label';
}

export {};
