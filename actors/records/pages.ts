/**
 * Pages of entities, from an ordered list of ids.
 *
 * Ids begin with their creation time, so a list is in the order of creation and a plain page is one read of it. Searching
 * and sorting by name read the whole list, in slices between which others have their turn: there are few customers and
 * users beside devices, and only an administrator asks.
 */
import { mapInSlices, nextTurn, slices } from '../base/slices.ts';
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
  /** The items hold more than is told in one page: the last of them, or what they hold, is left out. */
  readonly isCutShort?: true;
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
  /** Letters of JSON that the items of the page have at most, in all; default: any number. */
  readonly lettersMax?: number;
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
  if (query.textSearch === undefined && query.sortProperty !== 'name') {
    const offset = query.page * query.pageSize;
    const ids = await source.index.page(list, { offset, limit: query.pageSize, descending });
    return { ...(await readItems(source, ids, query.lettersMax)), total: await source.index.count(list) };
  }

  const hasText = withText(source, query.textSearch);
  // Of each no more is kept than it is sorted by: all of them with what their tenant keeps in them may be gigabytes.
  const found: Found[] = [];
  for await (const some of chunks(source, list, descending)) {
    for (const { id, entity } of some)
      if (hasText(entity)) found.push({ id, key: source.title(entity).toLowerCase() });
  }
  if (query.sortProperty === 'name') sortFound(found, query);
  return pageOfFound(source, found, query);
}

/** What was found, by what it is sorted by. */
export interface Found {
  readonly id: string;
  readonly key: string;
}

export function sortFound(found: Found[], { sortOrder }: Pick<EntityQuery, 'sortOrder'>): void {
  const sign = sortOrder === 'DESC' ? -1 : 1;
  found.sort((a, b) => sign * compare(a.key, b.key));
}

/** The page of what was found, in its order. */
export async function pageOfFound<Entity>(
  source: Pick<PageSource<Entity>, 'find'>,
  found: readonly Found[],
  { page, pageSize, lettersMax }: Pick<EntityQuery, 'page' | 'pageSize' | 'lettersMax'>,
): Promise<Page<Entity>> {
  const ids = found.slice(page * pageSize, (page + 1) * pageSize).map(({ id }) => id);
  return { ...(await readItems(source, ids, lettersMax)), total: found.length };
}

/** Those that are there, up to the bound. */
async function readItems<Entity>(
  { find }: Pick<PageSource<Entity>, 'find'>,
  ids: readonly string[],
  lettersMax = Number.POSITIVE_INFINITY,
): Promise<Pick<Page<Entity>, 'items' | 'isCutShort'>> {
  const items: Entity[] = [];
  let left = lettersMax;
  for await (const some of slices(ids)) {
    for (const entity of await Promise.all(some.map((id) => find(id)))) {
      if (entity === undefined) continue;
      if (left < Number.POSITIVE_INFINITY) left -= JSON.stringify(entity).length;
      if (left < 0) return { items, isCutShort: true };
      items.push(entity);
    }
  }
  return { items };
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

/** All of a list that are there and have the text, in the order of creation. */
export async function* readEach<Entity>(
  source: PageSource<Entity>,
  list: string,
  textSearch?: string,
): AsyncGenerator<Entity> {
  const hasText = withText(source, textSearch);
  for await (const some of chunks(source, list, false))
    for (const { entity } of some) if (hasText(entity)) yield entity;
}

function withText<Entity>({ title }: PageSource<Entity>, textSearch = ''): (entity: Entity) => boolean {
  const wanted = composed(textSearch.toLowerCase());
  return (entity) => wanted === '' || composed(title(entity).toLowerCase()).includes(wanted);
}

/** Each goes on behind the last one read: by numbers, one would be passed over for each that is removed meanwhile. */
async function* chunks<Entity>(source: PageSource<Entity>, list: string, descending: boolean) {
  let after: { readonly after: string } | undefined;
  for (;;) {
    const ids = await source.index.page(list, { offset: 0, limit: CHUNK, descending, ...after });
    const found = await mapInSlices(ids, async (id) => ({ id, entity: await source.find(id) }));
    yield found.flatMap(({ id, entity }) => (entity === undefined ? [] : [{ id, entity }]));
    const last = ids.at(-1);
    if (last === undefined || ids.length < CHUNK) return;
    after = { after: last };
    await nextTurn();
  }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
