/** The check that holds `test/pure` and `test/sockets` to their names notices a broken promise. */
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FOLDER_VARIABLE } from '../kit/confine.ts';
import { runProgram } from '../kit/programs.ts';

const CONFINE = fileURLToPath(new URL('../kit/confine.js', import.meta.url));

/** The exit code of a script that swallows whatever the check throws. */
async function run(folder: string, script: string): Promise<number | null> {
  const swallowing = `try { ${script} } catch {}`;
  const env = { [FOLDER_VARIABLE]: folder };
  const args = ['--import', CONFINE, '--input-type=module', '--eval', swallowing];
  return (await runProgram(process.execPath, args, env)).code;
}

const LISTEN = `(await import('node:http')).createServer().listen(0, () => process.exit())`;
const CONNECT = `(await import('node:net')).connect(1, '127.0.0.1').on('error', () => process.exit())`;
const UDP = `(await import('node:dgram')).createSocket('udp4').bind(0, () => process.exit())`;
const SPAWN = `(await import('node:child_process')).spawn('true')`;
const SPAWN_SYNC = `import('node:child_process').then(({ execFileSync }) => execFileSync('true')).catch(() => {})`;

test('folders: a test in pure opens no socket and starts no process', async () => {
  for (const script of [LISTEN, CONNECT, UDP, SPAWN, SPAWN_SYNC])
    assert.is(await run('pure', script), 1, script);
});

test('folders: a test in sockets opens sockets and starts no process', async () => {
  for (const script of [LISTEN, CONNECT, UDP]) assert.is(await run('sockets', script), 0, script);
  for (const script of [SPAWN, SPAWN_SYNC]) assert.is(await run('sockets', script), 1, script);
});

test('folders: the others do as they like', async () => {
  for (const script of [LISTEN, SPAWN, SPAWN_SYNC]) assert.is(await run('processes', script), 0, script);
});

test.run();
