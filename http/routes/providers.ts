/** Identity providers, set up by administrators at ThingsBoard's paths. Signing in with one is in `provider-sign-in.ts`. */
import { z } from 'zod';
import type { Action } from '../../actors/audit/entry.ts';
import type { ProviderId, TenantId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import {
  CLIENT_AUTHENTICATIONS,
  PROVIDERS_MAX,
  type Provider,
  type ProviderAnswer,
  type ProviderFields,
  type Providers,
} from '../../actors/providers/model.ts';
import { mayVouchFor } from '../../actors/providers/providers.ts';
import { ADMINISTRATORS, type Holder, SYSTEM } from '../auth/principal.ts';
import { CALLBACK_PATH, type ProviderSignIn } from '../auth/provider-sign-in.ts';
import { defineRoute, type Route } from '../route.ts';
import { pageView, viewPage } from '../views/page.ts';
import { providerTestView, providerView, viewProvider } from '../views/provider.ts';
import { badRequest, ErrorCode, notFound, permissionDenied, tooManyRequests } from '../wire/errors.ts';
import { requiredList } from '../wire/query.ts';
import { empty, json, type Problem } from '../wire/reply.ts';
import {
  kitPaging,
  optionalText,
  providerId,
  reference,
  requiredText,
  tenantId,
  userId,
} from '../wire/schemas.ts';
import type { AuthNeeds } from './auth.ts';
import { type NotesChanges, noteChange } from './user-notes.ts';

export interface ProviderRouteNeeds extends Pick<AuthNeeds, 'accounts' | 'audit'> {
  readonly providers: Providers;
  readonly providerSignIn: ProviderSignIn;
  readonly log: Log;
}

const SECRET_MAX = 2_048;
const URL_MAX = 2_000;
const SCOPES_MAX = 20;
const DOMAINS_MAX = 50;

const DOMAIN = /^[a-z0-9.-]+\.[a-z0-9-]+$/;
/** Only what the provider has checked: of anything else people may call themselves what they like. */
const PATTERN = /^(?:[^%]|%\{domain\})+$/;
const pattern = requiredText('customerNamePattern').refine(
  (text) => text === '%{email}' || PATTERN.test(text),
  'customerNamePattern should be %{email}, or a title in which %{domain} may stand!',
);

const fields = z.object(
  {
    id: reference(providerId),
    title: requiredText('title', 100),
    issuer: requiredText('issuer', URL_MAX),
    clientId: requiredText('clientId'),
    clientSecret: optionalText('clientSecret', SECRET_MAX),
    clientAuthenticationMethod: z.enum(CLIENT_AUTHENTICATIONS).default('BASIC'),
    scope: z.array(requiredText('scope')).max(SCOPES_MAX).default(['openid', 'email', 'profile']),
    loginButtonLabel: requiredText('loginButtonLabel', 100),
    loginButtonIcon: optionalText('loginButtonIcon'),
    allowedEmailDomains: z
      .array(requiredText('allowedEmailDomains').transform((domain) => domain.toLowerCase()))
      .max(DOMAINS_MAX)
      .refine(
        (all) => all.every((one) => DOMAIN.test(one)),
        'allowedEmailDomains should be like example.org!',
      )
      .default([]),
    signUpTenantId: tenantId.nullish().transform((id) => id ?? null),
    apiAudience: optionalText('apiAudience'),
    apiTakesPlainJwt: z.boolean().default(false),
    mapperConfig: z
      .object({
        allowUserCreation: z.boolean().default(false),
        basic: z.object({ customerNamePattern: pattern.nullish() }).nullish(),
      })
      .default({ allowUserCreation: false }),
  },
  { error: 'The body should be a JSON object!' },
);

type Administrator = Holder<(typeof ADMINISTRATORS)[number]>;

const inPath = z.object({ providerId });
const NO_SUCH = { description: 'No such provider' };

const ownerOf = (principal: Administrator): TenantId | null =>
  principal.authority === 'TENANT_ADMIN' ? principal.tenantId : null;

export function providerRoutes(needs: ProviderRouteNeeds): Route[] {
  return [
    saveProvider(needs),
    listProviders(needs),
    readSeveral(needs), // before one: no provider has the id "list"
    readProvider(needs),
    deleteProvider(needs),
    linkUser(needs),
    testProvider(needs),
    callbackPath(),
  ];
}

function saveProvider(needs: ProviderRouteNeeds): Route {
  const { providers } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/oauth2/client',
    stores: true,
    summary: 'Set up an identity provider to sign in with, or with an id: change it',
    description:
      "Of the tenant, or of the system. What ThingsBoard has typed in is found at the issuer. Without clientSecret the secret stays. It signs in who is below its administrator: a tenant's provider users of customers, the system's also administrators of tenants.",
    roles: ADMINISTRATORS,
    grants: ['everything'], // a provider lets people in
    body: fields,
    responses: {
      200: { description: 'The provider', schema: providerView },
      400: { description: 'A field that cannot be, or too many providers' },
      404: NO_SUCH,
    },
    async handle({ principal, body: { id, clientSecret, ...body }, linkBase }) {
      const owner = ownerOf(principal);
      const secret = clientSecret ?? (body.clientAuthenticationMethod === 'NONE' ? null : undefined);
      const answer =
        id === undefined
          ? await providers.create(owner, fieldsOf(body), secret ?? null)
          : await providers.update(owner, id, fieldsOf(body), secret);
      if (answer.type !== 'done') return problemOf(answer);
      await note(needs, principal, id === undefined ? 'ADDED' : 'UPDATED', answer.value);
      return json(viewProvider(answer.value, linkBase()));
    },
  });
}

