/**
 * The browser's session: a cookie that names it, out of reach of scripts. The REST API takes it for nothing: it is
 * neither an access token nor a refresh token. Every page checks it and draws an access token for this one request, so
 * signing out, a new password or a disabled user end the session everywhere at once.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { z } from 'zod';
import { sameDigest } from '../../actors/base/secret.ts';
import type { Authentication } from '../auth/authentication.ts';
import type { Browsers } from '../auth/browsers.ts';
import { ATTEMPT_MS, CALLBACK_PATH } from '../auth/provider-sign-in.ts';
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

/** A sign-in with an identity provider that is under way. One cookie each, so that two tabs do not disturb each other. */
export interface Attempt {
  readonly state: string;
  /** What the API gave (`OAuth2Attempt`). */
  readonly sealed: string;
  /** Where to go afterwards. */
  readonly next: string;
}

export interface Sessions {
  keepAttempt(c: Context, attempt: Attempt): void;
  attemptOf(c: Context, state: string): Attempt | undefined;
  endAttempt(c: Context, state: string): void;
  /** For signing out at the provider: as long as the browser is open, and for that page alone. */
  keepLogoutHint(c: Context, hint: string): void;
  logoutHintOf(c: Context): string | undefined;
  endLogoutHint(c: Context): void;
  /** Undefined without a cookie, or with one whose session has ended. Throws StoreUnavailable, and `Unanswered`. */
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
const ATTEMPT_COOKIE = 'claimd-oidc';
const ATTEMPT_NAME_CHARS = 8;
const LOGOUT_COOKIE = 'claimd-oidc-logout';
/** Where a person signs out at the provider. */
export const PROVIDER_LOGOUT_PATH = '/oauth2/logout';
const ATTEMPT_MAX_AGE_S = ATTEMPT_MS / 1000;
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

  /** Undefined where the session has ended. While the store is away that is not known, and the cookie stays. */
  async function tokenOf(c: Context, cookie: string): Promise<string | undefined> {
    const entered = await cookies.enter(cookie);
    if (entered.type !== 'good') {
      end(c);
      return undefined;
    }
    if (entered.outdates) keep(c, entered.token);
    return entered.token;
  }

  /** Lax: with Strict it would not come back with the person. A state is 43 letters, of which some tell attempts apart. */
  const attemptOptions = (c: Context) =>
    ({ path: pathOf(c), httpOnly: true, sameSite: 'Lax', secure: isSecure(c) }) as const;
  const attemptNameOf = (c: Context, state: string) =>
    `${nameOf(c).replace(COOKIE, ATTEMPT_COOKIE)}-${state.replace(/[^\w-]/g, '').slice(0, ATTEMPT_NAME_CHARS)}`;

  const logoutNameOf = (c: Context) => (isSecure(c) ? `__Secure-${LOGOUT_COOKIE}` : LOGOUT_COOKIE);
  const logoutOptions = (c: Context) =>
    ({
      path: `${prefixIn(c)}${PROVIDER_LOGOUT_PATH}`,
      httpOnly: true,
      sameSite: 'Lax',
      secure: isSecure(c),
    }) as const;

  const browserCookieOf = (c: Context) => (isSecure(c) ? `__Secure-${BROWSER_COOKIE}` : BROWSER_COOKIE);
  /** As a header can carry it; sites beside this one can set whatever they like. */
  const marksOf = (c: Context) => {
    const marks = getCookie(c, browserCookieOf(c));
    return marks !== undefined && MARKS.test(marks) ? marks : undefined;
  };

  /** Elsewhere the browser does not show what it has. */
  function rememberBrowser(c: Context, token: string): void {
    // A browser that comes back from a provider does not show its marks, and would lose those of others.
    if (!c.req.path.startsWith(LOGIN_PATH) || c.req.path.startsWith(CALLBACK_PATH)) return;
    setCookie(c, browserCookieOf(c), browsers.remember(marksOf(c), token), {
      path: `${prefixIn(c)}${LOGIN_PATH}`,
      httpOnly: true,
      sameSite: 'Strict',
      secure: isSecure(c),
      maxAge: BROWSER_MAX_AGE_S,
    });
  }

  return {
    keepAttempt(c, { state, sealed, next }) {
      const value = [state, sealed, encodeURIComponent(next)].join('~');
      setCookie(c, attemptNameOf(c, state), value, {
        ...attemptOptions(c),
        maxAge: ATTEMPT_MAX_AGE_S,
      });
    },

    attemptOf(c, state) {
      const kept = getCookie(c, attemptNameOf(c, state))?.split('~') ?? [];
      const [own = '', sealed = '', next = ''] = kept;
      const isIt = own !== '' && sameDigest(own, state);
      return isIt ? { state, sealed, next: decodedOrRoot(next) } : undefined;
    },

    endAttempt(c, state) {
      deleteCookie(c, attemptNameOf(c, state), { path: pathOf(c), secure: isSecure(c) });
    },

    keepLogoutHint(c, hint) {
      setCookie(c, logoutNameOf(c), hint, logoutOptions(c));
    },
    logoutHintOf: (c) => getCookie(c, logoutNameOf(c)),
    endLogoutHint(c) {
      const { path, secure } = logoutOptions(c);
      deleteCookie(c, logoutNameOf(c), { path, secure });
    },

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

/** Sites beside this one can set any cookie. */
function decodedOrRoot(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '/';
  }
}
