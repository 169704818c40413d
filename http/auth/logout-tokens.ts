/**
 * Logout tokens: an identity provider says that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0). Checked
 * as §2.6 has it, and each is good once. One without `sub` is refused: sessions are found by the person.
 */
import { jwtVerify } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../actors/base/clock.ts';
import { type Counters, memoryCounters } from '../../actors/limits/counters.ts';
import type { Provider } from '../../actors/providers/model.ts';
import { type IssuerKeys, meaningOf } from './issuer-keys.ts';
import { ALGORITHMS } from './provider-configurations.ts';

type LogoutToken =
  | {
      readonly type: 'good';
      readonly sub: string;
      readonly sid: string | undefined;
      /** To be called when the sessions have ended: the token is good no more. Before that it may come again after a fault. */
      readonly useUp: () => Promise<unknown>;
    }
  /** In one sentence, for whoever sets the provider up. */
  | { readonly type: 'bad'; readonly why: string }
  | { readonly type: 'unavailable' };

export type ReadLogoutToken = (provider: Provider, token: string) => Promise<LogoutToken>;

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const TOLERANCE_S = 30;
/** How old a token may be, whatever it says of its end (§4 advises two minutes at most). */
const AGE_MAX_S = 120;
/** For longer than any token holds. */
const USED_MS = 2 * (AGE_MAX_S + 2 * TOLERANCE_S) * 1_000;
const TEXT_MAX = 255;

const text = z.string().min(1).max(TEXT_MAX);
const claimsShape = z.object({
  jti: text,
  sub: text,
  sid: text.optional(),
  events: z.object({ [EVENT]: z.object({}) }),
  nonce: z.never().optional(),
});

export function createLogoutTokens(
  keysOf: IssuerKeys,
  clock: Clock,
  counters: Counters = memoryCounters,
): ReadLogoutToken {
  const used = counters('logout-token', { windowMs: USED_MS });

  async function check(provider: Provider, token: string): Promise<LogoutToken> {
    const keys = await keysOf(provider);
    if (keys === undefined) return { type: 'unavailable' };
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: provider.issuer,
      audience: provider.clientId,
      algorithms: ALGORITHMS,
      requiredClaims: ['iat', 'exp'],
      maxTokenAge: AGE_MAX_S,
      clockTolerance: TOLERANCE_S,
      currentDate: new Date(clock.now()),
    });
    // An id_token of an older provider bears no type of its own; it has a nonce or lacks the event.
    const typ = protectedHeader.typ?.toLowerCase() ?? 'jwt';
    if (typ !== 'logout+jwt' && typ !== 'jwt') return { type: 'bad', why: 'typ is another' };
    const claims = claimsShape.safeParse(payload);
    if (!claims.success)
      return {
        type: 'bad',
        why: `${claims.error.issues[0]?.path.join('.') ?? 'claims'} is missing or wrong`,
      };
    const { jti, sub, sid } = claims.data;
    const key = `${provider.id} ${jti}`;
    const { count } = await used.get(key);
    if (count > 0) return { type: 'bad', why: 'jti was used before' };
    return { type: 'good', sub, sid, useUp: () => used.add(key) };
  }

  return async (provider, token) => {
    try {
      return await check(provider, token);
    } catch (error) {
      switch (meaningOf(error)) {
        case 'unavailable':
          return { type: 'unavailable' };
        case 'bad':
          return {
            type: 'bad',
            why: 'the token is not signed by the provider for this client, or not of now',
          };
        default:
          throw error;
      }
    }
  };
}
