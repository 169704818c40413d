/**
 * Long work is cut into slices, so that claims are served in between: a page of ten thousand devices must not stall them.
 * Of all long work in the process, one slice is done per turn of the event loop, first come first served. So a claim never
 * waits for more than one slice, however much long work there is.
 */

const waiting: (() => void)[] = [];
/** When the last slice began, while another waits. */
let begunAt: number | undefined;
let lastTurnMs = 0;

/** Resolves when the caller may do its next slice. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(letNext);
  });
}

function letNext(): void {
  const now = performance.now();
  if (begunAt !== undefined) lastTurnMs = now - begunAt;
  waiting.shift()?.();
  begunAt = waiting.length > 0 ? now : undefined;
  if (waiting.length > 0) setImmediate(letNext); // in the turn after this one
}

/** A turn with a slice in it should take no longer than this. */
const TURN_MS = 4;

/**
 * How much goes into a slice, where what it costs is not known before: half as much when turns take too long, more again when
 * they take half of what they may. Turns are long because of what slices set off, or of others: then claims wait, too.
 *
 * @returns the size of the slice that is about to be asked for
 */
export function adaptiveSize(
  min: number,
  max: number,
  turnMs: () => number = () => lastTurnMs,
): () => number {
  let size = max;
  return () => {
    const last = turnMs();
    if (last > TURN_MS) size = Math.max(min, size >> 1);
    else if (last < TURN_MS / 2) size = Math.min(max, size + min);
    return size;
  };
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
