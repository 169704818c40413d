/**
 * What is to be looked at when its time comes. Items lie in rounds of time, so a look costs what is due about now, however many
 * there are: a hundred thousand connections at rest must cost nothing.
 */
export interface Due {
  /** When it is to be looked at; undefined: not at all. Belongs to the list. */
  dueAt: number | undefined;
}

export class DueList<Item extends Due> {
  readonly #roundMs: number;
  readonly #rounds = new Map<number, Set<Item>>();
  /** This round and those before it are over, and have nothing in them. */
  #over: number;

  /**
   * @param roundMs how long a round lasts: about as long as there is between two looks
   * @param now on the same clock as all instants here, which is never set back
   */
  constructor(roundMs: number, now: number) {
    this.#roundMs = roundMs;
    this.#over = Math.floor(now / roundMs) - 1;
  }

  /** In the first look at this instant or after it, and in no other; `Infinity`: in none. */
  put(item: Item, dueAt: number): void {
    this.remove(item);
    if (dueAt === Number.POSITIVE_INFINITY) return;
    // What was due in a round that is over is due in the next look.
    item.dueAt = Math.max(dueAt, (this.#over + 1) * this.#roundMs);
    const round = this.#roundOf(item.dueAt);
    const items = this.#rounds.get(round);
    if (items === undefined) this.#rounds.set(round, new Set([item]));
    else items.add(item);
  }

  remove(item: Item): void {
    if (item.dueAt === undefined) return;
    const round = this.#roundOf(item.dueAt);
    const items = this.#rounds.get(round);
    items?.delete(item);
    if (items?.size === 0) this.#rounds.delete(round);
    item.dueAt = undefined;
  }

  /** Takes out what is due by now. Whoever is to be looked at again is put in again. */
  take(now: number): Item[] {
    const due: Item[] = [];
    const current = this.#roundOf(now);
    for (let round = this.#over + 1; round <= current; round += 1) {
      for (const item of this.#rounds.get(round) ?? []) {
        if (item.dueAt !== undefined && item.dueAt <= now) due.push(item);
      }
    }
    for (const item of due) this.remove(item);
    this.#over = Math.max(this.#over, current - 1);
    return due;
  }

  #roundOf(instant: number): number {
    return Math.floor(instant / this.#roundMs);
  }
}
