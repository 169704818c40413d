/**
 * Nothing acknowledged is lost: the real process under load over MQTT and HTTP at once, killed with SIGKILL at random
 * moments and started again on the same data, watched from the client side alone (see `kit/possible-states.ts`).
 *
 * CLAIMD_CRASH_ROUNDS says how often it is killed (default 20).
 */
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { test } from 'uvu';
import { is, ok } from 'uvu/assert';
import { type Customer, cast } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { ConnectionBroken } from '../kit/http.ts';
import { PATIENCE_MS } from '../kit/patience.ts';
import { freePorts } from '../kit/ports.ts';
import { type Answered, type Observed, type Operation, PossibleStates } from '../kit/possible-states.ts';
import { cleanUp, type ServerProcess, startServer } from '../kit/process.ts';
import { pause, until } from '../kit/until.ts';

const ROUNDS = Number(process.env.CLAIMD_CRASH_ROUNDS ?? 20);
const MQTT_DEVICES = 24;
const HTTP_DEVICES = 24;
/** How long the server lives in a round, in ms. */
const LIFE_MIN_MS = 100;
const LIFE_MAX_MS = 700;
/** It lives on until so many operations of a round have ended, however slow the machine is. */
const LIFE_OPERATIONS_MIN = 100;
const SYSADMIN_PASSWORD = 'crash-test-sysadmin';

const AGAIN_MS = 20;
const REFUSED = 0x87;

interface Device {
  readonly name: string;
  readonly accessToken: string;
  readonly transport: 'mqtt' | 'http';
  readonly possible: PossibleStates;
  secrets: number;
}

const counts = new Map<string, number>();
let ended = 0;
function count(what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
  ended += 1;
}
const pick = <Item>(items: readonly Item[]): Item => {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
};

test.after(cleanUp);

