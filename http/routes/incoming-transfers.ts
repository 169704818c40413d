/**
 * A device changes hands: the side of the one to whom it is offered (rules H2 to H4), by a list of what is offered, or by
 * a code. Whoever an offer is not for is answered as if there were none, and wrong codes are counted.
 */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { TransferId } from '../../actors/base/ids.ts';
import type { SecretDigest, Secrets } from '../../actors/base/secret.ts';
import type { RefusalReason } from '../../actors/device/messages.ts';
import { openOffer } from '../../actors/device/state.ts';
import type { DeviceAnswer, Devices, Directory } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import { attempt, createLimiter } from '../auth/attempts.ts';
import { CUSTOMER, type CustomerUser, impersonation } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { deviceView } from '../views/device.ts';
import { incomingOfferView, viewIncomingOffer } from '../views/transfer.ts';
import { badRequest, notFound, tokenExpired, tooManyRequests } from '../wire/errors.ts';
import { isProblem, json, type Reply } from '../wire/reply.ts';
import { requiredText, transferId } from '../wire/schemas.ts';
import { deviceReply, doneReply } from './answers.ts';
import { CLAIMING } from './claims.ts';
import { unlessCustomerGone } from './tenure.ts';
import { digestedAddresses, digestedCodes } from './transfer-codes.ts';
import { impersonatorOf } from './user-notes.ts';

export interface IncomingTransferNeeds {
  readonly accounts: Accounts;
  readonly audit: AuditTrail;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly profiles: Profiles;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly counters?: Counters | undefined;
  readonly settings: Pick<ApiSettings, 'limits'>;
}

export function incomingTransferRoutes(needs: IncomingTransferNeeds): Route[] {
  return [listIncoming(needs), acceptByCode(needs), acceptOffer(needs), declineOffer(needs)];
}

const CODE_MAX = 64;
const inPath = z.object({ transferId });

function listIncoming(needs: IncomingTransferNeeds): Route {
  const { accounts, directory, clock } = needs;
  return defineRoute({
    method: 'GET',
    path: '/api/transfers',
    summary: 'The devices that are offered to the own customer, or to the e-mail address of the caller',
    description: 'At most 100 of each. Offers by code are in no list.',
    roles: CUSTOMER,
    grants: CLAIMING, // and nobody who came in without a password
    responses: { 200: { description: 'The open offers', schema: z.array(incomingOfferView) } },
    async handle({ principal }) {
      const { tenantId, customerId } = principal;
      const addressDigests = await addressesOf(needs, principal);
      const found = await directory.offeredTo(tenantId, { customerId, addressDigests });
      const now = clock.now();
      const views = found.map(async (device) => {
        const offer = openOffer(device, now);
        if (offer === null || device.owner === null || device.owner.customerId === customerId) return [];
        const owner = await accounts.customers.find(tenantId, device.owner.customerId);
        return owner === undefined ? [] : [viewIncomingOffer(device, offer, owner.title)];
      });
      return json((await Promise.all(views)).flat());
    },
  });
}

const ACCEPTED = {
  200: { description: 'The device is yours; also when it was already, by this offer', schema: deviceView },
  400: { description: 'Malformed; or the device is your own' },
  403: { description: 'The tenant has forbidden that it changes hands' },
  410: { description: 'The offer has ended' },
} as const;

function acceptByCode(needs: IncomingTransferNeeds): Route {
  const { audit, settings, counters } = needs;
  const perCustomer = createLimiter(
    'transfer-codes-of-customer',
    settings.limits.wrongSecretsPerCustomerAndDevice,
    counters,
  );
  const perAddress = createLimiter(
    'transfer-codes-of-address',
    settings.limits.wrongSecretsPerAddress,
    counters,
  );
  return defineRoute({
    method: 'POST',
    path: '/api/transfer/accept',
    summary: 'Accept a device by the code that its owner gave you',
    description: 'Asking again after an answer that got lost is safe: the device is yours once.',
    roles: CUSTOMER,
    grants: CLAIMING,
    body: z.object({ code: requiredText('code', CODE_MAX) }, { error: 'The body should be a JSON object!' }),
    responses: {
      ...ACCEPTED,
      404: { description: 'No device is offered under this code' },
      429: { description: 'Too many wrong codes from you' },
    },
    async handle({ principal, body: { code }, address }) {
      const { tenantId, customerId, userId } = principal;
      const reply = await attempt(
        [
          { limiter: perCustomer, key: customerId },
          { limiter: perAddress, key: address },
        ],
        () => acceptCode(needs, principal, code),
        (outcome) => (isNotFound(outcome) ? 1 : 0),
      );
      if (reply.type === 'blocked') {
        return tooManyRequests('Too many wrong codes, try again later', reply.retryAfterMs);
      }
      if (isNotFound(reply)) {
        const data = impersonatorOf(principal);
        const nothing = { deviceId: undefined, deviceName: undefined, data };
        audit.note({
          tenantId,
          action: 'TRANSFER_REFUSED',
          ...nothing,
          customerId,
          userId,
          failure: 'no-offer',
        });
      }
      return reply;
    },
  });
}

