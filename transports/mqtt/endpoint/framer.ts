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

  /** @param bytesMax largest packet, its fixed header included */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Takes the next chunk of the stream and appends the packets it completes to `packets`, each exactly one packet
   * long. A fault ends the stream: nothing more may be pushed.
   */
  push(chunk: Buffer, packets: Buffer[]): FramingFault | undefined {
    let at = 0;
    while (this.#partial !== undefined) {
      if (at === chunk.length) return undefined;
      const missing = packetLength(this.#partial, 0, this.#have);
      if (typeof missing === 'string') return missing;
      if (missing > this.#bytesMax) return 'too-large';
      // While the length itself is incomplete, go byte by byte: it may end anywhere.
      const want = missing === 0 ? 1 : Math.min(missing - this.#have, chunk.length - at);
      this.#keep(chunk, at, at + want, missing);
      at += want;
      this.#complete(packets);
    }
    while (at < chunk.length) {
      const length = packetLength(chunk, at, chunk.length);
      if (typeof length === 'string') return length;
      if (length > this.#bytesMax) return 'too-large';
      if (length === 0 || at + length > chunk.length) {
        this.#keep(chunk, at, chunk.length, length);
        return undefined;
      }
      packets.push(chunk.subarray(at, at + length));
      at += length;
    }
    return undefined;
  }

  #complete(packets: Buffer[]): void {
    if (this.#partial === undefined) return;
    const length = packetLength(this.#partial, 0, this.#have);
    if (length === this.#have) {
      packets.push(this.#partial.subarray(0, length));
      this.#partial = undefined;
      this.#have = 0;
    }
  }

  /** Copies a piece of the chunk behind what was kept before. */
  #keep(chunk: Buffer, from: number, to: number, length: number): void {
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
