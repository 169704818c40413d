/**
 * Access tokens of another issuer on the REST API (RFC 9068, RFC 8725): a platform claims for its people by its own tokens. They
 * hold where the system's provider of that issuer has an audience, and their subject is linked to a user.
 *
 * What was checked is remembered for a minute, so a token that comes with each request costs two looks into maps. Keys come from
 * the issuer's key set alone, by id, never from the token.
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { ProviderLinks } from '../../actors/accounts/provider-links.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { UserId } from '../../actors/base/ids.ts';
import { Recent } from '../../actors/base/recent.ts';
import type { SendOutbound } from '../../actors/outbound/request.ts';
import type { Provider, Providers } from '../../actors/providers/model.ts';
import { ALGORITHMS, outboundFetch, type ProviderSignIn } from './provider-sign-in.ts';

export interface TokenHolder {
  readonly userId: UserId;
  readonly claimingOnly: boolean;
}

export interface ExternalTokens {
  /** Whose a token is that was checked a moment ago. */
  remembered(token: string): TokenHolder | undefined;
  /** Whether it looks like one of an issuer; false costs next to nothing. */
  mayBe(token: string): boolean;
  /**
   * `bad`: it does not hold. `unavailable`: the issuer's keys cannot be had. `not-ours`: its issuer does not count here. Rejects
   * with `StoreUnavailable`.
   */
  verify(token: string): Promise<TokenHolder | 'bad' | 'unavailable' | 'not-ours'>;
}

interface Needs {
  readonly providers: Pick<Providers, 'ofApi'>;
  readonly providerSignIn: Pick<ProviderSignIn, 'keysAt'>;
  readonly links: Pick<ProviderLinks, 'holder'>;
  readonly send: SendOutbound;
  readonly clock: Clock;
}

const CHARS_MAX = 8_192;
const REMEMBERED_MS = 60_000;
const REMEMBERED_MAX = 10_000;
/** Which issuers count is looked up this often. */
const ISSUERS_TTL_MS = 10_000;
const TOLERANCE_S = 30;
const KEYS_TTL_MS = 600_000;
/** An unknown key id has the key set asked for again, at most this often. */
const KEYS_COOLDOWN_MS = 30_000;
const TIMEOUT_MS = 5_000;
const TYPES = ['at+jwt', 'application/at+jwt'];

export function createExternalTokens({
  providers,
  providerSignIn,
  links,
  send,
  clock,
}: Needs): ExternalTokens {
  const known = new Recent<string, { readonly holder: TokenHolder; readonly until: number }>(REMEMBERED_MAX);
  const keys = new Map<string, JWTVerifyGetKey>();
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

  async function keysOf(provider: Provider): Promise<JWTVerifyGetKey | undefined> {
    const name = `${provider.id} ${provider.version}`;
    const there = keys.get(name);
    if (there !== undefined) return there;
    const url = await providerSignIn.keysAt(provider);
    if (url === undefined) return undefined;
    const again = keys.get(name); // somebody was faster, and has begun to ask
    if (again !== undefined) return again;
    const fresh = lastingKeys(url, send);
    keys.set(name, fresh);
    return fresh;
  }

  async function check(token: string, provider: Provider): Promise<TokenHolder | 'unavailable' | undefined> {
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
      if (error instanceof KeysAway) return 'unavailable';
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
      if (error instanceof DOMException) return undefined; // the issuer's key is none
      throw error;
    }
  }

  /** By two clocks: what is remembered may neither outlast the token nor the minute. */
  function remember(token: string, holder: TokenHolder, expiresAt: number): void {
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

class KeysAway extends Error {}

/** The keys at a URL. Where they cannot be had anew, those that were had last go on. */
function lastingKeys(url: URL, send: SendOutbound): JWTVerifyGetKey {
  const outbound = outboundFetch(send);
  const remote = createRemoteJWKSet(url, {
    cacheMaxAge: KEYS_TTL_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
    timeoutDuration: TIMEOUT_MS,
    [customFetch]: (at, { headers }) =>
      outbound(at, {
        method: 'GET',
        headers: Object.fromEntries(headers),
        body: undefined,
        redirect: 'manual',
      }),
  });
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      if (isAboutTheToken(error)) throw error;
      const last = remote.jwks();
      if (last === undefined) throw new KeysAway();
      return createLocalJWKSet(last)(header, token);
    }
  };
}

function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}
