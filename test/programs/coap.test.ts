/** CoAP over real sockets: codes, paths, blocks, lost, duplicated and garbage datagrams; and libcoap's client. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { TransportConfiguration } from '../../actors/fleet/profiles.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { ListenError } from '../../actors/sockets/listen.ts';
import { Code } from '../../transports/coap/codes.ts';
import { encode, type Message, type Option } from '../../transports/coap/message.ts';
import { blockOf, OptionNumber, uintOf, uintOption } from '../../transports/coap/options.ts';
import { coapIn, withCoap } from '../contract/transport-coap.ts';
import { TENANT, type TransportWorld } from '../contract/transport-world.ts';
import { block1, blocksOf, claimPath, show, uriPath } from '../kit/coap-client.ts';
import { createGate } from '../kit/faulty-store.ts';
import { PATIENCE_MS, within } from '../kit/patience.ts';
import { COAP_CLIENT, needing, runProgram } from '../kit/programs.ts';
import { pause } from '../kit/until.ts';

test("coap: opened: 2.01, nothing in it, the request's id and token", () =>
  withCoap({}, async ({ world, open }) => {
    const id = await world.provision('TOKEN');
    const client = await open();
    const request = client.send({
      options: claimPath('TOKEN'),
      payload: Buffer.from('{"secretKey":"value"}'),
    });
    const answer = await client.take();
    assert.equal(answer, {
      ...request,
      type: 'ACK',
      code: Code.created,
      options: [],
      payload: Buffer.alloc(0),
    });
    assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 'value'));
  }));

test('coap: refused: 4.09, the reason is the diagnostic payload', () =>
  withCoap({}, async ({ world, open }) => {
    await world.assign(await world.provision('TOKEN'));
    assert.is(show(await (await open()).claim('TOKEN', '{}')), 'ACK 4.09 already-claimed');
  }));

test('coap: malformed: 4.00, nothing of the payload comes back', () =>
  withCoap({}, async ({ world, open }) => {
    await world.provision('TOKEN');
    const answer = await (await open()).claim('TOKEN', '{"durationMs":"hunter2"}');
    assert.is(show(answer), 'ACK 4.00 malformed: durationMs is not a whole number in range');
  }));

test('coap: the store does not answer: 5.03, Max-Age says when to ask again', () =>
  withCoap({ retryAfterSeconds: 3 }, async ({ world, open }) => {
    await world.provision('TOKEN');
    world.interceptLookup = () => Promise.reject(new StoreUnavailable('test', 'down'));
    const answer = await (await open()).claim('TOKEN', '{}');
    assert.is(show(answer), 'ACK 5.03');
    assert.is(uintOf(answer.options, OptionNumber.maxAge), 3);
  }));

const option = (number: number, value = ''): Option => ({ number, value: Buffer.from(value) });
const at = (...segments: string[]): Partial<Message> => ({ options: uriPath(...segments) });

for (const [what, message, seen] of [
  ['CLAIM', at('api', 'v1', 'TOKEN', 'CLAIM'), '2.01'],
  ['segments behind it', at('api', 'v1', 'TOKEN', 'Claim', 'and', 'more'), '2.01'],
  ['a slash at the end', at('api', 'v1', 'TOKEN', 'claim', ''), '2.01'],
  ['a token in any script', at('api', 'v1', 'tøken ✓', 'claim'), '2.01'],
  ['an escape is no escape', at('api', 'v1', 't%C3%B8ken ✓', 'claim'), '4.01'],
  ['a query', { options: [...claimPath('TOKEN'), option(OptionNumber.uriQuery, 'a=b')] }, '2.01'],
  ['any Content-Format', { options: [...claimPath('TOKEN'), uintOption(12, 60)] }, '2.01'],
  ['any Accept', { options: [...claimPath('TOKEN'), uintOption(OptionNumber.accept, 60)] }, '2.01'],
  ['a host', { options: [...claimPath('TOKEN'), option(OptionNumber.uriHost, 'localhost')] }, '2.01'],
  ['an unknown elective option', { options: [...claimPath('TOKEN'), option(2_002, 'x')] }, '2.01'],
  ['an unknown critical option', { options: [...claimPath('TOKEN'), option(2_001)] }, '4.02 option 2001'],
  ['a proxy', { options: [...claimPath('TOKEN'), option(OptionNumber.proxyScheme, 'coap')] }, '5.05'],
  ['GET', { ...at('api', 'v1', 'TOKEN', 'claim'), code: Code.get }, '4.00 a claim window is opened by POST'],
  ['GET with Observe', { options: [...claimPath('TOKEN'), option(6)], code: Code.get }, '2.05 {}'],
  ['PUT', { ...at('api', 'v1', 'TOKEN', 'claim'), code: Code.put }, '4.05'],
  ['DELETE', { ...at('api', 'v1', 'TOKEN', 'claim'), code: Code.delete }, '4.05'],
  ['FETCH', { ...at('api', 'v1', 'TOKEN', 'claim'), code: 5 }, '4.05'],
  ['another feature', at('api', 'v1', 'TOKEN', 'nonsense'), '4.00 no such feature of the device API'],
  ['no feature', at('api', 'v1', 'TOKEN'), '4.00 no such feature of the device API'],
  ['no certificate', at('api', 'v1', 'claim'), '4.01'],
  ['an empty token', at('api', 'v1', '', 'claim'), '4.01'],
  ['elsewhere', at('api', 'v2', 'TOKEN', 'claim'), '4.04'],
  ['nowhere', {}, '4.04'],
  [
    'a path that is not UTF-8',
    { options: [{ number: 11, value: Buffer.from([0xff]) }] },
    '4.00 the path is not UTF-8',
  ],
] as const) {
  test(`coap: request: ${what}: ${seen}`, () =>
    withCoap({}, async ({ world, open }) => {
      await world.provision('TOKEN');
      await world.provision('tøken ✓');
      assert.is(show(await (await open()).request(message)), `ACK ${seen}`);
    }));
}

test('coap: late: acknowledged after 500 ms, answered separately', () =>
  withCoap({ piggybackTimeoutMs: 30 }, async ({ world, open }) => {
    await world.provision('TOKEN');
    const gate = createGate();
    world.intercept = async (_command, pass) => {
      await gate.opened;
      return pass();
    };
    const client = await open();
    const { messageId, token } = client.send({ options: claimPath('TOKEN') });
    const acknowledgement = await client.take();
    assert.equal([show(acknowledgement), acknowledgement.messageId], ['ACK 0.00', messageId]);
    gate.open();
    const answer = await client.take();
    assert.equal([show(answer), answer.token], ['CON 2.01', token]);
  }));

test('coap: a datagram that is duplicated on the way opens one window and gets the same answer twice', () =>
  withCoap({}, async ({ world, open }) => {
    await world.provision('TOKEN');
    const client = await open();
    const bytes = encode(client.message({ options: claimPath('TOKEN') }));
    client.sendBytes(bytes);
    client.sendBytes(bytes);
    const first = await client.take();
    client.sendBytes(bytes);
    assert.equal(await client.take(), first);
    assert.is(world.commands.length, 1);
  }));

const PAYLOAD_BYTES_MAX = 65_536;

/** A claim of exactly so many bytes. */
function claimOf(bytes: number): string {
  const frame = '{"secretKey":"value","filler":""}';
  return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
}

