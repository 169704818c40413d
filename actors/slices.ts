/** Long work in slices, between which others have their turn: a page of ten thousand devices must not stall the claims. */
import { setImmediate as nextTurn } from 'node:timers/promises';

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
