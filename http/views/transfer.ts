/** Offers of devices, as their owner, their tenant and those for whom they are see them (rules H1 to H5). */
import { z } from 'zod';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { DeviceRecord, Offer } from '../../actors/device/state.ts';
import { entityId, instant, uuid } from './parts.ts';

/** For whom an offer is. The e-mail is null when the server's key under which it was kept has been dropped. */
const partyView = z.union([
  z.object({ type: z.literal('customer'), customerId: entityId('CUSTOMER') }),
  z.object({ type: z.literal('email'), email: z.string().nullable() }),
  z.object({ type: z.literal('code') }),
]);

/** An offer, for the owner and the tenant of the device. */
export const offerView = z
  .object({ transferId: uuid, to: partyView, offeredAt: instant, expiresAt: instant })
  .meta({ id: 'DeviceOffer' });

/** An offer that was just made: its code is told this once. */
export const newOfferView = offerView
  .extend({
    /** For whom the owner gives it to; null unless the offer is by code. */
    code: z.string().nullable(),
  })
  .meta({ id: 'NewDeviceOffer' });

/** An offer, for whom it is: what it is about and who offers, and nothing else of the device. */
export const incomingOfferView = z
  .object({
    transferId: uuid,
    deviceName: z.string(),
    deviceType: z.string(),
    /** The title of the customer that offers it. */
    offeredBy: z.string(),
    offeredAt: instant,
    expiresAt: instant,
  })
  .meta({ id: 'IncomingDeviceOffer' });

/** @param unseal reads a sealed address, if it can */
export function viewOffer(
  { transferId, to, offeredAt, expiresAt }: Offer,
  unseal: (sealed: string) => string | null,
): z.infer<typeof offerView> {
  return { transferId, to: viewParty(to, unseal), offeredAt, expiresAt };
}

function viewParty(to: Offer['to'], unseal: (sealed: string) => string | null): z.infer<typeof partyView> {
  switch (to.type) {
    case 'customer':
      return { type: 'customer', customerId: { entityType: 'CUSTOMER', id: to.customerId } };
    case 'address':
      return { type: 'email', email: unseal(to.sealedAddress) };
    case 'code':
      return { type: 'code' };
    default:
      return unreachable(to);
  }
}

export function viewIncomingOffer(
  { name, type }: DeviceRecord,
  { transferId, offeredAt, expiresAt }: Offer,
  offeredBy: string,
): z.infer<typeof incomingOfferView> {
  return { transferId, deviceName: name, deviceType: type, offeredBy, offeredAt, expiresAt };
}
