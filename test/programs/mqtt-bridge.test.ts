/** The bridge over a real Mosquitto: acknowledgements, order, windows, outcomes, trouble, and its end. */
import { type Test, test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CustomerId, UserId } from '../../actors/base/ids.ts';
import { type Log, silentLog } from '../../actors/base/log.ts';
import { LATE_MS } from '../../actors/device/opening.ts';
import { accessToken } from '../../actors/fleet/credentials.ts';
import type { DeviceAnswer } from '../../actors/fleet/devices.ts';
import type { Bridge } from '../../transports/mqtt/bridge/bridge.ts';
import type { BridgeSettings } from '../../transports/mqtt/bridge/settings.ts';
import { connected, connectPublisher, type Publisher, startBridge } from '../contract/transport-bridge.ts';
import { createTransportWorld, TENANT, type TransportWorld } from '../contract/transport-world.ts';
import { createGate } from '../kit/faulty-store.ts';
import { idOf } from '../kit/given.ts';
import { type Mosquitto, startMosquitto } from '../kit/mosquitto.ts';
import { type MqttProxy, type Refusal, startMqttProxy } from '../kit/mqtt-proxy.ts';
import { PATIENCE_MS } from '../kit/patience.ts';
import { cleanUp } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { pause, until } from '../kit/until.ts';

interface Scene {
  readonly world: TransportWorld;
  readonly broker: Mosquitto;
  /** Between the bridge and the broker. */
  readonly proxy: MqttProxy;
  readonly bridge: Bridge;
  readonly device: Publisher;
  /** Another member of the group. */
  join(settings?: Partial<BridgeSettings>): Promise<Bridge>;
}

const law = needing(['mosquitto'], test as Test);
const GATEWAY = { additionalInfo: { gateway: true } };
const LOOKS_MAX = 5;
const CLOSES: readonly Refusal[] = ['connack', 'close'];

async function play(
  settings: Partial<BridgeSettings>,
  act: (scene: Scene) => Promise<void>,
  refuse5?: Refusal,
  log: Log = silentLog,
): Promise<void> {
  const broker = await startMosquitto();
  const proxy = await startMqttProxy(broker.port, refuse5);
  const world = await createTransportWorld();
  const bridges: Bridge[] = [];
  const join = async (more: Partial<BridgeSettings> = {}) => {
    const bridge = await startBridge(world, proxy.url, { connections: 1, ...settings, ...more }, log);
    bridges.push(bridge);
    return bridge;
  };
  const device = await connectPublisher(broker.url);
  try {
    await act({ world, broker, proxy, bridge: await join(), device, join });
  } finally {
    world.intercept = undefined;
    await Promise.all(bridges.map((bridge) => bridge.stop(100)));
    await device.close();
    await proxy.close();
    await broker.stop();
    await world.stop();
    await cleanUp();
  }
}

async function reconnect(proxy: MqttProxy, bridge: Bridge): Promise<void> {
  const before = proxy.versions.length;
  proxy.cut();
  await until('the bridge comes again', () => proxy.versions.length > before);
  await connected(bridge, 1);
}

const STORE_AWAY: DeviceAnswer = { type: 'unavailable', reason: 'store' };
const responseOf = (token: string) => `v1/devices/${token}/claim/response`;
const topicOf = (token: string) => `v1/devices/${token}/claim`;

// ------------------------------------------------------------------------------------------------ acknowledgements

law('bridge: the broker is acknowledged when the window is durable, and not before', () =>
  play({}, async ({ world, proxy, bridge, device }) => {
    const id = await world.provision('T');
    const gate = createGate();
    let asked = 0;
    world.intercept = async (_command, pass) => {
      asked += 1;
      await gate.opened;
      return pass();
    };
    await device.publish(topicOf('T'), '{"secretKey":"s"}');
    await until('the device is asked', () => asked === 1);
    // A message behind it goes the whole way meanwhile: were the first acknowledged, we would have seen it.
    await device.publish(topicOf('NOBODY'), '{}');
    await device.hears(responseOf('NOBODY'));
    await until('that is acknowledged', () => proxy.sent('puback') === 1);
    assert.is(bridge.inFlight, 1);
    assert.is((await world.devices.read(id))?.window, null);
    gate.open();
    await until('the claim is acknowledged', () => proxy.sent('puback') === 2);
    assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 's'));
  }),
);

