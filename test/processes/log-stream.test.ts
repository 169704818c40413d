/** Standard output is the log: one JSON object in each line, whatever libraries, Node or V8 print. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import { is, match, ok } from 'uvu/assert';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, launch } from '../kit/process.ts';
import { until } from '../kit/until.ts';

test.after(cleanUp);

/** Options for Node that run code in each process of the server at SIGUSR2. */
function atSignal(code: string): readonly string[] {
  const module = join(temporaryFolder(), 'at-signal.mjs');
  writeFileSync(
    module,
    `import { Worker } from 'node:worker_threads';
    process.on('SIGUSR2', () => { ${code} });`,
  );
  return ['--import', pathToFileURL(module).href];
}

/** Starts a server, with its two streams apart. */
function started(env: { readonly [name: string]: string }, nodeArgs: readonly string[]) {
  const { child, ended } = launch({ env: { SYSADMIN_PASSWORD: 'a-long-password', ...env }, nodeArgs });
  const printed = { log: '', errors: '' };
  child.stdout?.on('data', (chunk: string) => {
    printed.log += chunk;
  });
  child.stderr?.on('data', (chunk: string) => {
    printed.errors += chunk;
  });
  const lines = () => printed.log.split('\n').slice(0, -1);
  const ready = (message: string) =>
    until('it is ready', () => lines().some((line) => line.includes(`"msg":"${message}"`)));
  return { child, ended, printed, lines, ready };
}

function pidOf(lines: readonly string[], message: string): number {
  const line = lines.find((one) => one.includes(`"msg":"${message}"`)) ?? '{}';
  return Number(JSON.parse(line).pid);
}

function allAreJson(lines: readonly string[]): void {
  for (const line of lines) {
    const fields: unknown = JSON.parse(line);
    ok(typeof fields === 'object' && fields !== null && 'level' in fields && 'msg' in fields, line);
  }
}

const PRINT = `
  console.log('by console.log'); console.info('by console.info'); console.table([1]);
  process.stdout.write('by stdout\\n');
  process.emitWarning('by a warning', 'DeprecationWarning');
  new Worker('console.log("by a thread")', { eval: true });`;

for (const workers of ['1', '2']) {
  test(`log: what is printed beside it goes to standard error (WORKERS=${workers})`, async () => {
    const server = started({ WORKERS: workers }, atSignal(PRINT));
    await server.ready('ready');
    const whose = workers === '1' ? 'ready' : 'worker ready';
    await server.ready(whose);
    process.kill(pidOf(server.lines(), whose), 'SIGUSR2');
    const words = ['console.log', 'console.info', 'stdout', 'a warning', 'a thread'].map((by) => `by ${by}`);
    await until('all is printed', () => words.every((word) => server.printed.errors.includes(word)));
    server.child.kill('SIGTERM');
    is((await server.ended).code, 0, server.printed.errors);
    allAreJson(server.lines());
    is(server.printed.log.at(-1), '\n');
  });
}

test('log: a process that runs out of memory says so on standard error', async () => {
  const server = started({}, [
    ...atSignal('const all = []; for (;;) all.push(new Array(1000).fill({}));'),
    '--max-old-space-size=80',
  ]);
  await server.ready('ready');
  process.kill(pidOf(server.lines(), 'ready'), 'SIGUSR2');
  await server.ended;
  match(server.printed.errors, 'heap out of memory');
  allAreJson(server.lines());
});

test.run();
