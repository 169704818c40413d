/** Which operation may have made which event, and whether all of them can be paired one to one. */
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
    case 'DeviceDeleted':
      return request.type === 'delete';
    case 'ClaimWindowOpened':
      return (
        request.type === 'initiate' &&
        request.by.type === event.openedBy &&
        effectiveDuration(rules, request.durationMs) === event.closesAt - event.at
      );
    case 'ClaimWindowExpired':
      return false;
    case 'DeviceClaimed':
      return (
        request.type === 'confirm' &&
        request.user === event.userId &&
        request.customer === event.customerId
      );
    case 'ClaimWindowClosed':
      return request.type === 'reclaim' && request.user === event.userId && request.customer === null;
    case 'DeviceReclaimed':
      return (
        request.type === 'reclaim' &&
        request.user === event.userId &&
        (request.customer === null || request.customer === event.previousCustomerId)
      );
    case 'DeviceAssigned':
      return (
        request.type === 'assign' &&
        request.user === event.userId &&
        request.customer === event.customerId
      );
    case 'DeviceUnassigned':
      return request.type === 'unassign' && request.user === event.userId;
    case 'AttributesSaved':
      return request.type === 'save' && request.mark === event.values.mark;
    case 'AttributesDeleted':
      return request.type === 'forget' && event.keys.every((key) => request.keys.includes(key));
    default:
      return event satisfies never;
  }
}

/**
 * Pairs every item of `left` with an item of `right` of its own (Kuhn's augmenting paths); returns those that found
 * none. Empty: all are paired.
 */
export function unpaired<Left, Right>(
  left: readonly Left[],
  right: readonly Right[],
  fits: (left: Left, right: Right) => boolean,
): Left[] {
  const edges = left.map((item) => right.flatMap((other, at) => (fits(item, other) ? [at] : [])));
  const pairedWith = new Map<number, number>();

  function augment(item: number, visited: Set<number>): boolean {
    for (const other of edges[item] ?? []) {
      if (visited.has(other)) continue;
      visited.add(other);
      const held = pairedWith.get(other);
      if (held === undefined || augment(held, visited)) {
        pairedWith.set(other, item);
        return true;
      }
    }
    return false;
  }
  return left.filter((_, item) => !augment(item, new Set()));
}