law(
  'bridge: a message that can never be served is acknowledged, answered and counted, and does not come again',
  () =>
    play({}, async ({ world, proxy, bridge, device }) => {
      await world.provision('T');
      await device.publish(topicOf('T'), 'no json');
      await device.publish(topicOf('NOBODY'), '{}');
      await device.publish('v1/gateways/T/claim', '{"D":{}}'); // T is no gateway
      await until('all are acknowledged', () => proxy.sent('puback') === 3);
      assert.equal(JSON.parse(await device.hears(responseOf('T'))).status, 'malformed');
      assert.equal(JSON.parse(await device.hears(responseOf('NOBODY'))), {
        status: 'refused',
        reason: 'unknown-device',
      });
      assert.equal(JSON.parse(await device.hears('v1/gateways/T/claim/response')).reason, 'not-a-gateway');
      assert.equal([bridge.counts.malformed, bridge.counts.unknown], [1, 2]);
      await reconnect(proxy, bridge);
      await device.publish(topicOf('T'), '{}');
      await until('the next one is served', () => bridge.counts.opened === 1);
      assert.equal([bridge.counts.malformed, bridge.counts.unknown], [1, 2]);
    }),
);

law(
  'bridge: while there is no answer a message is kept and tried again, unacknowledged, and nothing is lost',
  () =>
    play({}, async ({ world, proxy, bridge, device }) => {
      const tokens = Array.from({ length: 20 }, (_, index) => `T${index}`);
      const ids = await Promise.all(tokens.map((token) => world.provision(token)));
      world.intercept = async () => STORE_AWAY;
      for (const token of tokens) await device.publish(topicOf(token), `{"secretKey":"${token}"}`);
      await until('all are here', () => bridge.inFlight === tokens.length);
      const before = bridge.counts.retried;
      await until('they were tried several times', () => bridge.counts.retried >= before + 60);
      assert.is(proxy.sent('puback'), 0);
      assert.is(bridge.inFlight, tokens.length);
      world.intercept = undefined;
      await until('all are acknowledged', () => proxy.sent('puback') === tokens.length);
      for (const [index, id] of ids.entries()) {
        assert.is(
          (await world.devices.read(id))?.window?.secretDigest,
          world.secrets.digest(id, `T${index}`),
        );
      }
    }),
);

law('bridge: failed look-ups are tried again too', () =>
  play({}, async ({ world, proxy, bridge, device }) => {
    await world.provision('T');
    const { StoreUnavailable } = await import('../../actors/store/store.ts');
    world.interceptLookup = async () => {
      throw new StoreUnavailable('test', 'away');
    };
    await device.publish(topicOf('T'), '{}');
    await until('it was tried', () => bridge.counts.retried >= 2);
    assert.is(proxy.sent('puback'), 0);
    world.interceptLookup = undefined;
    await until('it is acknowledged', () => proxy.sent('puback') === 1);
    assert.is(bridge.counts.opened, 1);
  }),
);

law(
  'bridge: a device that publishes again is not looked up again; a token that another device has now is',
  () =>
    play({}, async ({ world, bridge, device }) => {
      const first = await world.provision('T');
      let lookups = 0;
      world.interceptLookup = async (pass) => {
        lookups += 1;
        return pass();
      };
      for (const n of [1, 2, 3]) {
        await device.publish(topicOf('T'), '{}');
        await until(`claim ${n}`, () => bridge.counts.opened === n);
      }
      assert.is(lookups, 1);

      const credentials = accessToken(world.secrets, first, 'U');
      await world.devices.ask(first, { type: 'ChangeCredentials', tenantId: TENANT, credentials });
      await device.publish(topicOf('T'), '{}');
      await until('the old token is refused', () => bridge.counts.unknown === 1);
      const second = await world.provision('T', { name: 'the other device' });
      await device.publish(topicOf('T'), '{"secretKey":"s"}');
      await until('the other device is served', () => bridge.counts.opened === 4);
      const { window } = (await world.devices.read(second)) ?? {};
      assert.is(window?.secretDigest, world.secrets.digest(second, 's'));
    }),
);

