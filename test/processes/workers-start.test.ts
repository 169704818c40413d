/**
 * Workers that die before they serve (`WORKERS`): by SIGKILL at any instant of their start, by a crash, or because there can be
 * no further process. The supervisor tries again with growing pauses, gives a start up in the end and says why, and never
 * hangs.
 */
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import { equal, is, match, not, ok } from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, launch, logLines, startServer } from '../kit/process.ts';
import { shortLives } from '../kit/short-lives.ts';
import { until } from '../kit/until.ts';

const PASSWORD = 'a-long-password';
const WORKERS = { WORKERS: '2', SYSADMIN_PASSWORD: PASSWORD };
const DIED = 'a worker died; it is restarted';

test.after(cleanUp);

const TRIES_MAX = 5;
const KILL = "process.kill(process.pid, 'SIGKILL')";
const THROW = "throw new Error('a bug of the start')";

const deathsIn = (output: string) => logLines(output).filter(({ msg }) => msg === DIED);

test('workers: one that is killed at any instant of its start is started again, and then all serve', async () => {
  for (const worker of [1, 2]) {
    const lives = [0, 30, 120, 250].map((ms) => ({ ms, code: KILL }));
    const server = await startServer({ env: WORKERS, nodeArgs: shortLives(worker, lives) });
    const deaths = deathsIn(server.output());
    ok(deaths.length >= 1, server.output());
    for (const death of deaths) equal([death.worker, death.signal], [worker, 'SIGKILL']);
    const pauses = deaths.map(({ delayMs }) => Number(delayMs));
    equal(
      pauses,
      [...pauses].sort((a, b) => a - b),
      'they grow',
    );
    const isReady = (number: number) =>
      server.log().some((line) => line.msg === 'worker ready' && line.worker === number);
    await until('both have said so', () => isReady(1) && isReady(2));
    ok(
      await restApi(server.url).login('sysadmin@thingsboard.org', PASSWORD),
      'the first administrator is there',
    );
    is((await server.stop()).code, 0, server.output());
  }
});

for (const [how, worker, code, told] of [
  ['is killed', 1, KILL, 'by SIGKILL'],
  ['crashes', 2, THROW, 'with exit code 1'],
] as const) {
  test(`workers: a start in which one ${how} each time is given up, and the last line says why`, async () => {
    const lives = Array.from({ length: 20 }, () => ({ ms: 0, code }));
    const { ended } = launch({ env: WORKERS, nodeArgs: shortLives(worker, lives) });
    const { code: exitCode, output } = await ended;
    is(exitCode, 1, output);
    match(output, new RegExp(`claimd does not start: worker ${worker} ended 7 times in a row .*${told}`));
    equal(
      deathsIn(output).map(({ delayMs }) => delayMs),
      [100, 200, 400, 800, 1600, 3200],
    );
    if (code === THROW) match(output, 'a bug of the start');
  });
}

test('workers: SIGTERM while they are tried again ends the server as asked', async () => {
  const lives = Array.from({ length: 20 }, () => ({ ms: 0, code: KILL }));
  for (let tries = 1; ; tries += 1) {
    const { child, ended, output } = launch({ env: WORKERS, nodeArgs: shortLives(1, lives) });
    await until('it has died thrice', () => deathsIn(output()).length >= 3);
    child.kill('SIGTERM');
    const { code, output: all } = await ended;
    // It tries for six seconds, in which on a busy machine the signal may not have been sent.
    if (tries < TRIES_MAX && logLines(all).every(({ msg }) => msg !== 'stopping the workers')) continue;
    is(code, 0, all);
    not.match(all, 'does not start');
    return;
  }
});

test('workers: where no process can be started, the ones there are serve, and it is tried until it can', async () => {
  const node = join(temporaryFolder(), 'node');
  copyFileSync(process.execPath, node);
  const server = await startServer({ env: WORKERS, node });
  renameSync(node, `${node}.away`);
  const victim = server.log().find(({ msg, worker }) => msg === 'worker ready' && worker === 2);
  process.kill(Number(victim?.pid), 'SIGKILL');
  await until(
    'it is told why',
    () => deathsIn(server.output()).filter(({ why }) => why !== undefined).length >= 2,
  );
  const lived = deathsIn(server.output()).at(-1);
  match(String(lived?.why), 'ENOENT');
  is(lived?.worker, 2);
  is((await fetch(`${server.url}/livez`)).status, 200);
  renameSync(`${node}.away`, node);
  await until('it is back', () => server.log().filter(({ msg }) => msg === 'worker ready').length === 3);
  is((await server.stop()).code, 0, server.output());
});

test.run();