function fieldsOf(body: Omit<z.output<typeof fields>, 'id' | 'clientSecret'>): ProviderFields {
  return {
    title: body.title,
    issuer: body.issuer,
    clientId: body.clientId,
    clientAuthentication: body.clientAuthenticationMethod,
    scopes: body.scope,
    buttonLabel: body.loginButtonLabel,
    buttonIcon: body.loginButtonIcon,
    emailDomains: body.allowedEmailDomains,
    signsUp: body.mapperConfig.allowUserCreation,
    signUpTenantId: body.signUpTenantId,
    apiAudience: body.apiAudience,
    apiTakesPlainJwt: body.apiTakesPlainJwt,
    customerPattern: body.mapperConfig.basic?.customerNamePattern ?? '%{email}',
  };
}

function listProviders({ providers }: ProviderRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/oauth2/client/infos',
    summary: 'The identity providers of the tenant, or of the system',
    roles: ADMINISTRATORS,
    query: kitPaging,
    responses: { 200: { description: 'A page of providers', schema: pageView(providerView) } },
    async handle({ principal, query, linkBase }) {
      const page = await providers.list(ownerOf(principal), query);
      return json(viewPage(page, query, (provider) => viewProvider(provider, linkBase())));
    },
  });
}

function readSeveral({ providers }: ProviderRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/oauth2/client/list',
    summary: 'Identity providers by their ids; those that are not there are left out',
    roles: ADMINISTRATORS,
    query: z.object({
      clientIds: requiredList('clientIds')
        .pipe(z.array(providerId).max(PROVIDERS_MAX, `At most ${PROVIDERS_MAX} ids at once!`))
        .meta({
          documentedAs: {
            type: 'array',
            items: { type: 'string', format: 'uuid' },
            maxItems: PROVIDERS_MAX,
          },
        }),
    }),
    responses: { 200: { description: 'They', schema: z.array(providerView) } },
    async handle({ principal, query, linkBase }) {
      const found = await Promise.all(
        [...new Set(query.clientIds)].map((id) => providers.find(ownerOf(principal), id)),
      );
      return json(
        found.flatMap((provider) => (provider === undefined ? [] : viewProvider(provider, linkBase()))),
      );
    },
  });
}

function readProvider({ providers }: ProviderRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/oauth2/client/:providerId',
    summary: 'An identity provider, without its secret',
    roles: ADMINISTRATORS,
    params: inPath,
    responses: { 200: { description: 'The provider', schema: providerView }, 404: NO_SUCH },
    async handle({ principal, params, linkBase }) {
      const provider = await providers.find(ownerOf(principal), params.providerId);
      return provider === undefined ? notFound : json(viewProvider(provider, linkBase()));
    },
  });
}

function deleteProvider(needs: ProviderRouteNeeds): Route {
  const { providers } = needs;
  return defineRoute({
    method: 'DELETE',
    path: '/api/oauth2/client/:providerId',
    summary: 'Nobody signs in with this provider any more; sessions stay',
    roles: ADMINISTRATORS,
    grants: ['everything'],
    params: inPath,
    responses: { 200: { description: 'Gone' }, 404: NO_SUCH },
    async handle({ principal, params }) {
      const answer = await providers.remove(ownerOf(principal), params.providerId);
      if (answer.type !== 'done') return problemOf(answer);
      await note(needs, principal, 'DELETED', answer.value);
      return empty;
    },
  });
}

