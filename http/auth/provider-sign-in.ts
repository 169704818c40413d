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
import { type ProviderId, parseId } from '../../actors/base/ids.ts';
import { parsedJson } from '../../actors/base/json.ts';
import { type Log, logBounded } from '../../actors/base/log.ts';
import { Recent } from '../../actors/base/recent.ts';
import { credentialOrNull, type Secrets } from '../../actors/base/secret.ts';
import type { Claims, Provider, Providers } from '../../actors/providers/model.ts';
import {
  type ConfigurationNeeds,
  createConfigurations,
  orRefused,
  type ProviderTrouble,
} from './provider-configurations.ts';

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

/** `attempt-lost`: too old, another browser's, or of a provider that is gone. */
export type CompletionReason = 'attempt-lost' | ProviderTrouble;

export interface ProviderSignInNeeds extends ConfigurationNeeds {
  readonly providers: Pick<Providers, 'findAny' | 'secretOf'>;
  readonly secrets: Secrets;
  readonly log: Log;
}

/** The path of redirect URIs; ThingsBoard's, but the id of the provider follows. */
export const CALLBACK_PATH = '/login/oauth2/code/';
/** How long somebody may take at the provider. */
export const ATTEMPT_MS = 600_000;

/** One test of a tenant's providers in so long: each makes two requests to somebody else's server. */
const TEST_EVERY_MS = 5_000;
const TRIED_MAX = 1_000;
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
