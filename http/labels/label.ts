/**
 * What is on one label and where: the code on the left; name, key and address beside it, for whoever has to type. The key is
 * whole or is not there; a name that is too long is folded, printed smaller, and cut last. The code has both unchanged.
 */
import { encode } from 'uqr';
import { CLUSTERS, type LabelFonts, type SetGlyph } from './fonts.ts';
import { linesOf } from './script.ts';
import type { Stock } from './stocks.ts';

export interface Labelled {
  readonly name: string;
  readonly secretKey: string;
  /** What the code says. */
  readonly url: string;
  /** Where one claims by typing, such as `claim.example.org/claim`. */
  readonly address: string;
}

interface Line {
  /** Where it begins, and its baseline; from the label's upper left corner, in millimetres. */
  readonly x: number;
  readonly y: number;
  /** Millimetres. */
  readonly size: number;
  /** As it is read. */
  readonly text: string;
  /** From left to right as one sees it. */
  readonly glyphs: readonly SetGlyph[];
  readonly width: number;
}

interface Code {
  readonly x: number;
  readonly y: number;
  /** Of one module, in millimetres. */
  readonly module: number;
  readonly rows: readonly (readonly boolean[])[];
}

/** What whoever prints should know before. */
export type Flaw =
  /** Modules of the code are smaller than phones read well. */
  | 'fine-code'
  /** The end of the name is missing. */
  | 'name-cut'
  /** The key has no place. */
  | 'key-left-out'
  /** No font has some letters of the name. */
  | 'letters-missing';

export interface Drawn {
  readonly code: Code;
  readonly lines: readonly Line[];
  readonly flaws: readonly Flaw[];
}

const PT = 25.4 / 72;
/** White around a code, in modules (ISO/IEC 18004). */
const QUIET = 4;
/** Phones read smaller ones only when held very near. */
const MODULE_MIN = 0.25;
/** Of the width of a label. */
const CODE_MAX = 0.45;
const PADDING_MAX = 2.5;
const SIZES = {
  name: [11, 5],
  keyOnOneLine: [10, 7],
  key: [10, 4.5],
  addressOnOneLine: [7, 5],
  address: [7, 4],
} as const;
const STEP = 0.5;
const LINE_HEIGHT = 1.2;
/** Of lines with marks above and below letters, some in two storeys. */
const TALL_LINE_HEIGHT = 1.45;
/** Of the height of a label, for one line of it. */
const LINE_MAX = 0.24;

/** Undefined: the link is longer than any code holds. */
export function drawLabel(
  { name, secretKey, url, address }: Labelled,
  { label }: Pick<Stock, 'label'>,
  fonts: LabelFonts,
): Drawn | undefined {
  const padding = Math.min(PADDING_MAX, label.height * 0.07);
  const side = Math.min(label.height - 2 * padding, label.width * CODE_MAX);
  const code = codeOf(url, side);
  if (code === undefined) return undefined;
  const x = padding + side;
  const area = { width: label.width - x - padding, height: label.height - 2 * padding };
  const largest = (label.height * LINE_MAX) / PT;
  const fit = (text: string, [most, least]: readonly [number, number], linesMax: number, height: number) =>
    fitted(fonts, text, { most: Math.min(most, largest), least, linesMax, width: area.width, height });

  const onOneLine = fit(secretKey, SIZES.keyOnOneLine, 1, area.height * 0.5);
  const key = onOneLine.whole ? onOneLine : fit(secretKey, SIZES.key, 3, area.height * 0.5);
  const keyShown = secretKey !== '' && key.whole ? key : undefined;
  const lineOfAddress = fit(address, SIZES.addressOnOneLine, 1, area.height * 0.3);
  const addressed = lineOfAddress.whole ? lineOfAddress : fit(address, SIZES.address, 2, area.height * 0.3);
  const addressShown = addressed.whole ? addressed : undefined;
  const left = area.height - (keyShown?.height ?? 0) - (addressShown?.height ?? 0);
  const named = fit(name, SIZES.name, Number.POSITIVE_INFINITY, left);

  const flaws: Flaw[] = [];
  if (code.module < MODULE_MIN) flaws.push('fine-code');
  if (!named.whole) flaws.push('name-cut');
  if (secretKey !== '' && keyShown === undefined) flaws.push('key-left-out');
  if (fonts.lacks(name.normalize('NFC'))) flaws.push('letters-missing');
  const blocks = [named, keyShown, addressShown].flatMap((block) => block ?? []);
  let y = (label.height - blocks.reduce((sum, { height }) => sum + height, 0)) / 2;
  const lines: Line[] = [];
  for (const { size, lineHeight, texts } of blocks) {
    const above = size * (1 + (lineHeight - LINE_HEIGHT) / 2);
    for (const { text, glyphs } of texts) {
      const width = glyphs.reduce((sum, { advance }) => sum + advance, 0) * size;
      lines.push({ x, y: y + above, size, text, glyphs, width });
      y += size * lineHeight;
    }
  }
  const quiet = QUIET * code.module;
  return { code: { ...code, x: padding + quiet, y: (label.height - side) / 2 + quiet }, lines, flaws };
}

/**
 * Level M survives 15 % of damage, L 7 %; it is taken where M would be too fine. The pattern that is laid over the data is always
 * the same: to try all eight takes thirteen times as long, and readers do not mind.
 */
