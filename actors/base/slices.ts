/**
 * Long work is cut into slices, so that claims are served in between: a page of ten thousand devices must not stall them.
 * Of all long work in the process, one slice is done per turn of the event loop, first come first served. So a claim never
 * waits for more than one slice, however much long work there is.
 */

const waiting: (() => void)[] = [];

/** Resolves when the caller may do its next slice. */
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

/** How many devices are read, or turned into JSON, in one turn of the event loop. */
export const DEVICES_PER_TURN = 250;

/** The items in slices, each in a turn of its own. */
export async function* slices<Item>(items: readonly Item[], size = DEVICES_PER_TURN) {
  for (let at = 0; at < items.length; at += size) {
    if (at > 0) await nextTurn();
    yield items.slice(at, at + size);
  }
}

/** Maps the items in slices; results are in the order of the items. */
export async function mapInSlices<Item, Made>(
  items: readonly Item[],
  make: (item: Item) => Made | Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = [];
  for await (const some of slices(items)) made.push(...(await Promise.all(some.map(make))));
  return made;
}
