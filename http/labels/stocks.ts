/**
 * What labels are printed on: sheets of A4 as Avery and Herma sell them, rolls, and one label on each page. All sizes are in
 * millimetres of paper.
 */

export interface Stock {
  readonly id: string;
  /** As it is sold; a roll or tape by its width and the length of a label. */
  readonly sold: Sold;
  readonly page: Size;
  readonly columns: number;
  readonly rows: number;
  readonly label: Size;
  /** Where the first label begins on its page. */
  readonly left: number;
  readonly top: number;
  /** From the beginning of one label to that of the next. */
  readonly pitch: Size;
}

type Sold =
  | { readonly type: 'sheet'; readonly name: string }
  | { readonly type: 'roll' | 'tape'; readonly across: number; readonly along: number }
  | { readonly type: 'single'; readonly name?: string };

interface Size {
  readonly width: number;
  readonly height: number;
}

const A4 = { width: 210, height: 297 };

/** Sheets are symmetric: what the labels and the gaps between them leave of the paper is the same on both sides. */
function sheet(
  id: string,
  name: string,
  [columns, rows]: readonly [number, number],
  [width, height]: readonly [number, number],
  gap = 0,
): Stock {
  const pitch = { width: width + gap, height };
  const left = (A4.width - columns * width - (columns - 1) * gap) / 2;
  const top = (A4.height - rows * height) / 2;
  const sold = { type: 'sheet', name } as const;
  return { id, sold, page: A4, columns, rows, label: { width, height }, left, top, pitch };
}

function single(id: string, sold: Sold, width: number, height: number): Stock {
  const size = { width, height };
  return { id, sold, page: size, columns: 1, rows: 1, label: size, left: 0, top: 0, pitch: size };
}

export const STOCKS: readonly [Stock, ...Stock[]] = [
  sheet('avery-l7160', 'Avery L7160', [3, 7], [63.5, 38.1], 2.54),
  sheet('avery-l7163', 'Avery L7163', [2, 7], [99.1, 38.1], 2.5),
  sheet('avery-l7654', 'Avery L7654, L4770', [4, 10], [45.7, 25.4], 2.6),
  sheet('avery-l7651', 'Avery L7651', [5, 13], [38.1, 21.2], 2.5),
  sheet('herma-4457', 'Herma 4457', [2, 6], [105, 48]),
  sheet('herma-4464', 'Herma 4464', [3, 8], [70, 37]),
  sheet('herma-4270', 'Herma 4270', [5, 13], [38.1, 21.2]),
  single('roll-62x100', { type: 'roll', across: 62, along: 100 }, 100, 62),
  single('roll-62x29', { type: 'roll', across: 62, along: 29 }, 62, 29),
  single('roll-29x90', { type: 'roll', across: 29, along: 90 }, 90, 29),
  single('roll-24x60', { type: 'tape', across: 24, along: 60 }, 60, 24),
  single('page-100x50', { type: 'single' }, 100, 50),
  single('page-a6', { type: 'single', name: 'A6' }, 148, 105),
];

export const perPage = ({ columns, rows }: Stock): number => columns * rows;

/** The upper left corner of a place on the page. @param place from 0, line by line */
export function cornerOf({ columns, left, top, pitch }: Stock, place: number): { x: number; y: number } {
  const [column, row] = [place % columns, Math.floor(place / columns)];
  return { x: left + column * pitch.width, y: top + row * pitch.height };
}
