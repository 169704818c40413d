/** Plays a row of the tables at a door of a running server, and tells what was seen there and what became of it. */
import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { createDecoder, createSigner } from 'fast-jwt';
import * as assert from 'uvu/assert';
import { unreachable } from '../../actors/base/unreachable.ts';
import { Code } from '../../transports/coap/codes.ts';
import { uintOption } from '../../transports/coap/options.ts';
import { claimPath } from '../kit/api.ts';
import { makeCertificate } from '../kit/certificates.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { CLAIM_TOPIC, RawMqttClient } from '../kit/mqtt-client.ts';
import { until } from '../kit/until.ts';
import { agrees, coap, http, mqttConnect, mqttConnectByPassword, mqttPublish, VERSION_OF } from './doors.ts';
import type {
  Behind,
  ClaimRow,
  ConnectRow,
  Door,
  GatewayRow,
  MqttDoor,
  OddRow,
  Opens,
  RestRow,
  Seen,
} from './model.ts';
import type { Stage, StagedDevice } from './stage.ts';

// ---------------------------------------------------------------------------------------------------------- claims

export async function playClaim(stage: Stage, row: ClaimRow, door: Door, expected: Seen): Promise<void> {
  const { given = 'nobody owns it', qos = 1 } = row;
  for (const { payload, opens } of row.cases) {
    const device = await stage.device({ profile: row.profile?.[door] });
    await stage.bringAbout(device, given);
    const ready = given === 'the store is gone' ? () => stage.takeStoreAway() : async () => {};
    const claim = { topic: CLAIM_TOPIC, payload, qos };
    is(await claimAt(stage, door, device, claim, ready, expected === 'nothing'), expected, String(payload));
    if (given !== 'the store is gone') await checkWindow(stage, device, opens, expected !== 'nothing');
  }
}

async function claimAt(
  { world }: Stage,
  door: Door,
  { accessToken }: StagedDevice,
  claim: Parameters<typeof mqttPublish>[1],
  ready: () => Promise<void>,
  silent: boolean,
): Promise<Seen> {
  switch (door) {
    case 'MQTT 3.1.1':
    case 'MQTT 5': {
      const client = await RawMqttClient.open(world.mqttPort, VERSION_OF[door]);
      try {
        const { seen, welcome } = await mqttConnect(client, accessToken);
        await ready();
        return welcome ? await mqttPublish(client, claim, silent) : seen;
      } finally {
        await client.close();
      }
    }
    case 'HTTP':
      await ready();
      return http(`${world.url}/api/v1/${accessToken}/claim`, 'POST', claim.payload);
    case 'CoAP':
      await ready();
      return coap(world, ['api', 'v1', accessToken, 'claim'], claim.payload);
    default:
      return unreachable(door);
  }
}

/** A window that is meant to be confirmed within the test; shorter ones are only looked at. */
const CONFIRMABLE_MS = 10_000;

/** @param acknowledged then it is there at once; else it may take a moment */
async function checkWindow(
  stage: Stage,
  device: StagedDevice,
  opens: Opens | undefined,
  acknowledged: boolean,
): Promise<void> {
  if (opens === undefined) {
    assert.is(await stage.windowOf(device.id), null, 'no window is open');
    return;
  }
  const isOpen = async () => (await stage.windowOf(device.id))?.durationMs === opens.durationMs;
  if (!acknowledged) await until('the window opens', isOpen);
  assert.ok(await isOpen(), `a window of ${opens.durationMs} ms is open`);
  if (opens.durationMs < CONFIRMABLE_MS) return;
  const { status, body } = await stage.api.confirm(stage.customer.token, device.name, opens.secretKey);
  assert.is(status, 200, `the window opens with its secret: ${body}`);
}

// ---------------------------------------------------------------------------------------------------------- others

const ODD_TOPICS: Readonly<Partial<Record<OddRow['ask'], string>>> = {
  'short topic': 'v2/c',
  'gateway topic': 'v1/gateway/claim',
};
const ODD_FEATURES: Readonly<Partial<Record<OddRow['ask'], string>>> = {
  'unknown feature': 'nonsense',
  telemetry: 'telemetry',
};
const OBSERVE = 6; // RFC 7641
const METHODS = ['GET', 'PUT', 'DELETE', 'PATCH'];
const COAP_METHODS = { GET: Code.get, PUT: Code.put, DELETE: Code.delete };

export async function playOdd(stage: Stage, { ask }: OddRow, door: Door, expected: Seen): Promise<void> {
  const { accessToken } = await stage.device();
  const token = ask === 'unknown token' ? 'nobody' : accessToken;
  is(await oddAt(stage, ask, door, token, expected === 'nothing'), expected, ask);
}

