/**
 * A flood over MQTT holds up nobody but who sends it, whatever kind of packet it is made of. Nothing here depends on how fast
 * the machine is: it is counted how many packets of the flood are handled while a device beside it waits for one answer.
 */
import { connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Framer } from '../../transports/mqtt/endpoint/framer.ts';
import { withMqtt } from '../contract/transport-mqtt.ts';
import { connectPacket, RawMqttClient } from '../kit/mqtt-client.ts';
import { bytesOf, FLOODS, type Flood, piece, storm } from '../kit/mqtt-floods.ts';
import { until } from '../kit/until.ts';

const FLOODING = 4;
const ROUND_TRIPS = 15;
/** Packets between two that are answered for certain. */
const BETWEEN = 49;
/**
 * Packets of one flooding connection that are handled during one round trip of a device. A connection may have 200 cheap ones
 * handled in one turn of the event loop, and a round trip takes a few turns.
 */
const BESIDE_ONE_MAX = 1_500;

const PINGRESP = 0xd0;

/** Floods from this process; counts what was handled, by the answers to the PINGREQs in between. */
function floodFrom(port: number, token: string, what: Flood) {
  const socket = connect({ host: '127.0.0.1', port });
  const { version, packets, first = [] } = what;
  const pings = packets.some(({ cmd }) => cmd === 'pingreq');
  const between = pings ? [] : Array.from({ length: BETWEEN }, () => packets).flat();
  const many = piece(bytesOf(version, [...between, { cmd: 'pingreq' }]));
  const framer = new Framer(1_000_000);
  let pongs = 0;
  let closed = false;
  const pour = () => {
    while (!closed && socket.write(many)) {}
  };
  socket.on('connect', () => {
    socket.write(bytesOf(version, [connectPacket(version, token), ...first]));
    pour();
  });
  socket.on('drain', pour);
  socket.on('data', (chunk) => {
    framer.feed(chunk);
    for (let next = framer.next(); Buffer.isBuffer(next); next = framer.next()) {
      if (next[0] === PINGRESP) pongs += 1;
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  return {
    get handled() {
      return pongs * (between.length + 1);
    },
    get closed() {
      return closed;
    },
    stop: () => socket.destroy(),
  };
}

for (const what of FLOODS.filter(({ deaf, storm }) => deaf !== true && storm === undefined)) {
  test(`mqtt: floods: ${what.name}: a device beside it is answered after a few turns`, () =>
    withMqtt({}, async ({ world, port }) => {
      const asGateway = what.asGateway === true ? { additionalInfo: { gateway: true } } : {};
      for (let at = 0; at < FLOODING; at += 1) await world.provision(`FLOOD-${at}`, asGateway);
      await world.provision('DEVICE');
      const device = await RawMqttClient.connect(port, 4, 'DEVICE');
      const floods = Array.from({ length: FLOODING }, (_, at) => floodFrom(port, `FLOOD-${at}`, what));
      try {
        await until('every flood has begun', () =>
          floods.every(({ handled, closed }) => handled > 0 || closed),
        );
        const before = floods.reduce((sum, { handled }) => sum + handled, 0);
        for (let trip = 0; trip < ROUND_TRIPS; trip += 1) {
          await device.untilPong();
        }
        const after = floods.reduce((sum, { handled }) => sum + handled, 0);
        const besideOne = (after - before) / FLOODING / ROUND_TRIPS;
        assert.ok(besideOne < BESIDE_ONE_MAX, `${Math.round(besideOne)} packets of each flood were first`);
        assert.equal(
          floods.map(({ closed }) => closed),
          floods.map(() => false),
          'who floods is served, in its turn',
        );
      } finally {
        for (const one of floods) one.stop();
        await device.close();
      }
    }));
}

/**
 * Connections of all storms together that are served during one round trip of a device. Node accepts one in each turn of the
 * event loop; a version that accepts all at once would show here.
 */
const CONNECTIONS_BESIDE_ONE_MAX = 60;

// Who says nothing closes by itself, so there is nothing to count.
for (const what of FLOODS.filter((one) => one.storm === 'right' || one.storm === 'wrong')) {
  test(`mqtt: floods: ${what.name}: a device beside it is answered after a few connections`, () =>
    withMqtt({}, async ({ world, port }) => {
      for (let at = 0; at < FLOODING; at += 1) await world.provision(`FLOOD-${at}`);
      await world.provision('DEVICE');
      const device = await RawMqttClient.connect(port, 4, 'DEVICE');
      const storms = Array.from({ length: FLOODING }, (_, at) => storm(port, `FLOOD-${at}`, what));
      const served = () => storms.reduce((sum, { ended }) => sum + ended, 0);
      try {
        await until('every storm has begun', () => storms.every(({ ended }) => ended > 0));
        const before = served();
        for (let trip = 0; trip < ROUND_TRIPS; trip += 1) await device.untilPong();
        const besideOne = (served() - before) / ROUND_TRIPS;
        assert.ok(besideOne < CONNECTIONS_BESIDE_ONE_MAX, `${Math.round(besideOne)} connections were first`);
        const late = await RawMqttClient.connect(port, 4, 'DEVICE');
        await late.close();
      } finally {
        for (const one of storms) one.stop();
        await device.close();
      }
    }));
}

const VOLLEY = 1_000;

test('mqtt: floods: CONNECTs of many open connections at once: a device beside them does not wait for all', () =>
  withMqtt({ connectTimeoutMs: 600_000 }, async ({ world, port, open }) => {
    await world.provision('DEVICE');
    for (let at = 0; at < FLOODING; at += 1) await world.provision(`FLOOD-${at}`);
    const device = await RawMqttClient.connect(port, 4, 'DEVICE');
    const many: RawMqttClient[] = [];
    for (let at = 0; at < VOLLEY; at += 1) many.push(await open(4));
    for (const [at, client] of many.entries()) client.send(connectPacket(4, `FLOOD-${at % FLOODING}`));
    await device.untilPong();
    const answered = () => many.filter(({ packets, isClosed }) => packets.length > 0 || isClosed).length;
    const first = answered();
    assert.ok(first < VOLLEY / 2, `${first} of ${VOLLEY} were first`);
    await until('all are answered or taken over', () => answered() === VOLLEY);
    await device.close();
  }));

test.run();
