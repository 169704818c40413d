/**
 * The figures of several workers as those of one server: counters and histograms are summed, gauges keep a line for each
 * worker. A worker that has died goes on counting with its last numbers, because a sum that falls looks like a restart.
 */
import type { Family, Sample } from '../../actors/base/metrics.ts';

/** What one worker told. */
export interface OfWorker {
  readonly worker: number;
  readonly families: readonly Family[];
}

/**
 * @param living workers that have answered
 * @param gone the last numbers of those that have not, or that have died
 */
export function sumUp(living: readonly OfWorker[], gone: readonly (readonly Family[])[]): readonly Family[] {
  const sums = new Map<string, Sum>();
  const sumOf = (family: Family): Sum => {
    const there = sums.get(family.name) ?? { family, samples: new Map() };
    sums.set(family.name, there);
    return there;
  };
  for (const { worker, families } of living) {
    for (const family of families) {
      if (family.type === 'gauge') addGauge(sumOf(withWorker(family)), family, worker);
      else addUp(sumOf(family), family);
    }
  }
  for (const families of gone) {
    for (const family of families) if (family.type !== 'gauge') addUp(sumOf(family), family);
  }
  return [...sums.values()].map(({ family, samples }) => ({ ...family, samples: [...samples.values()] }));
}

interface Sum {
  readonly family: Family;
  readonly samples: Map<string, Sample>;
}

function withWorker(family: Family): Family {
  return { ...family, labels: [...family.labels, 'worker'] };
}

function addGauge({ samples }: Sum, family: Family, worker: number): void {
  for (const { of, numbers } of family.samples) {
    const named = [...of, String(worker)];
    samples.set(named.join('\n'), { of: named, numbers });
  }
}

function addUp({ samples }: Sum, family: Family): void {
  for (const { of, numbers } of family.samples) {
    const key = of.join('\n');
    const there = samples.get(key);
    const added =
      there === undefined ? numbers : numbers.map((number, at) => number + (there.numbers[at] ?? 0));
    samples.set(key, { of, numbers: added });
  }
}
