/**
 * Data folders of older formats, made into the newest when they are opened. It happens in the write transaction that
 * takes the folder: whole or not at all, by one process, before anybody reads.
 *
 * Format 2 is not released yet. What else changes in what is stored becomes a further step below, not a format 3.
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
import { headText } from './head.ts';
import { listKey } from './keys.ts';
import type { Tables } from './tables.ts';

export const FORMAT = '2';

/** What has to be done to the data of a format, in this order, until it is in the newest. */
const STEPS: { readonly [format: string]: readonly ((tables: Tables) => void)[] } = {
  [FORMAT]: [],
  '1': [recordsToEntities],
};

/** Whether data in this format can be lifted, or need not be. */
export function isKnownFormat(format: string): boolean {
  return Object.hasOwn(STEPS, format);
}

export function lift(tables: Tables, format: string): void {
  for (const step of STEPS[format] ?? []) step(tables);
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
