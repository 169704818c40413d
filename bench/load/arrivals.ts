/**
 * When the operations of an open loop begin: instants fixed beforehand, independent of earlier answers. `even` spaces
 * them equally; `poisson` spaces them like independent arrivals, with small bursts.
 */
import type { Arrival } from '../contract.ts';

export class Arrivals {
  readonly #gapMs: number;
  readonly #arrival: Arrival;
  readonly #random: () => number;
  readonly #startAt: number;
  #number = 0;
  #next: number;

  /**
   * @param startAt the earliest arrival, in ms
   * @param seed the same seed gives the same arrivals
   */
  constructor(perSecond: number, arrival: Arrival, startAt: number, seed: number) {
    this.#gapMs = 1000 / perSecond;
    this.#arrival = arrival;
    this.#random = randomFrom(seed);
    this.#startAt = startAt;
    this.#next = startAt;
    if (arrival === 'poisson') this.#advance();
  }

  /** When the next one is due. */
  get next(): number {
    return this.#next;
  }

  /** Takes the next one and returns when it was due. */
  take(): number {
    const due = this.#next;
    this.#advance();
    return due;
  }

  #advance(): void {
    this.#number += 1;
    // Computed from its number: adding up would add up rounding errors.
    if (this.#arrival === 'even') this.#next = this.#startAt + this.#number * this.#gapMs;
    else this.#next += -Math.log(1 - this.#random()) * this.#gapMs;
  }
}

/** Mulberry32: small, fast, good enough for gaps between arrivals. In [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
