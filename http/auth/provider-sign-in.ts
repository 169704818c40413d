/**
 * Signing in by an identity provider: OpenID Connect Core 3.1 (code flow), with PKCE (RFC 7636), state and nonce always, and
 * `iss` in the answer (RFC 9207) where the provider sends it. Each provider has a redirect URI of its own, so the answer of one
 * is never taken to another (RFC 9700, 4.4).
 *
 * What is to be known when the person comes back is sealed and given to the browser, so any process can go on with it, and
 * nothing is kept here. Everything that is asked of the provider goes through the door for other people's servers.
 */
import * as client from 'openid-client';
import { z } from 'zod';
import type { SessionVia } from '../../actors/accounts/accounts.ts';
import type { Clock } from '../../actors/base/clock.ts';
import { type ProviderId, parseId } from '../../actors/base/ids.ts';
import { parsedJson } from '../../actors/base/json.ts';
import { type Log, logBounded } from '../../actors/base/log.ts';
import { Recent } from '../../actors/base/recent.ts';
import { credentialOrNull, type Secrets } from '../../actors/base/secret.ts';
import type { SendOutbound } from '../../actors/outbound/request.ts';
import type { Claims, Provider, Providers } from '../../actors/providers/model.ts';

export interface ProviderSignIn {
  /** Where the browser goes, and what it keeps until it is back. @param base what links to this server begin with */
  begin(
    provider: Provider,
    base: string,
  ): Promise<{ readonly type: 'begun'; readonly url: string; readonly attempt: string } | Refused>;
  /** Who has come back. @param answer the query of the redirect URI, without its question mark */
  complete(attempt: string, answer: string): Promise<Completed>;
  /** What was sealed for signing out there; undefined: it is not ours. */
  openHint(hint: string): { readonly providerId: ProviderId; readonly idToken: string } | undefined;
  /** Where the browser signs out at the provider, which sends it to `back`; undefined: it cannot be asked. */
  endSessionUrl(provider: Provider, idToken: string, back: string): Promise<string | undefined>;
  /** Where the keys of a provider are; undefined: it does not say so now. */
  keysAt(provider: Provider): Promise<URL | undefined>;
  /**
   * Asks the provider anew, whatever is remembered of it, for what it says of itself and for its keys. What is good is used for
   * sign-ins of this process from then on; what is not leaves them as they were. Each is asked once in some seconds.
   */
  test(provider: Provider): Promise<ProviderTest>;
}

type ProviderTest =
  | {
      readonly type: 'good';
      readonly authorizationUri: string;
      /** How many keys it has by which it may sign. */
      readonly keys: number;
      readonly offersLogout: boolean;
    }
  /** `no-keys`: by what it shows, no token of it could be checked. */
  | { readonly type: 'refused'; readonly why: 'provider-away' | 'provider-wrong' | 'no-keys' }
  | { readonly type: 'too-soon'; readonly waitMs: number };

interface Refused {
  readonly type: 'refused';
  readonly why: CompletionReason;
}

type Completed =
  | {
      readonly type: 'known';
      readonly provider: Provider;
      readonly claims: Claims;
      readonly via: SessionVia;
      /** For signing out there; null: the provider does not offer that. */
      readonly logoutHint: string | null;
    }
  | Refused;

/**
 * `attempt-lost`: too old, another browser's, or of a provider that is gone. `denied`: the person or the provider said no.
 * `provider-wrong`: its answer does not hold.
 */
export type CompletionReason = 'attempt-lost' | 'denied' | 'provider-away' | 'provider-wrong';

