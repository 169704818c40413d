/**
 * JSON Web Tokens as ThingsBoard's clients read them: HS512, `exp` and `iat` in seconds, ThingsBoard's claims. One
 * claim is ours: `credentialsVersion`, the count of the user's passwords at the time; a token of an older count is
 * outdated, to the very change, whatever the clocks say.
 */
import { randomUUID } from 'node:crypto';
import { createSigner, createVerifier, TOKEN_ERROR_CODES, TokenError } from 'fast-jwt';
import { z } from 'zod';
import type { User } from '../actors/accounts.ts';
import type { Clock } from '../actors/clock.ts';
import { parseId, type UserId } from '../actors/ids.ts';
import type { TokenSettings } from './settings.ts';
import { customerOf, tenantOf } from './views.ts';

export interface TokenPair {
  readonly token: string;
  readonly refreshToken: string;
}

/** What a token proves. */
export interface Claims {
  readonly userId: UserId;
  readonly sessionId: string;
  readonly credentialsVersion: number;
}

export type Reading =
  | { readonly type: 'good'; readonly claims: Claims }
  /** No token of ours, or not of the kind that was asked for. */
  | { readonly type: 'unreadable' }
  /** Expired, or signed with another key: logging in again helps. */
  | { readonly type: 'outdated' };

export interface Tokens {
  /** @param sessionId of the session that is continued; a new one without it */
  issue(user: User, sessionId?: string): TokenPair;
  readAccess(token: string): Reading;
  readRefresh(token: string): Reading;
}

const REFRESH_SCOPE = 'REFRESH_TOKEN';
const VERIFIED_MAX = 20_000;

const claims = z.object({
  userId: z.string(),
  sessionId: z.string(),
  credentialsVersion: z.int(),
  scopes: z.array(z.string()),
  exp: z.number(),
});

export function createTokens(settings: TokenSettings, clock: Clock): Tokens {
  const { signingKey: key, issuer } = settings;
  const sign = createSigner({ algorithm: 'HS512', key, noTimestamp: true });
  // The cache is keyed by a digest of the token; expiry is checked below, by our own clock.
  const verify = createVerifier({
    algorithms: ['HS512'],
    key,
    allowedIss: issuer,
    ignoreExpiration: true,
    cache: VERIFIED_MAX,
  });

  function read(token: string, wanted: 'access' | 'refresh'): Reading {
    let payload: unknown;
    try {
      payload = verify(token);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      return { type: error.code === TOKEN_ERROR_CODES.invalidSignature ? 'outdated' : 'unreadable' };
    }
    const { success, data } = claims.safeParse(payload);
    const userId = success ? parseId<UserId>(data.userId) : undefined;
    if (!success || userId === undefined) return { type: 'unreadable' };
    if (data.scopes.includes(REFRESH_SCOPE) !== (wanted === 'refresh')) return { type: 'unreadable' };
    if (clock.now() >= data.exp * 1000) return { type: 'outdated' };
    const { sessionId, credentialsVersion } = data;
    return { type: 'good', claims: { userId, sessionId, credentialsVersion } };
  }

  return {
    issue(user, sessionId = randomUUID()) {
      const iat = Math.floor(clock.now() / 1000);
      const common = {
        sub: user.email,
        userId: user.id,
        sessionId,
        credentialsVersion: user.credentialsVersion,
        iss: issuer,
        iat,
        isPublic: false,
      };
      return {
        token: sign({
          ...common,
          scopes: [user.membership.authority],
          exp: iat + settings.accessExpiresInSeconds,
          firstName: user.firstName,
          lastName: user.lastName,
          enabled: user.enabled,
          tenantId: tenantOf(user.membership),
          customerId: customerOf(user.membership),
        }),
        refreshToken: sign({
          ...common,
          scopes: [REFRESH_SCOPE],
          exp: iat + settings.refreshExpiresInSeconds,
          jti: randomUUID(),
        }),
      };
    },
    readAccess: (token) => read(token, 'access'),
    readRefresh: (token) => read(token, 'refresh'),
  };
}
