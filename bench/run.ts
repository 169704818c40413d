/** Runs one scenario once and returns its result. Ends whatever it started, also when it fails. */
import { Bench, type Scenario } from './bench.ts';
import type { Result } from './contract.ts';
import { commit, machine } from './measure/machine.ts';
import type { RunOptions } from './options.ts';
import type { Live } from './report/live.ts';

export async function runOnce(
  scenario: Scenario,
  { settings, label, commandLine }: RunOptions,
  repetition: number,
  live: Live,
): Promise<Result> {
  const startedAt = new Date().toISOString();
  const on = machine();
  const bench = new Bench(settings, live);
  try {
    await scenario.run(bench);
  } finally {
    live.clear();
    await bench.close();
  }
  return {
    format: 1,
    scenario: scenario.name,
    label,
    repetition,
    startedAt,
    profile: settings.profile,
    options: commandLine,
    target: bench.targetName,
    store: bench.store,
    commit: commit(),
    machine: on,
    measurements: bench.measurements,
    figures: bench.figures,
    ...(bench.rest.length === 0 ? {} : { rest: bench.rest }),
    ...(bench.cpuProfile === undefined ? {} : { cpuProfile: bench.cpuProfile }),
    ...(bench.heapProfile === undefined ? {} : { heapProfile: bench.heapProfile }),
    warnings: bench.warnings,
    failures: bench.failures,
  };
}
