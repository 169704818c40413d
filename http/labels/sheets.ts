/** Labels on pages: as a PDF, and the first page as a picture for people to look at before. */
import type { LabelFonts } from './fonts.ts';
import { type Drawn, drawLabel, type Labelled } from './label.ts';
import { createGlyphWriter, type GlyphWriter, type PdfPage, pdfOf, short } from './pdf.ts';
import { cornerOf, perPage, type Stock } from './stocks.ts';
import { inTurns } from './turns.ts';

export interface SheetOptions {
  readonly stock: Stock;
  /** The place on the first page to begin at, from 1: those before were used already. */
  readonly first: number;
}

const POINTS = 72 / 25.4;
/** Of labels that no code holds, nothing is printed. */
export function labelsAsPdf(
  labels: AsyncIterable<Labelled>,
  options: SheetOptions,
  fonts: LabelFonts,
): AsyncGenerator<Uint8Array> {
  const glyphs = createGlyphWriter(fonts);
  return pdfOf(pagesOf(labels, options, fonts, glyphs), fonts, glyphs);
}

async function* pagesOf(
  labels: AsyncIterable<Labelled>,
  { stock, first }: SheetOptions,
  fonts: LabelFonts,
  glyphs: GlyphWriter,
): AsyncGenerator<PdfPage> {
  const size = { width: stock.page.width * POINTS, height: stock.page.height * POINTS };
  let place = first - 1;
  let content = '';
  let pages = 0;
  for await (const label of inTurns(labels)) {
    const drawn = drawLabel(label, stock, fonts);
    if (drawn === undefined) continue;
    content += operatorsFor(drawn, cornerOf(stock, place), stock, glyphs);
    place += 1;
    if (place < perPage(stock)) continue;
    yield { ...size, content };
    pages += 1;
    [place, content] = [0, ''];
  }
  if (content !== '' || pages === 0) yield { ...size, content };
}

/** PDF counts from the lower left corner, upwards. */
function operatorsFor(
  { code, lines }: Drawn,
  corner: { readonly x: number; readonly y: number },
  { page }: Stock,
  glyphs: GlyphWriter,
): string {
  const left = (x: number) => short((corner.x + x) * POINTS);
  const up = (y: number) => short((page.height - corner.y - y) * POINTS);
  // The code is drawn in units of its modules, downwards.
  const scale = `${short(code.module * POINTS)} 0 0 ${short(-code.module * POINTS)}`;
  const bars = barsOf(code.rows).map(([x, y, width]) => `${x} ${y} ${width} 1 re`);
  const texts = lines.map(
    ({ x, y, size, text, glyphs: set }) =>
      `1 0 0 1 ${left(x)} ${up(y)} Tm\n${glyphs.show(text, set, size * POINTS)}`,
  );
  return `q ${scale} ${left(code.x)} ${up(code.y)} cm\n${bars.join('\n')}\nf Q\nBT\n${texts.join('\n')}\nET\n`;
}

/** The dark modules of a code, those beside each other as one: column, row, and how many. */
function barsOf(rows: readonly (readonly boolean[])[]): (readonly [x: number, y: number, width: number])[] {
  const bars: (readonly [number, number, number])[] = [];
  for (const [y, row] of rows.entries()) {
    for (let x = 0; x < row.length; x += 1) {
      if (!row[x]) continue;
      const from = x;
      while (row[x]) x += 1;
      bars.push([from, y, x - from]);
    }
  }
  return bars;
}

/** The first page with some labels drawn, as SVG. @param used how many places there are labels for */
export async function firstPageAsSvg(
  labels: readonly Labelled[],
  used: number,
  options: SheetOptions,
  fonts: LabelFonts,
): Promise<string> {
  const { stock, first } = options;
  const { width, height } = stock.page;
  const outlines = new Set<number>();
  const places: string[] = [];
  for await (const place of inTurns(Array(perPage(stock)).keys())) {
    const { x, y } = cornerOf(stock, place);
    const isUsed = place >= first - 1 && place < first - 1 + used;
    const frame = `<rect x="${short(x)}" y="${short(y)}" width="${stock.label.width}" height="${stock.label.height}" fill="${isUsed ? '#fff' : '#ddd'}" stroke="#999" stroke-width=".2"/>`;
    const label = labels[place - first + 1];
    const drawn = !isUsed || label === undefined ? undefined : drawLabel(label, stock, fonts);
    for (const { glyphs } of drawn?.lines ?? []) for (const { id } of glyphs) outlines.add(id);
    const inPlace = drawn && `<g transform="translate(${short(x)} ${short(y)})">${asSvg(drawn)}</g>`;
    places.push(`${frame}${inPlace ?? ''}`);
  }
  const shapes: string[] = [];
  for await (const id of inTurns(outlines))
    shapes.push(`<path id="${shapeOf(id)}" d="${fonts.outlineOf(id)}"/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><defs>${shapes.join('')}</defs><rect width="${width}" height="${height}" fill="#fff"/>${places.join('')}</svg>`;
}

/** A page has one picture. */
const shapeOf = (id: number): string => `glyph-${id}`;

/** By the same outlines as the PDF, so that it comes out as it is printed, whatever fonts the browser has. */
function asSvg({ code, lines }: Drawn): string {
  const path = barsOf(code.rows).map(([x, y, width]) => `M${x} ${y}h${width}v1h-${width}z`);
  const texts = lines.map(({ x, y, size, glyphs }) => {
    let pen = 0;
    const uses = glyphs.map((glyph) => {
      const [right, above] = [Math.round((pen + glyph.x) * 1000), Math.round(glyph.y * 1000)];
      pen += glyph.advance;
      return `<use href="#${shapeOf(glyph.id)}" x="${right}"${above === 0 ? '' : ` y="${above}"`}/>`;
    });
    const scale = size / 1000;
    return `<g transform="translate(${short(x)} ${short(y)}) scale(${scale.toFixed(6)} ${(-scale).toFixed(6)})">${uses.join('')}</g>`;
  });
  return `<path transform="translate(${short(code.x)} ${short(code.y)}) scale(${short(code.module)})" d="${path.join('')}"/>${texts.join('')}`;
}
