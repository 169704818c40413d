/**
 * `npm run demo`: the life of a claimed device, with a real server and real clients. Starts the server on free ports with
 * a temporary data folder, kills it in the middle of the story, and checks each step. A step that fails ends the demo
 * with exit code 1.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectAsync, type MqttClient } from 'mqtt';

const MAIN = fileURLToPath(new URL('../process/main.js', import.meta.url));
/** So long that only what hangs takes longer. */
const ANSWER_MS = 60_000;

const DEVICE = { name: 'Thermostat T1', token: 'T1_TEST_TOKEN' };
const OTHER_DEVICE = { name: 'Thermostat T2', token: 'T2_TEST_TOKEN' };
const SECRET = 'printed-on-the-box';
const KIT = ['DHT11 Demo Device', 'Raspberry Pi Demo Device'];

let stepNumber = 0;
function printStep(line: string): void {
  process.stdout.write(`${String(++stepNumber).padStart(2)}. ${line}\n`);
}

function check(right: boolean, what: string): asserts right {
  if (!right) throw new Error(`unexpected: ${what}`);
}

async function within<Value>(promise: Promise<Value>, what: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ANSWER_MS} ms`)), ANSWER_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// ------------------------------------------------------------------------------------------------------- the server

interface Server {
  readonly process: ChildProcess;
  readonly httpPort: number;
  readonly mqttPort: number;
}

/** Starts the server and waits for the log line that says where it listens. */
async function startServer(dataDir: string): Promise<Server> {
  const child = spawn(process.execPath, [MAIN, '--demo'], {
    cwd: dataDir, // so that no config file is found
    env: {
      PATH: process.env.PATH,
      DATA_DIR: dataDir,
      HTTP_BIND_ADDRESS: '127.0.0.1',
      HTTP_BIND_PORT: '0',
      MQTT_BIND_ADDRESS: '127.0.0.1',
      MQTT_BIND_PORT: '0',
      COAP_BIND_ADDRESS: '127.0.0.1',
      COAP_BIND_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running = child;
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line);
    if (entry.level === 'error') process.stderr.write(`${line}\n`);
    if (entry.msg !== 'ready') continue;
    child.stdout.resume(); // nobody reads the rest of the log
    return { process: child, httpPort: entry.http.port, mqttPort: entry.mqtt.port };
  }
  throw new Error('the server did not start');
}

async function endServer(server: Server, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  const ended = once(server.process, 'exit');
  server.process.kill(signal);
  await within(ended, 'the end of the server');
  running = undefined;
  return server.process.exitCode;
}

let running: ChildProcess | undefined;

// ------------------------------------------------------------------------------------------------------- the people

interface Person {
  /** Claims a device. Resolves to the status and the response: SUCCESS, FAILURE or CLAIMED. */
  claim(deviceName: string, secretKey: string): Promise<{ status: number; said: string }>;
  giveBack(deviceName: string): Promise<number>;
  /** Offers a device to the user of an e-mail address. */
  offer(deviceName: string, email: string): Promise<number>;
  /** Accepts everything that is offered; resolves to the names and the statuses. */
  acceptOffers(): Promise<readonly { readonly name: string; readonly status: number }[]>;
  /** Makes a kit of devices, as the tenant; resolves to its code. */
  pack(deviceNames: readonly string[]): Promise<string>;
  /** Shows the code of a kit; resolves to the names of the devices that it claimed. */
  claimKit(code: string): Promise<readonly string[]>;
  /** Names of the devices that the person's customer owns. */
  owned(): Promise<readonly string[]>;
}

async function logIn(server: Server, username: string, password: string): Promise<Person> {
  const url = `http://127.0.0.1:${server.httpPort}`;
  const call = async (method: string, path: string, body?: object, token?: string) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { 'X-Authorization': `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const login = await call('POST', '/api/auth/login', { username, password });
  check(login.status === 200, `${username} could not log in (${login.status})`);
  const { token } = login.body;
  const me = await call('GET', '/api/auth/user', undefined, token);
  const claimPath = (name: string) => `/api/customer/device/${encodeURIComponent(name)}/claim`;

  return {
    async claim(name, secretKey) {
      const { status, body } = await call('POST', claimPath(name), { secretKey }, token);
      return { status, said: typeof body === 'string' ? body : body?.response };
    },
    giveBack: async (name) => (await call('DELETE', claimPath(name), undefined, token)).status,
    async offer(name, email) {
      const path = `/api/customer/device/${encodeURIComponent(name)}/transfer`;
      return (await call('POST', path, { to: email }, token)).status;
    },
    async acceptOffers() {
      const { body } = await call('GET', '/api/transfers', undefined, token);
      const offers: { transferId: string; deviceName: string }[] = body;
      const accepted = [];
      for (const { transferId, deviceName } of offers) {
        const { status } = await call('POST', `/api/transfer/${transferId}/accept`, undefined, token);
        accepted.push({ name: deviceName, status });
      }
      return accepted;
    },
    async pack(devices) {
      const { status, body } = await call('POST', '/api/kit', { label: 'Order 7', devices }, token);
      check(status === 200, `making a kit: ${status}`);
      return body.code;
    },
    async claimKit(code) {
      const shown = await call('POST', '/api/customer/claim/kit', { code }, token);
      check(shown.status === 200, `showing the code of a kit: ${shown.status}`);
      const path = `/api/customer/claim/kit/${shown.body.id}`;
      const until = performance.now() + ANSWER_MS;
      for (;;) {
        const { body: kit } = await call('GET', path, undefined, token);
        if (kit.state === 'CLAIMED') {
          const claimed = kit.devices.filter(({ outcome }: { outcome: string }) => outcome === 'CLAIMED');
          return claimed.map(({ name }: { name: string }) => name);
        }
        check(performance.now() < until, `the kit is not through within ${ANSWER_MS} ms`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async owned() {
      const path = `/api/customer/${me.body.customerId.id}/devices?page=0&pageSize=100`;
      const { body } = await call('GET', path, undefined, token);
      return body.data.map((device: { name: string }) => device.name);
    },
  };
}

// ------------------------------------------------------------------------------------------------------ the devices

/** Connects as a device, opens a claim window, and returns the message on the response topic. */
async function openWindow(
  server: Server,
  token: string,
  durationMs: number,
): Promise<{ status: string; reason?: string }> {
  const client: MqttClient = await within(
    connectAsync(`mqtt://127.0.0.1:${server.mqttPort}`, {
      protocolVersion: 5,
      username: token,
      reconnectPeriod: 0,
    }),
    'the connection of the device',
  );
  try {
    await within(client.subscribeAsync('v1/devices/me/claim/response', { qos: 1 }), 'the subscription');
    const response = new Promise<Buffer>((resolve) =>
      client.once('message', (_topic, payload) => resolve(payload)),
    );
    const request = JSON.stringify({ secretKey: SECRET, durationMs });
    // A refusal is also in the acknowledgement's reason code, and this client rejects for it.
    await within(
      client.publishAsync('v1/devices/me/claim', request, { qos: 1 }).catch(() => {}),
      'the acknowledgement',
    );
    return JSON.parse(String(await within(response, 'the outcome')));
  } finally {
    await client.endAsync(true);
  }
}

