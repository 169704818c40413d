/**
 * Attacks by a former owner, from outside: over real sockets against the whole server. "Your IoTs Are (Not) Mine"
 * (DSN 2019) calls them data injection and stealing (A1), binding denial of service (A2), unbinding (A3) and hijacking (A4).
 * Rule O9.
 */

import type { Duplex } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { claimPath } from '../kit/api.ts';
import { RawCoapClient, uriPath } from '../kit/coap-client.ts';
import { RawMqttClient } from '../kit/mqtt-client.ts';
import { until } from '../kit/until.ts';
import { openMqttWebSocket } from '../kit/websocket.ts';
import { showReply } from '../wire/doors.ts';
import { createStage, type Stage, type StagedDevice } from '../wire/stage.ts';

const PRINTED = 'printed on the box';
const HIS = "of the former owner's choice";

const confirm = async ({ api }: Stage, token: string, { name }: StagedDevice, secretKey: string) => {
  const { status, body } = await api.send('POST', claimPath(name), token, { secretKey });
  return showReply(status, body);
};

/** The first steps: the device was claimed, and its owner asks for its token. */
async function claimAndRead(stage: Stage, device: StagedDevice) {
  const { api, customer } = stage;
  assert.is((await api.initiate(device.accessToken, { secretKey: PRINTED })).status, 200);
  assert.is(await confirm(stage, customer.token, device, PRINTED), '200 SUCCESS');
  return api.send('GET', `/api/device/${device.id}/credentials`, customer.token);
}

let stage: Stage;

const safe = suite('ownership attacks: defaults');
safe.before(async () => {
  stage = await createStage();
});
safe.after(() => stage.stop());

safe("A2, A4: an owner cannot read the device's token, so it cannot act as the device later", async () => {
  const { api, customer, otherCustomer: buyer } = stage;
  const device = await stage.device();
  const read = await claimAndRead(stage, device);
  assert.is(read.status, 403);
  assert.match(read.body, 'Only the tenant administrator may read the credentials of a device');
  assert.not.match(read.body, device.accessToken);

  // Nor does any other answer that an owner may ask for tell the token.
  for (const path of [
    `/api/device/${device.id}`,
    `/api/device/info/${device.id}`,
    `/api/customer/${customer.id}/devices?page=0&pageSize=10`,
    `/api/customer/${customer.id}/deviceInfos?page=0&pageSize=10`,
    `/api/plugins/telemetry/DEVICE/${device.id}/values/attributes`,
  ]) {
    const { status, body } = await api.send('GET', path, customer.token);
    assert.is(status, 200, path);
    assert.not.match(body, device.accessToken);
  }

  await api.must('DELETE', claimPath(device.name), customer.token);
  assert.is((await api.initiate(device.accessToken, { secretKey: PRINTED })).status, 200);
  assert.is(await confirm(stage, buyer.token, device, PRINTED), '200 SUCCESS');
});

const open = suite('ownership attacks: customers read credentials');
open.before(async () => {
  stage = await createStage({ options: { 'security.claim.customersReadCredentials': 'true' } });
});
open.after(() => stage.stop());

open('A2, A4: with the token that it has read, a former owner takes the device from the buyer', async () => {
  const { api, customer, otherCustomer: buyer } = stage;
  const device = await stage.device();
  const read = await claimAndRead(stage, device);
  assert.is(read.status, 200);
  const { credentialsId } = JSON.parse(read.body);
  await api.must('DELETE', claimPath(device.name), customer.token);
  assert.is((await api.initiate(device.accessToken, { secretKey: PRINTED })).status, 200);
  assert.is((await api.initiate(credentialsId, { secretKey: HIS })).status, 200, 'from afar');
  assert.is(await confirm(stage, buyer.token, device, PRINTED), '400 "FAILURE"');
  // This is what the option gives away, as ThingsBoard does; the default above is why it is off.
  assert.is(await confirm(stage, customer.token, device, HIS), '200 SUCCESS');
});

// ------------------------------------------------------------------------------- credentials follow the owner (O9)

interface Told {
  readonly topic: string;
  readonly body: { readonly credentials?: { readonly token: string; readonly epoch: number } | null } & {
    readonly [member: string]: unknown;
  };
}

/** A device on MQTT that listens where ThingsBoard's SDKs do, and on the response topic. */
class Listener {
  readonly client: RawMqttClient<Duplex>;
  constructor(client: RawMqttClient<Duplex>) {
    this.client = client;
  }