function linkUser({ providers, accounts, log }: ProviderRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/oauth2/client/:providerId/link',
    stores: true,
    summary:
      'Say which user a subject of the provider is, for access tokens of people or machines that never sign in',
    description: 'Until the user is deleted. With claimingOnly its access tokens may do no more than claim.',
    roles: SYSTEM,
    grants: ['everything'],
    params: inPath,
    body: z.object(
      { userId, subject: requiredText('subject'), claimingOnly: z.boolean().default(false) },
      { error: 'The body should be {"userId": …, "subject": …}!' },
    ),
    responses: {
      200: { description: 'Linked' },
      400: { description: 'The subject is another user already, or linked with another claimingOnly' },
      403: { description: 'A system administrator is linked to nobody' },
      404: { description: 'No such provider or user' },
    },
    async handle({ principal, params, body }) {
      const provider = await providers.find(null, params.providerId);
      const user = await accounts.users.find(body.userId);
      if (provider === undefined || user === undefined) return notFound;
      if (!mayVouchFor(provider, user.membership)) return permissionDenied;
      const subject = { tenantId: null, iss: provider.issuer, sub: body.subject };
      const holder = await accounts.providerLinks.add(subject, user, { claimingOnly: body.claimingOnly });
      if (holder !== user.id) return badRequest('The subject is another user already!');
      const there = await accounts.providerLinks.holder(subject);
      if (there?.claimingOnly !== body.claimingOnly)
        return badRequest('The subject is linked already, with another claimingOnly!');
      log.warn(
        { userId: principal.userId, linked: user.id, providerId: provider.id },
        'a subject was linked',
      );
      return empty;
    },
  });
}

function testProvider({ providers, providerSignIn }: ProviderRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/oauth2/client/:providerId/test',
    summary: 'Ask an identity provider anew for what it says of itself and for its keys',
    description:
      'Whatever is remembered of it. What is good is used for sign-ins at once on the node that was asked, on others within ten minutes. Whether id and secret are right shows when somebody signs in.',
    roles: ADMINISTRATORS,
    grants: ['everything'],
    params: inPath,
    responses: {
      200: { description: 'It answers, and is who the issuer says', schema: providerTestView },
      404: NO_SUCH,
      429: { description: 'The last test was a few seconds ago' },
      502: { description: 'It does not answer, or not as it should' },
    },
    async handle({ principal, params }) {
      const provider = await providers.find(ownerOf(principal), params.providerId);
      if (provider === undefined) return notFound;
      const tested = await providerSignIn.test(provider);
      switch (tested.type) {
        case 'good':
          return json({
            authorizationUri: tested.authorizationUri,
            keys: tested.keys,
            offersLogout: tested.offersLogout,
          });
        case 'too-soon':
          return tooManyRequests('The last test was a few seconds ago, try again in a moment', tested.waitMs);
        case 'refused':
          return {
            type: 'problem',
            status: 502,
            errorCode: ErrorCode.GENERAL,
            message: TROUBLES[tested.why],
          };
        default:
          return unreachable(tested);
      }
    },
  });
}

/** For the administrator: more than who signs in is told. */
const TROUBLES = {
  'provider-away': 'The provider does not answer.',
  'provider-wrong':
    'What the provider says of itself does not hold: it is no OpenID provider, or says that it is another issuer.',
  'no-keys': 'The provider shows no keys by which its tokens could be checked.',
} as const;

function callbackPath(): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/oauth2/loginProcessingUrl',
    summary: 'What the path of each redirect URI begins with; the id of the provider follows',
    roles: ADMINISTRATORS,
    responses: { 200: { description: 'The path', schema: z.string() } },
    handle: () => json(CALLBACK_PATH),
  });
}

function problemOf(answer: Exclude<ProviderAnswer<Provider>, { type: 'done' }>): Problem {
  if (answer.type === 'bad-fields') return badRequest(answer.why);
  return answer.reason === 'provider-unknown' ? notFound : badRequest('There are too many providers!');
}

/** Those of the system are in no trail, and in the log instead. */
async function note(
  { audit, log }: { readonly audit: NotesChanges; readonly log: Log },
  principal: Administrator,
  action: Extract<Action, 'ADDED' | 'UPDATED' | 'DELETED'>,
  { id, title, issuer }: Pick<Provider, 'title' | 'issuer'> & { readonly id: ProviderId },
): Promise<void> {
  if (principal.authority === 'SYS_ADMIN') {
    log.warn(
      { userId: principal.userId, action, providerId: id, issuer },
      'an identity provider was changed',
    );
    return;
  }
  const { tenantId, userId } = principal;
  await noteChange(audit, principal, { tenantId, action, data: { provider: id, title, issuer, by: userId } });
}
