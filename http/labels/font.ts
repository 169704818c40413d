/**
 * The font of labels, read as far as lines are measured and set (TrueType: `cmap`, `head`, `hhea`, `hmtx`). It goes into each PDF
 * whole: that is 0.4 MB, and saves taking it apart.
 *
 * DejaVu Sans Condensed has Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic letters. It has no Chinese, Japanese
 * or Korean ones, nor those of India and Thailand.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export interface Font {
  readonly name: string;
  readonly bytes: Buffer;
  /** 0: it has none. */
  glyphOf(codePoint: number): number;
  /** In thousandths of the font's size. */
  widthOf(glyph: number): number;
  /** Likewise; the descent is below zero. */
  readonly ascent: number;
  readonly descent: number;
  readonly box: readonly number[];
}

let loaded: Font | undefined;

/** Read when the first label is made, and kept. */
export function labelFont(): Font {
  loaded ??= readFont(
    'DejaVuSansCondensed',
    readFileSync(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf')),
  );
  return loaded;
}

const UNICODE_FULL = 12;

/** @param name as PostScript knows it. Throws for a file that is no TrueType font with a table of all of Unicode. */
function readFont(name: string, bytes: Buffer): Font {
  const table = (tag: string): number => {
    for (let at = 12; at < 12 + bytes.readUInt16BE(4) * 16; at += 16) {
      if (bytes.toString('latin1', at, at + 4) === tag) return bytes.readUInt32BE(at + 8);
    }
    throw new Error(`the font has no table ${tag}`);
  };
  const head = table('head');
  const perThousand = 1000 / bytes.readUInt16BE(head + 18);
  const scaled = (at: number) => Math.round(bytes.readInt16BE(at) * perThousand);
  const hhea = table('hhea');
  const hmtx = table('hmtx');
  const measured = bytes.readUInt16BE(hhea + 34);
  const glyphs = readGlyphs(bytes, table('cmap'));
  return {
    name,
    bytes,
    glyphOf: (codePoint) => glyphs.get(codePoint) ?? 0,
    widthOf(glyph) {
      const at = hmtx + 4 * Math.min(glyph, measured - 1); // those after the last have its width
      return bytes.readUInt16BE(at) * perThousand;
    },
    ascent: scaled(hhea + 4),
    descent: scaled(hhea + 6),
    box: [36, 38, 40, 42].map((at) => scaled(head + at)),
  };
}

/** Code point → glyph, from the subtable of format 12. */
function readGlyphs(bytes: Buffer, cmap: number): ReadonlyMap<number, number> {
  const glyphs = new Map<number, number>();
  for (let nth = 0; nth < bytes.readUInt16BE(cmap + 2); nth += 1) {
    const at = cmap + bytes.readUInt32BE(cmap + 8 + nth * 8);
    if (bytes.readUInt16BE(at) !== UNICODE_FULL) continue;
    for (let group = 0; group < bytes.readUInt32BE(at + 12); group += 1) {
      const [first, last, glyph] = [16, 20, 24].map((field) => bytes.readUInt32BE(at + field + group * 12));
      if (first === undefined || last === undefined || glyph === undefined) continue;
      for (let code = first; code <= last; code += 1) glyphs.set(code, glyph + code - first);
    }
    return glyphs;
  }
  throw new Error('the font has no table of all of Unicode');
}
