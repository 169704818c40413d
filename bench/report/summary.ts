/**
 * The first part of the page: what one would send to a colleague. All scenarios in one table, each beside its peers; what this
 * machine can do at all, by which machines are compared; and how it was measured.
 */
import type { Measurement, Result } from '../contract.ts';
import { groupBy, median } from '../numbers.ts';
import { escapeHtml } from './escape.ts';
import { amount, ms } from './format.ts';
import { conditions } from './markdown.ts';
import { cpuOf, figureKey, grouped, middle, rateOf, ratiosOf, unique } from './table.ts';

/** @param results of any number of scenarios, and of machines */
export function summary(results: readonly Result[]): string {
  const scenarios = [
    ...groupBy(results, ({ scenario, label, target }) => `${scenario}\n${label}\n${target}`).values(),
  ];
  const loads = scenarios.flatMap(loadRows);
  const figures = scenarios.flatMap(figureRows);
  return (
    machines(results) +
    (loads.length === 0 ? '' : tableOf(LOAD_HEAD, loads)) +
    (figures.length === 0 ? '' : tableOf(FIGURE_HEAD, figures)) +
    doubts(results) +
    `<h2>What this machine can do</h2>${tableOf(YARD_HEAD, yardsticks(results))}` +
    `<h2>How it was measured</h2><ul>${HOW.map((one) => `<li>${escapeHtml(one)}</li>`).join('')}</ul>`
  );
}

/** Where and when it was measured, for each machine. */
function machines(results: readonly Result[]): string {
  const all = groupBy(results, ({ machine: { cpu, cores, memoryGb, os, node } }) =>
    JSON.stringify([cpu, cores, memoryGb, os, node]),
  );
  return [...all.values()]
    .map((some) => (some[0] === undefined ? '' : `<p>${escapeHtml(conditions(some[0], some))}</p>`))
    .join('');
}

const LOAD_HEAD = [
  'scenario',
  'server',
  'rate',
  'p50',
  'p99',
  'CPU each',
  'acknowledged means',
  'beside it',
  'p50 / fdatasync',
];
const FIGURE_HEAD = ['scenario', 'what', 'how much'];
const YARD_HEAD = ['yardstick', 'rate', 'p50', 'CPU each'];

function loadRows(results: readonly Result[]): string[][] {
  return [...grouped(results)]
    .filter(([, all]) => all[0]?.role === 'ours')
    .map(([key, all], at) => [
      at === 0 ? nameOf(results) : '',
      key,
      rateOf(all),
      middle(all, ({ latency }) => latency.p50, ms),
      middle(all, ({ latency }) => latency.p99, ms),
      cpuOf(all),
      all[0]?.durability ?? '',
      at === 0 ? beside(results) : '',
      inFlushes(results, key),
    ]);
}

function nameOf([first, ...more]: readonly Result[]): string {
  if (first === undefined) return '';
  const wrong = [first, ...more].some(({ failures }) => failures.length > 0) ? ': wrong answers' : '';
  return `${first.scenario} (${first.label}, ${first.target})${wrong}`;
}

function beside(results: readonly Result[]): string {
  return ratiosOf(results)
    .map(({ peer, rates, cpu }) => {
      const cost = cpu === undefined ? '' : `, ${cpu.toFixed(2)} × the CPU`;
      return `${median(rates).toFixed(2)} × the rate of ${peer}${cost}`;
    })
    .join('; ');
}

/** The median latency in writes of 4 KB with their fdatasync, of the same repetition. */
function inFlushes(results: readonly Result[], key: string): string {
  const each = results.flatMap((result) => {
    const { diskFlushMs } = result.machine;
    const p50 = grouped([result]).get(key)?.[0]?.latency.p50;
    return p50 === undefined || diskFlushMs === undefined || diskFlushMs === 0 ? [] : [p50 / diskFlushMs];
  });
  return each.length === 0 ? '–' : median(each).toFixed(1);
}

function figureRows(results: readonly Result[]): string[][] {
  const all = groupBy(
    results.flatMap(({ figures }) => figures),
    figureKey,
  );
  return [...all].map(([key, some], at) => [
    at === 0 ? nameOf(results) : '',
    key,
    amount(median(some.map(({ value }) => value)), some[0]?.unit ?? ''),
  ]);
}

/** The disk and the peers, each over all scenarios in which it ran. */
function yardsticks(results: readonly Result[]): string[][] {
  const flushes = results.map(({ machine }) => machine.diskFlushMs).filter((value) => value !== undefined);
  const disk =
    flushes.length === 0 ? [] : [['a write of 4 KB and its fdatasync', '–', ms(median(flushes)), '–']];
  const peers = groupBy(
    results.flatMap(({ scenario, measurements }) =>
      measurements.filter(isPeer).map((one) => ({ name: `${one.subject}, in ${scenario}`, one })),
    ),
    ({ name }) => name,
  );
  const rows = [...peers].map(([name, some]) => {
    const all = some.map(({ one }) => one);
    return [name, rateOf(all), middle(all, ({ latency }) => latency.p50, ms), cpuOf(all)];
  });
  return [...disk, ...rows];
}

const isPeer = ({ role }: Measurement): boolean => role === 'peer';

/** Wrong answers, and what makes figures doubtful. */
function doubts(results: readonly Result[]): string {
  const wrong = unique(
    results.flatMap(({ scenario, failures }) => failures.map((one) => `${scenario}: ${one}`)),
  );
  const notes = unique(
    results.flatMap(({ scenario, warnings }) => warnings.map((one) => `${scenario}: ${one}`)),
  );
  const lines = [
    ...wrong.map((one) => `<li class="wrong">${escapeHtml(one)}</li>`),
    ...notes.map((one) => `<li>${escapeHtml(one)}</li>`),
  ];
  return lines.length === 0 ? '' : `<h2>What to keep in mind</h2><ul>${lines.join('')}</ul>`;
}

const HOW = [
  'Rates count right answers alone, in the measured time. A wrong answer fails the run, whatever the rate.',
  'Generators are processes of their own on the same machine, unless the server is elsewhere: they and the server share its cores, so a server that costs less leaves them more.',
  'Without a rate, each client sends its next request when it has an answer, so latency follows from the number of clients. With one (open loop), latency counts from when a request was due, also while the server stalls.',
  'CPU each is the processor time of all threads of the server and its children, over the operations: the steadiest figure where others use the machine.',
  'Peers do part of the same work in the same run. What their acknowledgement promises stands in their rows of the tables below.',
  'Machines differ fivefold. Compare between them what is a ratio within one run: to a peer, and to one fdatasync.',
  'Several repetitions have fresh servers and fresh data; medians are shown.',
];

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table>${cells('th', head)}${rows.map((row) => cells('td', row)).join('')}</table></div>`;
}