for (const sizeExponent of [2, 6]) {
  const size = 16 << sizeExponent;
  test(`coap: in blocks of ${size}: up to the limit, a new token per block`, () =>
    withCoap({}, async ({ world, open }) => {
      const id = await world.provision('TOKEN');
      const client = await open();
      const answer = await client.claimInBlocks('TOKEN', claimOf(PAYLOAD_BYTES_MAX), sizeExponent);
      assert.is(show(answer), 'ACK 2.01');
      assert.is(blockOf(answer.options, OptionNumber.block1)?.number, PAYLOAD_BYTES_MAX / size - 1);
      assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 'value'));
      assert.is(world.commands.length, 1);
    }));

  test(`coap: in blocks of ${size}: one byte above the limit: 4.13, with the limit`, () =>
    withCoap({}, async ({ world, open }) => {
      await world.provision('TOKEN');
      const answer = await (await open()).claimInBlocks(
        'TOKEN',
        claimOf(PAYLOAD_BYTES_MAX + 1),
        sizeExponent,
      );
      assert.is(show(answer), 'ACK 4.13');
      assert.is(uintOf(answer.options, OptionNumber.size1), PAYLOAD_BYTES_MAX);
      assert.equal(world.commands, []);
    }));
}

test('coap: in blocks: an announced size above the limit is refused with the first block', () =>
  withCoap({}, async ({ world, open }) => {
    await world.provision('TOKEN');
    const options = [
      ...claimPath('TOKEN'),
      block1({ number: 0, more: true, sizeExponent: 0 }),
      uintOption(OptionNumber.size1, PAYLOAD_BYTES_MAX + 1),
    ];
    assert.is(show(await (await open()).request({ options, payload: Buffer.alloc(16) })), 'ACK 4.13');
  }));

