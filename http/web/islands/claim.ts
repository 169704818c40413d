/** The claim page: takes the QR label's link into the form, and scans labels with the camera where the browser can. */

const form = document.querySelector<HTMLFormElement>('form[data-claim]');
const device = document.querySelector<HTMLInputElement>('#f-device');
const key = document.querySelector<HTMLInputElement>('#f-key');

/** The name and key of a label's link, wherever it was read. */
function fill(fragment: string): boolean {
  const link = new URLSearchParams(fragment);
  const name = link.get('device');
  if (name === null || device === null || key === null) return false;
  device.value = name;
  key.value = link.get('key') ?? '';
  const ready = document.querySelector<HTMLElement>('[data-ready]');
  const what = document.querySelector<HTMLElement>('[data-ready-name]');
  if (ready !== null && what !== null) {
    what.textContent = name;
    ready.hidden = false;
  }
  form?.querySelector<HTMLButtonElement>('button[type=submit]')?.focus();
  return true;
}

function takeKept(): void {
  const kept = sessionStorage.getItem('claim');
  // After a refusal the form has what was sent; the label is not filled in over it.
  if (kept !== null && form?.dataset.claim !== 'answered') fill(kept);
  sessionStorage.removeItem('claim');
}
takeKept();

// The same label scanned again while the page is open changes nothing but the fragment.
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
const told = scan?.querySelector<HTMLElement>('[role=status]');
if (scan && 'BarcodeDetector' in globalThis && 'mediaDevices' in navigator) scan.hidden = false;

start?.addEventListener('click', () => {
  void look().catch(() => {
    if (told) told.textContent = 'The camera can not be used. Type the name and the key instead.';
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
  if (told) told.textContent = 'Point the camera at the code on the label.';
  const detector = new BarcodeDetector({ formats: ['qr_code'] });
  const timer = setInterval(async () => {
    if (video.srcObject === null) return clearInterval(timer);
    const codes = await detector.detect(video).catch(() => []);
    for (const { rawValue } of codes) {
      if (!fill(rawValue.slice(rawValue.indexOf('#') + 1))) continue;
      clearInterval(timer);
      close();
      if (told) told.textContent = 'The label was read.';
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
