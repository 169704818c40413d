/**
 * Requests that were answered, for as long as a duplicate of them may come (RFC 7252 §4.5, §4.8.2).
 *
 * An exchange is one entry in two maps: its peer's, to find it, and the order in which exchanges were answered, to forget
 * them. It is forgotten when its lifetime is over (checked on reading; the sweep only frees memory) or when there are too
 * many: first the oldest of its peer, then the oldest of all. What is lost then is the memory of an old answer, so a window
 * may be opened twice, which is harmless (rule O5).
 */
import type { Cancel, Clock } from '../../actors/base/clock.ts';
import type { Exchange } from './peers.ts';
import type { CoapSettings } from './settings.ts';

/** What an entry takes besides its answer: two map entries, an object, a fingerprint, its share of the peer. */
const ENTRY_BYTES = 400;
/** The least time between two sweeps. */
const SWEEP_MS = 1_000;

export class AnsweredExchanges {
  readonly #settings: Pick<CoapSettings, 'exchangesMax' | 'exchangesPerPeerMax' | 'exchangeBytesMax'>;
  readonly #clock: Clock;
  readonly #onForgotten: (exchange: Exchange) => void;
  /** The longest answered first. */
  readonly #answered = new Set<Exchange>();
  #bytes = 0;
  #cancelSweep: Cancel | undefined;

  constructor(settings: CoapSettings, clock: Clock, onForgotten: (exchange: Exchange) => void) {
    this.#settings = settings;
    this.#clock = clock;
    this.#onForgotten = onForgotten;
  }

  get size(): number {
    return this.#answered.size;
  }

  add(exchange: Exchange): void {
    const { exchangesMax, exchangesPerPeerMax, exchangeBytesMax } = this.#settings;
    exchange.answered = true;
    this.#answered.add(exchange);
    this.#bytes += bytesOf(exchange);
    const { exchanges } = exchange.peer;
    if (exchanges.size > exchangesPerPeerMax) this.#forgetFirst(exchanges.values());
    while (this.#answered.size > exchangesMax || this.#bytes > exchangeBytesMax)
      this.#forgetFirst(this.#answered);
    this.#sweepLater();
  }

  forget(exchange: Exchange): void {
    if (this.#answered.delete(exchange)) this.#bytes -= bytesOf(exchange);
    exchange.peer.exchanges.delete(exchange.messageId);
    this.#onForgotten(exchange);
  }

  /** Those that are still being served are passed over. */
  #forgetFirst(exchanges: Iterable<Exchange>): void {
    for (const exchange of exchanges) {
      if (!exchange.answered) continue;
      this.forget(exchange);
      return;
    }
  }

  /** Frees what is over. One that lives longer may stand before one that is over, which then waits: no harm. */
  #sweepLater(): void {
    const [first] = this.#answered;
    if (first === undefined || this.#cancelSweep !== undefined) return;
    const delayMs = Math.max(SWEEP_MS, first.expiresAt - this.#clock.elapsed());
    this.#cancelSweep = this.#clock.after(delayMs, () => {
      this.#cancelSweep = undefined;
      const now = this.#clock.elapsed();
      for (const exchange of this.#answered) {
        if (exchange.expiresAt > now) break;
        this.forget(exchange);
      }
      this.#sweepLater();
    });
  }

  close(): void {
    this.#cancelSweep?.();
  }
}

function bytesOf({ reply }: Exchange): number {
  return ENTRY_BYTES + (reply?.length ?? 0);
}
