/** Laws of observing attributes over CoAP (RFC 7641), as ThingsBoard's devices do, over real sockets. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { Json, JsonObject } from '../../actors/base/json.ts';
import { accessToken } from '../../actors/fleet/credentials.ts';
import { Code, showCode } from '../../transports/coap/codes.ts';
import { encodeEmpty, type Message } from '../../transports/coap/message.ts';
import { OptionNumber, uintOf, uintOption } from '../../transports/coap/options.ts';
import { withCoap } from '../contract/transport-coap.ts';
import { TENANT, type TransportWorld } from '../contract/transport-world.ts';
import { type RawCoapClient, show, uriPath } from '../kit/coap-client.ts';

const WHOSE = { tenantId: TENANT, customerId: null, scope: 'SHARED_SCOPE' } as const;

async function share(world: TransportWorld, id: DeviceId, values: JsonObject): Promise<void> {
  const answer = await world.devices.ask(id, { type: 'SaveAttributes', ...WHOSE, values });
  assert.is(answer.type, 'accepted');
}

async function unshare(world: TransportWorld, id: DeviceId, keys: readonly string[]): Promise<void> {
  const answer = await world.devices.ask(id, { type: 'DeleteAttributes', ...WHOSE, keys });
  assert.is(answer.type, 'accepted');
}

function observing(value: number, feature = 'attributes', token = 'TOKEN'): Partial<Message> {
  return {
    code: Code.get,
    token: Buffer.from('ob'),
    options: [...uriPath('api', 'v1', token, feature), uintOption(OptionNumber.observe, value)],
  };
}

/** The next notification, acknowledged, and its number. */
async function told(client: RawCoapClient): Promise<{ content: Json; sequence: number }> {
  const message = await client.take();
  assert.is(message.type, 'CON');
  assert.is(showCode(message.code), '2.05');
  assert.is(message.token.toString(), 'ob');
  client.sendBytes(encodeEmpty('ACK', message.messageId));
  return {
    content: JSON.parse(message.payload.toString()),
    sequence: uintOf(message.options, OptionNumber.observe) ?? -1,
  };
}

for (const feature of ['attributes', 'claim']) {
  test(`coap: observe: GET ${feature} with Observe: all shared attributes now, then what changes, in order`, () =>
    withCoap({}, async ({ world, open }) => {
      const id = await world.provision('TOKEN');
      await share(world, id, { a: 1 });
      const client = await open();
      const first = await client.request(observing(0, feature));
      assert.is(show(first), 'ACK 2.05 {"a":1}');
      const seen = [uintOf(first.options, OptionNumber.observe) ?? -1];
      for (const [change, content] of [
        [() => share(world, id, { a: 2, b: 'x' }), { a: 2, b: 'x' }],
        [() => unshare(world, id, ['a']), { deleted: ['a'] }],
        [() => share(world, id, { deleted: ['b'] }), { deleted: ['b'] }],
      ] as const) {
        await change();
        const notification = await told(client);
        assert.equal(notification.content, content);
        seen.push(notification.sequence);
      }
      assert.equal(
        seen,
        [...seen].sort((one, other) => one - other),
      );
      assert.is(new Set(seen).size, seen.length);
    }));
}

test('coap: observe: what changes while a notification is under way is told once, with the last value', () =>
  withCoap({}, async ({ world, open }) => {
    const id = await world.provision('TOKEN');
    const client = await open();
    assert.is(show(await client.request(observing(0))), 'ACK 2.05 {}');
    await share(world, id, { a: 1 });
    const first = await client.take();
    for (const a of [2, 3, 4]) await share(world, id, { a });
    await share(world, id, { b: 1 });
    await unshare(world, id, ['b']);
    assert.equal(await client.untilPong(), []);
    client.sendBytes(encodeEmpty('ACK', first.messageId));
    assert.equal((await told(client)).content, { a: 4 });
    assert.equal((await told(client)).content, { deleted: ['b'] });
  }));

test('coap: observe: observers that sleep take no place from requests, at their address or anywhere', () =>
  withCoap({ inFlightMax: 4, inFlightPerPeerMax: 4 }, async ({ world, open }) => {
    const id = await world.provision('TOKEN');
    const sleeping: RawCoapClient[] = [];
    for (const _ of Array.from({ length: 4 })) {
      const client = await open();
      assert.is(show(await client.request(observing(0))), 'ACK 2.05 {}');
      sleeping.push(client);
    }
    await share(world, id, { a: 1 });
    for (const client of sleeping) assert.is((await client.take()).type, 'CON');
    const claim = { code: Code.post, options: uriPath('api', 'v1', 'TOKEN', 'claim') };
    assert.match(show(await (await open()).request(claim)), /^ACK 2\./);
  }));

