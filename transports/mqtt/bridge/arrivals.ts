/**
 * When a message arrived, for the order of messages that two nodes serve (rule O5).
 *
 * A process that stood still reads what came meanwhile all at once. Such a message may be as old as the stop was long, so it
 * counts as having arrived at its beginning: rather a newer message than one that was told "opened" is taken for late.
 */
import type { Cancel, Clock, Instant } from '../../../actors/base/clock.ts';

const BEAT_MS = 250;
/** A beat that is later than this was no busy moment. */
const STOPPED_MS = 1_000;
/** For so long after a stop, what is read may have waited in it. */
const BACKLOG_MS = 1_000;

export class Arrivals {
  readonly #clock: Clock;
  #beat: { readonly now: Instant; readonly elapsed: number };
  /** The last stop: when it began, and until when its backlog is read. */
  #stop: { readonly from: Instant; readonly until: number } | undefined;
  #cancel: Cancel;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#beat = this.#look();
    this.#cancel = this.#beatLater();
  }

  /** The instant for a message that is read now. */
  instant(): Instant {
    this.#note();
    const { now, elapsed } = this.#look();
    return this.#stop !== undefined && elapsed < this.#stop.until ? this.#stop.from : now;
  }

  stop(): void {
    this.#cancel();
  }

  #look() {
    return { now: this.#clock.now(), elapsed: this.#clock.elapsed() };
  }

  #note(): void {
    const seen = this.#look();
    if (seen.elapsed - this.#beat.elapsed > STOPPED_MS) {
      this.#stop = { from: this.#beat.now, until: seen.elapsed + BACKLOG_MS };
    }
    this.#beat = seen;
  }

  #beatLater(): Cancel {
    return this.#clock.after(BEAT_MS, () => {
      this.#note();
      this.#cancel = this.#beatLater();
    });
  }
}
