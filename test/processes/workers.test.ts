/**
 * The real server as several processes over one store (`WORKERS`): one owner and one session per device, changes of users
 * reach all, and nothing acknowledged is lost when a worker is killed.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import { equal, is, match, ok } from 'uvu/assert';
import { RELEASE } from '../contract/store-child.ts';
import { cast, claimPath, restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import type { Reply } from '../kit/http.ts';
import { CLAIM_RESPONSE_TOPIC, RawMqttClient } from '../kit/mqtt-client.ts';
import { afterPatience, PATIENCE_MS } from '../kit/patience.ts';
import { freePorts } from '../kit/ports.ts';
import { type Answered, PossibleStates } from '../kit/possible-states.ts';
import { cleanUp, endWithTests, launch, logLines, type ServerProcess, startServer } from '../kit/process.ts';
import { heldLives } from '../kit/short-lives.ts';
import { until } from '../kit/until.ts';

const STORE_CHILD = fileURLToPath(new URL('../contract/store-child.js', import.meta.url));
const SYSADMIN = 'sysadmin@thingsboard.org';
const PASSWORD = 'a-long-password';
const WORKERS = {
  WORKERS: '2',
  SYSADMIN_PASSWORD: PASSWORD,
  SECURITY_PASSWORD_HASH_COST: '1024',
  LOG_LEVEL: 'debug',
};
const TAKEN_OVER = 0x8e;
const ADMINISTRATIVE_ACTION = 0x98;

test.after(cleanUp);

/** One request on its own connection, which goes to the next worker; undefined if the connection breaks. */
function fresh(
  server: ServerProcess,
  method: string,
  path: string,
  token?: string,
  body?: object,
  headers: { readonly [name: string]: string } = {},
): Promise<Reply | undefined> {
  const hung = new AbortController();
  const cancel = afterPatience(PATIENCE_MS, () => hung.abort());
  return new Promise<Reply | undefined>((resolve, reject) => {
    const sent = request(
      `${server.url}${path}`,
      {
        method,
        agent: false,
        signal: hung.signal,
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { 'x-authorization': `Bearer ${token}` }),
          ...headers,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.on('error', () => resolve(undefined));
      },
    );
    sent.on('error', (error) => (hung.signal.aborted ? reject(error) : resolve(undefined)));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  }).finally(cancel);
}

async function scene(env: { readonly [name: string]: string } = {}) {
  const server = await startServer({ env: { ...WORKERS, ...env } });
  return { server, ...(await cast(server.url, PASSWORD)) };
}

/** The first process ids of the workers, by number. */
const workersOf = (server: ServerProcess) =>
  server.log().flatMap(({ msg, pid, worker }) => (msg === 'worker ready' ? [{ pid, worker }] : []));

/** The workers in which a session of a device has been opened, as far as their log has come. */
const servedBy = (server: ServerProcess) =>
  new Set(server.log().flatMap(({ msg, worker }) => (msg === 'mqtt session opened' ? [worker] : [])));

/** Asks until devices were served by both: which worker gets a connection is up to how busy each is at that moment. */
const untilBothServed = (server: ServerProcess, connectAgain: () => Promise<void>) =>
  until('both of them served devices', async () => {
    if (servedBy(server).size < 2) await connectAgain();
    return servedBy(server).size === 2;
  });

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

test('workers: of rivals on all processes exactly one gets each device; they drain and end', async () => {
  const { server, api, tenant } = await scene();
  const customers: { id: string; token: string }[] = [];
  for (const n of range(10)) customers.push(await api.createCustomer(tenant, `Customer ${n}`));
  const winners = new Set<string>();
  for (const n of range(30)) {
    const name = `contended ${n}`;
    await api.createDevice(tenant, name, `token-${n}`);
    const opened = await fresh(server, 'POST', `/api/v1/token-${n}/claim`, undefined, { secretKey: 's' });
    is(opened?.status, 200);
    const rivals = range(customers.length).map((at) => customers[(at + n) % customers.length]);
    const answers = await Promise.all(
      rivals.map((rival) => fresh(server, 'POST', claimPath(name), rival?.token, { secretKey: 's' })),
    );
    const won = rivals.flatMap((rival, at) => (answers[at]?.status === 200 ? [rival?.id ?? ''] : []));
    is(won.length, 1, `${name}: ${won.length} were told SUCCESS`);
    is(answers.filter((answer) => answer?.body === '"CLAIMED"').length, rivals.length - 1);
    equal([(await api.device(tenant, name)).customerId.id], won);
    for (const id of won) winners.add(id);
  }
  ok(winners.size > 3, 'hardly anybody ever wins: that was a queue and no race');

  const { code, output } = await server.stop();
  is(code, 0, output);
  equal(server.log().filter(({ msg }) => msg === 'stopped').length, 2);
  is(server.log().at(-1)?.msg, 'all workers stopped');
});

