/**
 * One socket or WebSocket: bytes in, checked packets out; packets in, one write out. What packets mean is not its business.
 *
 * Reading pauses while too much that was read waits to be handled, while the session says so (too many publications in
 * flight), and while the client does not read what we write. So a connection takes a bounded amount of memory whatever the
 * client does. What is written goes out with `flush`, in one piece.
 */
import type { Clock } from '../../../actors/base/clock.ts';
import { decode, decodeConnect } from './codec.ts';
import { Framer } from './framer.ts';
import { type ClientPacket, type Fault, MALFORMED, TOO_LARGE } from './packets.ts';
import type { ProtocolVersion } from './reasons.ts';
import { type MqttEndpointSettings, packetBytesMax } from './settings.ts';
import type { ClientCertificate } from './tls.ts';

const FRAMING_FAULT = { 'too-large': TOO_LARGE, malformed: MALFORMED } as const;

/** What every connection begins with [MQTT-3.1.0-1], flags included (section 2.2.2). */
const CONNECT_FIRST_BYTE = 0x10;

/** Whose a stream is: its listeners are the same functions for all connections, and find theirs by this. */
const OWNER = Symbol('connection');

interface Owned {
  [OWNER]?: Connection;
}

/** What a connection needs of its transport. A TCP or TLS socket has it; `websocket.ts` gives it to a WebSocket. */
export interface ByteStream extends Owned {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly destroyed: boolean;
  /** Bytes that are written and not sent yet. */
  readonly writableLength: number;
  /** Listeners are called on the stream itself. */
  on(event: 'data', listener: (this: Owned, chunk: Buffer) => void): unknown;
  on(event: 'drain' | 'close', listener: (this: Owned) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  isPaused(): boolean;
  pause(): unknown;
  resume(): unknown;
  /** Returns whether there is room for more; if not, `drain` says when there is. */
  write(bytes: Buffer): boolean;
  /** Where carrying the bytes has a budget of its own: who tells it whether the client has said who it is. */
  letInWhen?(isLetIn: () => boolean): void;
  /** Closes our side once everything written has left. */
  end(): unknown;
  destroy(): unknown;
}

export interface ConnectionEvents {
  /** There may be packets to take, with `next`. Not called again before `heard`. */
  onReadable(): void;
  /** Reading has met a bug. */
  onFailed(error: unknown): void;
  /** Our side is closed, and the peer has to close its own. Called once. */
  onEnded(): void;
  /** The socket is closed, by either side. Called once, and last. */
  onClosed(): void;
}

function onData(this: Owned, chunk: Buffer): void {
  this[OWNER]?.take(chunk);
}

function onDrain(this: Owned): void {
  this[OWNER]?.heardOf('drain');
}

function onClose(this: Owned): void {
  this[OWNER]?.heardOf('close');
}

function ignore(): void {}

export class Connection {
  /** When the last complete packet was handled, reading went on, or the connection was opened; by `Clock.elapsed`, as `endedAt`. */
  lastPacketAt: number;
  /** What the client showed in the TLS handshake. */
  certificate: ClientCertificate | undefined;
  /** When we closed our side. */
  endedAt: number | undefined;
  /** How long the packet was that `next` gave last. */
  packetBytes = 0;

  readonly #socket: ByteStream;
  readonly #settings: MqttEndpointSettings;
  readonly #clock: Clock;
  readonly #events: ConnectionEvents;
  readonly #framer: Framer;
  #version: ProtocolVersion | undefined;
  #begun = false;
  /** After a fault the rest of the stream means nothing. */
  #faulty = false;
  /** What has arrived behind the chunk that is being cut into packets. */
  #chunks: Buffer[] | undefined;
  /** Bytes of the chunk that is being cut. */
  #feeding = 0;
  /** A packet of that chunk was taken. */
  #seen = false;
  /** Bytes that have arrived and are not handled yet. */
  #unhandledBytes = 0;
  #told = false;
  #held = false;
  #blocked = false;
  #output: Buffer[] | undefined;
  #granted = 0;

  constructor(socket: ByteStream, settings: MqttEndpointSettings, clock: Clock, events: ConnectionEvents) {
    this.#socket = socket;
    this.#settings = settings;
    this.#clock = clock;
    this.#events = events;
    this.#framer = new Framer(packetBytesMax(settings));
    this.lastPacketAt = clock.elapsed();
    socket[OWNER] = this;
    socket.on('data', onData);
    socket.on('drain', onDrain);
    socket.on('error', ignore); // `close` follows
    socket.on('close', onClose);
  }