test('coap: a datagram that is too large is answered 4.13 with a size for blocks', () =>
  withCoap({}, async ({ world, open }) => {
    await world.provision('TOKEN');
    const answer = await (await open()).claim('TOKEN', claimOf(10_000));
    assert.is(show(answer), 'ACK 4.13');
    assert.equal(blockOf(answer.options, OptionNumber.block1), { number: 0, more: false, sizeExponent: 6 });
  }));

test('coap: in blocks: every block duplicated, each answer lost once: one window', () =>
  withCoap({}, async ({ world, open }) => {
    const id = await world.provision('TOKEN');
    const client = await open();
    for (const { block, part } of blocksOf(Buffer.from(claimOf(100)), 0)) {
      const message = client.message({ options: [...claimPath('TOKEN'), block1(block)], payload: part });
      for (let copy = 0; copy < 3; copy += 1) {
        client.sendBytes(encode(message));
        assert.is(show(await client.take()), block.more ? 'ACK 2.31' : 'ACK 2.01');
      }
    }
    assert.is(world.commands.length, 1);
    assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 'value'));
  }));

test('coap: in blocks: out of order is 4.08; from block 0 on it works again', () =>
  withCoap({}, async ({ world, open }) => {
    await world.provision('TOKEN');
    const client = await open();
    const blocks = blocksOf(Buffer.from(claimOf(100)), 0);
    const play = async (order: readonly number[]): Promise<string[]> => {
      const seen: string[] = [];
      for (const index of order) {
        const { block, part } = blocks[index] ?? {
          block: { number: 0, more: false, sizeExponent: 0 },
          part: Buffer.alloc(0),
        };
        seen.push(
          show(await client.claim('TOKEN', part, { options: [...claimPath('TOKEN'), block1(block)] })),
        );
      }
      return seen;
    };
    assert.equal(await play([1]), ['ACK 4.08']);
    assert.equal(await play([0, 2]), ['ACK 2.31', 'ACK 4.08']);
    const all = blocks.map((_, index) => index);
    assert.equal((await play(all)).at(-1), 'ACK 2.01');
    assert.is(world.commands.length, 1);
  }));

test('coap: in blocks: an unknown token is refused at the first block', () =>
  withCoap({}, async ({ open }) => {
    assert.is(show(await (await open()).claimInBlocks('NOBODY', claimOf(100), 0)), 'ACK 4.01');
  }));

for (const [what, block, bytes] of [
  ['size exponent 7', { number: 0, more: true, sizeExponent: 7 }, 16],
  ['a block that is not full', { number: 0, more: true, sizeExponent: 0 }, 15],
  ['a block that is too full', { number: 0, more: false, sizeExponent: 0 }, 17],
] as const) {
  test(`coap: in blocks: ${what}: 4.00`, () =>
    withCoap({}, async ({ world, open }) => {
      await world.provision('TOKEN');
      const options = [...claimPath('TOKEN'), block1(block)];
      const answer = await (await open()).claim('TOKEN', Buffer.alloc(bytes), { options });
      assert.is(show(answer), 'ACK 4.00 the block is not sound');
    }));
}

test('coap: in blocks: two devices behind one port do not mix', () =>
  withCoap({}, async ({ world, open }) => {
    const ids = [await world.provision('A'), await world.provision('B')];
    const client = await open();
    const both = ['A', 'B'].map((token) => ({
      token,
      blocks: blocksOf(Buffer.from(`{"secretKey":"${token.repeat(40)}"}`), 0),
    }));
    for (let index = 0; index < 4; index += 1) {
      for (const { token, blocks } of both) {
        const one = blocks[index];
        if (one === undefined) continue;
        await client.claim(token, one.part, { options: [...claimPath(token), block1(one.block)] });
      }
    }
    for (const [index, token] of ['A', 'B'].entries()) {
      const id = ids[index] ?? ids[0];
      if (id === undefined) throw new Error('no device');
      const window = (await world.devices.read(id))?.window;
      assert.is(window?.secretDigest, world.secrets.digest(id, token.repeat(40)));
    }
  }));

