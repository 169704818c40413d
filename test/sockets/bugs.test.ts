/**
 * Where a bug ends (`actors/runtime/supervision.ts`): the smallest thing it may have damaged, never unlogged, never taken
 * for a store that is away; and nobody else notices.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Log, silentLog } from '../../actors/base/log.ts';
import { createTokenGuard } from '../../actors/claiming/wrong-tokens.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import { withCoap } from '../contract/transport-coap.ts';
import { type MqttScene, withMqtt } from '../contract/transport-mqtt.ts';
import type { TransportWorld } from '../contract/transport-world.ts';
import { claimPacket, connectPacket } from '../kit/mqtt-client.ts';
import { until } from '../kit/until.ts';

/** A log that notes what errors say. */
function noting(): { readonly log: Log; readonly bugs: string[] } {
  const bugs: string[] = [];
  const log: Log = {
    ...silentLog,
    error: (fields, message) => bugs.push(`${message}: ${'err' in fields ? fields.err : ''}`),
  };
  return { log, bugs };
}

const bug = () => Promise.reject(new Error('a bug'));
const away = () => Promise.reject(new StoreUnavailable('test', 'away'));
const GATEWAY = { additionalInfo: { gateway: true } };

const gatewayClaim = (messageId: number, names: readonly string[]) => ({
  cmd: 'publish' as const,
  topic: 'v1/gateway/claim',
  qos: 1 as const,
  payload: JSON.stringify(Object.fromEntries(names.map((name) => [name, {}]))),
  dup: false,
  retain: false,
  messageId,
});

/** Somebody else's session goes on being served. */
async function othersAreServed({ world, connect }: MqttScene): Promise<void> {
  await world.provision('OTHER');
  const other = await connect(4, 'OTHER');
  other.send(claimPacket(1, 1));
  await other.next('puback');
}

/** Plays against an endpoint whose world was changed before it was created. */
function withBugs(
  play: (scene: MqttScene, bugs: string[]) => Promise<void>,
  change: (world: TransportWorld) => Partial<TransportWorld> = () => ({}),
): Promise<void> {
  const { log, bugs } = noting();
  return withMqtt({}, (scene) => play(scene, bugs), { log, change });
}

test('bugs: MQTT: on looking up who connects: closed without CONNACK, logged', () =>
  withBugs(async (scene, bugs) => {
    const client = await scene.open(4);
    scene.world.interceptLookup = bug;
    client.send(connectPacket(4, 'T'));
    assert.equal(await client.untilClosed(), []);
    assert.equal(bugs, ['bug: an MQTT session ends: Error: a bug']);
    scene.world.interceptLookup = undefined;
    await othersAreServed(scene);
  }));

test('bugs: MQTT: on looking up a profile: closed without CONNACK, logged', () =>
  withBugs(
    async (scene, bugs) => {
      await scene.world.provision('T');
      const client = await scene.open(4);
      client.send(connectPacket(4, 'T'));
      assert.equal(await client.untilClosed(), []);
      assert.equal(bugs, ['bug: an MQTT session ends: Error: a bug']);
    },
    (world) => ({ profiles: { ...world.profiles, payloadRules: bug } }),
  ));

test('bugs: MQTT: on the way to an answer: no acknowledgement, closed, logged', () =>
  withBugs(async (scene, bugs) => {
    await scene.world.provision('T');
    const client = await scene.connect(5, 'T');
    scene.world.intercept = bug;
    client.send(claimPacket(1, 1));
    assert.equal(await client.untilClosed(), []);
    assert.equal(bugs, ['bug: an MQTT session ends: Error: a bug']);
    scene.world.intercept = undefined;
    await othersAreServed(scene);
  }));

