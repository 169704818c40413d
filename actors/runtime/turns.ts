/**
 * Turns of the event loop, shared among those who would else take them whole. Whoever has had its share of a turn waits in a
 * line and is called in a later one, first come first served. In each turn the lines get a few milliseconds, then the loop goes
 * round: sockets are read, timers run, stores answer. So however much is to be done, nobody waits for more than a few turns.
 *
 * There are two lines. Who has not had its share yet stands in the first and is called before those who come for more
 * (as the new flows of FQ-CoDel, RFC 8290 §4.2); of these one at least is called in each turn.
 */
import { Queue } from '../base/queue.ts';

/** What is called when one may go on. It does no more than a share. */
export type Turn = () => void;

/** After so long in one turn what arrives waits for the next, in ms. */
const ARRIVALS_MS = 8;
/** So long the lines are served in one turn, in ms. */
const LINES_MS = 4;

export class Turns {
  readonly #elapsed: () => number;
  readonly #newcomers = new Queue<Turn>();
  readonly #others = new Queue<Turn>();
  #number = 0;
  /** When work began in this turn. */
  #since: number | undefined;
  #scheduled = false;
  /** How many of the second line may still be called in this turn, and whether one was. */
  #due = 0;
  #hadAnother = false;

  /** @param elapsed a clock that is never set, in ms */
  constructor(elapsed: () => number = () => performance.now()) {
    this.#elapsed = elapsed;
  }

  /** The number of this turn, for whoever is about to work in it. */
  enter(): number {
    if (!this.#scheduled) this.#schedule();
    this.#since ??= this.#elapsed();
    return this.#number;
  }

  /** Whether this turn has taken so long that what has just arrived had better wait. */
  get late(): boolean {
    return this.#since !== undefined && this.#elapsed() - this.#since > ARRIVALS_MS;
  }

  /** Calls `turn` in a later turn of the event loop. @param had whether it has had its share of this one */
  wait(turn: Turn, had: boolean): void {
    (had ? this.#others : this.#newcomers).add(turn);
    if (!this.#scheduled) this.#schedule();
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() => {
      this.#number += 1;
      this.#since = undefined;
      this.#scheduled = false;
      this.#due = this.#others.size; // who comes again in this turn is called in the next
      this.#hadAnother = false;
      this.#serve(this.#elapsed() + LINES_MS);
    });
  }

  /** Calls one, lets everything happen that follows from it at once (promises), and goes on while there is time. */
  #serve(until: number): void {
    const line = this.#next(this.#elapsed() > until);
    if (line === undefined) {
      this.#since = undefined; // what arrives from now on has time of its own
      if (this.#newcomers.size + this.#others.size > 0 && !this.#scheduled) this.#schedule();
      return;
    }
    // Before the call, which may throw: the others in the lines must not wait for ever.
    queueMicrotask(() => process.nextTick(() => this.#serve(until)));
    line.take()?.();
  }

  #next(late: boolean): Queue<Turn> | undefined {
    if (!late && this.#newcomers.size > 0) return this.#newcomers;
    if (this.#due === 0 || (late && this.#hadAnother)) return undefined;
    this.#due -= 1;
    this.#hadAnother = true;
    return this.#others;
  }
}