  static async open(accessToken: string, over: 'tcp' | 'websocket' = 'tcp'): Promise<Listener> {
    const { mqttPort, httpPort } = stage.world;
    const client: RawMqttClient<Duplex> =
      over === 'tcp' ? await RawMqttClient.open(mqttPort, 5) : await openMqttWebSocket(httpPort, 5);
    client.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 5,
      clean: true,
      clientId: 'c',
      keepalive: 60,
      username: accessToken,
    });
    await client.next('connack');
    for (const topic of ['v1/devices/me/attributes', 'v1/devices/me/claim/response'])
      await client.subscribe(topic, 1);
    return new Listener(client);
  }

  async hears(): Promise<Told> {
    const packet = await this.client.next('publish');
    return { topic: String(packet.topic), body: JSON.parse(String(packet.payload)) };
  }

  async claims(secretKey: string): Promise<Told> {
    this.client.send({
      cmd: 'publish',
      topic: 'v1/devices/me/claim',
      qos: 1,
      messageId: 9,
      dup: false,
      retain: false,
      payload: JSON.stringify({ secretKey }),
    });
    await this.client.next('puback');
    return this.hears();
  }
}

const fetchNew = (token: string) => stage.api.send('GET', `/api/v1/${token}/claim/credentials`);
const newToken = (body: string): string => JSON.parse(body).credentials?.token;
const giveBack = (device: StagedDevice, { token }: { token: string }) =>
  stage.api.must('DELETE', claimPath(device.name), token);
const infoOf = (device: StagedDevice) =>
  stage.api.get<{ pendingWindow: { openedAt: number } | null; credentialsState: string }>(
    `/api/device/info/${device.id}`,
    stage.admin,
  );
async function approve(device: StagedDevice): Promise<void> {
  const { pendingWindow } = await infoOf(device);
  await stage.api.must('POST', `/api/device/${device.id}/claim/approve`, stage.admin, {
    openedAt: pendingWindow?.openedAt ?? 0,
  });
}

/** The device as the attacker has it: claimed once, its token read over REST if that is allowed, and given back. */
async function givenBackByAttacker(): Promise<StagedDevice> {
  const device = await stage.device();
  await claimAndRead(stage, device);
  await giveBack(device, stage.customer);
  return device;
}

const READING = { 'security.claim.customersReadCredentials': 'true' };
const RESETTING = { 'security.claim.deviceReset': 'release-and-open' };

const rotating = suite('ownership attacks: rotate');
rotating.before(async () => {
  stage = await createStage({
    options: {
      'security.claim.onOwnerChange': 'rotate',
      'security.claim.windows.perDevice': '3',
      ...RESETTING,
    },
  });
});
rotating.after(() => stage.stop());

rotating(
  'the device hears its new token on its session, and the old one ends when that is used',
  async () => {
    const { customer } = stage;
    const device = await stage.device();
    const session = await Listener.open(device.accessToken);
    await session.claims(PRINTED);
    assert.is(await confirm(stage, customer.token, device, PRINTED), '200 SUCCESS');
    const [told, alsoTold] = [await session.hears(), await session.hears()];
    const attributes = [told, alsoTold].find(({ topic }) => topic === 'v1/devices/me/attributes');
    const response = [told, alsoTold].find(({ topic }) => topic === 'v1/devices/me/claim/response');
    const token = response?.body.credentials?.token ?? '';
    assert.is(response?.body.credentials?.epoch, 1);
    assert.equal(attributes?.body, { claimToken: token });
    assert.is(newToken((await fetchNew(device.accessToken)).body), token, 'and by HTTP');
    const coap = await RawCoapClient.open(stage.world.coapPort);
    const options = uriPath('api', 'v1', device.accessToken, 'claim', 'credentials');
    const { payload } = await coap.request({ code: 1, options });
    await coap.close();
    assert.is(newToken(payload.toString()), token, 'and by CoAP');
    assert.is((await infoOf(device)).credentialsState, 'rotating');

    const fresh = await Listener.open(token);
    await session.client.closed;
    assert.is((await fetchNew(device.accessToken)).status, 401);
    assert.equal(JSON.parse((await fetchNew(token)).body), { credentials: null, ownerEpoch: 1 });
    assert.is((await infoOf(device)).credentialsState, 'good');
    await fresh.client.close();
    await giveBack(device, customer);
  },
);

