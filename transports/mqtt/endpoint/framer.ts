/**
 * Cuts a stream of bytes into MQTT packets, and refuses a packet that is too large before its body is kept.
 *
 * Only the fixed header is looked at (section 2.2: one byte of type and flags, one to four of remaining length). A
 * packet that lies whole within one chunk, as nearly all do, is not copied. What is left over at the end of a chunk is
 * collected in a buffer that grows with what has arrived, never with the announced length.
 */

export type FramingFault = 'malformed' | 'too-large';

const FIRST_BYTES = 256;
const REMAINING_LENGTH_BYTES_MAX = 4;

export class Framer {
  readonly #bytesMax: number;
  /** The beginning of a packet, in the first `#have` bytes. */
  #partial: Buffer | undefined;
  #have = 0;
  /** What came last, and how far it is used up. */
  #chunk: Buffer | undefined;
  #at = 0;

  /** @param bytesMax largest packet, its fixed header included */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Takes the next chunk of the stream. Only when `next` has found nothing more in the last one. */
  feed(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * The next packet, exactly as long as it is; undefined when the rest of it has not come yet. A fault ends the stream: nothing
   * more may be asked for.
   */
  next(): Buffer | FramingFault | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined) return undefined;
    if (this.#partial !== undefined) return this.#nextOfPartial(chunk, this.#partial);
    if (this.#at === chunk.length) return this.#usedUp();
    const at = this.#at;
    const length = packetLength(chunk, at, chunk.length);
    if (typeof length === 'string') return length;
    if (length > this.#bytesMax) return 'too-large';
    if (length === 0 || at + length > chunk.length) {
      this.#keep(chunk, at, chunk.length, length);
      return this.#usedUp();
    }
    this.#at = at + length;
    return chunk.subarray(at, at + length);
  }

  #nextOfPartial(chunk: Buffer, begun: Buffer): Buffer | FramingFault | undefined {
    let partial = begun;
    for (;;) {
      const length = packetLength(partial, 0, this.#have);
      if (typeof length === 'string') return length;
      if (length > this.#bytesMax) return 'too-large';
      if (length === this.#have) {
        this.#partial = undefined;
        this.#have = 0;
        return partial.subarray(0, length);
      }
      if (this.#at === chunk.length) return this.#usedUp();
      // While the length itself is incomplete, go byte by byte: it may end anywhere.
      const want = length === 0 ? 1 : Math.min(length - this.#have, chunk.length - this.#at);
      partial = this.#keep(chunk, this.#at, this.#at + want, length);
      this.#at += want;
    }
  }

  #usedUp(): undefined {
    this.#chunk = undefined;
  }

  /** Copies a piece of the chunk behind what was kept before. */
  #keep(chunk: Buffer, from: number, to: number, length: number): Buffer {
    const have = this.#have + to - from;
    let partial = this.#partial;
    if (partial === undefined || partial.length < have) {
      const doubled = Math.max(FIRST_BYTES, have, 2 * (partial?.length ?? 0));
      const larger = Buffer.allocUnsafe(length === 0 ? doubled : Math.max(have, Math.min(doubled, length)));
      partial?.copy(larger, 0, 0, this.#have);
      partial = larger;
    }
    chunk.copy(partial, this.#have, from, to);
    this.#partial = partial;
    this.#have = have;
    return partial;
  }
}

/** Length of the packet that begins at `start`, fixed header included; 0 while its length is not all there. */
function packetLength(bytes: Buffer, start: number, end: number): number | 'malformed' {
  let remaining = 0;
  let unit = 1;
  for (let digits = 1; digits <= REMAINING_LENGTH_BYTES_MAX; digits += 1) {
    const at = start + digits;
    if (at >= end) return 0;
    const digit = bytes[at] ?? 0;
    remaining += (digit & 0x7f) * unit;
    if (digit < 0x80) return 1 + digits + remaining;
    unit *= 0x80;
  }
  return 'malformed'; // a fifth byte of length (section 2.2.3)
}