law('bridge: QoS 0 is served at most once: without an answer it is dropped', () =>
  play({}, async ({ world, proxy, bridge, device }) => {
    const id = await world.provision('T');
    await device.publish(topicOf('T'), '{"secretKey":"a"}', { qos: 0 });
    await until('it is served', () => bridge.counts.opened === 1);
    assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 'a'));
    world.intercept = async () => STORE_AWAY;
    await device.publish(topicOf('T'), '{}', { qos: 0 });
    await until('it is dropped', () => bridge.counts.dropped === 1);
    assert.equal([bridge.inFlight, bridge.counts.retried, proxy.sent('puback')], [0, 0, 0]);
  }),
);

// ------------------------------------------------------------------------------------------------ order and windows

law("bridge: one device's messages are served in the order they came, while others do not wait for it", () =>
  play({}, async ({ world, bridge, device }) => {
    const id = await world.provision('SLOW');
    await world.provision('QUICK');
    const gate = createGate();
    const digests: string[] = [];
    let slow = 0;
    world.intercept = async (command, pass) => {
      if (command.type === 'InitiateClaim' && command.openedBy.type === 'device') {
        if (command.openedBy.credentialsId === world.secrets.credentialsId('SLOW')) {
          slow += 1;
          if (slow === 1) await gate.opened;
          digests.push(command.secretDigest);
          if (slow % 7 === 0) return STORE_AWAY; // tried again, with the others still behind it
        }
      }
      return pass();
    };
    const secrets = Array.from({ length: 60 }, (_, index) => `s${index}`);
    for (const secret of secrets) await device.publish(topicOf('SLOW'), `{"secretKey":"${secret}"}`);
    await device.publish(topicOf('QUICK'), '{}');
    await device.hears(responseOf('QUICK'));
    assert.is(slow, 1);
    gate.open();
    await until('all are served', () => bridge.counts.opened === secrets.length + 1);
    const inOrder = secrets.map((secret) => world.secrets.digest(id, secret));
    assert.equal([...new Set(digests)], inOrder);
    assert.is((await world.devices.read(id))?.window?.secretDigest, inOrder.at(-1));
  }),
);

law(
  'bridge: a device that floods is refused, told of in the log, and does not fill the windows for the others',
  () => {
    const lines: { readonly fields: object; readonly message: string }[] = [];
    const log: Log = { ...silentLog, warn: (fields, message) => void lines.push({ fields, message }) };
    return play(
      { inFlightMax: 50, lineMax: 10 },
      async ({ world, bridge, device }) => {
        const id = await world.provision('FLOOD');
        await world.provision('OTHER');
        const gate = createGate();
        let asked = 0;
        world.intercept = async (command, pass) => {
          const floods = command.type === 'InitiateClaim' && command.openedBy.type === 'device';
          const flooding = world.secrets.credentialsId('FLOOD');
          if (floods && command.openedBy.credentialsId === flooding) {
            asked += 1;
            await gate.opened;
          }
          return pass();
        };
        await device.publish(topicOf('FLOOD'), '{}');
        await until('it is known whose token it is', () => asked === 1);
        for (let count = 1; count < 200; count++) await device.publish(topicOf('FLOOD'), '{}');
        await device.publish(topicOf('OTHER'), '{}');
        await device.hears(responseOf('OTHER'));
        assert.equal(JSON.parse(await device.hears(responseOf('FLOOD'))), {
          status: 'refused',
          reason: 'too-many-messages',
        });
        gate.open();
        await until('those that waited are served', () => bridge.inFlight === 0);
        assert.equal([bridge.counts.opened, bridge.counts.refused], [1 + 10 + 1, 189]);
        const ofLimit = lines.filter(({ message }) => message.startsWith('a limit was reached'));
        assert.equal(ofLimit[0]?.fields, { deviceId: id, kind: 'device', lineMax: 10 });
        assert.ok(ofLimit.length < 189, `one line a second, and not ${ofLimit.length}`);
        assert.not.match(JSON.stringify(lines), /FLOOD/, 'a token is a secret');
      },
      undefined,
      log,
    );
  },
);

