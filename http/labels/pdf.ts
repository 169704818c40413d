/**
 * A PDF (ISO 32000-1) made page by page, as fast as it is read: nothing of a page is kept but where it is in the file.
 *
 * It can what labels need: texts in any font, and filled rectangles. Of the fonts the outlines of those glyphs go in that are used
 * (fonts of type 3): so a file is small however large its fonts are, of whichever kind, and no font of the operator's is handed on.
 */
import { promisify } from 'node:util';
import { deflate, deflateSync } from 'node:zlib';
import type { LabelFonts, SetGlyph } from './fonts.ts';
import { boxOf, operatorsOf } from './outlines.ts';
import { inTurns } from './turns.ts';

export interface PdfPage {
  /** In points, 1/72 inch. */
  readonly width: number;
  readonly height: number;
  /** Its content stream. */
  readonly content: string;
}

/** Lines as operators that show them, remembering which glyphs were used. */
export interface GlyphWriter {
  /** @param text what it says, for who searches and copies @param size points */
  show(text: string, glyphs: readonly SetGlyph[], size: number): string;
  used(): readonly SetGlyph[];
}

/** A font of type 3 has one byte for a glyph. */
const GLYPHS_PER_FONT = 256;

export function createGlyphWriter(fonts: Pick<LabelFonts, 'widthOf'>): GlyphWriter {
  const places = new Map<number, number>();
  const used: SetGlyph[] = [];
  const placeOf = (glyph: SetGlyph): number => {
    const known = places.get(glyph.id);
    if (known !== undefined) return known;
    const place = used.push(glyph) - 1;
    places.set(glyph.id, place);
    return place;
  };
  return {
    show(text, glyphs, size) {
      const shown = shownBy(glyphs, size, placeOf, (id) => fonts.widthOf(id));
      const read = glyphs.map((glyph) => used[placeOf(glyph)]?.text ?? '').join('');
      // Where letters change places, or one glyph stands for several in one word and not in another, the text is said beside it.
      return read === text ? shown : `/Span<</ActualText<feff${utf16(text)}>>>BDC\n${shown}\nEMC`;
    },
    used: () => used,
  };
}

