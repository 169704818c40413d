/** What kind of run a seed is: policy, limits, faults, how busy and how unruly the callers are. Drawn once, at the start. */
import {
  DEFAULT_OWNERSHIP_RULES,
  OWNERSHIP_CHOICES,
  type OwnershipRules,
} from '../../actors/device/ownership-rules.ts';
import type { Dice } from '../kit/dice.ts';
import { drawRates } from './faults.ts';
import type { Rules } from './history.ts';
import type { Plant } from './plants.ts';
import type { SimulationOptions } from './simulation.ts';

export interface Plan {
  readonly simulation: SimulationOptions;
  readonly rules: Rules;
  /** How many things the callers set out to do. */
  readonly intents: number;
  /** The longest pause between two of them, in ms. */
  readonly pauseMaxMs: number;
  /** The longest way of a message from a caller to a node, in ms. */
  readonly wayMaxMs: number;
  /** How likely a message is delivered twice. */
  readonly duplicates: number;
  /** How likely the caller of an unanswered message tries again. */
  readonly retries: number;
  /** Mean time between two troubles of a kind, in ms; 0: never. */
  readonly crashEveryMs: number;
  readonly drainEveryMs: number;
  readonly cutEveryMs: number;
  readonly leapEveryMs: number;
}

/** Mostly with take-overs and resets, for the defaults have neither. */
function drawOwnership(dice: Dice, onOwnerChange: OwnershipRules['onOwnerChange']): OwnershipRules {
  // What credentials that change with the owner do to all of this, the enumeration shows.
  if (onOwnerChange !== 'keep') return DEFAULT_OWNERSHIP_RULES;
  return {
    ...DEFAULT_OWNERSHIP_RULES,
    takeOver: dice.pick(['never', 'after-notice', 'after-notice', 'at-once']),
    takeOverNoticeMs: dice.between(100, 3000),
    takeOverRequires: dice.pick(['device-window', 'device-window', 'proof']),
    deviceReset: dice.pick(OWNERSHIP_CHOICES.deviceReset),
  };
}

export function drawPlan(dice: Dice, bug: Plant | undefined): Plan {
  const onOwnerChange = dice.pick(OWNERSHIP_CHOICES.onOwnerChange);
  const policy = {
    allowClaimingByDefault: dice.chance(0.65),
    defaultDurationMs: dice.between(300, 3000),
    maxDurationMs: dice.chance(0.4) ? 60_000 : 0,
    maxAttributeBytes: 2048,
    asksConsent: dice.chance(0.25),
    ownership: {
      ...drawOwnership(dice.fork('ownership'), onOwnerChange),
      claimProof:
        onOwnerChange === 'rotate' ? 'optional' : dice.pick(['optional', 'optional', 'required'] as const),
      onOwnerChange,
      rotationGraceMs: dice.pick([800, 60_000]),
    },
  };
  const skewMaxMs = dice.chance(0.3) ? dice.between(1, 40) : 0;
  const nodes = dice.pick([2, 2, 3]);
  const skewsMs = Array.from({ length: nodes }, () => dice.between(0, skewMaxMs));
  const askTimeoutMs = dice.pick([300, 1000]);
  const every = () => (dice.chance(0.5) ? 0 : dice.pick([1500, 4000, 10_000]));
  return {
    simulation: {
      policy,
      registry: {
        residentsMax: dice.pick([1, 2, 100]),
        idleMs: dice.pick([300, 1500, 60_000]),
        mailboxMax: dice.pick([3, 100, 100]),
        inFlightMax: dice.pick([6, 100, 100]),
        askTimeoutMs,
      },
      alarms: { pollMs: 250, fanOutMax: dice.pick([1, 100]) },
      rates: drawRates(dice),
      skewsMs,
      bug,
    },
    rules: {
      ...policy,
      ...policy.ownership,
      askTimeoutMs,
      clockSlackMs: skewMaxMs,
    },
    intents: dice.between(30, 90),
    pauseMaxMs: dice.pick([20, 150, 600]),
    wayMaxMs: dice.pick([0, 5, 60, 400]),
    duplicates: dice.pick([0, 0.1, 0.3]),
    retries: dice.pick([0.3, 0.9]),
    crashEveryMs: every(),
    drainEveryMs: every(),
    cutEveryMs: every(),
    leapEveryMs: every(),
  };
}
