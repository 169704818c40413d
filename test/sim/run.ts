/** One simulated run from seed to verdict. */
import { createHash } from 'node:crypto';
import { createDice, type Dice } from '../kit/dice.ts';
import { acknowledged } from './checkers/acknowledged.ts';
import { epochs } from './checkers/epochs.ts';
import { expiry } from './checkers/expiry.ts';
import { linearizable } from './checkers/linearizable.ts';
import { ordered } from './checkers/ordered.ts';
import { ownership } from './checkers/ownership.ts';
import { refusals } from './checkers/refusals.ts';
import { settled } from './checkers/settled.ts';
import { takeOvers } from './checkers/take-overs.ts';
import { readEnding } from './ending.ts';
import type { Checker, History, Violation } from './history.ts';
import { drawPlan, type Plan } from './plan.ts';
import type { Plant } from './plants.ts';
import { type Host, Simulation } from './simulation.ts';
import { Workload } from './workload.ts';

export const CHECKERS: readonly Checker[] = [
  ownership,
  acknowledged,
  expiry,
  epochs,
  refusals,
  linearizable,
  ordered,
  settled,
  takeOvers,
];

export interface Run {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly history: History;
  /** How often each thing worth counting happened. */
  readonly counts: ReadonlyMap<string, number>;
  /** Digest of everything observed: equal for two runs of one seed. */
  readonly fingerprint: string;
}

/** A run that has not come to rest by then never will. */
const REST_MAX_MS = 60_000;
const STEP_MS = 1000;

/** @param bug a planted bug to run with, to see it found */
export async function runSeed(seed: number, bug?: Plant): Promise<Run> {
  const dice = createDice(seed);
  const plan = drawPlan(dice.fork('plan'), bug);
  const simulation = new Simulation(plan.simulation, dice);
  for (const host of simulation.hosts) simulation.start(host);

  await trouble(simulation, plan, dice);
  const calmSince = await comeToRest(simulation);
  const ending = await readEnding(simulation, calmSince);
  for (const { node } of simulation.hosts) node?.die();

  const { operations, log, counts } = simulation.recorder;
  const { secretOf } = simulation.digests;
  const history: History = { rules: plan.rules, operations, log, secretOf, ending };
  return {
    seed,
    violations: CHECKERS.flatMap((check) => check(history)),
    history,
    counts,
    fingerprint: fingerprintOf(history),
  };
}

/** The unruly part: callers at work while things go wrong. Over when every caller has given up or has its answer. */
async function trouble(simulation: Simulation, plan: Plan, dice: Dice): Promise<void> {
  const workload = new Workload(simulation, plan, dice);
  let isSetOut = false;
  void workload.start().then(() => {
    isSetOut = true;
  });
  wreak(simulation, plan, dice.fork('chaos'), () => isSetOut);
  for (let ms = 0; !isSetOut || workload.busy; ms += STEP_MS) {
    if (ms === 10 * REST_MAX_MS) throw new Error('the callers never come to an end');
    // What goes wrong for ever would never let the callers finish: most of it ends with the last intent.
    if (isSetOut && ms > REST_MAX_MS) simulation.calm();
    await simulation.run(STEP_MS);
  }
}

/** Sets off troubles of each kind, at random times, as long as the callers have plans. */
function wreak(simulation: Simulation, plan: Plan, dice: Dice, isOver: () => boolean): void {
  const each = (everyMs: number, label: string, act: (dice: Dice, host: Host) => void) => {
    if (everyMs === 0) return;
    const own = dice.fork(label);
    const again = () =>
      simulation.clock.after(own.between(1, 2 * everyMs), () => {
        if (isOver()) return;
        act(own, own.pick(simulation.hosts));
        again();
      });
    again();
  };

  each(plan.crashEveryMs, 'crash', (own, host) => simulation.crash(host, own.between(10, 800)));
  each(plan.drainEveryMs, 'drain', (own, host) => {
    void simulation.restart(host, own.pick([0, 50, 1000]), own.between(10, 800));
  });
  each(plan.cutEveryMs, 'cut', (own, host) => {
    host.cut = true;
    simulation.clock.after(own.between(20, 1500), () => {
      host.cut = false;
    });
  });
  each(plan.leapEveryMs, 'leap', (own) => simulation.leap(own.between(1, 4000)));
}

/**
 * The calm after: no new faults, all nodes up; then, once everything under way has been answered, a leap over the ends
 * of all windows, and the time the nodes have to close them. Returns the instant of that leap.
 */
async function comeToRest(simulation: Simulation): Promise<number> {
  simulation.calm();
  for (let ms = 0; ms < REST_MAX_MS && isUnderWay(simulation); ms += STEP_MS) await simulation.run(STEP_MS);
  await simulation.run(STEP_MS);
  const ends = simulation.recorder.log.flatMap(({ head }) => [
    head?.window?.closesAt ?? 0,
    head?.offer?.expiresAt ?? 0,
    head?.takeOver?.dueAt ?? 0,
  ]);
  const last = Math.max(0, ...ends);
  if (last >= simulation.clock.now()) simulation.leap(last - simulation.clock.now() + 1);
  const calmSince = simulation.clock.now();
  await simulation.run(STEP_MS + 50);
  return calmSince;
}

function isUnderWay(simulation: Simulation): boolean {
  return (
    simulation.recorder.operations.some(({ ended }) => ended === undefined) ||
    simulation.hosts.some(({ node }) => (node?.inFlight ?? 0) > 0)
  );
}

function fingerprintOf({ operations, log, ending }: History): string {
  const hash = createHash('sha256');
  for (const record of [...operations, ...log]) hash.update(`${JSON.stringify(record)}\n`);
  hash.update(JSON.stringify([...ending.heads]));
  return hash.digest('hex').slice(0, 16);
}
