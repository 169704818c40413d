/** What the last form did, shown once on the next page. A cookie carries it over the redirect. */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import type { Addressed } from '../wire/addressed.ts';
import { prefixOf } from '../wire/links.ts';

export interface Notice {
  readonly kind: 'good' | 'bad';
  readonly text: string;
}

const COOKIE = 'claimd-notice';
const MAX_AGE_S = 60;
type Where = Pick<Addressed, 'base' | 'secure'>;

/** Of the text as the cookie has it, percent-encoded: browsers drop a cookie of more than 4,096 bytes with all that belongs to it. */
const BYTES_MAX = 3_000;

const noticeShape = z.object({ kind: z.enum(['good', 'bad']), text: z.string().max(BYTES_MAX) });

/** As much of it from the beginning as there is room for; no character is cut in two. */
function fitting(text: string): string {
  const sized = (some: string) => encodeURIComponent(JSON.stringify(some)).length;
  if (sized(text) <= BYTES_MAX) return text;
  let kept = '';
  let bytes = sized('') + sized('…');
  for (const character of text) {
    bytes += sized(character) - sized('');
    if (bytes > BYTES_MAX) break;
    kept += character;
  }
  return `${kept}…`;
}

export function leaveNotice(c: Context, { kind, text }: Notice, { base, secure }: Where): void {
  setCookie(c, COOKIE, JSON.stringify({ kind, text: fitting(text) }), {
    path: `${prefixOf(base)}/`,
    httpOnly: true,
    sameSite: 'Lax',
    secure,
    maxAge: MAX_AGE_S,
  });
}

/** The notice that was left, which is then gone; undefined also for a cookie that is not one of ours. */
export function takeNotice(c: Context, { base, secure }: Where): Notice | undefined {
  const value = getCookie(c, COOKIE);
  if (value === undefined) return undefined;
  deleteCookie(c, COOKIE, { path: `${prefixOf(base)}/`, secure });
  try {
    return noticeShape.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}
