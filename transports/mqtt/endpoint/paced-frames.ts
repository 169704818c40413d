/**
 * A socket as the WebSocket library is given it: frames reach the library a share at a time. The library reads all frames of a
 * chunk before anything else happens, and 64 KiB hold ten thousand of them; frames that are empty, or pings, are no packets and
 * have no other bound. Where one frame ends and the next begins is all that is looked at here (RFC 6455, section 5.2); whether
 * they are right is for the library to say.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Turns } from '../../../actors/runtime/turns.ts';
import { Budget, type Spender } from './budget.ts';

/** Handed over at a time; between them the budget is looked at. */
const FRAMES_AT_ONCE = 20;
/** What a frame costs, whatever is in it. */
const FRAME_COST = 1;

/** The socket itself is no longer to be used: ended or destroyed, this ends or destroys it. */
export class PacedFrames extends Duplex implements Spender {
  readonly #socket: Socket;
  readonly #budget: Budget;
  readonly #cutter = new FrameCutter();
  /** What has arrived and is not handed over. */
  readonly #chunks: Buffer[] = [];
  /** How much of the first of them is. */
  #from = 0;
  #ended = false;
  /** Whoever reads has no room. */
  #full = false;
  /** Whether the client has said who it is; before that, its frames stand in the line of strangers. */
  isLetInWhen = () => false;

  /** @param head what came behind the request already */
  constructor(socket: Socket, head: Buffer, turns: Turns) {
    super();
    this.#socket = socket;
    this.#budget = new Budget(turns, this);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => {
      this.#ended = true;
      this.#handOver();
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    if (head.length > 0) this.#take(head);
  }

  get isLetIn(): boolean {
    return this.isLetInWhen();
  }

  goOn(): void {
    this.#handOver();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#handOver();
  }

  #handOver(): void {
    while (!this.destroyed && !this.#full) {
      const [chunk] = this.#chunks;
      if (chunk === undefined) {
        if (this.#ended) this.#end();
        else if (this.#socket.isPaused()) this.#socket.resume();
        return;
      }
      if (!this.#budget.mayGoOn()) break;
      const { to, frames } = this.#cutter.cut(chunk, this.#from);
      this.#budget.spend(frames * FRAME_COST);
      const share = chunk.subarray(this.#from, to);
      this.#from = to === chunk.length ? 0 : to;
      if (this.#from === 0) this.#chunks.shift();
      this.#full = !this.push(share);
    }
    this.#socket.pause();
  }

  #end(): void {
    this.#ended = false;
    this.push(null);
  }

  override _read(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#handOver();
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, done);
  }

  override _writev(
    pieces: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#socket.write(Buffer.concat(pieces.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

/** Where frames begin and end in a stream of bytes. */
class FrameCutter {
  /** Bytes of the head that were seen; of what is behind it, those that are to come. */
  #seen = 0;
  #left = 0;
  #masked = false;
  /** Bytes that say the length, besides the second one, and what they have said. */
  #lengthBytes = 0;
  #length = 0;

  /** Where to cut `chunk`, from `from` on: behind some frames that begin in it, or at its end. */
  cut(chunk: Buffer, from: number): { readonly to: number; readonly frames: number } {
    let at = from;
    let frames = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const passed = Math.min(this.#left, chunk.length - at);
        this.#left -= passed;
        at += passed;
        continue;
      }
      if (frames === FRAMES_AT_ONCE) break;
      if (this.#head(chunk[at] ?? 0)) frames += 1;
      at += 1;
    }
    return { to: at, frames };
  }

  /** Takes a byte of a head. Returns whether it was the last. */
  #head(byte: number): boolean {
    if (this.#seen === 1) {
      this.#masked = (byte & 0x80) !== 0;
      this.#length = byte & 0x7f;
      this.#lengthBytes = LENGTH_BYTES[this.#length] ?? 0;
      if (this.#lengthBytes > 0) this.#length = 0;
    } else if (this.#seen > 1) {
      this.#length = this.#length * 256 + byte;
    }
    this.#seen += 1;
    if (this.#seen < 2 + this.#lengthBytes) return false;
    this.#left = this.#length + (this.#masked ? MASK_BYTES : 0);
    this.#seen = 0;
    this.#lengthBytes = 0;
    return true;
  }
}

const LENGTH_BYTES: { readonly [length: number]: number } = { 126: 2, 127: 8 };
const MASK_BYTES = 4;