test('coap: observe: what is too long for a datagram comes in the next one; nothing is left out', () =>
  withCoap({}, async ({ world, open }) => {
    const id = await world.provision('TOKEN');
    const values = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`key${n}`, 'x'.repeat(90)]));
    await share(world, id, values);
    const client = await open();
    const first = await client.request(observing(0));
    assert.ok(first.payload.length <= 1_024);
    const heard: JsonObject = { ...JSON.parse(first.payload.toString()) };
    while (Object.keys(heard).length < 40) Object.assign(heard, (await told(client)).content);
    assert.equal(heard, values);
    await share(world, id, { long: 'y'.repeat(3_000) });
    assert.equal((await told(client)).content, { long: 'y'.repeat(3_000) });
  }));

for (const [how, end] of [
  [
    'Observe 1',
    async (client: RawCoapClient) => assert.is(show(await client.request(observing(1))), 'ACK 2.02'),
  ],
  [
    'a reset',
    async (client: RawCoapClient, world: TransportWorld, id: DeviceId) => {
      await share(world, id, { a: 1 });
      client.sendBytes(encodeEmpty('RST', (await client.take()).messageId));
    },
  ],
] as const) {
  test(`coap: observe: ended by ${how}, nothing more is told`, () =>
    withCoap({}, async ({ world, open }) => {
      const id = await world.provision('TOKEN');
      const client = await open();
      await client.request(observing(0));
      await end(client, world, id);
      assert.equal(await client.untilPong(), []);
      await share(world, id, { a: 2 });
      assert.equal(await client.untilPong(), []);
    }));
}

test('coap: observe: other credentials end it by 4.01, and later changes are not told', () =>
  withCoap({}, async ({ world, open }) => {
    const id = await world.provision('TOKEN');
    const client = await open();
    await client.request(observing(0));
    const changed = await world.devices.ask(id, {
      type: 'ChangeCredentials',
      tenantId: TENANT,
      credentials: accessToken(world.secrets, id, 'ANOTHER-TOKEN-OF-IT'),
    });
    assert.is(changed.type, 'accepted');
    const last = await client.take();
    assert.is(show(last), 'CON 4.01');
    client.sendBytes(encodeEmpty('ACK', last.messageId));
    await share(world, id, { a: 2 });
    assert.equal(await client.untilPong(), []);
    assert.is(show(await client.request(observing(0))), 'ACK 4.01');
  }));

test('coap: observe: asked for anew with the same token it is one; a device has four, and all together their bound', () =>
  withCoap({ observationsMax: 6 }, async ({ world, open }) => {
    const id = await world.provision('TOKEN');
    const other = await world.provision('OTHER');
    const clients = await Promise.all(Array.from({ length: 5 }, () => open()));
    const [first, ...rest] = clients;
    if (first === undefined) throw new Error('there are clients');
    for (const client of clients) {
      await client.request(observing(0));
      await client.request(observing(0));
    }
    await share(world, id, { a: 1 });
    assert.equal(await first.untilPong(), []); // the fifth took its place
    for (const client of rest) assert.equal((await told(client)).content, { a: 1 });
    const more = await Promise.all(Array.from({ length: 3 }, () => open()));
    for (const client of more) await client.request(observing(0, 'attributes', 'OTHER'));
    await share(world, id, { a: 2 });
    const heard = await Promise.all(rest.map((client) => client.untilPong()));
    assert.is(heard.flat().length, 3);
    await share(world, other, { b: 1 });
    for (const client of more) assert.equal((await told(client)).content, { b: 1 });
  }));

test('coap: observe: where the operator wants none, the answer is that of a question', () =>
  withCoap({ observationsMax: 0 }, async ({ world, open }) => {
    const id = await world.provision('TOKEN');
    await share(world, id, { a: 1 });
    const client = await open();
    const answer = await client.request(observing(0));
    assert.is(show(answer), 'ACK 2.05 {"shared":{"a":1}}');
    assert.is(uintOf(answer.options, OptionNumber.observe), undefined);
    await share(world, id, { a: 2 });
    assert.equal(await client.untilPong(), []);
  }));

test('coap: observe: stopping does not wait for who observes', () =>
  withCoap({}, async ({ world, open, endpoint }) => {
    const id = await world.provision('TOKEN');
    await (await open()).request(observing(0));
    await endpoint.stop(60_000);
    await share(world, id, { a: 1 });
  }));

test.run();
