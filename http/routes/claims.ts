/** Claiming a device and giving it back: the main job, from the customer's side. What a claim does is in `confirm.ts`. */
import { z } from 'zod';
import type { KeptAnswer } from '../../actors/accounts/replays.ts';
import type { Instant } from '../../actors/base/clock.ts';
import type { UserId } from '../../actors/base/ids.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import {
  CUSTOMER,
  type CustomerUser,
  type Grant,
  impersonation,
  TENANT_AND_CUSTOMER,
} from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { RequestTrace } from '../trace.ts';
import { claimResultView } from '../views/device.ts';
import { pendingClaimView } from '../views/take-over.ts';
import { REPLAYED_HEADER } from '../wire/claim-refusal.ts';
import { badRequest, keyReused, notFound } from '../wire/errors.ts';
import { inEpochs } from '../wire/if-match.ts';
import { type JsonReply, json, type Reply } from '../wire/reply.ts';
import { NAME_MAX } from '../wire/schemas.ts';
import { customerOf, deviceIdByName } from './access.ts';
import { doneReply } from './answers.ts';
import { type ConfirmNeeds, createConfirm } from './confirm.ts';

/** The grants that may claim. */
export const CLAIMING: readonly Grant[] = ['everything', 'delegated', 'claiming'];

export const deviceNameInPath = z.object({
  deviceName: z.string().refine((name) => name.trim() !== '', "Parameter 'deviceName' can't be empty!"),
});

/**
 * Absent, null and empty all mean the empty secret (rule C2). A number means its text, as in ThingsBoard; but a number
 * that JavaScript cannot hold exactly is refused, because its text would be another secret.
 */
const secretKey = z
  .union([z.string(), z.int().transform(String), z.boolean().transform(String)], {
    error: 'secretKey should be a text!',
  })
  .nullish()
  .transform((secret) => secret ?? '');

/** No body at all is the same as `{}`. */
export const claimBody = z
  .object({ secretKey }, { error: 'The body should be a JSON object!' })
  .nullish()
  .transform((body) => body?.secretKey ?? '');

export function claimRoutes(needs: ConfirmNeeds, claim: ClaimCall): Route[] {
  return [claimDevice(claim), giveBack(needs)];
}

export const claimResponses = {
  200: { description: 'The device is yours', schema: claimResultView },
  202: {
    description:
      'Only with Prefer: respond-async: it is a take-over, and pending until its owner can object no more',
    schema: pendingClaimView,
  },
  400: {
    description:
      'No open window, or another secret: FAILURE. Owned by anybody already: CLAIMED. Unless refusals are uniform the ' +
      'header Claim-Refusal says more (wrong-secret, no-window, window-elapsed, not-allowed, already-claimed, ' +
      'already-yours, take-over-pending, proof-required, wrong-proof, proof-outdated, policy-refused), and Claim-Attempts-Left how many more wrong secrets are borne with for now',
    schema: z.enum(['FAILURE', 'CLAIMED']),
  },
  404: { description: 'The tenant has no device of this name' },
  422: { description: 'The Idempotency-Key was used for another request' },
  429: { description: 'Too many wrong secrets from you' },
};

/** A claim as a route hands it over. */
interface AskedClaim {
  readonly principal: CustomerUser;
  readonly params: { readonly deviceName: string };
  /** The secret. */
  readonly body: string;
  readonly address: string;
  readonly idempotencyKey: string | undefined;
  readonly prefersAsync: () => boolean;
  readonly trace: RequestTrace | undefined;
}

export type ClaimCall = (asked: AskedClaim) => Promise<Reply>;

/** Carries claims out, once for each `Idempotency-Key`. */
export function createClaim(needs: ConfirmNeeds): ClaimCall {
  const { accounts, secrets } = needs;
  const confirm = createConfirm(needs);

  function claim(asked: AskedClaim, begunAt: Instant | undefined): Promise<Reply> {
    const { principal, params, body: secret, address, prefersAsync, trace } = asked;
    return confirm({
      principal,
      deviceName: params.deviceName,
      secret,
      address,
      begunAt,
      prefersAsync,
      trace,
    });
  }

  async function claimOnce(asked: AskedClaim, key: string): Promise<Reply> {
    if (key === '' || key.length > NAME_MAX) return badRequest('The Idempotency-Key is empty or too long!');
    const { userId } = asked.principal;
    const fingerprint = fingerprintOf(secrets, userId, asked.params.deviceName, asked.body);
    const outcome = await accounts.replays.run({ userId, key, fingerprint }, async (begunAt) => {
      const reply = await claim(asked, begunAt);
      return { reply, keep: reply.type === 'json' ? kept(reply) : undefined };
    });
    switch (outcome.type) {
      case 'fresh':
        return outcome.reply;
      case 'kept':
        return replayed(outcome.answer);
      case 'other':
        return keyReused;
      default:
        return unreachable(outcome);
    }
  }

  return (asked) =>
    asked.idempotencyKey === undefined ? claim(asked, undefined) : claimOnce(asked, asked.idempotencyKey);
}

function claimDevice(claim: ClaimCall): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/customer/device/:deviceName/claim',
    summary:
      "Claim a device for the caller's customer, by the secret that opened its claim window or by a proof of possession",
    roles: CUSTOMER,
    grants: CLAIMING,
    params: deviceNameInPath,
    body: claimBody,
    frequent: true,
    idempotent: true,
    deferring: true,
    responses: claimResponses,
    handle: claim,
  });
}

function giveBack({ devices, directory, settings }: ConfirmNeeds): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/api/customer/device/:deviceName/claim',
    summary: 'Give a device back, so that it can be claimed again',
    roles: TENANT_AND_CUSTOMER,
    grants: CLAIMING,
    conditional: true,
    frequent: true,
    params: deviceNameInPath,
    responses: {
      200: { description: 'Nobody owns it now' },
      403: { description: 'Another customer owns it' },
      404: { description: 'The tenant has no device of this name' },
      412: { description: 'If-Match names another owner epoch' },
    },
    async handle({ principal, params, ifMatch, trace: request }) {
      const { tenantId, userId } = principal;
      const trace = request?.begin();
      const id = await deviceIdByName(directory, tenantId, params.deviceName);
      if (id === undefined) return notFound;
      if (settings.uniformRefusals && principal.authority === 'CUSTOMER_USER') {
        const device = await devices.read(id);
        if (device?.owner?.customerId !== principal.customerId) return notFound;
      }

      const customerId = customerOf(principal);
      const command = {
        type: 'ReclaimDevice',
        tenantId,
        userId,
        customerId,
        ...inEpochs(ifMatch),
        ...impersonation(principal),
        ...(trace === undefined ? {} : { trace }),
      } as const;
      return doneReply(await devices.ask(id, command));
    },
  });
}

function kept({ status, body, headers }: JsonReply): KeptAnswer {
  return { status, body: JSON.stringify(body), ...(headers === undefined ? {} : { headers }) };
}

/** The earlier answer, marked as such: a refusal may be out of date by now. */
function replayed({ status, body, headers }: KeptAnswer): Reply {
  return { ...json(JSON.parse(body), status), headers: { ...headers, [REPLAYED_HEADER]: 'true' } };
}

/** A digest of the request, because the secret is part of it. */
function fingerprintOf(secrets: Secrets, user: UserId, deviceName: string, secret: string): string {
  return secrets.digest(user, JSON.stringify([deviceName, secret]));
}