async function oddAt(
  { world }: Stage,
  ask: OddRow['ask'],
  door: Door,
  token: string,
  silent: boolean,
): Promise<Seen> {
  const feature = ODD_FEATURES[ask] ?? 'claim';
  const several = async <Method>(methods: readonly Method[], by: (method: Method) => Promise<string>) => {
    const seen: Seen[] = [];
    for (const method of methods) seen.push(await by(method));
    return seen.join(', ');
  };
  switch (door) {
    case 'MQTT 3.1.1':
    case 'MQTT 5': {
      const client = await RawMqttClient.open(world.mqttPort, VERSION_OF[door]);
      try {
        const { seen, welcome } = await mqttConnect(client, token);
        const topic = ODD_TOPICS[ask] ?? `v1/devices/me/${feature}`;
        return welcome ? await mqttPublish(client, { topic, payload: '{"A":{}}', qos: 1 }, silent) : seen;
      } finally {
        await client.close();
      }
    }
    case 'HTTP': {
      const url = `${world.url}/api/v1/${token}/${feature}`;
      if (ask !== 'wrong method') return http(url, 'POST', '{}');
      return several(METHODS, async (method) => {
        const [status, word, code] = (await http(url, method)).split(' ');
        return [method, status, word, code].join(' ');
      });
    }
    case 'CoAP': {
      const path = ['api', 'v1', token, feature];
      if (ask === 'observe') return coap(world, path, '', Code.get, [uintOption(OBSERVE, 0)]);
      if (ask !== 'wrong method') return coap(world, path, '{}');
      return several(Object.entries(COAP_METHODS), async ([method, code]) => {
        return `${method} ${await coap(world, path, '', code)}`;
      });
    }
    default:
      return unreachable(door);
  }
}

export async function playConnect(
  stage: Stage,
  row: ConnectRow,
  door: MqttDoor,
  expected: Seen,
): Promise<void> {
  const { clientId, userName, password, clean = true, certificate } = row.says;
  const { accessToken } = await stage.device({ profile: row.profile });
  if (row.given === 'the store is gone') await stage.takeStoreAway();
  const client =
    certificate === undefined
      ? await RawMqttClient.open(stage.world.mqttPort, VERSION_OF[door])
      : RawMqttClient.over(await tlsSocket(stage), VERSION_OF[door]);
  try {
    const said = (text: string | undefined) => (text === 'TOKEN' ? accessToken : text);
    const more = {
      clientId: said(clientId) ?? '',
      clean,
      ...(password === undefined ? {} : { password: Buffer.from(password) }),
    };
    const { seen } =
      password !== undefined && userName === undefined
        ? await mqttConnectByPassword(client, clientId, password)
        : await mqttConnect(client, said(userName), more);
    is(seen, expected, row.what);
  } finally {
    await client.close();
  }
}

