/**
 * Pages of entities, from an ordered list of ids.
 *
 * Ids begin with their creation time, so a list is in the order of creation and a plain page is one read of it. Searching
 * and sorting by name read the whole list, in slices between which others have their turn: there are few customers and
 * users beside devices, and only an administrator asks.
 */
import { mapInSlices, nextTurn } from '../base/slices.ts';
import { composed } from '../base/spelling.ts';
import type { Index } from '../store/store.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly total: number;
  /** There may be more than `total`: a search in a long list counts no further. */
  readonly atLeast?: true;
  /** After how many looked at a search gave up; undefined where it saw all there is. */
  readonly cutAfter?: number;
  /** Behind which place it goes on. */
  readonly next?: string;
}

export interface EntityQuery {
  /** Counted from 0. */
  readonly page: number;
  /** At least 1. */
  readonly pageSize: number;
  /** Case-insensitive: contained in the title, name or e-mail. */
  readonly textSearch?: string;
  /** Default: `createdTime`. `name` is the title, name or e-mail. */
  readonly sortProperty?: 'createdTime' | 'name';
  readonly sortOrder?: 'ASC' | 'DESC';
}

/** Entities read before others have their turn. */
const CHUNK = 500;

export interface PageSource<Entity> {
  readonly index: Index;
  /** Undefined: not there any more, or not to be shown. */
  find(id: string): Promise<Entity | undefined>;
  /** What `textSearch` looks at and `sortProperty: 'name'` sorts by. */
  title(entity: Entity): string;
}

export async function readPage<Entity>(
  source: PageSource<Entity>,
  list: string,
  query: EntityQuery,
): Promise<Page<Entity>> {
  const descending = query.sortOrder === 'DESC';
  const offset = query.page * query.pageSize;
  if (query.textSearch === undefined && query.sortProperty !== 'name') {
    const ids = await source.index.page(list, { offset, limit: query.pageSize, descending });
    return { items: await findAll(source, ids), total: await source.index.count(list) };
  }

  const wanted = composed(query.textSearch?.toLowerCase() ?? '');
  const found: Entity[] = [];
  for await (const some of chunks(source, list, descending)) {
    found.push(...some.filter((entity) => composed(source.title(entity).toLowerCase()).includes(wanted)));
  }
  if (query.sortProperty === 'name') {
    const sign = descending ? -1 : 1;
    found.sort((a, b) => sign * compare(source.title(a), source.title(b)));
  }
  return { items: found.slice(offset, offset + query.pageSize), total: found.length };
}

/**
 * The members of a list, in order, however many there are. Some are read at once; those that come in behind meanwhile are among
 * them, and each may be removed once it is there.
 */
export async function* eachMember(index: Index, list: string, atOnce: number): AsyncGenerator<string, void> {
  for (let behind: { readonly after: string } | undefined; ; ) {
    const members = await index.page(list, { offset: 0, limit: atOnce, ...behind });
    yield* members;
    const last = members.at(-1);
    if (last === undefined) return;
    behind = { after: last };
  }
}

/** All of a list that are there, in the order of creation. */
export async function* readEach<Entity>(source: PageSource<Entity>, list: string): AsyncGenerator<Entity> {
  for await (const some of chunks(source, list, false)) yield* some;
}

/** Each goes on behind the last one read: by numbers, one would be passed over for each that is removed meanwhile. */
async function* chunks<Entity>(source: PageSource<Entity>, list: string, descending: boolean) {
  let after: { readonly after: string } | undefined;
  for (;;) {
    const ids = await source.index.page(list, { offset: 0, limit: CHUNK, descending, ...after });
    yield await findAll(source, ids);
    const last = ids.at(-1);
    if (last === undefined || ids.length < CHUNK) return;
    after = { after: last };
    await nextTurn();
  }
}

async function findAll<Entity>(source: PageSource<Entity>, ids: readonly string[]): Promise<Entity[]> {
  const found = await mapInSlices(ids, (id) => source.find(id));
  return found.filter((entity) => entity !== undefined);
}

function compare(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  return left < right ? -1 : left > right ? 1 : 0;
}
