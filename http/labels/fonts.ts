/**
 * The fonts of labels: which one has a letter, how letters join, stack and change places in it, and their outlines. HarfBuzz
 * (WebAssembly) does the shaping; a text of Latin, Greek or Cyrillic letters is set without it, as these stand side by side.
 *
 * The first font is DejaVu Sans Condensed: Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic letters. Behind it come
 * the operator's own in their order; for each letter the first that has it is taken.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Face, Font as HarfbuzzFont } from 'harfbuzzjs';
import type { Run } from './script.ts';

type Harfbuzz = typeof import('harfbuzzjs');

export interface FontFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A glyph in its place on a line. Lengths are in sizes of the font. */
export interface SetGlyph {
  /** Of which font, and which of it. */
  readonly id: number;
  /** From the beginning of this glyph to that of the next one. */
  readonly advance: number;
  /** From where it would stand to where it stands: marks are moved. */
  readonly x: number;
  readonly y: number;
  /** The letters that it alone stands for; undefined: several stand for them, or the other way round. */
  readonly text: string | undefined;
}

export interface LabelFonts {
  /** How wide a text is on one line. */
  measure(text: string): number;
  /** The glyphs of a line, from left to right. */
  set(runs: readonly Run[]): readonly SetGlyph[];
  /** Whether something of it is printed as a box: no font has a letter of it, or none has a letter together with its marks. */
  lacks(text: string): boolean;
  /** As an SVG path with y upwards, in thousandths of the font's size. */
  outlineOf(id: number): string;
  /** How wide it is by itself. */
  widthOf(id: number): number;
}

/** What is wrong with a file that is to be a font. */
export type FontFlaw = 'no-font' | 'cut-off' | 'no-letters' | 'no-outlines';

interface Loaded {
  readonly face: Face;
  readonly font: HarfbuzzFont;
}

let builtIn: Promise<LabelFonts> | undefined;

/** Without any of the operator's; read when the first label is made, and kept. */
export function builtInFonts(): Promise<LabelFonts> {
  builtIn ??= openFonts([], 'en').then(({ fonts }) => fonts);
  return builtIn;
}

/**
 * @param own the operator's; of a collection the first font is used
 * @param language whose forms of a letter are wanted, where a font has several: Chinese and Japanese share code points
 * @returns what is wrong with those that were left out, by their names
 */
export async function openFonts(
  own: readonly FontFile[],
  language: string,
): Promise<{ readonly fonts: LabelFonts; readonly leftOut: ReadonlyMap<string, FontFlaw> }> {
  const harfbuzz = await import('harfbuzzjs');
  const path = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf');
  const first = loaded(harfbuzz, readFileSync(path));
  if (typeof first === 'string') throw new Error(`DejaVu: ${first}`);
  const fonts = [first];
  const leftOut = new Map<string, FontFlaw>();
  for (const { name, bytes } of own) {
    const font = loaded(harfbuzz, bytes);
    if (typeof font === 'string') leftOut.set(name, font);
    else fonts.push(font);
  }
  return { fonts: createFonts(harfbuzz, fonts, language), leftOut };
}

function loaded({ Blob, Face, Font }: Harfbuzz, bytes: Buffer): Loaded | FontFlaw {
  const flaw = flawOf(bytes);
  if (flaw !== undefined) return flaw;
  const face = new Face(new Blob(bytes), 0);
  const letters = face.collectUnicodes();
  if (letters.length === 0) return 'no-letters';
  const font = new Font(face);
  return drawsSome(font, letters) ? { face, font } : 'no-outlines';
}

/** Letters of a font that are looked at, at most, before it is said to have no outlines. */
const LOOKED_AT_MAX = 500;
/** They are seen by what they do to others. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}]/u;
/** Good fonts draw nothing for some of these: spaces, and signs that only put one letter below another. */
const MAY_BE_BLANK = /[\p{Z}\p{Cf}\p{Mn}\u2800]/u;
const isSeen = (letter: string): boolean => !INVISIBLE.test(letter) && !MAY_BE_BLANK.test(letter);

/** Letters that are pictures (in colour, or of dots) have no outline, and would be left white. */
function drawsSome(font: HarfbuzzFont, letters: Uint32Array): boolean {
  let looks = 0;
  for (const code of letters) {
    if (!isSeen(String.fromCodePoint(code))) continue;
    if (draws(font, code)) return true;
    looks += 1;
    if (looks === LOOKED_AT_MAX) return false;
  }
  return false;
}

function draws(font: HarfbuzzFont, code: number): boolean {
  const glyph = font.nominalGlyph(code);
  return glyph !== undefined && font.glyphToPath(glyph) !== '';
}

const SINGLE = [0x00010000, 0x4f54544f /* OTTO */, 0x74727565 /* true */];
const COLLECTION = 0x74746366; /* ttcf */

