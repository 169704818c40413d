/** The lock and the generated keys in the data folder. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keyFromFile } from '../../config/compose/key-file.ts';
import { lockFolder, pidOf } from '../../config/compose/lock.ts';
import { needing } from '../kit/programs.ts';

const LOCK_MODULE = new URL('../../config/compose/lock.js', import.meta.url).href;
const KEY_MODULE = new URL('../../config/compose/key-file.js', import.meta.url).href;

interface Here {
  folder: string;
}
const withFolder = (name: string) => {
  const tests = suite<Here>(name, { folder: '' });
  tests.before.each((here) => {
    here.folder = mkdtempSync(join(tmpdir(), 'claimd-test-'));
  });
  tests.after.each((here) => rmSync(here.folder, { recursive: true, force: true }));
  return tests;
};

/** Runs a script in its own process until it prints its first line; `kill` sends SIGKILL. */
function run(script: string): { firstLine: Promise<string>; kill: () => Promise<void> } {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const firstLine = new Promise<string>((resolve) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.split('\n')[0] ?? '');
    });
  });
  return {
    firstLine,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

const holding = (folder: string, program = 'flock') => `
  const { lockFolder } = await import(${JSON.stringify(LOCK_MODULE)});
  const lock = lockFolder(${JSON.stringify(folder)}, ${JSON.stringify(program)});
  console.log(lock.type + '|' + (lock.type === 'locked' ? lock.owner.self : lock.pid));
  setInterval(() => {}, 1000);
`;

const lock = withFolder('config: lock');
const withFlock = needing(['flock'], lock);

withFlock('while one process holds the folder, another is refused and told which', async ({ folder }) => {
  const first = run(holding(folder));
  const [type, owner] = (await first.firstLine).split('|');
  assert.is(type, 'locked');
  const second = lockFolder(folder);
  await first.kill();
  assert.equal(second, { type: 'held', pid: pidOf(owner ?? '') });
});

lock('a killed process leaves no lock behind', async ({ folder }) => {
  const first = run(holding(folder));
  await first.firstLine;
  await first.kill();
  const second = lockFolder(folder);
  assert.is(second.type, 'locked');
  if (second.type === 'locked') second.release();
});

withFlock('of several that start at once exactly one wins', async ({ folder }) => {
  const starters = Array.from({ length: 4 }, () => run(holding(folder)));
  const lines = await Promise.all(starters.map(({ firstLine }) => firstLine));
  await Promise.all(starters.map(({ kill }) => kill()));
  assert.is(lines.filter((line) => line.startsWith('locked')).length, 1);
});

lock('a released lock can be taken again', ({ folder }) => {
  for (let round = 0; round < 2; round++) {
    const mine = lockFolder(folder);
    assert.is(mine.type, 'locked');
    if (mine.type === 'locked') mine.release();
  }
});

lock('without flock the owner record tells the living from the dead', async ({ folder }) => {
  const other = run(holding(folder, 'no-such-program'));
  const [, theirs = ''] = (await other.firstLine).split('|');
  const mine = lockFolder(folder, 'no-such-program');
  assert.is(mine.type, 'locked');
  if (mine.type !== 'locked') return;
  assert.is(mine.owner.isAlive(theirs), true);
  assert.is(mine.owner.isAlive(mine.owner.self), true);
  await other.kill();
  assert.is(mine.owner.isAlive(theirs), false);
  assert.is(
    mine.owner.isAlive(mine.owner.self.replace(/ .*/, ' 1 another-boot')),
    false,
    'the id alone is not enough',
  );
  mine.release();
});

const keys = withFolder('config: keys');

keys('a key is made once, is random, and only its owner may read it', ({ folder }) => {
  const path = join(folder, 'one.key');
  const first = keyFromFile(path, 32);
  assert.is(first.length, 32);
  assert.equal(keyFromFile(path, 32), first);
  assert.not.equal(keyFromFile(join(folder, 'two.key'), 32), first);
  assert.is(statSync(path).mode & 0o777, 0o600);
  assert.equal(readdirSync(folder).sort(), ['one.key', 'two.key'], 'no drafts are left');
});

keys('processes that make it at the same time all get the same key', async ({ folder }) => {
  const path = join(folder, 'one.key');
  const script = `
    const { keyFromFile } = await import(${JSON.stringify(KEY_MODULE)});
    console.log(keyFromFile(${JSON.stringify(path)}, 32).toString('base64'));`;
  const makers = Array.from({ length: 4 }, () => run(script));
  const seen = new Set(await Promise.all(makers.map(({ firstLine }) => firstLine)));
  await Promise.all(makers.map(({ kill }) => kill()));
  assert.is(seen.size, 1);
});

keys('a leftover draft of a crash does no harm', ({ folder }) => {
  const path = join(folder, 'one.key');
  writeFileSync(`${path}.${process.pid}.tmp`, 'half a ke');
  assert.is(keyFromFile(path, 64).length, 64);
});

keys('a damaged key is an error, never replaced', ({ folder }) => {
  const path = join(folder, 'one.key');
  writeFileSync(path, 'c2hvcnQ=\n');
  assert.throws(() => keyFromFile(path, 32), /restore it from a back-up/);
  assert.is(readFileSync(path, 'utf8'), 'c2hvcnQ=\n');
});

for (const each of [lock, keys]) each.run();
