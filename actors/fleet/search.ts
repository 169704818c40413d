/**
 * Searches lists of devices that may have millions of members. How much one search reads is bounded, and claims go on
 * meanwhile.
 *
 * Two things cost: a row of an index (about a microsecond) and a device's head (about ten). A list of up to `rowsMax`
 * devices is searched whole, so the answer is exact: what contains the text, in the order asked for, and how many. Of a
 * longer list the index gives what *begins* with the text, by one range; only if nothing does, the first `rowsMax` rows
 * are searched for what contains it. With filters it looks at `headsMax` devices. If a bound ended the search
 * before the list did, the answer says how far it came (`cutAfter`). Filters without a text are bounded by time (`filtered.ts`).
 *
 * A total is exact up to `totalMax`; beyond that it is "at least".
 */
import type { DeviceId } from '../base/ids.ts';
import { DEVICES_PER_TURN, nextTurn } from '../base/slices.ts';
import { deviceOf, searchedText, textOf } from '../device/indexes.ts';
import type { Index } from '../store/store.ts';

export interface SearchBounds {
  /** How many rows of an index one search reads. */
  readonly rowsMax: number;
  /** How many devices' heads one search reads besides those it returns. */
  readonly headsMax: number;
  /** Up to how many a total is exact. */
  readonly totalMax: number;
  /** Up to how many matches are sorted by creation; more are given in the order of their names. */
  readonly sortMax: number;
  /** How long a search by filters takes at most until a page is full, in ms of its own; large pages get more. */
  readonly pageMs: number;
  /** As `pageMs`, for a page that who asks cannot go on from. */
  readonly fullPageMs: number;
  /** How long it goes on with counting when the page is full. */
  readonly countMs: number;
  /** What is looked at before time is minded, and few devices that are all looked at, take no longer than this. */
  readonly hardMs: number;
  /** Letters of additionalInfo in one page, as JSON: each device may have sixteen thousand, and a page ten thousand devices. */
  readonly infoMax: number;
  /** It looks at so many devices before it minds the time: a moment of a busy machine makes no small list uncertain. */
  readonly looksMin: number;
}

export const SEARCH_BOUNDS: SearchBounds = {
  rowsMax: 100_000,
  headsMax: 20_000,
  totalMax: 10_000,
  sortMax: 5_000,
  pageMs: 80,
  fullPageMs: 2_000,
  countMs: 40,
  hardMs: 320,
  infoMax: 16 * 2 ** 20,
  looksMin: 1_000,
};

/** Rows between two turns of the event loop. */
const ROWS_PER_TURN = 1_000;

/** Which part of what is found is wanted. */
export interface RowRange {
  readonly offset: number;
  readonly limit: number;
  readonly descending: boolean;
}

export interface Found {
  /** Those in the range, in order. */
  readonly ids: readonly DeviceId[];
  /** How many there are, or were found so far where `atLeast` is set. */
  readonly total: number;
  /** There may be more than `total`; always where `cutAfter` is set. */
  readonly atLeast?: true;
  /** After how many devices a bound ended the search; undefined where it saw all. */
  readonly cutAfter?: number;
  /** Behind which place a search that was ended goes on: `after` of the next query. */
  readonly next?: string;
}

export interface Scan {
  readonly list: string;
  readonly prefix?: string;
  readonly rows: RowRange;
  /** Whether the list's own order is wanted; if not, the order of creation is. */
  readonly inOrder: boolean;
  /** Whether a device fits, as far as its row says. */
  readonly row: (member: string) => boolean;
  /** Which of these devices fit by their heads; undefined: rows say it all. */
  readonly head?: ((ids: readonly DeviceId[]) => Promise<readonly DeviceId[]>) | undefined;
}

/** Looks at a list's rows one by one, within the bounds. */
async function scan(index: Index, bounds: SearchBounds, what: Scan): Promise<Found> {
  const { list, prefix = '', rows, inOrder, row, head } = what;
  const { descending } = rows;
  const collected = inOrder ? inListOrder(rows) : inOrderOfCreation(rows);
  const chunk = head === undefined ? ROWS_PER_TURN : DEVICES_PER_TURN;
  let rowsRead = 0;
  let headsRead = 0;
  let after: { readonly after: string } | undefined;
  for (;;) {
    const members = await index.page(list, { offset: 0, limit: chunk, prefix, descending, ...after });
    rowsRead += members.length;
    const fitting = members.filter(row).map(deviceOf);
    headsRead += head === undefined ? 0 : fitting.length;
    for (const id of head === undefined ? fitting : await head(fitting)) collected.add(id);
    const last = members.at(-1);
    if (last === undefined || members.length < chunk) return collected.found();
    after = { after: last };
    if (rowsRead >= bounds.rowsMax || headsRead >= bounds.headsMax) {
      const more = await index.page(list, { offset: 0, limit: 1, prefix, descending, ...after });
      return more.length === 0
        ? collected.found()
        : { ...collected.found(), atLeast: true, cutAfter: rowsRead };
    }
    await nextTurn();
  }
}

