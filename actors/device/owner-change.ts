/**
 * What every change of owner does to the device's record, by whichever event (R4 to R6). The deciding side is `beginEpoch`
 * (`credentials.ts`): what it returns is in the event.
 */
import { withoutWritings } from './attributes.ts';
import { epochBegun } from './credentials.ts';
import { type OwnershipChange, withHandovers } from './evidence.ts';
import { withoutChallenges } from './proof.ts';
import type { Device, Owner } from './state.ts';
import { withoutTakeOver } from './take-over.ts';
import { withoutOffer } from './transfer.ts';

/**
 * The device after its owner changed: what was granted under the epoch that ends is gone (offers, challenges, take-overs,
 * windows), and what the owner wrote (R4). Every change of owner comes through here, and its event has what `beginEpoch`
 * decided; whoever changes more of the device begins with what this leaves.
 */
export function ownerChanged(device: Device, event: OwnershipChange, owner: Owner | null): Device {
  const kept = withoutWritings(withoutChallenges(withoutOffer(withoutTakeOver(device))));
  const begun = Object.assign(epochBegun(kept, event), { window: null, owner }); // a copy already, and nobody else's
  return withHandovers(begun, device, event);
}
