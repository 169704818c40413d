/** How the connections of a server with several workers are spread over them, and what becomes of those that nobody takes. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { cast } from '../kit/api.ts';
import { send } from '../kit/http.ts';
import { RawMqttClient } from '../kit/mqtt-client.ts';
import { cleanUp, type ServerProcess, startServer, workerPid } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const PASSWORD = 'a-long-password';
const WORKERS = { WORKERS: '2', SYSADMIN_PASSWORD: PASSWORD, SECURITY_PASSWORD_HASH_COST: '1024' };
const CONNECTIONS = 200;
const APART_MAX = 60;
/** The server waits for a busy worker for a second. A test that was held up itself for about so long has tried nothing. */
const MOMENT_MS = 700;
/** By turns it would be a half. */
const MOST = 3 / 4;

test.after(cleanUp);

async function scene() {
  const server = await startServer({ env: { ...WORKERS, LOG_LEVEL: 'debug' } });
  const { api, tenant } = await cast(server.url, PASSWORD);
  const tokens = Array.from({ length: CONNECTIONS }, (_, n) => `token-${n}`);
  for (const token of tokens) await api.createDevice(tenant, token, token);
  return { server, tokens };
}

/** Sessions that each worker has opened, once there are so many in all. */
async function opened(server: ServerProcess, count: number): Promise<{ [worker: number]: number }> {
  const byWorker: { [worker: number]: number } = { 1: 0, 2: 0 };
  await until(`${count} sessions are logged`, () => {
    const sessions = server.log().filter(({ msg }) => msg === 'mqtt session opened');
    for (const number of [1, 2]) byWorker[number] = sessions.filter(({ worker }) => worker === number).length;
    return sessions.length >= count;
  });
  return byWorker;
}

const apart = (byWorker: { [worker: number]: number }) => Math.abs((byWorker[1] ?? 0) - (byWorker[2] ?? 0));

test('workers: connections that come while one stands still for a moment end up with both alike', async () => {
  let momentMs = Number.POSITIVE_INFINITY;
  while (momentMs > MOMENT_MS) {
    const { server, tokens } = await scene();
    process.kill(workerPid(server, 2), 'SIGSTOP');
    const since = performance.now();
    const connecting = Promise.all(tokens.map((token) => RawMqttClient.connect(server.mqttPort, 5, token)));
    await opened(server, 20);
    process.kill(workerPid(server, 2), 'SIGCONT');
    momentMs = performance.now() - since;
    await connecting;
    const byWorker = await opened(server, CONNECTIONS);
    if (momentMs <= MOMENT_MS) ok(apart(byWorker) <= APART_MAX, JSON.stringify(byWorker));
    await server.kill();
  }
});

test('workers: one that stands still for long holds up one connection; when it goes on, or starts anew, it gets those that come', async () => {
  const { server, tokens } = await scene();
  const connectTo = (token: string) => RawMqttClient.connect(server.mqttPort, 5, token);
  process.kill(workerPid(server, 2), 'SIGSTOP');
  const connecting = tokens.map(connectTo);
  equal(await opened(server, CONNECTIONS - 1), { 1: CONNECTIONS - 1, 2: 0 });
  process.kill(workerPid(server, 2), 'SIGCONT');
  const clients = await Promise.all(connecting);
  const before = await opened(server, CONNECTIONS);

  // Half of the fleet comes again, one after the other, so that the one with fewer is never busy.
  const half = CONNECTIONS / 2;
  for (const token of tokens.slice(0, half)) await connectTo(token);
  const after = await opened(server, CONNECTIONS + half);
  ok((after[2] ?? 0) - (before[2] ?? 0) >= half * MOST, JSON.stringify({ before, after }));

  const first = workerPid(server, 2);
  process.kill(first, 'SIGKILL');
  await until('it has started anew', () => workerPid(server, 2) !== first);
  for (const token of tokens.slice(0, half)) await connectTo(token);
  const last = await opened(server, CONNECTIONS + 2 * half);
  ok((last[2] ?? 0) - (after[2] ?? 0) >= half * MOST, JSON.stringify({ after, last }));
  for (const client of clients) await client.close();
  is((await server.stop()).code, 0);
});

