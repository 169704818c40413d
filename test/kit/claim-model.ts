/**
 * One device as its clients know it, for `linearizability.ts`: what each operation of the claim story does to it, with
 * the answer that was given. From the rule book: O2, O4, O5, C2, C5, C7, C8, R1, R2.
 */

import { unreachable } from '../../actors/base/unreachable.ts';
import type { Operation } from './linearizability.ts';

export interface Claimable {
  readonly owner: string | null;
  /** `closes`: the earliest and the latest instant at which it may close, in ms since the epoch. */
  readonly window: { readonly secret: string; readonly closes: readonly [number, number] } | null;
}

export const UNCLAIMED: Claimable = { owner: null, window: null };

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
  | {
      readonly type: 'confirm';
      readonly customer: string;
      readonly secret: string;
      readonly answer: 'success' | 'claimed' | 'failure' | 'unknown';
    }
  | {
      readonly type: 'reclaim';
      readonly customer: string;
      readonly answer: 'done' | 'not-owner' | 'unknown';
    }
  | { readonly type: 'look'; readonly owner: string | null };

const NEVER: readonly Claimable[] = [];

/** An operation as it was asked and answered. Give an unanswered one an `endedAt` of Infinity. */
export function claimOperation(asked: Asked, { calledAt, endedAt }: Times): Operation<Claimable> {
  return {
    what: JSON.stringify(asked),
    calledAt,
    endedAt,
    observes: observes(asked),
    apply: (device) => after(device, asked, calledAt, endedAt),
  };
}

function observes(asked: Asked): boolean {
  if (asked.type === 'look') return true;
  const refusals: readonly unknown[] = ['claimed', 'failure', 'not-owner'];
  return refusals.includes(asked.answer);
}

function after(device: Claimable, asked: Asked, calledAt: number, endedAt: number): readonly Claimable[] {
  const { owner, window } = device;
  switch (asked.type) {
    case 'open': {
      const { secret, durationMs, answer } = asked;
      if (answer === 'claimed') return owner === null ? NEVER : [device]; // O2
      if (owner !== null) return NEVER;
      const closes = closing(answer, calledAt + durationMs, endedAt + durationMs);
      return [{ owner, window: { secret, closes } }]; // O5
    }
    case 'confirm': {
      const { customer, secret, answer } = asked;
      if (answer === 'claimed') return owner === null ? NEVER : [device]; // C5
      if (owner !== null) return NEVER; // C7
      const fits = window?.secret === secret;
      if (answer === 'failure') {
        const elapsed = window === null || endedAt + SLACK_MS >= window.closes[0];
        return !fits || elapsed ? [device] : NEVER; // C5
      }
      const open = fits && calledAt - SLACK_MS < window.closes[1]; // C8
      return open ? [{ owner: customer, window: null }] : NEVER; // C2
    }
    case 'reclaim': {
      const { customer, answer } = asked;
      const strange = owner !== null && owner !== customer;
      if (answer === 'not-owner') return strange ? [device] : NEVER; // R1
      if (strange) return NEVER;
      return [owner === null ? device : UNCLAIMED]; // R2
    }
    case 'look':
      return owner === asked.owner ? [device] : NEVER;
    default:
      return unreachable(asked);
  }
}

/** O4: between which instants the window closes, as far as its client knows. */
function closing(
  answer: Extract<Asked, { type: 'open' }>['answer'],
  earliest: number,
  latest: number,
): readonly [number, number] {
  const told = typeof answer === 'string' ? null : answer.closesAt;
  if (told !== null) return [told, told];
  // In JSON, by which states are told apart, there is no Infinity.
  return [earliest - SLACK_MS, Math.min(latest + SLACK_MS, Number.MAX_SAFE_INTEGER)];
}