rotating('a session that stays connected over the change can do nothing, also over WebSocket', async () => {
  for (const over of ['tcp', 'websocket'] as const) {
    const device = await stage.device();
    assert.is((await stage.api.initiate(device.accessToken, { secretKey: PRINTED })).status, 200);
    const attacker = await Listener.open(device.accessToken, over);
    assert.is(await confirm(stage, stage.customer.token, device, PRINTED), '200 SUCCESS');
    await attacker.hears();
    await attacker.hears();
    await giveBack(device, stage.customer);
    await attacker.hears();
    await attacker.hears();
    const told = await attacker.claims(HIS);
    assert.is(told.body.reason, 'credentials-superseded');
    assert.is(await confirm(stage, stage.customer.token, device, HIS), '400 "FAILURE"');
    await attacker.client.close();
  }
});

rotating('spending the quota of windows with the old token costs the new one nothing', async () => {
  const { api, otherCustomer: buyer } = stage;
  const device = await givenBackByAttacker();
  const token = newToken((await fetchNew(device.accessToken)).body);
  for (let n = 0; n < 6; n += 1) await api.initiate(device.accessToken, { secretKey: HIS });
  assert.is((await api.initiate(token, { secretKey: PRINTED })).status, 200);
  assert.is(await confirm(stage, buyer.token, device, PRINTED), '200 SUCCESS');
});

rotating('MQTT_BASIC credentials rotate, password and user name', async () => {
  const { api, admin, customer } = stage;
  const device = await stage.device();
  const value = { clientId: null, userName: 'pump', password: 'old' };
  const body = {
    deviceId: { id: device.id },
    credentialsType: 'MQTT_BASIC',
    credentialsValue: JSON.stringify(value),
  };
  await api.must('POST', '/api/device/credentials', admin, body);
  await stage.assign(device, customer);
  const read = await api.get<{ credentialsValue: string }>(`/api/device/${device.id}/credentials`, admin);
  const next = JSON.parse(read.credentialsValue);
  assert.match(next.userName, /^pump~/);
  assert.is.not(next.password, 'old');
});

const rotatingRead = suite('ownership attacks: rotate, and customers read credentials');
rotatingRead.before(async () => {
  const options = { 'security.claim.onOwnerChange': 'rotate', ...READING, ...RESETTING };
  stage = await createStage({ options });
});
rotatingRead.after(() => stage.stop());

rotatingRead(
  "A2, A4: an ex-owner's token fetches the new one, and that opens nothing without the tenant",
  async () => {
    const { api, customer, otherCustomer: buyer } = stage;
    const device = await stage.device();
    assert.is((await api.initiate(device.accessToken, { secretKey: PRINTED })).status, 200);
    assert.is(await confirm(stage, customer.token, device, PRINTED), '200 SUCCESS');
    // Read just before the give-back.
    const read = await api.get<{ credentialsId: string }>(
      `/api/device/${device.id}/credentials`,
      customer.token,
    );
    await giveBack(device, customer);
    const his = read.credentialsId;
    for (const token of [device.accessToken, his]) {
      const { status } = await api.initiate(token, { secretKey: HIS });
      assert.ok([202, 409, 401].includes(status), String(status));
      assert.is(await confirm(stage, customer.token, device, HIS), '400 "FAILURE"');
    }
    assert.is((await api.initiate(his, { secretKey: PRINTED })).status, 202, 'the device itself, waiting');
    assert.is(await confirm(stage, buyer.token, device, PRINTED), '400 "FAILURE"');
    await approve(device);
    assert.is((await api.initiate(his, { secretKey: HIS })).status, 202, 'and what was approved stands');
    assert.is(await confirm(stage, customer.token, device, HIS), '400 "FAILURE"');
    assert.is(await confirm(stage, buyer.token, device, PRINTED), '200 SUCCESS');
  },
);

const quarantining = suite('ownership attacks: quarantine');
quarantining.before(async () => {
  stage = await createStage({
    options: {
      'security.claim.onOwnerChange': 'quarantine',
      'security.claim.windows.perDevice': '4',
      ...READING,
      ...RESETTING,
    },
  });
});
quarantining.after(() => stage.stop());