/** Reads a part of what is in order from the end, where it is nearer to that: skipping takes time. */
export async function fromNearerEnd<Item>(
  { offset, limit, descending }: RowRange,
  total: number,
  read: (rows: RowRange) => Promise<readonly Item[]>,
): Promise<readonly Item[]> {
  if (offset >= total) return [];
  const behind = total - offset - limit;
  if (behind >= offset) return read({ offset, limit, descending });
  const fromEnd = { offset: Math.max(0, behind), limit: Math.min(limit, total - offset) };
  return [...(await read({ ...fromEnd, descending: !descending }))].reverse();
}

/** A part of those members that begin with a text, without looking at them one by one. */
export async function range(
  index: Index,
  bounds: SearchBounds,
  list: string,
  prefix: string,
  { offset, limit, descending }: RowRange,
): Promise<Found> {
  const members = await index.page(list, { offset, limit: limit + 1, prefix, descending });
  const counted = await index.count(list, { prefix, atMost: bounds.totalMax });
  const ids = members.slice(0, limit).map(deviceOf);
  if (counted < bounds.totalMax) return { ids, total: counted };
  // A page behind the end shows nothing of how long the list is.
  if (members.length === 0) return { ids, total: counted, atLeast: true };
  const seen = offset + members.length;
  return members.length <= limit
    ? { ids, total: seen }
    : { ids, total: Math.max(counted, seen), atLeast: true };
}

export interface TextSearch {
  readonly text: string;
  /** Members are `memberByName`. */
  readonly list: string;
  /** The list of their labels, likewise; undefined where there is none: then heads are read for them. */
  readonly labels?: string;
  readonly rows: RowRange;
  readonly byName: boolean;
  /** Whether a device fits, by its id alone. */
  readonly id?: ((id: DeviceId) => boolean) | undefined;
  readonly head: Scan['head'];
  /** As `head`, and the text is in the device's name or label. */
  readonly containing: NonNullable<Scan['head']>;
}

/** Devices whose name or label has a text in it: see the head of this file for when it must stand at the beginning. */
export async function searchText(index: Index, bounds: SearchBounds, search: TextSearch): Promise<Found> {
  const { text, list, labels, rows, byName, id, head, containing } = search;
  const allowed = (member: string) => id === undefined || id(deviceOf(member));

  async function beginning(of: string): Promise<Found | undefined> {
    const count = await index.count(of, { prefix: text, atMost: bounds.sortMax });
    if (count === 0) return undefined;
    const inOrder = byName || count >= bounds.sortMax;
    return inOrder && id === undefined && head === undefined
      ? range(index, bounds, of, text, rows)
      : scan(index, bounds, { list: of, prefix: text, rows, inOrder, row: allowed, head });
  }

  const wholeMax = labels === undefined ? bounds.headsMax : bounds.rowsMax;
  if ((await index.count(list)) > wholeMax) {
    const found = (await beginning(list)) ?? (labels && (await beginning(labels)));
    if (found) return found;
  }
  if (labels === undefined) {
    return scan(index, bounds, { list, rows, inOrder: byName, row: allowed, head: containing });
  }
  const labelled = await labelledWith(index, bounds, labels, text);
  const row = (member: string) =>
    (searchedText(textOf(member)).includes(text) || labelled.has(deviceOf(member))) && allowed(member);
  return scan(index, bounds, { list, rows, inOrder: byName, row, head });
}

/** The devices whose label contains a text, among the first `rowsMax` labels. */
async function labelledWith(index: Index, bounds: SearchBounds, labels: string, text: string) {
  const everything: RowRange = { offset: 0, limit: bounds.rowsMax, descending: false };
  const row = (member: string) => searchedText(textOf(member)).includes(text);
  return new Set((await scan(index, bounds, { list: labels, rows: everything, inOrder: true, row })).ids);
}

interface Collected {
  add(id: DeviceId): void;
  found(): Found;
}

function inListOrder({ offset, limit }: RowRange): Collected {
  const ids: DeviceId[] = [];
  let total = 0;
  return {
    add(id) {
      if (total >= offset && ids.length < limit) ids.push(id);
      total += 1;
    },
    found: () => ({ ids, total }),
  };
}

/** Keeps the first of those offered, in order of creation, which is that of their ids. */
function inOrderOfCreation({ offset, limit, descending }: RowRange): Collected {
  const wanted = offset + limit;
  let ids: DeviceId[] = [];
  let total = 0;
  const sort = () => {
    ids.sort();
    if (descending) ids.reverse();
    ids = ids.slice(0, wanted);
  };
  return {
    add(id) {
      total += 1;
      ids.push(id);
      if (ids.length > 2 * wanted + ROWS_PER_TURN) sort();
    },
    found() {
      sort();
      return { ids: ids.slice(offset), total };
    },
  };
}
