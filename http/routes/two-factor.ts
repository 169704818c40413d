/**
 * The second factor: setting it up, showing it at a login, and who must have one, in ThingsBoard's forms. There are TOTP and
 * BACKUP_CODE; no codes by SMS or mail.
 */
import { z } from 'zod';
import type { Accounts, SessionOrigin } from '../../actors/accounts/accounts.ts';
import type { FactorPolicy } from '../../actors/accounts/second-factors.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { TenantId, UserId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import type { TellNews } from '../../actors/mail/user-news.ts';
import { EVERYBODY, type Principal, SYSTEM } from '../auth/principal.ts';
import { mustHaveFactor, newRecoveryCodes, type SecondFactorAuth } from '../auth/second-factor.ts';
import type { Tokens } from '../auth/tokens.ts';
import { newTotpSecret, totpUrl } from '../auth/totp.ts';
import { defineRoute, type Route } from '../route.ts';
import { tokenPairView } from '../views/user.ts';
import { badRequest, notFound, tooManyRequests } from '../wire/errors.ts';
import { empty, json, type Problem } from '../wire/reply.ts';
import { tenantId } from '../wire/schemas.ts';
import { noteSetting } from './setting-notes.ts';
import { type NotesChanges, noteSession, noteUser } from './user-notes.ts';

export interface TwoFactorNeeds {
  readonly accounts: Accounts;
  readonly audit: NotesChanges;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly log: Log;
  readonly factors: SecondFactorAuth;
  readonly tellNews: TellNews;
}

const kinds = z.enum(['TOTP', 'BACKUP_CODE'], { error: 'providerType should be TOTP or BACKUP_CODE!' });
const ofKind = z.object({ providerType: kinds });
const CODE_MAX = 64;
const code = z.string({ error: 'verificationCode should be specified!' }).min(1).max(CODE_MAX);
const ISSUER = 'claimd';
/** So long after a login a session may change the second factor: a stolen token must not. */
const FRESH_MS = 10 * 60_000;
const OWNERS = ['everything', 'enrolling'] as const;
const NOT_SET_UP = 'Set an authenticator app up first!';
/** Whoever has the password alone neither replaces a second factor nor logs in by one that somebody else has set up. */
const setUpBefore = badRequest('A second factor is set up already. Log in again, with its code!');

const totpView = z.object({
  providerType: z.literal('TOTP'),
  useByDefault: z.boolean(),
  authUrl: z.string().optional(),
});
const codesView = z.object({
  providerType: z.literal('BACKUP_CODE'),
  useByDefault: z.boolean(),
  codes: z.array(z.string()).optional(),
  codesLeft: z.int().optional(),
});
export const factorSettingsView = z.object({
  configs: z.object({ TOTP: totpView.optional(), BACKUP_CODE: codesView.optional() }),
});

export function twoFactorRoutes(needs: TwoFactorNeeds): Route[] {
  return [...accountRoutes(needs), ...loginRoutes(needs), ...policyRoutes(needs)];
}

async function settingsOf({ accounts }: TwoFactorNeeds, user: UserId) {
  const factor = await accounts.secondFactors.get(user);
  if (factor === undefined) return { configs: {} };
  return {
    configs: {
      TOTP: { providerType: 'TOTP', useByDefault: true },
      BACKUP_CODE: { providerType: 'BACKUP_CODE', useByDefault: false, codesLeft: factor.codes.length },
    },
  };
}

/** Why this caller may not change the second factor now. */
async function unlessFresh(
  { accounts: { users }, clock }: TwoFactorNeeds,
  { userId, sessionId, grant }: Principal,
): Promise<Problem | undefined> {
  if (grant === 'enrolling') return undefined;
  const session = (await users.sessions(userId)).find(({ id }) => id === sessionId);
  const isFresh = session !== undefined && clock.now() - session.startedAt < FRESH_MS;
  return isFresh
    ? undefined
    : badRequest('The second factor can be changed soon after logging in. Log in again first!');
}