function acceptOffer(needs: IncomingTransferNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/transfer/:transferId/accept',
    summary: 'Accept a device that is offered to the own customer, or to the e-mail address of the caller',
    description: 'Asking again after an answer that got lost is safe: the device is yours once.',
    roles: CUSTOMER,
    grants: CLAIMING,
    params: inPath,
    responses: { ...ACCEPTED, 404: { description: 'No such offer, or it is not for you' } },
    async handle({ principal, params: { transferId: transfer } }) {
      const addresses = await addressesOf(needs, principal);
      return accept(needs, principal, transfer, { codeDigest: null, addresses });
    },
  });
}

/** No device is offered so. */
function isNotFound(reply: Reply): boolean {
  return isProblem(reply) && reply.status === notFound.status;
}

/** Under the digests that the code may have, one after the other. */
async function acceptCode(
  needs: IncomingTransferNeeds,
  principal: CustomerUser,
  code: string,
): Promise<Reply> {
  let reply: Reply = notFound;
  for (const { transferId: transfer, codeDigest } of digestedCodes(needs.secrets, principal.tenantId, code)) {
    reply = await accept(needs, principal, transfer, { codeDigest, addresses: [] });
    if (!isNotFound(reply)) return reply;
  }
  return reply;
}

/** What somebody shows who answers an offer. */
interface Shown {
  readonly codeDigest: SecretDigest | null;
  readonly addresses: readonly SecretDigest[];
}

async function accept(
  needs: IncomingTransferNeeds,
  principal: CustomerUser,
  transfer: TransferId,
  { codeDigest, addresses }: Shown,
): Promise<Reply> {
  const { devices, directory, profiles } = needs;
  const { tenantId, customerId, userId } = principal;
  const id = await directory.ofTransfer(transfer);
  if (id === undefined) return notFound;
  const who = { tenantId, customerId, userId, ...impersonation(principal) };
  const asked = await firstFound(addresses, (addressDigest) =>
    devices.ask(id, { type: 'AcceptOffer', ...who, transferId: transfer, addressDigest, codeDigest }),
  );
  if (isRefusedAs(asked, 'already-claimed')) {
    return { ...badRequest('The device is yours already!'), reason: 'already-yours' };
  }
  const answer = await unlessCustomerGone(needs, id, who, asked);
  return answer === undefined ? tokenExpired : deviceReply(profiles, id, answer);
}

/** Asks with the address under one key after the other, until there is such an offer; without an address once. */
async function firstFound(
  [first = null, ...others]: readonly (SecretDigest | null)[],
  ask: (addressDigest: SecretDigest | null) => Promise<DeviceAnswer>,
): Promise<DeviceAnswer> {
  const answer = await ask(first);
  return others.length > 0 && isRefusedAs(answer, 'no-offer') ? firstFound(others, ask) : answer;
}

function isRefusedAs(answer: DeviceAnswer, reason: RefusalReason): boolean {
  return answer.type === 'refused' && answer.refusal.reason === reason;
}

function declineOffer(needs: IncomingTransferNeeds): Route {
  const { devices, directory } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/transfer/:transferId/decline',
    summary: 'Decline a device that is offered to the own customer, or to the e-mail address of the caller',
    roles: CUSTOMER,
    grants: CLAIMING,
    params: inPath,
    responses: {
      200: { description: 'It is not on offer now' },
      404: { description: 'No such offer, or it is not for you' },
    },
    async handle({ principal, params }) {
      const { tenantId, customerId, userId } = principal;
      const id = await directory.ofTransfer(params.transferId);
      if (id === undefined) return notFound;
      const { transferId } = params;
      const who = { tenantId, customerId, userId, transferId, ...impersonation(principal) };
      const answer = await firstFound(await addressesOf(needs, principal), (addressDigest) =>
        devices.ask(id, { type: 'DeclineOffer', ...who, addressDigest }),
      );
      return doneReply(answer);
    },
  });
}

/** The digests of the caller's address; none for one that users gave themselves: it proves nothing (H3). */
async function addressesOf(
  { accounts, secrets }: IncomingTransferNeeds,
  { userId, tenantId }: CustomerUser,
): Promise<readonly SecretDigest[]> {
  const user = await accounts.users.find(userId);
  if (user === undefined || user.emailIsOwnChoice === true) return [];
  return digestedAddresses(secrets, tenantId, user.email);
}
