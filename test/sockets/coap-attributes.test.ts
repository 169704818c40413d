/** Laws of CoAP besides claims: attributes, telemetry, and what there is, over real sockets. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { Code, showCode } from '../../transports/coap/codes.ts';
import type { Message, Option } from '../../transports/coap/message.ts';
import { blockOf, blockOption, OptionNumber, uintOf, uintOption } from '../../transports/coap/options.ts';
import { withCoap } from '../contract/transport-coap.ts';
import { TENANT, type TransportWorld } from '../contract/transport-world.ts';
import { block1, blocksOf, type RawCoapClient, show, uriPath } from '../kit/coap-client.ts';

const query = (text: string): Option => ({ number: OptionNumber.uriQuery, value: Buffer.from(text) });

function get(path: readonly string[], ...options: Option[]): Partial<Message> {
  return { code: Code.get, options: [...uriPath(...path), ...options] };
}

const ATTRIBUTES = ['api', 'v1', 'TOKEN', 'attributes'];

async function share(world: TransportWorld, id: DeviceId, values: JsonObject): Promise<void> {
  const whose = { tenantId: TENANT, customerId: null, scope: 'SHARED_SCOPE' } as const;
  const answer = await world.devices.ask(id, { type: 'SaveAttributes', ...whose, values });
  assert.is(answer.type, 'accepted');
}

/** All blocks of an answer, asked for one by one, as libcoap does. */
async function inBlocks(
  client: RawCoapClient,
  path: readonly string[],
  sizeExponent: number,
): Promise<{ content: string; etags: Set<string> }> {
  const parts: Buffer[] = [];
  const etags = new Set<string>();
  for (let number = 0; ; number += 1) {
    const wanted = blockOption(OptionNumber.block2, { number, more: false, sizeExponent });
    const answer = await client.request(get(path, wanted));
    assert.is(showCode(answer.code), '2.05');
    parts.push(answer.payload);
    etags.add(
      String(answer.options.find((option) => option.number === OptionNumber.etag)?.value.toString('hex')),
    );
    const block = blockOf(answer.options, OptionNumber.block2);
    assert.is(block?.number, number);
    if (!block?.more) return { content: Buffer.concat(parts).toString(), etags };
  }
}

test('coap: attributes: the shared ones that are asked for and there, as JSON', () =>
  withCoap({}, async ({ world, open }) => {
    await share(world, await world.provision('TOKEN'), { a: 1, b: 'two', c: { d: [true] } });
    const client = await open();
    for (const [queries, seen] of [
      [['sharedKeys=a,b,nothing'], '{"shared":{"a":1,"b":"two"}}'],
      [['clientKeys=x', 'sharedKeys= c '], '{"shared":{"c":{"d":[true]}}}'],
      [[], '{"shared":{"a":1,"b":"two","c":{"d":[true]}}}'],
      [['__proto__=a', 'toString=b', 'sharedKeys=a'], '{"shared":{"a":1}}'],
    ] as const) {
      const answer = await client.request(get(ATTRIBUTES, ...queries.map(query)));
      assert.is(show(answer), `ACK 2.05 ${seen}`);
      assert.is(uintOf(answer.options, OptionNumber.contentFormat), 50);
    }
  }));

test('coap: attributes: where there is nothing to tell: 4.04, as in ThingsBoard; server attributes are not told', () =>
  withCoap({}, async ({ world, open }) => {
    const id = await world.provision('TOKEN');
    const whose = { tenantId: TENANT, customerId: null, scope: 'SERVER_SCOPE' } as const;
    await world.devices.ask(id, { type: 'SaveAttributes', ...whose, values: { secret: 's' } });
    const client = await open();
    for (const options of [
      [],
      [query('sharedKeys=secret')],
      [query('clientKeys=secret')],
      [query('sharedKeys=')],
    ]) {
      assert.is(show(await client.request(get(ATTRIBUTES, ...options))), 'ACK 4.04');
    }
  }));

test('coap: attributes: a large answer comes in blocks, of the size that was asked for, all of one content', () =>
  withCoap({}, async ({ world, open }) => {
    const text = 'x'.repeat(5_000);
    await share(world, await world.provision('TOKEN'), { text });
    const client = await open();
    const whole = JSON.stringify({ shared: { text } });
    for (const sizeExponent of [0, 2, 6]) {
      const { content, etags } = await inBlocks(client, ATTRIBUTES, sizeExponent);
      assert.is(content, whole);
      assert.is(etags.size, 1);
    }
    const first = await client.request(get(ATTRIBUTES));
    assert.is(first.payload.toString(), whole.slice(0, 1024));
    assert.equal(blockOf(first.options, OptionNumber.block2), { number: 0, more: true, sizeExponent: 6 });
    assert.is(uintOf(first.options, OptionNumber.size2), whole.length);
    for (const block of [
      { number: 5, more: false, sizeExponent: 6 },
      { number: 0xf_ffff, more: false, sizeExponent: 6 },
      { number: 0, more: false, sizeExponent: 7 },
    ]) {
      const answer = await client.request(get(ATTRIBUTES, blockOption(OptionNumber.block2, block)));
      assert.is(show(answer), 'ACK 4.00 the answer has no such block');
    }
  }));

