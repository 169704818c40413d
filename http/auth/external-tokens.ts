/**
 * Access tokens of another issuer on the REST API (RFC 9068, RFC 8725): a platform claims for its people by its own tokens. They
 * hold where the system's provider of that issuer has an audience, and their subject is linked to a user.
 *
 * What was checked is remembered for a minute, so a token that comes with each request costs two looks into maps. Keys come from
 * the issuer's key set alone, by id, never from the token.
 */
import { decodeJwt, jwtVerify } from 'jose';
import type { LinkHolder, ProviderLinks } from '../../actors/accounts/provider-links.ts';
import type { Clock } from '../../actors/base/clock.ts';
import { Recent } from '../../actors/base/recent.ts';
import type { Provider, Providers } from '../../actors/providers/model.ts';
import { type IssuerKeys, meaningOf } from './issuer-keys.ts';
import { ALGORITHMS } from './provider-configurations.ts';

export interface ExternalTokens {
  /** Whose a token is that was checked a moment ago. */
  remembered(token: string): LinkHolder | undefined;
  /** Whether it looks like one of an issuer; false costs next to nothing. */
  mayBe(token: string): boolean;
  /**
   * `bad`: it does not hold. `unavailable`: the issuer's keys cannot be had. `not-ours`: its issuer does not count here. Rejects
   * with `StoreUnavailable`.
   */
  verify(token: string): Promise<LinkHolder | 'bad' | 'unavailable' | 'not-ours'>;
}

interface Needs {
  readonly providers: Pick<Providers, 'ofApi'>;
  readonly keysOf: IssuerKeys;
  readonly links: Pick<ProviderLinks, 'holder'>;
  readonly clock: Clock;
}

const CHARS_MAX = 8_192;
const REMEMBERED_MS = 60_000;
const REMEMBERED_MAX = 10_000;
/** Which issuers count is looked up this often. */
const ISSUERS_TTL_MS = 10_000;
const TOLERANCE_S = 30;
const TYPES = ['at+jwt', 'application/at+jwt'];

export function createExternalTokens({ providers, keysOf, links, clock }: Needs): ExternalTokens {
  const known = new Recent<string, { readonly holder: LinkHolder; readonly until: number }>(REMEMBERED_MAX);
  let issuers: { readonly at: number; readonly found: Promise<readonly Provider[]> } | undefined;

  function issuersOfLate(): Promise<readonly Provider[]> {
    const now = clock.elapsed();
    if (issuers !== undefined && now - issuers.at < ISSUERS_TTL_MS) return issuers.found;
    const asked = { at: now, found: providers.ofApi() };
    issuers = asked;
    asked.found.catch(() => {
      if (issuers === asked) issuers = undefined; // failures are not remembered
    });
    return asked.found;
  }

  async function check(token: string, provider: Provider): Promise<LinkHolder | 'unavailable' | undefined> {
    const getKey = await keysOf(provider);
    if (getKey === undefined) return 'unavailable';
    const { issuer, apiAudience } = provider;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, getKey, {
        issuer,
        audience: apiAudience ?? '',
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: TOLERANCE_S,
        currentDate: new Date(clock.now()),
      });
      if (!isAccessToken(protectedHeader.typ, provider)) return undefined;
      const { sub, exp = 0 } = payload;
      if (typeof sub !== 'string') return undefined;
      const holder = await links.holder({ tenantId: null, iss: issuer, sub });
      if (holder === undefined) return undefined;
      remember(token, holder, exp * 1000);
      return holder;
    } catch (error) {
      const meaning = meaningOf(error);
      if (meaning === undefined) throw error;
      return meaning === 'unavailable' ? 'unavailable' : undefined;
    }
  }

  /** By two clocks: what is remembered may neither outlast the token nor the minute. */
  function remember(token: string, holder: LinkHolder, expiresAt: number): void {
    const left = Math.min(expiresAt - clock.now(), REMEMBERED_MS);
    if (left > 0) known.set(token, { holder, until: clock.elapsed() + left });
  }

  return {
    remembered(token) {
      const there = known.get(token);
      if (there === undefined) return undefined;
      if (there.until > clock.elapsed()) return there.holder;
      known.delete(token);
      return undefined;
    },

    mayBe: (token) => token.length <= CHARS_MAX && issuerOf(token) !== undefined,

    async verify(token) {
      const issuer = issuerOf(token);
      const all = await issuersOfLate();
      const its = all.filter((one) => one.issuer === issuer);
      for (const provider of its) {
        const holder = await check(token, provider);
        if (holder !== undefined) return holder;
      }
      return its.length === 0 ? 'not-ours' : 'bad';
    },
  };
}

function isAccessToken(typ: string | undefined, { apiTakesPlainJwt }: Provider): boolean {
  const lower = typ?.toLowerCase() ?? 'jwt';
  return TYPES.includes(lower) || (apiTakesPlainJwt === true && lower === 'jwt');
}

/** What the token says of itself, which nobody has checked. */
function issuerOf(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined; // it is no token
  }
}
