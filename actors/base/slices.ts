/**
 * Long work in slices, between which others have their turn: a page of ten thousand devices must not stall the claims. Nor
 * must many such pages at once: of all long work in the process one slice is done in a turn of the event loop, in the
 * order of asking, so that what a claim waits for does not grow with it.
 */

const waiting: (() => void)[] = [];

/** Resolves when a slice may be done. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(letNext);
  });
}

function letNext(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(letNext); // in the turn after this one
}

/** So many devices are read, or written as they are shown, in one turn of the event loop. */
export const DEVICES_PER_TURN = 250;

/** The items in slices, each in a turn of its own. */
export async function* slices<Item>(items: readonly Item[], size = DEVICES_PER_TURN) {
  for (let at = 0; at < items.length; at += size) {
    if (at > 0) await nextTurn();
    yield items.slice(at, at + size);
  }
}

/** What `make` makes of each item, in their order. */
export async function mapInSlices<Item, Made>(
  items: readonly Item[],
  make: (item: Item) => Made | Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = [];
  for await (const some of slices(items)) made.push(...(await Promise.all(some.map(make))));
  return made;
}