export interface ProviderSignInNeeds {
  readonly providers: Pick<Providers, 'findAny' | 'secretOf'>;
  readonly secrets: Secrets;
  readonly send: SendOutbound;
  /** Whether providers may be without TLS. */
  readonly allowHttp: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** The path of redirect URIs; ThingsBoard's, but the id of the provider follows. */
export const CALLBACK_PATH = '/login/oauth2/code/';
/** How long somebody may take at the provider. */
export const ATTEMPT_MS = 600_000;

/** Symmetric ones and `none` are missing: whoever knows the client's secret, or nothing, must not sign as the provider. */
export const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519', 'RS384', 'RS512', 'ES384', 'ES512'];
const METADATA_TTL_MS = 600_000;
const FAILURE_TTL_MS = 5_000;
const TIMEOUT_MS = 5_000;
const ANSWER_BYTES_MAX = 262_144;
const METADATA_MAX = 100;
/** One test of a tenant's providers in so long: each makes two requests to somebody else's server. */
const TEST_EVERY_MS = 5_000;
const TRIED_MAX = 1_000;
const STATUSES_WITHOUT_BODY = [204, 205, 304];

const attemptShape = z.object({
  verifier: z.string(),
  state: z.string(),
  nonce: z.string(),
  redirectUri: z.url(),
  expiresAt: z.number(),
});

const hintShape = z.object({ idToken: z.string() });
/** A longer id_token would not fit into a cookie; then the provider has to ask who signs out. */
const HINT_CHARS_MAX = 2_400;

class ProviderAway extends Error {}

export function createProviderSignIn(needs: ProviderSignInNeeds): ProviderSignIn {
  const { providers, secrets, clock, log } = needs;
  const configurations = createConfigurations(needs);
  const configurationOf = configurations.of;
  /** When a provider of a tenant, or of the system, may be tried again. */
  const triedUntil = new Recent<string, number>(TRIED_MAX);

  /** What is not the person's doing is for whoever runs the server: a secret that has expired, a provider that is away. */
  async function orTold<Value>({ id, tenantId }: Provider, ask: () => Promise<Value>) {
    const tried = await orRefused(ask);
    if (tried.type === 'refused' && tried.code !== 'access_denied') {
      const fields = { providerId: id, tenantId, why: tried.why, code: tried.code };
      logBounded(log, 'warn', clock.elapsed(), fields, 'an identity provider does not sign somebody in');
    }
    return tried;
  }

  function open(attempt: string) {
    const [id = '', sealed = ''] = attempt.split('.', 2);
    const providerId = parseId<ProviderId>(id);
    const text = providerId === undefined ? null : credentialOrNull(secrets, providerId, sealed);
    if (providerId === undefined || text === null) return undefined;
    const { data } = attemptShape.safeParse(parsedJson(text));
    return data === undefined || data.expiresAt <= clock.now() ? undefined : { ...data, providerId };
  }

  return {
    async begin(provider, base) {
      const configuration = await orTold(provider, () => configurationOf(provider));
      if (configuration.type === 'refused') return configuration;
      const verifier = client.randomPKCECodeVerifier();
      const state = client.randomState();
      const nonce = client.randomNonce();
      const redirectUri = `${base}${CALLBACK_PATH}${provider.id}`;
      const url = client.buildAuthorizationUrl(configuration.value, {
        redirect_uri: redirectUri,
        scope: [...new Set(['openid', ...provider.scopes])].join(' '),
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
      const attempt = { verifier, state, nonce, redirectUri, expiresAt: clock.now() + ATTEMPT_MS };
      const sealed = secrets.sealCredential(provider.id, JSON.stringify(attempt));
      return { type: 'begun', url: url.href, attempt: `${provider.id}.${sealed}` };
    },

    async keysAt(provider) {
      const configuration = await orTold(provider, () => configurationOf(provider));
      const at = configuration.type === 'good' ? configuration.value.serverMetadata().jwks_uri : undefined;
      return at === undefined || !URL.canParse(at) ? undefined : new URL(at);
    },

    async test(provider) {
      const whose = provider.tenantId ?? 'system';
      const now = clock.elapsed();
      const waitMs = (triedUntil.get(whose) ?? now) - now;
      if (waitMs > 0) return { type: 'too-soon', waitMs };
      triedUntil.set(whose, now + TEST_EVERY_MS);
      const tried = await orRefused(() => configurations.anew(provider));
      if (tried.type === 'refused')
        return { type: 'refused', why: tried.why === 'provider-away' ? 'provider-away' : 'provider-wrong' };
      const { configuration, keys } = tried.value;
      if (keys === 0) return { type: 'refused', why: 'no-keys' };
      const { authorization_endpoint: authorizationUri = '' } = configuration.serverMetadata();
      return { type: 'good', authorizationUri, keys, offersLogout: offersLogout(configuration) };
    },

    openHint(hint) {
      const [id = '', sealed = ''] = hint.split('.', 2);
      const providerId = parseId<ProviderId>(id);
      const text = providerId === undefined ? null : credentialOrNull(secrets, providerId, sealed);
      const { data } = hintShape.safeParse(text === null ? undefined : parsedJson(text));
      return providerId === undefined || data === undefined
        ? undefined
        : { providerId, idToken: data.idToken };
    },

    async endSessionUrl(provider, idToken, back) {
      const configuration = await orTold(provider, () => configurationOf(provider));
      if (configuration.type === 'refused' || !offersLogout(configuration.value)) return undefined;
      const hint: Record<string, string> = idToken === '' ? {} : { id_token_hint: idToken };
      return client.buildEndSessionUrl(configuration.value, { ...hint, post_logout_redirect_uri: back }).href;
    },

    async complete(attempt, answer) {
      const opened = open(attempt);
      const provider = opened && (await providers.findAny(opened.providerId));
      if (opened === undefined || provider === undefined) return { type: 'refused', why: 'attempt-lost' };
      const configuration = await orTold(provider, () => configurationOf(provider));
      if (configuration.type === 'refused') return configuration;
      const url = new URL(opened.redirectUri);
      url.search = answer;
      const redeemed = await orTold(provider, () => redeem(configuration.value, url, opened));
      if (redeemed.type === 'refused') return redeemed;
      const { claims, sid, idToken } = redeemed.value;
      const via = { providerId: provider.id, ...(sid === null ? {} : { sid }) };
      const hint = JSON.stringify({ idToken: idToken.length > HINT_CHARS_MAX ? '' : idToken });
      const logoutHint = offersLogout(configuration.value)
        ? `${provider.id}.${secrets.sealCredential(provider.id, hint)}`
        : null;
      return { type: 'known', provider, claims, via, logoutHint };
    },
  };
}

type Opened = Pick<z.output<typeof attemptShape>, 'verifier' | 'state' | 'nonce'>;

/** The code becomes an id_token, whose signature and claims are checked. */
async function redeem(
  configuration: client.Configuration,
  url: URL,
  { verifier, state, nonce }: Opened,
): Promise<{ readonly claims: Claims; readonly sid: string | null; readonly idToken: string }> {
  const tokens = await client.authorizationCodeGrant(configuration, url, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
  const inToken = tokens.claims();
  if (inToken === undefined) throw new client.ClientError('no id_token');
  const { iss, sub } = inToken;
  const asks = inToken.email === undefined && configuration.serverMetadata().userinfo_endpoint !== undefined;
  const info = asks ? await client.fetchUserInfo(configuration, tokens.access_token, sub) : inToken;
  const claims = {
    iss,
    sub,
    email: textOf(info.email) ?? undefined,
    emailVerified:
      isTrue(info.email_verified) ||
      (iss.startsWith(ENTRA) && (isTrue(info.xms_edov) || info.xms_edov === 1 || info.xms_edov === '1')),
    firstName: textOf(info.given_name),
    lastName: textOf(info.family_name),
  };
  return { claims, sid: textOf(inToken.sid), idToken: tokens.id_token ?? '' };
}

/** A provider may not lead people anywhere but to a page. */
function offersLogout(configuration: client.Configuration): boolean {
  const at: unknown = configuration.serverMetadata().end_session_endpoint;
  return typeof at === 'string' && URL.canParse(at) && /^https?:$/.test(new URL(at).protocol);
}

/** It says in an optional claim of its own whether the owner of the address's domain has been checked. */
const ENTRA = 'https://login.microsoftonline.com/';

/** Some send a text. */
const isTrue = (value: unknown): boolean => value === true || value === 'true';

const TEXT_MAX = 255;

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= TEXT_MAX ? value : null;
}

/** The metadata of providers, each asked for at most once in ten minutes; the library keeps their keys beside them. */
function createConfigurations({ providers, send, allowHttp, clock }: ProviderSignInNeeds) {
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

async function orRefused<Value>(
  ask: () => Promise<Value>,
): Promise<
  | { readonly type: 'good'; readonly value: Value }
  | { readonly type: 'refused'; readonly why: CompletionReason; readonly code: string }
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
function reasonOf(error: unknown): CompletionReason | undefined {
  if (error instanceof ProviderAway) return 'provider-away';
  if (!(error instanceof Error)) return undefined;
  if (error.cause instanceof ProviderAway) return 'provider-away';
  if (error instanceof TypeError) return 'provider-wrong'; // the library's word for metadata that make no sense
  if (error instanceof client.AuthorizationResponseError) return 'denied';
  if (error instanceof client.ResponseBodyError) return 'provider-wrong';
  if (error instanceof client.WWWAuthenticateChallengeError) return 'provider-wrong';
  return error instanceof client.ClientError ? 'provider-wrong' : undefined;
}
