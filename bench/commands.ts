/** The commands on existing results: `compare` and `report`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { compare, comparisonText, JUDGED, type Judged } from './compare.ts';
import { page } from './report/html.ts';
import { EMPTY, withFigures } from './report/markdown.ts';
import { LAST, Misuse, read } from './results.ts';

type Say = (text: string) => void;

const FAILED = 1;
const THRESHOLD = '10%';
const REPORT = 'bench-results/report.html';

/** `compare A [B] [--threshold 10%] [--on rate,cpu]`: exit code 1 if B is worse by more than the threshold. */
export function compareCommand(args: readonly string[], say: Say): number {
  const { values, positionals } = parse(args, {
    threshold: { type: 'string', default: THRESHOLD },
    on: { type: 'string', default: 'rate,cpu' },
  });
  const [before, after = LAST, ...more] = positionals;
  if (before === undefined || more.length > 0) throw new Misuse('compare takes one or two sets of results');
  const threshold = shareOf(values.threshold);
  const judged = values.on.split(',').map((name): Judged => {
    const kind = JUDGED.find((one) => one === name);
    if (kind === undefined) throw new Misuse(`--on takes some of ${JUDGED.join(',')}, not ${name}`);
    return kind;
  });
  const all = compare(read(before), read(after), threshold, judged);
  if (all.length === 0) throw new Misuse(`${before} and ${after} have nothing in common`);
  say(comparisonText(all));
  const worse = all.filter(({ fails }) => fails);
  if (worse.length === 0) return 0;
  say(`\n${worse.length} worse by more than ${values.threshold}\n`);
  return FAILED;
}

/**
 * `report [A …] [--out FILE]`: one HTML page of these results. A Markdown file gets a table instead, between its marks.
 */
export function reportCommand(args: readonly string[], say: Say): number {
  const { values, positionals } = parse(args, { out: { type: 'string', default: REPORT } });
  const sets = positionals.length === 0 ? [LAST] : positionals;
  const results = sets.flatMap(read);
  if (results.length === 0) throw new Misuse('there is nothing to report');
  const { out } = values;
  if (out.endsWith('.md')) {
    const text = existsSync(out) ? readFileSync(out, 'utf8') : EMPTY;
    writeFileSync(out, withFigures(text, results));
  } else {
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, page(`claimd bench: ${sets.join(', ')}`, results));
  }
  say(`${values.out}\n`);
  return 0;
}

function parse<
  Options extends { readonly [name: string]: { readonly type: 'string'; readonly default: string } },
>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

/** `10%` or `0.1`. */
export function shareOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%)?$/.exec(text);
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(share > 0)) throw new Misuse(`--threshold takes a share such as 10%, not ${text}`);
  return share;
}
