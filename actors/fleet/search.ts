/**
 * Searches and filters over lists of devices that may have millions of members: what is looked at is bounded, and
 * whoever claims meanwhile does not wait.
 *
 * Two things cost: a row of an index (about a microsecond) and a device's head (about ten). A list of up to
 * `rowsMax` devices is searched whole, so that everything about the answer is exact: what contains the text, in the
 * order asked for, and how many. Of a longer list the index gives what *begins* with the text, by one range; only
 * where nothing does, the first `rowsMax` rows are searched for what contains it. Filters that need the head look at
 * `headsMax` devices. Where a bound ended it before the list did, the answer says how far it came (`cutAfter`).
 *
 * A total is exact up to `totalMax`; beyond it is "at least".
 */

import type { DeviceId } from '../base/ids.ts';
import { DEVICES_PER_TURN, nextTurn } from '../base/slices.ts';
import { deviceOf, textOf } from '../device/indexes.ts';
import type { Index } from '../store/store.ts';

export interface SearchBounds {
  /** Rows of an index that one search looks at. */
  readonly rowsMax: number;
  /** Heads of devices that one search reads besides those it returns. */
  readonly headsMax: number;
  /** Up to where a total is exact. */
  readonly totalMax: number;
  /** As many devices that begin with a text are put in order of creation; more are in the order of their names. */
  readonly sortMax: number;
}

export const SEARCH_BOUNDS: SearchBounds = {
  rowsMax: 100_000,
  headsMax: 20_000,
  totalMax: 10_000,
  sortMax: 5_000,
};

/** Rows between two turns of the event loop. */
const ROWS_PER_TURN = 1_000;

export interface Window {
  readonly offset: number;
  readonly limit: number;
  readonly descending: boolean;
}

export interface Found {
  /** Those in the window, in order. */
  readonly ids: readonly DeviceId[];
  /** How many there are, or at least. */
  readonly total: number;
  /** After how many devices a bound ended the search; undefined where it saw all. */
  readonly cutAfter?: number;
}

export interface Scan {
  readonly list: string;
  readonly prefix?: string;
  readonly window: Window;
  /** Whether the list's own order is the one asked for; otherwise that of creation is. */
  readonly inOrder: boolean;
  /** What can be said of a device by its row alone. */
  readonly row: (member: string) => boolean;
  /** What needs the device's head. */
  readonly head?: ((ids: readonly DeviceId[]) => Promise<readonly DeviceId[]>) | undefined;
}

/** Looks at a list's rows one by one, within the bounds. */
export async function scan(index: Index, bounds: SearchBounds, what: Scan): Promise<Found> {
  const { list, prefix = '', window, inOrder, row, head } = what;
  const { descending } = window;
  const collected = inOrder ? inListOrder(window) : inOrderOfCreation(window);
  const chunk = head === undefined ? ROWS_PER_TURN : DEVICES_PER_TURN;
  let rows = 0;
  let heads = 0;
  let after: { readonly after: string } | undefined;
  for (;;) {
    const members = await index.page(list, { offset: 0, limit: chunk, prefix, descending, ...after });
    rows += members.length;
    const fitting = members.filter(row).map(deviceOf);
    heads += head === undefined ? 0 : fitting.length;
    for (const id of head === undefined ? fitting : await head(fitting)) collected.add(id);
    const last = members.at(-1);
    if (last === undefined || members.length < chunk) return collected.found();
    after = { after: last };
    if (rows >= bounds.rowsMax || heads >= bounds.headsMax) {
      const more = await index.page(list, { offset: 0, limit: 1, prefix, descending, ...after });
      return more.length === 0 ? collected.found() : { ...collected.found(), cutAfter: rows };
    }
    await nextTurn();
  }
}

/** A window of those members that begin alike, by ranges alone. */
export async function range(
  index: Index,
  bounds: SearchBounds,
  list: string,
  prefix: string,
  { offset, limit, descending }: Window,
): Promise<Found> {
  const members = await index.page(list, { offset, limit: limit + 1, prefix, descending });
  const counted = await index.count(list, { prefix, atMost: bounds.totalMax });
  const total = counted < bounds.totalMax ? counted : Math.max(counted, offset + members.length);
  return { ids: members.slice(0, limit).map(deviceOf), total };
}

export interface TextSearch {
  readonly text: string;
  /** Members are `memberByName`. */
  readonly list: string;
  /** The labels of those in the list, likewise; undefined where they are not listed: then heads are read for them. */
  readonly labels?: string;
  readonly window: Window;
  readonly byName: boolean;
  /** What else must hold of a device, by its id alone. */
  readonly id?: ((id: DeviceId) => boolean) | undefined;
  readonly head: Scan['head'];
  /** As `head`, and has the text in its name or label. */
  readonly containing: NonNullable<Scan['head']>;
}

export async function searchText(index: Index, bounds: SearchBounds, search: TextSearch): Promise<Found> {
  const { text, list, labels, window, byName, id, head, containing } = search;
  const allowed = (member: string) => id === undefined || id(deviceOf(member));

  async function beginning(of: string): Promise<Found | undefined> {
    const count = await index.count(of, { prefix: text, atMost: bounds.sortMax });
    if (count === 0) return undefined;
    const inOrder = byName || count >= bounds.sortMax;
    return inOrder && id === undefined && head === undefined
      ? range(index, bounds, of, text, window)
      : scan(index, bounds, { list: of, prefix: text, window, inOrder, row: allowed, head });
  }

  const wholeMax = labels === undefined ? bounds.headsMax : bounds.rowsMax;
  if ((await index.count(list)) > wholeMax) {
    const found = (await beginning(list)) ?? (labels && (await beginning(labels)));
    if (found) return found;
  }
  if (labels === undefined) {
    return scan(index, bounds, { list, window, inOrder: byName, row: allowed, head: containing });
  }
  const labelled = await labelledWith(index, bounds, labels, text);
  const row = (member: string) =>
    (textOf(member).includes(text) || labelled.has(deviceOf(member))) && allowed(member);
  return scan(index, bounds, { list, window, inOrder: byName, row, head });
}

/** The devices among the first of a tenant whose label contains a text. */
async function labelledWith(index: Index, bounds: SearchBounds, labels: string, text: string) {
  const everything: Window = { offset: 0, limit: bounds.rowsMax, descending: false };
  const row = (member: string) => textOf(member).includes(text);
  return new Set((await scan(index, bounds, { list: labels, window: everything, inOrder: true, row })).ids);
}

interface Collected {
  add(id: DeviceId): void;
  found(): Found;
}

function inListOrder({ offset, limit }: Window): Collected {
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
function inOrderOfCreation({ offset, limit, descending }: Window): Collected {
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
