/**
 * Data folders of older formats, made into the newest when they are opened. It happens in the write transaction that
 * takes the folder: whole or not at all, by one process, before anybody reads.
 *
 * There is a 3 because a server of format 2 must not open it: it would look for tokens in plain, and write such; and a 4
 * because one of format 3 cannot read heads in two parts. Nothing is lifted to 4: a head in one piece is read as it is, and
 * the device's next event writes it in two.
 *
 * Formats 2 to 4 are not released yet. What else changes in what is stored becomes a further step below, unless a server of
 * format 4 must not open it.
 */
import {
  entityNameOf,
  type Lifted,
  liftRecord,
  OLD_KEYS,
  OLD_KINDS,
  OLD_LISTS,
  oldKeysOf,
} from '../format-1.ts';
import {
  type CredentialsLift,
  IMPORT_BLOCKS,
  liftedBlock,
  liftedEvent,
  liftedKey,
  liftedState,
  OLD_CREDENTIALS,
} from '../format-2.ts';
import { packedLine, unpackedLine } from '../log-line.ts';
import { headText, parseHead, readMark } from './head.ts';
import { listKey } from './keys.ts';
import type { Tables } from './tables.ts';

export const FORMAT = '4';

type Step = (tables: Tables, credentials: CredentialsLift | undefined) => void;

/** What has to be done to the data of a format, in this order, until it is in the newest. */
const STEPS: { readonly [format: string]: readonly Step[] } = {
  [FORMAT]: [],
  '3': [],
  '2': [sealTokens],
  '1': [recordsToEntities, sealTokens],
};

/** Whether data in this format can be lifted, or need not be. */
export function isKnownFormat(format: string): boolean {
  return Object.hasOwn(STEPS, format);
}

/** Whether data in this format is read as it is. */
export function needsNoLift(format: string): boolean {
  return STEPS[format]?.length === 0;
}

/** @param credentials undefined: nothing with credentials is lifted */
export function lift(tables: Tables, format: string, credentials: CredentialsLift | undefined): void {
  for (const step of STEPS[format] ?? []) step(tables, credentials);
}

/** Tokens of devices were in plain: in heads and events, in the keys that lead to them, and in rows of imports. */
function sealTokens(tables: Tables, credentials: CredentialsLift | undefined): void {
  const { heads, holders, log, records } = tables;
  if (credentials === undefined) {
    if (heads.getKeysCount({ limit: 1 }) === 0) return;
    throw new Error('its devices have tokens in plain, and there is no key to seal them with');
  }
  const { secrets, record } = credentials.open(credentials.reads.map((key) => records.get(key)));
  records.putSync(record.key, record.text);
  for (const { key: name, value: text } of inPages((after: string | undefined) =>
    heads.getRange({ ...(after === undefined ? {} : { start: after, exclusiveStart: true }), limit: PAGE }),
  )) {
    const { sequence, state = '' } = parseHead(text);
    const alarmAt = readMark(heads, name)?.alarmAt ?? null;
    heads.putSync(name, headText(sequence, alarmAt, liftedState(secrets, name, state)));
  }
  // What was lifted is gone from there.
  for (const { key, value } of inPages(() => firstOf(entriesFrom(holders, OLD_CREDENTIALS), PAGE))) {
    holders.removeSync(key);
    holders.putSync(liftedKey(secrets, key), value);
  }
  for (const { key: row, value: text } of inPages((after: number | undefined) =>
    log.getRange({ start: (after ?? 0) + 1, limit: PAGE }),
  )) {
    const lifted = text === '' ? '' : text.split('\n').map(liftedLine).join('\n');
    if (lifted !== text) log.putSync(row, lifted);
  }
  for (const { key, value } of [...entriesFrom(records, IMPORT_BLOCKS)]) {
    const lifted = liftedBlock(secrets, key, value);
    if (lifted !== undefined) records.putSync(key, lifted);
  }

  function liftedLine(line: string): string {
    const { stream, sequence, event } = unpackedLine(line);
    const lifted = liftedEvent(secrets, stream, event);
    return lifted === event ? line : packedLine(stream, sequence, lifted);
  }
}

/** Entries that are read at once: between two pages they may be changed, and a fleet of millions does not fit into memory. */
const PAGE = 1_000;

/** The entries of all pages. @param page the one behind a key; undefined: the first */
function* inPages<Key>(
  page: (after: Key | undefined) => Iterable<{ readonly key: Key; readonly value: string }>,
): Generator<{ readonly key: Key; readonly value: string }> {
  for (let after: Key | undefined; ; ) {
    const entries = [...page(after)];
    yield* entries;
    after = entries.at(-1)?.key;
    if (after === undefined) return;
  }
}

function* firstOf<Item>(items: Iterable<Item>, count: number): Generator<Item> {
  let left = count;
  for (const item of items) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}

/** Tenants, customers, users, profiles, API keys and import jobs were plain records. */
function recordsToEntities(tables: Tables): void {
  const { records, holders, entities } = tables;
  const lifted: Lifted[] = [];
  for (const kind of OLD_KINDS) {
    for (const { key, value } of [...entriesFrom(records, `${kind}:`)]) {
      const id = key.slice(kind.length + 1);
      const held = oldKeysOf(kind, value).filter((one) => holders.get(one) === id);
      const isThere = (name: string) => entities.doesExist(name);
      const entity = liftRecord(entityNameOf(kind, key), kind, value, held, isThere);
      records.removeSync(key);
      if (entity === undefined) continue;
      entities.putSync(entity.name, headText(entity.version, null, entity.text));
      lifted.push(entity);
    }
  }
  for (const front of OLD_KEYS) {
    for (const { key } of [...entriesFrom(holders, front)]) holders.removeSync(key);
  }
  for (const { name, keys } of lifted) for (const key of keys) holders.putSync(key, name);
  rebuildLists(tables, lifted);
}

function rebuildLists({ lists, counts }: Tables, lifted: readonly Lifted[]): void {
  for (const [front] of OLD_LISTS) {
    const start = Buffer.from(front);
    for (const key of [...lists.getKeys({ start, end: Buffer.concat([start, Buffer.of(0xff)]) })])
      lists.removeSync(key);
    for (const { key } of [...entriesFrom(counts, front)]) counts.removeSync(key);
  }
  const sizes = new Map<string, number>();
  for (const entity of lifted) {
    const id = entity.name.slice(entity.name.indexOf('/') + 1);
    for (const list of entity.lists) {
      lists.putSync(listKey(list, id), '');
      sizes.set(list, (sizes.get(list) ?? 0) + 1);
    }
  }
  for (const [list, size] of sizes) counts.putSync(list, String(size));
}

/** The entries of a table whose keys begin with a text. */
function* entriesFrom(table: Tables['records'], front: string): Generator<{ key: string; value: string }> {
  for (const entry of table.getRange({ start: front })) {
    if (!entry.key.startsWith(front)) return;
    yield entry;
  }
}
