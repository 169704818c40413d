/**
 * `npm run sim`: runs seeds until one breaks a law, and reports that one.
 *
 *   npm run sim -- --seed 17 [--verbose]      one seed; --verbose prints all that happened
 *   npm run sim -- --seeds 1..5000            a range
 *   npm run sim -- --count 2000               as many, from 1 on
 *   npm run sim -- --plant resume [...]       with a planted bug, until a seed finds it
 */
import { parseArgs } from 'node:util';
import { PLANTS, type Plant } from './plants.ts';
import { describe, replayCommand, summarise, tell, timelineOf } from './report.ts';
import { type Run, runSeed } from './run.ts';

const DEFAULT_COUNT = 1000;
/** Violations printed of one seed: the first tell most. */
const SHOWN_MAX = 10;

interface Options {
  readonly from: number;
  readonly to: number;
  readonly verbose: boolean;
  readonly bug: Plant | undefined;
}

function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      count: { type: 'string' },
      plant: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const [from, to] = seedsOf(values);
  const bug = values.plant;
  if (bug !== undefined && !isPlant(bug)) {
    throw new Error(`--plant knows ${Object.keys(PLANTS).join(', ')}`);
  }
  return { from, to, verbose: values.verbose, bug };
}

function seedsOf(values: { seed?: string; seeds?: string; count?: string }): [number, number] {
  if (values.seed !== undefined) return [whole(values.seed), whole(values.seed)];
  if (values.seeds !== undefined) {
    const [from = '', to = ''] = values.seeds.split('..');
    return [whole(from), whole(to)];
  }
  return [1, whole(values.count ?? String(DEFAULT_COUNT))];
}

function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`not a whole number: ${text || '(nothing)'}`);
  return Number(text);
}

function isPlant(name: string): name is Plant {
  return Object.hasOwn(PLANTS, name);
}

const USAGE = 'npm run sim -- [--seed N | --seeds A..B | --count N] [--plant NAME] [--verbose]';

/** What is wrong, for a person, where the options are not understood. */
function optionsOrUsage(argv: readonly string[]): Options | string {
  try {
    return readOptions(argv);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `${error.message}\n${USAGE}`;
  }
}

/** Runs the seeds in order, until one breaks a law. The exit code says whether all is as it should be. */
async function main({ from, to, verbose, bug }: Options): Promise<number> {
  if (bug !== undefined) tell(`planted bug: ${bug}: ${PLANTS[bug]}`);
  if (to > from) tell(`seeds ${from} to ${to}: some thirty in a second`);
  const startedAt = performance.now();
  const runs: Pick<Run, 'counts'>[] = [];
  for (let seed = from; seed <= to; seed++) {
    const run = await runSeed(seed, bug);
    if (verbose) tell(timelineOf(run));
    runs.push({ counts: run.counts });
    if (run.violations.length === 0) continue;

    tell(`seed ${seed}: ${run.violations.length} violations, after ${seed - from} seeds without`);
    for (const violation of run.violations.slice(0, SHOWN_MAX)) tell(`  ${describe(violation)}`);
    if (run.violations.length > SHOWN_MAX) tell(`  and ${run.violations.length - SHOWN_MAX} more`);
    tell(`replay: ${replayCommand(seed, bug)} --verbose`);
    return bug === undefined ? 1 : 0;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  tell(summarise(runs));
  tell(
    `${runs.length} seeds, no violation, ${seconds.toFixed(1)} s (${(runs.length / seconds).toFixed(0)} seeds/s)`,
  );
  return bug === undefined ? 0 : 1;
}

process.stdout.on('error', () => process.exit()); // the reader has closed the pipe (`| head`)

try {
  const options = optionsOrUsage(process.argv.slice(2));
  if (typeof options === 'string') tell(options);
  process.exitCode = typeof options === 'string' ? 2 : await main(options);
} catch (error) {
  tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 2;
}
