/** One simulated run from seed to verdict. */
import { createHash } from 'node:crypto';
import { createDice, type Dice } from '../kit/dice.ts';
import { acknowledged } from './checkers/acknowledged.ts';
import { expiry } from './checkers/expiry.ts';
import { linearizable } from './checkers/linearizable.ts';
import { ordered } from './checkers/ordered.ts';
import { ownership } from './checkers/ownership.ts';
import { refusals } from './checkers/refusals.ts';
import { settled } from './checkers/settled.ts';
import { readEnding } from './ending.ts';
import type { Checker, History, Violation } from './history.ts';
import { drawPlan, type Plan } from './plan.ts';
import type { Plant } from './plants.ts';
import { Workload } from './workload.ts';
import { type Place, World } from './world.ts';

export const CHECKERS: readonly Checker[] = [
  ownership,
  acknowledged,
  expiry,
  refusals,
  linearizable,
  ordered,
  settled,
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
  const world = new World(plan.world, dice);
  for (const place of world.places) world.start(place);

  await trouble(world, plan, dice);
  const calmSince = await comeToRest(world);
  const ending = await readEnding(world, calmSince);
  for (const { node } of world.places) node?.die();

  const { operations, log, counts } = world.recorder;
  const { secretOf } = world.digests;
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
async function trouble(world: World, plan: Plan, dice: Dice): Promise<void> {
  const workload = new Workload(world, plan, dice);
  let isSetOut = false;
  void workload.start().then(() => {
    isSetOut = true;
  });
  wreak(world, plan, dice.fork('chaos'), () => isSetOut);
  for (let ms = 0; !isSetOut || workload.busy; ms += STEP_MS) {
    if (ms === 10 * REST_MAX_MS) throw new Error('the callers never come to an end');
    // What goes wrong for ever would never let the callers finish: most of it ends with the last intent.
    if (isSetOut && ms > REST_MAX_MS) world.calm();
    await world.run(STEP_MS);
  }
}

/** Sets off troubles of each kind, at random times, as long as the callers have plans. */
function wreak(world: World, plan: Plan, dice: Dice, isOver: () => boolean): void {
  const each = (everyMs: number, label: string, act: (dice: Dice, place: Place) => void) => {
    if (everyMs === 0) return;
    const own = dice.fork(label);
    const again = () =>
      world.clock.after(own.between(1, 2 * everyMs), () => {
        if (isOver()) return;
        act(own, own.pick(world.places));
        again();
      });
    again();
  };

  each(plan.crashEveryMs, 'crash', (own, place) => world.crash(place, own.between(10, 800)));
  each(plan.drainEveryMs, 'drain', (own, place) => {
    void world.restart(place, own.pick([0, 50, 1000]), own.between(10, 800));
  });
  each(plan.cutEveryMs, 'cut', (own, place) => {
    place.cut = true;
    world.clock.after(own.between(20, 1500), () => {
      place.cut = false;
    });
  });
  each(plan.leapEveryMs, 'leap', (own) => world.leap(own.between(1, 4000)));
}

/**
 * The calm after: no new faults, all nodes up; then, once everything under way has been answered, a leap over the ends
 * of all windows, and the time the nodes have to close them. Returns the instant of that leap.
 */
async function comeToRest(world: World): Promise<number> {
  world.calm();
  for (let ms = 0; ms < REST_MAX_MS && isUnderWay(world); ms += STEP_MS) await world.run(STEP_MS);
  await world.run(STEP_MS);
  const ends = world.recorder.log.flatMap(({ head }) => (head?.window ? [head.window.closesAt] : []));
  const last = Math.max(0, ...ends);
  if (last >= world.clock.now()) world.leap(last - world.clock.now() + 1);
  const calmSince = world.clock.now();
  await world.run(STEP_MS + 50);
  return calmSince;
}

function isUnderWay(world: World): boolean {
  return (
    world.recorder.operations.some(({ ended }) => ended === undefined) ||
    world.places.some(({ node }) => (node?.inFlight ?? 0) > 0)
  );
}

function fingerprintOf({ operations, log, ending }: History): string {
  const hash = createHash('sha256');
  for (const record of [...operations, ...log]) hash.update(`${JSON.stringify(record)}\n`);
  hash.update(JSON.stringify([...ending.heads]));
  return hash.digest('hex').slice(0, 16);
}
