/**
 * What identity providers say of themselves, and how they are asked anything: by the library for OpenID Connect, through the
 * door for other people's servers. The library's errors become reasons here.
 */
import * as client from 'openid-client';
import { z } from 'zod';
import type { Clock } from '../../actors/base/clock.ts';
import { parsedJson } from '../../actors/base/json.ts';
import { Recent } from '../../actors/base/recent.ts';
import type { SendOutbound } from '../../actors/outbound/request.ts';
import type { Provider, Providers } from '../../actors/providers/model.ts';

export interface ConfigurationNeeds {
  readonly providers: Pick<Providers, 'secretOf'>;
  readonly send: SendOutbound;
  /** Whether providers may be without TLS. */
  readonly allowHttp: boolean;
  readonly clock: Clock;
}

/** `denied`: the person or the provider said no. `provider-wrong`: its answer does not hold. */
export type ProviderTrouble = 'denied' | 'provider-away' | 'provider-wrong';

/** Symmetric ones and `none` are missing: whoever knows the client's secret, or nothing, must not sign as the provider. */
export const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519', 'RS384', 'RS512', 'ES384', 'ES512'];
const METADATA_TTL_MS = 600_000;
const FAILURE_TTL_MS = 5_000;
const TIMEOUT_MS = 5_000;
const ANSWER_BYTES_MAX = 262_144;
const METADATA_MAX = 100;
const STATUSES_WITHOUT_BODY = [204, 205, 304];

class ProviderAway extends Error {}

/** The metadata of providers, each asked for at most once in ten minutes; the library keeps their keys beside them. */
export function createConfigurations({ providers, send, allowHttp, clock }: ConfigurationNeeds) {
  const known = new Recent<
    string,
    { readonly until: number; readonly configuration: Promise<client.Configuration> }
  >(METADATA_MAX);

  async function discover(provider: Provider): Promise<client.Configuration> {
    const secret = providers.secretOf(provider);
    const { clientId, clientAuthentication, issuer } = provider;
    const fetchOutbound = outboundFetch(send, provider);
    const options = {
      [client.customFetch]: fetchOutbound,
      timeout: TIMEOUT_MS / 1000,
      execute: allowHttp ? [client.allowInsecureRequests] : [],
    };
    const how =
      clientAuthentication === 'NONE' || secret === undefined
        ? client.None()
        : clientAuthentication === 'POST'
          ? client.ClientSecretPost(secret)
          : client.ClientSecretBasic(secret);
    const found = await client.discovery(new URL(issuer), clientId, {}, how, options);
    const { supportsPKCE: _, ...metadata } = found.serverMetadata();
    // To the letter: what is asked may be written in another way than what it says of itself.
    if (metadata.issuer !== issuer) throw new client.ClientError('another issuer');
    const at: unknown = metadata.authorization_endpoint;
    const { protocol } = new URL(typeof at === 'string' ? at : '');
    if (protocol !== 'https:' && !(allowHttp && protocol === 'http:'))
      throw new client.ClientError('no authorization endpoint');
    const offered = metadata.id_token_signing_alg_values_supported ?? ['RS256'];
    const configuration = new client.Configuration(
      {
        ...metadata,
        id_token_signing_alg_values_supported: offered.filter((one) => ALGORITHMS.includes(one)),
      },
      clientId,
      {},
      how,
    );
    configuration[client.customFetch] = fetchOutbound;
    configuration.timeout = TIMEOUT_MS / 1000;
    if (allowHttp) client.allowInsecureRequests(configuration);
    client.enableNonRepudiationChecks(configuration); // checks signatures although TLS brought the token
    return configuration;
  }

  const keyOf = ({ id, version }: Provider) => `${id} ${version}`;

  function of(provider: Provider): Promise<client.Configuration> {
    const key = keyOf(provider);
    const now = clock.elapsed();
    const there = known.get(key);
    if (there !== undefined && there.until > now) return there.configuration;
    const configuration = discover(provider);
    known.set(key, { until: now + METADATA_TTL_MS, configuration });
    configuration.catch(() => {
      // Whoever comes next asks again, but not each of a crowd.
      if (known.get(key)?.configuration === configuration)
        known.set(key, { until: clock.elapsed() + FAILURE_TTL_MS, configuration });
    });
    return configuration;
  }

  /** Asks, whatever is remembered; remembers what is good. The library that checks tokens keeps its keys by the configuration. */
  async function anew(
    provider: Provider,
  ): Promise<{ readonly configuration: client.Configuration; readonly keys: number }> {
    const configuration = await discover(provider);
    const at = configuration.serverMetadata().jwks_uri ?? '';
    if (!URL.canParse(at)) return { configuration, keys: 0 };
    const options = { method: 'GET', headers: { accept: 'application/json' }, body: undefined } as const;
    const answer = await outboundFetch(send, provider)(at, { ...options, redirect: 'manual' });
    const keys = answer.status === 200 ? signingKeysIn(await answer.text()) : 0;
    if (keys > 0) {
      const until = clock.elapsed() + METADATA_TTL_MS;
      known.set(keyOf(provider), { until, configuration: Promise.resolve(configuration) });
    }
    return { configuration, keys };
  }

  return { of, anew };
}