test('workers: a device that connects to another process leaves no session behind, nor does one that is revoked', async () => {
  const { server, api, tenant } = await scene();
  const device = await api.createDevice(tenant, 'D', 'token');
  let before: RawMqttClient | undefined;
  const connectAgain = async () => {
    const next = await RawMqttClient.connect(server.mqttPort, 5, 'token');
    const end = await before?.untilClosed();
    if (end !== undefined) equal(end.map(reasonOf), [['disconnect', TAKEN_OVER]]);
    before = next;
  };
  for (const _ of range(6)) await connectAgain();
  await untilBothServed(server, connectAgain);

  // Every process knows that it is connected.
  const isActive = async () => {
    const answer = await fresh(server, 'GET', `/api/device/info/${device.id.id}`, tenant);
    return JSON.parse(answer?.body ?? '{}').active;
  };
  await until('all know it', async () =>
    (await Promise.all(range(6).map(isActive))).every((a) => a === true),
  );

  const others = await Promise.all(
    range(4).map(async (n) => {
      const { id } = await api.createDevice(tenant, `other ${n}`, `other-${n}`);
      return { id, client: await RawMqttClient.connect(server.mqttPort, 5, `other-${n}`) };
    }),
  );
  for (const { id, client } of others) {
    is((await fresh(server, 'DELETE', `/api/device/${id.id}`, tenant))?.status, 200);
    equal((await client.untilClosed()).map(reasonOf), [['disconnect', ADMINISTRATIVE_ACTION]]);
  }
  await before?.close();
  await until('all know it', async () =>
    (await Promise.all(range(6).map(isActive))).every((a) => a === false),
  );
  is((await server.stop()).code, 0);
});

test('workers: O9: a device hears its new token whichever process its owner changed in', async () => {
  const { server, api, tenant } = await scene({ SECURITY_CLAIM_ON_OWNER_CHANGE: 'rotate' });
  const { token: customer } = await api.createCustomer(tenant, 'C');
  let devices = 0;
  const rotateOne = async () => {
    devices += 1;
    const [name, old] = [`rotating ${devices}`, `old-${devices}`];
    await api.createDevice(tenant, name, old);
    const session = await RawMqttClient.connect(server.mqttPort, 5, old);
    await session.subscribe(CLAIM_RESPONSE_TOPIC);
    is((await fresh(server, 'POST', `/api/v1/${old}/claim`, undefined, { secretKey: 's' }))?.status, 200);
    is((await fresh(server, 'POST', claimPath(name), customer, { secretKey: 's' }))?.status, 200);
    const { payload } = await session.next('publish');
    const { token } = JSON.parse(String(payload)).credentials as { token: string };
    const next = await RawMqttClient.connect(server.mqttPort, 5, token);
    await session.closed; // wherever it was
    is((await fresh(server, 'GET', `/api/v1/${old}/claim/credentials`))?.status, 401);
    await next.close();
  };
  for (const _ of range(6)) await rotateOne();
  await untilBothServed(server, rotateOne);
  is((await server.stop()).code, 0);
});

function reasonOf(packet: { readonly cmd: string; readonly reasonCode?: number }) {
  return [packet.cmd, packet.reasonCode];
}

test('workers: a change of a user reaches all processes at once; a repeated claim gets the same answer from all', async () => {
  // So long that only a message between the processes can bring the change.
  const { server, api, tenant } = await scene({ SECURITY_USER_STANDING_TTL: '600000' });
  const { token } = await api.createCustomer(tenant, 'C');
  const email = 'user@c.example';
  const devices = '/api/auth/user';
  const all = () => Promise.all(range(10).map(() => fresh(server, 'GET', devices, token)));
  for (const answer of await all()) is(answer?.status, 200);

  await api.createDevice(tenant, 'D', 'token');
  is((await api.initiate('token', { secretKey: 's' })).status, 200);
  const key = { 'idempotency-key': 'one and the same' };
  const claims = await Promise.all(
    range(12).map(() => fresh(server, 'POST', claimPath('D'), token, { secretKey: 's' }, key)),
  );
  equal(
    claims.map((answer) => [answer?.status, answer?.body]),
    range(12).map(() => [200, claims[0]?.body]),
  );

  const passwords = { currentPassword: PASSWORD, newPassword: 'another-password' };
  is((await fresh(server, 'POST', '/api/auth/changePassword', token, passwords))?.status, 200);
  await until('the old token is outdated everywhere', async () =>
    (await all()).every((answer) => answer?.status === 401),
  );
  const login = (password: string) =>
    fresh(server, 'POST', '/api/auth/login', undefined, { username: email, password });
  for (const answer of await Promise.all(range(4).map(() => login(PASSWORD)))) is(answer?.status, 401);
  for (const answer of await Promise.all(range(4).map(() => login('another-password'))))
    is(answer?.status, 200);
  is((await server.stop()).code, 0);
});

