/**
 * The browser's session: a cookie with the refresh token of the REST API, which scripts can not read. With every page the
 * token is checked and an access token for this one page is made, so that signing out, a new password or a user that was
 * disabled end the session everywhere at once.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { tokenPairView, userView } from '../views/user.ts';
import { type Api, type Ask, createApi } from './api.ts';

export type User = z.output<typeof userView>;

export interface Session {
  readonly user: User;
  readonly api: Api;
}

export type Pair = z.output<typeof tokenPairView>;

/** Browsers hold on to this prefix: such a cookie is Secure, of this host alone, and for all of it. */
const SAFE_PREFIX = '__Host-';
const NAME = 'claimd-session';
const RENEW_AFTER_S = 24 * 60 * 60;

const payload = z.object({ iat: z.number(), exp: z.number() });

export interface Sessions {
  read(c: Context, ask: Ask): Promise<Session | undefined>;
  /** Signs in: from now on the browser sends the cookie. */
  begin(c: Context, pair: Pair): void;
  end(c: Context): void;
}

/** @param isSecure whether the request came over HTTPS, as far as can be known */
export function createSessions(isSecure: (c: Context) => boolean, nowMs: () => number): Sessions {
  const nameFor = (c: Context) => (isSecure(c) ? `${SAFE_PREFIX}${NAME}` : NAME);

  function begin(c: Context, { refreshToken }: Pair): void {
    const { exp } = readPayload(refreshToken);
    setCookie(c, nameFor(c), refreshToken, {
      path: '/',
      httpOnly: true,
      sameSite: 'Lax',
      secure: isSecure(c),
      maxAge: Math.max(0, Math.floor(exp - nowMs() / 1000)),
    });
  }

  const end = (c: Context) => {
    deleteCookie(c, nameFor(c), { path: '/', secure: isSecure(c) });
  };

  return {
    begin,
    end,

    async read(c, ask) {
      const refreshToken = getCookie(c, nameFor(c));
      if (refreshToken === undefined) return undefined;
      const renewed = await createApi(ask, undefined).post(
        '/api/auth/token',
        { refreshToken },
        tokenPairView,
      );
      if (renewed.type === 'failed') {
        if (renewed.status === 401) end(c);
        return undefined;
      }
      if (nowMs() / 1000 - readPayload(refreshToken).iat > RENEW_AFTER_S) begin(c, renewed.value);
      const api = createApi(ask, renewed.value.token);
      return { api, user: await api.get('/api/auth/user', userView) };
    },
  };
}

/** Of a token that was just made or checked. */
function readPayload(token: string): z.output<typeof payload> {
  const [, body = ''] = token.split('.');
  return payload.parse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')));
}
