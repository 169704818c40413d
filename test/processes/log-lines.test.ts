/** Several processes log into one slow pipe, as workers do: each line comes out whole. */
import { spawn } from 'node:child_process';
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { wholeLine } from '../../config/compose/log.ts';
import { cleanUp, endWithTests } from '../kit/process.ts';
import { pause } from '../kit/until.ts';

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

test.run();
