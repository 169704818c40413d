/** WebSocket clients: MQTT over a well-behaved one, and raw frames for the others. */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocket } from 'ws';
import { RawMqttClient, type Version } from './mqtt-client.ts';

/** Opens a WebSocket with the subprotocol `mqtt`; says nothing over it yet. */
export async function openMqttWebSocket(port: number, version: Version): Promise<RawMqttClient<Duplex>> {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, 'mqtt');
  const stream = createWebSocketStream(webSocket);
  const client = new RawMqttClient(stream, version);
  // Its other side stays open, and with it the stream, until it is told.
  webSocket.once('close', () => setImmediate(() => stream.destroy()));
  await new Promise((resolve, reject) => webSocket.once('open', resolve).once('error', reject));
  return client;
}

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame as clients send it, masked with zeros. */
export function frame(
  opcode: number,
  payload: Buffer,
  { fin = true, masked = true }: { readonly fin?: boolean; readonly masked?: boolean } = {},
): Buffer {
  const mask = masked ? 0x80 : 0;
  const first = (fin ? 0x80 : 0) | opcode;
  const { length } = payload;
  let head: Buffer;
  if (length < 126) {
    head = Buffer.from([first, mask | length]);
  } else if (length < 65_536) {
    head = Buffer.from([first, mask | 126, length >> 8, length & 0xff]);
  } else {
    head = Buffer.alloc(10);
    head.set([first, mask | 127]);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

/** The request of a WebSocket client; a header that is undefined is left out. */
export function handshake(
  headers: { readonly [name: string]: string | undefined } = {},
  path = '/mqtt',
): string {
  const all = {
    Host: 'x',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'mqtt',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** A new TCP connection that collects everything received. */
export interface RawConnection {
  readonly socket: Socket;
  /** What has come, one character per byte. */
  received(): string;
  /** Resolves once this much has come. Rejects when the connection is closed before. */
  until(condition: (received: string) => boolean): Promise<void>;
  readonly closed: Promise<void>;
}

export function openRaw(port: number, write: string | Buffer): RawConnection {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  let look = () => {};
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    look();
  });
  socket.on('error', () => {}); // 'close' follows
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(write);
  return {
    socket,
    closed,
    received: () => received,
    until: (condition) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (condition(received)) resolve();
        };
        const failed = () => reject(new Error(`closed after: ${received}`));
        socket.once('close', failed);
        look();
        if (socket.closed) failed();
      }),
  };
}