test('coap: attributes: wrong tokens, other profiles and a store that is away are answered as for a claim', () =>
  withCoap({ retryAfterSeconds: 3 }, async ({ world, open }) => {
    const transport = { type: 'COAP', payloadType: 'PROTOBUF' } as const;
    const profile = await world.profiles.create(TENANT, {
      name: 'binary',
      description: null,
      transport,
      more: null,
    });
    if (profile.type !== 'done') throw new Error(profile.reason);
    await world.provision('BINARY', { profileId: profile.value.id });
    await world.provision('TOKEN');
    const client = await open();
    const seen = async (token: string) => {
      return show(await client.request(get(['api', 'v1', token, 'attributes'])));
    };
    assert.is(await seen('nobody'), 'ACK 4.01');
    assert.match(await seen('BINARY'), /^ACK 5\.01 /);
    world.interceptLookup = () => Promise.reject(new StoreUnavailable('test', 'down'));
    assert.is(await seen('TOKEN'), 'ACK 5.03');
  }));

for (const feature of ['telemetry', 'attributes', 'Telemetry']) {
  test(`coap: ${feature} that a device sends is taken and dropped, in one datagram and in blocks`, () =>
    withCoap({ payloadBytesMax: 2_000 }, async ({ world, open }) => {
      const id = await world.provision('TOKEN');
      const before = await world.devices.read(id);
      const client = await open();
      const send = (token: string, payload: Buffer, ...options: Option[]) =>
        client.request({ options: [...uriPath('api', 'v1', token, feature), ...options], payload });
      assert.is(show(await send('TOKEN', Buffer.from('{"temperature":21}'))), 'ACK 2.01');
      assert.is(show(await send('nobody', Buffer.from('{}'))), 'ACK 4.01');
      const codes: string[] = [];
      for (const { block, part } of blocksOf(Buffer.alloc(100, 'x'), 2)) {
        codes.push(showCode((await send('TOKEN', part, block1(block))).code));
      }
      assert.equal(codes, ['2.31', '2.01']);
      assert.is(show(await send('TOKEN', Buffer.alloc(2_001))), 'ACK 4.13');
      assert.equal(await world.devices.read(id), before);
      assert.equal(world.commands, []);
    }));
}

test('coap: telemetry by GET, and where the operator does not take it, is no feature', async () => {
  await withCoap({}, async ({ world, open }) => {
    await world.provision('TOKEN');
    const answer = await (await open()).request(get(['api', 'v1', 'TOKEN', 'telemetry']));
    assert.is(show(answer), 'ACK 4.00 telemetry is sent by POST');
  });
  await withCoap({ acceptsTelemetry: false }, async ({ world, open }) => {
    await share(world, await world.provision('TOKEN'), { a: 1 });
    const client = await open();
    for (const feature of ['telemetry', 'attributes']) {
      const answer = await client.request({ options: uriPath('api', 'v1', 'TOKEN', feature) });
      assert.is(show(answer), 'ACK 4.00 no such feature of the device API');
    }
    assert.is(show(await client.request(get(ATTRIBUTES))), 'ACK 2.05 {"shared":{"a":1}}');
  });
});

test('coap: calls: nobody answers those of a device, a device that takes calls hears none, and an answer is taken', () =>
  withCoap({}, async ({ world, open }) => {
    await world.provision('TOKEN');
    const client = await open();
    const rpc = ['api', 'v1', 'TOKEN', 'rpc'];
    const observe = (value: number) => uintOption(OptionNumber.observe, value);
    for (const [message, seen] of [
      [
        { options: uriPath(...rpc), payload: Buffer.from('{"method":"x"}') },
        '5.03 nobody answers calls here',
      ],
      [{ options: uriPath(...rpc, '7') }, '2.01'],
      [get(rpc, observe(0)), '2.03'],
      [get(rpc, observe(1)), '2.02'],
      [get(rpc), '4.00 calls are taken by Observe'],
      [get(['api', 'v1', 'NOBODY', 'rpc'], observe(0)), '4.01'],
    ] as const) {
      assert.is(show(await client.request(message)), `ACK ${seen}`);
    }
  }));

const CORE =
  '</.well-known/core>;ct=40,</api/v1>;rt="claimd.devices";ct=50;title="{token}/claim, {token}/attributes"';

for (const [what, message, seen] of [
  ['all', [], `2.05 ${CORE}`],
  ['by type', [query('rt=claimd.devices')], `2.05 ${CORE.split(',').slice(1).join(',')}`],
  ['by beginning', [query('href=/.well*')], `2.05 ${CORE.split(',')[0]}`],
  ['by two', [query('rt=claimd*'), query('ct=40')], '2.05'],
  ['of nothing', [query('rt=nothing')], '2.05'],
  ['by no condition', [query('rt')], '2.05'],
  ['as links', [uintOption(OptionNumber.accept, 40)], `2.05 ${CORE}`],
  ['as JSON', [uintOption(OptionNumber.accept, 50)], '4.06'],
] as const) {
  test(`coap: .well-known/core: ${what}`, () =>
    withCoap({}, async ({ open }) => {
      const answer = await (await open()).request(get(['.well-known', 'core'], ...message));
      assert.is(show(answer), `ACK ${seen}`);
      if (answer.code === Code.content) assert.is(uintOf(answer.options, OptionNumber.contentFormat), 40);
    }));
}

test('coap: .well-known/core: what anybody hears is short; POST is not allowed, and nothing lies beside it', () =>
  withCoap({}, async ({ open }) => {
    const client = await open();
    assert.ok(CORE.length < 128);
    assert.is(show(await client.request({ options: uriPath('.well-known', 'core') })), 'ACK 4.05');
    assert.is(show(await client.request(get(['.well-known']))), 'ACK 4.04');
    assert.is(show(await client.request(get(['.well-known', 'core', 'more']))), 'ACK 4.04');
  }));

test.run();
