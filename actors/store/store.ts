/**
 * A store: one connection to one backend, with the four things that claimd keeps.
 *
 * - `journal`: devices. Each append moves one device's head, with its event, index entries and alarm;
 * - `entities`: tenants, customers, users and the like. Each commit moves one entity's head, with its index entries;
 * - `index`: the unique keys and ordered lists of both, for reading;
 * - `records`: plain records (leases, replays, import rows, audit blocks), behind Keyv's adapter interface.
 *
 * `memory.ts`, `lmdb/lmdb.ts` and `redis/redis.ts` implement it. One suite, `test/contract/store.ts`, says what each
 * of them must do.
 */
import type { KeyvStoreAdapter } from 'keyv';
import type { IndexChanges, Journal } from '../journal/journal.ts';

export interface Store {
  /** For logs: which store this is, without secrets. */
  readonly name: string;
  readonly journal: Journal;
  readonly entities: Entities;
  readonly index: Index;
  /** A new adapter at each access: a Keyv writes its namespace into the one that it gets. */
  readonly records: KeyvStoreAdapter;
  /** Whether other processes may write to the same data: then what is cached of it is only a hint. */
  readonly shared: boolean;
  /**
   * Replaces the text of a record only while it is `expected`, durably and atomically. Resolves to whether it did.
   *
   * @param key as Keyv writes it, the namespace in front
   * @param expected undefined: there is no such record
   * @param next undefined: the record is removed
   */
  swap(key: string, expected: string | undefined, next: string | undefined): Promise<boolean>;
  /** Rejects when the store cannot be used just now; resolves quickly otherwise. For /readyz. */
  check(): Promise<void>;
  /** Waits for what is under way, then closes the backend. */
  close(): Promise<void>;
}

/**
 * The name of an entity: its kind and its id. A stream's name has no slash, so streams and entities share the unique
 * keys without being taken for each other.
 */
export type EntityName = `${string}/${string}`;

/** The newest text of one entity. */
export interface Version {
  /** Counts the commits since the entity is there; 0 where it is not. */
  readonly version: number;
  /** Undefined where it is not there. */
  readonly text: string | undefined;
}

export interface Commit {
  /** Without spaces and line breaks. */
  readonly name: EntityName;
  /** The version that the change was made from; 0: the entity is not there. */
  readonly expected: number;
  /** The new text; undefined removes the entity. Its index entries must be released in the same commit. */
  readonly text: string | undefined;
  /** Undefined where nothing changes. */
  readonly index: IndexChanges | undefined;
}

export type CommitResult =
  /** Durable, all of it. */
  | { readonly type: 'committed' }
  /** The entity was no longer at `expected`; nothing was written. */
  | { readonly type: 'conflict' }
  /** Another entity or stream holds the unique key; nothing was written. */
  | { readonly type: 'taken'; readonly key: string };

/** What is no event stream, with the guarantees of `Journal.append`: conditional, atomic, durable. It leaves no log. */
export interface Entities {
  /** Reads the newest version. Rejects when the store cannot be read. */
  load(name: EntityName): Promise<Version>;
  /**
   * Replaces or removes an entity. Rejects when the store cannot say whether it is durable: then it may have happened
   * or not.
   */
  commit(commit: Commit): Promise<CommitResult>;
}

export interface Index {
  /** The name of the stream or entity that holds a unique key. */
  lookup(key: string): Promise<string | undefined>;
  /** Enters a plain record into an ordered list; again is harmless. Streams and entities enter by their writes. */
  add(list: string, member: string): Promise<void>;
  /** Takes a plain record out of a list; again is harmless. */
  remove(list: string, member: string): Promise<void>;
  /** A window of a list, in the order of the members' UTF-8 bytes. */
  page(list: string, query: PageQuery): Promise<readonly string[]>;
  /** How many members a list has. Costs the same however many there are, unless `within` has a prefix. */
  count(list: string, within?: CountQuery): Promise<number>;
}

export interface CountQuery {
  /** Only members that begin with this. */
  readonly prefix?: string;
  /** Where to stop counting: the answer is at most this. A store may have to look at as many members. */
  readonly atMost?: number;
}

export interface PageQuery {
  readonly offset: number;
  readonly limit: number;
  readonly descending?: boolean;
  /** Only members that begin with this. */
  readonly prefix?: string;
  /** Only members behind this one, in the order asked for; `offset` counts from there. It costs the same at any depth. */
  readonly after?: string;
}

export { StoreUnavailable } from '../journal/unavailable.ts';

/** Throws for a stream that would be taken for an entity. */
export function checkStreamName(stream: string): void {
  if (stream.includes('/')) throw new RangeError('the name of a stream has no slash');
}