const MASK = 2;

function codeOf(url: string, side: number): Omit<Code, 'x' | 'y'> | undefined {
  const attempt = (ecc: 'L' | 'M') => {
    const { data, size } = encode(url, { ecc, border: 0, maskPattern: MASK, boostEcc: false });
    return { rows: data, module: side / (size + 2 * QUIET) };
  };
  try {
    const sturdy = attempt('M');
    return sturdy.module < MODULE_MIN ? attempt('L') : sturdy;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return onlyLow(() => attempt('L'));
  }
}

/** Level L holds a quarter more. */
function onlyLow<Made>(make: () => Made): Made | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

interface Fitted {
  readonly size: number;
  /** In sizes. */
  readonly lineHeight: number;
  /** Of all lines. */
  readonly height: number;
  readonly texts: readonly Pick<Line, 'text' | 'glyphs'>[];
  readonly whole: boolean;
}

interface Space {
  /** Points. */
  readonly most: number;
  readonly least: number;
  readonly linesMax: number;
  /** Millimetres. */
  readonly width: number;
  readonly height: number;
}

/** The text as large as it fits, on one line rather than on two; cut at the smallest size. */
function fitted(fonts: LabelFonts, written: string, { most, least, linesMax, width, height }: Space): Fitted {
  const text = written.normalize('NFC');
  const lineHeight = /\p{M}/u.test(text) ? TALL_LINE_HEIGHT : LINE_HEIGHT;
  const inSize = (points: number) => {
    const size = points * PT;
    const room = Math.max(1, Math.min(linesMax, Math.floor(height / (size * lineHeight) + 0.01)));
    return { size, ...folded(fonts, text, width / size, room) };
  };
  const steps = Math.max(0, Math.ceil((most - least) / STEP));
  const sizes = Array.from({ length: steps }, (_, nth) => most - nth * STEP);
  const tooLarge = longest(sizes, (some) => !inSize(some.at(-1) ?? least).whole);
  const { size, lines, whole } = inSize(sizes[tooLarge.length] ?? least);
  const places = placesOf(lines);
  const last = places.at(-1) ?? { from: 0, to: 0 };
  const cutOff = text.slice(last.from, last.to);
  const shown = whole ? text : `${text.slice(0, last.from)}${cut(fonts, cutOff, width / size)}`;
  const seen = linesOf(shown);
  const texts = places.map((place) => {
    const to = place === last && !whole ? shown.length : place.to;
    return { text: shown.slice(place.from, to), glyphs: fonts.set(seen(place.from, to)) };
  });
  return { size, lineHeight, height: texts.length * size * lineHeight, texts, whole };
}

/** Where the lines are in their text, without the spaces around them. */
function placesOf(lines: readonly string[]): { readonly from: number; readonly to: number }[] {
  let begin = 0;
  return lines.map((line) => {
    const from = begin + line.length - line.trimStart().length;
    begin += line.length;
    return { from, to: Math.max(from, begin - (line.length - line.trimEnd().length)) };
  });
}

/** Where a line may end: behind spaces and hyphens, */
const PIECES = /[^\s-]*[\s-]?/gu;
/** and in scripts that have no spaces between words, behind words, as ICU's dictionaries have them. */
const WITHOUT_SPACES =
  /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const words = new Intl.Segmenter(undefined, { granularity: 'word' });

function piecesOf(text: string): string[] {
  if (WITHOUT_SPACES.test(text)) return Array.from(words.segment(text), ({ segment }) => segment);
  return text.match(PIECES)?.filter((piece) => piece !== '') ?? [];
}

/** As many lines as there is room for, with the spaces at their ends. @param width in sizes of the font */
function folded(fonts: LabelFonts, text: string, width: number, room: number) {
  const lines: string[] = [];
  const fits = (some: readonly string[]) => fonts.measure(some.join('').trimEnd()) <= width;
  let pieces: readonly string[] = piecesOf(text);
  while (pieces.length > 0 && lines.length < room) {
    const together = longest(pieces, fits);
    if (together.length > 0) {
      lines.push(together.join(''));
      pieces = pieces.slice(together.length);
      continue;
    }
    const [piece = '', ...others] = pieces;
    const letters = piece.match(CLUSTERS) ?? [];
    const most = longest(letters, fits).length || 1;
    lines.push(letters.slice(0, most).join(''));
    const rest = letters.slice(most).join('');
    pieces = rest === '' ? others : [rest, ...others];
  }
  const isWhole = pieces.length === 0;
  return { lines: lines.length === 0 ? [''] : lines, whole: isWhole };
}

function cut(fonts: LabelFonts, line: string, width: number): string {
  const fits = (some: readonly string[]) => fonts.measure(`${some.join('')}…`) <= width;
  return `${longest(line.match(CLUSTERS) ?? [], fits).join('')}…`;
}

/**
 * The longest beginning that fits. Each look sets the text anew, as letters have other forms and places in a longer one; so
 * looks are doubled and then halved, and not made for each item.
 */
function longest<Item>(items: readonly Item[], fits: (some: readonly Item[]) => boolean): readonly Item[] {
  let good = 0;
  let bad = 1;
  while (bad <= items.length && fits(items.slice(0, bad))) [good, bad] = [bad, bad * 2];
  bad = Math.min(bad, items.length + 1);
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (fits(items.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return items.slice(0, good);
}
