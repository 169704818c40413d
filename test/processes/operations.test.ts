/** The real process in service: health, draining, signals, and a log that keeps secrets. */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SAME_SIGNAL_MS } from '../../config/process/exit.ts';
import { cast, claimPath, restApi } from '../kit/api.ts';
import { read } from '../kit/documents.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { RawMqttClient } from '../kit/mqtt-client.ts';
import { within } from '../kit/patience.ts';
import {
  cleanUp,
  launch,
  logLines,
  type ServerOptions,
  type ServerProcess,
  startServer,
} from '../kit/process.ts';
import { pause, until } from '../kit/until.ts';
import { openRaw } from '../kit/websocket.ts';

const TOKEN = 'T1_TEST_TOKEN';
const DEVICE = 'Thermostat T1';
const SECRET = 'a-claim-secret-nobody-may-read';

const demo = (options: ServerOptions = {}): Promise<ServerProcess> =>
  startServer({ ...options, env: { LOAD_DEMO: 'true', ...options.env } });

const claimPacket = (messageId: number, secretKey: string) =>
  ({
    cmd: 'publish',
    topic: 'v1/devices/me/claim',
    payload: JSON.stringify({ secretKey, durationMs: 600_000 }),
    qos: 1,
    dup: false,
    retain: false,
    messageId,
  }) as const;

/** On a busy machine a process may stand still at the wrong instant, and a try shows nothing. */
const TRIES_MAX = 5;

/** A claim whose head the server has read, and whose body is still to come. */
async function halfSent({ httpPort }: ServerProcess, bodyBytes: number) {
  const head = `POST /api/v1/${TOKEN}/claim HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${bodyBytes}\r\n\r\n`;
  const raw = openRaw(httpPort, head);
  await raw.until((received) => received.startsWith('HTTP/1.1 100 '));
  return raw;
}

const health = suite('operations: health');
health.after(cleanUp);

health('when the log says ready, both doors are open and the probes say so', async () => {
  const server = await demo();
  for (const probe of ['/livez', '/readyz']) {
    const response = await fetch(`${server.url}${probe}`);
    assert.is(response.status, 200, probe);
    await response.text();
  }
  const device = await RawMqttClient.connect(server.mqttPort, 4, TOKEN);
  device.socket.destroy();
  assert.is((await server.stop()).code, 0);
});

const draining = suite('operations: draining');
draining.after(cleanUp);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  draining(`${signal}: the process says so, ends with 0 and soon`, async () => {
    const server = await demo();
    const device = await RawMqttClient.connect(server.mqttPort, 5, TOKEN);
    const idle = connect(server.httpPort, '127.0.0.1'); // a connection that never asks anything must not hold it up
    idle.on('error', () => {});
    await new Promise((resolve) => idle.once('connect', resolve));
    server.signal(signal);
    const { code } = await within('it ends', server.ended);
    assert.is(code, 0);
    assert.equal(
      server
        .log()
        .slice(-2)
        .map((line) => line.msg),
      ['stopping: requests in flight will be answered', 'stopped'],
    );
    await device.closed;
    idle.destroy();
  });
}

draining(
  'a request that is half sent when the signal comes is answered, and what it did is durable',
  async () => {
    const dataDir = temporaryFolder();
    const server = await demo({ dataDir });
    const body = JSON.stringify({ secretKey: SECRET, durationMs: 600_000 });
    const { socket, received, closed } = await halfSent(server, body.length);
    socket.write(body.slice(0, 10));
    server.signal('SIGTERM');
    await until('it stops', () => server.output().includes('stopping:'));
    socket.write(body.slice(10));
    assert.is((await server.ended).code, 0);
    await closed;
    assert.match(received(), /\r\n\r\nHTTP\/1\.1 200 /);

    const restarted = await startServer({ dataDir, args: ['--demo'] });
    const api = restApi(restarted.url);
    const customer = await api.login('customerA@thingsboard.org', 'customer');
    assert.is((await api.confirm(customer, DEVICE, SECRET)).status, 200);
    await restarted.stop();
  },
);