// -------------------------------------------------------------------------------------------------------- the story

async function play(dataDir: string): Promise<void> {
  let server = await startServer(dataDir);
  printStep(
    `A server runs on 127.0.0.1, MQTT port ${server.mqttPort}, HTTP port ${server.httpPort}, with ThingsBoard's demo data.`,
  );
  await claimOnce(server);

  const other = await openWindow(server, OTHER_DEVICE.token, 600_000);
  check(other.status === 'opened', `opening the other window: ${JSON.stringify(other)}`);
  await offerOnce(server);
  await kitOnce(server);
  await endServer(server, 'SIGKILL');
  printStep(
    `"${OTHER_DEVICE.name}" opens a window, and right after its acknowledgement the server is killed: kill -9.`,
  );

  server = await startServer(dataDir);
  await afterTheCrash(server);

  const code = await endServer(server, 'SIGTERM');
  check(code === 0, `the server ended with code ${code}`);
  printStep('The server is asked to stop (SIGTERM), drains, and exits with 0.');
}

/** Alice claims a device, and Bob cannot. */
async function claimOnce(server: Server): Promise<void> {
  const alice = await logIn(server, 'customerA@thingsboard.org', 'customer');
  const bob = await logIn(server, 'customerB@thingsboard.org', 'customer');
  printStep('Alice (customer A) and Bob (customer B) log in.');

  const early = await alice.claim(DEVICE.name, SECRET);
  check(early.status === 400 && early.said === 'FAILURE', `claiming before the device agreed: ${early.said}`);
  printStep(`Alice claims "${DEVICE.name}" too early: 400 FAILURE, the device has not opened a window.`);

  const opened = await openWindow(server, DEVICE.token, 600_000);
  check(opened.status === 'opened', `opening the window: ${JSON.stringify(opened)}`);
  printStep(
    `"${DEVICE.name}" connects by MQTT 5 and opens its claim window for ten minutes, with a secret; it hears "opened".`,
  );

  const wrong = await bob.claim(DEVICE.name, 'a guess');
  check(wrong.status === 400 && wrong.said === 'FAILURE', `a wrong secret: ${wrong.said}`);
  printStep('Bob guesses the secret wrongly: 400 FAILURE. The window stays open for the one who knows it.');

  const claimed = await alice.claim(DEVICE.name, SECRET);
  check(claimed.status === 200 && claimed.said === 'SUCCESS', `the claim: ${claimed.said}`);
  check((await alice.owned()).includes(DEVICE.name), 'the device is not among those of Alice');
  printStep('Alice claims it with the right secret: 200 SUCCESS. It is hers.');

  const second = await bob.claim(DEVICE.name, SECRET);
  check(second.status === 400 && second.said === 'CLAIMED', `a second customer: ${second.said}`);
  printStep('Bob has learned the secret meanwhile: 400 CLAIMED. There are never two owners.');

  const refused = await openWindow(server, DEVICE.token, 600_000);
  check(refused.reason === 'already-claimed', `a window on an owned device: ${JSON.stringify(refused)}`);
  printStep('The device asks for another window: refused, already-claimed.');
}

