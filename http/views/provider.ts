/** What clients see of an identity provider, in ThingsBoard's shape: never its secret. */
import { z } from 'zod';
import { NULL_UUID } from '../../actors/base/ids.ts';
import { CLIENT_AUTHENTICATIONS, type Provider } from '../../actors/providers/model.ts';
import { CALLBACK_PATH } from '../auth/provider-sign-in.ts';
import { instant, uuid } from './parts.ts';
import { loginView } from './user.ts';

const reference = <Type extends string>(entityType: Type) =>
  z.object({ entityType: z.literal(entityType), id: uuid });

export const providerView = z
  .object({
    id: reference('OAUTH2_CLIENT'),
    createdTime: instant,
    /** The null id: of the system. */
    tenantId: reference('TENANT'),
    version: z.int(),
    title: z.string(),
    /** Ours: everything else about the provider is found there. */
    issuer: z.string(),
    clientId: z.string(),
    /** Ours: whether there is a secret, which nobody is shown. */
    hasClientSecret: z.boolean(),
    clientAuthenticationMethod: z.enum(CLIENT_AUTHENTICATIONS),
    scope: z.array(z.string()),
    loginButtonLabel: z.string(),
    loginButtonIcon: z.string().nullable(),
    /** Ours: to be registered at the provider. */
    redirectUri: z.string(),
    /** Ours: of whom people become customers, for a provider of the system. */
    signUpTenantId: uuid.nullable(),
    /** Ours: whose addresses the provider may vouch for. */
    allowedEmailDomains: z.array(z.string()),
    /** Ours: access tokens for this audience are taken on the REST API. */
    apiAudience: z.string().nullable(),
    apiTakesPlainJwt: z.boolean(),
    mapperConfig: z.object({
      allowUserCreation: z.boolean(),
      activateUser: z.literal(true),
      type: z.literal('BASIC'),
      basic: z.object({ customerNamePattern: z.string() }),
    }),
  })
  .meta({ id: 'OAuth2Client' });

export function viewProvider(provider: Provider, base: string): z.output<typeof providerView> {
  const { id, tenantId, createdAt, version, title, issuer, clientId, scopes, emailDomains } = provider;
  return {
    id: { entityType: 'OAUTH2_CLIENT', id },
    createdTime: createdAt,
    tenantId: { entityType: 'TENANT', id: tenantId ?? NULL_UUID },
    version,
    title,
    issuer,
    clientId,
    hasClientSecret: provider.sealedSecret !== null,
    clientAuthenticationMethod: provider.clientAuthentication,
    scope: [...scopes],
    loginButtonLabel: provider.buttonLabel,
    loginButtonIcon: provider.buttonIcon,
    redirectUri: `${base}${CALLBACK_PATH}${id}`,
    signUpTenantId: provider.signUpTenantId,
    allowedEmailDomains: [...emailDomains],
    apiAudience: provider.apiAudience ?? null,
    apiTakesPlainJwt: provider.apiTakesPlainJwt ?? false,
    mapperConfig: {
      allowUserCreation: provider.signsUp,
      activateUser: true,
      type: 'BASIC',
      basic: { customerNamePattern: provider.customerPattern },
    },
  };
}

/** What a provider has just said of itself. */
export const providerTestView = z
  .object({
    authorizationUri: z.string().describe('Where people are sent'),
    keys: z.int().describe('Keys by which it may sign'),
    offersLogout: z.boolean(),
  })
  .meta({ id: 'OAuth2ClientTest' });

/** For the buttons of a login page. */
export const buttonsView = z
  .array(z.object({ name: z.string(), icon: z.string().nullable(), url: z.string() }))
  .meta({ id: 'OAuth2ClientLoginInfos' });

/** A person of a provider who signs in as the caller. */
export const signInView = z
  .object({ id: uuid, issuer: z.string(), title: z.string(), since: instant })
  .meta({ id: 'SignIn' });

/** A provider by which the caller could sign in as well. */
export const otherSignInView = z
  .object({
    providerId: uuid,
    title: z.string(),
    ticket: z.string().describe('Good in this session; for POST /api/auth/signIns'),
  })
  .meta({ id: 'OtherSignIn' });

/** As after a password. */
export const providerLoginView = loginView.and(
  z.object({ logoutHint: z.string().optional().describe('Sealed; for POST /api/noauth/oauth2/logout') }),
);

/** Where a browser goes to sign in. */
export const begunView = z
  .object({
    url: z.string(),
    /** Sealed; to be shown when the browser is back, within ten minutes. */
    attempt: z.string(),
  })
  .meta({ id: 'OAuth2Attempt' });
