/** The keys by which an identity provider signs: from its key set alone, by id, never from a token. */
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import type { Log } from '../../actors/base/log.ts';
import { Recent } from '../../actors/base/recent.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import type { SendOutbound } from '../../actors/outbound/request.ts';
import type { Provider } from '../../actors/providers/model.ts';
import { reportBug } from '../../actors/runtime/supervision.ts';
import { outboundFetch } from './provider-configurations.ts';
import type { ProviderSignIn } from './provider-sign-in.ts';

/** Undefined: the provider does not say now where they are. What it resolves to throws `KeysAway`. */
export type IssuerKeys = (provider: Provider) => Promise<JWTVerifyGetKey | undefined>;

class KeysAway extends Error {}

const KEYS_TTL_MS = 600_000;
/** An unknown key id has the key set asked for again, at most this often. */
const KEYS_COOLDOWN_MS = 30_000;
const TIMEOUT_MS = 5_000;
const PROVIDERS_MAX = 200;

export function createIssuerKeys(
  { keysAt }: Pick<ProviderSignIn, 'keysAt'>,
  send: SendOutbound,
  log: Log,
): IssuerKeys {
  const keys = new Recent<string, { readonly url: URL; readonly getKey: JWTVerifyGetKey }>(PROVIDERS_MAX);

  /** The provider may have moved its keys; who asks for them meanwhile does not wait for that. */
  async function lookAgain(provider: Provider, name: string): Promise<void> {
    const url = await keysAt(provider);
    if (url !== undefined && url.href !== keys.get(name)?.url.href)
      keys.set(name, { url, getKey: lastingKeys(url, send, provider) });
  }

  return async (provider) => {
    const name = `${provider.id} ${provider.version}`;
    const there = keys.get(name);
    if (there !== undefined) {
      lookAgain(provider, name).catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) reportBug(log, 'http request', error);
      });
      return there.getKey;
    }
    const url = await keysAt(provider);
    if (url === undefined) return undefined;
    const again = keys.get(name); // somebody was faster, and has begun to ask
    if (again !== undefined) return again.getKey;
    const getKey = lastingKeys(url, send, provider);
    keys.set(name, { url, getKey });
    return getKey;
  };
}

/**
 * What checking a token by them means that did not succeed: `unavailable` says nothing of the token, `bad` does. Undefined: it is a
 * bug.
 */
export function meaningOf(error: unknown): 'unavailable' | 'bad' | undefined {
  if (error instanceof KeysAway) return 'unavailable';
  if (error instanceof errors.JOSEError || error instanceof TypeError) return 'bad';
  return error instanceof DOMException ? 'bad' : undefined; // the issuer's key is none
}

/** The keys at a URL. Where they cannot be had anew, those that were had last go on. */
function lastingKeys(url: URL, send: SendOutbound, provider: Provider): JWTVerifyGetKey {
  const outbound = outboundFetch(send, provider);
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
