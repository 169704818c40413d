/** Laws of gateways over MQTT: they open windows for the devices behind them, and bring up devices nobody knew. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DeviceId, newId, type TenantId } from '../../actors/base/ids.ts';
import type { Tracing } from '../../actors/base/tracing.ts';
import { tokenOf } from '../../actors/fleet/credentials.ts';
import type { ProfileFields } from '../../actors/fleet/profiles.ts';
import type { MqttEndpointSettings } from '../../transports/mqtt/endpoint/settings.ts';
import { type MqttScene, VERSION_NAME, withMqtt } from '../contract/transport-mqtt.ts';
import { TENANT } from '../contract/transport-world.ts';
import type { RawMqttClient, Sendable } from '../kit/mqtt-client.ts';
import { until } from '../kit/until.ts';

const RESPONSES = 'v1/gateway/claim/response';

function publication(topic: string, qos: 0 | 1, payload: string | Buffer | object, messageId = 7): Sendable {
  const raw = typeof payload === 'string' || Buffer.isBuffer(payload);
  const bytes = raw ? payload : JSON.stringify(payload);
  return {
    cmd: 'publish',
    topic,
    qos,
    payload: bytes,
    dup: false,
    retain: false,
    ...(qos === 0 ? {} : { messageId }),
  };
}

const claims = (payload: string | Buffer | object, qos: 0 | 1 = 1, messageId = 7) =>
  publication('v1/gateway/claim', qos, payload, messageId);

async function withGateway(
  version: 4 | 5,
  play: (scene: MqttScene & { client: RawMqttClient; gateway: DeviceId }) => Promise<void>,
  settings: Partial<MqttEndpointSettings> = {},
  more: { readonly tracing?: Tracing } = {},
): Promise<void> {
  const playing = async (scene: MqttScene) => {
    const gateway = await scene.world.provision('G', { additionalInfo: { gateway: true } });
    await play({ ...scene, gateway, client: await scene.connect(version, 'G') });
  };
  await withMqtt(settings, playing, more);
}

async function told(client: RawMqttClient): Promise<Record<string, { status: string; reason?: string }>> {
  const { payload } = await client.next('publish');
  return JSON.parse(payload.toString());
}

const named = ({ world }: MqttScene, name: string) => world.directory.byName(TENANT, name);

for (const version of [4, 5] as const) {
  const name = VERSION_NAME[version];
  const success = (packet: { reasonCode?: number | undefined }) => assert.is(packet.reasonCode ?? 0, 0);

  test(`gateway ${name}: a new device whose name nobody could read is refused, and the others are made`, () =>
    withGateway(version, async (scene) => {
      const { client, world } = scene;
      await world.provision('T', { name: 'known' });
      await client.subscribe(RESPONSES, 0);
      client.send(claims({ 'evil\u202e': {}, 'new\u200b': {}, 'known\u200b': {}, fine: {} }));
      await client.next('puback');
      const outcomes = await told(client);
      const refused = { status: 'refused', reason: 'name-not-visible' };
      assert.equal([outcomes['evil\u202e'], outcomes['new\u200b']], [refused, refused]);
      assert.is(outcomes['known\u200b']?.status, 'opened', 'it is found, and nothing is made');
      assert.is(outcomes.fine?.status, 'opened');
      assert.ok((await named(scene, 'known'))?.window);
      assert.is(await named(scene, 'new'), undefined);
    }));

  test(`gateway ${name}: known and unknown devices get their windows, with one acknowledgement`, () =>
    withGateway(version, async (scene) => {
      const { client, world, gateway } = scene;
      await world.provision('T', { name: 'known' });
      await client.subscribe(RESPONSES, 0);
      client.send(claims({ known: { secretKey: 'a', durationMs: '60000' }, 'brand new': {} }));
      success(await client.next('puback'));
      const outcomes = await told(client);
      assert.is(outcomes.known?.status, 'opened');
      assert.is(outcomes['brand new']?.status, 'opened');

      assert.is((await named(scene, 'known'))?.window?.openedBy, 'gateway');
      const created = await named(scene, 'brand new');
      assert.is(created?.type, 'default');
      assert.equal(created?.additionalInfo, { lastConnectedGateway: gateway });
      assert.is(created?.owner, null);
      const { id, credentials } = created ?? {};
      const token =
        credentials?.type === 'ACCESS_TOKEN' && id && tokenOf(scene.world.secrets, id, credentials);
      assert.match(String(token), /^[A-Za-z0-9]{20}$/);
      assert.equal(await client.untilPong(), []);
    }));

  test(`gateway ${name}: behind an owned gateway a new device has its owner, and its claim is refused`, () =>
    withGateway(version, async (scene) => {
      const { client, world, gateway } = scene;
      await world.assign(gateway);
      await client.subscribe(RESPONSES, 0);
      client.send(claims({ new: {} }));
      assert.is((await client.next('puback')).reasonCode ?? 0x87, 0x87);
      assert.equal(await told(client), { new: { status: 'refused', reason: 'already-claimed' } });
      const owner = (await world.devices.read(gateway))?.owner?.customerId;
      assert.ok(owner);
      assert.is((await named(scene, 'new'))?.owner?.customerId, owner);
    }));

  test(`gateway ${name}: QoS 0 is never acknowledged, and carried out`, () =>
    withGateway(version, async (scene) => {
      scene.client.send(claims({ a: {} }, 0));
      scene.client.send(claims({ b: {} }, 1));
      await scene.client.next('puback'); // b's: what came before it is done
      assert.ok((await named(scene, 'a'))?.window);
      assert.equal(await scene.client.untilPong(), []);
    }));

  test(`gateway ${name}: connect creates a device of the given type, and is harmless when repeated`, () =>
    withGateway(version, async (scene) => {
      const { client } = scene;
      for (const type of ['pump', 'other']) {
        client.send(publication('v1/gateway/connect', 1, { device: 'P', type }));
        success(await client.next('puback'));
      }
      assert.is((await named(scene, 'P'))?.type, 'pump');
      assert.is((await named(scene, 'P'))?.window, null);
      client.send(publication('v1/gateway/disconnect', 1, { device: 'P' }));
      success(await client.next('puback'));
    }));

  test(`gateway ${name}: a device of another tenant is out of reach: names belong to the tenant`, () =>
    withGateway(version, async (scene) => {
      const elsewhere = newId<TenantId>(2);
      const id = await scene.world.provision('T', { tenantId: elsewhere, name: 'X' });
      scene.client.send(claims({ X: {} }));
      success(await scene.client.next('puback'));
      assert.is((await scene.world.devices.read(id))?.window, null);
      assert.ok((await named(scene, 'X'))?.window);
    }));

  test(`gateway ${name}: what gave no answer is not acknowledged, so the gateway comes back`, () =>
    withGateway(version, async ({ client, world }) => {
      world.intercept = async (command, pass) =>
        command.type === 'InitiateClaim' ? { type: 'unavailable', reason: 'store' } : pass();
      client.send(claims({ A: {}, B: {} }));
      const seen = await client.untilClosed();
      assert.equal(
        seen.map(({ cmd }) => cmd),
        version === 5 ? ['disconnect'] : [],
      );
    }));
}

test('gateway: unknown names are refused where the operator does not want them created', () =>
  withGateway(
    5,
    async (scene) => {
      const { client, world } = scene;
      await world.provision('T', { name: 'known' });
      await client.subscribe(RESPONSES, 0);
      client.send(claims({ known: {}, unknown: {} }));
      assert.is((await client.next('puback')).reasonCode, 0x80);
      const outcomes = await told(client);
      assert.is(outcomes.known?.status, 'opened');
      assert.equal(outcomes.unknown, { status: 'refused', reason: 'unknown-device' });
      assert.is(await named(scene, 'unknown'), undefined);
    },
    { autoCreateDevices: false },
  ));

test('gateway: two gateways that bring up one name at once: one device, and both are answered', () =>
  withGateway(5, async (scene) => {
    await scene.world.provision('G2', { additionalInfo: { gateway: true } });
    const other = await scene.connect(5, 'G2');
    const names = Array.from({ length: 20 }, (_, number) => `shared ${number}`);
    const batch = Object.fromEntries(names.map((name) => [name, {}]));
    for (const client of [scene.client, other]) client.send(claims(batch));
    for (const client of [scene.client, other]) assert.is((await client.next('puback')).reasonCode ?? 0, 0);
    const made = scene.world.commands.filter(({ type }) => type === 'ProvisionDevice').length;
    assert.ok(made >= names.length, String(made));
    const page = await scene.world.directory.ofTenant(TENANT, { page: 0, pageSize: 100 });
    assert.is(page.total, names.length + 2);
  }));

test('gateway: a batch of 10,000 entries is carried out with a bounded number of questions under way', () =>
  withGateway(
    5,
    async ({ client, world }) => {
      await client.subscribe(RESPONSES, 0);
      let underWay = 0;
      let most = 0;
      world.intercept = async (_command, pass) => {
        underWay += 1;
        most = Math.max(most, underWay);
        const answer = await pass();
        underWay -= 1;
        return answer;
      };
      const batch = Object.fromEntries(Array.from({ length: 10_000 }, (_, number) => [`d${number}`, {}]));
      client.send(claims(batch));
      assert.is((await client.next('puback')).reasonCode ?? 0, 0);
      const opened = new Set<string>();
      while (opened.size < 10_000) {
        for (const [name, { status }] of Object.entries(await told(client))) {
          assert.is(status, 'opened');
          opened.add(name);
        }
      }
      assert.ok(most > 1 && most <= 64, String(most));
    },
    { payloadBytesMax: 262_144, gatewayFanOutMax: 64 },
  ));

test('gateway: however many gateways send batches, they share the questions that may be under way', () =>
  withGateway(
    4,
    async (scene) => {
      const { world } = scene;
      const gateways = ['G1', 'G2', 'G3', 'G4'];
      let underWay = 0;
      let most = 0;
      world.intercept = async (_command, pass) => {
        underWay += 1;
        most = Math.max(most, underWay);
        const answer = await pass();
        underWay -= 1;
        return answer;
      };
      await Promise.all(
        gateways.map(async (token) => {
          await world.provision(token, { additionalInfo: { gateway: true } });
          const client = await scene.connect(4, token);
          const names = Array.from({ length: 1_000 }, (_, number) => `${token}-${number}`);
          client.send(claims(Object.fromEntries(names.map((name) => [name, {}]))));
          await client.next('puback');
          for (const name of [names[0], names[500], names[999]])
            assert.ok((await named(scene, name ?? ''))?.window, name);
        }),
      );
      // The first message may have begun with all of them; each of the others has eight at least.
      assert.ok(most > 8 && most <= 64 + 3 * 32, String(most));
    },
    { gatewayFanOutMax: 64 },
  ));

test('gateway: a device that is no longer a gateway is disconnected at its next claim', () =>
  withGateway(5, async (scene) => {
    const answer = await scene.world.devices.ask(scene.gateway, {
      type: 'UpdateDevice',
      tenantId: TENANT,
      customerId: null,
      name: 'G',
      deviceType: 'default',
      label: null,
      additionalInfo: null,
    });
    assert.is(answer.type, 'accepted');
    scene.client.send(claims({ A: {} }));
    assert.is((await scene.client.next('disconnect')).reasonCode, 0x98);
    assert.is(await named(scene, 'A'), undefined);
  }));

test('gateway: protobuf where the gateway’s profile says so, and then no JSON', () =>
  withMqtt({}, async (scene) => {
    const { world } = scene;
    const transport: ProfileFields['transport'] = {
      type: 'MQTT',
      payloadType: 'PROTOBUF',
      jsonCompatible: true,
      ackMalformed: false,
    };
    const profile = await world.profiles.create(TENANT, {
      name: 'p',
      description: null,
      transport,
      more: null,
    });
    if (profile.type !== 'done') throw new Error(profile.reason);
    await world.provision('G', { additionalInfo: { gateway: true }, profileId: profile.value.id });
    const client = await scene.connect(5, 'G');
    // GatewayClaimMsg { msg { deviceName "A" claimRequest { secretKey "s" durationMs 60000 } } }
    const bytes = Buffer.from('0a0c0a01411207'.concat('0a017310e0d403'), 'hex');
    client.send(claims(bytes));
    assert.is((await client.next('puback')).reasonCode ?? 0, 0);
    const { window } = (await named(scene, 'A')) ?? {};
    assert.is((window?.closesAt ?? 0) - (window?.openedAt ?? 0), 60_000);
    client.send(claims({ A: {} }));
    assert.is((await client.next('puback')).reasonCode, 0x99);
  }));

for (const [what, befall] of [
  [
    'was deleted',
    (scene: MqttScene, gateway: DeviceId) =>
      scene.world.devices.ask(gateway, { type: 'DeleteDevice', tenantId: TENANT }),
  ],
  ['got another owner', (scene: MqttScene, gateway: DeviceId) => scene.world.assign(gateway)],
] as const) {
  test(`gateway: a device made while its gateway ${what} is not left over, and not acknowledged`, () =>
    withGateway(5, async (scene) => {
      const { client, world, gateway } = scene;
      // Its tenant or customer is being deleted: the last that is cleared is the gateway, and then the device is made.
      let created: DeviceId | undefined;
      world.intercept = async (command, pass) => {
        if (command.type !== 'ProvisionDevice') return pass();
        world.intercept = undefined;
        await befall(scene, gateway);
        const answer = await pass();
        created = await world.directory.idOf(TENANT, 'new');
        return answer;
      };
      world.onEvent = () => {}; // the session stays, as it does while the news is on its way
      client.send(claims({ new: {} }));
      assert.equal(
        (await client.untilClosed()).map(({ cmd }) => cmd),
        ['disconnect'],
      );
      assert.type(created, 'string');
      assert.is(await named(scene, 'new'), undefined);
    }));
}

/** Holds back the first claim until it is released. */
function holdFirst(world: MqttScene['world']): () => void {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let first = true;
  world.intercept = async (command, pass) => {
    if (first && command.type === 'InitiateClaim') {
      first = false;
      await held;
    }
    return pass();
  };
  return letGo;
}

