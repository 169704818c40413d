/**
 * MQTT over WebSocket (section 6): an upgraded HTTP connection becomes the stream of bytes that a TCP connection is.
 *
 * Frames mean nothing to MQTT [MQTT-6.0.0-2]: their contents form one stream, and what is flushed goes out as one binary
 * frame. The library answers pings, and closes a connection that sends them without reading the answers.
 */
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { Turns } from '../../../actors/runtime/turns.ts';
import type { Upgrade } from '../../../actors/sockets/upgrade.ts';
import type { ByteStream } from './connection.ts';
import { PacedFrames } from './paced-frames.ts';
import { keepAliveOf, type MqttEndpointSettings, packetBytesMax } from './settings.ts';

export const WEBSOCKET_PATH = '/mqtt';

export interface WebSocketDoor {
  upgrade(upgrade: Upgrade): void;
  /** From now on upgrades are answered 503. */
  stop(): void;
}

/** The first is the one of the specification [MQTT-6.0.0-3]; clients of MQTT 3.1 use the other. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];

/**
 * Fragments of one message. The library keeps them until the last one, and each may keep alive the chunk of 64 KiB that it
 * was read with. Clients with small buffers send a large packet in some twenty.
 */
const FRAGMENTS_MAX = 64;
/** Chunks of one fragment, which TCP segments make. */
const CHUNKS_MAX = 1_024;

/** RFC 6455, section 7.4.1. */
const CloseCode = { normal: 1000, unsupportedData: 1003 } as const;

export function createWebSocketDoor(
  settings: MqttEndpointSettings,
  turns: Turns,
  onStream: (stream: ByteStream) => void,
): WebSocketDoor {
  const options: ServerOptions & { readonly closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    skipUTF8Validation: true, // only text is UTF-8, and text is refused
    // A frame may hold more than one packet; the packets themselves are bounded where they are framed.
    maxPayload: 2 * packetBytesMax(settings),
    maxFragments: FRAGMENTS_MAX,
    maxBufferedChunks: CHUNKS_MAX,
    closeTimeout: settings.closeTimeoutMs,
    handleProtocols: (offered) => SUBPROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
    verifyClient: ({ req }, answer) =>
      answer(offersMqtt(req), 400, `Sec-WebSocket-Protocol must offer ${SUBPROTOCOLS[0]}`),
  };
  const server = new WebSocketServer(options);

  return {
    upgrade({ request, socket, head, peer }) {
      socket.setKeepAlive(true, keepAliveOf(settings).keepAliveInitialDelay);
      socket.setTimeout(0); // HTTP's times are not ours
      socket.setNoDelay();
      const { remotePort } = socket;
      const frames = new PacedFrames(socket, head, turns);
      server.handleUpgrade(request, frames, Buffer.alloc(0), (webSocket) => {
        onStream(new WebSocketStream(webSocket, frames, { address: peer, port: remotePort }));
      });
    },
    stop: () => server.close(),
  };
}

/** Without a subprotocol the client could be speaking anything [MQTT-6.0.0-3]. */
function offersMqtt({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  return SUBPROTOCOLS.some((protocol) => offered.includes(protocol));
}

interface Events {
  data: [chunk: Buffer];
  drain: [];
  error: [error: Error];
  close: [];
}

class WebSocketStream extends EventEmitter<Events> implements ByteStream {
  readonly remoteAddress: string;
  readonly remotePort: number | undefined;
  readonly #webSocket: WebSocket;
  readonly #frames: PacedFrames;
  /** Contents of frames that arrived in one chunk; handed on together. */
  #arrived: Buffer[] = [];
  #rejected = false;

  constructor(
    webSocket: WebSocket,
    frames: PacedFrames,
    peer: { readonly address: string; readonly port: number | undefined },
  ) {
    super();
    this.#webSocket = webSocket;
    this.#frames = frames;
    this.remoteAddress = peer.address;
    this.remotePort = peer.port;
    webSocket.on('message', (data, isBinary) => this.#take(data, isBinary));
    webSocket.on('error', () => {}); // the library says why in a close frame, and closes
    webSocket.on('close', () => {
      this.#deliver();
      this.emit('close');
    });
    frames.on('drain', () => this.emit('drain'));
  }

  #take(data: unknown, isBinary: boolean): void {
    if (this.#rejected) return;
    if (!isBinary || !Buffer.isBuffer(data)) {
      this.#rejected = true;
      this.#webSocket.close(CloseCode.unsupportedData, 'MQTT is binary'); // [MQTT-6.0.0-1]
      return;
    }
    // The library reads all frames that it is handed before anything else happens.
    if (this.#arrived.length === 0) queueMicrotask(() => this.#deliver());
    this.#arrived.push(data);
  }

  #deliver(): void {
    const [first] = this.#arrived;
    if (first === undefined) return;
    const chunk = this.#arrived.length === 1 ? first : Buffer.concat(this.#arrived);
    this.#arrived = [];
    this.emit('data', chunk);
  }

  get destroyed(): boolean {
    return this.#webSocket.readyState !== this.#webSocket.OPEN;
  }

  get writableLength(): number {
    return this.#webSocket.bufferedAmount;
  }

  isPaused(): boolean {
    return this.#webSocket.isPaused;
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  letInWhen(isLetIn: () => boolean): void {
    this.#frames.isLetInWhen = isLetIn;
  }

  write(bytes: Buffer): boolean {
    this.#webSocket.send(bytes);
    return !this.#frames.writableNeedDrain;
  }

  end(): void {
    this.#webSocket.close(CloseCode.normal);
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}