for (const refuse5 of [undefined, 'connack'] as const) {
  const version = refuse5 === undefined ? '5' : '3.1.1';
  law(`bridge: MQTT ${version}: many are under way at once, and no more than the window`, () =>
    play(
      { inFlightMax: 50 },
      async ({ world, proxy, bridge, device }) => {
        const tokens = Array.from({ length: 120 }, (_, index) => `T${index}`);
        await Promise.all(tokens.map((token) => world.provision(token)));
        const gate = createGate();
        let most = 0;
        // Looked at with each command, which is when there are most: a timer may not run once between two of them.
        world.intercept = async (_command, pass) => {
          most = Math.max(most, bridge.inFlight);
          await gate.opened;
          return pass();
        };
        for (const token of tokens) await device.publish(topicOf(token), '{}');
        await until('the window is full', () => bridge.inFlight === 50);
        gate.open();
        await until('all are acknowledged', () => proxy.sent('puback') === tokens.length);
        assert.is(most, 50);
        assert.is(bridge.counts.opened, tokens.length);
      },
      refuse5,
    ),
  );
}

law('bridge: a full window for longer than the keep-alive does not cost the connection', () =>
  play(
    { inFlightMax: 5, keepAliveSeconds: 4 }, // the broker gives up after six seconds of silence
    async ({ world, proxy, bridge, device }) => {
      await world.provision('T');
      const gate = createGate();
      world.intercept = async (_command, pass) => {
        await gate.opened;
        return pass();
      };
      const connections = () => proxy.versions.filter((version) => version === 4).length;
      // Where one of us stands still for so long, the broker gives a connection up with reason: then it is looked at with the next.
      let looked = 0;
      for (let held = false; !held; ) {
        assert.ok(looked < LOOKS_MAX, 'no connection outlives four pings');
        looked += 1;
        const [now, before] = [connections(), proxy.sent('pingreq')];
        await connected(bridge, 1);
        for (let count = 0; count < 10; count++) await device.publish(topicOf('T'), '{}');
        await until('the window is full', () => bridge.inFlight >= 5);
        await until('pings went on', () => proxy.sent('pingreq') >= before + 4 || connections() > now);
        held = connections() === now;
      }
      gate.open();
      await until('all are acknowledged', () => proxy.sent('puback') === 10);
    },
    'connack',
  ),
);

// ---------------------------------------------------------------------------------------------------------- outcomes

law('bridge: the response topic and correlation data of MQTT 5 are honoured', () =>
  play({}, async ({ world, device }) => {
    await world.provision('T');
    const correlationData = Buffer.from([0, 1, 255]);
    await device.publish(topicOf('T'), '{}', { responseTopic: 'v1/devices/T/answers/1', correlationData });
    assert.is(JSON.parse(await device.hears('v1/devices/T/answers/1')).status, 'opened');
    const answer = device.heard.find(({ topic }) => topic === 'v1/devices/T/answers/1');
    assert.equal(answer?.properties?.correlationData, correlationData);
    // Where the broker prefixes what a device publishes, the device does not know of the prefix.
    await device.publish('T/v1/devices/me/claim', '{}', { responseTopic: 'answers/2' });
    assert.is(JSON.parse(await device.hears('T/answers/2')).status, 'opened');
    await device.publish('T/v2/c/j', '{}', { responseTopic: 'T/answers/3' });
    assert.is(JSON.parse(await device.hears('T/answers/3')).status, 'opened');
  }),
);

