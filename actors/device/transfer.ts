/**
 * A device changes hands between two customers who both want it (H1 to H5): its owner offers it, somebody else accepts.
 * One event makes the change, so nobody else can own the device in between.
 *
 * An offer lies in the device's record. It ends with the owner epoch, by its own instant, and when it is withdrawn,
 * declined or replaced by another.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId, TransferId, UserId } from '../base/ids.ts';
import { type SecretDigest, sameDigest } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Decision } from '../runtime/decider.ts';
import { type BeginsEpoch, beginEpoch, type DeviceRules } from './credentials.ts';
import {
  accept,
  EPOCH_CHANGED,
  IGNORE,
  type InEpoch,
  type Recorded,
  type Refusal,
  refuse,
} from './messages.ts';
import {
  type Device,
  isForbidden,
  isInEpoch,
  isOwnedBy,
  mayWrite,
  type Offer,
  type OfferedTo,
  type Owner,
} from './state.ts';

type Decided<Event> = Decision<Event, Refusal>;

const NO_OFFER = refuse({ reason: 'no-offer' });

// ------------------------------------------------------------------------------------------------- offering (H1, H5)

export interface OfferDevice extends InEpoch {
  readonly type: 'OfferDevice';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** Who offers; refused unless it owns the device. */
  readonly customerId: CustomerId;
  readonly transferId: TransferId;
  readonly to: OfferedTo;
  /** How long the offer stands, in ms; at least 1. */
  readonly durationMs: number;
}

export interface DeviceOffered extends Recorded<'DeviceOffered'> {
  readonly transferId: TransferId;
  readonly to: OfferedTo;
  readonly expiresAt: Instant;
  readonly customerId: CustomerId;
  readonly userId: UserId;
}

export function offerDevice(
  rules: DeviceRules,
  device: Device,
  command: OfferDevice,
  at: Instant,
): Decided<DeviceOffered> {
  const { customerId, userId, transferId, to, durationMs } = command;
  if (!isOwnedBy(device, customerId)) return refuse({ reason: 'not-owner' });
  if (!isInEpoch(device, command)) return EPOCH_CHANGED;
  if (!mayChangeHands(rules, device)) return refuse({ reason: 'claiming-not-allowed' }); // H5
  const expiresAt = at + durationMs;
  if (!(durationMs > 0 && Number.isSafeInteger(expiresAt)))
    return refuse({ reason: 'duration-out-of-range' });
  return accept({ type: 'DeviceOffered', at, transferId, to, expiresAt, customerId, userId });
}

/** H1: an offer that was open is replaced. */
export function deviceOffered(device: Device, { transferId, to, at, expiresAt }: DeviceOffered): Device {
  return { ...device, offer: { transferId, to, offeredAt: at, expiresAt } };
}

// --------------------------------------------------------------------------------------------- accepting (H2 to H5)

/** Who answers an offer, with all it has to show. */
interface Answerer {
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly userId: UserId;
  readonly transferId: TransferId;
  /** Of the e-mail address that is known to be the user's; null: it has none. */
  readonly addressDigest: SecretDigest | null;
}

export interface AcceptOffer extends Answerer {
  readonly type: 'AcceptOffer';
  /** Of the code that was shown; null: none. */
  readonly codeDigest: SecretDigest | null;
}

export interface DeviceTransferred extends Recorded<'DeviceTransferred'>, BeginsEpoch {
  readonly transferId: TransferId;
  readonly previousCustomerId: CustomerId;
  readonly customerId: CustomerId;
  readonly userId: UserId;
}

export function acceptOffer(
  rules: DeviceRules,
  device: Device,
  command: AcceptOffer,
  at: Instant,
): Decided<DeviceTransferred> {
  const { transferId, customerId, userId } = command;
  const { owner, offer } = device;
  // H2: who asks again because the answer got lost hears that it is so.
  if (owner?.transferId === transferId && owner.customerId === customerId) return IGNORE;
  if (owner === null || offer === undefined || offer.transferId !== transferId) return NO_OFFER;
  if (!isFor(offer, command)) return NO_OFFER; // a stranger learns nothing of an offer (H3)
  if (offer.expiresAt <= at) return refuse({ reason: 'offer-elapsed' }); // H4
  if (owner.customerId === customerId) return refuse({ reason: 'already-claimed' });
  if (!mayChangeHands(rules, device)) return refuse({ reason: 'claiming-not-allowed' }); // H5
  return accept({
    type: 'DeviceTransferred',
    at,
    transferId,
    previousCustomerId: owner.customerId,
    customerId,
    userId,
    ...beginEpoch(device, rules, at),
  });
}

/** H5: the tenant says no for the device, or for all of its profile. */
function mayChangeHands({ transfer }: DeviceRules, device: Device): boolean {
  return transfer !== 'never' && !isForbidden(device);
}

/** The owner that a transfer makes. */
export function transferredTo({ customerId, at, transferId }: DeviceTransferred): Owner {
  return { customerId, since: at, by: 'transfer', transferId };
}

/** H3: an offer is for a customer, for the user of an e-mail address, or for whoever knows its code. */
function isFor({ to }: Offer, { customerId, addressDigest, codeDigest }: Omit<AcceptOffer, 'type'>): boolean {
  switch (to.type) {
    case 'customer':
      return to.customerId === customerId;
    case 'address':
      return addressDigest !== null && sameDigest(to.addressDigest, addressDigest);
    case 'code':
      return codeDigest !== null && sameDigest(to.codeDigest, codeDigest);
    default:
      return unreachable(to);
  }
}

// -------------------------------------------------------------------------------- the other ends of an offer (H4)

export interface DeclineOffer extends Answerer {
  readonly type: 'DeclineOffer';
}

export interface OfferDeclined extends Recorded<'OfferDeclined'> {
  readonly transferId: TransferId;
  readonly customerId: CustomerId;
  readonly userId: UserId;
}

/** Whoever has a code leaves it alone: an offer by code is for nobody in particular, so nobody can decline it. */
export function declineOffer(device: Device, command: DeclineOffer, at: Instant): Decided<OfferDeclined> {
  const { transferId, customerId, userId } = command;
  const { offer } = device;
  if (offer === undefined || offer.transferId !== transferId) return NO_OFFER;
  if (!isFor(offer, { ...command, codeDigest: null })) return NO_OFFER;
  return accept({ type: 'OfferDeclined', at, transferId, customerId, userId });
}

export interface WithdrawOffer {
  readonly type: 'WithdrawOffer';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** The owner, or null: the tenant's administrator. */
  readonly customerId: CustomerId | null;
}

export interface OfferWithdrawn extends Recorded<'OfferWithdrawn'> {
  readonly transferId: TransferId;
  readonly customerId: CustomerId | null;
  readonly userId: UserId;
}

export function withdrawOffer(device: Device, command: WithdrawOffer, at: Instant): Decided<OfferWithdrawn> {
  const { customerId, userId } = command;
  if (!mayWrite(device, customerId)) return refuse({ reason: 'not-owner' });
  if (device.offer === undefined) return IGNORE;
  return accept({ type: 'OfferWithdrawn', at, transferId: device.offer.transferId, customerId, userId });
}

/** Makes prompt what H4 says anyhow: the offer has ended, and now its digests are wiped. */
export interface OfferExpired extends Recorded<'OfferExpired'> {
  readonly transferId: TransferId;
}

/** The device without its offer, which ends with the owner epoch it was made in (R5). */
export function withoutOffer(device: Device): Device {
  if (device.offer === undefined) return device;
  const { offer: _ended, ...rest } = device;
  return rest;
}
