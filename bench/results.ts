/** Keeps results as JSON lines under a label: one line per repetition of a scenario. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Result } from './contract.ts';

const FOLDER = 'bench-results';
/** The label of results without one. Each run overwrites it. */
export const LAST = 'last';

/** A file, or the label of one. */
export function pathOf(labelOrFile: string): string {
  return labelOrFile.endsWith('.jsonl') ? labelOrFile : join(FOLDER, `${labelOrFile}.jsonl`);
}

export function clear(path: string): void {
  rmSync(path, { force: true });
}

export function write(path: string, result: Result): void {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify(result)}\n`);
}

/** Throws `Misuse` if there are none. */
export function read(labelOrFile: string): Result[] {
  const path = pathOf(labelOrFile);
  if (!existsSync(path)) throw new Misuse(`there are no results in ${path}`);
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line, at) => {
    const result: unknown = JSON.parse(line);
    if (typeof result !== 'object' || result === null || !('format' in result) || result.format !== 1) {
      throw new Misuse(`line ${at + 1} of ${path} is no result of this bench`);
    }
    return result as Result; // written by `write`
  });
}

/** A wrong command line. The message is for people. */
export class Misuse extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Misuse';
  }
}
