/** Signing out, here and at an identity provider: OpenID Connect RP-Initiated Logout 1.0 and Back-Channel Logout 1.0. */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Log } from '../../actors/base/log.ts';
import type { Providers } from '../../actors/providers/model.ts';
import type { ReadLogoutToken } from '../auth/logout-tokens.ts';
import type { ProviderSignIn } from '../auth/provider-sign-in.ts';
import { defineRoute, type Route } from '../route.ts';
import { badRequest, notFound, unavailable } from '../wire/errors.ts';
import { empty, json } from '../wire/reply.ts';
import { providerId } from '../wire/schemas.ts';
import { noteSession } from './user-notes.ts';

export interface ProviderLogoutNeeds {
  readonly accounts: Accounts;
  readonly audit: Pick<AuditTrail, 'note'>;
  readonly providers: Pick<Providers, 'findAny'>;
  readonly providerSignIn: ProviderSignIn;
  readonly readLogoutToken: ReadLogoutToken;
  readonly log: Log;
}

const TOKEN_BYTES_MAX = 8_192;
const HINT_MAX = 8_000;
/** Nothing on the way keeps the answer (Back-Channel Logout 1.0 §2.8). */
const NOT_KEPT = { 'Cache-Control': 'no-store' };

export function providerLogoutRoutes(needs: ProviderLogoutNeeds): Route[] {
  return [backChannelLogout(needs), logoutThere(needs)];
}

function backChannelLogout({
  accounts: { users, providerLinks },
  audit,
  providers,
  readLogoutToken,
  log,
}: ProviderLogoutNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/noauth/oauth2/backchannel-logout/:providerId',
    summary: 'For identity providers: somebody has signed out there, so the sessions end that began there',
    description:
      'OpenID Connect Back-Channel Logout 1.0: a form with `logout_token`. To be registered at the provider. The token needs `sub`.',
    roles: ['PUBLIC'],
    params: z.object({ providerId }),
    payload: { bytesMax: TOKEN_BYTES_MAX, schema: z.object({ logout_token: z.string() }) },
    responses: {
      200: { description: 'They have ended', isEmpty: true },
      400: { description: 'The token does not hold' },
      404: { description: 'No such provider' },
    },
    async handle({ params, readPayload }) {
      const provider = await providers.findAny(params.providerId);
      if (provider === undefined) return notFound;
      const payload = await readPayload();
      if (payload.type === 'refused') return payload.reply;
      const form = new URLSearchParams(payload.bytes.toString('utf8'));
      const token = await readLogoutToken(provider, form.get('logout_token') ?? '');
      if (token.type === 'unavailable') return unavailable('overloaded');
      if (token.type === 'bad') {
        log.info({ providerId: provider.id, why: token.why }, 'a logout token of a provider was refused');
        return { ...badRequest(`invalid_request: ${token.why}`), headers: NOT_KEPT };
      }
      const { tenantId, issuer: iss } = provider;
      const userId = await providerLinks.find({ tenantId, iss, sub: token.sub });
      const user = userId === undefined ? undefined : await users.find(userId);
      if (user !== undefined) {
        const via = { providerId: provider.id, ...(token.sid === undefined ? {} : { sid: token.sid }) };
        const sessions = await users.endSessionsVia(user.id, via);
        if (sessions > 0) noteSession(audit, 'LOGOUT', user, undefined, { sessions, provider: provider.id });
      }
      await token.useUp();
      return { ...empty, headers: NOT_KEPT };
    },
  });
}

function logoutThere({ providers, providerSignIn }: ProviderLogoutNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/noauth/oauth2/logout',
    summary: 'Where the browser goes to sign out at the identity provider too',
    description: 'The hint is what `complete` gave. Ending the session here is POST /api/auth/logout.',
    roles: ['PUBLIC'],
    body: z.object(
      { logoutHint: z.string().max(HINT_MAX) },
      { error: 'The body should be {"logoutHint": …}!' },
    ),
    responses: {
      200: { description: 'Where to go', schema: z.object({ url: z.string() }) },
      404: { description: 'Not ours, of a provider that is gone, or of one that cannot be asked' },
    },
    async handle({ body, linkBase }) {
      const hint = providerSignIn.openHint(body.logoutHint);
      const provider = hint && (await providers.findAny(hint.providerId));
      if (hint === undefined || provider === undefined) return notFound;
      const url = await providerSignIn.endSessionUrl(provider, hint.idToken, `${linkBase()}/login`);
      return url === undefined ? notFound : json({ url });
    },
  });
}
