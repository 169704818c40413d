/**
 * A device is connected to one node, and its owner changes on another: two real servers on one Redis, over real sockets. What
 * the rules say of its session (O8, O9) holds there as it does within one process.
 */
import { suite } from 'uvu';
import { equal, is } from 'uvu/assert';
import { NULL_UUID } from '../../actors/base/ids.ts';
import { type Cast, cast, claimPath, type Entity, restApi } from '../kit/api.ts';
import { CLAIM_RESPONSE_TOPIC, claimPacket, RawMqttClient } from '../kit/mqtt-client.ts';
import { type Nodes, SYSADMIN_PASSWORD, startNodes } from '../kit/nodes.ts';
import { cleanUp } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, startRedis } from '../kit/redis.ts';
import { until } from '../kit/until.ts';

const ATTRIBUTES = 'v1/devices/me/attributes';
const ADMINISTRATIVE_ACTION = 0x98;
const BAD_CREDENTIALS = 0x86;
const HIS = "of the former owner's choice";

const nodes = suite('ownership over two nodes');
const law = needing(['redis-server'], nodes);

let both: Nodes;
/** What is asked of the node that the device is not connected to. */
let there: Cast;
const profiles = new Map<string, object>();

nodes.before(async () => {
  const redis = await startRedis();
  both = await startNodes(2, { STORE_URL: redis.url });
  there = await cast(both.urls[1] ?? '', SYSADMIN_PASSWORD, 2);
  const { api, tenant } = there;
  const made = [
    { name: 'rotate', claiming: { onOwnerChange: 'rotate' } },
    { name: 'quarantine', claiming: { onOwnerChange: 'quarantine' } },
    { name: 'reset', claiming: { deviceReset: 'release' } },
    { name: 'take-over', claiming: { takeOver: 'at-once' } },
  ];
  for (const profile of made) {
    profiles.set(profile.name, (await api.post('/api/deviceProfile', tenant, profile)).id);
  }
});
nodes.after(async () => {
  await cleanUp();
  await cleanUpRedis();
});

interface Connected {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  /** With the node here. */
  readonly session: RawMqttClient;
}

const connect = (token: string, node = 0) =>
  RawMqttClient.connect(both.running[node]?.mqttPort ?? 0, 5, token);

async function connected(profile: string, name: string, more: object = {}): Promise<Connected> {
  const token = `token of ${name}`.replaceAll(' ', '-');
  const body = { name, deviceProfileId: profiles.get(profile), ...more };
  const { id } = await there.api.post(`/api/device?accessToken=${token}`, there.tenant, body);
  const session = await connect(token);
  for (const topic of [ATTRIBUTES, CLAIM_RESPONSE_TOPIC]) await session.subscribe(topic);
  return { id: id.id, name, token, session };
}

/** What the device is told next, on either topic. */
async function heard({ session }: Connected): Promise<{ topic: string; body: Record<string, unknown> }> {
  const { topic, payload } = await session.next('publish');
  return { topic, body: JSON.parse(String(payload)) };
}

/** Sends a claim message on the session here, and returns what the device is told of it. */
async function claims(device: Connected, message: object): Promise<Record<string, unknown>> {
  device.session.send(claimPacket(1, 9, message));
  await device.session.next('puback');
  return (await heard(device)).body;
}

/** The first customer claims the device there, with the window that the device opened here. */
async function claimedThere(device: Connected, secretKey = 'printed'): Promise<void> {
  is((await claims(device, { secretKey })).status, 'opened');
  const { status, body } = await there.api.confirm(first().token, device.name, secretKey);
  is(status, 200, body);
}

const first = () => there.customers[0] ?? { id: '', token: '' };
const second = () => there.customers[1] ?? { id: '', token: '' };

law(
  'rotate: the session here hears the new token of a claim there, does nothing else, and ends when that is used there',
  async () => {
    const device = await connected('rotate', 'rotating');
    await claimedThere(device);

    const told = [await heard(device), await heard(device)];
    const response = told.find(({ topic }) => topic === CLAIM_RESPONSE_TOPIC)?.body.credentials;
    const next = String(told.find(({ topic }) => topic === ATTRIBUTES)?.body.claimToken);
    equal(response, { type: 'ACCESS_TOKEN', token: next, epoch: 1, ...Object(response) });
    is((await claims(device, { secretKey: HIS })).reason, 'credentials-superseded');
    await heard(device);
    await heard(device); // the new token once more, on both topics

    // The tenant says something to the device there: a superseded session does not hear it.
    await there.api.must('POST', sharedPath(device), there.tenant, { interval: 5 });
    equal(await device.session.untilPong(), []);

    const fresh = await connect(next, 1);
    const end = await device.session.untilClosed();
    equal(
      end.map(({ cmd }) => cmd),
      ['disconnect'],
    );
    const refused = await RawMqttClient.open(both.running[0]?.mqttPort ?? 0, 5);
    refused.send({ cmd: 'connect', protocolVersion: 5, clientId: 'c', clean: true, username: device.token });
    is((await refused.next('connack')).reasonCode, BAD_CREDENTIALS);
    await fresh.close();
  },
);

