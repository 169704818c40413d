/**
 * A device changes hands between two customers who both want it (rules H1 to H5). The owner's side is here: it offers the
 * device, sees its offer and withdraws it. The other side is in `incoming-transfers.ts`.
 *
 * Nothing here says whether a customer or an address exists: an offer to nobody looks like one to somebody.
 */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import { randomClaimKey } from '../../actors/base/claim-key.ts';
import type { Clock } from '../../actors/base/clock.ts';
import {
  type CustomerId,
  type DeviceId,
  newId,
  parseId,
  type TenantId,
  type TransferId,
} from '../../actors/base/ids.ts';
import { type Secrets, unsealedOrNull } from '../../actors/base/secret.ts';
import { type OfferedTo, openOffer } from '../../actors/device/state.ts';
import type { OfferDevice } from '../../actors/device/transfer.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import { attempt, createLimiter } from '../auth/attempts.ts';
import {
  CUSTOMER,
  type CustomerUser,
  impersonation,
  TENANT_AND_CUSTOMER,
  type TenantAdministrator,
} from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { newOfferView, offerView, viewOffer } from '../views/transfer.ts';
import { badRequest, notFound, permissionDenied, tooManyRequests } from '../wire/errors.ts';
import { inEpochs } from '../wire/if-match.ts';
import { isProblem, json, type Problem, type Reply } from '../wire/reply.ts';
import { optionalText } from '../wire/schemas.ts';
import { customerOf, deviceByName } from './access.ts';
import { answerReply, doneReply } from './answers.ts';
import { CLAIMING, deviceNameInPath } from './claims.ts';
import { digestedAddresses, digestedCodes } from './transfer-codes.ts';

export interface TransferNeeds {
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly accounts: Pick<Accounts, 'customers'>;
  readonly counters?: Counters | undefined;
  readonly settings: Pick<ApiSettings, 'limits' | 'uniformRefusals'>;
}

const DAY_MS = 86_400_000;
const EXPIRES_DEFAULT_MS = 7 * DAY_MS;
const EXPIRES_MAX_MS = 90 * DAY_MS;
const EMAIL_MAX = 254;

const offerBody = z
  .object({
    to: optionalText('to', EMAIL_MAX),
    expiresInMs: z
      .int()
      .min(1, 'expiresInMs should be at least 1!')
      .max(EXPIRES_MAX_MS, 'expiresInMs should be 90 days at most!')
      .nullish()
      .transform((ms) => ms ?? EXPIRES_DEFAULT_MS),
  })
  .nullish()
  .transform((body) => body ?? { to: null, expiresInMs: EXPIRES_DEFAULT_MS });

export function transferRoutes(needs: TransferNeeds): Route[] {
  return [offerDevice(needs), readOffer(needs), withdrawOffer(needs)];
}

function offerDevice(needs: TransferNeeds): Route {
  // Each offer is an event that is kept, and may stand in somebody's list.
  const perCustomer = createLimiter('offers', needs.settings.limits.offersPerCustomer, needs.counters);
  return defineRoute({
    method: 'POST',
    path: '/api/customer/device/:deviceName/transfer',
    stores: true,
    summary: 'Offer a device of the own customer to another one',
    description:
      'To the user of an e-mail address, to a customer by its id, or (without "to") to whoever has the code in the answer. ' +
      'The answer is the same whether there is such a customer or address. A device has one offer at a time: a new one ' +
      'ends the one before it. It stands for expiresInMs, 7 days by default and 90 at most, and ends with the ownership.',
    roles: CUSTOMER,
    grants: CLAIMING,
    conditional: true,
    params: deviceNameInPath,
    body: offerBody,
    responses: {
      200: {
        description: 'The offer, and its code if it has one: the code is told only now',
        schema: newOfferView,
      },
      403: { description: 'Another customer owns it, or nobody; or its tenant has forbidden it' },
      404: { description: 'The tenant has no device of this name' },
      412: { description: 'If-Match names another owner epoch' },
      429: { description: 'Too many offers by this customer' },
    },
    async handle({ principal, params, body, ifMatch }) {
      const device = await ownDevice(needs, principal, params.deviceName);
      if (isProblem(device)) return device;
      const conditions = { durationMs: body.expiresInMs, ...inEpochs(ifMatch) };
      const outcome = await attempt(
        [{ limiter: perCustomer, key: principal.customerId }],
        () => makeOffer(needs, principal, device.id, body.to, conditions),
        () => 1, // all of them count
      );
      return outcome.type === 'blocked'
        ? tooManyRequests('Too many offers, try again later', outcome.retryAfterMs)
        : outcome;
    },
  });
}

