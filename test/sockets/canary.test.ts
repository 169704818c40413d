/**
 * What we use of libraries with sockets and they do not document, or not in this way. Each test names the place of ours
 * that breaks when an update changes it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import packets, { type Packet } from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocketServer } from 'ws';
import {
  connectClient,
  type MqttClient,
  type Publication,
  pingWithoutAnswer,
  writeBytes,
} from '../../transports/mqtt/bridge/mqtt-client.ts';
import { BRIDGE_DEFAULTS } from '../../transports/mqtt/bridge/settings.ts';
import { encodeSuccess } from '../../transports/mqtt/endpoint/codec.ts';
import { pause, until } from '../kit/until.ts';

interface Broker {
  readonly received: Packet[];
  /** Of the client's socket. */
  readonly socket: () => Socket;
  readonly client: MqttClient;
  /** Publications that the client has handed on, with how to have it go on. */
  readonly taken: { readonly packet: Publication; release(): void }[];
  publish(messageId: number, bytes?: number): void;
}

/** A client of ours at a broker that accepts it and does nothing else by itself. */
async function withBroker(play: (broker: Broker) => Promise<void>, answersPings = true): Promise<void> {
  const received: Packet[] = [];
  let socket: Socket | undefined;
  const server: Server = createServer((accepted) => {
    socket = accepted;
    const parser = packets.parser({ protocolVersion: 5 });
    parser.on('packet', (packet) => {
      received.push(packet);
      const reply = (answer: Packet) => accepted.write(packets.generate(answer, { protocolVersion: 5 }));
      if (packet.cmd === 'connect') reply({ cmd: 'connack', reasonCode: 0, sessionPresent: false });
      if (packet.cmd === 'pingreq' && answersPings) reply({ cmd: 'pingresp' });
    });
    accepted.on('data', (bytes) => parser.parse(bytes));
    accepted.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const taken: Broker['taken'] = [];
  const client = connectClient(
    { ...BRIDGE_DEFAULTS, url: `mqtt://127.0.0.1:${port}` },
    5,
    (packet, release) => {
      taken.push({ packet, release });
    },
  );
  client.on('error', () => {});
  try {
    await until('the client is connected', () => client.connected);
    await play({
      received,
      client,
      taken,
      socket: () => socket as Socket,
      publish(messageId, bytes = 2) {
        const packet: Packet = {
          cmd: 'publish',
          topic: 't',
          payload: Buffer.alloc(bytes, 32),
          qos: 1,
          messageId,
          dup: false,
          retain: false,
        };
        socket?.write(packets.generate(packet, { protocolVersion: 5 }));
      },
    });
  } finally {
    client.end(true);
    socket?.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const acknowledged = ({ received }: Broker) =>
  received.flatMap((packet) => (packet.cmd === 'puback' ? [packet.messageId] : []));

test('canary: mqtt: a message whose handler is done with an error is not acknowledged, and the next has its turn (mqtt-client.ts)', () =>
  withBroker(async (broker) => {
    const errors: unknown[] = [];
    broker.client.on('error', (error) => errors.push(error));
    broker.publish(1);
    broker.publish(2);
    await until('the first is taken', () => broker.taken.length === 1);
    assert.is(broker.taken.length, 1, 'one after the other');
    broker.taken[0]?.release();
    await until('the second is taken', () => broker.taken.length === 2);
    broker.taken[1]?.release();
    await pause(50);
    assert.equal(acknowledged(broker), []);
    assert.equal(errors, [], 'nobody sees the error');
    assert.ok(broker.client.connected);
  }));

test('canary: mqtt: bytes that are written to the stream arrive as they are (mqtt-client.ts)', () =>
  withBroker(async (broker) => {
    broker.publish(7);
    await until('it is taken', () => broker.taken.length === 1);
    broker.taken[0]?.release();
    writeBytes(broker.client, encodeSuccess('puback', 7));
    await until('it is acknowledged', () => acknowledged(broker).length === 1);
    assert.equal(acknowledged(broker), [7]);
  }));

test('canary: mqtt: while a handler is not done nothing more is read from the socket (broker-connection.ts)', () =>
  withBroker(async (broker) => {
    broker.publish(1);
    await until('it is taken', () => broker.taken.length === 1);
    // More than the kernel's buffers of both sides hold: what is left over waits in ours.
    for (let messageId = 2; messageId < 400; messageId++) broker.publish(messageId, 64 * 1024);
    await pause(300);
    assert.is(broker.taken.length, 1);
    assert.ok(broker.socket().writableLength > 1024 * 1024, `${broker.socket().writableLength} bytes wait`);
  }));

test('canary: mqtt: a ping can be sent whose answer is not waited for (broker-connection.ts)', () =>
  withBroker(async (broker) => {
    for (let n = 1; n <= 3; n++) {
      pingWithoutAnswer(broker.client);
      await until(`ping ${n}`, () => broker.received.filter(({ cmd }) => cmd === 'pingreq').length === n);
    }
    assert.ok(broker.client.connected);
  }, false));

test('canary: mqtt-packet: has a cache of numbers that can be switched off (codec.ts)', () => {
  assert.is(typeof packets.writeToStream.cacheNumbers, 'boolean');
});

test('canary: mqtt-packet: `parse` returns how many bytes are left over, and errors come by an event (codec.ts)', () => {
  const parser = packets.parser({ protocolVersion: 4 });
  const events: string[] = [];
  parser.on('packet', ({ cmd }) => events.push(cmd));
  parser.on('error', () => events.push('error'));
  assert.is(parser.parse(Buffer.from([0xc0, 0])), 0);
  assert.is(parser.parse(Buffer.from([0x30, 9, 1])), 1, 'of a packet that is not whole, its body');
  const broken = packets.parser({ protocolVersion: 4 });
  broken.on('error', () => events.push('error'));
  broken.parse(Buffer.from([0x00, 0]));
  assert.equal(events, ['pingreq', 'error']);
});

test('canary: ws: bounds fragments, chunks of one, and the wait for a close (websocket.ts)', () => {
  const server = new WebSocketServer({ noServer: true });
  const known = Object.keys(server.options);
  server.close();
  for (const name of ['maxFragments', 'maxBufferedChunks', 'closeTimeout'])
    assert.ok(known.includes(name), name);
});

test.run();