test('workers: connections that have ended do not count: whoever comes then finds both alike', async () => {
  const { server, tokens } = await scene();
  const connectTo = (token: string) => RawMqttClient.connect(server.mqttPort, 5, token);
  const early: RawMqttClient[] = [];
  for (const token of tokens) early.push(await connectTo(token));
  ok(apart(await opened(server, CONNECTIONS)) <= 1);

  // One worker's end by its death, the other's because their devices go: what is left of them must not count.
  process.kill(workerPid(server, 1), 'SIGKILL');
  await until(
    'its connections are closed',
    () => early.filter(({ isClosed }) => isClosed).length === CONNECTIONS / 2,
  );
  for (const client of early) await client.close();
  await until(
    'it has started anew',
    () => server.log().filter(({ msg }) => msg === 'worker ready').length === 3,
  );
  await until('new ones are spread alike', async () => {
    const start = await opened(server, 0);
    const count = (start[1] ?? 0) + (start[2] ?? 0);
    const late: RawMqttClient[] = [];
    for (const token of tokens.slice(0, 20)) late.push(await connectTo(token));
    const end = await opened(server, count + 20);
    for (const client of late) await client.close();
    return apart({ 1: (end[1] ?? 0) - (start[1] ?? 0), 2: (end[2] ?? 0) - (start[2] ?? 0) }) <= 2;
  });
  is((await server.stop()).code, 0);
});

test('workers: a connection that all refuse is closed, and one is taken again when there is room', async () => {
  const max = 3;
  const server = await startServer({
    env: { ...WORKERS, HTTP_MAX_CONNECTIONS: String(max), HTTP_KEEP_ALIVE_TIMEOUT: '3600000' },
  });
  const held: Socket[] = [];
  for (let n = 0; n < 2 * max; n += 1) {
    const socket = connect(server.httpPort, '127.0.0.1');
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    held.push(socket);
  }
  for (let n = 0; n < 10; n += 1) {
    const more = connect(server.httpPort, '127.0.0.1');
    more.on('error', () => {});
    await new Promise((resolve) => more.once('close', resolve));
  }
  held[0]?.destroy();
  await until(
    'another one is served',
    async () => (await send(`${server.url}/livez`, { method: 'GET' })).status === 200,
  );
  for (const socket of held) socket.destroy();
  is((await server.stop()).code, 0);
});

test('workers: one that is full for a while serves again while the other stands still', async () => {
  const max = 3;
  const server = await startServer({
    env: { ...WORKERS, HTTP_MAX_CONNECTIONS: String(max), HTTP_KEEP_ALIVE_TIMEOUT: '3600000' },
  });
  const open = (): Socket => {
    const socket = connect(server.httpPort, '127.0.0.1').on('error', () => {});
    socket.write('GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return socket;
  };
  const held: Socket[] = [];
  for (let n = 0; n < 2 * max; n += 1) {
    const socket = open();
    await once(socket, 'data');
    held.push(socket);
  }
  process.kill(workerPid(server, 2), 'SIGSTOP');
  // One goes to the worker that stands still. The others are refused by the one that is full, and wait for nobody else.
  const more = Array.from({ length: 5 }, open);
  const closed = () => more.filter(({ destroyed }) => destroyed).length;
  await until('all but one of those that nobody can take are closed', () => closed() === more.length - 1);
  for (const socket of held) socket.destroy();
  await until('another one is served', async () => {
    const socket = open();
    const served = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    socket.destroy();
    return served.length === 1 && served[0] instanceof Buffer;
  });
  process.kill(workerPid(server, 2), 'SIGCONT');
  for (const socket of more) socket.destroy();
  is((await server.stop()).code, 0);
});

/** Lets the process open no more files, and undoes that. */
function limitFiles(pid: number): () => void {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let least = 0;
  while (open.has(least)) least += 1;
  execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${least}:`]);
  return () => void execFileSync('prlimit', [`--pid=${pid}`, '--nofile=1024:']);
}

test('workers: a connection that cannot reach one, as it has too many open files, goes to another; once it can, it gets some again', async () => {
  const { server, tokens } = await scene();
  const connectTo = (token: string) => RawMqttClient.connect(server.mqttPort, 5, token);
  const unlimit = limitFiles(workerPid(server, 2));
  const few = tokens.slice(0, 20);
  for (const token of few) await connectTo(token); // none is left without an answer
  const without = (await opened(server, few.length))[2] ?? 0;
  ok(without < few.length / 2, `${without} reached it nevertheless`);
  unlimit();
  let count = few.length;
  await until('it gets some again', async () => {
    await connectTo(few[count % few.length] ?? '');
    count += 1;
    return ((await opened(server, count))[2] ?? 0) > without;
  });
  is((await server.stop()).code, 0);
});

test.run();
