/**
 * What `/livez` and `/readyz` say of several workers (`WORKERS`): the same, whichever of them is asked, and the truth about one
 * that is dead, is being started again, or does not answer.
 */
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { send } from '../kit/http.ts';
import { PATIENCE_MS } from '../kit/patience.ts';
import { cleanUp, type ServerProcess, startServer, workerPid } from '../kit/process.ts';
import { heldLives } from '../kit/short-lives.ts';
import { until } from '../kit/until.ts';

const WORKERS = { WORKERS: '2', SYSADMIN_PASSWORD: 'a-long-password' };

test.after(cleanUp);

/** One answer for each of some connections, which go to the workers in turn; none from those that do not answer. */
async function answers(server: ServerProcess, path: string, limitMs = PATIENCE_MS) {
  const ask = async () => {
    const { status, body } = await send(`${server.url}${path}`, {
      method: 'GET',
      headers: { connection: 'close' },
      limitMs,
    });
    return { http: status, ...JSON.parse(body) };
  };
  const all = await Promise.allSettled(Array.from({ length: 6 }, ask));
  return all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/** Until every answer is this; whoever is asked gives it. */
function untilAllSay(server: ServerProcess, workers: object, limitMs?: number): Promise<void> {
  return until(`all say ${JSON.stringify(workers)}`, async () => {
    for (const path of ['/livez', '/readyz']) {
      const said = await answers(server, path, limitMs);
      ok(said.length >= 3);
      for (const one of said) equal(one, { http: 200, status: 'up', workers });
    }
    return true;
  });
}

test('workers: each says of all of them who serves and who is being started again', async () => {
  const { nodeArgs, letGo } = heldLives(2, 1);
  const server = await startServer({ env: WORKERS, nodeArgs });
  await untilAllSay(server, { ready: [1, 2], starting: [], silent: [] });
  process.kill(workerPid(server, 2), 'SIGKILL');
  await untilAllSay(server, { ready: [1], starting: [2], silent: [] });
  letGo();
  await untilAllSay(server, { ready: [1, 2], starting: [], silent: [] });
  is((await server.stop()).code, 0, server.output());
});

test('workers: one that does not answer is told by the other, and holds up one connection at most', async () => {
  const server = await startServer({ env: WORKERS });
  const stopped = workerPid(server, 2);
  process.kill(stopped, 'SIGSTOP');
  await untilAllSay(server, { ready: [1], starting: [], silent: [2] }, 2_000);
  const told = (what: string) =>
    server.log().filter(({ msg, worker }) => worker === 2 && String(msg).includes(what)).length;
  await until('the log says it', () => told('a worker does not answer') > 0);
  is(told('a worker does not answer'), 1);
  is(
    (await answers(server, '/livez', PATIENCE_MS)).length,
    6,
    'those who come later are served by the other',
  );
  process.kill(stopped, 'SIGCONT');
  await untilAllSay(server, { ready: [1, 2], starting: [], silent: [] });
  await until('the log says it', () => told('a worker answers again') > 0);
  is((await server.stop()).code, 0, server.output());
});

test('one process alone says nothing of workers', async () => {
  const server = await startServer({});
  for (const path of ['/livez', '/readyz']) {
    equal(await answers(server, path), Array(6).fill({ http: 200, status: 'up' }));
  }
  is((await server.stop()).code, 0);
});

test.run();
