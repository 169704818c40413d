/**
 * A line of text as it is set: from left to right as one sees it, Arabic letters in the forms that join.
 *
 * A small part of the Unicode bidirectional algorithm (UAX #9), for one line without controls: letters, numbers and what is
 * between them. Arabic forms are those of the block of presentation forms (FB50 to FEFC), which the font has.
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

/** What `text` looks like from left to right. */
export function asSeen(text: string): string {
  const line = text.normalize('NFC');
  if (!RIGHT_TO_LEFT.test(line)) return line;
  const parts = clusters(joined(line));
  const levels = levelsOf(parts);
  const order = parts.map((part, at) => ({ part, level: levels[at] ?? 0 }));
  for (let level = Math.max(...levels); level > 0; level -= 1) {
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
  return ARABIC.test(line) ? joined(line) : line;
}

/** Letters with the marks on them. */
function clusters(text: string): string[] {
  const parts: string[] = [];
  for (const letter of text) {
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
  const toTheRight = base === 'left' ? 2 : 0;
  const lastOf = nearest(directions, base);
  const nextOf = nearest(directions.toReversed(), base).toReversed();
  return parts.map((part, at) => {
    const own = directions[at];
    if (own === 'right') return toTheRight;
    if (own === 'left') return strong(part) === undefined ? 2 : 1;
    // What has no direction goes with its neighbours where these agree.
    const taken = lastOf[at] === nextOf[at] ? (lastOf[at] ?? base) : base;
    return taken === 'left' ? 1 : toTheRight;
  });
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

function joined(text: string): string {
  const letters = ligatures([...text]);
  const neighbour = (at: number, step: 1 | -1): string => {
    let near = at + step;
    while (MARK.test(letters[near] ?? '')) near += step;
    return letters[near] ?? '';
  };
  const reachesOn = (letter: string) => letter === TATWEEL || FORMS.get(letter)?.length === JOINS_BOTH;
  const canBeReached = (letter: string) => letter === TATWEEL || (FORMS.get(letter)?.length ?? 0) > 1;
  return letters
    .map((letter, at) => {
      const forms = FORMS.get(letter);
      if (forms === undefined) return letter;
      const behind = forms.length > 1 && reachesOn(neighbour(at, -1));
      const ahead = forms.length === JOINS_BOTH && canBeReached(neighbour(at, 1));
      return forms[(ahead ? 2 : 0) + (behind ? 1 : 0)] ?? letter;
    })
    .join('');
}

function ligatures(letters: readonly string[]): string[] {
  const made: string[] = [];
  for (const letter of letters) {
    const pair = `${made.at(-1) ?? ''}${letter}`;
    if (made.at(-1) === '\u0644' && FORMS.has(pair)) made[made.length - 1] = pair;
    else made.push(letter);
  }
  return made;
}
