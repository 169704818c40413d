/** MQTT over WebSocket: the contract of all transports, what may be in a frame and what not, and the endpoint's limits. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import mqtt from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { type Turn, Turns, type Who } from '../../actors/runtime/turns.ts';
import { createMqttEndpoint, type MqttEndpoint } from '../../transports/mqtt/endpoint/endpoint.ts';
import {
  MQTT_ENDPOINT_DEFAULTS,
  type MqttEndpointSettings,
} from '../../transports/mqtt/endpoint/settings.ts';
import { createWebSocketDoor } from '../../transports/mqtt/endpoint/websocket.ts';
import { transportContract } from '../contract/transport.ts';
import { createTransportWorld, TENANT, type TransportWorld } from '../contract/transport-world.ts';
import { createGate } from '../kit/faulty-store.ts';
import { claimPacket, connectPacket, type RawMqttClient } from '../kit/mqtt-client.ts';
import { PATIENCE_MS } from '../kit/patience.ts';
import { pause, until } from '../kit/until.ts';
import {
  frame,
  handshake,
  Opcode,
  openMqttWebSocket,
  openRaw,
  type RawConnection,
} from '../kit/websocket.ts';

interface Running {
  readonly endpoint: MqttEndpoint;
  readonly port: number;
  stop(): Promise<void>;
}

/** An endpoint behind a bare HTTP server that hands every upgrade to it. */
async function start(world: TransportWorld, settings: Partial<MqttEndpointSettings> = {}): Promise<Running> {
  const endpoint = createMqttEndpoint({
    ...world,
    log: silentLog,
    settings: { ...MQTT_ENDPOINT_DEFAULTS, bindAddress: '127.0.0.1', port: 0, ...settings },
  });
  world.onEvent = endpoint.onDeviceEvent;
  await endpoint.start();
  const server: Server = createServer();
  const sockets = new Set<Socket>();
  server.on('upgrade', (request, _stream, head) => {
    const { socket } = request;
    sockets.add(socket);
    endpoint.upgrade({ request, socket, head, peer: '203.0.113.9' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint,
    port: (server.address() as AddressInfo).port, // of a TCP server that listens
    async stop() {
      await endpoint.stop(100);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Scene extends Running {
  readonly world: TransportWorld;
  open(version?: 3 | 4 | 5): Promise<RawMqttClient<Duplex>>;
  connect(version: 3 | 4 | 5, token: string): Promise<RawMqttClient<Duplex>>;
  /** A connection of which only the handshake is done, and succeeded. */
  raw(): Promise<RawConnection>;
}

function law(
  name: string,
  play: (scene: Scene) => Promise<void>,
  settings?: Partial<MqttEndpointSettings>,
): void {
  test(`mqtt over websocket: ${name}`, async () => {
    const world = await createTransportWorld();
    const running = await start(world, settings);
    const ends: (() => unknown)[] = [];
    const open = async (version: 3 | 4 | 5 = 4) => {
      const client = await openMqttWebSocket(running.port, version);
      ends.push(() => client.socket.destroy());
      return client;
    };
    try {
      await play({
        ...running,
        world,
        open,
        async connect(version, token) {
          const client = await open(version);
          client.send(connectPacket(version, token));
          const { returnCode, reasonCode } = await client.next('connack');
          assert.is(reasonCode ?? returnCode, 0);
          return client;
        },
        async raw() {
          const raw = openRaw(running.port, handshake());
          ends.push(() => raw.socket.destroy());
          await raw.until((text) => text.includes('\r\n\r\n'));
          assert.match(raw.received(), /^HTTP\/1\.1 101 /);
          return raw;
        },
      });
    } finally {
      for (const end of ends) end();
      await running.stop();
      await world.stop();
    }
  });
}

const CONTRACT_PAYLOAD_BYTES_MAX = 1_000;

for (const version of [4, 5] as const) {
  const is5 = version === 5;
  transportContract({
    name: `mqtt ${is5 ? '5' : '3.1.1'} over websocket`,
    payloadBytesMax: CONTRACT_PAYLOAD_BYTES_MAX,
    async start(world) {
      const { port, stop } = await start(world, { payloadBytesMax: CONTRACT_PAYLOAD_BYTES_MAX });
      return {
        stop,
        async claim(token, payload) {
          const client = await openMqttWebSocket(port, version);
          client.send(connectPacket(version, token));
          const connack = await client.next('connack');
          if ((connack.reasonCode ?? connack.returnCode) !== 0) return 'refused at the door';
          client.send(claimPacket(1, 1, payload));
          const answer = await client.take();
          client.socket.destroy();
          if (answer === undefined) return 'closed';
          return 'reasonCode' in answer ? `${answer.cmd} ${answer.reasonCode}` : answer.cmd;
        },
      };
    },
    sees: {
      opened: is5 ? 'puback 0' : 'puback',
      refused: is5 ? `puback ${0x87}` : 'puback',
      limited: is5 ? `puback ${0x97}` : 'puback',
      malformed: is5 ? `puback ${0x99}` : 'closed',
      unknownToken: 'refused at the door',
      revoked: is5 ? `disconnect ${0x98}` : 'closed',
      unavailable: is5 ? `disconnect ${0x83}` : 'closed',
      tooLarge: is5 ? `disconnect ${0x95}` : 'closed',
    },
  });
}

const PING = mqtt.generate({ cmd: 'pingreq' });
const PONG = String.fromCharCode(0xd0, 0);
const CONNECT = mqtt.generate(connectPacket(4, 'T') as mqtt.Packet);

/** The code of the close frame, which comes last. */
function closeCode(received: string): string {
  const codeAt = received.lastIndexOf('\x88') + 2;
  return received.slice(codeAt, codeAt + 2);
}
const inBytes = (code: number) => String.fromCharCode(code >> 8, code & 0xff);

law(
  'packets may be split over frames in any way, and share frames [MQTT-6.0.0-2]',
  async ({ world, raw }) => {
    await world.provision('T');
    const { socket, until } = await raw();
    const bytes = Buffer.concat([CONNECT, PING, PING]);
    for (const byte of bytes.subarray(0, 20)) socket.write(frame(Opcode.binary, Buffer.from([byte])));
    socket.write(frame(Opcode.binary, bytes.subarray(20, 25), { fin: false }));
    socket.write(frame(Opcode.ping, Buffer.from('between')));
    socket.write(frame(Opcode.continuation, bytes.subarray(25)));
    await until((text) => text.endsWith(PONG + PONG) && text.includes('\x8a\x07between'));
  },
);

law('packets that arrive in one chunk are answered in one frame', async ({ world, raw }) => {
  await world.provision('T');
  const { socket, until, received } = await raw();
  socket.write(frame(Opcode.binary, CONNECT));
  await until((text) => text.endsWith('\x82\x04\x20\x02\x00\x00'));
  socket.write(
    Buffer.concat([frame(Opcode.binary, PING), frame(Opcode.binary, PING), frame(Opcode.binary, PING)]),
  );
  await until((text) => text.endsWith(PONG.repeat(3)));
  assert.ok(received().endsWith(`\x82\x06${PONG.repeat(3)}`));
});

for (const [what, bytes, code] of [
  ['a text frame [MQTT-6.0.0-1]', frame(Opcode.text, CONNECT), 1003],
  ['a frame that is not masked', frame(Opcode.binary, CONNECT, { masked: false }), 1002],
  ['a message larger than any packet may be', frame(Opcode.binary, Buffer.alloc(200_000)), 1009],
  [
    'a message of very many fragments',
    Buffer.concat([
      frame(Opcode.binary, PING, { fin: false }),
      ...Array.from({ length: 64 }, () => frame(Opcode.continuation, PING, { fin: false })),
    ]),
    1008,
  ],
] as const) {
  law(`${what} ends the connection, with ${code}`, async ({ world, raw, endpoint }) => {
    await world.provision('T');
    const { socket, closed, received } = await raw();
    socket.write(bytes);
    await closed;
    assert.is(closeCode(received()), inBytes(code));
    await until('it is forgotten', () => endpoint.connections === 0);
  });
}

for (const [what, headers, status] of [
  ['no subprotocol', { 'Sec-WebSocket-Protocol': undefined }, 400],
  ['another subprotocol', { 'Sec-WebSocket-Protocol': 'wamp, amqp' }, 400],
  ['no key', { 'Sec-WebSocket-Key': undefined }, 400],
  ['another version', { 'Sec-WebSocket-Version': '7' }, 400],
] as const) {
  law(`a handshake with ${what} is ${status} and closed`, async ({ port, endpoint }) => {
    const { closed, received } = openRaw(port, handshake(headers));
    await closed;
    assert.match(received(), new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.is(endpoint.connections, 0);
  });
}

law('the subprotocol is answered; compression is not accepted', async ({ port }) => {
  for (const [offered, chosen] of [
    ['mqtt', 'mqtt'],
    ['mqttv3.1', 'mqttv3.1'],
    ['mqttv3.1, x, mqtt', 'mqtt'],
  ] as const) {
    const extensions = 'permessage-deflate; client_max_window_bits';
    const offer = { 'Sec-WebSocket-Protocol': offered, 'Sec-WebSocket-Extensions': extensions };
    const { until, received, socket } = openRaw(port, handshake(offer));
    await until((text) => text.includes('\r\n\r\n'));
    assert.match(received(), new RegExp(`\r\nSec-WebSocket-Protocol: ${chosen.replace('.', '\\.')}\r\n`));
    assert.not.match(received(), /extensions/i);
    socket.destroy();
  }
});

law(
  'who never says CONNECT is closed, whatever else it sends',
  async ({ raw }) => {
    const [silent, pinging] = [await raw(), await raw()];
    const pings = setInterval(() => pinging.socket.write(frame(Opcode.ping, Buffer.alloc(0))), 10);
    await silent.closed;
    await pinging.closed;
    clearInterval(pings);
  },
  { connectTimeoutMs: 100, sweepIntervalMs: 20 },
);

law(
  'connections over WebSocket count like all others',
  async ({ world, connect, raw, endpoint }) => {
    await world.provision('A');
    const first = await connect(4, 'A');
    const second = await raw();
    await second.closed;
    assert.is(endpoint.connections, 1);
    assert.equal(await first.untilPong(), []);
  },
  { connectionsMax: 1 },
);

law(
  'of a client that does not read, only so much is kept',
  async ({ world, raw, endpoint }) => {
    await world.provision('T');
    const { socket, until } = await raw();
    socket.write(frame(Opcode.binary, CONNECT));
    await until((text) => text.endsWith('\x20\x02\x00\x00'));
    socket.pause();
    const burst = frame(Opcode.binary, Buffer.concat(Array.from({ length: 30_000 }, () => PING)));
    const flood = setInterval(() => socket.write(burst), 5);
    while (endpoint.connections > 0 && socket.writableLength < 5_000_000) {
      await pause(5);
    }
    clearInterval(flood);
  },
  { outputBytesMax: 20_000 },
);

// ------------------------------------------------------------------------------------------------------------ floods

test('mqtt-websocket: frames stand in the line of strangers until the client has said who it is', async () => {
  const lines = new Set<string>();
  class Watched extends Turns {
    override wait(turn: Turn, who: Who): void {
      lines.add(who);
      super.wait(turn, who);
    }
  }
  let isLetIn = false;
  const door = createWebSocketDoor(MQTT_ENDPOINT_DEFAULTS, new Watched(), (stream) =>
    stream.letInWhen?.(() => isLetIn),
  );
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request, _stream, head) => {
    door.upgrade({ request, socket: request.socket, head, peer: '203.0.113.9' });
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a TCP server that listens
  const raw = openRaw(port, handshake());
  await raw.until((text) => text.includes('\r\n\r\n'));
  const pour = (expected: () => boolean) =>
    until('they wait for more', async () => {
      raw.socket.write(times(2_000, frame(Opcode.pong, EMPTY)));
      return expected();
    });
  await pour(() => lines.size > 0);
  assert.equal([...lines], ['stranger']);
  isLetIn = true;
  await pour(() => lines.has('again'));
  raw.socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const FLOODING = 4;
const ROUND_TRIPS = 10;
/** Frames of a flood for each of its PINGREQs, which are answered. */
const FRAMES = 200;
/** As much as is written at a time: some ten thousand frames. */
const PIECES = 40;
/** Frames of one flooding connection that are handled during one round trip of another: some turns of 200. */
const BESIDE_ONE_MAX = 2_000;

const EMPTY = Buffer.alloc(0);
const times = (count: number, ...bytes: Buffer[]) =>
  Buffer.concat(Array.from({ length: count }, () => Buffer.concat(bytes)));
const PING_FRAME = frame(Opcode.binary, PING);

/** Sends `burst` as fast as it is taken; counts the answers to the PINGREQs in it. */
async function pour({ socket, until }: RawConnection, token: string, burst: Buffer) {
  socket.write(frame(Opcode.binary, mqtt.generate(connectPacket(4, token) as mqtt.Packet)));
  await until((text) => text.endsWith('\x20\x02\x00\x00'));
  let pongs = 0;
  socket.removeAllListeners('data');
  socket.on('data', (chunk) => {
    for (let at = chunk.indexOf(PONG, 0, 'latin1'); at >= 0; at = chunk.indexOf(PONG, at + 2, 'latin1')) {
      pongs += 1;
    }
  });
  const more = () => {
    while (!socket.destroyed && socket.write(burst)) {}
  };
  socket.on('drain', more);
  more();
  return { pongs: () => pongs };
}

for (const [what, floodOf] of [
  [
    'frames of one byte',
    times(FRAMES / 2, frame(Opcode.binary, PING.subarray(0, 1)), frame(Opcode.binary, PING.subarray(1))),
  ],
  ['empty frames', times(FRAMES, frame(Opcode.binary, EMPTY))],
  ['pongs that nobody asked for', times(FRAMES, frame(Opcode.pong, EMPTY))],
  [
    'empty fragments',
    times(
      FRAMES / 50,
      frame(Opcode.binary, EMPTY, { fin: false }),
      times(48, frame(Opcode.continuation, EMPTY, { fin: false })),
      frame(Opcode.continuation, EMPTY),
    ),
  ],
] as const) {
  law(`a flood of ${what}: a device beside it is answered after a few turns`, async (scene) => {
    const { world, raw, connect } = scene;
    await world.provision('DEVICE');
    const device = await connect(4, 'DEVICE');
    const tokens = Array.from({ length: FLOODING }, (_, at) => `FLOOD-${at}`);
    for (const token of tokens) await world.provision(token);
    const burst = times(PIECES, floodOf, PING_FRAME);
    const floods = await Promise.all(tokens.map(async (token) => pour(await raw(), token, burst)));
    const framesOfPong = what === 'frames of one byte' ? 2 : FRAMES;
    const handled = () => floods.reduce((sum, { pongs }) => sum + pongs() * framesOfPong, 0);
    await until('every flood has begun', () => floods.every(({ pongs }) => pongs() > 0));
    const before = handled();
    for (let trip = 0; trip < ROUND_TRIPS; trip += 1) await device.untilPong();
    const besideOne = (handled() - before) / FLOODING / ROUND_TRIPS;
    assert.ok(besideOne < BESIDE_ONE_MAX, `${Math.round(besideOne)} frames of each flood were first`);
  });
}

law('a deleted device gets DISCONNECT, and the WebSocket is closed cleanly', async ({ world, connect }) => {
  const id = await world.provision('T');
  const client = await connect(5, 'T');
  await world.devices.ask(id, { type: 'DeleteDevice', tenantId: TENANT });
  assert.equal(
    (await client.untilClosed()).map(
      (packet) => `${packet.cmd} ${'reasonCode' in packet && packet.reasonCode}`,
    ),
    [`disconnect ${0x98}`],
  );
});

law(
  'stopping: what is under way is acknowledged, then 0x8B and the end; nobody new gets in',
  async (scene) => {
    const { world, connect, endpoint, port } = scene;
    await world.provision('T');
    const gate = createGate();
    world.intercept = (_command, pass) => gate.opened.then(pass);
    const client = await connect(5, 'T');
    client.send(claimPacket(1, 1));
    assert.equal(await client.untilPong(), []);
    const stopped = endpoint.stop(PATIENCE_MS);
    const late = openRaw(port, handshake());
    await late.closed;
    assert.match(late.received(), /^HTTP\/1\.1 503 /);
    gate.open();
    assert.is((await client.next('puback')).reasonCode, 0);
    assert.is((await client.next('disconnect')).reasonCode, 0x8b);
    await stopped;
    assert.equal(await client.untilClosed(), []);
  },
);

law(
  'stopping: a client that does not answer the close is cut off',
  async ({ world, raw, endpoint }) => {
    await world.provision('T');
    const { socket, until, closed } = await raw();
    socket.write(frame(Opcode.binary, CONNECT));
    await until((text) => text.endsWith('\x20\x02\x00\x00'));
    await endpoint.stop(PATIENCE_MS);
    assert.is(endpoint.connections, 0);
    await closed;
  },
  { closeTimeoutMs: 100 },
);

test.run();