test(`crash: after ${ROUNDS} kills under load every acknowledged window, claim and reclaim is there`, async () => {
  const [httpPort = 0, mqttPort = 0] = await freePorts(2);
  const dataDir = temporaryFolder();
  const start = () =>
    startServer({
      dataDir,
      env: {
        HTTP_BIND_PORT: String(httpPort),
        MQTT_BIND_PORT: String(mqttPort),
        SYSADMIN_PASSWORD,
        LOG_LEVEL: 'info',
      },
    });

  let server: ServerProcess = await start();
  const { api, tenant, customers } = await cast(server.url, SYSADMIN_PASSWORD, 2);
  const devices: Device[] = [];
  for (let n = 0; n < MQTT_DEVICES + HTTP_DEVICES; n += 1) {
    const name = `device ${n}`;
    const accessToken = `crash-token-${n}`;
    await api.createDevice(tenant, name, accessToken);
    devices.push({
      name,
      accessToken,
      transport: n < MQTT_DEVICES ? 'mqtt' : 'http',
      possible: new PossibleStates(),
      secrets: 0,
    });
  }

  for (let round = 1; round <= ROUNDS; round += 1) {
    const life = { over: false };
    const playing = Promise.all(devices.map((device) => play(device, life)));
    const before = ended;
    await pause(LIFE_MIN_MS + Math.random() * (LIFE_MAX_MS - LIFE_MIN_MS));
    await until('it is under load', () => ended - before >= LIFE_OPERATIONS_MIN);
    const gone = server.kill();
    life.over = true;
    await gone;
    await playing;
    server = await start();
    for (const device of devices) await look(device);
  }

  // Once more in peace: what may be open must open exactly for the secrets that fit all that was told.
  for (const device of devices) {
    const secret = device.possible.secret ?? 'none';
    device.possible.observe(await confirm(device, pick(customers), secret));
    await look(device);
  }
  is((await server.stop()).code, 0);

  const summary = [...counts].sort().map(([what, times]) => `${what} ${times}`);
  process.stdout.write(`\n# crash: ${ROUNDS} kills; ${summary.join(', ')}\n`);
  for (const what of ['open accepted', 'confirm accepted', 'reclaim accepted', 'confirm claimed']) {
    ok((counts.get(what) ?? 0) >= ROUNDS, `hardly any "${what}": the load was none`);
  }
  const unknown = [...counts].filter(([what]) => what.endsWith('unknown')).map(([, times]) => times);
  ok(unknown.reduce((sum, times) => sum + times, 0) > 0, 'no kill hit anything under way');

  /** One device and its customers, until the server is gone. */
  async function play(device: Device, life: { readonly over: boolean }): Promise<void> {
    while (!life.over) {
      await playUntilUnknown(device, life);
      if (!life.over) await pause(AGAIN_MS); // a busy server has left something without an answer
    }
  }

  async function playUntilUnknown(device: Device, life: { readonly over: boolean }): Promise<void> {
    const client = device.transport === 'mqtt' ? await connect(device.accessToken) : undefined;
    if (device.transport === 'mqtt' && client === undefined) return;
    try {
      while (!life.over) {
        const observed = await step(device, client);
        device.possible.observe(...observed);
        if (observed.some(({ outcome }) => outcome === 'unknown')) return;
      }
    } finally {
      client?.end(true);
    }
  }

  async function step(device: Device, client: MqttClient | undefined): Promise<readonly Observed[]> {
    const secret = device.possible.secret;
    switch (pick(['open', 'rivals', 'wrong', 'reclaim'] as const)) {
      case 'open':
        return [await open(device, client)];
      case 'rivals':
        return Promise.all(customers.map((customer) => confirm(device, customer, secret ?? 'none')));
      case 'wrong':
        return Promise.all(
          customers.map((customer, n) => confirm(device, customer, n === 0 ? (secret ?? 'none') : 'wrong')),
        );
      case 'reclaim':
        return [await reclaim(device, pick(customers))];
    }
  }

  function connect(accessToken: string): Promise<MqttClient | undefined> {
    const options: IClientOptions = {
      protocolVersion: 5,
      username: accessToken,
      reconnectPeriod: 0,
      connectTimeout: PATIENCE_MS,
    };
    // Without retries: else a server killed before its CONNACK would leave a promise that never settles.
    return connectAsync(`mqtt://127.0.0.1:${mqttPort}`, options, false).then(
      (client) => client.on('error', () => {}),
      () => undefined, // killed before it could connect
    );
  }

  async function open(device: Device, client: MqttClient | undefined): Promise<Observed> {
    device.secrets += 1;
    const secret = `secret ${device.secrets}`;
    const payload = { secretKey: secret, durationMs: 3_600_000 };
    const outcome =
      client === undefined ? await openByHttp(device, payload) : await openByMqtt(client, payload);
    return observed({ type: 'open', secret }, outcome);
  }

  async function openByHttp(device: Device, payload: object): Promise<Answered> {
    const reply = await answerOf(api.initiate(device.accessToken, payload));
    return outcomeOf(reply, { 200: 'accepted', 409: 'claimed' });
  }

  function openByMqtt(client: MqttClient, payload: object): Promise<Answered> {
    return new Promise((resolve) => {
      client.once('close', () => resolve('unknown'));
      client.publish('v1/devices/me/claim', JSON.stringify(payload), { qos: 1 }, (error) => {
        if (!error) resolve('accepted');
        else resolve('code' in error && error.code === REFUSED ? 'claimed' : 'unknown');
      });
    });
  }

  async function confirm(device: Device, customer: Customer, secret: string): Promise<Observed> {
    const reply = await answerOf(api.confirm(customer.token, device.name, secret));
    const refusals: { [body: string]: Answered } = { '"CLAIMED"': 'claimed', '"FAILURE"': 'failure' };
    const outcome = reply?.status === 400 ? refusals[reply.body] : outcomeOf(reply, { 200: 'accepted' });
    if (outcome === undefined) throw new Error(`confirm: 400 ${reply?.body}`);
    return observed({ type: 'confirm', customer: customer.id, secret }, outcome);
  }

  async function reclaim(device: Device, customer: Customer): Promise<Observed> {
    const reply = await answerOf(api.reclaim(customer.token, device.name));
    return observed(
      { type: 'reclaim', customer: customer.id },
      outcomeOf(reply, { 200: 'accepted', 403: 'not-owner' }),
    );
  }

  async function look(device: Device): Promise<void> {
    const { customerId } = await api.device(tenant, device.name);
    device.possible.sees(customers.find(({ id }) => id === customerId.id)?.id ?? null);
  }
});

function observed(operation: Operation, outcome: Answered): Observed {
  count(`${operation.type} ${outcome}`);
  return { operation, outcome };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The answer, or undefined when the connection broke before it. */
async function answerOf(sent: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await sent;
  } catch (error) {
    if (error instanceof ConnectionBroken) return undefined;
    throw error;
  }
}

function outcomeOf(reply: Answer | undefined, meanings: { readonly [status: number]: Answered }): Answered {
  if (reply === undefined || reply.status === 503) return 'unknown';
  const outcome = meanings[reply.status];
  if (outcome === undefined) throw new Error(`an answer nobody expects: ${reply.status} ${reply.body}`);
  return outcome;
}

test.run();