draining(
  'claims under way over MQTT when the signal comes: every one acknowledged is there afterwards',
  async () => {
    const dataDir = temporaryFolder();
    const server = await demo({ dataDir });
    const device = await RawMqttClient.connect(server.mqttPort, 4, TOKEN);
    const count = 50;
    device.send(...Array.from({ length: count }, (_, at) => claimPacket(at + 1, `secret-${at + 1}`)));
    await device.next('puback');
    server.signal('SIGTERM');
    await device.closed;
    assert.is((await server.ended).code, 0);
    const acknowledged = 1 + device.packets.filter(({ cmd }) => cmd === 'puback').length;

    const restarted = await startServer({ dataDir, args: ['--demo'] });
    const api = restApi(restarted.url);
    const customer = await api.login('customerA@thingsboard.org', 'customer');
    // Each window replaced the one before, so what is open is the last acknowledged one, or one that came after it.
    let open: number | undefined;
    for (let at = acknowledged; at <= count && open === undefined; at++) {
      const { status } = await api.confirm(customer, DEVICE, `secret-${at}`);
      if (status === 200) open = at;
      else if (at - acknowledged > 8) break; // beyond this the server counts wrong secrets
    }
    assert.ok(open !== undefined, `${acknowledged} were acknowledged, none of those from there on is open`);
    await restarted.stop();
  },
);

for (const WORKERS of ['1', '2'])
  draining(`a second signal, a moment later, ends at once, with as many workers as ${WORKERS}`, async () => {
    const server = await demo({ env: { DRAIN_TIMEOUT: '300000', WORKERS } });
    const { socket } = await halfSent(server, 10);
    server.signal('SIGTERM'); // drains, and waits for the rest of the request
    await until('it has heard the first', () => server.output().includes('stopping:')); // or two that wait are one
    await pause(700);
    server.signal('SIGTERM');
    assert.is((await within('it ends', server.ended)).signal, 'SIGKILL');
    socket.destroy();
  });

draining('a client that never finishes is cut off after the drain time', async () => {
  for (let tries = 1; ; tries += 1) {
    const server = await demo({ env: { DRAIN_TIMEOUT: '500' } });
    const { socket } = await halfSent(server, 10);
    const startedAt = performance.now();
    const { code, output } = await within('it ends', server.stop());
    const took = performance.now() - startedAt;
    socket.destroy();
    assert.ok(took >= 400, `${took} ms`);
    // One that stood still meanwhile gives itself up, as it should.
    if (tries < TRIES_MAX && output.includes('stopping took too long')) continue;
    assert.is(code, 0, output);
    return;
  }
});

draining('a fault in the middle of writing ends the process at once, every time', async () => {
  // A signal stands for the bug. While LMDB writes, `process.exit` would hang about every fourth time.
  const bug = 'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("planted")})';
  for (let round = 0; round < 6; round += 1) {
    const server = await demo({
      nodeArgs: ['--import', bug],
      env: { SECURITY_CLAIM_WINDOWS_PER_DEVICE: '0' },
    });
    const device = await RawMqttClient.connect(server.mqttPort, 4, TOKEN);
    let messageId = 0;
    const load = setInterval(() => {
      for (let n = 0; n < 20; n += 1) {
        messageId = (messageId % 60_000) + 1;
        device.send(claimPacket(messageId, SECRET));
      }
    }, 1);
    await until('it writes', () => device.packets.length > 100 + 10 * round);
    server.signal('SIGUSR2');
    await within(`round ${round}: it ends after its fault`, server.ended);
    clearInterval(load);
    assert.match(server.output(), 'an unexpected fault');
    await device.close();
  }
});

const npm = suite('operations: npm start');
npm.after(cleanUp);

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const COMPILED = basename(fileURLToPath(new URL('../../', import.meta.url)));
// `npm start` runs what is in dist/; only when these tests run from there is that the same.
const whenBuilt = COMPILED === 'dist' ? npm : npm.skip;

for (const [how, target] of [
  ['SIGTERM to npm alone, as from a supervisor', 'npm'],
  ['Ctrl-C, which goes to npm and to the server and is passed on by npm as well', 'group'],
] as const) {
  whenBuilt(`${how}: the server drains and ends`, async () => {
    let output = await endedBy(target);
    // npm may have stood still for longer than two signals are taken for one.
    for (let tries = 1; tries < TRIES_MAX && isLate(output); tries += 1) output = await endedBy(target);
    assert.match(output, '"stopped"');
    assert.not.match(output, 'ending at once');
  });
}

