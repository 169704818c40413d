/**
 * Never two owners, and no change of owner but by an event of the right kind: from nobody by a claim or an assignment,
 * to nobody by a reclaim, an unassignment, a reset or the device's end, from one to another by an assignment, a transfer
 * (that it was offered and accepted: `epochs.ts`) or a take-over (`take-overs.ts`).
 */

import { unreachable } from '../../../actors/base/unreachable.ts';
import type { Checker, Durable, Violation } from '../history.ts';

export const ownership: Checker = ({ log }) => {
  const violations: Violation[] = [];
  const owners = new Map<string, string | null>();
  const lengths = new Map<string, number>();

  for (const durable of log) {
    const { device, event, head, sequence, step } = durable;
    const tell = (text: string) =>
      violations.push({ law: 'ownership', device, text: `${text} (${event.type} at step ${step})` });

    const owner = owners.get(device) ?? null;
    const next = ownerAfter(owner, durable, tell);
    if ((head?.owner?.customer ?? null) !== next) {
      tell(`the head names ${head?.owner?.customer ?? 'nobody'} as owner, the events ${next ?? 'nobody'}`);
    }
    owners.set(device, next);

    const length = (lengths.get(device) ?? 0) + 1;
    if (sequence !== length) tell(`event number ${sequence} stands where ${length} should`);
    lengths.set(device, length);
  }
  return violations;
};

function ownerAfter(owner: string | null, { event }: Durable, tell: (text: string) => void): string | null {
  switch (event.type) {
    case 'DeviceProvisioned':
      if (owner !== null) tell(`provisioned while ${owner} owns it`);
      return event.customerId;
    case 'DeviceClaimed':
      if (owner !== null) tell(`a second owner: ${event.customerId} claimed what ${owner} owns`);
      return event.customerId;
    case 'DeviceAssigned':
      if (event.previousCustomerId !== owner) tell(`assigned from ${event.previousCustomerId}, not ${owner}`);
      return event.customerId;
    case 'DeviceTransferred':
      if (owner === null || event.previousCustomerId !== owner) {
        tell(`transferred from ${event.previousCustomerId}, while ${owner ?? 'nobody'} owned it`);
      }
      return event.customerId;
    case 'DeviceTakenOver':
      if (owner === null || event.previousCustomerId !== owner || event.customerId === owner) {
        tell(`${event.customerId} took it over from ${event.previousCustomerId}, while ${owner} owned it`);
      }
      return event.customerId;
    case 'DeviceReclaimed':
    case 'DeviceUnassigned':
    case 'DeviceReset':
      if (owner === null || event.previousCustomerId !== owner) {
        tell(`taken from ${event.previousCustomerId}, while ${owner ?? 'nobody'} owned it`);
      }
      return null;
    case 'DeviceDeleted':
      return null;
    case 'ClaimWindowOpened':
      // By the device itself it may open one, for a take-over; `refusals` and `linearizable` know when.
      if (owner !== null && event.openedBy === 'gateway') tell(`a gateway opened what ${owner} owns`);
      return owner;
    case 'DeviceOffered':
      if (owner !== event.customerId)
        tell(`offered by ${event.customerId}, while ${owner ?? 'nobody'} owned it`);
      return owner;
    case 'OfferDeclined':
    case 'OfferWithdrawn':
    case 'OfferExpired':
    case 'ChallengeIssued':
    case 'ResetNoted':
    case 'DeviceUpdated':
    case 'CredentialsChanged':
    case 'CredentialsRotated':
    case 'CredentialsRead':
    case 'ClaimsRefused':
    case 'ClaimWindowApproved':
    case 'ClaimWindowClosed':
    case 'ClaimWindowExpired':
    case 'TakeOverAsked':
    case 'TakeOverEnded':
    case 'AttributesSaved':
    case 'AttributesDeleted':
      return owner;
    default:
      return unreachable(event);
  }
}
