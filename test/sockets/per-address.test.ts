/** No address takes all of what is common: connections of HTTP, requests behind a proxy, MQTT connections without a token. */
import { connect as connectTcp, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { createOccupancy } from '../../actors/limits/occupancy.ts';
import { createHttpServer } from '../../http/server.ts';
import { defaultHttpServerSettings, type HttpServerSettings } from '../../http/settings.ts';
import { type MqttScene, withMqtt } from '../contract/transport-mqtt.ts';
import { until } from '../kit/until.ts';

interface Scene {
  readonly port: number;
  /** Requests that wait for an answer. */
  readonly waiting: (() => void)[];
  open(localAddress: string, text?: string): Opened;
}

interface Opened {
  readonly socket: Socket;
  received(): string;
  closed(): boolean;
}

function opened(port: number, localAddress: string, text = ''): Opened {
  let received = '';
  let closed = false;
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress }, () => socket.write(text));
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  socket
    .on('error', () => {})
    .on('close', () => {
      closed = true;
    });
  return { socket, received: () => received, closed: () => closed };
}

function law(
  name: string,
  settings: Partial<HttpServerSettings>,
  play: (scene: Scene) => Promise<void>,
): void {
  test(`per address: ${name}`, async () => {
    const waiting: (() => void)[] = [];
    const sockets: Socket[] = [];
    const server = createHttpServer({
      app: {
        fetch: () => new Promise((resolve) => waiting.push(() => resolve(new Response('answered')))),
      },
      settings: { ...defaultHttpServerSettings, address: '127.0.0.1', port: 0, ...settings },
      log: silentLog,
    });
    const { port } = await server.start();
    try {
      await play({
        port,
        waiting,
        open(localAddress, text) {
          const one = opened(port, localAddress, text);
          sockets.push(one.socket);
          return one;
        },
      });
    } finally {
      for (const socket of sockets) socket.destroy();
      await server.stop(0);
    }
  });
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const forwarded = (address: string) => `GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${address}\r\n\r\n`;

law(
  'one address opens as many HTTP connections as it may, and others still get in',
  { maxConnectionsPerAddress: 3 },
  async ({ open, waiting }) => {
    const held = Array.from({ length: 50 }, () => open('127.0.0.2'));
    await until('the rest is closed', () => held.filter(({ closed }) => closed()).length === 47);
    const other = open('127.0.0.3', REQUEST);
    await until('another is served', () => waiting.length === 1);
    waiting[0]?.();
    await until('and answered', () => other.received().includes('answered'));
    for (const one of held) one.socket.destroy();
    await until('there is room again', async () => {
      open('127.0.0.2', REQUEST);
      return waiting.length > 1;
    });
  },
);

law(
  'behind a trusted proxy the forwarded address counts, by its requests in flight',
  { maxConnectionsPerAddress: 2, trustedProxies: 1 },
  async ({ open, waiting }) => {
    const proxy = '127.0.0.2';
    const some = Array.from({ length: 5 }, () => open(proxy, forwarded('192.0.2.1')));
    await until(
      'three are refused',
      () => some.filter(({ received }) => received().startsWith('HTTP/1.1 429')).length === 3,
    );
    assert.is(waiting.length, 2);
    const other = open(proxy, forwarded('192.0.2.2'));
    await until('another address is served', () => waiting.length === 3);
    for (const answer of waiting) answer();
    await until('it is answered', () => other.received().includes('answered'));
    const again: Opened[] = [];
    await until('there is room again', () => {
      again.push(open(proxy, forwarded('192.0.2.1')));
      return waiting.length > 3;
    });
    for (const answer of waiting) answer();
    await until('that is answered too', () => again.some(({ received }) => received().includes('answered')));
  },
);

test('per address: a flood of MQTT connections without a token makes room for itself, not at the cost of others', () =>
  withMqtt({ connectingMax: 4 }, async ({ port, endpoint }) => {
    const patient = opened(port, '127.0.0.1');
    await until('it is there', () => endpoint.connections === 1);
    const flood = Array.from({ length: 30 }, () => opened(port, '127.0.0.2'));
    await until('most of the flood is closed', () => flood.filter(({ closed }) => closed()).length >= 27);
    assert.not(patient.closed());
    for (const { socket } of [patient, ...flood]) socket.destroy();
  }));

test('per address: networks of IPv6 hold more than one of their addresses, and less than all', () => {
  const held = createOccupancy(2);
  const holds = (address: (at: number) => string) => {
    let count = 0;
    for (; count < 100 && !held.isFull(address(count)); count += 1) held.add(address(count));
    for (let at = 0; at < count; at += 1) held.remove(address(at));
    return count;
  };
  const hex = (at: number) => at.toString(16).padStart(2, '0');
  assert.is(
    holds(() => '192.0.2.1'),
    2,
  );
  assert.is(
    holds((at) => `2001:db8:0:1::${at}`),
    2,
  );
  assert.is(
    holds((at) => `2001:db8:0:1${hex(at)}::1`),
    8,
  );
  assert.is(
    holds((at) => `2001:db8:0:${hex(at)}00::1`),
    32,
  );
  assert.is(
    holds((at) => `2001:db8:${hex(at)}::1`),
    100,
  );
  assert.is(
    holds(() => '192.0.2.1'),
    2,
    'nothing is left of it',
  );
});

test('mqtt: whoever is turned away where there is no room is a line in the log, bounded', () => {
  const lines: string[] = [];
  const log = { ...silentLog, warn: (_fields: object, message: string) => lines.push(message) };
  const story = async ({ world, connect, open }: MqttScene) => {
    await world.provision('token-of-a-device-1');
    const kept = await connect(5, 'token-of-a-device-1');
    for (let n = 0; n < 5; n += 1) await (await open(5)).closed;
    assert.ok(kept);
    assert.is(lines.filter((line) => line.includes('as many MQTT connections as there may be')).length, 1);
  };
  return withMqtt({ connectionsMax: 1 }, story, { log });
});

test.run();
