/** Line plots as inline SVG, without scripts, fonts or anything external. */
import { unreachable } from '../../actors/base/unreachable.ts';
import { escapeHtml } from './escape.ts';

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}

interface Axis {
  readonly label: string;
  /** Undefined: linear, from zero. */
  readonly scale?: 'log' | 'percentiles';
  readonly show?: (value: number) => string;
}

const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 64;
const RIGHT = 12;
const TOP = 28;
const BOTTOM = 40;
const COLOURS = ['#0b6bcb', '#c2410c', '#15803d', '#7e22ce', '#b45309', '#0e7490', '#be123c', '#4d7c0f'];
const TICKS = 5;
/** Less than this counts as zero. */
const SMALLEST = 1e-9;
/** The marks of percentile axes. */
const PERCENTILES = [0, 50, 90, 99, 99.9, 99.99, 99.999];

interface Scale {
  /** 0 … 1 */
  at(value: number): number;
  readonly marks: readonly number[];
}

export function plot({ title, x, y, lines }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  if (points.length === 0) return '';
  const across = scaleOf(
    x,
    points.map(([value]) => value),
  );
  const up = scaleOf(
    y,
    points.map(([, value]) => value),
  );
  const px = (value: number) => round(LEFT + across.at(value) * (WIDTH - LEFT - RIGHT));
  const py = (value: number) => round(HEIGHT - BOTTOM - up.at(value) * (HEIGHT - TOP - BOTTOM));
  const show = (axis: Axis, value: number) => escapeHtml((axis.show ?? short)(value));
  const grid = [
    ...up.marks.map(
      (mark) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(mark)}" y2="${py(mark)}"/>` +
        `<text x="${LEFT - 6}" y="${py(mark) + 4}" text-anchor="end">${show(y, mark)}</text>`,
    ),
    ...across.marks.map(
      (mark) =>
        `<line class="grid" y1="${TOP}" y2="${HEIGHT - BOTTOM}" x1="${px(mark)}" x2="${px(mark)}"/>` +
        `<text x="${px(mark)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${show(x, mark)}</text>`,
    ),
  ];
  const drawn = lines.map((line, at) => {
    const path = line.points.map(([a, b]) => `${px(a)},${py(b)}`).join(' ');
    return `<polyline fill="none" stroke="${colour(at)}" stroke-width="2" points="${path}"/>`;
  });
  return (
    `<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">` +
    `<text class="title" x="${LEFT}" y="16">${escapeHtml(title)}</text>${grid.join('')}${drawn.join('')}` +
    `<text x="${(WIDTH + LEFT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(x.label)}</text></svg>` +
    `<figcaption>${lines.map(legend).join(' ')} <span class="unit">${escapeHtml(y.label)}</span></figcaption></figure>`
  );
}

const colour = (at: number): string => COLOURS[at % COLOURS.length] ?? '#000';

function legend({ name }: Line, at: number): string {
  return `<span style="color:${colour(at)}">● ${escapeHtml(name)}</span>`;
}

function scaleOf({ scale }: Axis, values: readonly number[]): Scale {
  // Without spread: there may be more values than a call can have arguments.
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  switch (scale) {
    case undefined:
      return linear(largest < SMALLEST ? 1 : largest);
    case 'log': {
      const smallest = values.reduce((least, value) => (value > 0 ? Math.min(least, value) : least), largest);
      return logarithmic(Math.max(smallest, 0.001), Math.max(largest, 0.01));
    }
    case 'percentiles':
      return percentiles(largest);
    default:
      return unreachable(scale);
  }
}

function linear(largest: number): Scale {
  const step = niceStep(largest / TICKS);
  const top = Math.ceil(largest / step) * step;
  return {
    at: (value) => value / top,
    marks: Array.from({ length: Math.round(top / step) + 1 }, (_, at) => at * step),
  };
}

/** The smallest of 1, 2 and 5 times a power of ten that is at least this large. */
export function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return ([1, 2, 5, 10].find((one) => one * power >= atLeast * 0.999_999) ?? 10) * power;
}

function logarithmic(smallest: number, largest: number): Scale {
  const low = Math.floor(Math.log10(smallest));
  const high = Math.max(low + 1, Math.ceil(Math.log10(largest)));
  return {
    at: (value) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low),
    marks: Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at)),
  };
}

/** Each further nine takes the same width. */
function percentiles(largest: number): Scale {
  const place = (percentile: number) => Math.log10(100 / Math.max(100 - percentile, 0.000_1));
  const end = place(Math.min(largest, 99.999_9));
  return {
    at: (value) => Math.min(1, place(value) / end),
    marks: PERCENTILES.filter((mark) => mark <= largest),
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;

export function short(value: number): string {
  if (value >= 1_000_000) return `${trim(value / 1_000_000)} M`;
  if (value >= 1_000) return `${trim(value / 1_000)} k`;
  return trim(value);
}

const trim = (value: number): string => String(Number(value.toPrecision(3)));
