/**
 * One device as its clients know it, for `linearizability.ts`: what each operation of the claim story does to it, with
 * the answer that was given. From the rule book: O2, O4, O5, C2, C5, C7, C8, R1, R2, R5, H1 to H4, N1, N2, N4, N5.
 *
 * Whoever adds a way in which a device changes hands adds its operation to `Asked`, what it does to `after`, and its clear
 * refusals to `REFUSALS`; a change of owner goes through `owned`, which counts the epoch and ends offers.
 */

import { unreachable } from '../../actors/base/unreachable.ts';
import type { Operation } from './linearizability.ts';

export interface Claimable {
  readonly owner: string | null;
  /** The owner epoch (R5). */
  readonly epoch: number;
  /** `closes`: the earliest and the latest instant at which it may close, in ms since the epoch. */
  readonly window: { readonly secret: string; readonly closes: readonly [number, number] } | null;
  /** `by`: which offer; nobody who was not told its code can accept it. `ends` as `closes`. */
  readonly offer: { readonly by: string; readonly ends: readonly [number, number] } | null;
  /** By which offer the owner came to it. */
  readonly came: string | null;
  /** It has told of a reset, owned or not: within the hour none ends an ownership (N5). */
  readonly wasReset: boolean;
}

export const UNCLAIMED: Claimable = {
  owner: null,
  epoch: 0,
  window: null,
  offer: null,
  came: null,
  wasReset: false,
};

/** What the device's profile allows; here all windows are the device's own. */
export interface OwnershipChoice {
  /** A claim takes the device over from another owner, at once (N1, N2). */
  readonly takesOver: boolean;
}

const NO_TAKE_OVER: OwnershipChoice = { takesOver: false };

/** Clients and servers read one machine's clock, but not at the same instant. */
const SLACK_MS = 5;

export interface Times {
  readonly calledAt: number;
  readonly endedAt: number;
}

export type Asked =
  | {
      readonly type: 'open';
      readonly secret: string;
      readonly durationMs: number;
      /** `closesAt` null: the client was not told when. */
      readonly answer: { readonly type: 'opened'; readonly closesAt: number | null } | 'claimed' | 'unknown';
    }
  /** A factory reset of a device that leaves its owner by it and opens a window (N4). */
  | {
      readonly type: 'reset';
      readonly secret: string;
      readonly durationMs: number;
      readonly answer: { readonly type: 'opened'; readonly closesAt: number | null } | 'too-soon' | 'unknown';
    }
  | {
      readonly type: 'confirm';
      readonly customer: string;
      readonly secret: string;
      /** `epoch`: what a success told. */
      readonly answer:
        | { readonly type: 'success'; readonly epoch: number }
        | 'claimed'
        | 'failure'
        | 'unknown';
    }
  | {
      readonly type: 'reclaim';
      readonly customer: string;
      /** In which epoch alone it should hold (`If-Match`); absent: in any. */
      readonly inEpoch?: number;
      readonly answer: 'done' | 'not-owner' | 'epoch-changed' | 'unknown';
    }
  | {
      readonly type: 'offer';
      readonly customer: string;
      readonly durationMs: number;
      /** `by` names the offer; of an offer without an answer nobody knows the code, so nobody can accept it. */
      readonly answer:
        | { readonly type: 'offered'; readonly by: string; readonly endsAt: number }
        | 'not-owner'
        | 'unknown';
    }
  | {
      readonly type: 'accept';
      readonly customer: string;
      readonly by: string;
      readonly answer: { readonly type: 'accepted'; readonly epoch: number } | 'none' | 'own' | 'unknown';
    }
  | {
      readonly type: 'withdraw';
      readonly customer: string;
      readonly answer: 'done' | 'not-owner' | 'unknown';
    }
  | { readonly type: 'look'; readonly owner: string | null; readonly epoch: number };

const NEVER: readonly Claimable[] = [];
const LOST_OFFER: Claimable['offer'] = {
  by: 'an offer whose code got lost',
  ends: [0, Number.MAX_SAFE_INTEGER],
};

/** An operation as it was asked and answered. Give an unanswered one an `endedAt` of Infinity. */
export function claimOperation(
  asked: Asked,
  { calledAt, endedAt }: Times,
  choice = NO_TAKE_OVER,
): Operation<Claimable> {
  return {
    what: JSON.stringify(asked),
    calledAt,
    endedAt,
    observes: observes(asked),
    apply: (device) => after(device, asked, { calledAt, endedAt }, choice),
    ...version(asked),
    ...('answer' in asked && asked.answer === 'unknown' ? { alike: JSON.stringify(asked) } : {}),
  };
}

/** The epoch never falls (R5). */
export const epochOf = ({ epoch }: Claimable): number => epoch;

/** In which epoch the device was at most when it gave the answer. */
function version(asked: Asked): { readonly versionMost?: number } {
  if (asked.type === 'look') return { versionMost: asked.epoch };
  if (asked.type === 'reclaim' && asked.answer === 'done' && asked.inEpoch !== undefined) {
    return { versionMost: asked.inEpoch };
  }
  if (asked.type === 'confirm' && typeof asked.answer !== 'string') {
    return { versionMost: asked.answer.epoch - 1 };
  }
  // Who asks again hears of the epoch that it is in.
  if (asked.type === 'accept' && typeof asked.answer !== 'string') return { versionMost: asked.answer.epoch };
  return {};
}

/** Answers that change nothing, whatever the device. */
const REFUSALS: readonly unknown[] = [
  'claimed',
  'failure',
  'not-owner',
  'epoch-changed',
  'none',
  'own',
  'too-soon',
];

