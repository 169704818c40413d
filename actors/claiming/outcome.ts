/** What became of a claim, and how a device or a gateway reads it: on a response topic, or in words for a person. */

import type { Instant } from '../base/clock.ts';
import { unreachable } from '../base/unreachable.ts';
import type { RefusalReason } from '../device/messages.ts';
import { ownerEpochOf } from '../device/state.ts';
import type { DeviceAnswer } from '../fleet/devices.ts';
import type { Unavailable } from '../runtime/decider.ts';
import { REASONS } from './reasons.ts';

export type ClaimOutcome =
  /** Durable: the window is open until just before `closesAt`, in this owner epoch (R5). */
  | {
      readonly type: 'opened';
      readonly closesAt: Instant;
      readonly ownerEpoch: number;
      /** It waits for the tenant's approval first (O9). */
      readonly pending?: true;
    }
  /** Durable: a reset left the device without an owner, and without a window. */
  | { readonly type: 'released'; readonly ownerEpoch: number }
  | {
      readonly type: 'refused';
      readonly reason: RefusalReason;
      readonly maxDurationMs?: number;
      readonly minSecretLength?: number;
      readonly retryAfterMs?: number;
    }
  /** The sum of now and duration leaves the range of instants: the message is at fault (rule O4). */
  | { readonly type: 'malformed'; readonly why: string }
  /** The device is gone or its credentials are no longer valid: whatever trusted them ends. */
  | { readonly type: 'revoked' }
  /** It may or may not have happened; asking again is safe. */
  | { readonly type: 'unavailable'; readonly reason: Unavailable['reason'] };

/** What became of one device behind a gateway. `not-created`: there is no such device, and none was made. */
export type EntryOutcome =
  | ClaimOutcome
  | { readonly type: 'not-created'; readonly why: RefusalReason | 'name-not-visible' };

/** Of a reset: the window that it opened, if it did. */
export function resetOutcomeOf(answer: DeviceAnswer): ClaimOutcome {
  if (answer.type !== 'accepted' || answer.state.status === 'absent') return outcomeOf(answer);
  const { window, pendingWindow } = answer.state;
  const opened = [window?.openedAt, pendingWindow?.openedAt].includes(answer.at);
  if (opened) return outcomeOf(answer);
  return { type: 'released', ownerEpoch: ownerEpochOf(answer.state) };
}

/** Throws where the device accepted a claim and has no window, which is a bug. */
export function outcomeOf(answer: DeviceAnswer): ClaimOutcome {
  switch (answer.type) {
    case 'accepted': {
      const device = answer.state.status === 'provisioned' ? answer.state : null;
      const { pendingWindow = null } = device ?? {};
      if (device !== null && pendingWindow?.openedAt === answer.at) {
        const { closesAt } = pendingWindow;
        return { type: 'opened', closesAt, ownerEpoch: ownerEpochOf(device), pending: true };
      }
      if (device === null || device.window === null) {
        throw new Error('an accepted InitiateClaim left no window');
      }
      return { type: 'opened', closesAt: device.window.closesAt, ownerEpoch: ownerEpochOf(device) };
    }
    case 'refused':
      return refused(answer.refusal);
    case 'unavailable':
      return { type: 'unavailable', reason: answer.reason };
    default:
      return unreachable(answer);
  }
}

function refused(refusal: Extract<DeviceAnswer, { type: 'refused' }>['refusal']): ClaimOutcome {
  switch (refusal.reason) {
    case 'credentials-revoked':
    case 'unknown-device':
      return { type: 'revoked' };
    case 'duration-out-of-range':
      return { type: 'malformed', why: 'durationMs reaches beyond the end of time' };
    case 'duration-too-long':
      return { type: 'refused', reason: refusal.reason, maxDurationMs: refusal.maxDurationMs };
    case 'secret-too-short':
      return { type: 'refused', reason: refusal.reason, minSecretLength: refusal.minSecretLength };
    case 'rate-limited':
      return { type: 'refused', reason: refusal.reason, retryAfterMs: refusal.retryAfterMs };
    default:
      return { type: 'refused', reason: refusal.reason };
  }
}

/** The outcome as a device reads it on its response topic; undefined where it learns it in another way. */
export function outcomeMessage(outcome: ClaimOutcome): object | undefined {
  switch (outcome.type) {
    case 'opened':
      return {
        status: outcome.pending ? 'pending' : 'opened',
        closesAt: outcome.closesAt,
        ownerEpoch: outcome.ownerEpoch,
      };
    case 'released':
      return { status: 'released', ownerEpoch: outcome.ownerEpoch };
    case 'refused': {
      const { reason, maxDurationMs, minSecretLength, retryAfterMs } = outcome;
      return { status: 'refused', reason, maxDurationMs, minSecretLength, retryAfterMs };
    }
    case 'malformed':
    case 'revoked':
    case 'unavailable':
      return undefined;
    default:
      return unreachable(outcome);
  }
}

/** A refusal in words, for a person who reads a device's log. */
export function refusalInWords(outcome: Extract<ClaimOutcome, { type: 'refused' }>): string {
  switch (outcome.reason) {
    case 'duration-too-long':
      return `durationMs is above the limit of ${outcome.maxDurationMs} ms`;
    case 'secret-too-short':
      return `secretKey has fewer than ${outcome.minSecretLength} characters`;
    case 'rate-limited':
      return `too many claim windows or resets of this device, try again in ${outcome.retryAfterMs} ms`;
    case 'reset-not-allowed':
      return 'a reset does not end the ownership of this device';
    case 'reset-repeated':
      return 'the reset may have been carried out before; send it again as a new message';
    case 'take-over-pending':
      return 'somebody has asked to take the device over';
    default:
      return REASONS[outcome.reason].words;
  }
}

/**
 * What became of the devices behind a gateway, as the gateway reads it on its response topic: JSON objects from names to
 * outcomes.
 *
 * @param bytesMax size of one message; only one with a single outcome may be larger
 */
export function gatewayOutcomeMessages(
  outcomes: ReadonlyMap<string, EntryOutcome>,
  bytesMax: number,
): string[] {
  const messages: string[] = [];
  let members: string[] = [];
  let bytes = 0;
  for (const [name, outcome] of outcomes) {
    const member = `${JSON.stringify(name)}:${JSON.stringify(entryMessage(outcome))}`;
    const more = Buffer.byteLength(member) + 1;
    if (bytes > 0 && bytes + more > bytesMax) {
      messages.push(`{${members.join(',')}}`);
      members = [];
      bytes = 0;
    }
    members.push(member);
    bytes += more;
  }
  messages.push(`{${members.join(',')}}`);
  return messages;
}

function entryMessage(outcome: EntryOutcome): object {
  switch (outcome.type) {
    case 'malformed':
      return { status: 'malformed', reason: 'malformed', message: outcome.why };
    case 'not-created':
      return { status: 'refused', reason: outcome.why };
    case 'revoked':
      return { status: 'refused', reason: 'unknown-device' };
    case 'opened':
    case 'released':
    case 'refused':
    case 'unavailable':
      return outcomeMessage(outcome) ?? { status: 'unavailable' };
    default:
      return unreachable(outcome);
  }
}
