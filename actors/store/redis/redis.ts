/**
 * The store for many nodes: Redis (7 or newer) or Valkey, one server or a cluster. The nodes keep nothing themselves.
 *
 * A stream or entity belongs to one of a fixed number of partitions by its name, and all that its append or commit
 * touches lies in that partition's slot of a cluster: it is one step of a script, and it compares the head. Unique keys and lists
 * lie in other slots: keys are taken before it (`redis/unique.ts`), lists follow after it (`redis/outbox.ts`). On a server
 * without slots the script changes the lists as well.
 *
 * With `appendonly yes` and `appendfsync always` a reply means that it is on disk; Redis flushes once for all that
 * arrived together, which is group commit.
 *
 *   <prefix>:meta                  hash    format (4), partitions, lifter (see redis/format.ts)
 *   <prefix>:{pN}:head:<stream>    string  "<sequence> <alarm|-> <held|->\n<state>"     (see redis/scripts.ts)
 *   <prefix>:{pN}:details:<stream> string  "<sequence> <details>": what the append of that number wrote, if any did
 *   <prefix>:{pN}:entity:<name>    string  "<version> - <held|->\n<text>"
 *   <prefix>:{pN}:alarms           zset    stream, by its instant
 *   <prefix>:{pN}:log              stream  1-<n>: e = "<stream> <sequence> <event>"
 *   <prefix>:{pN}:outbox           hash    "<name> <sequence>" -> {"k": [key, attempt, …], "m": ["list\0member", …]}
 *   <prefix>:{pN}:fence:<attempt>  string  an attempt that was called off; goes by itself
 *   <prefix>:{pN}:lifter           string  who lifts data of an older format just now
 *   <prefix>:unique:<key>          string  "s<attempt> <name of the stream or entity>"
 *   <prefix>:list:<list>           zset    members, all with score 0: in the order of their bytes
 *   <prefix>:record:<key>          string  text (Keyv's)
 *   <prefix>:limit:<name>:<key>    string  how many attempts have failed; goes by itself
 *
 * That is format 4, which is not released yet; `redis/format.ts` makes older ones into it.
 */
import type { Log } from '../../base/log.ts';
import type { CredentialsLift } from '../format-2.ts';
import { RecordsAdapter } from '../records.ts';
import type { Store } from '../store.ts';
import { checkServers } from './checks.ts';
import type { RedisLocation } from './client.ts';
import { Connection } from './connection.ts';
import { RedisEntities } from './entities.ts';
import { agreeOnFormat, refuseMissing } from './format.ts';
import { Gate } from './gate.ts';
import { Heads } from './heads.ts';
import { RedisIndex } from './index.ts';
import { RedisJournal } from './journal.ts';
import { createKeys, type Keys } from './keys.ts';
import { createOutbox } from './outbox.ts';
import { createRecords } from './records.ts';
import { UniqueKeys } from './unique.ts';

export interface RedisSettings {
  readonly location: RedisLocation;
  /** For logs, without secrets. */
  readonly name: string;
  /** In front of every key: several installations can share a Redis. */
  readonly prefix: string;
  /** Into how many slots streams are spread; counts at the first start only. */
  readonly partitions: number;
  /** Whether it is refused where nothing is under the prefix. */
  readonly isThere?: boolean;
  /** How long the first connection may take. */
  readonly connectTimeoutMs: number;
  /** After so long without an answer a command is given up. */
  readonly commandTimeoutMs: number;
  /** Commands that may wait for answers; beyond it they fail at once. */
  readonly waitingMax: number;
  /** For so long a task in the outbox is left to the node that wrote it. */
  readonly orphanMs: number;
  /** Under which key tokens are lifted that an older format has in plain; without it such data is refused. */
  readonly credentials?: CredentialsLift;
}

export interface RedisStore extends Store {
  /** For what else uses this Redis: limits that all nodes count together. */
  readonly connection: Connection;
}

/** Opens the store. Rejects with `RedisRefused`, or with `StoreUnavailable` when no connection can be had. */
export async function openRedisStore(settings: RedisSettings, log: Log): Promise<RedisStore> {
  const { name, prefix } = settings;
  const redis = await Connection.open({ ...settings, log }, settings.connectTimeoutMs);
  let keys: Keys;
  try {
    await checkServers(redis, log);
    const { partitions, credentials, isThere = false } = settings;
    if (isThere) await refuseMissing(redis, prefix);
    keys = createKeys(prefix, await agreeOnFormat(redis, prefix, partitions, log, credentials));
    await redis.findOutSlots(keys.twoSlots);
  } catch (error) {
    redis.destroy();
    throw error;
  }

  const unique = new UniqueKeys(redis, keys);
  const outbox = createOutbox(redis, keys, unique, settings.orphanMs, log);
  const gate = new Gate(name);
  const heads = new Heads(redis, keys, unique, outbox);
  const { table, swap } = createRecords(redis, keys);
  const gatedTable = gate.table(table);
  outbox.start();
  let closing: Promise<void> | undefined;
  let probing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await gate.close();
    await outbox.stop();
    redis.destroy();
  }

  /** Writes to every partition, and so to every server: a replica, or one without memory, can still be read. */
  async function probe(): Promise<void> {
    await Promise.all(keys.partitions.map(({ probe }) => redis.send(probe, ['SET', probe, ''])));
  }

  /** Anybody may call this at any rate, so all calls at the same time share one probe. */
  function check(): Promise<void> {
    probing ??= gate.run(probe).finally(() => {
      probing = undefined;
    });
    return probing;
  }

  return {
    name,
    shared: true,
    journal: gate.journal(new RedisJournal(redis, keys, heads)),
    entities: gate.entities(new RedisEntities(heads)),
    index: gate.index(new RedisIndex(redis, keys, unique, outbox)),
    get records() {
      return new RecordsAdapter(gatedTable);
    },
    swap: (key, expected, next) => gate.run(() => swap(key, expected, next)),
    check,
    close: () => (closing ??= close()),
    connection: redis,
  };
}
