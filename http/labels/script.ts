/**
 * A line of text as it is set: from left to right as one sees it, Arabic letters in the forms that join.
 *
 * A small part of the Unicode bidirectional algorithm (UAX #9), for a text without controls: letters, numbers, brackets and
 * what is between them. Arabic forms are those of the block of presentation forms (FB50 to FEFC), which the font has.
 */

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u;
const LETTER = /\p{L}/u;
const DIGIT = /\p{Nd}/u;
const MARK = /\p{M}/u;
/** Between two digits it belongs to the number. */
const IN_NUMBER = /[.,:/+-]/;
const MIRRORED = new Map(
  ['()', '[]', '{}', '<>', '«»'].flatMap(
    ([a = '', b = '']) =>
      [
        [a, b],
        [b, a],
      ] as const,
  ),
);

/** What a line of one line looks like from left to right. */
export function asSeen(text: string): string {
  const line = text.normalize('NFC');
  return linesOf(line)(0, line.length);
}

/**
 * The lines of a text as each looks from left to right, by where they begin and end. Which way a part runs is decided by the
 * whole text: a line of Latin letters in a Hebrew name stands in an order of its own.
 * @param text in the form NFC
 */
export function linesOf(text: string): (from: number, to: number) => string {
  if (!RIGHT_TO_LEFT.test(text)) return (from, to) => text.slice(from, to);
  const parts = clusters([...text]);
  const levels = levelsOf(parts).flatMap((level, at) => Array<number>((parts[at] ?? '').length).fill(level));
  return (from, to) => {
    const letters = joined(text.slice(from, to));
    const order: { part: string; level: number }[] = [];
    for (const { letter, at } of letters) {
      const before = order.at(-1);
      if (MARK.test(letter) && before !== undefined) before.part += letter;
      else order.push({ part: letter, level: levels[from + at] ?? 0 });
    }
    return reordered(order);
  };
}

/** Of the highest level first, each run is turned round (UAX #9, L2); brackets are mirrored (L4). */
function reordered(order: { readonly part: string; readonly level: number }[]): string {
  for (let level = Math.max(0, ...order.map((one) => one.level)); level > 0; level -= 1) {
    for (let from = 0; from < order.length; from += 1) {
      if ((order[from]?.level ?? 0) < level) continue;
      let to = from;
      while ((order[to]?.level ?? 0) >= level) to += 1;
      order.splice(from, to - from, ...order.slice(from, to).reverse());
      from = to;
    }
  }
  return order.map(({ part, level }) => (level % 2 === 1 ? (MIRRORED.get(part) ?? part) : part)).join('');
}

const ARABIC = /[\u0600-\u06ff]/;

/** The letters of `asSeen`, in the order of reading: as wide as they are set, and found much sooner. */
export function lettersOf(text: string): string {
  const line = text.normalize('NFC');
  return ARABIC.test(line)
    ? joined(line)
        .map(({ letter }) => letter)
        .join('')
    : line;
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

/** Letters, and lam with alef, → their forms: alone, at the end, at the beginning, in the middle; the last two may be missing. */
const FORMS = new Map<string, string[]>();
for (const [first, last] of [
  [0xfb50, 0xfbb1],
  [0xfbfc, 0xfbff],
  [0xfe80, 0xfefc],
] as const) {
  for (let code = first; code <= last; code += 1) {
    const form = String.fromCodePoint(code);
    const letters = form.normalize('NFKC');
    if (letters !== form) FORMS.set(letters, [...(FORMS.get(letters) ?? []), form]);
  }
}
const TATWEEL = '\u0640';
/** All four forms: such a letter joins the next one, too. */
const JOINS_BOTH = 4;

interface Letter {
  readonly letter: string;
  /** Where it is in the text, in UTF-16 units; two that became one are where the first was. */
  readonly at: number;
}

function joined(text: string): Letter[] {
  const letters = ligatures(text);
  const neighbour = (at: number, step: 1 | -1): string => {
    let near = at + step;
    while (MARK.test(letters[near]?.letter ?? '')) near += step;
    return letters[near]?.letter ?? '';
  };
  const reachesOn = (letter: string) => letter === TATWEEL || FORMS.get(letter)?.length === JOINS_BOTH;
  const canBeReached = (letter: string) => letter === TATWEEL || (FORMS.get(letter)?.length ?? 0) > 1;
  return letters.map(({ letter, at: place }, at) => {
    const forms = FORMS.get(letter);
    if (forms === undefined) return { letter, at: place };
    const behind = forms.length > 1 && reachesOn(neighbour(at, -1));
    const ahead = forms.length === JOINS_BOTH && canBeReached(neighbour(at, 1));
    return { letter: forms[(ahead ? 2 : 0) + (behind ? 1 : 0)] ?? letter, at: place };
  });
}

function ligatures(text: string): Letter[] {
  const made: Letter[] = [];
  let at = 0;
  for (const letter of text) {
    const before = made.at(-1);
    const pair = `${before?.letter ?? ''}${letter}`;
    if (before?.letter === '\u0644' && FORMS.has(pair))
      made[made.length - 1] = { letter: pair, at: before.at };
    else made.push({ letter, at });
    at += letter.length;
  }
  return made;
}