/** Moves by what its own width does not say: in thousandths of the size, to the left. */
function shownBy(
  glyphs: readonly SetGlyph[],
  size: number,
  placeOf: (glyph: SetGlyph) => number,
  widthOf: (id: number) => number,
): string {
  const operators: string[] = [];
  let line = '';
  let [font, rise, move] = [-1, 0, 0];
  const end = () => {
    if (line !== '') operators.push(`[${line}]TJ`);
    line = '';
  };
  for (const glyph of glyphs) {
    const place = placeOf(glyph);
    if (Math.floor(place / GLYPHS_PER_FONT) !== font) {
      end();
      font = Math.floor(place / GLYPHS_PER_FONT);
      operators.push(`/F${font} ${short(size)} Tf`);
    }
    if (glyph.y !== rise) {
      end();
      rise = glyph.y;
      operators.push(`${short(rise * size)} Ts`);
    }
    move -= glyph.x * 1000;
    if (Math.abs(move) >= 0.5) line += Math.round(move);
    line += `<${hex(place % GLYPHS_PER_FONT)}>`;
    move =
      (glyph.x + widthOf(glyph.id) - glyph.advance) * 1000 +
      (Math.abs(move) >= 0.5 ? move - Math.round(move) : move);
  }
  end();
  if (rise !== 0) operators.push('0 Ts');
  return operators.join('\n').replaceAll('><', '');
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
const utf16 = (text: string): string => Buffer.from(text, 'utf16le').swap16().toString('hex');

const [CATALOG, PAGES, RESOURCES, FIRST_FREE] = [1, 2, 3, 4] as const;
const compressed = promisify(deflate);

/** @param pages may use what was written with `glyphs` */
export async function* pdfOf(
  pages: AsyncIterable<PdfPage>,
  fonts: Pick<LabelFonts, 'widthOf' | 'outlineOf'>,
  glyphs: GlyphWriter,
): AsyncGenerator<Uint8Array> {
  const offsets: number[] = [];
  let written = 0;
  let next: number = FIRST_FREE;
  const kids: number[] = [];
  const out = (...parts: readonly (string | Buffer)[]): Buffer => {
    const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
    written += bytes.length;
    return bytes;
  };
  const object = (number: number, ...body: readonly (string | Buffer)[]): Buffer => {
    offsets[number] = written;
    return out(`${number} 0 obj\n`, ...body, '\nendobj\n');
  };
  const streamOf = (number: number, bytes: Buffer): Buffer =>
    object(number, `<</Length ${bytes.length}/Filter/FlateDecode>>\nstream\n`, bytes, '\nendstream');
  const stream = async (number: number, content: string) => streamOf(number, await compressed(content));

  yield out('%PDF-1.7\n', Buffer.from([0x25, 0xe2, 0xe3, 0xcf, 0xd3, 0x0a]));
  for await (const { width, height, content } of pages) {
    const [page, text] = [next, next + 1];
    next += 2;
    kids.push(page);
    const box = `/MediaBox[0 0 ${short(width)} ${short(height)}]`;
    yield object(
      page,
      `<</Type/Page/Parent ${PAGES} 0 R${box}/Resources ${RESOURCES} 0 R/Contents ${text} 0 R>>`,
    );
    yield await stream(text, content);
  }
  const names: string[] = [];
  const all = glyphs.used();
  for (let from = 0; from < all.length; from += GLYPHS_PER_FONT) {
    const some = all.slice(from, from + GLYPHS_PER_FONT);
    const [font, toUnicode, first] = [next, next + 1, next + 2];
    next = first + some.length;
    names.push(`/F${names.length} ${font} 0 R`);
    yield object(font, fontOf(some, fonts, first, toUnicode));
    yield await stream(toUnicode, toUnicodeOf(some));
    for await (const [at, { id }] of inTurns(some.entries()))
      yield streamOf(first + at, deflateSync(procedureOf(fonts.outlineOf(id), fonts.widthOf(id)))); // a few hundred bytes
  }
  yield object(RESOURCES, `<</Font<<${names.join('')}>>>>`);
  yield object(
    PAGES,
    `<</Type/Pages/Count ${kids.length}/Kids[${kids.map((kid) => `${kid} 0 R`).join(' ')}]>>`,
  );
  // Labels that were made smaller miss their places, so viewers are asked not to.
  yield object(CATALOG, `<</Type/Catalog/Pages ${PAGES} 0 R/ViewerPreferences<</PrintScaling/None>>>>`);
  const table = written;
  const lines = Array.from({ length: next - 1 }, (_, at) => `${pad(offsets[at + 1] ?? 0)} 00000 n \n`);
  yield out(
    `xref\n0 ${next}\n0000000000 65535 f \n${lines.join('')}`,
    `trailer\n<</Size ${next}/Root ${CATALOG} 0 R>>\nstartxref\n${table}\n%%EOF\n`,
  );
}

/** @param first the object of the first glyph's outline; the others follow */
function fontOf(
  glyphs: readonly SetGlyph[],
  { widthOf }: Pick<LabelFonts, 'widthOf'>,
  first: number,
  toUnicode: number,
): string {
  const names = glyphs.map((_, at) => `/g${at}`).join('');
  const procedures = glyphs.map((_, at) => `/g${at} ${first + at} 0 R`).join('');
  const widths = glyphs.map(({ id }) => short(widthOf(id) * 1000)).join(' ');
  return (
    '<</Type/Font/Subtype/Type3/FontBBox[0 0 0 0]/FontMatrix[.001 0 0 .001 0 0]/Resources<<>>' +
    `/FirstChar 0/LastChar ${glyphs.length - 1}/Widths[${widths}]/Encoding<</Type/Encoding/Differences[0${names}]>>` +
    `/CharProcs<<${procedures}>>/ToUnicode ${toUnicode} 0 R>>`
  );
}

/** How a glyph is drawn: its width, what it fits in, and its outline, filled. */
function procedureOf(outline: string, width: number): string {
  return `${short(width * 1000)} 0 ${boxOf(outline).join(' ')} d1\n${operatorsOf(outline)}f`;
}

/** Entries of one `bfchar`: no more are allowed. */
const ENTRIES_MAX = 100;

/** Which text the glyphs mean, so that names and keys can be searched for and copied. */
function toUnicodeOf(glyphs: readonly SetGlyph[]): string {
  const entries = glyphs.flatMap(({ text }, at) =>
    text === undefined ? [] : `<${hex(at)}> <${utf16(text)}>`,
  );
  const blocks: string[] = [];
  for (let at = 0; at < entries.length; at += ENTRIES_MAX) {
    const some = entries.slice(at, at + ENTRIES_MAX);
    blocks.push(`${some.length} beginbfchar\n${some.join('\n')}\nendbfchar`);
  }
  return [
    '/CIDInit /ProcSet findresource begin 12 dict begin begincmap',
    '/CMapName /ToUnicode def /CMapType 2 def',
    '1 begincodespacerange <00> <ff> endcodespacerange',
    ...blocks,
    'endcmap CMapName currentdict /CMap defineresource pop end end',
  ].join('\n');
}

/** A number as PDF has them: never with an exponent. */
export const short = (value: number): string => String(Math.round(value * 1000) / 1000);
const pad = (offset: number): string => String(offset).padStart(10, '0');
