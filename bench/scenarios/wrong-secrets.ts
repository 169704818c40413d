/**
 * Customers claim their devices at a steady rate while others guess: half of all claims have a wrong secret, for devices whose
 * windows are open. How long the honest ones wait, without the guesses and beside them. The guessers have accounts of their
 * own; whatever they are answered but SUCCESS is right, and nothing that they do may keep a device from its customer.
 */
import { type Bench, HOUR_MS, OURS, type Scenario } from '../bench.ts';
import type { HttpStep, Job } from '../contract.ts';
import { NOT_WATCHED, Pool } from '../load/pool.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';
import { PEOPLE_MAX } from './streaming.ts';
import { nobodyOwns, sample } from './verify.ts';

const PER_SECOND = 500;
const GUESSERS = 32;

export const wrongSecretsScenario: Scenario = {
  name: 'wrong-secrets',
  title: 'what honest customers wait while as many claims again come with wrong secrets',
  peers: [],
  rated: true,
  refuses: ({ findMax }) => (findMax === undefined ? undefined : 'has no highest rate to be found'),
  async run(bench) {
    const rate = bench.settings.rate ?? PER_SECOND;
    const count = Math.ceil((rate * bench.settings.durationMs) / 1000);
    // All come from one address here, which would be refused as a whole. What each guesser may do is limited as usual.
    const target = await bench.start({ env: { SECURITY_CLAIM_WRONG_SECRETS_PER_ADDRESS: '0' } });
    const fleet = await bench.fleet(target, 2 * count);
    await bench.each('preparing', 0, 2 * count, [steps.initiateHttp(target, fleet)]);
    await bench.load(target, honest(bench, target, fleet, rate, 0, count), { ...OURS, variant: 'alone' });

    const guessers = new Pool(1);
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const guessing = guessers.run(guesses(bench, target, fleet, rate, count), { ...NOT_WATCHED, begin });
    try {
      // Their process may take longer to start than the honest ones have to claim.
      await Promise.race([begun, guessing]);
      const job = honest(bench, target, fleet, rate, count, count);
      await bench.load(target, job, { ...OURS, variant: 'beside guesses' });
      guessers.halt();
      const { wrong, operations } = await guessing;
      if (Object.keys(wrong).length > 0) bench.fail(`a guess was answered ${JSON.stringify(wrong)}`);
      if (operations === 0) bench.fail('nobody guessed');
    } finally {
      await guessers.close();
    }
    await bench.each('putting back', 0, 2 * count, [lenient(steps.reclaim(target, fleet, true))]);
    await nobodyOwns(bench, target, fleet, sample(2 * count));
  },
};

/** Customers of the first half of the fleet's, each device once. */
function honest(
  bench: Bench,
  target: Target,
  fleet: Fleet,
  perSecond: number,
  from: number,
  count: number,
): Job {
  return bench.job({
    title: 'claiming',
    steps: [steps.confirm(target, { ...fleet, customerTokens: half(fleet, 0) })],
    subjects: { type: 'once', from, count },
    connections: Math.min(bench.settings.connections, PEOPLE_MAX),
    inflight: 1,
    warmUpMs: 0,
    pace: { type: 'open', perSecond, arrivals: bench.settings.arrivals },
  });
}

function guesses(bench: Bench, target: Target, fleet: Fleet, perSecond: number, from: number): Job {
  const confirm = steps.confirm(target, { ...fleet, secret: 'a guess', customerTokens: half(fleet, 1) });
  return bench.job({
    title: 'guessing',
    steps: [{ ...confirm, right: ['400 FAILURE', '400 CLAIMED', '429', '404'], refused: [] }],
    subjects: { type: 'cycle', from, count: from },
    connections: GUESSERS,
    inflight: 1,
    warmUpMs: 0,
    durationMs: HOUR_MS,
    pace: { type: 'open', perSecond, arrivals: bench.settings.arrivals },
  });
}

function half({ customerTokens }: Fleet, which: 0 | 1): readonly string[] {
  const middle = customerTokens.length >> 1;
  return which === 0 ? customerTokens.slice(0, middle) : customerTokens.slice(middle);
}

/** Nobody may have claimed it before the time was up. */
const lenient = (step: HttpStep): HttpStep => ({ ...step, right: [...step.right, '400', '404'] });