law("bridge: no response topic makes us publish on another device's topic, or open its window", () =>
  play({}, async ({ world, bridge, device }) => {
    await world.provision('T');
    const victim = await world.provision('VICTIM');
    const correlationData = Buffer.from('c');
    for (const responseTopic of [topicOf('VICTIM'), responseOf('VICTIM'), 'elsewhere', '$SYS/x']) {
      await device.publish(topicOf('T'), '{}', { responseTopic, correlationData });
    }
    await until('all are served', () => bridge.counts.opened === 4);
    const told = () => device.heard.filter(({ topic }) => topic === responseOf('T'));
    await until('all are told where they always are', () => told().length === 4);
    assert.equal(told()[0]?.properties?.correlationData, correlationData);
    assert.equal(
      device.heard.filter(({ topic }) => topic.includes('VICTIM') || topic === 'elsewhere'),
      [],
    );
    assert.is((await world.devices.read(victim))?.window, null);
  }),
);

law('bridge: where any response topic is allowed, still none on which claims are taken', () =>
  play({ responseTopics: 'any' }, async ({ world, bridge, device }) => {
    await world.provision('T');
    const victim = await world.provision('VICTIM');
    await device.publish(topicOf('T'), '{}', { responseTopic: 'elsewhere' });
    assert.is(JSON.parse(await device.hears('elsewhere')).status, 'opened');
    await device.publish(topicOf('T'), '{}', { responseTopic: topicOf('VICTIM') });
    await device.hears(responseOf('T'));
    assert.is(bridge.counts.opened, 2);
    assert.is((await world.devices.read(victim))?.window, null);
  }),
);

law('bridge: without responses, outcomes go only to response topics', () =>
  play({ responses: false }, async ({ world, device }) => {
    await world.provision('T');
    await device.publish(topicOf('T'), '{}');
    await device.publish(topicOf('T'), '{}', { responseTopic: 'v1/devices/T/asked' });
    await device.hears('v1/devices/T/asked');
    assert.not.ok(device.heard.some(({ topic }) => topic === responseOf('T')));
  }),
);

law('bridge: a gateway opens windows for the devices behind it and hears of each', () =>
  play({}, async ({ world, proxy, device }) => {
    await world.provision('G', GATEWAY);
    const owned = await world.provision('OWNED', { name: 'Owned' });
    await world.assign(owned);
    const batch = { 'New 1': { secretKey: 'a' }, 'New 2': {}, Owned: {}, Odd: { durationMs: 'x' } };
    await device.publish('G/v1/gateway/claim', JSON.stringify(batch));
    const told = JSON.parse(await device.hears('G/v1/gateway/claim/response'));
    assert.equal(
      Object.entries<{ status: string }>(told)
        .map(([name, { status }]) => `${name}: ${status}`)
        .sort(),
      ['New 1: opened', 'New 2: opened', 'Odd: malformed', 'Owned: refused'],
    );
    await until('it is acknowledged once', () => proxy.sent('puback') === 1);
    const id = await world.directory.idOf(TENANT, 'New 1');
    assert.ok(id !== undefined && (await world.devices.read(id))?.window);
  }),
);

law('bridge: a gateway need not send again a batch of which half got no answer: we try again', () =>
  play({}, async ({ world, proxy, bridge, device }) => {
    await world.provision('G', GATEWAY);
    let asked = 0;
    world.intercept = async (command, pass) =>
      command.type === 'InitiateClaim' && ++asked === 2 ? STORE_AWAY : pass();
    await device.publish('v1/gateways/G/claim', '{"A":{},"B":{},"C":{}}');
    const told = JSON.parse(await device.hears('v1/gateways/G/claim/response'));
    assert.equal(
      Object.values<{ status: string }>(told).map(({ status }) => status),
      ['opened', 'opened', 'opened'],
    );
    assert.is(bridge.counts.retried, 1);
    await until('it is acknowledged once', () => proxy.sent('puback') === 1);
  }),
);

