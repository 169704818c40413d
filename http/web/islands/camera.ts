/** The camera of the claim page, loaded when somebody wants it: reads a label's code where the browser can. */
import type { ClaimScriptWords } from '../pages/claim-words.ts';

// Missing in TypeScript's DOM types: https://wicg.github.io/shape-detection-api/#barcode-detection-api
interface Detected {
  readonly rawValue: string;
}
interface Detector {
  detect(source: HTMLVideoElement): Promise<readonly Detected[]>;
}
declare const BarcodeDetector: { new (options: { formats: string[] }): Detector } | undefined;

/** The text of the code in the picture; undefined where there is none. */
type Read = (video: HTMLVideoElement) => Promise<string | undefined>;

const LOOK_EVERY_MS = 200;
const FOREIGN_MAX = 60;

/** Opens the camera, or closes it. @param take gets each text that is read, and says whether it was a label's */
export async function toggleCamera(
  scan: HTMLElement,
  words: ClaimScriptWords,
  take: (text: string) => boolean,
): Promise<void> {
  const [button, video] = [scan.querySelector('button'), scan.querySelector('video')];
  const message = scan.querySelector<HTMLElement>('[role=status]');
  if (!button || !video || !message) return;
  if (video.srcObject !== null) return close(video, button, words);
  try {
    message.textContent = words.loading;
    const [read, stream] = await Promise.all([
      reader(),
      navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }),
    ]);
    video.srcObject = stream;
    video.hidden = false;
    button.textContent = words.stopCamera;
    await video.play();
    message.textContent = words.point;
    await look(video, read, (text) => {
      if (take(text)) return true;
      message.textContent = words.foreign.replace('{text}', () => text.slice(0, FOREIGN_MAX));
      return false;
    });
    message.textContent = '';
    close(video, button, words);
  } catch {
    close(video, button, words);
    message.textContent = words.noCamera;
  }
}

/** Until a text was taken, or the camera is closed. */
async function look(video: HTMLVideoElement, read: Read, take: (text: string) => boolean): Promise<void> {
  let last: string | undefined;
  while (video.srcObject !== null) {
    const text = await read(video);
    if (text !== undefined && text !== last && take(text)) return;
    last = text ?? last;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** The browser's own reader; in iPhones and Firefox, which have none, ours is loaded. */
async function reader(): Promise<Read> {
  if (typeof BarcodeDetector === 'undefined') return ourReader();
  const detector = new BarcodeDetector({ formats: ['qr_code'] });
  return async (video) => (await detector.detect(video).catch(() => []))[0]?.rawValue;
}

/** Larger pictures take longer, and a label that fills a tenth of this one is read. */
const SIDE_MAX = 800;

async function ourReader(): Promise<Read> {
  const { decodeQR } = await import('qr/decode.js');
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('this browser draws no pictures');
  return async (video) => {
    const scale = Math.min(1, SIDE_MAX / Math.max(video.videoWidth, video.videoHeight, 1));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    if (canvas.width === 0 || canvas.height === 0) return undefined;
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    try {
      return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      return undefined; // no code in this picture
    }
  };
}

function close(video: HTMLVideoElement, button: HTMLButtonElement, words: ClaimScriptWords): void {
  const stream = video.srcObject;
  if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
  video.srcObject = null;
  video.hidden = true;
  button.textContent = words.scan;
}