async function makeOffer(
  needs: TransferNeeds,
  principal: CustomerUser,
  id: DeviceId,
  toWhom: string | null,
  conditions: Pick<OfferDevice, 'durationMs' | 'inEpochs'>,
): Promise<Reply> {
  const { devices, secrets } = needs;
  const { tenantId, customerId, userId } = principal;
  const offer = await newOffer(needs, tenantId, id, toWhom);
  if (offer === undefined) return badRequest('to should be an e-mail address or the id of a customer!');
  const { transferId, to, code } = offer;
  const command = { type: 'OfferDevice', tenantId, customerId, userId, transferId, to } as const;
  const answer = await devices.ask(id, { ...command, ...conditions, ...impersonation(principal) });
  return answerReply(answer, ({ offer: open }) =>
    // Another one may have come, or it may have been accepted, before the answer was written.
    open?.transferId === transferId
      ? json({ ...viewOffer(open, (sealed) => unsealedOrNull(secrets, id, sealed)), code })
      : notFound,
  );
}

interface NewOffer {
  readonly transferId: TransferId;
  readonly to: OfferedTo;
  readonly code: string | null;
}

/** What an offer consists of; undefined when `to` is neither an address nor an id. */
async function newOffer(
  { secrets, clock, accounts }: TransferNeeds,
  tenantId: TenantId,
  deviceId: DeviceId,
  to: string | null,
): Promise<NewOffer | undefined> {
  if (to === null) {
    const code = randomClaimKey();
    const [{ transferId, codeDigest }] = digestedCodes(secrets, tenantId, code);
    return { transferId, to: { type: 'code', codeDigest }, code };
  }
  const transferId = newId<TransferId>(clock.now());
  const customerId = parseId<CustomerId>(to);
  if (customerId !== undefined) {
    // Else anybody who knows the id, in any tenant, could fill the list in which the customer looks for its offers.
    const isNobody = (await accounts.customers.find(tenantId, customerId)) === undefined;
    const party = { type: 'customer', customerId, ...(isNobody ? { isNobody } : {}) } as const;
    return { transferId, to: party, code: null };
  }
  const address = to.trim();
  if (!/^[^\s@]+@[^\s@]+$/.test(address)) return undefined;
  const [addressDigest] = digestedAddresses(secrets, tenantId, address);
  const sealedAddress = secrets.seal(deviceId, address);
  return { transferId, to: { type: 'address', addressDigest, sealedAddress }, code: null };
}

function readOffer(needs: TransferNeeds): Route {
  const { secrets, clock } = needs;
  return defineRoute({
    method: 'GET',
    path: '/api/customer/device/:deviceName/transfer',
    summary: 'The open offer of a device, for its owner and its tenant',
    roles: TENANT_AND_CUSTOMER,
    grants: CLAIMING, // it names an address: nothing for who came in without a password
    params: deviceNameInPath,
    responses: {
      200: { description: 'The offer', schema: offerView },
      403: { description: 'Another customer owns it, or nobody' },
      404: { description: 'The tenant has no device of this name, or it is not on offer' },
    },
    async handle({ principal, params }) {
      const device = await ownDevice(needs, principal, params.deviceName);
      if (isProblem(device)) return device;
      const offer = openOffer(device, clock.now());
      return offer === null
        ? notFound
        : json(viewOffer(offer, (sealed) => unsealedOrNull(secrets, device.id, sealed)));
    },
  });
}

function withdrawOffer(needs: TransferNeeds): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/api/customer/device/:deviceName/transfer',
    summary: 'Withdraw the offer of a device; its tenant may do so too',
    roles: TENANT_AND_CUSTOMER,
    grants: CLAIMING,
    params: deviceNameInPath,
    responses: {
      200: { description: 'It is not on offer now' },
      403: { description: 'Another customer owns it, or nobody' },
      404: { description: 'The tenant has no device of this name' },
    },
    async handle({ principal, params }) {
      const { tenantId, userId } = principal;
      const device = await ownDevice(needs, principal, params.deviceName);
      if (isProblem(device)) return device;
      const customerId = customerOf(principal);
      const command = {
        type: 'WithdrawOffer',
        tenantId,
        userId,
        customerId,
        ...impersonation(principal),
      } as const;
      return doneReply(await needs.devices.ask(device.id, command));
    },
  });
}

/** The device of this name, for its owner or its tenant. Where refusals are uniform, another's does not exist. */
async function ownDevice(
  { directory, settings }: TransferNeeds,
  principal: TenantAdministrator | CustomerUser,
  name: string,
): Promise<Problem | NonNullable<Awaited<ReturnType<typeof deviceByName>>>> {
  const device = await deviceByName(directory, principal.tenantId, name);
  if (device === undefined) return notFound;
  const customerId = customerOf(principal);
  if (customerId === null || device.owner?.customerId === customerId) return device;
  return settings.uniformRefusals ? notFound : permissionDenied;
}
