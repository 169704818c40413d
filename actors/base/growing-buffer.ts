/**
 * Bytes that come in pieces, in one buffer that grows with what has come. Kept as they are, pieces of one byte would take two hundred
 * each, and whoever sends decides how large they are.
 */
export interface GrowingBuffer {
  readonly length: number;
  add(piece: Uint8Array): void;
  /** All that has come. Nothing may be added any more. */
  bytes(): Buffer;
}

const FIRST_BYTES = 256;

/** @param most no more than so many will come */
export function createGrowingBuffer(most = Number.POSITIVE_INFINITY): GrowingBuffer {
  let buffer = Buffer.alloc(0);
  let have = 0;
  return {
    get length() {
      return have;
    },
    add(piece) {
      const needed = have + piece.length;
      if (needed > buffer.length) {
        const doubled = Math.min(Math.max(FIRST_BYTES, 2 * buffer.length), most);
        const larger = Buffer.allocUnsafe(Math.max(needed, doubled));
        buffer.copy(larger, 0, 0, have);
        buffer = larger;
      }
      buffer.set(piece, have);
      have = needed;
    },
    bytes: () => buffer.subarray(0, have),
  };
}

/** All of a stream; null: there is nothing. */
export async function bytesOf(stream: AsyncIterable<Uint8Array> | null, most?: number): Promise<Buffer> {
  const gathered = createGrowingBuffer(most);
  for await (const piece of stream ?? []) gathered.add(piece);
  return gathered.bytes();
}
