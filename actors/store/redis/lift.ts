/** The steps by which data of an older format in Redis is lifted; see `format.ts` for who does it and when. */
import {
  entityNameOf,
  type Lifted,
  liftRecord,
  OLD_KEYS,
  OLD_KINDS,
  OLD_LISTS,
  oldKeysOf,
  oldKindOf,
} from '../format-1.ts';
import type { CredentialsLift } from '../format-2.ts';
import type { EntityName } from '../store.ts';
import { type Connection, type Send, textOf, texts } from './connection.ts';
import { parseHeld } from './head.ts';
import { createKeys, type Keys } from './keys.ts';
import { LIFT_HEAD, SWAP } from './scripts.ts';

export interface Lift {
  readonly redis: Connection;
  readonly keys: Keys;
  /** The number of this process among those that lift. */
  readonly lifter: string;
  /** Undefined: nothing with credentials can be lifted. */
  readonly credentials: CredentialsLift | undefined;
}

/** Another process lifts by now. */
export class LiftLost extends Error {}

/** The attempt under which entities that were records hold their keys. No process calls one of its own so. */
export const ATTEMPT = 'lift';
/** Keys asked for in one step of a walk, and dealt with at the same time. */
const PAGE = 500;

/**
 * Tenants, customers, users, profiles, API keys and import jobs were plain records. Each becomes an entity: its head, then
 * its unique keys, then the record goes; so whoever begins anew finds the record or all of the entity. Lists had the
 * same entries in format 1.
 */
export async function recordsToEntities(lift: Lift): Promise<void> {
  const { redis, keys } = lift;
  const front = keys.record('');
  const records = new Map(OLD_KINDS.map((kind) => [kind, [] as string[]]));
  for await (const key of walk(redis, front)) {
    const record = key.slice(front.length);
    const kind = oldKindOf(record);
    if (kind !== undefined) records.get(kind)?.push(record);
  }
  for (const [kind, some] of records) {
    await eachOf(some, async (record) => liftOne(lift, kind, record));
  }
  await dropStaleKeys(lift);
  await dropStaleMembers(lift);
}

async function liftOne({ redis, keys, lifter }: Lift, kind: (typeof OLD_KINDS)[number], record: string) {
  const recordKey = keys.record(record);
  const text = textOf(await redis.send(recordKey, ['GET', recordKey]));
  if (text === undefined) return; // another one was at it
  const name = entityNameOf(kind, record);
  const id = record.slice(kind.length + 1);
  const [old, now] = [`c${id}`, `s${ATTEMPT} ${name}`];
  const candidates = oldKeysOf(kind, text);
  const values = await Promise.all(candidates.map((key) => valueAt(redis, keys.unique(key))));
  const held = candidates.filter((_, n) => values[n] === old || values[n] === now);
  const user = kind === 'api-key' ? userOf(text) : undefined;
  const hasUser = user !== undefined && (await headOf(redis, keys, user)) !== undefined;
  const entity = liftRecord(name, kind, text, held, () => hasUser);
  if (entity !== undefined) {
    const partition = keys.partitionOf(name);
    const headKeys = [partition.head(name), partition.lifter];
    if ((await redis.script(LIFT_HEAD, headKeys, [lifter, headText(entity, id)])) !== 1) throw new LiftLost();
    for (const key of entity.keys) await redis.script(SWAP, [keys.unique(key)], ['1', old, '1', now]);
  }
  await redis.send(recordKey, ['DEL', recordKey]);
}

function userOf(apiKey: string): EntityName {
  const { value }: { value: { userId: string } } = JSON.parse(apiKey);
  return `user/${value.userId}`;
}

/** As the script of a commit writes it. */
function headText({ version, text, keys, lists }: Lifted, id: string): string {
  const k = Object.fromEntries(keys.map((key) => [key, ATTEMPT]));
  const m = Object.fromEntries(lists.map((list) => [`${list}\0${id}`, 1]));
  return `${version} - ${JSON.stringify({ k, m })}\n${text}`;
}

