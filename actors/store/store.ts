/**
 * A store: one connection to one backend, giving the three things that claimd keeps.
 *
 * - `journal`: event-sourced streams (devices) with conditional append, index entries and alarms;
 * - `index`: the same unique keys and ordered lists, for reading, and for plain records that need them too;
 * - `records`: plain records (tenants, customers, users) behind Keyv's adapter interface.
 *
 * Implementations: `memory.ts`, `lmdb.ts`. One suite, `test/contract/store.ts`, says what they all must do.
 */
import type { KeyvStoreAdapter } from 'keyv';
import type { Journal } from '../journal/journal.ts';

export interface Store {
  /** For logs: which store this is, without secrets. */
  readonly name: string;
  readonly journal: Journal;
  readonly index: Index;
  /** A new adapter whenever it is asked for: a Keyv writes its namespace into the one it is given. */
  readonly records: KeyvStoreAdapter;
  /** Whether other processes may be writing to the same data: then what is remembered of it is only a hint. */
  readonly shared: boolean;
  /**
   * Replaces the text of a record only while it is `expected`, durably and atomically. Resolves to whether it did.
   *
   * @param key as Keyv writes it, the namespace in front
   * @param expected undefined: there is no such record
   * @param next undefined: the record is removed
   */
  swap(key: string, expected: string | undefined, next: string | undefined): Promise<boolean>;
  /** Rejects when the store can not be used just now; resolves quickly otherwise. For /readyz. */
  check(): Promise<void>;
  /** Waits for what is under way, then lets go of the backend. */
  close(): Promise<void>;
}

export interface Index {
  /** Who holds a unique key. */
  lookup(key: string): Promise<string | undefined>;
  /**
   * Takes a unique key, durably, if nobody else holds it. Resolves to who holds it now: `holder` itself on success
   * (also when it held it before), another one when it was taken.
   */
  claim(key: string, holder: string): Promise<string>;
  /** Lets go of a unique key. Resolves to whether `holder` held it: of two at once exactly one hears true. */
  release(key: string, holder: string): Promise<boolean>;
  /** Enters a member into an ordered list; again is harmless. */
  add(list: string, member: string): Promise<void>;
  /** Takes a member out of a list; again is harmless. */
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
  /** Only members behind this one, in the order asked for; `offset` counts from there. Costs nothing, however far. */
  readonly after?: string;
}

export { StoreUnavailable } from '../journal/unavailable.ts';
