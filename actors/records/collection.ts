/**
 * Entities of one kind: tenants, customers, users, profiles, API keys or import jobs. An entity is one text in the store,
 * with unique keys that lead to it and lists that it is in. Every change is one conditional commit of all that: it
 * happens whole or not at all, and of two changes made from one version exactly one gets through, whatever the process.
 *
 * Deleting a tenant or a customer takes many commits. So that it can be finished when it was broken off, the entity is
 * marked first: from then on nobody finds it and its keys are free, but it stays in its lists until the last commit.
 */
import { changesBetween, changesNothing, NO_ENTRIES, takingAgain } from '../journal/index-changes.ts';
import type { IndexEntries } from '../journal/journal.ts';
import type { EntityName, Store } from '../store/store.ts';
import { type EntityQuery, type Page, readEach, readPage } from './pages.ts';

export interface Entity {
  readonly id: string;
  /** Counts the changes, from 1. */
  readonly version: number;
  /** Marked: it is being deleted. */
  readonly deleted?: true;
}

export interface Kind<E extends Entity> {
  /** Singular. Part of the name under which the store has an entity. */
  readonly name: string;
  /** The unique keys that lead to it. */
  keys(entity: E): readonly string[];
  /** The lists that it is in, by its id. */
  lists(entity: E): readonly string[];
  /** What a search looks at and a list is sorted by. */
  title(entity: E): string;
}

export type Change<E> =
  | { readonly type: 'done'; readonly entity: E }
  /** `conflict`: it has another version than was expected. `taken`: another one has a key that it was to have. */
  | { readonly type: 'not-found' | 'conflict' | 'taken' };

/** All of it rejects with `StoreUnavailable` when the store cannot be read, or cannot say whether a change is durable. */
export interface Collection<E extends Entity> {
  find(id: string): Promise<E | undefined>;
  /** Also one that is marked: for finishing a removal that was broken off. */
  findAny(id: string): Promise<E | undefined>;
  /** The entity that holds a unique key. */
  findByKey(key: string): Promise<E | undefined>;
  page(list: string, query: EntityQuery): Promise<Page<E>>;
  /**
   * All entities of a list, in the order of creation; those that are there the whole time, whatever else is removed meanwhile.
   * @param textSearch only those that have it, as in a page
   */
  each(list: string, textSearch?: string): AsyncIterable<E>;
  /** Resolves to false when its id is there already, or one of its keys is taken. Its version is 1. */
  create(entity: E): Promise<boolean>;
  /**
   * Replaces an entity by what `next` makes of its newest version; the same one means that nothing changes.
   *
   * @param next called again when somebody else was faster
   * @param expected only if that is its version
   */
  change(id: string, next: (entity: E) => E, expected?: number): Promise<Change<E>>;
  /**
   * Removes an entity, marked or not. Resolves to what was there.
   *
   * @param which only if it is such a one by then
   */
  remove(id: string, which?: (entity: E) => boolean): Promise<E | undefined>;
  /** Marks an entity as being deleted. Resolves to it, also when it was marked before; undefined when there is none. */
  mark(id: string): Promise<E | undefined>;
  /** The first entities of a list, marked ones too: for removing all of them. */
  first(list: string, limit: number): Promise<readonly E[]>;
}

/**
 * Removes all entities of a list, so many at once that others have their turn. If it fails, calling it again continues.
 *
 * @param remove must take the entity out of the list
 */
export async function emptyList<E extends Entity>(
  rows: Pick<Collection<E>, 'first' | 'remove'>,
  list: string,
  remove: (entity: E) => Promise<unknown> = ({ id }) => rows.remove(id),
): Promise<void> {
  for (;;) {
    const some = await rows.first(list, REMOVED_AT_ONCE);
    if (some.length === 0) return;
    for (const entity of some) await remove(entity);
  }
}

/** A kit names up to a thousand devices. */
const REMOVED_AT_ONCE = 20;

/** Of each kind. */
const PARSED_MAX = 1_000;
/** What is larger is read seldom: a kit names up to a thousand devices. */
const PARSED_CHARS_MAX = 2_048;

