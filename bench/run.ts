/** Runs one scenario once and makes a result of it, whatever happens: what was started is ended. */
import { Bench, type Scenario } from './bench.ts';
import type { Result } from './contract.ts';
import { commit, machine } from './measure/machine.ts';
import type { RunOptions } from './options.ts';
import type { Live } from './report/live.ts';

export async function runOnce(
  scenario: Scenario,
  { settings, label, said }: RunOptions,
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
    options: said,
    target: bench.targetName,
    store: bench.store,
    commit: commit(),
    machine: on,
    measurements: bench.measurements,
    figures: bench.figures,
    ...(bench.cpuProfile === undefined ? {} : { cpuProfile: bench.cpuProfile }),
    ...(bench.heapProfile === undefined ? {} : { heapProfile: bench.heapProfile }),
    warnings: bench.warnings,
    failures: bench.failures,
  };
}
