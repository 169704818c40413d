/**
 * Pages of records, from an ordered list of ids.
 *
 * Ids begin with their creation time, so the list is in order of creation and a plain page is one read. Searching and
 * sorting by name read the whole list, in slices between which others have their turn: there are few customers and users
 * beside devices, and only an administrator asks.
 *
 * A record is entered into its list before it is written and taken out after it is gone, so a list may hold ids
 * without a record, never the other way round. Such ids are skipped, and cleared away once they are too old to
 * belong to a record that is being created just now.
 */

import type { AccountQuery } from '../accounts/model.ts';
import type { Clock } from '../base/clock.ts';
import { mapInSlices, nextTurn } from '../base/slices.ts';
import type { Page } from '../fleet/devices.ts';
import type { Index } from '../store/store.ts';

const CHUNK = 500;
const CREATION_MAX_MS = 60_000;

export interface ListSource<Row> {
  readonly index: Index;
  readonly clock: Clock;
  /** The record, or undefined when there is none or it does not belong to the list. */
  get(id: string): Promise<Row | undefined>;
  /** What `textSearch` looks at and `sortProperty: 'name'` sorts by. */
  name(row: Row): string;
}

export async function listPage<Row>(
  source: ListSource<Row>,
  list: string,
  query: AccountQuery,
): Promise<Page<Row>> {
  const descending = query.sortOrder === 'DESC';
  const offset = query.page * query.pageSize;
  if (query.textSearch === undefined && query.sortProperty !== 'name') {
    const ids = await source.index.page(list, { offset, limit: query.pageSize, descending });
    return { items: await rowsOf(source, list, ids), total: await source.index.count(list) };
  }

  const wanted = query.textSearch?.toLowerCase() ?? '';
  const found: Row[] = [];
  for await (const rows of chunks(source, list, descending)) {
    found.push(...rows.filter((row) => source.name(row).toLowerCase().includes(wanted)));
  }
  if (query.sortProperty === 'name') {
    const sign = descending ? -1 : 1;
    found.sort((a, b) => sign * compare(source.name(a), source.name(b)));
  }
  return { items: found.slice(offset, offset + query.pageSize), total: found.length };
}

async function* chunks<Row>(source: ListSource<Row>, list: string, descending: boolean) {
  for (let offset = 0; ; offset += CHUNK) {
    const ids = await source.index.page(list, { offset, limit: CHUNK, descending });
    yield await rowsOf(source, list, ids);
    if (ids.length < CHUNK) return;
    await nextTurn();
  }
}

async function rowsOf<Row>(source: ListSource<Row>, list: string, ids: readonly string[]): Promise<Row[]> {
  const rows = await mapInSlices(ids, source.get);
  const present: Row[] = [];
  for (const [at, row] of rows.entries()) {
    const id = ids[at];
    if (row !== undefined) present.push(row);
    else if (id !== undefined && source.clock.now() - createdAt(id) > CREATION_MAX_MS) {
      await source.index.remove(list, id);
    }
  }
  return present;
}

/** The instant at which an id was drawn (RFC 9562 §5.7: the first 48 bits). */
function createdAt(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

function compare(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  return left < right ? -1 : left > right ? 1 : 0;
}
