/**
 * What becomes of log lines where standard output takes them slowly or not at all: several processes in one slow pipe, as workers
 * are, a disk with no room, a reader that has stopped.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { wholeLine } from '../../config/compose/log.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { within } from '../kit/patience.ts';
import { cleanUp, endWithTests } from '../kit/process.ts';
import { pause, until } from '../kit/until.ts';

const WRITERS = 3;
const LINES = 2_000;
const LOG = new URL('../../config/compose/log.js', import.meta.url).href;
/** Lines of all lengths; some longer than what a pipe takes whole, some of characters of more bytes than one. */
const WRITER = `
  import { createLog } from ${JSON.stringify(LOG)};
  const log = createLog({ level: 'info', format: 'json' });
  for (let n = 0; n < ${LINES}; n += 1) {
    log.info({ n, text: (n % 3 === 0 ? '\u{20ac}' : 'x').repeat((n * 37) % 3000) }, 'a line');
    if (n % 50 === 0) await new Promise(setImmediate);
  }
`;

test.after(cleanUp);

test('log: lines of several processes in one slow pipe are not mixed, and none is lost', async () => {
  // The shell's pipe, as Node gives its children sockets.
  const writers = Array.from({ length: WRITERS }, () => '"$0" --input-type=module -e "$1" &').join(' ');
  const child = spawn('sh', ['-c', `(${writers} wait) | cat`, process.execPath, WRITER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithTests(child);
  let output = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) {
    output += chunk;
    await pause(1);
  }
  const lines = output.trimEnd().split('\n');
  const numbers = new Map<number, number[]>();
  for (const line of lines) {
    const { pid, n } = JSON.parse(line) as { pid: number; n: number };
    numbers.set(pid, [...(numbers.get(pid) ?? []), n]);
  }
  is(numbers.size, WRITERS);
  const all = Array.from({ length: LINES }, (_, n) => n);
  for (const [pid, heard] of numbers) ok(heard.join() === all.join(), `all of ${pid}, in their order`);
});

test('log: a line that a pipe would not take whole is cut, and still says what, where and when', () => {
  const fields = { level: 'info', time: 'now', pid: 7, msg: 'what' };
  const short = `${JSON.stringify(fields)}\n`;
  is(wholeLine(short), short);
  const cut = wholeLine(`${JSON.stringify({ ...fields, err: { stack: '€'.repeat(5_000) } })}\n`);
  ok(Buffer.byteLength(cut) <= 4_096);
  const read = JSON.parse(cut) as { err: { stack: string }; isCut: boolean };
  ok(read.err.stack.startsWith('€€') && read.err.stack.endsWith('(cut)') && read.isCut);
  const many = Array.from({ length: 5_000 }, (_, at) => `device ${at}`);
  const least = wholeLine(`${JSON.stringify({ ...fields, many })}\n`);
  equal(JSON.parse(least), { ...fields, isCut: true });
});

/** Runs a module that has `log` and `tell`, which prints a line on standard error. */
function logging(body: string, stdout: number | 'pipe', limit = 'unlimited') {
  const module = `
    import { createLog } from ${JSON.stringify(LOG)};
    void process.stdout; // as in the server
    const log = createLog({ level: 'info', format: 'json' });
    const tell = (line) => process.stderr.write(line + '\\n');
    ${body}
  `;
  const script = `ulimit -S -f ${limit}; exec "$0" --input-type=module -e "$1"`;
  const child = spawn('sh', ['-c', script, process.execPath, module], { stdio: ['pipe', stdout, 'pipe'] });
  endWithTests(child);
  let told = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, told: () => told, ended };
}

/** Goes on for as long as standard input is open. */
const UNTIL_TOLD = "for await (const _ of process.stdin) log.info({}, 'another');";

test('log: on a full disk the process goes on, and it ends when it is asked to', async () => {
  const full = openSync('/dev/full', 'w');
  const { child, told, ended } = logging(
    `log.info({}, 'one'); ${UNTIL_TOLD} tell('goes on'); log.flush(); log.lastError({}, 'last'); process.exit(0);`,
    full,
  );
  closeSync(full);
  child.stdin?.end('one more');
  is(await within('it ends', ended), 0, told());
  is(told(), 'goes on\n');
});

test('log: what was logged while the disk was full comes when there is room again', async () => {
  const file = join(temporaryFolder(), 'log');
  const to = openSync(file, 'a');
  const { child, ended } = logging(
    `for (let n = 0; n < 100; n += 1) log.info({ n, text: 'x'.repeat(100) }, 'a line'); ${UNTIL_TOLD} log.flush();`,
    to,
    '8',
  );
  closeSync(to);
  await until('it is full', () => readFileSync(file).length === 8 * 512);
  spawnSync('prlimit', [`--pid=${child.pid}`, '--fsize=unlimited:unlimited']);
  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  await until('all is written', () => lines().length === 100);
  child.stdin?.end();
  is(await within('it ends', ended), 0);
  equal(
    lines().map((line) => (JSON.parse(line) as { n: number }).n),
    Array.from({ length: 100 }, (_, n) => n),
  );
});

test('log: a reader that has stopped keeps no process from its end, and hears what was lost when it reads on', async () => {
  const stuck = logging(
    `for (let n = 0; n < 1000; n += 1) log.info({ text: 'x'.repeat(3000) }, 'a line'); log.flush(); process.exit(0);`,
    'pipe',
  );
  is(await within('it ends', stuck.ended), 0, stuck.told());

  const slow = logging(
    `for (let n = 0; n < 8000; n += 1) log.info({ n, text: 'x'.repeat(3000) }, 'a line'); ${UNTIL_TOLD}`,
    'pipe',
  );
  const read: { n?: number; lines?: number; msg: string }[] = [];
  let begun = '';
  slow.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (begun + text).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) read.push(JSON.parse(line));
  });
  // Behind all that was kept.
  const loss = () => read.find(({ msg }) => msg.startsWith('lines of the log were lost'))?.lines ?? 0;
  await until('it is said', () => {
    slow.child.stdin?.write('.');
    return loss() > 0;
  });
  const kept = read.filter(({ msg }) => msg === 'a line').length;
  ok(kept > 1000 && kept < 8000 && kept + loss() >= 8000, `${kept} and ${loss()}`);
  slow.child.stdin?.end();
  is(await within('it ends', slow.ended), 0);
});

test.run();
