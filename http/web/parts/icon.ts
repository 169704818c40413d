/** The mark of `mark.tsx` as a PNG (RFC 2083) of any size, white on the operator's colour: phones take no SVG as an icon. */
import { deflateSync } from 'node:zlib';

/** Points looked at in each direction of a pixel, for smooth edges. */
const SAMPLES = 3;
/** How much of the icon's width the mark takes: what is round in a mask must not be cut. */
const SHARE = 0.56;

/** @param accent `#rrggbb` */
export function iconPng(size: number, accent: string): Buffer {
  const ground = [1, 3, 5].map((at) => Number.parseInt(accent.slice(at, at + 2), 16));
  const rows = Buffer.alloc(size * (1 + 3 * size));
  for (let y = 0; y < size; y += 1) {
    const row = y * (1 + 3 * size) + 1; // a byte before each row says that it is not filtered
    for (let x = 0; x < size; x += 1) {
      const share = coverage(x, y, size);
      for (const [channel, value] of ground.entries())
        rows[row + 3 * x + channel] = Math.round(value + (255 - value) * share);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** How much of a pixel the mark covers. */
function coverage(x: number, y: number, size: number): number {
  let inside = 0;
  for (let at = 0; at < SAMPLES * SAMPLES; at += 1) {
    const [dx, dy] = [(at % SAMPLES) + 0.5, Math.floor(at / SAMPLES) + 0.5];
    const scale = 32 / (size * SHARE);
    if (isMark((x + dx / SAMPLES - size / 2) * scale, (y + dy / SAMPLES - size / 2) * scale)) inside += 1;
  }
  return inside / (SAMPLES * SAMPLES);
}

/** Whether a point belongs to the mark, in its own units from its middle: a dot, and a ring with a gap and round ends. */
function isMark(x: number, y: number): boolean {
  const distance = Math.hypot(x, y);
  if (distance <= 5) return true;
  if (Math.hypot(x - 9, y + 8.5) <= 2 || Math.hypot(x - 12.5, y) <= 2) return true;
  const inGap = y < 0 && x > 0 && Math.atan2(-y, x) < Math.atan2(8.5, 9);
  return Math.abs(distance - 12.5) <= 2 && !inGap;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crcOf(body), body.length + 4);
  return framed;
}

/** CRC-32 as PNG has it. */
function crcOf(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
