/**
 * Which language a page is in: `?lang=` in its address, the signed-in user's own (`additionalInfo.lang`, where ThingsBoard
 * keeps it), the cookie that the picker at the foot left, what the browser asks for, the operator's.
 */
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { isLanguage, type Language, languageAccepted, languageOf } from '../../actors/texts/languages.ts';
import type { Addressed } from '../wire/addressed.ts';
import { prefixOf } from '../wire/links.ts';
import type { User } from './session.ts';
import type { WebSettings } from './settings.ts';
import { PSEUDO } from './texts/say.ts';

/** A language, or the one of tests, in which nobody is spoken to unless the settings say so. */
export type Spoken = Language | typeof PSEUDO;

const COOKIE = 'claimd-lang';
const YEAR_S = 365 * 24 * 60 * 60;

interface Asking {
  readonly user: User | undefined;
  readonly settings: Pick<WebSettings, 'language' | 'pseudo'>;
}

/** What was said last by somebody nearer goes first. */
export function languageFor(c: Context, { user, settings }: Asking): Spoken {
  return (
    languageAsked(c, settings) ??
    ownLanguage(user) ??
    spoken(getCookie(c, COOKIE), settings) ??
    languageAccepted(c.req.header('accept-language') ?? '') ??
    settings.language
  );
}

/** What the address asks for: `?lang=de`. */
export const languageAsked = (c: Context, settings: Pick<WebSettings, 'pseudo'>): Spoken | undefined =>
  spoken(c.req.query('lang'), settings);

function ownLanguage(user: User | undefined): Language | undefined {
  const lang = user?.additionalInfo?.lang;
  return typeof lang === 'string' ? languageOf(lang) : undefined;
}

function spoken(tag: string | undefined, { pseudo }: Pick<WebSettings, 'pseudo'>): Spoken | undefined {
  if (tag === undefined) return undefined;
  return pseudo && tag === PSEUDO ? PSEUDO : languageOf(tag);
}

/** The browser keeps it, for pages that nobody is signed in at. */
export function keepLanguage(
  c: Context,
  language: Spoken,
  { base, secure }: Pick<Addressed, 'base' | 'secure'>,
): void {
  setCookie(c, COOKIE, language, {
    path: `${prefixOf(base)}/`,
    httpOnly: true,
    sameSite: 'Lax',
    secure,
    maxAge: YEAR_S,
  });
}

/** As ThingsBoard writes it in `additionalInfo.lang`: `de_DE`, `zh_CN`. */
export function thingsBoardTag(language: Language): string {
  const { language: bare, region } = new Intl.Locale(language).maximize();
  return `${bare}_${region}`;
}

/** A language that a form or an option names by its tag. */
export const languageNamed = (tag: string): Language | undefined => (isLanguage(tag) ? tag : undefined);
