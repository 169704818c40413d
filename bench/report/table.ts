/** Results as a table for the terminal: medians over the repetitions, and their spread. */
import type { Figure, Measurement, ModuleShare, Result } from '../contract.ts';
import { groupBy, inWords, median } from '../numbers.ts';
import { amount, columns, ms, percent, rate } from './format.ts';

const HEAD = [
  '',
  'rate',
  'p50',
  'p99',
  'p99.9',
  'max',
  'CPU each',
  'cores',
  'private',
  'loop p99',
  'GC',
  'commits',
  'generator',
];

/** @param results repetitions of one scenario */
export function table(results: readonly Result[]): string {
  const [first] = results;
  if (first === undefined) return '';
  const lines = [
    `${first.scenario}: ${first.target}, commit ${first.commit}, ${first.machine.cores} cores, Node ${first.machine.node}${flush(first)}`,
    ...measured(results),
    ...promises(results),
    ...ratios(results),
    ...figures(results),
    ...steps(results),
    ...modules('CPU by module', first.cpuProfile),
    ...modules('memory by module', first.heapProfile),
    ...unique(results.flatMap(({ warnings }) => warnings)).map((warning) => `  note: ${warning}`),
    ...unique(results.flatMap(({ failures }) => failures)).map((failure) => `  WRONG: ${failure}`),
  ];
  return `${lines.join('\n')}\n`;
}

function flush({ machine: { diskFlushMs } }: Result): string {
  return diskFlushMs === undefined ? '' : `, one fdatasync ${ms(diskFlushMs)}`;
}

/** Identifies a row over all repetitions. */
export const keyOf = ({ subject, variant }: Pick<Measurement, 'subject' | 'variant'>): string =>
  variant === '' ? subject : `${subject}, ${variant}`;

export function grouped(results: readonly Result[]): ReadonlyMap<string, readonly Measurement[]> {
  return groupBy(
    results.flatMap(({ measurements }) => measurements),
    keyOf,
  );
}

function measured(results: readonly Result[]): string[] {
  const rows = [...grouped(results)].map(([key, all]) => [key, ...cells(all)]);
  if (rows.length === 0) return [];
  const lines = columns([HEAD, ...rows]).map((line) => `  ${line}`);
  const refused = [...grouped(results)].flatMap(([key, all]) =>
    all
      .filter(({ refused: some }) => Object.keys(some).length > 0)
      .map((one) => `  ${key}: ${inWords(one.refused)}`),
  );
  const beside = [...grouped(results)].flatMap(([key, all]) =>
    Object.keys(all[0]?.server?.beside ?? {}).map((name) => {
      const costs = all.map(({ server }) => server?.beside[name]?.cpuUsPerOperation ?? 0);
      return `  ${key}: and ${median(costs).toFixed(0)} µs of ${name} each`;
    }),
  );
  return [...lines, ...beside, ...unique(refused)];
}

/** What the rows' acknowledgements promise: a rate without that says little. */
function promises(results: readonly Result[]): string[] {
  const each = [...grouped(results)].flatMap(([key, [one]]) =>
    one?.durability === undefined || one.durability === '' ? [] : [`${key}: ${one.durability}`],
  );
  return each.length === 0 ? [] : [`  acknowledged means: ${each.join('; ')}`];
}

/** The median over the repetitions as text; a dash where nobody knows it. */
export function middle(
  all: readonly Measurement[],
  of: (one: Measurement) => number | undefined,
  show: (value: number) => string,
): string {
  const values = all.map(of).filter((value) => value !== undefined);
  return values.length === 0 ? '–' : show(median(values));
}

export const rateOf = (all: readonly Measurement[]): string =>
  middle(
    all,
    ({ perSecond }) => perSecond,
    (value) => `${rate(value)}/s`,
  );

export const cpuOf = (all: readonly Measurement[]): string =>
  middle(
    all,
    ({ server }) => server?.cpuUsPerOperation,
    (value) => `${value.toFixed(0)} µs`,
  );

