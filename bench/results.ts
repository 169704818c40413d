/** Results as JSON lines: one line per repetition of a scenario, kept under a label, read again to compare and report. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Result } from './contract.ts';

const FOLDER = 'bench-results';
/** Where results go that were given no label: each run begins it anew. */
export const LAST = 'last';

/** A file, or the label of one. */
export function pathOf(labelOrFile: string): string {
  return labelOrFile.endsWith('.jsonl') ? labelOrFile : join(FOLDER, `${labelOrFile}.jsonl`);
}

export function startAnew(path: string): void {
  rmSync(path, { force: true });
}

export function write(path: string, result: Result): void {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify(result)}\n`);
}

/** Throws an error that is meant for people. */
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

/** Asked for something that can not be; the message is for people. */
export class Misuse extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Misuse';
  }
}