law('quarantine: the session here stays, and from the change there on it opens only what waits', async () => {
  const { api, tenant } = there;
  const device = await connected('quarantine', 'quarantined');
  await claimedThere(device);
  await api.must('DELETE', claimPath(device.name), first().token);

  is((await claims(device, { secretKey: HIS })).status, 'pending');
  const { status, body } = await api.confirm(first().token, device.name, HIS);
  is(`${status} ${body}`, '400 "FAILURE"');
  await api.must('POST', sharedPath(device), tenant, { interval: 5 });
  equal(await device.session.untilPong(), [], 'nothing that the tenant says reaches it');

  // What waits is what the device's session here asked for; the tenant lets it through there.
  is((await claims(device, { secretKey: 'of the buyer' })).status, 'pending');
  const info = await api.get<{ pendingWindow: object }>(`/api/device/info/${device.id}`, tenant);
  await api.must('POST', `/api/device/${device.id}/claim/approve`, tenant, info.pendingWindow);
  is((await api.confirm(first().token, device.name, HIS)).status, 400);
  is((await api.confirm(second().token, device.name, 'of the buyer')).status, 200);

  // Other credentials end the quarantine, and the session that the old ones opened.
  await api.must('POST', '/api/device/credentials', tenant, {
    deviceId: { entityType: 'DEVICE', id: device.id },
    credentialsType: 'ACCESS_TOKEN',
    credentialsId: 'given by the tenant',
  });
  const end = await device.session.untilClosed();
  equal(
    end.map((packet) => [packet.cmd, 'reasonCode' in packet ? packet.reasonCode : undefined]),
    [['disconnect', ADMINISTRATIVE_ACTION]],
  );
  await (await connect('given by the tenant')).close();
});

law(
  'quarantine: a gateway that is connected here speaks for nobody once its owner has changed there',
  async () => {
    const { api, tenant } = there;
    const gateway = await connected('quarantine', 'gateway', { additionalInfo: { gateway: true } });
    const behind = await api.createDevice(tenant, 'behind', 'token-behind');
    await gateway.session.subscribe('v1/gateway/claim/response');
    const speaks = async (): Promise<Record<string, unknown>> => {
      const payload = JSON.stringify({ behind: { secretKey: HIS } });
      gateway.session.send({ ...claimPacket(1, 7, payload), topic: 'v1/gateway/claim' });
      await gateway.session.next('puback');
      return Object((await heard(gateway)).body).behind;
    };
    is((await speaks()).status, 'opened', 'a gateway of the tenant’s own');
    await api.must('POST', `/api/customer/${first().id}/device/${gateway.id}`, tenant);
    is((await speaks()).reason, 'not-behind-gateway');
    is((await api.confirm(first().token, behind.name, 'another')).status, 400);
    await gateway.session.close();
  },
);

law('a reset by the device here ends the ownership there, in the next owner epoch', async () => {
  const device = await connected('reset', 'reset');
  await claimedThere(device);
  is((await claims(device, { reset: true })).status, 'released');
  for (const url of both.urls) equal(await ownerAt(url, device), [NULL_UUID, 2]);
  equal(await device.session.untilPong(), [], 'the session goes on');
  await device.session.close();
});

law(
  'a take-over by a window that the device opened here: there exactly one owner, on both nodes',
  async () => {
    const { api } = there;
    const device = await connected('take-over', 'taken over');
    await claimedThere(device);
    is((await claims(device, { secretKey: 'of the newcomer' })).status, 'opened');
    is((await api.confirm(second().token, device.name, 'of the newcomer')).status, 200);
    for (const url of both.urls) equal(await ownerAt(url, device), [second().id, 2]);
    for (const url of both.urls) {
      is((await restApi(url).reclaim(first().token, device.name)).status, 403, 'no longer the owner');
    }
    for (const url of both.urls) {
      await until('the former owner finds that it has lost it', async () => {
        const { get } = restApi(url);
        const lost = await get<{ deviceName: string; by: string }[]>('/api/lostDevices', first().token);
        return lost.some(({ deviceName, by }) => deviceName === device.name && by === 'take-over');
      });
    }
    await device.session.close();
  },
);

/** Who owns the device and in which epoch, as a node says. */
async function ownerAt(url: string, { id }: Connected): Promise<readonly [string, number]> {
  const path = `/api/device/info/${id}`;
  const info = await restApi(url).get<Entity & { ownerEpoch: number }>(path, there.tenant);
  return [info.customerId.id, info.ownerEpoch];
}

const sharedPath = ({ id }: Connected) => `/api/plugins/telemetry/DEVICE/${id}/attributes/SHARED_SCOPE`;

nodes.run();