function accountRoutes(needs: TwoFactorNeeds): Route[] {
  const { accounts, audit, factors, tellNews } = needs;
  const { secondFactors, users } = accounts;
  const saved = async (user: UserId, what: string) => {
    const found = await users.find(user);
    if (found !== undefined) await noteUser(audit, 'CREDENTIALS_UPDATED', found, { secondFactor: what });
    return json(await settingsOf(needs, user));
  };
  return [
    defineRoute({
      method: 'GET',
      path: '/api/2fa/providers',
      summary: 'The kinds of second factors that there are',
      roles: EVERYBODY,
      grants: OWNERS,
      responses: { 200: { description: 'Their names', schema: z.array(kinds) } },
      handle: () => json(['TOTP', 'BACKUP_CODE']),
    }),

    defineRoute({
      method: 'GET',
      path: '/api/2fa/account/settings',
      summary: "The caller's second factor, without its secret",
      roles: EVERYBODY,
      grants: OWNERS,
      responses: { 200: { description: 'What is set up', schema: factorSettingsView } },
      handle: async ({ principal }) => json(await settingsOf(needs, principal.userId)),
    }),

    defineRoute({
      method: 'POST',
      path: '/api/2fa/account/config/generate',
      summary:
        'A new secret for an authenticator app, or new recovery codes. Nothing is kept before it is sent back',
      roles: EVERYBODY,
      grants: OWNERS,
      query: ofKind,
      responses: {
        200: { description: 'To be shown and sent back', schema: z.union([totpView, codesView]) },
      },
      async handle({ principal, query: { providerType } }) {
        const user = await users.find(principal.userId);
        if (user === undefined) return notFound;
        return providerType === 'TOTP'
          ? json({
              providerType,
              useByDefault: true,
              authUrl: totpUrl(newTotpSecret(), { issuer: ISSUER, name: user.email }),
            })
          : json({ providerType, useByDefault: false, codes: newRecoveryCodes() });
      },
    }),

    defineRoute({
      method: 'POST',
      path: '/api/2fa/account/config',
      summary: 'Take what was generated: of an app with a code that it shows. Soon after a login',
      roles: EVERYBODY,
      grants: OWNERS,
      query: z.object({ verificationCode: code.optional() }),
      body: z.discriminatedUnion(
        'providerType',
        [
          z.object({ providerType: z.literal('TOTP'), authUrl: z.string().max(1024) }),
          z.object({
            providerType: z.literal('BACKUP_CODE'),
            codes: z.array(z.string().min(10).max(CODE_MAX)).min(1).max(20),
          }),
        ],
        { error: 'providerType should be TOTP with authUrl, or BACKUP_CODE with codes!' },
      ),
      responses: {
        200: { description: 'What is set up now', schema: factorSettingsView },
        400: {
          description:
            'Another code than the app shows; the login is too long ago, or another one has set the factor up; malformed',
        },
        429: { description: 'Too many wrong codes' },
      },
      async handle({ principal, query, body, address }) {
        const stale = await unlessFresh(needs, principal);
        if (stale !== undefined) return stale;
        const { userId } = principal;
        if (body.providerType === 'BACKUP_CODE') {
          const kept = await factors.keepCodes(principal, body.codes);
          if (kept === 'set-up-before') return setUpBefore;
          return kept === 'kept' ? saved(userId, 'recovery codes') : badRequest(NOT_SET_UP);
        }
        const taken = await factors.enrol(principal, body.authUrl, query.verificationCode ?? '', address);
        if (typeof taken !== 'string')
          return tooManyRequests('Too many wrong codes, try again later', taken.retryAfterMs);
        if (taken === 'set-up-before') return setUpBefore;
        return taken === 'kept' ? saved(userId, 'set up') : badRequest('Verification code is incorrect');
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/2fa/account/config',
      summary: 'Remove the authenticator app and the recovery codes, or these alone. Soon after a login',
      roles: EVERYBODY,
      grants: ['everything'],
      query: ofKind,
      responses: {
        200: { description: 'What is set up now', schema: factorSettingsView },
        400: { description: 'The login is too long ago, or the caller must have a second factor' },
      },
      async handle({ principal, query }) {
        const stale = await unlessFresh(needs, principal);
        if (stale !== undefined) return stale;
        const { userId } = principal;
        if (query.providerType === 'BACKUP_CODE') {
          await factors.keepCodes(principal, []);
          return saved(userId, 'recovery codes removed');
        }
        const user = await users.find(userId);
        if (user === undefined) return notFound;
        if (mustHaveFactor(await secondFactors.policy(), user))
          return badRequest('A second factor is required here!');
        await users.announce(userId, {
          action: 'CREDENTIALS_UPDATED',
          data: { secondFactor: 'removed' },
          when: 'second-factor-gone',
        });
        await secondFactors.forget(userId);
        await tellNews(user);
        return json(await settingsOf(needs, userId));
      },
    }),
  ];
}

const VERIFYING = ['verifying'] as const;

function loginRoutes({ accounts, audit, tokens, factors }: TwoFactorNeeds): Route[] {
  const { users } = accounts;
  const welcome = async ({ userId: id, via }: Principal, origin: SessionOrigin) => {
    const user = await users.find(id);
    if (user === undefined) return notFound;
    noteSession(audit, 'LOGIN', user);
    const from = via === undefined ? origin : { ...origin, via };
    return json(tokens.issue(user, await users.startSession(user, from)));
  };
  return [
    defineRoute({
      method: 'GET',
      path: '/api/auth/2fa/providers',
      summary: 'What a login can be completed with',
      roles: EVERYBODY,
      grants: VERIFYING,
      responses: {
        200: { description: 'The kinds', schema: z.array(z.object({ type: kinds, default: z.boolean() })) },
      },
      handle: () =>
        json([
          { type: 'TOTP', default: true },
          { type: 'BACKUP_CODE', default: false },
        ]),
    }),

    defineRoute({
      method: 'POST',
      path: '/api/auth/2fa/verification/send',
      summary: 'Nothing is sent: the app shows the code by itself',
      roles: EVERYBODY,
      grants: VERIFYING,
      query: ofKind,
      responses: { 200: { description: 'Done' } },
      handle: () => empty,
    }),

    defineRoute({
      method: 'POST',
      path: '/api/auth/2fa/verification/check',
      summary: 'Complete a login by a code, which is used up by that',
      roles: EVERYBODY,
      grants: VERIFYING,
      query: z.object({ providerType: kinds, verificationCode: code }),
      responses: {
        200: { description: 'Logged in', schema: tokenPairView },
        400: { description: 'Another code' },
        429: { description: 'Too many wrong codes' },
      },
      async handle({ principal, query, origin }) {
        const { userId } = principal;
        const from = origin();
        const good = await factors.check(userId, query.providerType, query.verificationCode, from);
        if (typeof good !== 'boolean')
          return tooManyRequests('Too many wrong codes, try again later', good.retryAfterMs);
        if (good) return welcome(principal, from);
        const user = await users.find(userId);
        if (user !== undefined) noteSession(audit, 'LOGIN', user, 'wrong second factor');
        return badRequest('Verification code is incorrect');
      },
    }),

    defineRoute({
      method: 'POST',
      path: '/api/auth/2fa/login',
      summary: 'Complete the login of somebody who has just set up the second factor that is required',
      roles: EVERYBODY,
      grants: ['enrolling'],
      responses: {
        200: { description: 'Logged in', schema: tokenPairView },
        400: { description: 'There is no second factor yet, or another login has set it up' },
      },
      async handle({ principal, origin }) {
        const completed = await factors.complete(principal);
        if (completed === 'set-up-before') return setUpBefore;
        if (completed !== 'kept') return badRequest('Set a second factor up first!');
        // They began with the password alone, and would count again from now on.
        await users.endSessions(principal.userId);
        return welcome(principal, origin());
      },
    }),
  ];
}

const FILTERS = ['ALL', 'SYSTEM_ADMINISTRATORS', 'TENANT_ADMINISTRATORS', 'TENANTS'] as const;
const policyView = z.object({
  enforceTwoFa: z.boolean(),
  enforcedUsersFilter: z
    .object({
      type: z.enum(FILTERS),
      tenantsIds: z.array(tenantId).nullish(),
      /** Ours: them too, whatever the type. */
      systemAdministrators: z.boolean().nullish(),
    })
    .nullish(),
});

function policyRoutes({ accounts: { secondFactors }, audit, log }: TwoFactorNeeds): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/2fa/settings',
      summary: 'Who must have a second factor',
      roles: SYSTEM,
      responses: { 200: { description: "In ThingsBoard's form", schema: policyView.loose() } },
      handle: async () => json(viewPolicy(await secondFactors.policy())),
    }),

    defineRoute({
      method: 'POST',
      path: '/api/2fa/settings',
      summary:
        'Who must have a second factor: ALL, SYSTEM_ADMINISTRATORS, TENANT_ADMINISTRATORS (of all tenants, or of those listed), ' +
        'or TENANTS (everybody in those listed). Sessions of those of them who have none do not count from then on: they log in ' +
        'again and set it up. API keys go on',
      roles: SYSTEM,
      grants: ['everything'],
      body: policyView,
      responses: { 200: { description: 'Kept', schema: policyView.loose() } },
      async handle({ principal, body }) {
        const before = await secondFactors.policy();
        const after = policyOf(body);
        await secondFactors.setPolicy(after);
        // The server's own, so it is in no tenant's trail but of those that it names.
        log.info({ userId: principal.userId, before, after }, 'who must have a second factor was changed');
        for (const tenantId of new Set([...namedIn(before), ...namedIn(after)]))
          await noteSetting(audit, principal, {
            tenantId,
            action: 'UPDATED',
            what: { setting: 'second factor' },
            before: required(before, tenantId),
            after: required(after, tenantId),
          });
        return json(viewPolicy(await secondFactors.policy()));
      },
    }),
  ];
}

