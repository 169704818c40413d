/**
 * Devices that several filters fit at once: lists that have the order of creation are gone through side by side, and each
 * skips to where the others are (a leapfrog join). So a filter that few devices fit makes the others cheap, and of two that
 * many fit a page is found after a few steps.
 *
 * How many fit in all is known where the end is reached. What ends it sooner is time, and then it says behind which device.
 */
import type { DeviceId } from '../base/ids.ts';
import { nextTurn } from '../base/slices.ts';
import { deviceOf } from '../device/indexes.ts';
import type { Index } from '../store/store.ts';

/** The time that a search takes. It counts its own alone: in between, others have their turns. */
export interface Effort {
  usedMs(): number;
  /** Lets others have their turn, if it is time for that. */
  rest(): Promise<void>;
}

/** A slice of work is no longer than this, or one read of a list. */
const SLICE_MS = 3;

export function beginEffort(): Effort {
  let used = 0;
  let since = performance.now();
  return {
    usedMs: () => used + performance.now() - since,
    async rest() {
      const slice = performance.now() - since;
      if (slice < SLICE_MS) return;
      used += slice;
      await nextTurn();
      since = performance.now();
    },
  };
}

/** Members of a list that begin with a text. What follows it is an id, so these are in the order of creation. */
export interface IdList {
  readonly list: string;
  readonly prefix?: string;
}

/** The devices that one filter fits: those in any of these lists and ids. No device is in two of them. */
export interface Source {
  readonly lists: readonly IdList[];
  /** Ascending. */
  readonly others: readonly DeviceId[];
  /** Devices in the lists that do not fit. */
  readonly without: ReadonlySet<DeviceId>;
}

export interface Join {
  readonly sources: readonly Source[];
  readonly descending: boolean;
  /** Begins behind this place: an id, or what `stoppedAt` said. */
  readonly after: string | undefined;
  /** Of those that fit: which ones are wanted. */
  readonly offset: number;
  readonly limit: number;
  /** Whether a device fits the rest, by its id alone. */
  readonly fits?: ((id: DeviceId) => boolean) | undefined;
  /** Which of these fit the rest, by their heads. */
  readonly head?: ((ids: readonly DeviceId[]) => Promise<readonly DeviceId[]>) | undefined;
  /** Whether to stop, where so many of those that were looked at fit, after so many reads of lists. */
  readonly stops: (found: number, looked: number, reads: number) => boolean;
}

export interface Joined {
  readonly ids: readonly DeviceId[];
  /** How many fit, of those looked at. */
  readonly total: number;
  /** Where it was stopped: all up to there was looked at. Undefined: it saw all. */
  readonly stoppedAt?: string;
  /** How many devices were looked at. */
  readonly looked: number;
}

/** Devices whose heads are read at once; fewer at first, as a page is soon full. */
const HEADS_FIRST = 32;
const HEADS_MAX = 250;
/** Steps between two looks at the time. */
const STEPS = 256;

export async function joined(index: Index, effort: Effort, join: Join): Promise<Joined> {
  const { sources, descending, after, offset, limit, fits = () => true, head, stops } = join;
  const cursors = sources.map((source) => openCursor({ index, effort }, source, descending, after));
  const ids: DeviceId[] = [];
  let [total, looked, steps, reads] = [0, 0, 0, 0];
  let candidates: DeviceId[] = [];
  let candidatesMax = HEADS_FIRST;
  const add = (id: DeviceId) => {
    if (total >= offset && ids.length < limit) ids.push(id);
    total += 1;
  };
  const ask = async () => {
    for (const id of (await head?.(candidates)) ?? []) add(id);
    candidates = [];
    candidatesMax = Math.min(HEADS_MAX, 2 * candidatesMax);
  };
  for (const cursor of cursors) await cursor.fill();
  for (;;) {
    const { found, at, steps: more, unread } = goOn(cursors, descending);
    if (at === undefined) break;
    looked += more;
    steps += more;
    if (found && fits(at)) {
      if (head === undefined) add(at);
      else candidates.push(at);
    }
    for (const cursor of unread) await cursor.fill();
    reads += unread.length;
    if (candidates.length >= candidatesMax) await ask();
    else if (steps < STEPS && unread.length === 0) continue;
    steps = 0;
    await effort.rest();
    if (stops(total, looked, reads)) {
      await ask();
      return { ids, total, looked, stoppedAt: found ? at : edgeBefore(at, descending) };
    }
  }
  await ask();
  return { ids, total, looked };
}

interface Step {
  /** All cursors stood there; they stand behind it now. */
  readonly found: boolean;
  /** Up to where all is looked at; undefined: to the end. */
  readonly at: DeviceId | undefined;
  readonly steps: number;
  /** What has to be read on first, which is once for many devices. */
  readonly unread: readonly Cursor[];
}

/** Goes on until all cursors stand at one device, or one has to be read on. */
function goOn(cursors: readonly Cursor[], descending: boolean): Step {
  for (let steps = 1; ; steps += 1) {
    let furthest = cursors[0]?.current();
    if (furthest === undefined) return { found: false, at: undefined, steps, unread: [] };
    let found = true;
    for (const cursor of cursors) {
      const id = cursor.current();
      if (id === undefined) return { found: false, at: undefined, steps, unread: [] };
      if (id === furthest) continue;
      found = false;
      if (isBefore(furthest, id, descending)) furthest = id;
    }
    const at = furthest;
    const unread = cursors.filter((cursor) => !(found ? cursor.pass() : cursor.skipTo(at)));
    if (found || unread.length > 0) return { found, at, steps, unread };
  }
}

function isBefore(one: string, other: string, descending: boolean): boolean {
  return descending ? one > other : one < other;
}

