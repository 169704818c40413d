/**
 * What readers that do not read may cost. An answer that its client does not take lies in memory until it does.
 *
 * - A connection that takes nothing of what waits for it, for the write timeout, is ended. Whatever moves counts: a slow reader
 *   gets its answer, however long that takes.
 * - Large answers that wait hold a bounded number of bytes together. Beyond that, those of the address that holds most are
 *   ended, the oldest first, until the new one fits.
 *
 * What is smaller is bounded by the number of connections, since Node reads no further request from a connection while
 * answers wait there. An answer costs a comparison here, and one of the connections a look every few seconds.
 */
import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Log, logBounded } from '../actors/base/log.ts';

export interface SlowReaderSettings {
  /** How long a connection may take nothing while something waits for it. */
  readonly writeTimeoutMs: number;
  /** Bytes of large answers that may wait, over all connections. */
  readonly maxWaitingBytes: number;
}

/** Smaller answers are not counted. */
const LARGE_BYTES = 16 * 1024;
/** So many looks without anything moving end a connection. Looks are counted: this process may stand still, too. */
const LOOKS = 4;

interface Waiting {
  readonly socket: Socket;
  readonly address: string;
  /** At most; less once part of it is sent. */
  bytes: number;
}

/** Large answers under way, in the order in which they began. */
class LargeAnswers {
  readonly #max: number;
  readonly #end: (socket: Socket) => void;
  readonly #waiting = new Set<Waiting>();
  #bytes = 0;

  constructor(max: number, end: (socket: Socket) => void) {
    this.#max = max;
    this.#end = end;
  }

  begin(response: ServerResponse<IncomingMessage>, bytes: number): void {
    const { socket } = response.req;
    if (this.#bytes + bytes > this.#max) this.#makeRoom(bytes);
    const one: Waiting = { socket, address: socket.remoteAddress ?? '', bytes };
    this.#waiting.add(one);
    this.#bytes += bytes;
    response.once('close', () => this.#remove(one));
  }

  #remove(one: Waiting): void {
    if (this.#waiting.delete(one)) this.#bytes -= one.bytes;
  }

  #makeRoom(bytes: number): void {
    for (const one of this.#waiting) {
      const left = Math.min(one.bytes, unsentOf(one.socket));
      this.#bytes -= one.bytes - left;
      one.bytes = left;
    }
    while (this.#bytes + bytes > this.#max) {
      const victim = this.#ofWhoHoldsMost();
      if (victim === undefined) return;
      this.#remove(victim);
      this.#end(victim.socket);
    }
  }

  #ofWhoHoldsMost(): Waiting | undefined {
    const held = new Map<string, { bytes: number; readonly oldest: Waiting }>();
    for (const one of this.#waiting) {
      const own = held.get(one.address) ?? { bytes: 0, oldest: one };
      own.bytes += one.bytes;
      held.set(one.address, own);
    }
    return [...held.values()].reduce<{ bytes: number; oldest?: Waiting }>(
      (most, own) => (own.bytes > most.bytes ? own : most),
      { bytes: 0 },
    ).oldest;
  }
}

/**
 * @param server undefined until it is made: its options come from here
 * @returns the class of answers for the server's options, and what watches its connections until it is closed
 */
export function boundSlowReaders({ writeTimeoutMs, maxWaitingBytes }: SlowReaderSettings, log: Log) {
  const cutFor = (message: string) => (socket: Socket) => {
    const fields = { address: socket.remoteAddress, unsentBytes: unsentOf(socket) };
    logBounded(log, 'warn', performance.now(), fields, message);
    cut(socket);
  };
  const large = new LargeAnswers(
    maxWaitingBytes,
    cutFor('an HTTP connection is ended: too much waits for those who do not read'),
  );
  const endStill = cutFor('an HTTP connection is ended: its client does not read');

  class BoundedResponse<Request extends IncomingMessage> extends ServerResponse<Request> {
    override end(...args: readonly unknown[]): this {
      const [body] = args;
      if (typeof body === 'string' || body instanceof Uint8Array) {
        if (body.length >= LARGE_BYTES) large.begin(this, body.length);
      }
      // What it takes is what it is given: Node tells the overloads apart by their types.
      return Reflect.apply(super.end, this, args);
    }
  }

  function watch(server: Server | SecureServer, isSecure: boolean): { forget(socket: Socket): void } {
    const sockets = new Set<Socket>();
    server.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    let before = new Map<Socket, { readonly sent: number; readonly looks: number }>();
    const look = (): void => {
      const now: typeof before = new Map();
      for (const socket of sockets) {
        if (socket.writableLength === 0) continue;
        const sent = sentOf(socket);
        const last = before.get(socket);
        const looks = last?.sent === sent ? last.looks + 1 : 0;
        if (looks >= LOOKS) endStill(socket);
        else now.set(socket, { sent, looks });
      }
      before = now;
    };
    const timer = setInterval(look, writeTimeoutMs / LOOKS).unref();
    server.once('close', () => clearInterval(timer));
    return { forget: (socket) => sockets.delete(socket) };
  }

  return { BoundedResponse, watch };
}

/** Bytes that wait in this process until the kernel takes them. */
function unsentOf(socket: Socket): number {
  return socket.bytesWritten - sentOf(socket);
}

/**
 * Bytes that the kernel has taken. How much is left of one large write is seen on the handle alone; Node looks there for its
 * own `setTimeout`, too. Should that be gone, a write counts once it is done.
 */
function sentOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle === 'object' && handle !== null) {
    const given: unknown = Reflect.get(handle, 'bytesWritten');
    const queued: unknown = Reflect.get(handle, 'writeQueueSize');
    if (typeof given === 'number' && typeof queued === 'number') return given - queued;
  }
  return socket.bytesWritten - socket.writableLength;
}

/** At once: what is in the kernel's buffers goes, too. */
function cut(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
