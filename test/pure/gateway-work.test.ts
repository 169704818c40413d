/** What gateways ask for waits in a bounded room, in messages and in bytes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import { startActorSystem, stop } from '../../actors/runtime/nact.ts';
import { type GatewayWorkLimits, spawnGatewayWork } from '../../transports/mqtt/endpoint/gateway-actor.ts';
import { idOf } from '../kit/given.ts';
import { settled } from '../kit/until.ts';

const [GREEDY, OTHER] = [idOf<DeviceId>(1), idOf<DeviceId>(2)];

function law(
  name: string,
  limits: GatewayWorkLimits,
  play: (scene: {
    /** Whether a message is taken. */
    sends(gateway: DeviceId, bytes: number): boolean;
    /** All that was taken is done. */
    finish(): Promise<void>;
  }) => Promise<void>,
): void {
  test(name, async () => {
    const root = startActorSystem();
    const work = spawnGatewayWork(root, limits);
    let ends: (() => void)[] = [];
    try {
      await play({
        sends: (gateway, bytes) =>
          work.tell({
            gateway,
            bytes,
            perform: () => new Promise((resolve) => void ends.push(resolve)),
            fail(error) {
              throw error;
            },
          }),
        async finish() {
          while (ends.length > 0) {
            const some = ends;
            ends = [];
            for (const end of some) end();
            await settled();
          }
        },
      });
    } finally {
      stop(root);
    }
  });
}

law(
  'attack: what waits of many gateways is bounded in bytes, and each has room for a message all the same',
  { messagesMax: 200, messageBytesMax: 100, bytesMax: 1_000 },
  async ({ sends, finish }) => {
    for (let n = 0; n < 10; n += 1) assert.ok(sends(GREEDY, 100));
    assert.not(sends(GREEDY, 1));
    assert.ok(sends(OTHER, 60));
    assert.ok(sends(OTHER, 40));
    assert.not(sends(OTHER, 1));
    await finish();
    for (let n = 0; n < 10; n += 1) assert.ok(sends(GREEDY, 100), 'what is done takes no room');
    await finish();
  },
);

law(
  'gateway work: a message that is one too many takes no room',
  { messagesMax: 2, messageBytesMax: 100, bytesMax: 1_000 },
  async ({ sends, finish }) => {
    assert.equal(
      [1, 2, 3].map(() => sends(GREEDY, 400)),
      [true, true, false],
    );
    assert.ok(sends(OTHER, 200));
    await finish();
  },
);

test.run();