const keySet = z.object({
  keys: z.array(z.object({ kty: z.string(), use: z.string().optional(), alg: z.string().optional() })),
});

/** How many keys of a set (RFC 7517) may sign an id_token. */
function signingKeysIn(text: string): number {
  const { data } = keySet.safeParse(parsedJson(text));
  const keys = data?.keys ?? [];
  return keys.filter(
    ({ kty, use = 'sig', alg }) =>
      kty !== 'oct' && use === 'sig' && (alg === undefined || ALGORITHMS.includes(alg)),
  ).length;
}

/** The library's `fetch`, through the one door out. */
export function outboundFetch(
  send: SendOutbound,
  { tenantId }: Pick<Provider, 'tenantId'>,
): client.CustomFetch {
  return async (url, { method, headers, body }) => {
    const text = body instanceof URLSearchParams ? body.toString() : body;
    if (text !== undefined && text !== null && typeof text !== 'string')
      throw new Error('an identity provider was to be sent something that is no text');
    const answer = await send({
      url: new URL(url),
      tenantId,
      method: method === 'POST' ? 'POST' : 'GET',
      headers,
      ...(typeof text === 'string' ? { body: text } : {}),
      timeoutMs: TIMEOUT_MS,
      answerBytesMax: ANSWER_BYTES_MAX,
    });
    if (answer.type === 'failed') throw new ProviderAway(answer.why);
    if (answer.isCut || answer.status >= 500 || answer.status < 200) throw new ProviderAway('no answer');
    const more = Object.entries(answer.headers).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value] as [string, string]] : [],
    );
    const hasBody = !STATUSES_WITHOUT_BODY.includes(answer.status);
    return new Response(hasBody ? new Uint8Array(answer.body) : null, {
      status: answer.status,
      headers: more,
    });
  };
}

/** What asking a provider came to. Bugs are thrown on. */
export async function orRefused<Value>(
  ask: () => Promise<Value>,
): Promise<
  | { readonly type: 'good'; readonly value: Value }
  | { readonly type: 'refused'; readonly why: ProviderTrouble; readonly code: string }
> {
  try {
    return { type: 'good', value: await ask() };
  } catch (error) {
    const why = reasonOf(error);
    if (why === undefined) throw error;
    return { type: 'refused', why, code: codeOf(error) };
  }
}

/** A word for the log: the provider's own of RFC 6749, or the library's. What else a provider writes stays out. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if (error.cause instanceof ProviderAway) return error.cause.message;
  const words: unknown[] = ['error' in error && error.error, 'code' in error && error.code];
  const word = words.find((text) => typeof text === 'string' && /^\w{1,60}$/.test(text));
  return typeof word === 'string' ? word : error instanceof TypeError ? 'malformed' : error.message;
}

/** What an error of the library means; undefined: it is a bug. */
function reasonOf(error: unknown): ProviderTrouble | undefined {
  if (error instanceof ProviderAway) return 'provider-away';
  if (!(error instanceof Error)) return undefined;
  if (error.cause instanceof ProviderAway) return 'provider-away';
  if (error instanceof TypeError) return 'provider-wrong'; // the library's word for metadata that make no sense
  if (error instanceof client.AuthorizationResponseError) return 'denied';
  if (error instanceof client.ResponseBodyError) return 'provider-wrong';
  if (error instanceof client.WWWAuthenticateChallengeError) return 'provider-wrong';
  return error instanceof client.ClientError ? 'provider-wrong' : undefined;
}
