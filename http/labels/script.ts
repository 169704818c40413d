/**
 * In which order the parts of a line are set: from left to right as one sees it.
 *
 * A small part of the Unicode bidirectional algorithm (UAX #9), for a text without controls: letters, numbers, brackets and
 * what is between them. How letters join, stack and change places within a part is the font's business (`fonts.ts`).
 */

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u;
const LETTER = /\p{L}/u;
const DIGIT = /\p{Nd}/u;
const MARK = /\p{M}/u;
/** Between two digits it belongs to the number. */
const IN_NUMBER = /[.,:/+-]/;

/** A part of a line that runs one way, as it is written. */
export interface Run {
  readonly text: string;
  readonly toTheLeft: boolean;
}

/**
 * The lines of a text, by where they begin and end: their runs from left to right. Which way a part runs is decided by the
 * whole text: a line of Latin letters in a Hebrew name stands in an order of its own.
 * @param text in the form NFC
 */
export function linesOf(text: string): (from: number, to: number) => readonly Run[] {
  if (!RIGHT_TO_LEFT.test(text)) return (from, to) => [{ text: text.slice(from, to), toTheLeft: false }];
  const parts = clusters([...text]);
  const levels = levelsOf(parts).flatMap((level, at) => Array<number>((parts[at] ?? '').length).fill(level));
  return (from, to) => {
    const runs: { text: string; level: number }[] = [];
    for (let at = from; at < to; at += 1) {
      const letter = text[at] ?? '';
      const level = levels[at] ?? 0;
      const last = runs.at(-1);
      if (last?.level === level) last.text += letter;
      else runs.push({ text: letter, level });
    }
    return reordered(runs);
  };
}

/** Of the highest level first, each stretch is turned round (UAX #9, L2). */
function reordered(order: { readonly text: string; readonly level: number }[]): Run[] {
  for (let level = Math.max(0, ...order.map((one) => one.level)); level > 0; level -= 1) {
    for (let from = 0; from < order.length; from += 1) {
      if ((order[from]?.level ?? 0) < level) continue;
      let to = from;
      while ((order[to]?.level ?? 0) >= level) to += 1;
      order.splice(from, to - from, ...order.slice(from, to).reverse());
      from = to;
    }
  }
  return order.map(({ text, level }) => ({ text, toTheLeft: level % 2 === 1 }));
}

/** Letters with the marks on them. */
function clusters(letters: readonly string[]): string[] {
  const parts: string[] = [];
  for (const letter of letters) {
    if (MARK.test(letter) && parts.length > 0) parts[parts.length - 1] += letter;
    else parts.push(letter);
  }
  return parts;
}

type Direction = 'left' | 'right';

/** Even levels run to the right. */
function levelsOf(parts: readonly string[]): number[] {
  const strong = (part: string | undefined): Direction | undefined => {
    if (part === undefined || DIGIT.test(part)) return undefined;
    if (RIGHT_TO_LEFT.test(part)) return 'left';
    return LETTER.test(part) ? 'right' : undefined;
  };
  const base = parts.map(strong).find((direction) => direction !== undefined) ?? 'right';
  const isNumber = (at: number): boolean => {
    const part = parts[at];
    if (part === undefined) return false;
    if (DIGIT.test(part)) return true;
    return IN_NUMBER.test(part) && DIGIT.test(parts[at - 1] ?? '') && DIGIT.test(parts[at + 1] ?? '');
  };
  // Numbers belong to the letters before them: behind Latin ones they run on with these, else they are a piece of their own.
  const directions: (Direction | undefined)[] = [];
  let before = base;
  for (const [at, part] of parts.entries()) {
    before = strong(part) ?? before;
    directions.push(strong(part) ?? (isNumber(at) ? before : undefined));
  }
  const known = withBrackets(parts, directions, base);
  const toTheRight = base === 'left' ? 2 : 0;
  const lastOf = nearest(known, base);
  const nextOf = nearest(known.toReversed(), base).toReversed();
  return parts.map((_, at) => {
    const own = known[at];
    if (own === 'right') return toTheRight;
    if (own === 'left') return isNumber(at) ? 2 : 1;
    // What has no direction goes with its neighbours where these agree.
    const taken = lastOf[at] === nextOf[at] ? (lastOf[at] ?? base) : base;
    return taken === 'left' ? 1 : toTheRight;
  });
}

const OPENING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Two brackets that belong together run the same way (UAX #9, bracket pairs): as what is in them, if it runs as the line does. */
function withBrackets(
  parts: readonly string[],
  directions: readonly (Direction | undefined)[],
  base: Direction,
): (Direction | undefined)[] {
  const known = [...directions];
  for (const [open, close] of pairsOf(parts)) {
    const inside = known.slice(open + 1, close).filter((direction) => direction !== undefined);
    if (inside.length === 0) continue;
    const before = known.slice(0, open).findLast((direction) => direction !== undefined) ?? base;
    const direction = inside.includes(base) ? base : before;
    known[open] = direction;
    known[close] = direction;
  }
  return known;
}

/** In the order in which they open. */
function pairsOf(parts: readonly string[]): (readonly [open: number, close: number])[] {
  const waiting: number[] = [];
  const pairs: (readonly [number, number])[] = [];
  for (const [at, part] of parts.entries()) {
    if (Object.hasOwn(OPENING, part)) waiting.push(at);
    const nth = waiting.findLastIndex((open) => OPENING[parts[open] ?? ''] === part);
    const open = waiting[nth];
    if (open === undefined) continue;
    pairs.push([open, at]);
    waiting.length = nth; // what opened in between closes nowhere
  }
  return pairs.sort(([a], [b]) => a - b);
}

/** For each place the direction that was known last, in one pass: names may be long. */
function nearest(directions: readonly (Direction | undefined)[], base: Direction): Direction[] {
  let last = base;
  return directions.map((direction) => {
    last = direction ?? last;
    return last;
  });
}
