/** First in, first out, without moving what waits: taking the first costs the same however many there are. */

/** Places at the front that are no longer used are given back when there are so many of them, and as many in use at most. */
const UNUSED_MAX = 1_000;

export class Queue<Item> {
  #items: (Item | undefined)[] = [];
  #first = 0;

  get size(): number {
    return this.#items.length - this.#first;
  }

  /** The one that is taken next; undefined: there is none. */
  get first(): Item | undefined {
    return this.#items[this.#first];
  }

  add(item: Item): void {
    this.#items.push(item);
  }

  take(): Item | undefined {
    const item = this.#items[this.#first];
    if (this.size === 0) return undefined;
    this.#items[this.#first] = undefined; // what was taken is not kept alive
    this.#first += 1;
    if (this.#first === this.#items.length) this.#begin([]);
    else if (this.#first > UNUSED_MAX && this.#first > this.size) this.#begin(this.#items.slice(this.#first));
    return item;
  }

  #begin(items: (Item | undefined)[]): void {
    this.#items = items;
    this.#first = 0;
  }
}