export function createCollection<E extends Entity>(store: Store, kind: Kind<E>): Collection<E> {
  const { entities, index } = store;
  const nameOf = (id: string): EntityName => `${kind.name}/${id}`;

  /** What was made of the texts read last: each claim looks at its customer, which rarely changes. */
  const parsed = new Map<string, { readonly text: string; readonly entity: E }>();

  async function load(id: string): Promise<E | undefined> {
    const { version, text } = await entities.load(nameOf(id));
    if (text === undefined) return undefined;
    const last = parsed.get(id);
    if (last?.text === text && last.entity.version === version) return last.entity;
    const entity = { ...JSON.parse(text), id, version } as E; // the seam to the store: what `textOf` wrote
    if (text.length > PARSED_CHARS_MAX) return entity;
    if (parsed.size >= PARSED_MAX) parsed.clear();
    parsed.set(id, { text, entity });
    return entity;
  }

  async function find(id: string): Promise<E | undefined> {
    const entity = await load(id);
    return entity?.deleted === true ? undefined : entity;
  }

  function entriesOf(entity: E | undefined): IndexEntries {
    if (entity === undefined) return NO_ENTRIES;
    return {
      unique: entity.deleted === true ? [] : kind.keys(entity),
      members: kind.lists(entity).map((list) => ({ list, member: entity.id })),
    };
  }

  async function commit(id: string, before: E | undefined, after: E | undefined) {
    const change = changesBetween(entriesOf(before), entriesOf(after));
    const isRenamed = before !== undefined && after !== undefined && kind.title(before) !== kind.title(after);
    const changes = isRenamed ? takingAgain(change, entriesOf(after).unique) : change;
    const { type } = await entities.commit({
      name: nameOf(id),
      expected: before?.version ?? 0,
      text: after === undefined ? undefined : textOf(after),
      index: changesNothing(changes) ? undefined : changes,
    });
    return type;
  }

  /** Tries again while others are faster: each time somebody gets through. */
  async function replace(id: string, next: (entity: E) => E | undefined): Promise<E | undefined> {
    for (;;) {
      const before = await load(id);
      const after = before === undefined ? undefined : next(before);
      if (before === undefined || after === before) return before;
      const result = await commit(id, before, after);
      if (result === 'committed') return after ?? before;
      if (result === 'taken') throw new Error(`a ${kind.name} took a key when it should only let go of some`);
    }
  }

  return {
    find,
    findAny: load,

    async findByKey(key) {
      const name = await index.lookup(key);
      const front = nameOf('');
      const entity = name?.startsWith(front) ? await find(name.slice(front.length)) : undefined;
      // It may have let go of the key since.
      return entity !== undefined && kind.keys(entity).includes(key) ? entity : undefined;
    },

    page: (list, query) => readPage({ index, find, title: kind.title }, list, query),
    each: (list, textSearch) => readEach({ index, find, title: kind.title }, list, textSearch),

    async create(entity) {
      return (await commit(entity.id, undefined, entity)) === 'committed';
    },

    async change(id, next, expected) {
      for (;;) {
        const before = await find(id);
        if (before === undefined) return { type: 'not-found' };
        if (expected !== undefined && expected !== before.version) return { type: 'conflict' };
        const after = next(before);
        if (after === before) return { type: 'done', entity: before };
        const result = await commit(id, before, after);
        if (result === 'taken') return { type: 'taken' };
        if (result === 'committed')
          return { type: 'done', entity: { ...after, version: before.version + 1 } };
      }
    },

    remove: (id, which = () => true) => replace(id, (entity) => (which(entity) ? undefined : entity)),
    mark: (id) => replace(id, (entity) => (entity.deleted === true ? entity : { ...entity, deleted: true })),

    async first(list, limit) {
      const query = { page: 0, pageSize: limit };
      return (await readPage({ index, find: load, title: kind.title }, list, query)).items;
    },
  };
}

/** Id and version are not in the text: the store has them. */
function textOf<E extends Entity>({ id: _, version: __, ...fields }: E): string {
  return JSON.stringify(fields);
}
