/** Progress in one line of the terminal. Silent without a terminal. */
import type { WriteStream } from 'node:tty';
import type { PoolTick } from '../load/pool.ts';
import { percentileMs } from '../measure/histogram.ts';
import type { Look } from '../measure/watch.ts';
import { ms, percent, rate } from './format.ts';

const BAR_CELLS = 16;
const CLEAR_LINE = '\r\u001b[K';
const DIM = '\u001b[2m';
const CYAN = '\u001b[36m';
const RESET = '\u001b[0m';

export interface Live {
  phase(words: string): void;
  tick(title: string, tick: PoolTick, look?: Look): void;
  /** Removes the line. */
  clear(): void;
}

export const silent: Live = { phase() {}, tick() {}, clear() {} };

/** @param prefix the beginning of the line, e.g. the scenario */
export function liveOn(terminal: WriteStream, prefix: string): Live {
  const show = (text: string): void => {
    terminal.write(`${CLEAR_LINE}${cut(`${prefix}  ${text}`, terminal.columns ?? 80)}`);
  };
  return {
    phase: (words) => show(`${words} …`),
    tick: (title, tick, look) => show(tickLine(title, tick, look)),
    clear: () => {
      terminal.write(CLEAR_LINE);
    },
  };
}

export function tickLine(title: string, tick: PoolTick, look?: Look): string {
  const { right, refused, latency, progress, at } = tick;
  const done = Math.min(1, Math.max(0, progress));
  const bar = '█'.repeat(Math.round(done * BAR_CELLS)).padEnd(BAR_CELLS, '░');
  return [
    `${title} ${bar} ${percent(done)}`,
    at < 0 ? 'warming up' : '',
    `${rate((right * 1000) / Math.max(1, tick.ms))}/s`,
    `p50 ${ms(percentileMs(latency, 50))}`,
    `p99 ${ms(percentileMs(latency, 99))}`,
    refused > 0 ? `${refused} refused` : '',
    look === undefined ? '' : `server ${look.cores.toFixed(2)} cores ${look.rssMb.toFixed(0)} MB`,
  ]
    .filter(Boolean)
    .join('  ');
}

function cut(line: string, columns: number): string {
  const text = line.slice(0, columns - 1);
  const [head = '', ...rest] = text.split('  ');
  return `${CYAN}${head}${RESET}  ${rest.join('  ')}`.replace('warming up', `${DIM}warming up${RESET}`);
}