law('bridge: a late retry does not replace the window of a newer message, and the outcome says so', () =>
  play({}, async ({ world, device, bridge, join }) => {
    const id = await world.provision('T');
    const other = await join();
    await connected(other, 1);
    const old = world.secrets.digest(id, 'old');
    let isAway = true;
    world.intercept = async (command, pass) =>
      isAway && command.type === 'InitiateClaim' && command.secretDigest === old ? STORE_AWAY : pass();
    const retried = () => bridge.counts.retried + other.counts.retried;
    await device.publish(topicOf('T'), '{"secretKey":"old"}', { correlationData: Buffer.from('old') });
    await until('it is tried again', () => retried() > 0);
    // Sent until one goes to the other member of the group: behind the old one it would wait.
    await until('a newer one is opened', async () => {
      await device.publish(topicOf('T'), '{"secretKey":"new"}');
      await pause(100);
      return bridge.counts.opened + other.counts.opened > 0;
    });
    assert.is(JSON.parse(await device.hears(responseOf('T'))).status, 'opened');
    await pause(LATE_MS + 100);
    isAway = false;
    const told = () =>
      device.heard.flatMap(({ topic, properties, payload }) =>
        topic === responseOf('T') && String(properties?.correlationData) === 'old'
          ? [JSON.parse(String(payload)).reason]
          : [],
      );
    await until('the late one is told so', () => told().length > 0);
    assert.equal(told(), ['superseded']);
    assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 'new'));
  }),
);

law('bridge: credentials other than tokens count only where the broker is trusted', () =>
  play({}, async ({ world, device, join, bridge }) => {
    await world.provision('B', {
      credentials: {
        type: 'MQTT_BASIC',
        credentialsId: world.secrets.credentialsId('basic-id'),
        clientId: null,
        userName: 'basic-id',
        sealedPassword: null,
      },
    });
    await device.publish(topicOf('basic-id'), '{}');
    assert.is(JSON.parse(await device.hears(responseOf('basic-id'))).reason, 'unknown-device');
    await bridge.stop(1_000);
    const trusting = await join({ trustBroker: true });
    await device.publish(topicOf('basic-id'), '{}');
    await until('it is served', () => trusting.counts.opened === 1);
  }),
);

// ----------------------------------------------------------------------------------------------- versions, trouble

for (const refuse5 of CLOSES) {
  law(`bridge: a broker without MQTT 5 (${refuse5}) gets 3.1.1`, () =>
    play(
      {},
      async ({ world, proxy, bridge, device }) => {
        assert.equal([...bridge.versions], [4]);
        assert.equal(proxy.versions.slice(0, 2), [5, 4]);
        await world.provision('T');
        await device.publish(topicOf('T'), '{}');
        assert.is(JSON.parse(await device.hears(responseOf('T'))).status, 'opened');
        await until('it is acknowledged', () => proxy.sent('puback') === 1);
      },
      refuse5,
    ),
  );
}

law('bridge: after the broker was killed it connects and serves again', () =>
  play({ connections: 3 }, async ({ world, broker, bridge, device }) => {
    await world.provision('T');
    await broker.kill();
    await until('the links are down', () => bridge.connected === 0);
    await broker.restart();
    await connected(bridge, 3);
    await until('the device is back', () => device.client.connected);
    await device.publish(topicOf('T'), '{}');
    await until('it is served', () => bridge.counts.opened === 1);
  }),
);

law('bridge: starts before there is a broker', async () => {
  const broker = await startMosquitto();
  await broker.stop();
  const world = await createTransportWorld();
  const starting = startBridge(world, broker.url, { connections: 1 });
  await broker.restart();
  const bridge = await starting;
  await bridge.stop(100);
  await broker.stop();
  await world.stop();
  await cleanUp();
});

