/**
 * How the reader is spoken to: the texts in a language, dates and numbers as it writes them, the time zone from a cookie
 * that an island sets. Without the cookie times are shown in UTC, and say so.
 */
import { dateOf } from '../../actors/base/clock.ts';
import { directionOf, formatsOf, type Language } from '../../actors/texts/languages.ts';
import type { Spoken } from './language.ts';
import type { Overlays } from './texts/overlay.ts';
import { PSEUDO, type Say, sayIn } from './texts/say.ts';

export interface Locale {
  readonly language: Language;
  readonly direction: 'ltr' | 'rtl';
  /** What the pages say, in this language. */
  readonly say: Say;
  /** BCP 47, for `Intl`: the language, perhaps with a region. */
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
  /** Day and month of a day of UTC. */
  day(atMs: number): string;
}

/** Making a format costs far more than using it, and the visitors of one server share few languages and zones. */
const CACHED_MAX = 200;
/** By the operator's texts, which are one object for each server. */
const caches = new WeakMap<Overlays, Map<string, Locale>>();

interface Reader {
  readonly language: Spoken;
  /** For the region alone. */
  readonly acceptLanguage: string | undefined;
  readonly timeZoneCookie: string | undefined;
  readonly overlays: Overlays;
}

export function localeOf({ language: spoken, acceptLanguage, timeZoneCookie, overlays }: Reader): Locale {
  const language = spoken === PSEUDO ? 'en' : spoken;
  const tag = formatsOf(language, acceptLanguage ?? '');
  const timeZone = timeZoneOf(timeZoneCookie);
  const key = `${spoken} ${tag} ${timeZone ?? ''}`;
  const cache = caches.get(overlays) ?? new Map<string, Locale>();
  caches.set(overlays, cache);
  const locale = cache.get(key) ?? {
    language,
    direction: directionOf(language),
    say: sayIn(spoken, tag, overlays),
    ...formatsIn(tag, timeZone),
  };
  if (cache.size >= CACHED_MAX) cache.clear();
  cache.set(key, locale);
  return locale;
}

type Formats = Omit<Locale, 'language' | 'direction' | 'say'>;

function formatsIn(tag: string, timeZone: string | undefined): Formats {
  const zone = { timeZone: timeZone ?? 'UTC' };
  const numbers = new Intl.NumberFormat(tag);
  const suffix = timeZone === undefined ? ' UTC' : '';
  const day = new Intl.DateTimeFormat(tag, { ...zone, dateStyle: 'medium' });
  const full = new Intl.DateTimeFormat(tag, { ...zone, dateStyle: 'medium', timeStyle: 'short' });
  const seconds = new Intl.DateTimeFormat(tag, { ...zone, dateStyle: 'medium', timeStyle: 'medium' });
  const time = new Intl.DateTimeFormat(tag, { ...zone, timeStyle: 'short' });
  const ofMonth = new Intl.DateTimeFormat(tag, { timeZone: 'UTC', day: 'numeric', month: 'short' });
  const hour = new Intl.DateTimeFormat(tag, { ...zone, hour: 'numeric' });
  return {
    tag,
    timeZone,
    number: (value) => numbers.format(value),
    instant: (at) => `${full.format(dateOf(at))}${suffix}`,
    exact: (at) => `${seconds.format(dateOf(at))}${suffix}`,
    short(at, now) {
      const date = dateOf(at);
      return `${day.format(date) === day.format(now) ? time.format(date) : full.format(date)}${suffix}`;
    },
    hour: (at) => hour.format(at),
    day: (at) => ofMonth.format(at),
  };
}

function timeZoneOf(name: string | undefined): string | undefined {
  if (name === undefined || name.length > 64) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
