/**
 * Turns of the event loop, shared among those who would else take them whole. Whoever has had its share of a turn waits in a
 * line and is called in a later one, first come first served. In each turn the lines get a few milliseconds, then the loop goes
 * round: sockets are read, timers run, stores answer. So however much is to be done, nobody waits for more than a few turns.
 *
 * There are three lines. Who has not had its share yet stands in the first and is called before those who come for more
 * (as the new flows of FQ-CoDel, RFC 8290 §4.2). Who has not said yet who it is stands in the third: thousands may come at once,
 * so they do not go before those who are known, nor behind all who come for more, as these may have no end either. The second and
 * the third are served by turns, and of each one at least is called in each turn.
 */
import { Queue } from '../base/queue.ts';
import { unreachable } from '../base/unreachable.ts';

/** What is called when one may go on. It does no more than a share. */
export type Turn = () => void;

/** Who waits: one who has had nothing of this turn, one who has had its share, or one of whom nobody knows who it is. */
export type Who = 'newcomer' | 'again' | 'stranger';

/** A line, and what is still to be said of it in this turn. */
interface Line {
  readonly turns: Queue<Turn>;
  /** How many of it may still be called. */
  due: number;
  hadOne: boolean;
}

const emptyLine = (): Line => ({ turns: new Queue(), due: 0, hadOne: false });

/** After so long in one turn what arrives waits for the next, in ms. */
const ARRIVALS_MS = 8;
/** So long the lines are served in one turn, in ms. */
const LINES_MS = 4;
/** Its `then` queues a microtask for half of what `queueMicrotask` takes, which makes a context for each. */
const AT_ONCE = Promise.resolve();

export class Turns {
  readonly #elapsed: () => number;
  readonly #newcomers = new Queue<Turn>();
  readonly #again = emptyLine();
  readonly #strangers = emptyLine();
  /** The line of these two that is looked at first. */
  #first = this.#again;
  #number = 0;
  /** When work began in this turn. */
  #since: number | undefined;
  #scheduled = false;

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

  /** Calls `turn` in a later turn of the event loop. */
  wait(turn: Turn, who: Who): void {
    this.#lineOf(who).add(turn);
    if (!this.#scheduled) this.#schedule();
  }

  #lineOf(who: Who): Queue<Turn> {
    switch (who) {
      case 'newcomer':
        return this.#newcomers;
      case 'again':
        return this.#again.turns;
      case 'stranger':
        return this.#strangers.turns;
      default:
        return unreachable(who);
    }
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() => {
      this.#number += 1;
      this.#since = undefined;
      this.#scheduled = false;
      for (const line of [this.#again, this.#strangers]) {
        line.due = line.turns.size; // who comes again in this turn is called in the next
        line.hadOne = false;
      }
      this.#serve(this.#elapsed() + LINES_MS);
    });
  }

  /** Calls one, lets everything happen that follows from it at once (promises), and goes on while there is time. */
  #serve(until: number): void {
    const line = this.#next(this.#elapsed() > until);
    if (line === undefined) {
      this.#since = undefined; // what arrives from now on has time of its own
      const waiting = this.#newcomers.size + this.#again.turns.size + this.#strangers.turns.size;
      if (waiting > 0 && !this.#scheduled) this.#schedule();
      return;
    }
    // Before the call, which may throw: the others in the lines must not wait for ever.
    void AT_ONCE.then(() => process.nextTick(() => this.#serve(until)));
    line.take()?.();
  }

  #next(late: boolean): Queue<Turn> | undefined {
    if (!late && this.#newcomers.size > 0) return this.#newcomers;
    const second = this.#first === this.#again ? this.#strangers : this.#again;
    const line = [this.#first, second].find(({ due, hadOne }) => due > 0 && !(late && hadOne));
    if (line === undefined) return undefined;
    line.due -= 1;
    line.hadOne = true;
    this.#first = line === this.#again ? this.#strangers : this.#again;
    return line.turns;
  }
}
