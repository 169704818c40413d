/**
 * A PDF (ISO 32000-1) made page by page, as fast as it is read: nothing of a page is kept but where it is in the file.
 *
 * It can what labels need: one TrueType font with any characters (a composite font, `Identity-H`), and filled rectangles.
 */
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { Font } from './font.ts';

export interface PdfPage {
  /** In points, 1/72 inch. */
  readonly width: number;
  readonly height: number;
  /** Its content stream. */
  readonly content: string;
}

/** Text as hexadecimal glyphs for `Tj`, remembering which were used. */
export interface GlyphWriter {
  hex(text: string): string;
  used(): ReadonlyMap<number, string>;
}

export function createGlyphWriter(font: Font): GlyphWriter {
  const used = new Map<number, string>();
  return {
    hex(text) {
      let written = '';
      for (const letter of text) {
        const glyph = font.glyphOf(letter.codePointAt(0) ?? 0);
        if (!used.has(glyph)) used.set(glyph, letter.normalize('NFKC'));
        written += glyph.toString(16).padStart(4, '0');
      }
      return `<${written}>`;
    },
    used: () => used,
  };
}

const [CATALOG, PAGES, FONT, DESCENDANT, DESCRIPTOR, FONT_FILE, TO_UNICODE, FIRST_FREE] = [
  1, 2, 3, 4, 5, 6, 7, 8,
] as const;
const compressed = promisify(deflate);

/** @param pages may use the font as `/F1`, by glyphs that were written with `glyphs` */
export async function* pdfOf(
  pages: AsyncIterable<PdfPage>,
  font: Font,
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
  const stream = async (number: number, content: string | Buffer, more = ''): Promise<Buffer> => {
    const bytes = await compressed(content);
    const head = `<</Length ${bytes.length}/Filter/FlateDecode${more}>>\nstream\n`;
    return object(number, head, bytes, '\nendstream');
  };

  yield out('%PDF-1.7\n', Buffer.from([0x25, 0xe2, 0xe3, 0xcf, 0xd3, 0x0a]));
  for await (const { width, height, content } of pages) {
    const [page, text] = [next, next + 1];
    next += 2;
    kids.push(page);
    const box = `/MediaBox[0 0 ${short(width)} ${short(height)}]`;
    yield object(
      page,
      `<</Type/Page/Parent ${PAGES} 0 R${box}/Resources<</Font<</F1 ${FONT} 0 R>>>>/Contents ${text} 0 R>>`,
    );
    yield await stream(text, content);
  }
  yield* fontObjects(font, glyphs.used(), object, stream);
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

async function* fontObjects(
  font: Font,
  used: ReadonlyMap<number, string>,
  object: (number: number, body: string) => Buffer,
  stream: (number: number, content: string | Buffer, more?: string) => Promise<Buffer>,
): AsyncGenerator<Buffer> {
  const { name, ascent, descent, box, bytes } = font;
  const widths = [...used.keys()]
    .sort((a, b) => a - b)
    .map((glyph) => `${glyph}[${short(font.widthOf(glyph))}]`);
  yield object(
    FONT,
    `<</Type/Font/Subtype/Type0/BaseFont/${name}/Encoding/Identity-H/DescendantFonts[${DESCENDANT} 0 R]/ToUnicode ${TO_UNICODE} 0 R>>`,
  );
  yield object(
    DESCENDANT,
    `<</Type/Font/Subtype/CIDFontType2/BaseFont/${name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>` +
      `/FontDescriptor ${DESCRIPTOR} 0 R/CIDToGIDMap/Identity/W[${widths.join('')}]>>`,
  );
  yield object(
    DESCRIPTOR,
    `<</Type/FontDescriptor/FontName/${name}/Flags 4/FontBBox[${box.join(' ')}]/ItalicAngle 0` +
      `/Ascent ${ascent}/Descent ${descent}/CapHeight ${ascent}/StemV 80/FontFile2 ${FONT_FILE} 0 R>>`,
  );
  yield await stream(FONT_FILE, bytes, `/Length1 ${bytes.length}`);
  yield await stream(TO_UNICODE, toUnicode(used));
}

/** Entries of one `bfchar`: no more are allowed. */
const ENTRIES_MAX = 100;

/** Which text the glyphs mean, so that names and keys can be searched for and copied. */
function toUnicode(used: ReadonlyMap<number, string>): string {
  const entries = [...used].map(
    ([glyph, text]) =>
      `<${glyph.toString(16).padStart(4, '0')}> <${Buffer.from(text, 'utf16le').swap16().toString('hex')}>`,
  );
  const blocks: string[] = [];
  for (let at = 0; at < entries.length; at += ENTRIES_MAX) {
    const some = entries.slice(at, at + ENTRIES_MAX);
    blocks.push(`${some.length} beginbfchar\n${some.join('\n')}\nendbfchar`);
  }
  return [
    '/CIDInit /ProcSet findresource begin 12 dict begin begincmap',
    '/CMapName /ToUnicode def /CMapType 2 def',
    '1 begincodespacerange <0000> <ffff> endcodespacerange',
    ...blocks,
    'endcmap CMapName currentdict /CMap defineresource pop end end',
  ].join('\n');
}

/** A number as PDF has them: never with an exponent. */
export const short = (value: number): string => String(Math.round(value * 1000) / 1000);
const pad = (offset: number): string => String(offset).padStart(10, '0');
