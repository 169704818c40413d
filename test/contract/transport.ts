/**
 * What every transport does with a claim, whatever its bytes look like. A transport joins with a few lines: how to
 * start it, how a device claims over it, and, as data, what a device sees in each situation.
 */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accessToken } from '../../actors/fleet/credentials.ts';
import { pause } from '../kit/until.ts';
import { createTransportWorld, TENANT, type TransportWorld } from './transport-world.ts';

/** What a device sees, in the words of its transport (`PUBACK`, `409`, `closed`, …). */
type Seen = string;

export interface RunningTransport {
  /** One device, with this access token, sends one claim; resolves to what it sees. */
  claim(accessToken: string, payload: string | Buffer): Promise<Seen>;
  stop(): Promise<void>;
}

export interface TransportUnderTest {
  readonly name: string;
  start(world: TransportWorld): Promise<RunningTransport>;
  /** Largest payload that it is started with, in bytes. */
  readonly payloadBytesMax: number;
  readonly sees: {
    readonly opened: Seen;
    readonly refused: Seen;
    /** Refused because it comes too often; without it, as whatever is refused. */
    readonly limited?: Seen;
    readonly malformed: Seen;
    readonly unknownToken: Seen;
    /** When the address has shown too many wrong tokens; without it, it does not show any. */
    readonly blocked?: Seen;
    readonly revoked: Seen;
    readonly unavailable: Seen;
    readonly tooLarge: Seen;
  };
}

