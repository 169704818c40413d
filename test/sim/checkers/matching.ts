/** Which operation may have made which event, and whether all of them can be paired one to one. */

import { unreachable } from '../../../actors/base/unreachable.ts';
import type { Durable, Operation, Rules } from '../history.ts';
import { effectiveDuration } from './rules.ts';

/**
 * Whether this operation may have caused this event: it asked for exactly this, of the node that appended it, the
 * append came after the asking and (if the answer was a success) before the answer, and the decision was made between.
 */
export function mayHaveMade(rules: Rules, operation: Operation, durable: Durable): boolean {
  const { device, node, called, ended } = operation;
  if (device !== durable.device || node !== durable.node) return false;
  if (called.step >= durable.step || called.at > durable.event.at) return false;
  if (ended !== undefined) {
    const { outcome, moment } = ended;
    if (outcome.type !== 'accepted' && outcome.type !== 'unknown') return false;
    if (durable.event.at > moment.at) return false;
    if (outcome.type === 'accepted' && (durable.step > moment.step || durable.event.at !== outcome.at)) {
      return false;
    }
  }
  return askedFor(rules, operation, durable);
}

function askedFor(rules: Rules, { request }: Operation, { event }: Durable): boolean {
  switch (event.type) {
    case 'DeviceProvisioned':
      return (
        request.type === 'provision' &&
        request.name === event.name &&
        request.token === event.credentials.credentialsId
      );
    case 'DeviceUpdated':
      return request.type === 'rename' && request.name === event.name;
    case 'CredentialsChanged':
      return request.type === 'change-credentials' && request.token === event.credentials.credentialsId;
    case 'CredentialsRotated':
      return request.type === 'adopt' && event.by === 'use';
    case 'CredentialsRead':
      return request.type === 'read-credentials' && request.user === event.userId;
    case 'ClaimWindowApproved':
      return request.type === 'approve' && request.user === event.userId;
    case 'DeviceDeleted':
      return request.type === 'delete';
    case 'ClaimWindowOpened':
      return (
        (request.type === 'reset' || (request.type === 'initiate' && !event.byReset)) &&
        request.by.type === event.openedBy &&
        effectiveDuration(rules, request.durationMs) === event.closesAt - event.at
      );
    case 'ResetNoted':
      return request.type === 'reset' && request.by.type === 'device';
    case 'ChallengeIssued':
      return request.type === 'challenge' && request.user === event.userId;
    case 'ClaimWindowExpired':
    case 'ClaimsRefused': // nobody counts refusals in the simulation
      return false;
    case 'DeviceClaimed':
      return (
        (request.type === 'confirm' || request.type === 'kit') &&
        request.user === event.userId &&
        request.customer === event.customerId
      );
    case 'ClaimWindowClosed':
      return (
        ((request.type === 'reclaim' && request.customer === null) || request.type === 'end-take-over') &&
        request.user === event.userId
      );
    case 'TakeOverAsked':
      return (
        request.type === 'confirm' && request.user === event.userId && request.customer === event.customerId
      );
    case 'DeviceTakenOver':
      return (
        (request.type === 'confirm' &&
          request.user === event.userId &&
          request.customer === event.customerId) ||
        (request.type === 'complete' && request.customer === event.customerId)
      );
    case 'TakeOverEnded':
      return event.userId === undefined
        ? request.type === 'complete' && request.customer === event.customerId
        : request.type === 'end-take-over' && request.user === event.userId;
    case 'DeviceReset':
      return (
        request.type === 'reset' &&
        (event.window === undefined ||
          effectiveDuration(rules, request.durationMs) === event.window.closesAt - event.at)
      );
    case 'DeviceReclaimed':
      return (
        request.type === 'reclaim' &&
        request.user === event.userId &&
        (request.customer === null || request.customer === event.previousCustomerId)
      );
    case 'DeviceAssigned':
      return (
        request.type === 'assign' && request.user === event.userId && request.customer === event.customerId
      );
    case 'DeviceUnassigned':
      return request.type === 'unassign' && request.user === event.userId;
    case 'DeviceOffered':
      return (
        request.type === 'offer' &&
        request.user === event.userId &&
        request.transfer === event.transferId &&
        request.durationMs === event.expiresAt - event.at
      );
    case 'DeviceTransferred':
      return (
        request.type === 'accept' && request.user === event.userId && request.customer === event.customerId
      );
    case 'OfferDeclined':
      return request.type === 'decline' && request.user === event.userId;
    case 'OfferWithdrawn':
      return request.type === 'withdraw' && request.user === event.userId;
    case 'OfferExpired':
      return false;
    case 'AttributesSaved':
      return request.type === 'save' && request.mark === event.values.mark;
    case 'AttributesDeleted':
      return request.type === 'forget' && event.keys.every((key) => request.keys.includes(key));
    default:
      return unreachable(event);
  }
}

/**
 * Pairs as many items of `left` as can be, each with an item of `right` of its own (Kuhn's augmenting paths). Where there
 * is a choice, earlier items of `right` are preferred.
 */
export function pair<Left, Right>(
  left: readonly Left[],
  right: readonly Right[],
  fits: (left: Left, right: Right) => boolean,
): { readonly pairs: ReadonlyMap<Left, Right>; readonly alone: readonly Left[] } {
  const edges = new Map(left.map((item) => [item, right.filter((other) => fits(item, other))]));
  const held = new Map<Right, Left>();

  function augment(item: Left, visited: Set<Right>): boolean {
    for (const other of edges.get(item) ?? []) {
      if (visited.has(other)) continue;
      visited.add(other);
      const holder = held.get(other);
      if (holder === undefined || augment(holder, visited)) {
        held.set(other, item);
        return true;
      }
    }
    return false;
  }
  const alone = left.filter((item) => !augment(item, new Set()));
  return { pairs: new Map([...held].map(([other, item]) => [item, other])), alone };
}