  /** Of the socket. */
  heardOf(event: 'drain' | 'close'): void {
    if (event === 'close') {
      this.#events.onClosed();
      return;
    }
    this.#blocked = false;
    this.#granted = 0;
    this.#pace();
    if (this.#chunks !== undefined || this.#feeding > 0) this.#tell();
  }

  /** The socket has more bytes. */
  take(chunk: Buffer): void {
    try {
      this.#take(chunk);
    } catch (error) {
      this.#events.onFailed(error); // thrown on, it would end the process
    }
  }

  /** For logs. */
  get peer(): string {
    return `${this.#socket.remoteAddress}:${this.#socket.remotePort}`;
  }

  /** The address of the client, for counting. */
  get address(): string {
    return this.#socket.remoteAddress ?? 'unknown';
  }

  /** Whether we do not read just now: then the silence of the client means nothing, unless it does not read either. */
  get deaf(): boolean {
    return !this.#blocked && (this.#held || this.#unhandledBytes > 0);
  }

  /** Whether the client has to read first: nothing should be handled whose answer would have to wait for it. */
  get blocked(): boolean {
    return this.#blocked;
  }

  #take(chunk: Buffer): void {
    if (this.#faulty || this.endedAt !== undefined) return;
    if (!this.#begun && chunk.length > 0) {
      this.#begun = true;
      // Whoever speaks HTTP or TLS here would else wait for an answer until the time for CONNECT is over.
      if (chunk[0] !== CONNECT_FIRST_BYTE) {
        this.#faulty = true;
        this.#socket.destroy();
        return;
      }
    }
    if (this.#chunks === undefined) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
    this.#unhandledBytes += chunk.length;
    this.#pace();
    this.#tell();
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#events.onReadable();
  }

  /** `onReadable` has been heard: what comes from now on is told of anew. */
  heard(): void {
    this.#told = false;
  }

  /** Whether there may be packets to take. */
  get readable(): boolean {
    return this.#unhandledBytes > 0 && !this.#faulty;
  }

  /** The next packet that has arrived. After a fault there is none. */
  next(): ClientPacket | Fault | undefined {
    while (!this.#faulty) {
      const frame = this.#framer.next();
      if (frame === undefined) {
        if (!this.#feed()) return undefined;
        continue;
      }
      const packet = typeof frame === 'string' ? FRAMING_FAULT[frame] : this.#decode(frame);
      this.packetBytes = frame.length;
      if (packet.cmd === 'fault') this.#faulty = true;
      this.#seen = true;
      return packet;
    }
    return undefined;
  }

  /** Goes on to the next chunk: what lies in the one before it is handled, and no longer counts as read ahead. */
  #feed(): boolean {
    if (this.#feeding > 0) {
      this.#unhandledBytes -= this.#feeding;
      this.#feeding = 0;
      this.#pace();
      if (this.#seen) this.lastPacketAt = this.#clock.elapsed();
    }
    const chunk = this.#chunks?.shift();
    if (this.#chunks?.length === 0) this.#chunks = undefined;
    if (chunk === undefined) return false;
    this.#framer.feed(chunk);
    this.#feeding = chunk.length;
    this.#seen = false;
    return true;
  }

  #decode(frame: Buffer): ClientPacket | Fault {
    if (this.#version !== undefined) return decode(frame, this.#version);
    const packet = decodeConnect(frame);
    if (packet.cmd === 'connect') this.#version = packet.protocolVersion;
    return packet;
  }

  /** Stops reading until further notice, or goes on. */
  hold(hold: boolean): void {
    if (this.#held === hold) return;
    this.#held = hold;
    if (!hold) this.lastPacketAt = this.#clock.elapsed(); // it could not be heard: its silence begins now
    this.#pace();
  }

  #pace(): void {
    if (this.endedAt !== undefined) return;
    const pause = this.#held || this.#blocked || this.#unhandledBytes > this.#settings.readAheadBytesMax;
    if (pause === this.#socket.isPaused()) return;
    if (pause) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Allows an answer of so many bytes on top of the bound, until the client has read everything. */
  grant(bytes: number): void {
    this.#granted = Math.max(this.#granted, bytes);
  }

  /** Adds bytes to those that wait to be flushed. */
  write(bytes: Buffer): void {
    if (this.endedAt !== undefined) return;
    if (this.#output === undefined) this.#output = [bytes];
    else this.#output.push(bytes);
  }

  /** Hands everything written to the socket in one piece. */
  flush(): void {
    const output = this.#output;
    const first = output?.[0];
    if (output === undefined || first === undefined) return;
    const bytes = output.length === 1 ? first : Buffer.concat(output);
    this.#output = undefined;
    if (this.#socket.destroyed) return;
    this.#blocked = !this.#socket.write(bytes);
    if (this.#socket.writableLength > this.#settings.outputBytesMax + this.#granted) this.destroy();
    else if (this.#blocked) this.#pace();
  }

  /** Flushes, closes our side, and waits for the peer to close its own; what it still sends is dropped. */
  end(): void {
    if (this.endedAt !== undefined) return;
    this.flush();
    this.endedAt = this.#clock.elapsed();
    this.#socket.end();
    this.#socket.resume();
    this.#events.onEnded();
  }

  /** Closes at once. */
  destroy(): void {
    this.endedAt ??= this.#clock.elapsed();
    this.#output = undefined;
    this.#socket.destroy();
  }
}