const openings = ({ world }: MqttScene) =>
  world.commands.filter(({ type }) => type === 'InitiateClaim').length;

test('gateway: messages of an earlier connection are carried out before those of the next', () =>
  withGateway(5, async (scene) => {
    const { client, world } = scene;
    for (const name of ['A', 'B']) await world.provision(`T${name}`, { name });
    const letGo = holdFirst(world);
    client.send(claims({ A: { secretKey: 'old' } }, 1, 1), claims({ B: { secretKey: 'old' } }, 1, 2));
    assert.equal(await client.untilPong(), []);
    await client.close();

    const again = await scene.connect(5, 'G');
    again.send(claims({ B: { secretKey: 'new' } }, 1, 3));
    assert.equal(await again.untilPong(), []);
    letGo();
    assert.is((await again.next('puback')).reasonCode ?? 0, 0);
    await until('all three were asked', async () => openings(scene) === 3);
    again.send(claims({ A: {} }, 1, 4));
    await again.next('puback');
    const device = await named(scene, 'B');
    assert.ok(device?.window && device.window.secretDigest === world.secrets.digest(device.id, 'new'));
  }));

test('gateway: one that reconnects again and again does not pile up messages', () =>
  withGateway(
    5,
    async (scene) => {
      const { world } = scene;
      const letGo = holdFirst(world);
      let { client } = scene;
      for (let connection = 0; connection < 8; connection += 1) {
        if (connection > 0) client = await scene.connect(5, 'G');
        client.send(...[1, 2, 3].map((id) => claims({ [`d ${connection} ${id}`]: {} }, 1, id)));
        client.send({ cmd: 'pingreq' });
        await client.take(); // the answer to the ping, or the end
        await client.close();
      }
      letGo();
      client = await scene.connect(5, 'G');
      let done = false;
      while (!done) {
        client.send(claims({ last: {} }, 1, 9));
        const answer = await client.take();
        done = answer?.cmd === 'puback';
        if (!done) client = await scene.connect(5, 'G'); // as gateways do
      }
      assert.ok(openings(scene) <= 1 + 2 * 3 + 1, String(openings(scene)));
    },
    { inFlightMax: 3 },
  ));