test('workers: a worker is killed again and again under load: nothing acknowledged is lost, and it is restarted', async () => {
  const { server, api, tenant } = await scene({ LOG_LEVEL: 'info' });
  const customers = [await api.createCustomer(tenant, 'A'), await api.createCustomer(tenant, 'B')];
  const devices = range(24).map((n) => ({
    name: `D${n}`,
    token: `t${n}`,
    possible: new PossibleStates(),
    secrets: 0,
  }));
  for (const { name, token } of devices) await api.createDevice(tenant, name, token);
  type Device = (typeof devices)[number];
  const counts = { known: 0, unknown: 0 };

  const outcomeOf = (
    answer: Reply | undefined,
    meanings: { readonly [said: string]: Answered },
  ): Answered => {
    const said = answer === undefined ? '503' : answer.status === 400 ? answer.body : String(answer.status);
    const outcome = said === '503' ? 'unknown' : meanings[said];
    if (outcome === undefined) throw new Error(`an answer nobody expects: ${answer?.status} ${answer?.body}`);
    counts[outcome === 'unknown' ? 'unknown' : 'known'] += 1;
    return outcome;
  };

  async function open(device: Device) {
    device.secrets += 1;
    const secret = `secret ${device.secrets}`;
    const body = { secretKey: secret, durationMs: 3_600_000 };
    const answer = await fresh(server, 'POST', `/api/v1/${device.token}/claim`, undefined, body);
    const outcome = outcomeOf(answer, { 200: 'accepted', 409: 'claimed' });
    return { operation: { type: 'open', secret }, outcome } as const;
  }

  async function confirm(device: Device, customer: { id: string; token: string }, secret: string) {
    const body = { secretKey: secret };
    const answer = await fresh(server, 'POST', claimPath(device.name), customer.token, body);
    const meanings = { 200: 'accepted', '"CLAIMED"': 'claimed', '"FAILURE"': 'failure' } as const;
    const operation = { type: 'confirm', customer: customer.id, secret } as const;
    return { operation, outcome: outcomeOf(answer, meanings) };
  }

  async function reclaim(device: Device, customer: { id: string; token: string }) {
    const answer = await fresh(server, 'DELETE', claimPath(device.name), customer.token);
    const operation = { type: 'reclaim', customer: customer.id } as const;
    return { operation, outcome: outcomeOf(answer, { 200: 'accepted', 403: 'not-owner' }) };
  }

  async function look({ name, possible }: Device): Promise<void> {
    const path = `/api/tenant/devices?deviceName=${name}`;
    const answer = await fresh(server, 'GET', path, tenant);
    if (answer?.status !== 200) return; // the worker was killed meanwhile
    const owner = JSON.parse(answer.body).customerId.id;
    possible.sees(customers.find(({ id }) => id === owner)?.id ?? null);
  }

  let over = false;
  async function play(device: Device): Promise<void> {
    for (let n = 0; !over; n += 1) {
      const secret = device.possible.secret ?? 'none';
      if (n % 3 === 0) device.possible.observe(await open(device));
      else if (n % 3 === 1)
        device.possible.observe(
          ...(await Promise.all(customers.map((customer) => confirm(device, customer, secret)))),
        );
      else for (const customer of customers) device.possible.observe(await reclaim(device, customer));
      await look(device);
    }
  }

  const playing = Promise.all(devices.map(play));
  const [roundsMin, roundsMax] = [4, 40];
  let rounds = 0;
  // Whether a kill hits anything under way is up to how busy the two are at that instant.
  for (; rounds < roundsMin || (counts.unknown === 0 && rounds < roundsMax); rounds += 1) {
    const before = counts.known;
    await until('they work', () => counts.known > before + 120);
    const started = workersOf(server);
    const victim = started.filter(({ worker }) => worker === (rounds % 2) + 1).at(-1);
    process.kill(Number(victim?.pid), 'SIGKILL');
    await until('it is back', () => workersOf(server).length > started.length);
  }
  over = true;
  await playing;
  for (const device of devices) await look(device);
  const fallen = server.log().filter(({ msg }) => msg === 'a worker died; it is restarted');
  is(fallen.length, rounds);
  ok(counts.unknown > 0, 'no kill hit anything under way');
  process.stdout.write(`\n# workers: ${rounds} killed; known ${counts.known}, unknown ${counts.unknown}\n`);
  is((await server.stop()).code, 0);
});