/** A place in the devices of a source. After `pass` or `skipTo` that answered false, `fill` has to be awaited. */
interface Cursor {
  /** Undefined: at the end. */
  current(): DeviceId | undefined;
  /** Goes on by one. */
  pass(): boolean;
  /** Goes on to the first device that is not before this one. */
  skipTo(id: DeviceId): boolean;
  fill(): Promise<void>;
}

interface Means {
  readonly index: Index;
  readonly effort: Effort;
}

function openCursor(
  { index, effort }: Means,
  { lists, others, without }: Source,
  descending: boolean,
  after: string | undefined,
): Cursor {
  const rest = descending ? [...others].reverse() : others;
  const behind = after === undefined ? rest : rest.filter((id) => isBefore(after, id, descending));
  const parts = [
    ...lists.map((list) => listCursor(index, list, descending, after)),
    ...(behind.length === 0 ? [] : [arrayCursor(behind, descending)]),
  ];
  const [only] = parts;
  const whole = parts.length === 1 && only !== undefined ? only : unionCursor(parts, descending);
  return without.size === 0 ? whole : cursorWithout(whole, without, effort);
}

/** Rows read at once: few where the reader jumps far, many where it goes on step by step. */
const ROWS_MIN = 8;
const ROWS_MAX = 1_000;

function listCursor(
  index: Index,
  { list, prefix = '' }: IdList,
  descending: boolean,
  after: string | undefined,
): Cursor {
  let rows: readonly DeviceId[] = [];
  let at = 0;
  /** Behind which text the next read begins; undefined: the list has no more. */
  let next: string | undefined = after === undefined ? '' : after;
  /** What is looked for: nothing before it is wanted. */
  let wanted: DeviceId | undefined;
  let size = ROWS_MIN;
  /** How often a row that was read at once was where the reader stood. */
  let stands = 0;

  function settle(): boolean {
    if (wanted !== undefined) at = positionOf(rows, wanted, at, descending);
    return at < rows.length || next === undefined;
  }

  return {
    current: () => rows[at],
    pass() {
      at += 1;
      stands += 1;
      wanted = undefined;
      return at < rows.length || next === undefined;
    },
    skipTo(id) {
      wanted = id;
      const isThere = settle();
      // Rows that are jumped over are of no use, however often.
      if (isThere) stands += 1;
      else next = edgeBefore(id, descending);
      return isThere;
    },
    async fill() {
      while (at >= rows.length && next !== undefined) {
        // What was read was of use more than once, or it was jumped over.
        if (rows.length > 0) size = stands > 1 ? Math.min(ROWS_MAX, 2 * size) : Math.max(ROWS_MIN, size >> 1);
        stands = 0;
        const from = next === '' ? {} : { after: `${prefix}${next}` };
        const members = await index.page(list, { offset: 0, limit: size, descending, prefix, ...from });
        rows = members.map(deviceOf);
        at = 0;
        next = members.length < size ? undefined : rows.at(-1);
        settle();
      }
    },
  };
}

/** A text between an id and all that come before it in the order asked for. */
function edgeBefore(id: DeviceId, descending: boolean): string {
  if (descending) return `${id} `;
  const last = id.length - 1;
  return `${id.slice(0, last)}${String.fromCharCode(id.charCodeAt(last) - 1)}~`;
}

/** The first place from `at` on with what is not before the id. */
function positionOf(rows: readonly DeviceId[], id: DeviceId, at: number, descending: boolean): number {
  let [low, step] = [at, 1];
  // Mostly it is near.
  while (low + step <= rows.length && isBefore(rows[low + step - 1] ?? id, id, descending)) {
    low += step;
    step *= 2;
  }
  let high = Math.min(rows.length, low + step);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(rows[middle] ?? id, id, descending)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function arrayCursor(ids: readonly DeviceId[], descending: boolean): Cursor {
  let at = 0;
  return {
    current: () => ids[at],
    pass() {
      at += 1;
      return true;
    },
    skipTo(id) {
      at = positionOf(ids, id, at, descending);
      return true;
    },
    async fill() {},
  };
}

function unionCursor(parts: readonly Cursor[], descending: boolean): Cursor {
  const unfilled = new Set(parts);
  const first = () => {
    let found: Cursor | undefined;
    for (const part of parts) {
      const id = part.current();
      const other = found?.current();
      if (id !== undefined && (other === undefined || isBefore(id, other, descending))) found = part;
    }
    return found;
  };
  const note = (part: Cursor, isThere: boolean) => {
    if (!isThere) unfilled.add(part);
  };
  return {
    current: () => first()?.current(),
    pass() {
      const part = first();
      if (part !== undefined) note(part, part.pass());
      return unfilled.size === 0;
    },
    skipTo(id) {
      for (const part of parts) {
        const now = part.current();
        if (now !== undefined && isBefore(now, id, descending)) note(part, part.skipTo(id));
      }
      return unfilled.size === 0;
    },
    async fill() {
      for (const part of unfilled) await part.fill();
      unfilled.clear();
    },
  };
}

/** What does not fit may stand side by side: all of it is read before the next that fits, in slices. There are some thousand at most. */
function cursorWithout(whole: Cursor, without: ReadonlySet<DeviceId>, effort: Effort): Cursor {
  let isThere = true;
  const skip = () => {
    for (let id = whole.current(); isThere && id !== undefined && without.has(id); id = whole.current())
      isThere = whole.pass();
    return isThere;
  };
  return {
    current: () => whole.current(),
    pass() {
      isThere = whole.pass();
      return skip();
    },
    skipTo(id) {
      isThere = whole.skipTo(id);
      return skip();
    },
    async fill() {
      for (;;) {
        await whole.fill();
        isThere = true;
        if (skip()) return;
        await effort.rest();
      }
    },
  };
}