test('coap: a flood of garbage is answered by resets at most, and others are served', () =>
  withCoap({}, async ({ world, open }) => {
    await world.provision('TOKEN');
    const noise = await open();
    const client = await open();
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 0x7fffffff;
      return seed;
    };
    for (let round = 0; round < 20; round += 1) {
      for (let index = 0; index < 50; index += 1) {
        noise.sendBytes(Buffer.from(Array.from({ length: random() % 60 }, () => random() % 256)));
      }
      assert.is(show(await client.claim('TOKEN', '{}')), 'ACK 2.01');
    }
    for (const datagram of noise.datagrams) assert.ok(datagram.length < 40, datagram.toString('hex'));
  }));

test('coap: stopping answers what is under way and takes nothing new', () =>
  withCoap({}, async ({ world, endpoint, open }) => {
    await world.provision('TOKEN');
    let release: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => {
      world.intercept = async (_command, pass) => {
        resolve();
        await new Promise<void>((go) => {
          release = go;
        });
        return pass();
      };
    });
    const client = await open();
    const answer = client.claim('TOKEN', '{}');
    await asked;
    const stopped = endpoint.stop(PATIENCE_MS);
    client.send({ options: claimPath('TOKEN') });
    await pause(30);
    release?.();
    assert.is(show(await answer), 'ACK 2.01');
    await stopped;
    assert.is(world.commands.length, 1);
  }));

test('coap: stopping does not wait longer than it may', () =>
  withCoap({}, async ({ world, endpoint, open }) => {
    await world.provision('TOKEN');
    const gate = createGate();
    const asked = new Promise<void>((resolve) => {
      world.intercept = (_command, pass) => {
        resolve();
        return gate.opened.then(pass);
      };
    });
    (await open()).send({ options: claimPath('TOKEN') });
    await asked;
    await within('it stops', endpoint.stop(50));
    gate.open(); // the late answer has nowhere to go, and harms nobody
    await pause(50);
  }));

test('coap: a port that is taken is one clear line', () =>
  withCoap({}, async ({ world, port }) => {
    const second = coapIn(world, { port });
    try {
      await second.start();
      assert.unreachable('it started');
    } catch (error) {
      assert.instance(error, ListenError);
      const message = error instanceof Error ? error.message : '';
      assert.is(message, `CoAP cannot listen on 127.0.0.1:${port}: the port is taken by another program`);
    }
    await second.stop(0);
  }));

/** proto3: secretKey = 1, durationMs = 2 */
const PROTOBUF_CLAIM = Buffer.concat([
  Buffer.from([0x0a, 5]),
  Buffer.from('value'),
  Buffer.from([0x10, 0xe0, 0xd4, 0x03]),
]);

/** Gives a new device a profile with this transport. */
async function provision(world: TransportWorld, transport: TransportConfiguration): Promise<DeviceId> {
  const fields = { name: 'profile', description: null, transport, more: null };
  const profile = await world.profiles.create(TENANT, fields);
  if (profile.type !== 'done') throw new Error(profile.reason);
  return world.provision('TOKEN', { profileId: profile.value.id });
}

test('coap: protobuf where the profile says so, in one datagram and in blocks', () =>
  withCoap({}, async ({ world, open }) => {
    const id = await provision(world, { type: 'COAP', payloadType: 'PROTOBUF' });
    const client = await open();
    const padded = Buffer.concat([PROTOBUF_CLAIM, PROTOBUF_CLAIM]); // the last of a field counts
    for (const answer of [
      await client.claim('TOKEN', PROTOBUF_CLAIM),
      await client.claimInBlocks('TOKEN', padded, 0),
    ]) {
      assert.is(show(answer), 'ACK 2.01');
      const window = (await world.devices.read(id))?.window;
      assert.is(window?.secretDigest, world.secrets.digest(id, 'value'));
      assert.is((window?.closesAt ?? 0) - (window?.openedAt ?? 0), 60_000);
    }
    assert.is(show(await client.claim('TOKEN', '{"secretKey":"value"}')).slice(0, 8), 'ACK 4.00');
  }));