function observes(asked: Asked): boolean {
  return asked.type === 'look' || REFUSALS.includes(asked.answer);
}

function after(
  device: Claimable,
  asked: Asked,
  { calledAt, endedAt }: Times,
  { takesOver }: OwnershipChoice,
): readonly Claimable[] {
  const { owner, epoch, window } = device;
  switch (asked.type) {
    case 'open': {
      const { secret, durationMs, answer } = asked;
      if (answer === 'claimed') return owner === null || takesOver ? NEVER : [device]; // O2
      if (owner !== null && !takesOver) return NEVER;
      const told = typeof answer === 'string' ? null : answer.closesAt;
      return [{ ...device, window: { secret, closes: ending(told, durationMs, calledAt, endedAt) } }]; // O5
    }
    case 'confirm': {
      const { customer, secret, answer } = asked;
      const takenOver = takesOver && owner !== null && owner !== customer && window !== null; // N1
      if (answer === 'claimed') {
        if (owner === null) return NEVER; // C5
        return takenOver && !mayBeOver(window.closes, endedAt) ? NEVER : [device];
      }
      if (owner !== null && !takenOver) return NEVER; // C7
      const fits = window?.secret === secret;
      if (answer === 'failure') return !fits || mayBeOver(window.closes, endedAt) ? [device] : NEVER; // C5
      const open = fits && calledAt - SLACK_MS < window.closes[1]; // C8
      return open ? told(answer, owned(device, customer, null)) : NEVER; // C2
    }
    case 'reset': {
      const { secret, durationMs, answer } = asked;
      if (answer === 'too-soon') return owner !== null && device.wasReset ? [device] : NEVER; // N5
      if (owner !== null && device.wasReset) return NEVER;
      const closesAt = typeof answer === 'string' ? null : answer.closesAt;
      const released = { ...(owner === null ? device : owned(device, null, null)), wasReset: true };
      return [{ ...released, window: { secret, closes: ending(closesAt, durationMs, calledAt, endedAt) } }];
    }
    case 'reclaim': {
      const { customer, inEpoch, answer } = asked;
      const strange = owner !== null && owner !== customer;
      if (answer === 'not-owner') return strange ? [device] : NEVER; // R1
      if (strange) return NEVER;
      // R5: one that names an epoch holds in no other, and never where there is nothing to give back.
      const isLate = inEpoch !== undefined && (owner === null || inEpoch !== epoch);
      if (answer === 'epoch-changed') return isLate ? [device] : NEVER;
      if (isLate) return NEVER;
      return [owner === null ? device : owned(device, null, null)]; // R2
    }
    case 'offer': {
      const { customer, answer } = asked;
      if (answer === 'not-owner') return owner === customer ? NEVER : [device];
      if (owner !== customer) return NEVER; // H1
      // Nobody can accept it, so it does not matter when it ends.
      if (answer === 'unknown') return [{ ...device, offer: LOST_OFFER }];
      return [{ ...device, offer: { by: answer.by, ends: [answer.endsAt, answer.endsAt] } }];
    }
    case 'accept':
      return afterAccept(device, asked, calledAt, endedAt);
    case 'withdraw': {
      const { customer, answer } = asked;
      if (answer === 'not-owner') return owner === customer ? NEVER : [device];
      return owner === customer ? [{ ...device, offer: null }] : NEVER; // H4
    }
    case 'look':
      return owner === asked.owner && epoch === asked.epoch ? [device] : NEVER;
    default:
      return unreachable(asked);
  }
}

function afterAccept(
  device: Claimable,
  { customer, by, answer }: Asked & { readonly type: 'accept' },
  calledAt: number,
  endedAt: number,
): readonly Claimable[] {
  const { owner, offer, came } = device;
  const isRepeated = owner === customer && came === by; // H2: asked again
  const stands = owner !== null && offer?.by === by ? offer : null;
  if (answer === 'own') return stands !== null && owner === customer ? [device] : NEVER;
  if (answer === 'none') {
    if (isRepeated) return NEVER;
    return stands === null || mayBeOver(stands.ends, endedAt) ? [device] : NEVER;
  }
  if (isRepeated) return told(answer, device);
  const inTime = stands !== null && calledAt - SLACK_MS < stands.ends[1]; // H4
  return inTime && owner !== customer ? told(answer, owned(device, customer, by)) : NEVER; // H2: once
}

/** The device with another owner: the next epoch, and nothing that was granted in the last one (R5, O9). */
function owned({ epoch, wasReset }: Claimable, owner: string | null, came: string | null): Claimable {
  return { owner, epoch: epoch + 1, window: null, offer: null, came, wasReset };
}

/** The device after a success, if that told the epoch that it is in. */
function told(answer: { readonly epoch: number } | 'unknown', device: Claimable): readonly Claimable[] {
  return answer === 'unknown' || answer.epoch === device.epoch ? [device] : NEVER;
}

function mayBeOver([earliest]: readonly [number, number], at: number): boolean {
  return at + SLACK_MS >= earliest;
}

/** O4: between which instants a window closes, or an offer ends, as far as its client knows. */
function ending(
  endsAt: number | null,
  durationMs: number,
  calledAt: number,
  endedAt: number,
): readonly [number, number] {
  if (endsAt !== null) return [endsAt, endsAt];
  // In JSON, by which states are told apart, there is no Infinity.
  const latest = Math.min(endedAt + durationMs + SLACK_MS, Number.MAX_SAFE_INTEGER);
  return [calledAt + durationMs - SLACK_MS, latest];
}
