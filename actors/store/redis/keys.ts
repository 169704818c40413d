/**
 * The names of keys in Redis, and in which slot they lie (see the table in `redis.ts`).
 *
 * What one script touches must lie in one slot of a cluster, so everything of one stream or entity carries its
 * partition as the hash tag `{pN}`. Unique keys, lists and records are single keys and may lie anywhere.
 */
import { fnv1a } from '../../base/fnv1a.ts';
import type { IndexChanges } from '../../journal/journal.ts';

const LONE_SURROGATE = /\p{Surrogate}/u;

/** The names of one partition's keys. */
export interface Partition {
  readonly alarms: string;
  readonly log: string;
  readonly outbox: string;
  /** Written to see whether writing works. */
  readonly probe: string;
  /** The number of the process that lifts data of an older format just now. */
  readonly lifter: string;
  /** A copy of the log, while its events are lifted. */
  liftedLog(lifter: string): string;
  /** @param name of a stream, or of an entity: that one has a slash */
  head(name: string): string;
  /** The part of a stream's state that most events leave alone. */
  details(name: string): string;
  /** Is there where an attempt to take unique keys was called off. */
  fence(attempt: string): string;
}

export interface Keys {
  /** As a pattern, the heads of all streams. */
  readonly heads: string;
  readonly partitions: readonly Partition[];
  /** Two keys in different slots. */
  readonly twoSlots: readonly [string, string];
  partitionOf(name: string): Partition;
  unique(key: string): string;
  list(list: string): string;
  record(key: string): string;
}

/** @param prefix without braces, which would be the hash tag, and without the signs of patterns */
export function createKeys(prefix: string, count: number): Keys {
  const partitions = Array.from({ length: count }, (_, number) => partition(`${prefix}:{p${number}}:`));
  const [first] = partitions;
  if (first === undefined) throw new RangeError('a store has one partition at least');
  return {
    heads: `${prefix}:{p*}:head:*`,
    partitions,
    twoSlots: [first.probe, partition(`${prefix}:{p1}:`).probe],
    // Part of the format: it says where a head is.
    partitionOf: (name) => partitions[fnv1a(name) % count] ?? first,
    unique: (key) => `${prefix}:unique:${key}`,
    list: (list) => `${prefix}:list:${list}`,
    record: (key) => `${prefix}:record:${key}`,
  };
}

/** Where the format, the number of partitions and, while data is lifted, the one who does it are kept. */
export const metaKey = (prefix: string): string => `${prefix}:meta`;
/** A key of a counter. */
export const limitKey = (prefix: string, name: string, key: string): string =>
  `${prefix}:limit:${name}:${key}`;
/** The channel on which the processes talk to each other. */
export const busChannel = (prefix: string): string => `${prefix}:bus`;

/** Whether a name is an entity's, not a stream's. */
export function isEntity(name: string): boolean {
  return name.includes('/');
}

function partition(front: string): Partition {
  return {
    alarms: `${front}alarms`,
    log: `${front}log`,
    outbox: `${front}outbox`,
    probe: `${front}probe`,
    lifter: `${front}lifter`,
    liftedLog: (lifter) => `${front}log-lifted-by:${lifter}`,
    head: (name) => (isEntity(name) ? `${front}entity:${name}` : `${front}head:${name}`),
    details: (name) => `${front}details:${name}`,
    fence: (attempt) => `${front}fence:${attempt}`,
  };
}

/**
 * Throws for a head or index entry whose key cannot be told from another one once it is UTF-8.
 *
 * @param name of the stream or entity
 */
export function checkKeys(name: string, index: IndexChanges | undefined): void {
  checkKey(name);
  for (const { unique, members } of index === undefined ? [] : [index.take, index.release]) {
    unique.forEach(checkKey);
    for (const { list, member } of members) checkKey(`${list}\0${member}`);
  }
}

/** Throws for a key that cannot be written. */
export function checkKey(key: string): void {
  if (!fits(key)) throw new RangeError('a key of the store must be whole characters');
}

/** Whether Redis can hold a key: in UTF-8 all lone surrogates become the same character. */
export function fits(key: string): boolean {
  return !LONE_SURROGATE.test(key);
}
