/**
 * The common part of scenarios with a steady stream of operations: the stream on the target at the requested pace, or the
 * search for its highest rate; a check that what was acknowledged is there; then the same stream on the peers.
 */
import { type Bench, OURS, type Scenario } from '../bench.ts';
import type { Job, Pace, Step } from '../contract.ts';
import { type Bound, findMax } from '../find-max.ts';
import { decode, percentileMs } from '../measure/histogram.ts';
import type { Peer } from '../peers/peer.ts';
import { paceOf } from '../settings.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';

interface Stream {
  /** Prepares each device for the measured steps. */
  readonly before?: readonly Step[];
  readonly measured: Job;
  /** Undoes them, so that they can be measured again. */
  readonly after?: readonly Step[];
  /** The number of devices for `before` and `after`. */
  readonly devices: number;
}

export interface StreamingScenario extends Omit<Scenario, 'rated' | 'run'> {
  /** How many devices it needs. */
  devices(bench: Bench): number;
  prepare?(bench: Bench, target: Target, fleet: Fleet): Promise<void>;
  stream(bench: Bench, target: Target, fleet: Fleet, pace: Pace): Stream;
  /** Checks the server after the run; what differs from its acknowledgement fails the run. */
  verify?(bench: Bench, target: Target, fleet: Fleet, kept: readonly number[]): Promise<void>;
}

/** People at the same time, on kept-alive connections. `--connections` may ask for fewer. */
export const PEOPLE_MAX = 256;
/** Where each device can be used only once, this many others warm up the code first. */
const WARM_UP_DEVICES_MAX = 10_000;
/** A trial is bad when more than this share of it was refused. */
const REFUSED_MAX = 0.001;
/** A trial is bad when less than this share of the rate was carried out. */
const CARRIED_MIN = 0.97;
/** The duration of a trial, as a share of a measurement's. */
const TRIAL_SHARE = 0.5;
/** Where the search begins, as a share of the closed loop's rate. */
const SEARCH_FROM = 0.7;

export function streaming(scenario: StreamingScenario): Scenario {
  return {
    ...scenario,
    rated: true,
    async run(bench) {
      const target = await bench.start();
      const fleet = await bench.fleet(target, scenario.devices(bench));
      await scenario.prepare?.(bench, target, fleet);
      const at = (pace: Pace) => scenario.stream(bench, target, fleet, pace);
      await warmUp(bench, target, fleet, at(paceOf(bench.settings)));
      const { findMax: bound } = bench.settings;
      const kept =
        bound === undefined
          ? await measure(bench, target, at(paceOf(bench.settings)))
          : await search(bench, target, at, bound);
      await scenario.verify?.(bench, target, fleet, kept);

      for (const peer of await bench.peers(scenario.peers)) {
        await measurePeer(bench, peer, at(paceOf(bench.settings)));
        await peer.stop();
      }
    },
  };
}

/** Uses further devices than those that are measured. */
async function warmUp(bench: Bench, target: Target, fleet: Fleet, stream: Stream): Promise<void> {
  const { before, measured, after = [], devices } = stream;
  if (before === undefined) return; // its job has a warm-up time
  const count = Math.min(devices, WARM_UP_DEVICES_MAX);
  await bench.provision(target, { ...fleet }, devices + count);
  await bench.each('warming up', devices, count, [...before, ...measured.steps, ...after]);
}

async function measure(
  bench: Bench,
  target: Target,
  stream: Stream,
  variant = '',
): Promise<readonly number[]> {
  if (stream.before !== undefined) await bench.each('preparing', 0, stream.devices, stream.before);
  const { kept } = await bench.load(target, stream.measured, { ...OURS, variant });
  if (stream.after !== undefined) await putBack(bench, stream);
  return kept;
}

/** If the time was up before all devices were used, some have nothing to undo: a refusal is no failure here. */
async function putBack(bench: Bench, { devices, after = [] }: Stream): Promise<void> {
  const lenient = after.map((step) => ({ ...step, right: [...step.right, '400', '404', '403'] }));
  await bench.each('putting back', 0, devices, lenient);
}

async function search(
  bench: Bench,
  target: Target,
  at: (pace: Pace) => Stream,
  bound: Bound,
): Promise<readonly number[]> {
  const { arrivals, durationMs } = bench.settings;
  const short = { durationMs: Math.round(durationMs * TRIAL_SHARE) };
  const trial = async (title: string, pace: Pace) => {
    const stream = at(pace);
    if (stream.before !== undefined) await bench.each('preparing', 0, stream.devices, stream.before);
    const job = { ...stream.measured, ...short, title };
    const loaded = await bench.trial(target, job, OURS);
    if (stream.after !== undefined) await putBack(bench, stream);
    return loaded.measurement;
  };

  const closed = await trial('how fast at all?', { type: 'closed' });
  const isGood = async (rate: number): Promise<boolean> => {
    const tried = await trial(`${rate}/s?`, { type: 'open', perSecond: rate, arrivals });
    const refused = Object.values(tried.refused).reduce((sum, one) => sum + one, 0);
    const reached = percentileMs(decode(tried.latency.histogram), bound.percentile);
    return (
      reached <= bound.ms &&
      refused <= tried.operations * REFUSED_MAX &&
      tried.perSecond >= rate * CARRIED_MIN
    );
  };
  // A bad rate is tried twice, so that one hiccup of the machine does not end the search.
  const found = await findMax(
    Math.max(1, closed.perSecond * SEARCH_FROM),
    async (rate) => (await isGood(rate)) || (await isGood(rate)),
  );
  const name = `highest rate with p${bound.percentile} under ${bound.ms} ms`;
  if (found.best === undefined) {
    bench.fail(`no rate at all keeps p${bound.percentile} under ${bound.ms} ms`);
    return [];
  }
  bench.figure(name, found.best, '/s', 'higher');
  // How long one waits below that rate, too: a server is rarely asked for all that it can do.
  for (const share of bench.settings.shares) {
    const perSecond = Math.max(1, Math.round(found.best * share));
    const variant = `at ${Math.round(share * 100)} %`;
    await measure(bench, target, at({ type: 'open', perSecond, arrivals }), variant);
  }
  // Once more in full, so that the report shows the latencies at that rate.
  return measure(bench, target, at({ type: 'open', perSecond: found.best, arrivals }));
}

async function measurePeer(bench: Bench, peer: Peer, stream: Stream): Promise<void> {
  const translate = (steps: readonly Step[]) => steps.flatMap((step) => peer.translate(step) ?? []);
  const steps = translate(stream.measured.steps);
  if (steps.length === 0) return;
  const { subjects } = stream.measured;
  if (peer.keepsState && stream.before !== undefined) {
    const count = Math.min(stream.devices, WARM_UP_DEVICES_MAX);
    const played = [...translate(stream.before), ...steps];
    await bench.each(`warming up ${peer.name}`, stream.devices, count, played);
    await bench.each(`preparing ${peer.name}`, 0, stream.devices, translate(stream.before));
  }
  const job: Job = {
    ...stream.measured,
    title: peer.name,
    steps,
    // A peer without state can repeat every step, so it runs for the whole time.
    ...(peer.keepsState || subjects.type !== 'once'
      ? {}
      : {
          subjects: { ...subjects, type: 'cycle' },
          warmUpMs: bench.settings.warmUpMs,
          durationMs: bench.settings.durationMs,
        }),
  };
  await bench.load(peer.watched, job, { subject: peer.name, role: 'peer', durability: peer.durability });
}
