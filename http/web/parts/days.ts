/** Days as people choose them in a form (`2026-01-31`), in their own time zone. */
import type { Locale } from '../locale.ts';

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
export const DAY_MS = 86_400_000;

/** When a day begins where the reader is; undefined: it is no day. */
export function dayStart(text: string, { timeZone = 'UTC' }: Pick<Locale, 'timeZone'>): number | undefined {
  const [, year, month, day] = DAY.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const inUtc = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (Number.isNaN(inUtc) || new Date(inUtc).toISOString().slice(0, 10) !== text) return undefined;
  // The clocks may change between midnight here and midnight in UTC, so the offset is looked at twice.
  const near = inUtc - offsetAt(inUtc, timeZone);
  return inUtc - offsetAt(near, timeZone);
}

/** How far the clocks of a time zone are ahead of UTC at an instant, in ms. */
function offsetAt(at: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const parts = Object.fromEntries(
    format.formatToParts(at).map(({ type, value }) => [type, Number(value)] as const),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}