whenBuilt('the lines of verify that are kept are heads alone, as the document has it kept', async () => {
  const dataDir = temporaryFolder();
  const env = { SYSADMIN_PASSWORD: 'verify-by-npm-sysadmin' };
  const server = await startServer({ dataDir, env });
  await cast(server.url, env.SYSADMIN_PASSWORD, 1);
  await server.stop();
  const file = join(temporaryFolder(), 'heads');
  const [command = ''] = /npm start .*verify > heads/.exec(read('config/README.md').text) ?? [];
  const ran = spawnSync('sh', ['-c', command.replace('heads', '"$0"'), file], {
    cwd: PROJECT,
    env: { ...process.env, DATA_DIR: dataDir, npm_config_ignore_scripts: 'true' },
    encoding: 'utf8',
  });
  assert.is(ran.status, 0, ran.stderr);
  const again = await launch({ dataDir, args: ['verify', file] }).ended;
  assert.is(again.code, 0, again.output);
});

/** Whether what ended the server at once came later than the second of two signals that are one. */
function isLate(output: string): boolean {
  const timeOf = (what: string) =>
    Date.parse(String(logLines(output).find(({ msg }) => String(msg).startsWith(what))?.time));
  return timeOf('ending at once') - timeOf('stopping:') >= SAME_SIGNAL_MS;
}