/** Whether the file has the tables that its directory names, whole. What is in them HarfBuzz checks before it reads. */
function flawOf(bytes: Buffer): FontFlaw | undefined {
  if (bytes.length < 16) return 'no-font';
  const at = bytes.readUInt32BE(0) === COLLECTION ? bytes.readUInt32BE(12) : 0;
  if (at + 12 > bytes.length) return 'cut-off';
  if (!SINGLE.includes(bytes.readUInt32BE(at))) return 'no-font';
  const tables = bytes.readUInt16BE(at + 4);
  if (at + 12 + tables * 16 > bytes.length) return 'cut-off';
  for (let entry = at + 12; entry < at + 12 + tables * 16; entry += 16) {
    if (bytes.readUInt32BE(entry + 8) + bytes.readUInt32BE(entry + 12) > bytes.length) return 'cut-off';
  }
  return undefined;
}

/** Glyphs of one font, at most (they have two bytes). */
const GLYPHS_MAX = 65_536;
/** The glyph of DejaVu for what nobody has. */
const BOX = 0;
/** Texts whose widths are kept: a label is tried in several sizes, a width is the same in all. */
const KEPT_MAX = 2_000;
/** Letters of which it is kept whether a font has them, and outlines: what a few thousand labels need. */
const LETTERS_KEPT_MAX = 20_000;
const OUTLINES_KEPT_MAX = 4_000;
/** Letters that stand side by side, each for itself: without marks. */
const SIMPLE = /^(?:(?!\p{M})[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}])*$/u;

function createFonts(harfbuzz: Harfbuzz, fonts: readonly Loaded[], language: string): LabelFonts {
  const buffer = new harfbuzz.Buffer();
  const glyphs = new Map<string, SetGlyph>();
  const widths = new Map<string, number>();
  const outlines = new Map<number, string>();
  const fontAt = (at: number): Loaded => {
    const font = fonts[at];
    if (font === undefined) throw new RangeError(`there is no font ${at}`);
    return font;
  };
  const had = new Map<string, boolean>();

  /** Whether it is there and can be seen: a font in colour has letters without an outline. */
  function has(at: number, letter: string): boolean {
    const key = `${letter}${at}`;
    const known = had.get(key);
    if (known !== undefined) return known;
    const [{ font }, code] = [fontAt(at), codeOf(letter)];
    const found = isSeen(letter) ? draws(font, code) : font.nominalGlyph(code) !== undefined;
    return keep(had, LETTERS_KEPT_MAX, key, found);
  }

  /** The first font that has all of these letters; undefined: none has. */
  function fontFor(letters: string): number | undefined {
    const seen = [...letters].filter((letter) => !INVISIBLE.test(letter));
    const at = fonts.findIndex((_, nth) => seen.every((letter) => has(nth, letter)));
    return at === -1 ? undefined : at;
  }

  function widthOf(id: number): number {
    const { face, font } = fontAt(Math.floor(id / GLYPHS_MAX));
    return font.glyphHAdvance(id % GLYPHS_MAX) / face.upem;
  }

  /** A letter by itself. */
  function glyphOf(letter: string): SetGlyph {
    const known = glyphs.get(letter);
    if (known !== undefined) return known;
    const isInvisible = INVISIBLE.test(letter);
    const at = fontFor(letter);
    const code = codeOf(isInvisible ? ' ' : letter);
    const id = at === undefined ? BOX : at * GLYPHS_MAX + (fontAt(at).font.nominalGlyph(code) ?? 0);
    const made = { id, advance: isInvisible ? 0 : widthOf(id), x: 0, y: 0, text: letter };
    glyphs.set(letter, made);
    return made;
  }

  function shaped({ text, font: at }: Piece, toTheLeft: boolean): SetGlyph[] {
    const { face, font } = fontAt(at);
    buffer.reset();
    buffer.addText(text);
    buffer.guessSegmentProperties();
    buffer.setDirection(toTheLeft ? harfbuzz.Direction.RTL : harfbuzz.Direction.LTR);
    buffer.setLanguage(language);
    harfbuzz.shape(font, buffer);
    const infos = buffer.getGlyphInfos();
    const positions = buffer.getGlyphPositions();
    const texts = textsOf(
      text,
      infos.map(({ cluster }) => cluster),
    );
    return infos.map(({ codepoint }, nth) => {
      const { xAdvance = 0, xOffset = 0, yOffset = 0 } = positions[nth] ?? {};
      return {
        id: at * GLYPHS_MAX + codepoint,
        advance: xAdvance / face.upem,
        x: xOffset / face.upem,
        y: yOffset / face.upem,
        text: texts[nth],
      };
    });
  }

  function setRun({ text, toTheLeft }: Run): SetGlyph[] {
    if (!toTheLeft && SIMPLE.test(text)) return Array.from(text, glyphOf);
    const pieces = piecesOf(text, fontFor);
    return (toTheLeft ? pieces.reverse() : pieces).flatMap((piece) => shaped(piece, toTheLeft));
  }

  function measured(text: string): number {
    let width = 0;
    // Which way it runs makes no difference to how wide it is, but for how letters join.
    for (const { advance } of setRun({ text, toTheLeft: JOINING.test(text) })) width += advance;
    return width;
  }

  return {
    widthOf,
    set: (runs) => runs.flatMap(setRun),
    // As they are set: a mark is drawn by the font of its letter.
    lacks: (text) => (text.match(CLUSTERS) ?? []).some((letters) => fontFor(letters) === undefined),

    measure(text) {
      const known = widths.get(text);
      if (known !== undefined) return known;
      const width = measured(text);
      return keep(widths, KEPT_MAX, text, width);
    },

    outlineOf(id) {
      const known = outlines.get(id);
      if (known !== undefined) return known;
      const { face, font } = fontAt(Math.floor(id / GLYPHS_MAX));
      const scale = 1000 / face.upem;
      const outline = font
        .glyphToPath(id % GLYPHS_MAX)
        .replace(/-?\d+(?:\.\d+)?/g, (number) => String(Math.round(Number(number) * scale * 10) / 10));
      return keep(outlines, OUTLINES_KEPT_MAX, id, outline);
    },
  };
}

