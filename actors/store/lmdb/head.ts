/**
 * The head of a stream or an entity as text: "<sequence> <alarmAt|-> <state>". A stream's details are text of their own:
 * "<sequence of the append that wrote them> <details>".
 */
import type { Head } from '../../journal/journal.ts';
import type { Tables } from './tables.ts';

export function headText(sequence: number, alarmAt: number | null, state: string): string {
  return `${sequence} ${alarmAt ?? '-'} ${state}`;
}

export function parseHead(text: string): Head {
  const first = text.indexOf(' ');
  const second = text.indexOf(' ', first + 1);
  return { sequence: Number(text.slice(0, first)), state: text.slice(second + 1) };
}

export function detailsText(sequence: number, details: string): string {
  return `${sequence} ${details}`;
}

export function parseDetails(text: string): string {
  return text.slice(text.indexOf(' ') + 1);
}

/** What stands in front of a head's state. */
export interface Mark {
  readonly sequence: number;
  readonly alarmAt: number | null;
}

const SPACE = 0x20;
const DASH = 0x2d;

/** Reads sequence and alarm off the first bytes of a head. A write needs no more, and decoding all of it costs more. */
export function readMark(heads: Tables['heads'], name: string): Mark | undefined {
  const bytes = heads.getBinaryFast(name);
  if (bytes === undefined) return undefined;
  let alarmFrom = 1;
  while (bytes[alarmFrom - 1] !== SPACE) alarmFrom += 1;
  const alarmAt = bytes[alarmFrom] === DASH ? null : numberAt(bytes, alarmFrom);
  return { sequence: numberAt(bytes, 0), alarmAt };
}

/** Reads the number in front of a stream's details likewise. */
export function readSequence(details: Tables['details'], name: string): number | undefined {
  const bytes = details.getBinaryFast(name);
  return bytes === undefined ? undefined : numberAt(bytes, 0);
}

/** The whole number whose digits begin at `from` and end before a space. */
function numberAt(bytes: Buffer, from: number): number {
  let value = 0;
  for (let at = from; bytes[at] !== SPACE; at += 1) value = value * 10 + ((bytes[at] ?? 0) - 0x30);
  return value;
}