law('bridge: messages of a lost connection are finished, and never acknowledged over the next', () =>
  play({}, async ({ world, proxy, bridge, device }) => {
    const id = await world.provision('T');
    const gate = createGate();
    let asked = 0;
    world.intercept = async (_command, pass) => {
      asked += 1;
      await gate.opened;
      return pass();
    };
    await device.publish(topicOf('T'), '{"secretKey":"s"}');
    await until('the device is asked', () => asked === 1);
    await reconnect(proxy, bridge);
    gate.open();
    await until('it is served', () => bridge.counts.opened >= 1);
    assert.is((await world.devices.read(id))?.window?.secretDigest, world.secrets.digest(id, 's'));
    // One that comes over the new connection is acknowledged; the old one is not, under whatever identifier.
    await device.publish(topicOf('NOBODY'), '{}');
    await until('that is acknowledged', () => proxy.sent('puback') === 1);
    assert.is(proxy.sent('puback'), 1);
  }),
);

// --------------------------------------------------------------------------------------------- many nodes; the end

law('bridge: members of a group share the messages: each is served by one of them', () =>
  play({}, async ({ world, bridge, device, join }) => {
    const other = await join();
    const stranger = await join({ group: 'another' });
    const tokens = Array.from({ length: 40 }, (_, index) => `T${index}`);
    await Promise.all(tokens.map((token) => world.provision(token)));
    for (const token of tokens) await device.publish(topicOf(token), '{}');
    await until('all are served', () => bridge.counts.opened + other.counts.opened === tokens.length);
    assert.ok(bridge.counts.opened > 0 && other.counts.opened > 0);
    await until('another group has them all too', () => stranger.counts.opened === tokens.length);
  }),
);

law('bridge: of rivals for a window that was opened over the broker, one becomes the owner', () =>
  play({}, async ({ world, device }) => {
    const id = await world.provision('T');
    await device.publish(topicOf('T'), '{"secretKey":"s"}');
    await device.hears(responseOf('T'));
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        world.devices.ask(id, {
          type: 'ConfirmClaim',
          tenantId: TENANT,
          customerId: idOf<CustomerId>(100 + index),
          userId: idOf<UserId>(200),
          secretDigest: world.secrets.digest(id, 's'),
        }),
      ),
    );
    assert.is(answers.filter(({ type }) => type === 'accepted').length, 1);
    await device.publish(topicOf('T'), '{}');
    const refused = () =>
      device.heard.filter(
        ({ topic, payload }) => topic === responseOf('T') && String(payload).includes('refused'),
      );
    await until('the device hears that it is owned', () => refused().length === 1);
  }),
);

law('bridge: stopping takes nothing new, finishes and acknowledges what is under way', () =>
  play({}, async ({ world, proxy, bridge, device, join }) => {
    await world.provision('T');
    await world.provision('LATER');
    const gate = createGate();
    world.intercept = async (_command, pass) => {
      await gate.opened;
      return pass();
    };
    await device.publish(topicOf('T'), '{}');
    await until('it is under way', () => bridge.inFlight === 1);
    const stopped = bridge.stop(PATIENCE_MS);
    await until('the broker knows', () => proxy.sent('unsubscribe') === 1);
    world.intercept = undefined;
    const other = await join();
    await device.publish(topicOf('LATER'), '{}');
    await until('the other has what is new', () => other.counts.opened === 1);
    gate.open();
    await stopped;
    assert.equal([bridge.counts.opened, bridge.inFlight], [1, 0]);
    await until('both are acknowledged', () => proxy.sent('puback') === 2);
    await until('it has said goodbye', () => proxy.sent('disconnect') === 1);
  }),
);

law('bridge: stopping does not wait longer than it may, and acknowledges nothing that is not done', () =>
  play({}, async ({ world, proxy, bridge, device }) => {
    await world.provision('T');
    world.intercept = async () => STORE_AWAY;
    await device.publish(topicOf('T'), '{}');
    await device.publish(topicOf('T'), '{}');
    await until('both are here', () => bridge.inFlight === 2 && bridge.counts.retried > 0);
    await bridge.stop(200);
    await until('all is let go', () => bridge.inFlight === 0);
    assert.is(bridge.counts.dropped, 2);
    assert.is(proxy.sent('puback'), 0);
  }),
);

test.run();