/** When it is full it begins anew. @returns the value */
function keep<Key, Value>(kept: Map<Key, Value>, most: number, key: Key, value: Value): Value {
  if (kept.size >= most) kept.clear();
  kept.set(key, value);
  return value;
}

const codeOf = (letter: string): number => letter.codePointAt(0) ?? 0;

/** Hebrew does not join, but is measured like Arabic, which may stand beside it. */
const JOINING = /[\u0590-\u08ff]/u;

/** For each glyph the letters that it stands for, where these are its own. @param clusters where its letters begin */
function textsOf(text: string, clusters: readonly number[]): (string | undefined)[] {
  const begins = [...new Set(clusters)].sort((a, b) => a - b);
  const ends = new Map(begins.map((begin, nth) => [begin, begins[nth + 1] ?? text.length]));
  const isAlone = (begin: number) => clusters.indexOf(begin) === clusters.lastIndexOf(begin);
  return clusters.map((begin) => (isAlone(begin) ? text.slice(begin, ends.get(begin)) : undefined));
}

interface Piece {
  readonly text: string;
  readonly font: number;
}

const SCRIPTS = [
  ...['Latin', 'Greek', 'Cyrillic', 'Armenian', 'Georgian', 'Hebrew', 'Arabic', 'Ethiopic', 'Tibetan'],
  ...['Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada', 'Malayalam'],
  ...['Sinhala', 'Thai', 'Lao', 'Myanmar', 'Khmer', 'Mongolian', 'Hangul', 'Han', 'Hiragana', 'Katakana'],
].map((name) => [name, new RegExp(`\\p{Script=${name}}`, 'u')] as const);
const SHARED = /[\p{Script=Common}\p{Script=Inherited}]/u;

/** Undefined: it goes with what is before it. */
function scriptOf(letter: string): string | undefined {
  if (SHARED.test(letter)) return undefined;
  return SCRIPTS.find(([, pattern]) => pattern.test(letter))?.[0] ?? 'other';
}

/**
 * A run in pieces of one script and one font. Where one font has all of a script's letters there, it is taken for all: a word
 * in two fonts would not join.
 */
function piecesOf(text: string, fontFor: (letters: string) => number | undefined): Piece[] {
  const stretches: { text: string; script: string | undefined }[] = [];
  for (const letters of text.match(CLUSTERS) ?? []) {
    const script = scriptOf([...letters][0] ?? '');
    const last = stretches.at(-1);
    if (last !== undefined && (script === undefined || script === last.script)) last.text += letters;
    else stretches.push({ text: letters, script });
  }
  return stretches.flatMap(({ text: stretch }) => {
    const font = fontFor(stretch);
    return font === undefined ? inSeveralFonts(stretch, fontFor) : [{ text: stretch, font }];
  });
}

function inSeveralFonts(text: string, fontFor: (letters: string) => number | undefined): Piece[] {
  const pieces: { text: string; font: number }[] = [];
  for (const letters of text.match(CLUSTERS) ?? []) {
    const font = fontFor(letters) ?? 0;
    const last = pieces.at(-1);
    if (last?.font === font) last.text += letters;
    else pieces.push({ text: letters, font });
  }
  return pieces;
}

/** A letter with its marks, and what a joiner or a sign for "no vowel" ties to it. */
const VIRAMA = '\\u094d\\u09cd\\u0a4d\\u0acd\\u0b4d\\u0bcd\\u0c4d\\u0ccd\\u0d4d\\u0dca\\u1039\\u17d2';
const JOINER = '\\u200c\\u200d';
/** What stays together where a text is taken apart. */
export const CLUSTERS = new RegExp(
  `\\P{M}[\\p{M}${JOINER}]*(?:(?<=[${VIRAMA}][${JOINER}]?)\\p{L}[\\p{M}${JOINER}]*)*|[\\p{M}${JOINER}]+`,
  'gu',
);
