/**
 * Things in the order of their last use, linked to one another. A Map keeps that order too, but not cheaply: what leaves it
 * leaves a hole, and whoever asks for its first entry walks over all holes before it. Among fifty thousand entries
 * that is some microseconds each time.
 */

/** What a thing in such an order has: its neighbours, which only `ByUse` sets. */
export interface InOrder<Thing> {
  older: Thing | undefined;
  newer: Thing | undefined;
}

export class ByUse<Thing extends InOrder<Thing>> {
  /** The longest unused. */
  oldest: Thing | undefined;
  #newest: Thing | undefined;

  /** @param thing in no order yet */
  add(thing: Thing): void {
    const before = this.#newest;
    thing.older = before;
    if (before === undefined) this.oldest = thing;
    else before.newer = thing;
    this.#newest = thing;
  }

  /** @param thing in this order; it is the one used last from now on */
  use(thing: Thing): void {
    if (thing === this.#newest) return;
    this.remove(thing);
    this.add(thing);
  }

  /** @param thing in this order */
  remove(thing: Thing): void {
    const { older, newer } = thing;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    thing.older = undefined;
    thing.newer = undefined;
  }

  clear(): void {
    this.oldest = undefined;
    this.#newest = undefined;
  }
}