test('bugs: MQTT: met after the session has left: logged all the same', () =>
  withBugs(async (scene, bugs) => {
    await scene.world.provision('T');
    const client = await scene.connect(4, 'T');
    let fail = () => {};
    let asked = false;
    scene.world.intercept = () =>
      new Promise((_resolve, reject) => {
        asked = true;
        fail = () => reject(new Error('a bug'));
      });
    client.send(claimPacket(1, 1));
    await until('the device is asked', () => asked);
    await client.close();
    await until('the session has left', () => scene.endpoint.connections === 0);
    fail();
    await until('it is logged', () => bugs.length > 0);
    assert.equal(bugs, ['bug: an MQTT session ends: Error: a bug']);
  }));

test('bugs: gateway: on a look-up: no acknowledgement, closed, logged; its next message is carried out', () =>
  withBugs(
    async (scene, bugs) => {
      await scene.world.provision('G', GATEWAY);
      const client = await scene.connect(5, 'G');
      client.send(gatewayClaim(1, ['A']));
      assert.equal(await client.untilClosed(), []);
      assert.equal(bugs, ['bug: an MQTT session ends: Error: a bug']);
      const again = await scene.connect(5, 'G');
      again.send(gatewayClaim(2, ['A']));
      assert.is((await again.next('puback')).reasonCode ?? 0, 0);
    },
    (world) => {
      let reads = 0;
      const read: typeof world.devices.read = (id) => (++reads === 1 ? bug() : world.devices.read(id));
      return { devices: { ask: (id, command) => world.devices.ask(id, command), read } };
    },
  ));

test('bugs: gateway: a store that is away is none: DISCONNECT, nothing logged as an error', () =>
  withBugs(
    async (scene, bugs) => {
      await scene.world.provision('G', GATEWAY);
      const client = await scene.connect(5, 'G');
      client.send(gatewayClaim(1, ['A']));
      assert.equal(
        (await client.untilClosed()).map(({ cmd }) => cmd),
        ['disconnect'],
      );
      assert.equal(bugs, []);
    },
    (world) => ({ devices: { ask: (id, command) => world.devices.ask(id, command), read: away } }),
  ));

test('bugs: gateway: of many devices one cannot be looked up: the others are done before the message is', () =>
  withBugs(
    async (scene, bugs) => {
      await scene.world.provision('G', GATEWAY);
      const client = await scene.connect(5, 'G');
      client.send(gatewayClaim(1, ['A', 'LOST', 'B']));
      assert.equal(
        (await client.untilClosed()).map(({ cmd }) => cmd),
        ['disconnect'],
      );
      const opened = scene.world.commands.filter(({ type }) => type === 'InitiateClaim').length;
      assert.equal([opened, bugs], [2, []]);
    },
    (world) => ({
      directory: {
        ...world.directory,
        idOf: async (tenant, name) => (name === 'LOST' ? away() : world.directory.idOf(tenant, name)),
      },
    }),
  ));

test('bugs: CoAP: 5.00, logged, and the next request is served', () => {
  const { log, bugs } = noting();
  return withCoap(
    {},
    async ({ world, open }) => {
      await world.provision('T');
      world.interceptLookup = bug;
      const client = await open();
      assert.is((await client.claim('T', '{}')).code, (5 << 5) | 0);
      assert.equal(bugs, ['bug: a CoAP request is answered 5.00: Error: a bug']);
      world.interceptLookup = undefined;
      assert.is((await client.claim('T', '{}')).code, (2 << 5) | 1);
    },
    undefined,
    log,
  );
});

test('bugs: counting wrong tokens: a bug is not taken for counters that are away', async () => {
  const counters = (fails: () => Promise<never>): Counters => {
    return () => ({ get: fails, add: fails });
  };
  const admit = (fails: () => Promise<never>) =>
    createTokenGuard('test', { max: 1, windowMs: 1_000 }, counters(fails)).admit(
      '192.0.2.1',
      async () => undefined,
    );
  assert.equal(await admit(away), { type: 'unknown' });
  assert.match(String(await admit(bug).catch((error: unknown) => error)), 'a bug');
});

test.run();