/** Runs the suite for one transport. */
export function transportContract({ name, start, payloadBytesMax, sees }: TransportUnderTest): void {
  const law = (
    what: string,
    play: (transport: RunningTransport, world: TransportWorld) => Promise<void>,
    policy?: Parameters<typeof createTransportWorld>[0],
    windows?: Parameters<typeof createTransportWorld>[1],
    wrongTokensMax?: number,
  ): void =>
    test(`transport: ${name}: ${what}`, async () => {
      const world = await createTransportWorld(policy, windows, wrongTokensMax);
      const transport = await start(world);
      try {
        await play(transport, world);
      } finally {
        await transport.stop();
        await world.stop();
      }
    });

  law(
    'an accepted claim has opened the window with this secret and this duration',
    async (transport, world) => {
      const id = await world.provision('T');
      assert.is(await transport.claim('T', '{"secretKey":"value","durationMs":60000}'), sees.opened);
      const window = (await world.devices.read(id))?.window;
      assert.is(window?.secretDigest, world.secrets.digest(id, 'value'));
      assert.is((window?.closesAt ?? 0) - (window?.openedAt ?? 0), 60_000);
    },
  );

  law('no payload is the empty secret for the default duration', async (transport, world) => {
    const id = await world.provision('T');
    assert.is(await transport.claim('T', ''), sees.opened);
    const window = (await world.devices.read(id))?.window;
    assert.is(window?.secretDigest, world.secrets.digest(id, ''));
    assert.is((window?.closesAt ?? 0) - (window?.openedAt ?? 0), 86_400_000);
  });

  law('the secret itself goes no further than the transport', async (transport, world) => {
    await world.provision('T');
    await transport.claim('T', '{"secretKey":"hunter2"}');
    assert.is(world.commands.length, 1);
    assert.not.match(JSON.stringify(world.commands), 'hunter2');
  });

  law('a new claim replaces the open window', async (transport, world) => {
    const id = await world.provision('T');
    await transport.claim('T', '{"secretKey":"old"}');
    assert.is(await transport.claim('T', '{"secretKey":"new"}'), sees.opened);
    assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 'new'));
  });

  law('nothing is acknowledged before the device has answered', async (transport, world) => {
    await world.provision('T');
    let durable = false;
    world.intercept = async (_command, pass) => {
      const answer = await pass();
      await pause(30);
      durable = true;
      return answer;
    };
    assert.is(await transport.claim('T', '{}'), sees.opened);
    assert.ok(durable);
  });

  law('a claim reaches the device whose token it came with, and no other', async (transport, world) => {
    const a = await world.provision('A');
    const b = await world.provision('B');
    await transport.claim('B', '{}');
    assert.is((await world.devices.read(a))?.window, null);
    assert.ok((await world.devices.read(b))?.window);
  });

  law('a device that has an owner is refused', async (transport, world) => {
    const id = await world.provision('T');
    await world.assign(id);
    assert.is(await transport.claim('T', '{}'), sees.refused);
    assert.is((await world.devices.read(id))?.window, null);
  });

  law(
    'a device that may not be claimed is refused',
    async (transport, world) => {
      await world.provision('T');
      assert.is(await transport.claim('T', '{}'), sees.refused);
    },
    { allowClaimingByDefault: false },
  );

  law(
    'a device that opens windows too often is told so, and its window stays as it was',
    async (transport, world) => {
      const id = await world.provision('T');
      for (const secret of ['a', 'b']) {
        assert.is(await transport.claim('T', `{"secretKey":"${secret}"}`), sees.opened);
      }
      assert.is(await transport.claim('T', '{"secretKey":"c"}'), sees.limited ?? sees.refused);
      assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 'b'));
      await world.provision('U');
      assert.is(await transport.claim('U', '{}'), sees.opened, 'another device is not concerned');
    },
    {},
    { max: 2, windowMs: 60_000 },
  );

  const { blocked } = sees;
  if (blocked !== undefined) {
    law(
      'an address that shows wrong tokens has to wait; who has been in before has not',
      async (transport, world) => {
        await world.provision('OLD');
        await world.provision('NEW');
        for (let n = 0; n < 5; n += 1) assert.is(await transport.claim('OLD', '{}'), sees.opened);
        for (const token of ['guess 1', 'guess 2', 'guess 3']) {
          assert.is(await transport.claim(token, '{}'), sees.unknownToken);
        }
        assert.is(await transport.claim('guess 4', '{}'), blocked);
        assert.is(await transport.claim('NEW', '{}'), blocked, 'a good one is not told from a wrong one');
        assert.is(await transport.claim('OLD', '{}'), sees.opened);
      },
      {},
      undefined,
      3,
    );
  }

  const malformed: readonly (string | Buffer)[] = [
    'not json',
    ' ',
    '{"durationMs":"abc"}',
    `{"durationMs":${Number.MAX_SAFE_INTEGER}}`,
    Buffer.from([0xff, 0xfe]),
    '['.repeat(900),
  ];
  for (const payload of malformed) {
    const shown = typeof payload === 'string' ? payload.slice(0, 40) : 'invalid UTF-8';
    law(`malformed, nothing opened, and the next one is served: ${shown}`, async (transport, world) => {
      const id = await world.provision('T');
      assert.is(await transport.claim('T', payload), sees.malformed);
      assert.is((await world.devices.read(id))?.window, null);
      assert.is(await transport.claim('T', '{}'), sees.opened);
    });
  }

  law('an unknown token is turned away', async (transport, world) => {
    await world.provision('T');
    assert.is(await transport.claim('t', '{}'), sees.unknownToken);
    assert.equal(world.commands, []);
  });

  law('a token that was changed no longer works, the new one does', async (transport, world) => {
    const id = await world.provision('OLD');
    await transport.claim('OLD', '{}');
    await world.devices.ask(id, {
      type: 'ChangeCredentials',
      tenantId: TENANT,
      credentials: accessToken(world.secrets, id, 'NEW'),
    });
    assert.is(await transport.claim('OLD', '{}'), sees.unknownToken);
    assert.is(await transport.claim('NEW', '{}'), sees.opened);
  });

  law('revoked between the look-up and the claim', async (transport, world) => {
    await world.provision('T');
    world.intercept = async () => ({ type: 'refused', refusal: { reason: 'credentials-revoked' } });
    assert.is(await transport.claim('T', '{}'), sees.revoked);
  });

  for (const reason of ['overloaded', 'store', 'timeout', 'stopping'] as const) {
    law(`no answer (${reason}) is never taken for success`, async (transport, world) => {
      await world.provision('T');
      world.intercept = async () => ({ type: 'unavailable', reason });
      assert.is(await transport.claim('T', '{}'), sees.unavailable);
      assert.is.not(sees.unavailable, sees.opened);
    });
  }

  law('a payload that is too large opens nothing', async (transport, world) => {
    const id = await world.provision('T');
    assert.is(await transport.claim('T', ' '.repeat(payloadBytesMax * 10)), sees.tooLarge);
    assert.is((await world.devices.read(id))?.window, null);
  });

  law('many devices at once', async (transport, world) => {
    const tokens = Array.from({ length: 50 }, (_, index) => `T${index}`);
    const ids = await Promise.all(tokens.map((token) => world.provision(token)));
    const seen = await Promise.all(tokens.map((token) => transport.claim(token, `{"secretKey":"${token}"}`)));
    assert.equal(new Set(seen), new Set([sees.opened]));
    for (const [index, id] of ids.entries()) {
      assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, `T${index}`));
    }
  });
}
