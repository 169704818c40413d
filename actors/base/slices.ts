/**
 * Long work is cut into slices, so that claims are served in between: a page of ten thousand devices must not stall them.
 * Of all long work in the process, one slice is done per turn of the event loop, first come first served. So a claim never
 * waits for more than one slice, however much long work there is.
 */

const waiting: (() => void)[] = [];
/** Whether `letNext` is called in the turn to come. */
let isScheduled = false;
/** When the slice of this turn began; undefined: there was none. */
let begunAt: number | undefined;
/** How long the last turn with a slice took. Each is another object. */
let lastTurn: { readonly ms: number } = { ms: 0 };

/** Resolves when the caller may do its next slice. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (!isScheduled) setImmediate(letNext);
    isScheduled = true;
  });
}

function letNext(): void {
  const now = performance.now();
  if (begunAt !== undefined) lastTurn = { ms: now - begunAt };
  const next = waiting.shift();
  begunAt = next === undefined ? undefined : now;
  isScheduled = next !== undefined;
  if (isScheduled) setImmediate(letNext); // in the turn after this one: also where nobody waits, as it is measured there
  next?.();
}

/** A turn with a slice in it should take no longer than this. */
const TURN_MS = 4;

/**
 * How much goes into a slice, where what it costs is not known before: half as much when turns take too long, more again when
 * they take half of what they may. Turns are long because of what slices set off, or of others: then claims wait, too.
 *
 * @returns the size of the slice that is about to be asked for
 */
export function adaptiveSize(min: number, max: number): () => number {
  let size = max;
  let known = lastTurn;
  return () => {
    if (lastTurn === known) return size; // one long turn makes one slice smaller, however long ago it was
    known = lastTurn;
    if (known.ms > TURN_MS) size = Math.max(min, size >> 1);
    else if (known.ms < TURN_MS / 2) size = Math.min(max, size + min);
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
