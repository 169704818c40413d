/** The disk as a yardstick: how long it takes to have a few bytes on it. No durable acknowledgement can be faster. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../numbers.ts';

const TIMES = 50;
const BYTES = Buffer.alloc(4096, 1);

/** The median time of a write of 4 KB and its fdatasync, where servers keep their data, in ms. */
export function diskFlushMs(): number {
  const folder = mkdtempSync(join(tmpdir(), 'claimd-bench-disk-'));
  const file = openSync(join(folder, 'file'), 'w');
  try {
    const each = Array.from({ length: TIMES }, (_, at) => {
      const since = performance.now();
      writeSync(file, BYTES, 0, BYTES.length, at * BYTES.length);
      fdatasyncSync(file);
      return performance.now() - since;
    });
    return Math.round(median(each) * 1000) / 1000;
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true, force: true });
  }
}