function cells(all: readonly Measurement[]): string[] {
  return [
    `${rateOf(all)}${spread(all)}`,
    middle(all, ({ latency }) => latency.p50, ms),
    middle(all, ({ latency }) => latency.p99, ms),
    middle(all, ({ latency }) => latency.p999, ms),
    middle(all, ({ latency }) => latency.max, ms),
    cpuOf(all),
    middle(
      all,
      ({ server }) => server?.cores,
      (value) => value.toFixed(2),
    ),
    middle(
      all,
      ({ server }) => server?.privateMb,
      (value) => `${value.toFixed(0)} MB`,
    ),
    middle(all, ({ server }) => server?.eventLoop?.p99Ms, ms),
    middle(all, ({ server }) => server?.gcShare, percent),
    middle(
      all,
      ({ server }) => server?.commitsPerSecond,
      (value) => `${rate(value)}/s`,
    ),
    middle(all, ({ generator }) => (generator.workers === 0 ? undefined : generator.busiestCpu), percent),
  ];
}

/** Half the range of the repetitions, as a share of their median. */
function spread(all: readonly Measurement[]): string {
  if (all.length < 2) return '';
  const rates = all.map(({ perSecond }) => perSecond);
  return ` ±${percent((Math.max(...rates) - Math.min(...rates)) / 2 / median(rates))}`;
}

export interface Ratios {
  readonly peer: string;
  /** Ours to theirs, of each repetition. */
  readonly rates: readonly number[];
  /** The median; undefined where the CPU of one of the two is not known. */
  readonly cpu: number | undefined;
}

/** Ours to each peer within each repetition, so that a slow machine slows both. */
export function ratiosOf(results: readonly Result[]): Ratios[] {
  const peers = unique(
    results.flatMap(({ measurements }) =>
      measurements.filter(({ role }) => role === 'peer').map(({ subject }) => subject),
    ),
  );
  return peers.flatMap((peer) => {
    const pairs = results.flatMap(({ measurements }) => {
      const theirs = measurements.find(({ subject }) => subject === peer);
      const ours = measurements.find(
        ({ role, variant }) => role === 'ours' && variant === (theirs?.variant ?? ''),
      );
      return ours === undefined || theirs === undefined || theirs.perSecond === 0 ? [] : [{ ours, theirs }];
    });
    if (pairs.length === 0) return [];
    const cpu = pairs.flatMap(({ ours, theirs }) =>
      ours.server === undefined || theirs.server === undefined || theirs.server.cpuUsPerOperation === 0
        ? []
        : [ours.server.cpuUsPerOperation / theirs.server.cpuUsPerOperation],
    );
    const rates = pairs.map(({ ours, theirs }) => ours.perSecond / theirs.perSecond);
    return [{ peer, rates, cpu: cpu.length === 0 ? undefined : median(cpu) }];
  });
}

function ratios(results: readonly Result[]): string[] {
  return ratiosOf(results).map(({ peer, rates, cpu }) => {
    const all = rates.length > 1 ? ` (${rates.map((one) => one.toFixed(2)).join(', ')})` : '';
    const cost = cpu === undefined ? '' : `; CPU of each ${cpu.toFixed(2)} ×`;
    return `  ours / ${peer}: ${median(rates).toFixed(2)}${all}${cost}`;
  });
}

function figures(results: readonly Result[]): string[] {
  const all = groupBy(
    results.flatMap((result) => result.figures),
    figureKey,
  );
  const rows = [...all].map(([key, some]) => {
    const values = some.map(({ value }) => value);
    return [key, amount(median(values), some[0]?.unit ?? '')];
  });
  return columns(rows).map((line) => `  ${line}`);
}

export const figureKey = ({ name, peer }: Figure): string =>
  peer === undefined ? name : `${name} (${peer})`;

function steps(results: readonly Result[]): string[] {
  const [first] = results;
  return (first?.measurements ?? []).flatMap((measurement) =>
    columns(
      measurement.steps.map(({ name, latency }) => [
        `${keyOf(measurement)}: ${name}`,
        `p50 ${ms(latency.p50)}`,
        `p99 ${ms(latency.p99)}`,
        `max ${ms(latency.max)}`,
      ]),
    ).map((line) => `  ${line}`),
  );
}

function modules(title: string, shares: readonly ModuleShare[] | undefined): string[] {
  if (shares === undefined) return [];
  const rows = columns(shares.map(({ module, share }) => [module, percent(share)]));
  return [`  ${title}`, ...rows.map((row) => `    ${row}`)];
}

export const unique = (lines: readonly string[]): string[] => [...new Set(lines)];