/** Traces everything; of each span, how it ended, as often as it did. */
function everySpan(): { readonly spans: readonly string[][]; readonly tracing: Tracing } {
  const spans: string[][] = [];
  const start = () => {
    const ends: string[] = [];
    spans.push(ends);
    return { text: undefined, end: (_: object, error = 'none') => void ends.push(error) };
  };
  return { spans, tracing: { sample: () => ({}), start, flush: async () => {} } };
}

test('gateway: a message that is refused because too much waits has an end in its trace, one end like all others', () => {
  const { spans, tracing } = everySpan();
  return withGateway(
    5,
    async (scene) => {
      const letGo = holdFirst(scene.world);
      let { client } = scene;
      for (let connection = 0; connection < 4; connection += 1) {
        if (connection > 0) client = await scene.connect(5, 'G');
        client.send(claims({ [`d ${connection}`]: {} }, 1, 1));
        client.send({ cmd: 'pingreq' });
        await client.take(); // the answer to the ping, or the end
        await client.close();
      }
      assert.equal(spans, [[], [], ['unavailable'], ['unavailable']]);
      letGo();
      const ended = [['none'], ['none'], ['unavailable'], ['unavailable']];
      await until('those that were taken are done', async () => spans.every((ends) => ends.length > 0));
      assert.equal(spans, ended);
    },
    { inFlightMax: 1 },
    { tracing },
  );
});

test('gateway: a bug while a message is carried out is the end of its span', () => {
  const { spans, tracing } = everySpan();
  return withGateway(
    5,
    async ({ client, world }) => {
      world.intercept = () => Promise.reject(new Error('a bug'));
      client.send(claims({ d: {} }));
      await until('it is ended', async () => spans.length === 1 && spans[0]?.length !== 0);
      assert.equal(spans, [['fault']]);
    },
    {},
    { tracing },
  );
});

test.run();
