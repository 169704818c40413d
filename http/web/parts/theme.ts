/**
 * Makes readable shades of the one accent colour that an operator sets: on light and on dark they keep WCAG's contrast
 * for text (1.4.3: 4.5 to 1).
 */

type Rgb = readonly [red: number, green: number, blue: number];

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];
/** A little more than WCAG asks for, because colours are rounded. */
const READABLE = 4.6;
/** The share of black or white that is mixed in at each step. */
const STEP = 0.05;

export interface Shades {
  /** For text, lines and buttons on the page. */
  readonly accent: string;
  /** For text on a button. */
  readonly onAccent: string;
}

/** The accent on a background of this colour. Colours are `#rrggbb`. */
export function shadesOn(background: string, accent: string): Shades {
  const [ground, colour] = [parse(background), parse(accent)];
  const target = luminance(ground) > 0.5 ? BLACK : WHITE;
  let text = colour;
  for (let share = STEP; contrast(text, ground) < READABLE && share <= 1; share += STEP) {
    text = mix(colour, target, share);
  }
  const onAccent = contrast(text, WHITE) >= contrast(text, BLACK) ? WHITE : BLACK;
  return { accent: format(text), onAccent: format(onAccent) };
}

function parse(hex: string): Rgb {
  const channel = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16);
  return [channel(1), channel(3), channel(5)];
}

function format(colour: Rgb): string {
  return `#${colour.map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`;
}

function mix([r, g, b]: Rgb, [r2, g2, b2]: Rgb, share: number): Rgb {
  const between = (one: number, other: number) => one + (other - one) * share;
  return [between(r, r2), between(g, g2), between(b, b2)];
}

/** WCAG 2.2, "contrast ratio". */
function contrast(one: Rgb, other: Rgb): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** WCAG 2.2, "relative luminance". */
function luminance([r, g, b]: Rgb): number {
  const linear = (channel: number) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}
