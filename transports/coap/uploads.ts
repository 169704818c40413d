/**
 * Payloads that come in blocks (RFC 7959 §2.3, §2.5): one upload per peer, path and request tag.
 *
 * Not per token: a token belongs to one request, and clients (libcoap, aiocoap) take a new one for every block. Only a
 * device that has shown its access token can start one, so that memory is not for everybody to take; a device has at
 * most two, and of all of them the one that rested longest makes room for a new one.
 */
import type { Clock } from '../../actors/base/clock.ts';
import type { AuthenticatedDevice } from '../../actors/claiming/device-authentication.ts';
import type { PayloadFormat } from '../../actors/fleet/profiles.ts';
import { type Block, blockBytes } from './options.ts';

/** A device with the format of its payloads, which its profile says. */
export interface CoapDevice extends AuthenticatedDevice {
  readonly format: PayloadFormat;
}

/** What came of a block. */
export type Received =
  | { readonly type: 'continue' }
  | { readonly type: 'complete'; readonly device: CoapDevice; readonly payload: Buffer }
  /** Not the block that is due, or of an upload that is not known (any more): the client starts again. */
  | { readonly type: 'incomplete' }
  | { readonly type: 'too-large' };

interface Upload {
  readonly device: CoapDevice;
  buffer: Buffer;
  bytes: number;
  /** Where the block before started, which may come again when its answer was lost. */
  lastAt: number;
  touchedAt: number;
}

const UPLOADS_PER_DEVICE_MAX = 2;

export interface UploadLimits {
  readonly payloadBytesMax: number;
  readonly uploadsMax: number;
  readonly uploadIdleMs: number;
}

export class Uploads {
  readonly #limits: UploadLimits;
  readonly #clock: Clock;
  /** The one that rested longest first. */
  readonly #uploads = new Map<string, Upload>();

  constructor(limits: UploadLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get size(): number {
    return this.#uploads.size;
  }

  /** Block 0, of which there are more: what was there under this key is forgotten (§2.5). */
  begin(key: string, device: CoapDevice, payload: Buffer): Received {
    this.#uploads.delete(key);
    if (payload.length > this.#limits.payloadBytesMax) return { type: 'too-large' };
    this.#makeRoom(device);
    const buffer = Buffer.from(payload); // a copy: the datagram need not be kept
    this.#uploads.set(key, {
      device,
      buffer,
      bytes: payload.length,
      lastAt: 0,
      touchedAt: this.#clock.elapsed(),
    });
    return { type: 'continue' };
  }

  /** Any block but the first. Its payload has the length that goes with it. */
  append(key: string, block: Block, payload: Buffer): Received {
    const now = this.#clock.elapsed();
    const upload = this.#uploads.get(key);
    if (upload === undefined || this.#isStale(upload, now)) {
      this.#uploads.delete(key);
      return { type: 'incomplete' };
    }
    const at = block.number * blockBytes(block);
    if (block.more && isRepeated(upload, at, payload)) return { type: 'continue' };
    if (at !== upload.bytes) return { type: 'incomplete' };
    this.#uploads.delete(key);
    if (at + payload.length > this.#limits.payloadBytesMax) return { type: 'too-large' };
    write(upload, payload);
    if (!block.more) {
      return { type: 'complete', device: upload.device, payload: upload.buffer.subarray(0, upload.bytes) };
    }
    upload.lastAt = at;
    upload.touchedAt = now;
    this.#uploads.set(key, upload); // now the last in order
    return { type: 'continue' };
  }

  #makeRoom(device: CoapDevice): void {
    const now = this.#clock.elapsed();
    const own: string[] = [];
    for (const [key, upload] of this.#uploads) {
      if (this.#isStale(upload, now)) this.#uploads.delete(key);
      else if (upload.device.id === device.id) own.push(key);
    }
    const [oldestOwn] = own;
    if (oldestOwn !== undefined && own.length >= UPLOADS_PER_DEVICE_MAX) this.#uploads.delete(oldestOwn);
    const [oldest] = this.#uploads.keys();
    if (oldest !== undefined && this.#uploads.size >= this.#limits.uploadsMax) this.#uploads.delete(oldest);
  }

  #isStale(upload: Upload, now: number): boolean {
    return now - upload.touchedAt > this.#limits.uploadIdleMs;
  }
}

/** The last block once more, as a message of its own: its answer did not arrive. */
function isRepeated({ lastAt, bytes, buffer }: Upload, at: number, payload: Buffer): boolean {
  return at === lastAt && at + payload.length === bytes && buffer.subarray(at, bytes).equals(payload);
}

/** Appends, in a buffer that doubles: a client may send blocks of 16 bytes. */
function write(upload: Upload, payload: Buffer): void {
  const bytes = upload.bytes + payload.length;
  if (bytes > upload.buffer.length) {
    const larger = Buffer.alloc(Math.max(bytes, upload.buffer.length * 2));
    upload.buffer.copy(larger, 0, 0, upload.bytes);
    upload.buffer = larger;
  }
  payload.copy(upload.buffer, upload.bytes);
  upload.bytes = bytes;
}