quarantining(
  "A2, A4: what an ex-owner's token opens waits for the tenant, who lets the buyer's window through",
  async () => {
    const { api, customer, otherCustomer: buyer } = stage;
    const device = await givenBackByAttacker();
    assert.is((await api.initiate(device.accessToken, { secretKey: HIS })).status, 202);
    assert.is(await confirm(stage, customer.token, device, HIS), '400 "FAILURE"');
    const { headers } = await fetch(`${api.url}${claimPath(device.name)}`, {
      method: 'POST',
      headers: { 'X-Authorization': `Bearer ${customer.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ secretKey: HIS }),
    });
    assert.is(headers.get('claim-refusal'), 'window-pending');
    const seen = await infoOf(device);
    assert.is(seen.credentialsState, 'quarantined');
    await until('it is another instant', () => Date.now() > (seen.pendingWindow?.openedAt ?? 0));
    assert.is(
      (await api.initiate(device.accessToken, { secretKey: PRINTED })).status,
      202,
      "the buyer's device",
    );
    const stale = { openedAt: seen.pendingWindow?.openedAt };
    const refused = await api.send('POST', `/api/device/${device.id}/claim/approve`, stage.admin, stale);
    assert.is(refused.status, 400, 'the tenant approves what it has seen');
    assert.is(JSON.parse(refused.body).reason, 'window-replaced');
    await approve(device);
    assert.is(
      (await api.initiate(device.accessToken, { secretKey: HIS })).status,
      202,
      'from afar, once more',
    );
    assert.is(await confirm(stage, customer.token, device, HIS), '400 "FAILURE"');
    assert.is(await confirm(stage, buyer.token, device, PRINTED), '200 SUCCESS');
  },
);

quarantining('spending the quota of windows from afar does not keep the buyer out', async () => {
  const { api, admin, otherCustomer: buyer } = stage;
  const device = await givenBackByAttacker();
  for (let n = 0; n < 8; n += 1) await api.initiate(device.accessToken, { secretKey: HIS });
  assert.is((await api.initiate(device.accessToken, { secretKey: PRINTED })).status, 429);
  // The tenant gives the device other credentials, which have a quota of their own and end the quarantine.
  const body = {
    deviceId: { id: device.id },
    credentialsType: 'ACCESS_TOKEN',
    credentialsId: `new-${device.id}`,
  };
  await api.must('POST', '/api/device/credentials', admin, body);
  assert.is((await api.initiate(device.accessToken, { secretKey: HIS })).status, 401);
  assert.is((await api.initiate(`new-${device.id}`, { secretKey: PRINTED })).status, 200);
  assert.is(await confirm(stage, buyer.token, device, PRINTED), '200 SUCCESS');
});

quarantining('a session that stays connected over the change opens only what waits', async () => {
  for (const over of ['tcp', 'websocket'] as const) {
    const device = await stage.device();
    const attacker = await Listener.open(device.accessToken, over);
    await attacker.claims(PRINTED);
    assert.is(await confirm(stage, stage.customer.token, device, PRINTED), '200 SUCCESS');
    await giveBack(device, stage.customer);
    assert.is((await attacker.claims(HIS)).body.status, 'pending');
    assert.is(await confirm(stage, stage.customer.token, device, HIS), '400 "FAILURE"');
    await attacker.client.close();
  }
});

quarantining("an API key of the ex-owner's user reads no token and approves nothing", async () => {
  const { api, customer } = stage;
  const device = await givenBackByAttacker();
  assert.is((await api.initiate(device.accessToken, { secretKey: HIS })).status, 202);
  const made = await api.send('POST', '/api/apiKey', customer.token, { description: 'his' });
  const key = made.status === 200 ? JSON.parse(made.body).value : undefined;
  for (const Authorization of [`ApiKey ${key}`, `Bearer ${customer.token}`]) {
    const headers = { 'X-Authorization': Authorization, 'Content-Type': 'application/json' };
    const read = await fetch(`${api.url}/api/device/${device.id}/credentials`, { headers });
    assert.ok(read.status === 403 || read.status === 401, String(read.status));
    const { pendingWindow } = await infoOf(device);
    const body = JSON.stringify({ openedAt: pendingWindow?.openedAt });
    const path = `${api.url}/api/device/${device.id}/claim/approve`;
    const approved = await fetch(path, { method: 'POST', headers, body });
    assert.ok(approved.status === 403 || approved.status === 401, String(approved.status));
  }
});

for (const onOwnerChange of ['rotate', 'quarantine']) {
  const gateways = suite(`ownership attacks: ${onOwnerChange}: gateways`);
  gateways.before(async () => {
    stage = await createStage({ options: { 'security.claim.onOwnerChange': onOwnerChange, ...READING } });
  });
  gateways.after(() => stage.stop());

  gateways('a gateway of the ex-owner opens no window that can be claimed', async () => {
    const { customer } = stage;
    const gateway = await stage.device({ gateway: true });
    await stage.assign(gateway, customer);
    const device = await givenBackByAttacker();
    const token = newToken((await fetchNew(gateway.accessToken)).body) ?? gateway.accessToken;
    const client = await RawMqttClient.connect(stage.world.mqttPort, 5, token);
    await client.subscribe('v1/gateway/claim/response', 1);
    client.send({
      cmd: 'publish',
      topic: 'v1/gateway/claim',
      qos: 1,
      messageId: 3,
      dup: false,
      retain: false,
      payload: JSON.stringify({ [device.name]: { secretKey: HIS } }),
    });
    await client.next('puback');
    assert.is(await confirm(stage, customer.token, device, HIS), '400 "FAILURE"');
    await client.close();
  });
  gateways.run();
}

for (const attacked of [rotating, rotatingRead, quarantining]) {
  attacked('A2, A4: a token read just before a transfer takes the device from nobody after it', async () => {
    const { api, customer, otherCustomer: buyer } = stage;
    const device = await stage.device();
    await claimAndRead(stage, device);
    const read = await api.send('GET', `/api/device/${device.id}/credentials`, customer.token);
    const path = claimPath(device.name).replace(/claim$/, 'transfer');
    const { code } = await api.post<{ code: string }>(path, customer.token, {});
    await api.must('POST', '/api/transfer/accept', buyer.token, { code });

    const tokens = [
      device.accessToken,
      ...(read.status === 200 ? [JSON.parse(read.body).credentialsId] : []),
    ];
    const attack = async () => {
      for (const token of tokens) await api.initiate(token, { secretKey: HIS });
      return confirm(stage, customer.token, device, HIS);
    };
    assert.is(await attack(), '400 "CLAIMED"');
    assert.is((await api.send('POST', '/api/transfer/accept', customer.token, { code })).status, 404);
    assert.is((await api.reclaim(customer.token, device.name)).status, 403);
    await giveBack(device, buyer);
    assert.is(await attack(), '400 "FAILURE"');
  });
}

/** The device is the buyer's; the attacker has given it back, and has its token on a session of before and at hand. */
async function boughtFromAttacker(): Promise<{ device: StagedDevice; session: Listener; tokens: string[] }> {
  const { api, customer, otherCustomer: buyer } = stage;
  const device = await stage.device();
  const session = await Listener.open(device.accessToken);
  await stage.assign(device, customer);
  const read = await api.send('GET', `/api/device/${device.id}/credentials`, customer.token);
  await giveBack(device, customer);
  await stage.assign(device, buyer);
  const more = read.status === 200 ? [JSON.parse(read.body).credentialsId] : [];
  return { device, session, tokens: [device.accessToken, ...more] };
}

for (const attacked of [rotating, rotatingRead, quarantining]) {
  attacked('A1: what a former owner has of a device reads and hears nothing of its next owner', async () => {
    const { api, otherCustomer: buyer } = stage;
    const { device, session, tokens } = await boughtFromAttacker();
    await api.must(
      'POST',
      `/api/plugins/telemetry/DEVICE/${device.id}/attributes/SHARED_SCOPE`,
      buyer.token,
      {
        room: 'bedroom',
      },
    );
    session.client.send({
      cmd: 'publish',
      topic: 'v1/devices/me/attributes/request/1',
      qos: 0,
      dup: false,
      retain: false,
      payload: JSON.stringify({ sharedKeys: 'room' }),
    });
    const heard = await session.client.untilPong().catch(() => []); // or its session was ended
    for (const packet of heard) assert.not.match(JSON.stringify(packet), /bedroom/);
    for (const token of tokens) {
      const { body } = await api.send('GET', `/api/v1/${token}/attributes?sharedKeys=room`);
      assert.not.match(body, /bedroom/);
    }
    await session.client.close();
  });

  attacked(
    'A3: a former owner takes a device from nobody: not by giving back, nor by a reset in its name',
    async () => {
      const { api, customer, otherCustomer: buyer } = stage;
      const { device, session, tokens } = await boughtFromAttacker();
      assert.is((await api.reclaim(customer.token, device.name)).status, 403);
      for (const token of tokens) {
        const { status } = await api.initiate(token, { secretKey: HIS, reset: true });
        assert.ok(status !== 200, String(status));
      }
      session.client.send({
        cmd: 'publish',
        topic: 'v1/devices/me/claim',
        qos: 1,
        messageId: 9,
        dup: false,
        retain: false,
        payload: JSON.stringify({ secretKey: HIS, reset: true }),
      });
      await session.client.untilPong().catch(() => []);
      await session.client.close();
      assert.is(await stage.ownerOf(device.id), buyer.id);
      assert.is(await confirm(stage, customer.token, device, HIS), '400 "CLAIMED"');
    },
  );
}

safe.run();
open.run();
rotating.run();
rotatingRead.run();
quarantining.run();
