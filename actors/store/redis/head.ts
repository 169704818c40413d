/** A head as text, as the scripts write it: `<sequence> <alarm|-> <held|->\n<state>`. */
import type { Head } from '../../journal/journal.ts';

/** What a stream or entity holds in the indexes, as its head says. */
export interface HeldEntries {
  /** Unique keys, each with the attempt under which it was taken. */
  readonly keys: ReadonlyMap<string, string>;
  /** `list\0member` */
  readonly members: ReadonlySet<string>;
}

/** A head without its state. */
export interface Mark {
  readonly sequence: string;
  readonly held: HeldEntries;
}

export function parseHead(text: string): Head {
  return {
    sequence: Number(text.slice(0, text.indexOf(' '))),
    state: text.slice(text.indexOf('\n') + 1),
  };
}

/** @param text undefined: there is no head */
export function parseMark(text = '0 - -\n'): Mark {
  const [sequence = '', , ...held] = text.slice(0, text.indexOf('\n')).split(' ');
  return { sequence, held: parseHeld(held.join(' ')) };
}

export function parseDetails(text: string): string {
  return text.slice(text.indexOf(' ') + 1);
}

export function parseHeld(text: string): HeldEntries {
  if (text === '-') return { keys: new Map(), members: new Set() };
  const { k, m }: { k: { [key: string]: string }; m: { [member: string]: 1 } } = JSON.parse(text);
  return { keys: new Map(Object.entries(k)), members: new Set(Object.keys(m)) };
}