/** Keys that were claimed by a record that is not there, or has another one. */
async function dropStaleKeys({ redis, keys }: Lift): Promise<void> {
  for (const front of OLD_KEYS) {
    await eachOf(await allOf(walk(redis, keys.unique(front))), async (key) => {
      const value = await valueAt(redis, key);
      if (value?.startsWith('c')) await redis.script(SWAP, [key], ['1', value, '0', '']);
    });
  }
}

/** List entries without an entity that is in the list. */
async function dropStaleMembers({ redis, keys }: Lift): Promise<void> {
  const front = keys.list('');
  for (const [oldList, kind] of OLD_LISTS) {
    for (const listKey of await allOf(walk(redis, keys.list(oldList)))) {
      const list = listKey.slice(front.length);
      const members = texts(await redis.send(listKey, ['ZRANGE', listKey, '0', '-1']));
      await eachOf(members, (member) =>
        settleMember(redis, listKey, member, async () => {
          const head = await headOf(redis, keys, `${kind}/${member}`);
          return head !== undefined && membersOf(head).has(`${list}\0${member}`);
        }),
      );
    }
  }
}

/**
 * Brings a list entry to what the head says. The head is in another slot, so the entry can be changed late, after the id has
 * come again; so it is looked at again after each change, until it still says the same.
 */
async function settleMember(
  redis: Connection,
  listKey: string,
  member: string,
  belongs: () => Promise<boolean>,
): Promise<void> {
  let isListed = true;
  while ((await belongs()) !== isListed) {
    const change = isListed ? ['ZREM', listKey, member] : ['ZADD', listKey, '0', member];
    await redis.send(listKey, change);
    isListed = !isListed;
  }
}

function membersOf(head: string): ReadonlySet<string> {
  const [, , ...held] = head.slice(0, head.indexOf('\n')).split(' ');
  return parseHeld(held.join(' ')).members;
}

async function headOf(redis: Connection, keys: Keys, name: EntityName): Promise<string | undefined> {
  return valueAt(redis, keys.partitionOf(name).head(name));
}

export async function valueAt(redis: Connection, key: string): Promise<string | undefined> {
  return textOf(await redis.send(key, ['GET', key]));
}

/** The leases of all processes, by name: a holder lets the number in its lease grow. */
export async function leases(redis: Connection, prefix: string): Promise<ReadonlyMap<string, string>> {
  const found = await allOf(walk(redis, createKeys(prefix, 1).record('lease:')));
  const values = await Promise.all(found.map((key) => valueAt(redis, key)));
  return new Map(found.map((key, n) => [key, values[n] ?? '']));
}

async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += PAGE)
    await Promise.all(items.slice(at, at + PAGE).map((item) => work(item)));
}

async function allOf(keys: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all;
}

/** Works on all keys that fit a pattern, some at a time; on some of them perhaps twice. */
export async function eachKey(
  redis: Connection,
  pattern: string,
  work: (key: string) => Promise<void>,
): Promise<void> {
  for (const send of redis.servers()) {
    let some: string[] = [];
    for await (const key of keysOf(send, pattern)) {
      some.push(key);
      if (some.length < PAGE) continue;
      await eachOf(some, work);
      some = [];
    }
    await eachOf(some, work);
  }
}

/** The keys of all servers that begin with a text, each once. It never holds up others as KEYS would. */
async function* walk(redis: Connection, front: string): AsyncGenerator<string> {
  const found = new Set<string>(); // a walk may come upon a key twice
  for (const send of redis.servers()) {
    for await (const key of keysOf(send, `${literally(front)}*`)) found.add(key);
  }
  yield* found;
}

async function* keysOf(send: Send, match: string): AsyncGenerator<string> {
  let cursor = '0';
  do {
    const reply = await send(['SCAN', cursor, 'MATCH', match, 'COUNT', String(PAGE)]);
    const [next = '0', found = []] = Array.isArray(reply) ? reply : [];
    cursor = String(next);
    yield* texts(found);
  } while (cursor !== '0');
}

/** As a pattern that fits this text alone. */
export function literally(text: string): string {
  return text.replace(/[\\[\]*?]/g, '\\$&');
}
