/** Outlines of glyphs, as SVG paths of absolute moves, lines and curves: for a PDF. */

type Point = readonly [x: number, y: number];

interface Step {
  readonly command: string;
  readonly points: readonly Point[];
}

function stepsOf(outline: string): Step[] {
  return Array.from(outline.matchAll(/([MLQCZ])([^MLQCZ]*)/g), ([, command = '', rest = '']) => {
    const numbers = (rest.match(/-?[\d.]+/g) ?? []).map(Number);
    const points: Point[] = [];
    for (let at = 0; at + 1 < numbers.length; at += 2) points.push([numbers[at] ?? 0, numbers[at + 1] ?? 0]);
    return { command, points };
  });
}

/** As operators of a PDF, which has no quadratic curves. */
export function operatorsOf(outline: string): string {
  let at: Point = [0, 0];
  let operators = '';
  for (const { command, points } of stepsOf(outline)) {
    if (command === 'Z') operators += 'h\n';
    else if (command === 'Q') operators += `${pairs(cubic(at, points))} c\n`;
    else operators += `${pairs(points)} ${command.toLowerCase()}\n`;
    at = points.at(-1) ?? at;
  }
  return operators;
}

/** The same curve by two points instead of one. */
function cubic(from: Point, [control = from, to = from]: readonly Point[]): Point[] {
  const towards = ([x, y]: Point): Point => [
    tenth(x + ((control[0] - x) * 2) / 3),
    tenth(y + ((control[1] - y) * 2) / 3),
  ];
  return [towards(from), towards(to), to];
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
const pairs = (points: readonly Point[]): string => points.flat().join(' ');

/** What all its points are in: left, below, right, above; whole numbers. */
export function boxOf(outline: string): readonly number[] {
  const points = stepsOf(outline).flatMap((step) => step.points);
  if (points.length === 0) return [0, 0, 0, 0];
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [
    Math.floor(Math.min(...xs)),
    Math.floor(Math.min(...ys)),
    Math.ceil(Math.max(...xs)),
    Math.ceil(Math.max(...ys)),
  ];
}