/** What `npm start` printed until its end. */
async function endedBy(target: 'npm' | 'group'): Promise<string> {
  const child = spawn('npm', ['start', '--ignore-scripts'], {
    cwd: PROJECT,
    env: {
      ...process.env,
      SECURITY_PASSWORD_HASH_COST: '1024',
      SYSADMIN_PASSWORD: 'a-long-password',
      STORE_URL: 'memory:',
      HTTP_BIND_ADDRESS: '127.0.0.1',
      HTTP_BIND_PORT: '0',
      MQTT_BIND_ADDRESS: '127.0.0.1',
      MQTT_BIND_PORT: '0',
      COAP_BIND_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const pid = child.pid ?? 0;
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    await until('it is ready', () => output.includes('"ready"'));
    process.kill(target === 'group' ? -pid : pid, target === 'group' ? 'SIGINT' : 'SIGTERM');
    await within('it ends', closed);
    return output;
  } finally {
    killGroup(pid);
  }
}

const secrets = suite('operations: secrets');
secrets.after(cleanUp);

secrets('nothing secret is in the log, whatever comes in, at the finest level', async () => {
  const dataDir = temporaryFolder();
  const server = await demo({
    dataDir,
    env: { LOG_LEVEL: 'trace', SYSADMIN_PASSWORD: 'the-sysadmin-password' },
  });
  const api = restApi(server.url);
  const send = (path: string, init: RequestInit = {}) =>
    fetch(`${server.url}${path}`, init).then((r) => r.text());

  const sysadmin = await api.login('sysadmin@thingsboard.org', 'the-sysadmin-password');
  const tenant = await api.login('tenant@thingsboard.org', 'tenant');
  const customer = await api.login('customerA@thingsboard.org', 'customer');
  const refresh = JSON.parse(
    await send('/api/auth/login', json({ username: 'customerB@thingsboard.org', password: 'customer' })),
  ).refreshToken;
  await send(
    '/api/auth/login',
    json({ username: 'customerB@thingsboard.org', password: 'a-wrong-password' }),
  );
  await send('/api/auth/token', json({ refreshToken: `${refresh}x` }));
  await send('/api/auth/user', { headers: { 'X-Authorization': `Bearer ${customer}x` } });

  // By HTTP: good, refused, malformed, with tokens that nobody has, on paths that nobody knows.
  await api.initiate(TOKEN, { secretKey: SECRET });
  await send(`/api/v1/${TOKEN}/claim`, { method: 'POST', body: `{"secretKey":"${SECRET}",` });
  await send(`/api/v1/${TOKEN}/claim`, {
    method: 'POST',
    body: `{"secretKey":"${SECRET}","durationMs":"abc"}`,
  });
  await send(`/api/v1/${TOKEN}/nothing`);
  await send('/api/v1/a-token-nobody-has/claim', { method: 'POST' });
  await send(claimPath(DEVICE), { ...json({ secretKey: 'a-wrong-secret' }), headers: bearer(customer) });
  await send(claimPath(DEVICE), {
    method: 'POST',
    body: `{"secretKey":"${SECRET}`,
    headers: bearer(customer),
  });

  // By MQTT: a good claim, a malformed one, a token that nobody has.
  const device = await RawMqttClient.connect(server.mqttPort, 5, TOKEN);
  device.send(claimPacket(1, SECRET));
  await device.next('puback');
  device.send({ ...claimPacket(2, ''), payload: `{"secretKey":"${SECRET}` });
  await device.next('puback');
  device.socket.destroy();
  await assertRejects(RawMqttClient.connect(server.mqttPort, 4, 'a-token-nobody-has'));

  // A device whose token is taken already, and a server-side key.
  const t2 = await api.device(tenant, 'Thermostat T2');
  await send(`/api/device?accessToken=${TOKEN}`, {
    ...json({ name: 'Another', type: 'default' }),
    headers: bearer(tenant),
  });
  await send(`/api/plugins/telemetry/DEVICE/${t2.id.id}/SERVER_SCOPE`, {
    ...json({ claimingData: { secretKey: SECRET, expirationTime: 9e12 } }),
    headers: bearer(tenant),
  });
  await api.confirm(customer, 'Thermostat T2', SECRET);
  assert.is((await api.confirm(customer, DEVICE, SECRET)).status, 200);
  assert.is((await server.stop()).code, 0);

  const forbidden = {
    'claim secret': SECRET,
    'wrong claim secret': 'a-wrong-secret',
    'access token': TOKEN,
    'unknown access token': 'a-token-nobody-has',
    'sysadmin password': 'the-sysadmin-password',
    'wrong password': 'a-wrong-password',
    'access JWT': sysadmin.split('.')[2] ?? '',
    'customer JWT': customer.split('.')[2] ?? '',
    'refresh JWT': String(refresh).split('.')[2] ?? '',
    'server key': readFileSync(join(dataDir, 'server.key'), 'utf8').trim(),
    'JWT key': readFileSync(join(dataDir, 'jwt.key'), 'utf8').trim(),
  };
  const output = server.output();
  assert.ok(output.split('\n').length > 10, 'there is a log');
  for (const [what, text] of Object.entries(forbidden)) {
    assert.ok(text.length > 5, what);
    const line = output.split('\n').find((each) => each.includes(text));
    assert.is(line, undefined, `${what} in the log`);
  }
});

secrets('the claim secret is in no file of the data folder', async () => {
  const dataDir = temporaryFolder();
  const server = await demo({ dataDir });
  const api = restApi(server.url);
  const tenant = await api.login('tenant@thingsboard.org', 'tenant');
  const t2 = await api.device(tenant, 'Thermostat T2');
  await api.must('POST', `/api/plugins/telemetry/DEVICE/${t2.id.id}/SERVER_SCOPE`, tenant, {
    claimingData: { secretKey: SECRET, expirationTime: 9e12 },
  });
  assert.is((await api.initiate(TOKEN, { secretKey: SECRET })).status, 200);
  await server.stop();
  const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dataDir, name))
    .filter((path) => statSync(path).isFile());
  assert.ok(files.length >= 3);
  for (const path of files) assert.is(readFileSync(path).indexOf(SECRET), -1, path);
});

function json(body: object): RequestInit {
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

function bearer(token: string): Record<string, string> {
  return { 'X-Authorization': `Bearer ${token}`, 'Content-Type': 'application/json' };
}

/** Ends what is left of a process group, if anything is. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // all of it has ended
  }
}

async function assertRejects(promise: Promise<unknown>): Promise<void> {
  const rejected = await promise.then(
    () => false,
    () => true,
  );
  assert.ok(rejected);
}

for (const each of [health, draining, npm, secrets]) each.run();
