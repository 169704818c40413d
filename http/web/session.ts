/**
 * The browser's session: a cookie that names it, out of reach of scripts. The REST API takes it for nothing: it is
 * neither an access token nor a refresh token. Every page checks it and draws an access token for this one request, so
 * signing out, a new password or a disabled user end the session everywhere at once.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { z } from 'zod';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import type { Authentication } from '../auth/authentication.ts';
import type { Browsers } from '../auth/browsers.ts';
import type { Tokens } from '../auth/tokens.ts';
import { type tokenPairView, userView } from '../views/user.ts';
import type { Addressed } from '../wire/addressed.ts';
import { prefixOf } from '../wire/links.ts';
import { type Api, type Ask, createApi } from './api.ts';

export type User = z.output<typeof userView>;
export type TokenPair = z.output<typeof tokenPairView>;

export interface Session {
  readonly user: User;
  /** Acts with this person's token. */
  readonly api: Api;
}

export interface Sessions {
  /** Undefined without a cookie, or with one whose session has ended. */
  read(c: Context, ask: Ask): Promise<Session | undefined>;
  /** Signs in: from now on the browser sends the cookie. */
  begin(c: Context, pair: TokenPair): void;
  end(c: Context): void;
  /** What this browser keeps of those who signed in with it before. */
  marksOf(c: Context): string | undefined;
}

/**
 * A cookie with this prefix browsers take only when it is Secure, of this very host, and for all of its paths. Below a path
 * prefix the other paths belong to others, so there the cookie is only Secure, and for its own paths.
 */
const HOST_PREFIX = '__Host-';
const COOKIE = 'claimd-session';
/**
 * Who has signed in with this browser before (`../auth/browsers.ts`). It outlasts a sign-out, and goes to the pages of the
 * login alone.
 */
const BROWSER_COOKIE = 'claimd-browser';
const LOGIN_PATH = '/login';
const MARKS = /^[\w.~-]{1,4000}$/;
const BROWSER_MAX_AGE_S = 400 * 24 * 60 * 60;

/** From a login to what the browser keeps, and from that to an access token. */
export type Cookies = Pick<Tokens, 'cookieOf'> & Pick<Authentication, 'enter'>;

/** @param addressedIn how a request was addressed, as far as can be known */
export function createSessions(
  addressedIn: (c: Context) => Pick<Addressed, 'base' | 'secure'>,
  cookies: Cookies,
  browsers: Pick<Browsers, 'remember'>,
): Sessions {
  const isSecure = (c: Context): boolean => addressedIn(c).secure;
  const prefixIn = (c: Context): string => prefixOf(addressedIn(c).base);
  const pathOf = (c: Context): string => `${prefixIn(c)}/`;
  const nameOf = (c: Context): string => {
    if (!isSecure(c)) return COOKIE;
    return `${pathOf(c) === '/' ? HOST_PREFIX : '__Secure-'}${COOKIE}`;
  };

  function end(c: Context): void {
    deleteCookie(c, nameOf(c), { path: pathOf(c), secure: isSecure(c) });
  }

  /** @param token an access token of the session */
  function keep(c: Context, token: string): void {
    const { value, maxAgeSeconds } = cookies.cookieOf(token);
    setCookie(c, nameOf(c), value, {
      path: pathOf(c),
      httpOnly: true,
      sameSite: 'Lax',
      secure: isSecure(c),
      maxAge: maxAgeSeconds,
    });
  }

  /** Undefined while the store is away, too: then the cookie stays. */
  async function tokenOf(c: Context, cookie: string): Promise<string | undefined> {
    try {
      const entered = await cookies.enter(cookie);
      if (entered.type === 'good') {
        if (entered.outdates) keep(c, entered.token);
        return entered.token;
      }
      end(c);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
    return undefined;
  }

  const browserCookieOf = (c: Context) => (isSecure(c) ? `__Secure-${BROWSER_COOKIE}` : BROWSER_COOKIE);
  /** As a header can carry it; sites beside this one can set whatever they like. */
  const marksOf = (c: Context) => {
    const marks = getCookie(c, browserCookieOf(c));
    return marks !== undefined && MARKS.test(marks) ? marks : undefined;
  };

  /** Elsewhere the browser does not show what it has. */
  function rememberBrowser(c: Context, token: string): void {
    if (!c.req.path.startsWith(LOGIN_PATH)) return;
    setCookie(c, browserCookieOf(c), browsers.remember(marksOf(c), token), {
      path: `${prefixIn(c)}${LOGIN_PATH}`,
      httpOnly: true,
      sameSite: 'Strict',
      secure: isSecure(c),
      maxAge: BROWSER_MAX_AGE_S,
    });
  }

  return {
    end,
    marksOf,

    begin(c, { token }) {
      keep(c, token);
      rememberBrowser(c, token);
    },

    async read(c, ask) {
      const cookie = getCookie(c, nameOf(c));
      const token = cookie === undefined ? undefined : await tokenOf(c, cookie);
      if (token === undefined) return undefined;
      const api = createApi(ask, token);
      return { api, user: await api.get('/api/auth/user', userView) };
    },
  };
}
