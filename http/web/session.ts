/**
 * The browser's session: a cookie that holds the REST API's refresh token, out of reach of scripts. Every page checks it
 * and draws an access token for this one request, so signing out, a new password or a disabled user end the session
 * everywhere at once.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { tokenPairView, userView } from '../views/user.ts';
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
}

/** A cookie with this prefix browsers take only when it is Secure, of this very host, and for all of its paths. */
const HOST_PREFIX = '__Host-';
const COOKIE = 'claimd-session';
const RENEW_AFTER_S = 24 * 60 * 60;

const claims = z.object({ iat: z.number(), exp: z.number() });

/** @param isSecure whether the request came over HTTPS, as far as can be known */
export function createSessions(isSecure: (c: Context) => boolean, nowMs: () => number): Sessions {
  const cookieOf = (c: Context) => (isSecure(c) ? `${HOST_PREFIX}${COOKIE}` : COOKIE);

  function begin(c: Context, { refreshToken }: TokenPair): void {
    const { exp } = claimsOf(refreshToken);
    setCookie(c, cookieOf(c), refreshToken, {
      path: '/',
      httpOnly: true,
      sameSite: 'Lax',
      secure: isSecure(c),
      maxAge: Math.max(0, Math.floor(exp - nowMs() / 1000)),
    });
  }

  function end(c: Context): void {
    deleteCookie(c, cookieOf(c), { path: '/', secure: isSecure(c) });
  }

  return {
    begin,
    end,

    async read(c, ask) {
      const refreshToken = getCookie(c, cookieOf(c));
      if (refreshToken === undefined) return undefined;
      const anonymous = createApi(ask, undefined);
      const renewed = await anonymous.post('/api/auth/token', { refreshToken }, tokenPairView);
      if (renewed.type === 'refused') {
        if (renewed.status === 401) end(c);
        return undefined;
      }
      if (nowMs() / 1000 - claimsOf(refreshToken).iat > RENEW_AFTER_S) begin(c, renewed.value);
      const api = createApi(ask, renewed.value.token);
      return { api, user: await api.get('/api/auth/user', userView) };
    },
  };
}

/** The claims of a JWT (RFC 7519) that the API has just made or checked, in seconds. */
function claimsOf(token: string): z.output<typeof claims> {
  const [, payload = ''] = token.split('.');
  return claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
}
