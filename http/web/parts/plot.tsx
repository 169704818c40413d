/**
 * Bars over hours or days as SVG, with the same numbers as text for people who cannot see them. The bench has a plotter of its
 * own (`bench/report/svg.ts`): lines over logarithmic axes, for a file without a stylesheet. They share no code.
 */
import type { Locale } from '../locale.ts';

interface PlotProps {
  readonly title: string;
  readonly values: readonly (readonly [atMs: number, value: number])[];
  readonly locale: Locale;
  /** What a bar stands for. Default: an hour. Beside those of days stands a table with their numbers. */
  readonly by?: 'hour' | 'day';
}

const WIDTH = 480;
const HEIGHT = 140;
const LEFT = 44;
const BOTTOM = 24;
const TOP = 10;
const GAP = 2;
/** Bars between two labels of the axis. */
const LABEL_EVERY = { hour: 6, day: 15 } as const;

export function Plot({ title, values, locale, by = 'hour' }: PlotProps) {
  const highest = Math.max(1, ...values.map(([, value]) => value));
  const top = niceCeiling(highest);
  const step = (WIDTH - LEFT) / values.length;
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const sum = values.reduce((total, [, value]) => total + value, 0);
  return (
    <figure class="plotbox">
      <svg
        class="plot"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={locale.say(by === 'hour' ? 'plot.byHour' : 'plot.byDay', { title, highest })}
      >
        {[0, top / 2, top].map((tick) => (
          <>
            <line class="grid-line" x1={LEFT} x2={WIDTH} y1={y(tick)} y2={y(tick)} />
            <text x={LEFT - 6} y={y(tick) + 4} text-anchor="end">
              {locale.number(tick)}
            </text>
          </>
        ))}
        {values.map(([, value], at) =>
          value === 0 ? null : (
            <rect
              class="bar"
              x={LEFT + at * step + GAP / 2}
              y={y(value)}
              width={step - GAP}
              height={y(0) - y(value)}
              rx="1"
            />
          ),
        )}
        {values.map(([from], at) =>
          at % LABEL_EVERY[by] === 0 ? (
            <text
              x={at + 1 === values.length ? WIDTH : LEFT + at * step}
              y={HEIGHT - 4}
              {...(at + 1 === values.length ? { 'text-anchor': 'end' } : {})}
            >
              {by === 'hour' ? locale.hour(from) : locale.day(from)}
            </text>
          ) : null,
        )}
      </svg>
      {by === 'day' ? null : (
        <figcaption>
          <details>
            <summary>{locale.say('plot.numbers')}</summary>
            {sum === 0
              ? locale.say('plot.none')
              : values
                  .filter(([, value]) => value > 0)
                  .map(([from, value]) => <div>{`${locale.instant(from)}: ${locale.number(value)}`}</div>)}
          </details>
        </figcaption>
      )}
    </figure>
  );
}

/** The next number that reads well at the end of an axis, and halved in its middle. */
function niceCeiling(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 6, 8, 10].find((factor) => factor * magnitude >= value) ?? 10;
  return Math.max(2, step * magnitude);
}