test('workers: if their supervisor is killed they end too, and the next start finds everything', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir, env: WORKERS });
  const api = restApi(first.url);
  await api.createTenant(await api.login(SYSADMIN, PASSWORD), 'T');
  await first.kill();
  await until('the workers are gone', () => workersOf(first).every(({ pid }) => !isAlive(Number(pid))));
  const second = await startServer({ dataDir, env: { ...WORKERS, WORKERS: '1' } });
  const again = restApi(second.url);
  const sysadmin = await again.login(SYSADMIN, PASSWORD);
  const tenants = await again.get<{ totalElements: number }>('/api/tenants?pageSize=10&page=0', sysadmin);
  is(tenants.totalElements, 1);

  const other = await launch({ dataDir, env: WORKERS }).ended;
  is(other.code, 3, other.output);
  match(other.output, 'is using');
  is((await second.stop()).code, 0);
});

test('workers: if their supervisor is killed they end too while writes wait for the disk, and keep no next start waiting', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir, env: WORKERS });
  const { api, tenant } = await cast(first.url, PASSWORD);
  const tokens = Array.from({ length: 8 }, (_, n) => `waiting-token-${n}`);
  for (const token of tokens) await api.createDevice(tenant, token, token);
  // As a disk that hangs: the thread that writes waits, in each worker.
  const path = join(dataDir, 'store');
  const holder = fork(STORE_CHILD, ['holder', path], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  endWithTests(holder);
  await once(holder, 'message');
  const body = { secretKey: 'waits', durationMs: 60_000 };
  const opening = tokens.map((token) => fresh(first, 'POST', `/api/v1/${token}/claim`, undefined, body));
  for (const _ of tokens) is((await fresh(first, 'GET', '/livez'))?.status, 200);
  first.signal('SIGKILL');
  await until('the workers are gone', () => workersOf(first).every(({ pid }) => !isAlive(Number(pid))));
  for (const opened of opening) is(await opened, undefined);
  writeFileSync(join(path, RELEASE), '');
  const second = await startServer({ dataDir, env: WORKERS });
  is((await restApi(second.url).initiate('waiting-token-0', body)).status, 200);
  is((await second.stop()).code, 0);
});

test('workers: SIGHUP while a worker starts takes effect once it has started', async () => {
  const { nodeArgs, letGo } = heldLives(2, 0);
  const { child, ended, output } = launch({ env: WORKERS, nodeArgs });
  const says = (words: string, number: number) =>
    logLines(output()).some(({ msg, worker }) => msg === words && worker === number);
  await until('the first serves', () => says('worker ready', 1));
  child.kill('SIGHUP');
  await until('the first has read them', () => says('certificates were read again', 1));
  letGo();
  await until('the other has, too', () => says('certificates were read again', 2));
  child.kill('SIGTERM');
  is((await ended).code, 0, output());
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('workers: a failed start is reported once, with its exit code', async () => {
  const forgetful = await launch({ env: { ...WORKERS, STORE_URL: 'memory:' } }).ended;
  is(forgetful.code, 2);
  match(forgetful.output, 'system.workers (2) needs a store that processes can share');

  const [port = 0] = await freePorts(1);
  const env = { ...WORKERS, HTTP_BIND_PORT: String(port) };
  const first = await startServer({ env });
  const second = await launch({ env }).ended;
  is(second.code, 3, second.output);
  is(second.output.match(/claimd does not start: HTTP cannot listen/g)?.length, 1, second.output);
  is((await first.stop()).code, 0);

  const announced = await startServer({ env: { ...WORKERS, SYSADMIN_PASSWORD: undefined } });
  await announced.stop();
  is(announced.output().match(/first system administrator is/g)?.length, 1);
});

test.run();