test('coap: a profile for CoAP with JSON is JSON', () =>
  withCoap({}, async ({ world, open }) => {
    await provision(world, { type: 'COAP', payloadType: 'JSON' });
    assert.is(show(await (await open()).claim('TOKEN', '{}')), 'ACK 2.01');
  }));

test('coap: a profile for another transport: 5.00', () =>
  withCoap({}, async ({ world, open }) => {
    const transport = {
      type: 'MQTT',
      payloadType: 'JSON',
      jsonCompatible: false,
      ackMalformed: false,
    } as const;
    await provision(world, transport);
    const answer = await (await open()).claim('TOKEN', '{}');
    assert.is(show(answer), "ACK 5.00 the device's profile is for another transport");
    assert.equal(world.commands, []);
  }));

// Debian names it by how it was built; none of the three is needed here for its TLS.
const withCoapClient = needing([COAP_CLIENT], test);

async function coapClient(args: readonly string[]) {
  const { code, out } = await runProgram(COAP_CLIENT, ['-B', String(PATIENCE_MS / 1_000), ...args]);
  return { code, out: out.trim() };
}

withCoapClient(
  'coap-client: reads attributes and .well-known/core; telemetry is taken, a call has no answer',
  () =>
    withCoap({}, async ({ world, port }) => {
      const id = await world.provision('TOKEN');
      const whose = { tenantId: TENANT, customerId: null, scope: 'SHARED_SCOPE' } as const;
      await world.devices.ask(id, { type: 'SaveAttributes', ...whose, values: { a: 1 } });
      const url = (path: string) => `coap://127.0.0.1:${port}${path}`;
      const post = ['-m', 'post', '-e', '{"t":1}'];
      for (const [args, path, seen] of [
        [[], '/api/v1/TOKEN/attributes?sharedKeys=a,b', '{"shared":{"a":1}}'],
        [[], '/api/v1/TOKEN/attributes?sharedKeys=b', '4.04'],
        [
          [],
          '/.well-known/core?ct=50',
          '</api/v1>;rt="claimd.devices";ct=50;title="{token}/claim, {token}/attributes"',
        ],
        [post, '/api/v1/TOKEN/telemetry', ''],
        [post, '/api/v1/TOKEN/attributes', ''],
        [post, '/api/v1/WRONG/telemetry', '4.01'],
        [
          ['-m', 'post', '-e', '{"method":"x","params":{}}'],
          '/api/v1/TOKEN/rpc',
          '5.03 nobody answers calls here',
        ],
      ] as const) {
        assert.is((await coapClient([...args, url(path)])).out, seen, path);
      }
    }),
);

for (const [what, more, payload] of [
  ['confirmable', [], '{"secretKey":"value"}'],
  ['non-confirmable', ['-N'], '{"secretKey":"value"}'],
  ['in blocks of 64', ['-b', '64'], claimOf(1_000)],
  ['in blocks of 1024', ['-b', '1024'], claimOf(PAYLOAD_BYTES_MAX)],
  ['larger than a datagram', [], claimOf(3_000)],
] as const) {
  withCoapClient(`coap-client: ${what}: the window is open`, () =>
    withCoap({}, async ({ world, port }) => {
      const id = await world.provision('TOKEN');
      const url = `coap://127.0.0.1:${port}/api/v1/TOKEN/claim`;
      const { out } = await coapClient(['-m', 'post', '-t', '50', ...more, '-e', payload, url]);
      assert.is(out, '');
      assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 'value'));
      assert.is(world.commands.length, 1);
    }),
  );
}

withCoapClient('coap-client: refused, and an unknown token: it says so', () =>
  withCoap({}, async ({ world, port }) => {
    await world.assign(await world.provision('TOKEN'));
    const claim = (token: string) =>
      coapClient(['-m', 'post', '-e', '{}', `coap://127.0.0.1:${port}/api/v1/${token}/claim`]);
    assert.is((await claim('TOKEN')).out, '4.09 already-claimed');
    assert.is((await claim('NOBODY')).out, '4.01');
  }),
);

test.run();