/** A connection that shows a certificate made a moment ago. */
async function tlsSocket({ world }: Stage) {
  const { cert, key } = makeCertificate(temporaryFolder(), 'stranger');
  const options = { cert: readFileSync(cert), key: readFileSync(key), rejectUnauthorized: false };
  const port = world.system.addresses.mqttTls?.port ?? 0;
  const socket = connectTls({ host: '127.0.0.1', port, ...options });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

// -------------------------------------------------------------------------------------------------------- gateways

/** Names are given anew for each payload: `A` and `B` in the tables, and in what is sent, stay as they are. */
export async function playGateway(
  open: () => Promise<Stage>,
  row: GatewayRow,
  door: MqttDoor,
  expected: Seen,
): Promise<void> {
  const { given, qos = 1, topic = 'v1/gateway/claim' } = row;
  for (const payload of row.payloads) {
    const stage = await open();
    const gateway = await stage.device({ gateway: true, profile: row.profile });
    if (given === 'a customer owns the gateway') await stage.assign(gateway, stage.customer);
    const b = await stage.device({ name: 'B' });
    if (given === 'B is owned') await stage.assign(b, stage.customer);
    if (given === 'B has a window') await stage.bringAbout(b, 'its window is open');
    const client = await RawMqttClient.open(stage.world.mqttPort, VERSION_OF[door]);
    try {
      await mqttConnect(client, gateway.accessToken);
      // Gateways have a quota beside the device's own.
      if (given === 'the quota of B is used up') await mqttPublish(client, { topic, payload, qos }, false);
      if (given === 'the store is gone') await stage.takeStoreAway();
      is(
        await mqttPublish(client, { topic, payload, qos }, expected === 'nothing'),
        expected,
        String(payload),
      );
      for (const [name, behind] of Object.entries(row.behind)) {
        const isSo = async () => (await behindOf(stage, name)) === behind;
        if (expected === 'nothing') await until('the outcome is there', isSo);
        assert.is(await behindOf(stage, name), behind, `${name} behind the gateway, of ${payload}`);
      }
    } finally {
      await client.close();
      await stage.stop();
    }
  }
}

async function behindOf(stage: Stage, name: string): Promise<Behind> {
  const device = await stage.find(name);
  if (device === undefined) return 'not there';
  if ((await stage.ownerOf(device.id)) !== null) return 'owned';
  return (await stage.windowOf(device.id)) === null ? 'no window' : 'window open';
}

// ------------------------------------------------------------------------------------------------------------ REST

const WRONG_SECRETS_MAX = 10; // as by default

export async function playRest(stage: Stage, row: RestRow, expected: Seen): Promise<void> {
  const { world, api, admin, customer, otherCustomer } = stage;
  const { given = 'nobody owns it', ask, contentType = 'application/json' } = row;
  for (const body of row.bodies) {
    const device = await stage.device(row.deviceName === undefined ? {} : { name: row.deviceName });
    if (given === 'malformed claimingData was sent') {
      const path = `/api/plugins/telemetry/${device.id}/SERVER_SCOPE`;
      const reply = await api.send('POST', path, admin, { claimingData: { secretKey: 'right', expires: 1 } });
      assert.is(reply.status, 400, 'refused when it is set');
      assert.not.match(reply.body, 'right');
    } else if (given === 'too many wrong secrets') {
      await stage.bringAbout(device, 'its window is open');
      for (let count = 0; count < WRONG_SECRETS_MAX; count += 1) {
        assert.is((await api.confirm(customer.token, device.name, 'wrong')).status, 400);
      }
    } else await stage.bringAbout(device, given);

    const url = `${world.url}${claimPath(row.name ?? device.name)}`;
    const authorization = await headerOf(stage, row.as);
    const send = (method: string, header: Readonly<Record<string, string>>) =>
      http(url, method, body, { ...(body === undefined ? {} : { 'content-type': contentType }), ...header });
    if (given === 'the store is gone') await stage.takeStoreAway();
    const seen =
      ask === 'both POST'
        ? (
            await Promise.all([customer, otherCustomer].map(({ token }) => send('POST', bearer(token))))
          ).sort()
        : [await send(ask, authorization)];
    is(seen.join(', '), expected, String(body));
    if (row.after !== 'the store is gone') assert.is(await afterwards(stage, device.id), row.after);
  }
}

const bearer = (token: string) => ({ 'x-authorization': `Bearer ${token}` });

async function headerOf(stage: Stage, as: RestRow['as']): Promise<Readonly<Record<string, string>>> {
  const { admin, sysadmin, customer, otherCustomer, world } = stage;
  if (typeof as === 'string') {
    const tokens = {
      customer: customer.token,
      'other customer': otherCustomer.token,
      'tenant administrator': admin,
      'system administrator': sysadmin,
    };
    return bearer(tokens[as]);
  }
  const key = world.core.keys.jwtSigningKey;
  switch (as.header) {
    case 'none':
      return {};
    case 'the other one is blank':
      return { authorization: `Bearer ${customer.token}`, 'x-authorization': ' ' };
    case 'Basic':
      return { authorization: `Basic ${Buffer.from('user:password').toString('base64')}` };
    case 'not a token':
      return bearer('not.a.token');
    case 'expired': {
      // Its header says what kind of token it is, as that of a good one does.
      const { header, payload } = createDecoder({ complete: true })(customer.token);
      const { iat, exp, ...claims } = payload;
      const sign = createSigner({ key, algorithm: 'HS512', header });
      return bearer(sign({ ...claims, iat: iat - 10_000, exp: iat - 1 }));
    }
    case 'bad signature':
      return bearer(
        createSigner({ key: 'x'.repeat(64), algorithm: 'HS512' })(createDecoder()(customer.token)),
      );
    case 'outdated': {
      const { token } = await stage.newCustomer();
      const passwords = { currentPassword: 'a-long-password', newPassword: 'another-password' };
      await stage.api.must('POST', '/api/auth/changePassword', token, passwords);
      return bearer(token);
    }
    default:
      return unreachable(as.header);
  }
}

async function afterwards(stage: Stage, id: string): Promise<RestRow['after']> {
  if ((await stage.ownerOf(id)) !== null) return 'a customer owns it';
  const window = await stage.windowOf(id);
  return window === null || window.durationMs < CONFIRMABLE_MS ? 'nobody owns it' : 'its window is open';
}

function is(seen: Seen, expected: Seen, what: string): void {
  assert.ok(agrees(seen, expected), `expected ${expected}, saw ${seen}: ${what.slice(0, 60)}`);
}