/** Alice sells her device to Bob, who has not answered yet. */
async function offerOnce(server: Server): Promise<void> {
  const alice = await logIn(server, 'customerA@thingsboard.org', 'customer');
  const status = await alice.offer(DEVICE.name, 'customerB@thingsboard.org');
  check(status === 200, `offering the device: ${status}`);
  printStep(`Alice sells "${DEVICE.name}": she offers it to Bob's e-mail. It stays hers until he accepts.`);
}

/** The tenant sells a box with several devices, and Carol claims them all by the code on it. */
async function kitOnce(server: Server): Promise<void> {
  const tenant = await logIn(server, 'tenant@thingsboard.org', 'tenant');
  const carol = await logIn(server, 'customerC@thingsboard.org', 'customer');
  const code = await tenant.pack(KIT);
  printStep(`The tenant packs ${KIT.length} devices into a box, and prints the code of a kit on it.`);
  const claimed = await carol.claimKit(code);
  check(
    KIT.every((name) => claimed.includes(name)),
    `the kit claimed ${claimed.join(', ')}`,
  );
  printStep('Carol (customer C) types the code: they are all hers, and none of them had to open a window.');
}

/** What was acknowledged is still true; devices are given back and claimed again. */
async function afterTheCrash(server: Server): Promise<void> {
  const alice = await logIn(server, 'customerA@thingsboard.org', 'customer');
  const bob = await logIn(server, 'customerB@thingsboard.org', 'customer');
  const carol = await logIn(server, 'customerC@thingsboard.org', 'customer');
  check((await alice.owned()).includes(DEVICE.name), 'the claim was lost in the crash');
  const carols = await carol.owned();
  check(
    KIT.every((name) => carols.includes(name)),
    'a device of the kit was lost in the crash',
  );
  printStep('It starts again on the same folder: Alice still owns her device, and Carol those of her kit.');

  const survived = await bob.claim(OTHER_DEVICE.name, SECRET);
  check(survived.said === 'SUCCESS', `the window that was open before the crash: ${survived.said}`);
  printStep(`The window of "${OTHER_DEVICE.name}" survived as well: Bob claims it, 200 SUCCESS.`);

  const theft = await bob.giveBack(DEVICE.name);
  check(theft === 403, `giving back what is not his: ${theft}`);
  const [accepted] = await bob.acceptOffers();
  check(accepted?.name === DEVICE.name && accepted.status === 200, `accepting: ${accepted?.status}`);
  check((await bob.owned()).includes(DEVICE.name), 'the device is not among those of Bob');
  check(!(await alice.owned()).includes(DEVICE.name), 'the device is still among those of Alice');
  printStep(
    "Bob cannot give Alice's device back (403). But her offer survived too: he accepts, and from one moment to the next it is his.",
  );

  const former = await alice.giveBack(DEVICE.name);
  check(former === 403, `giving back what was hers: ${former}`);
  check((await bob.giveBack(DEVICE.name)) === 200, 'giving back');
  check(!(await bob.owned()).includes(DEVICE.name), 'the device is still among those of Bob');
  printStep("Alice can do nothing with it any more (403); Bob gives it back: 200, it is nobody's.");

  check((await openWindow(server, DEVICE.token, 600_000)).status === 'opened', 'opening again');
  check((await bob.claim(DEVICE.name, SECRET)).said === 'SUCCESS', 'claiming again');
  check((await bob.giveBack(DEVICE.name)) === 200, 'giving back again');
  printStep('The device opens a new window, Bob claims it and gives it back.');

  check((await openWindow(server, DEVICE.token, 1000)).status === 'opened', 'opening for a second');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const late = await alice.claim(DEVICE.name, SECRET);
  check(late.status === 400 && late.said === 'FAILURE', `a claim after the window closed: ${late.said}`);
  printStep('It opens a window for one second. Alice comes 1.1 seconds later: 400 FAILURE, too late.');
}

const dataDir = mkdtempSync(join(tmpdir(), 'claimd-demo-'));
try {
  await play(dataDir);
  process.stdout.write('The demo went as it should.\n');
} catch (error) {
  process.stderr.write(`The demo failed. ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  running?.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
}
