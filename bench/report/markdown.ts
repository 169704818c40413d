/** Results as a Markdown table between two marks of a file, such as `bench/FIGURES.md`. */
import type { Result } from '../contract.ts';
import { groupBy, median } from '../numbers.ts';
import { Misuse } from '../results.ts';
import { amount, ms, percent } from './format.ts';
import { cpuOf, figureKey, grouped, keyOf, middle, rateOf, unique } from './table.ts';

const BEGIN = '<!-- figures: made by `npm run bench -- report … --out bench/FIGURES.md` -->';
const END = '<!-- end of figures -->';
/** A file with the marks only. */
export const EMPTY = `${BEGIN}\n${END}\n`;

/** The text with the figures between the marks. Throws `Misuse` if it has no marks. */
export function withFigures(text: string, results: readonly Result[]): string {
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from === -1 || to < from) throw new Misuse(`the file has no place for figures: ${BEGIN} and ${END}`);
  return `${text.slice(0, from)}${BEGIN}\n${figuresText(results)}${text.slice(to)}`;
}

function figuresText(results: readonly Result[]): string {
  const [first] = results;
  if (first === undefined) return '';
  const scenarios = [...groupBy(results, ({ scenario, target }) => `${scenario}\n${target}`).values()];
  const loads = scenarios.flatMap(loadRows);
  const others = scenarios.flatMap(figureRows);
  return [
    conditions(first, results),
    '',
    ...(loads.length === 0 ? [] : rows(LOAD_HEAD, loads)),
    ...(others.length === 0 ? [] : rows(FIGURE_HEAD, others)),
  ].join('\n');
}

/** When, at which commits and on what it was measured. */
export function conditions({ machine, startedAt }: Result, results: readonly Result[]): string {
  const commits = unique(results.map(({ commit }) => commit)).join(', ');
  return (
    `Measured on ${startedAt.slice(0, 10)} at commit ${commits}: ${machine.cpu}, ${machine.cores} cores, ` +
    `${machine.memoryGb} GB, ${machine.os}, Node ${machine.node}; load of the machine before each scenario ${othersAtWork(results)}.`
  );
}

/** The range of the load. Above a half, other work on the machine influenced the figures. */
function othersAtWork(results: readonly Result[]): string {
  const all = results.map(({ machine }) => machine.loadBefore);
  return `${Math.min(...all)} to ${Math.max(...all)}`;
}

const LOAD_HEAD = ['scenario', 'who', 'rate', 'p50', 'p99', 'p99.9', 'CPU each', 'GC', 'ours / theirs'];
const FIGURE_HEAD = ['scenario', 'what', 'how much'];

function rows(head: readonly string[], all: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...all.map(line), ''];
}

function loadRows(results: readonly Result[]): string[][] {
  const [first] = results;
  if (first === undefined) return [];
  const name = first.target === 'claimd on lmdb' ? first.scenario : `${first.scenario}, ${first.target}`;
  return [...grouped(results)].map(([key, all], at) => {
    return [
      at === 0 ? `\`${name}\`` : '',
      key,
      rateOf(all),
      middle(all, ({ latency }) => latency.p50, ms),
      middle(all, ({ latency }) => latency.p99, ms),
      middle(all, ({ latency }) => latency.p999, ms),
      cpuOf(all),
      middle(all, ({ server }) => server?.gcShare, percent),
      all[0]?.role === 'peer' ? ratio(results, key) : '',
    ];
  });
}

/** The median of the ratios of all repetitions. */
function ratio(results: readonly Result[], peer: string): string {
  const each = results.flatMap(({ measurements }) => {
    const theirs = measurements.find((one) => one.role === 'peer' && keyOf(one) === peer);
    const ours = measurements.find((one) => one.role === 'ours' && one.variant === theirs?.variant);
    return ours === undefined || theirs === undefined || theirs.perSecond === 0
      ? []
      : [ours.perSecond / theirs.perSecond];
  });
  return each.length === 0 ? '' : median(each).toFixed(2);
}

function figureRows(results: readonly Result[]): string[][] {
  const all = groupBy(
    results.flatMap(({ figures }) => figures),
    figureKey,
  );
  return [...all].map(([key, some], at) => [
    at === 0 ? `\`${results[0]?.scenario}\`` : '',
    key,
    amount(median(some.map(({ value }) => value)), some[0]?.unit ?? ''),
  ]);
}
