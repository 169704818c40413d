/** Laws of attributes over MQTT: a device that asks is answered, whatever it asked for, because ThingsBoard's SDKs wait. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CustomerId, DeviceId } from '../../actors/base/ids.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import { VERSION_NAME, withMqtt } from '../contract/transport-mqtt.ts';
import { TENANT, type TransportWorld, USER } from '../contract/transport-world.ts';
import type { RawMqttClient, Sendable } from '../kit/mqtt-client.ts';

const CUSTOMER = '00000000-0000-1000-8000-000000000077' as CustomerId;

function publication(topic: string, payload: object | string): Sendable {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return { cmd: 'publish', topic, qos: 1, messageId: 7, payload: text, dup: false, retain: false };
}

async function share(world: TransportWorld, id: DeviceId, values: JsonObject): Promise<void> {
  const whose = { tenantId: TENANT, customerId: null, scope: 'SHARED_SCOPE' } as const;
  const answer = await world.devices.ask(id, { type: 'SaveAttributes', ...whose, values });
  assert.is(answer.type, 'accepted');
}

const GATEWAY_TOPIC = 'v1/gateway/attributes';

async function tells(
  gateway: RawMqttClient,
  what: 'connect' | 'disconnect',
  payload: { readonly device: string },
): Promise<void> {
  gateway.send(publication(`v1/gateway/${what}`, payload));
  await gateway.next('puback');
}

async function answered(client: RawMqttClient, topic: string): Promise<unknown> {
  const answer = await client.next('publish');
  assert.is(answer.topic, topic);
  return JSON.parse(answer.payload.toString());
}

for (const version of [4, 5] as const) {
  const name = VERSION_NAME[version];

  test(`mqtt ${name}: attributes: a question is answered under its own id, with the shared ones that are there`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await share(world, await world.provision('T'), { a: 1, b: 'two', c: { d: [true] } });
      const client = await connect(version, 'T');
      for (const [requests, responses] of [
        ['v1/devices/me/attributes/request/', 'v1/devices/me/attributes/response/'],
        ['v2/a/req/', 'v2/a/res/'],
        ['v2/a/req/j/', 'v2/a/res/j/'],
      ]) {
        await client.subscribe(`${responses}+`);
        for (const [question, answer] of [
          [{ sharedKeys: 'a,b,nothing' }, { shared: { a: 1, b: 'two' } }],
          [{ clientKeys: 'x', sharedKeys: ' c ' }, { shared: { c: { d: [true] } } }],
          [{}, { shared: { a: 1, b: 'two', c: { d: [true] } } }],
          [{ clientKeys: 'x,y' }, {}],
          [{ sharedKeys: 'nothing' }, {}],
          ['', { shared: { a: 1, b: 'two', c: { d: [true] } } }],
        ] as const) {
          client.send(publication(`${requests}42`, question));
          await client.next('puback');
          assert.equal(await answered(client, `${responses}42`), answer, JSON.stringify(question));
        }
      }
    }));

  test(`mqtt ${name}: attributes: server attributes are not answered, and nobody is told who has not subscribed`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      const whose = { tenantId: TENANT, customerId: null, scope: 'SERVER_SCOPE' } as const;
      await world.devices.ask(id, { type: 'SaveAttributes', ...whose, values: { secret: 's' } });
      const client = await connect(version, 'T');
      const question = publication('v1/devices/me/attributes/request/1', {
        sharedKeys: 'secret',
        clientKeys: 'secret',
      });
      client.send(question);
      await client.next('puback');
      assert.equal(await client.untilPong(), []);
      await client.subscribe('v1/devices/me/attributes/response/+');
      client.send(question);
      await client.next('puback');
      assert.equal(await answered(client, 'v1/devices/me/attributes/response/1'), {});
    }));

  test(`mqtt ${name}: attributes: what is no question is malformed, like a claim that cannot be read`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('T');
      for (const payload of ['{', '[]', '7', '{"sharedKeys":1}']) {
        const client = await connect(version, 'T');
        client.send(publication('v1/devices/me/attributes/request/1', payload));
        if (version === 5) assert.is((await client.next('puback')).reasonCode, 0x99, payload);
        else await client.untilClosed();
      }
    }));

  test(`mqtt ${name}: attributes: a gateway hears of devices that it speaks for, and of no others`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const gateway = { additionalInfo: { gateway: true } };
      await world.provision('G', { ...gateway, customerId: CUSTOMER });
      await share(world, await world.provision('Mine', { name: 'Mine', customerId: CUSTOMER }), {
        a: 1,
        b: 2,
      });
      await share(world, await world.provision('Stock', { name: 'Stock' }), { a: 3 });
      const client = await connect(version, 'G');
      const topic = 'v1/gateway/attributes/response';
      await client.subscribe(topic);
      for (const [question, answer] of [
        [
          { id: 1, device: 'Mine', client: false, key: 'a' },
          { id: 1, device: 'Mine', value: 1 },
        ],
        [
          { id: 2, device: 'Mine', keys: ['a', 'b', 'c'] },
          { id: 2, device: 'Mine', values: { a: 1, b: 2 } },
        ],
        [
          { id: 3, device: 'Mine', client: true, key: 'a' },
          { id: 3, device: 'Mine' },
        ],
        [
          { id: 4, device: 'Stock', client: false, key: 'a' },
          { id: 4, device: 'Stock' },
        ],
        [
          { id: 5, device: 'Nobody', keys: ['a'] },
          { id: 5, device: 'Nobody', values: {} },
        ],
      ]) {
        client.send(publication('v1/gateway/attributes/request', question as object));
        await client.next('puback');
        assert.equal(await answered(client, topic), answer);
      }
      assert.is(await world.directory.byName(TENANT, 'Nobody'), undefined, 'a question creates no device');
    }));

  test(`mqtt ${name}: attributes: shared ones that are saved or deleted reach who has subscribed, server ones nobody`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      const client = await connect(version, 'T');
      await share(world, id, { before: 1 });
      await client.subscribe('v1/devices/me/attributes');
      const whose = { tenantId: TENANT, customerId: null } as const;
      await world.devices.ask(id, {
        type: 'SaveAttributes',
        ...whose,
        scope: 'SERVER_SCOPE',
        values: { s: 1 },
      });
      await share(world, id, { mode: 'eco', limit: 3 });
      assert.equal(await answered(client, 'v1/devices/me/attributes'), { mode: 'eco', limit: 3 });
      await world.devices.ask(id, {
        type: 'DeleteAttributes',
        ...whose,
        scope: 'SHARED_SCOPE',
        keys: ['mode'],
      });
      assert.equal(await answered(client, 'v1/devices/me/attributes'), { deleted: ['mode'] });
      assert.equal(await client.untilPong(), []);
    }));

  test(`mqtt ${name}: attributes: what goes with its owner is told as deleted, and what comes back with its value (R4)`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const id = await world.provision('T');
      await share(world, id, { mode: 'eco', limit: 3 });
      await world.assign(id);
      const customerId = (await world.devices.read(id))?.owner?.customerId ?? null;
      const whose = { tenantId: TENANT, customerId, scope: 'SHARED_SCOPE' } as const;
      await world.devices.ask(id, {
        type: 'SaveAttributes',
        ...whose,
        values: { mode: 'boost', home: 'Rome', at: 7 },
      });
      const client = await connect(version, 'T');
      await client.subscribe('v1/devices/me/attributes');
      const given = await world.devices.ask(id, {
        type: 'UnassignDevice',
        tenantId: TENANT,
        userId: USER,
        customerId: null,
      });
      assert.is(given.type, 'accepted');
      assert.equal(await answered(client, 'v1/devices/me/attributes'), { deleted: ['home', 'at'] });
      assert.equal(await answered(client, 'v1/devices/me/attributes'), { mode: 'eco' });
      await world.assign(id);
      assert.equal(await client.untilPong(), [], 'nothing of it changes with the next owner');
    }));

  test(`mqtt ${name}: attributes: a gateway hears of the devices that it brought up`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const gateway = await world.provision('G', { additionalInfo: { gateway: true } });
      const client = await connect(version, 'G');
      await client.subscribe(GATEWAY_TOPIC);
      const meter = await world.provision('M', { name: 'Meter', viaGateway: gateway });
      await share(world, await world.provision('Other', { name: 'Other' }), { x: 1 });
      await share(world, meter, { mode: 'eco' });
      assert.equal(await answered(client, GATEWAY_TOPIC), { device: 'Meter', data: { mode: 'eco' } });
    }));

  test(`mqtt ${name}: attributes: a gateway hears of the devices that it has connected, once, until it disconnects them`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const gateway = await world.provision('G', { additionalInfo: { gateway: true } });
      await world.provision('G2', { additionalInfo: { gateway: true } });
      const [client, other] = [await connect(version, 'G'), await connect(version, 'G2')];
      for (const each of [client, other]) await each.subscribe(GATEWAY_TOPIC);
      const meter = await world.provision('M', { name: 'Meter' });
      const made = await world.provision('N', { name: 'Made', viaGateway: gateway });
      await share(world, meter, { mode: 'unheard' });
      for (const device of ['Meter', 'Meter', 'Made']) await tells(client, 'connect', { device });
      await share(world, meter, { mode: 'eco' });
      await share(world, made, { x: 1 });
      assert.equal(await answered(client, GATEWAY_TOPIC), { device: 'Meter', data: { mode: 'eco' } });
      assert.equal(await answered(client, GATEWAY_TOPIC), { device: 'Made', data: { x: 1 } });
      assert.equal(await client.untilPong(), [], 'each once');

      await tells(other, 'connect', { device: 'Meter' });
      await tells(client, 'disconnect', { device: 'Meter' });
      await share(world, meter, { mode: 'boost' });
      assert.equal(await answered(other, GATEWAY_TOPIC), { device: 'Meter', data: { mode: 'boost' } });
      await share(world, made, { x: 2 });
      assert.equal(await answered(client, GATEWAY_TOPIC), { device: 'Made', data: { x: 2 } }, 'and no Meter');

      const again = await connect(version, 'G2');
      await again.subscribe(GATEWAY_TOPIC);
      await share(world, meter, { mode: 'off' });
      await tells(again, 'connect', { device: 'Meter' });
      await share(world, meter, { mode: 'on' });
      const heard = await answered(again, GATEWAY_TOPIC);
      assert.equal(
        heard,
        { device: 'Meter', data: { mode: 'on' } },
        'what it had connected ended with its session',
      );
    }));

  test(`mqtt ${name}: attributes: a gateway that disconnects a device in the same breath hears nothing of it`, () =>
    withMqtt({}, async ({ world, connect }) => {
      await world.provision('G', { additionalInfo: { gateway: true } });
      const meter = await world.provision('M', { name: 'Meter' });
      const client = await connect(version, 'G');
      await client.subscribe(GATEWAY_TOPIC);
      for (const what of ['connect', 'disconnect']) {
        client.send(publication(`v1/gateway/${what}`, { device: 'Meter' }));
      }
      for (let acknowledged = 0; acknowledged < 2; acknowledged += 1) await client.next('puback');
      await share(world, meter, { mode: 'eco' });
      assert.equal(await client.untilPong(), []);
    }));

  test(`mqtt ${name}: attributes: a gateway that no longer speaks for a device hears nothing of it (O8)`, () =>
    withMqtt({}, async ({ world, connect }) => {
      const gateway = await world.provision('G', { additionalInfo: { gateway: true } });
      const [own, foreign] = [
        await world.provision('M', { name: 'Own' }),
        await world.provision('F', { name: 'Foreign' }),
      ];
      for (const id of [gateway, own]) await world.assign(id);
      const client = await connect(version, 'G');
      await client.subscribe(GATEWAY_TOPIC);
      await tells(client, 'connect', { device: 'Own' });
      await tells(client, 'connect', { device: 'Foreign' });
      await share(world, foreign, { secret: 1 });
      await share(world, own, { mode: 'eco' });
      assert.equal(await answered(client, GATEWAY_TOPIC), { device: 'Own', data: { mode: 'eco' } });

      const given = { type: 'UnassignDevice', tenantId: TENANT, userId: USER, customerId: null } as const;
      assert.is((await world.devices.ask(own, given)).type, 'accepted');
      await share(world, own, { secret: 2 });
      assert.equal(await client.untilPong(), []);
      await world.assign(own);
      await share(world, own, { mode: 'back' });
      const heard = await answered(client, GATEWAY_TOPIC);
      assert.equal(heard, { device: 'Own', data: { mode: 'back' } });
    }));

  test(`mqtt ${name}: attributes: credentials that an owner had before read and hear nothing under quarantine`, () =>
    withMqtt(
      {},
      async ({ world, connect }) => {
        const id = await world.provision('T');
        const client = await connect(version, 'T');
        await client.subscribe('v1/devices/me/attributes/response/+');
        await client.subscribe('v1/devices/me/attributes');
        await world.assign(id);
        await share(world, id, { mode: 'eco' });
        client.send(publication('v1/devices/me/attributes/request/1', {}));
        await client.next('puback');
        assert.equal(await answered(client, 'v1/devices/me/attributes/response/1'), {});
        assert.equal(await client.untilPong(), []);
      },
      { ownership: { ...DEFAULT_OWNERSHIP_RULES, onOwnerChange: 'quarantine' } },
    ));
}

test.run();
