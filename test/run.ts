/**
 * `npm test`: runs every test file in a process of its own, so that a file that hangs, crashes or leaves something
 * open fails alone and is named. The longest files start first, so that none is left to run alone at the end.
 *
 *   npm test                 everything
 *   npm run test:quick       the folders `pure` and `sockets`: no process, no program
 *   npm test -- mqtt store   files whose path contains one of the words
 *   npm test -- --jobs 1     one file at a time
 *
 * The last line is `N passed, N failed`, with `, N skipped` behind it when a program was missing; the exit code is 1
 * when anything failed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FOLDER_VARIABLE } from './kit/confine.ts';
import { longestFirst } from './kit/longest.ts';
import { afterPatience } from './kit/patience.ts';
import { asInSources } from './kit/positions.ts';
import { judge, readSummary, type Summary } from './kit/summary.ts';

const COMPILED = dirname(fileURLToPath(import.meta.url));
const SOURCES = join(COMPILED, '..', '..', 'test');
const CONFINE = join(COMPILED, 'kit', 'confine.js');
const UVU = join(dirname(createRequire(import.meta.url).resolve('uvu')), '..', 'bin.js');

// Times are those of a quiet machine: on a busy one they stretch.
/** Longest a file may take. */
const LIMIT_MS = 420_000;
/** After its summary a file must end; longer means a socket, a timer or a store was left open. */
const EXIT_GRACE_MS = 10_000;
/** After a file has ended, its output must end too, which the runner may hear late; longer means that a process it started lives on. */
const LEFT_BEHIND_MS = 15_000;
/** More than there are cores: while a file waits (for a disk, a lease, a window that closes), another works. */
const JOBS = availableParallelism() + 2;
/** For Node: a test makes much that it soon forgets, and looking for it takes a sixth of the time where there is little room. */
const ROOM_FOR_YOUNG = ['--min-semi-space-size=16', '--max-semi-space-size=64'];
const QUICK_FOLDERS = ['pure', 'sockets'];

const running = new Set<ChildProcess>();

/** Test files that still have a source: a renamed one leaves its old output behind. */
function testFiles(): string[] {
  return readdirSync(COMPILED, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js'))
    .filter((path) => existsSync(join(SOURCES, path.replace(/\.js$/, '.ts'))))
    .sort();
}

const folderOf = (path: string): string => path.split(sep)[0] ?? '';

const parse = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    options: {
      jobs: { type: 'string', default: String(JOBS) },
      quick: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });

/** What is wrong, for a person, where the options are not understood. */
function parsedOrUsage(argv: readonly string[]): ReturnType<typeof parse> | string {
  try {
    return parse(argv);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `${error.message}\nnpm test -- [--quick] [--jobs N] [WORD …]: files whose path contains one of the words\n`;
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const parsed = parsedOrUsage(argv);
  if (typeof parsed === 'string') return give(parsed, 2);
  const { values, positionals: words } = parsed;
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) return give('--jobs needs a number of at least 1\n', 2);

  const all = testFiles().filter((path) => !values.quick || QUICK_FOLDERS.includes(folderOf(path)));
  // Of a list of words that somebody keeps, none may mean a file that is called otherwise by now.
  const missing = words.filter((word) => !all.some((path) => path.includes(word)));
  if (missing.length > 0) return give(`no test file matches ${missing.join(' ')}\n0 passed, 1 failed\n`, 1);
  const files = all.filter((path) => words.length === 0 || words.some((word) => path.includes(word)));

  const sum = { passed: 0, failed: 0, skipped: 0 };
  const waiting = longestFirst(files);
  const lane = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const result = await runFile(path);
      sum.passed += result.passed;
      sum.failed += result.failed;
      sum.skipped += result.skipped;
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : '';
  return give(`\n${sum.passed} passed, ${sum.failed} failed${skipped}\n`, sum.failed > 0 ? 1 : 0);
}

function give(text: string, code: number): number {
  process.stdout.write(text);
  return code;
}

async function runFile(path: string): Promise<Summary> {
  const startedAt = Date.now();
  const { output, exitCode, cut } = await runProcess(path);
  const verdict = judge(output, exitCode);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  const counts = `${verdict.passed} passed${verdict.skipped > 0 ? `, ${verdict.skipped} skipped` : ''}`;
  const name = join('test', path).replace(/\.js$/, '.ts');
  if (verdict.failed === 0) {
    process.stdout.write(`ok    ${name}  ${counts}  ${seconds}s\n`);
    // Remarks of the test kit: what was skipped, and why.
    for (const line of output.split('\n')) if (line.startsWith('# ')) process.stdout.write(`      ${line}\n`);
  } else {
    const why = cut ?? verdict.trouble ?? '';
    process.stdout.write(`\nFAIL  ${name}  ${verdict.failed} failed, ${counts}  ${seconds}s  ${why}\n`);
    process.stdout.write(`${asInSources(output).replace(/^/gm, '      ')}\n`);
  }
  return verdict;
}

interface Ended {
  readonly output: string;
  readonly exitCode: number | null;
  /** Why the runner ended it, if it did. */
  readonly cut: string | undefined;
}

function runProcess(path: string): Promise<Ended> {
  const file = join(COMPILED, path);
  const pattern = `^${basename(file).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
  const colour = process.stdout.isTTY ? '--color' : '--no-color';
  return new Promise((resolve, reject) => {
    const args = [...ROOM_FOR_YOUNG, '--import', CONFINE, UVU, dirname(file), pattern, colour];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, [FOLDER_VARIABLE]: folderOf(path) },
      detached: true, // a group of its own, so that what the test started ends with it
    });
    running.add(child);
    let output = '';
    let cut: string | undefined;
    const endFor = (reason: string) => () => {
      cut ??= reason;
      killGroup(child);
    };
    const endLimit = afterPatience(LIMIT_MS, endFor(`took longer than ${LIMIT_MS / 1000} s`));
    let endGrace: (() => void) | undefined;
    const hear = (chunk: string): void => {
      output += chunk;
      if (endGrace === undefined && readSummary(output) !== undefined) {
        const leftOpen = endFor('did not end after its tests: something was left open');
        endGrace = afterPatience(EXIT_GRACE_MS, leftOpen);
      }
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    child.on('error', reject);
    let endLeftBehind: (() => void) | undefined;
    const end = (exitCode: number | null): void => {
      endLimit();
      endGrace?.();
      endLeftBehind?.();
      running.delete(child);
      resolve({ output, exitCode: cut === undefined ? exitCode : null, cut });
    };
    child.on('close', end);
    child.on('exit', () => {
      killGroup(child);
      // Whoever left the group and still holds the pipes keeps them from closing: say so and go on without it.
      endLeftBehind = afterPatience(LEFT_BEHIND_MS, () => {
        if (child.stdout.closed && child.stderr.closed) return;
        cut ??= 'left a process behind';
        child.stdout.destroy();
        child.stderr.destroy();
      });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // the group has ended
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of running) killGroup(child);
    process.exit(130);
  });
}

process.exitCode = await main(process.argv.slice(2));
