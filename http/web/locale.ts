/**
 * Dates and numbers as the reader writes them: the language from Accept-Language, the time zone from a cookie that an
 * island sets. Without the cookie times are shown in UTC, and say so.
 */

export interface Locale {
  /** BCP 47, for `Intl`. */
  readonly tag: string;
  /** Undefined: unknown, so times are shown in UTC. */
  readonly timeZone: string | undefined;
  number(value: number): string;
  /** Date and time. */
  instant(atMs: number): string;
  /** Date and time with seconds, to tell apart what happened close together. */
  exact(atMs: number): string;
  /** The time alone when it is today, otherwise date and time. */
  short(atMs: number, nowMs: number): string;
  /** The hour alone, for the axis of a plot. */
  hour(atMs: number): string;
}

const FALLBACK = 'en-GB';

/** Making a format costs far more than using it, and the visitors of one server share few languages and zones. */
const CACHED_MAX = 200;
const cache = new Map<string, Locale>();

export function localeOf(acceptLanguage: string | undefined, timeZoneCookie: string | undefined): Locale {
  const tag = languageOf(acceptLanguage);
  const timeZone = timeZoneOf(timeZoneCookie);
  const key = `${tag} ${timeZone ?? ''}`;
  const locale = cache.get(key) ?? createLocale(tag, timeZone);
  if (cache.size >= CACHED_MAX) cache.clear();
  cache.set(key, locale);
  return locale;
}

function createLocale(tag: string, timeZone: string | undefined): Locale {
  const zone = { timeZone: timeZone ?? 'UTC' };
  const numbers = new Intl.NumberFormat(tag);
  const suffix = timeZone === undefined ? ' UTC' : '';
  const day = new Intl.DateTimeFormat(tag, { ...zone, dateStyle: 'medium' });
  const full = new Intl.DateTimeFormat(tag, { ...zone, dateStyle: 'medium', timeStyle: 'short' });
  const seconds = new Intl.DateTimeFormat(tag, { ...zone, dateStyle: 'medium', timeStyle: 'medium' });
  const time = new Intl.DateTimeFormat(tag, { ...zone, timeStyle: 'short' });
  const hour = new Intl.DateTimeFormat(tag, { ...zone, hour: 'numeric' });
  return {
    tag,
    timeZone,
    number: (value) => numbers.format(value),
    instant: (at) => `${full.format(at)}${suffix}`,
    exact: (at) => `${seconds.format(at)}${suffix}`,
    short: (at, now) => `${day.format(at) === day.format(now) ? time.format(at) : full.format(at)}${suffix}`,
    hour: (at) => hour.format(at),
  };
}

/** The first language of the header that exists. */
function languageOf(header: string | undefined): string {
  for (const part of (header ?? '').slice(0, 200).split(',')) {
    const [tag = ''] = part.trim().split(';');
    try {
      const [canonical] = Intl.getCanonicalLocales(tag);
      if (canonical !== undefined && Intl.DateTimeFormat.supportedLocalesOf(canonical).length > 0)
        return canonical;
    } catch {
      // Not a language tag: try the next one.
    }
  }
  return FALLBACK;
}

function timeZoneOf(name: string | undefined): string | undefined {
  if (name === undefined || name.length > 64) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