const namedIn = ({ administratorsOf, usersOf }: FactorPolicy): readonly TenantId[] =>
  administratorsOf === 'all' ? usersOf : [...administratorsOf, ...usersOf];

/** What a policy asks of one tenant. */
function required({ everybody, administratorsOf, usersOf }: FactorPolicy, tenant: TenantId) {
  const ofAll = everybody || usersOf.includes(tenant);
  return {
    administrators: ofAll || administratorsOf === 'all' || administratorsOf.includes(tenant),
    users: ofAll,
  };
}

function policyOf({ enforceTwoFa, enforcedUsersFilter }: z.output<typeof policyView>): FactorPolicy {
  const type = enforceTwoFa ? (enforcedUsersFilter?.type ?? 'ALL') : undefined;
  const tenants: readonly TenantId[] = enforcedUsersFilter?.tenantsIds ?? [];
  const system = enforceTwoFa && enforcedUsersFilter?.systemAdministrators === true;
  return {
    everybody: type === 'ALL',
    systemAdministrators: type === 'SYSTEM_ADMINISTRATORS' || system,
    administratorsOf: type !== 'TENANT_ADMINISTRATORS' ? [] : tenants.length === 0 ? 'all' : tenants,
    usersOf: type === 'TENANTS' ? tenants : [],
  };
}

function viewPolicy({ everybody, systemAdministrators, administratorsOf, usersOf }: FactorPolicy) {
  const named = administratorsOf === 'all' ? [] : administratorsOf;
  const ofTenants = administratorsOf === 'all' || named.length > 0;
  const type = everybody
    ? 'ALL'
    : usersOf.length > 0
      ? 'TENANTS'
      : ofTenants
        ? 'TENANT_ADMINISTRATORS'
        : 'SYSTEM_ADMINISTRATORS';
  const enforceTwoFa = everybody || systemAdministrators || ofTenants || usersOf.length > 0;
  return {
    providers: [
      { providerType: 'TOTP', issuerName: ISSUER },
      { providerType: 'BACKUP_CODE', codesQuantity: 10 },
    ],
    enforceTwoFa,
    enforcedUsersFilter: enforceTwoFa
      ? { type, tenantsIds: type === 'TENANTS' ? usersOf : named, systemAdministrators }
      : null,
  };
}
