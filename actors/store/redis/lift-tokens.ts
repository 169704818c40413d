/**
 * The step by which tokens of devices, which format 2 had in plain, become digests and sealed copies (see `../format-2.ts`).
 *
 * Of a device first the new unique keys are written, then the head that holds them, and the old keys go at the end. So
 * whoever begins anew finds a head that is lifted or not: an old one holds keys of the old kind.
 */
import type { CredentialSecrets } from '../../base/secret.ts';
import {
  IMPORT_BLOCKS,
  type LiftedUnder,
  liftedBlock,
  liftedEvent,
  liftedKey,
  liftedState,
  OLD_CREDENTIALS,
} from '../format-2.ts';
import { parseLogged } from '../log-line.ts';
import { RedisRefused } from './checks.ts';
import { texts } from './connection.ts';
import type { Partition } from './keys.ts';
import { ATTEMPT, eachKey, type Lift, LiftLost, literally, valueAt } from './lift.ts';
import { REPLACE_HEAD, REPLACE_LOG, SWAP } from './scripts.ts';

/** What is between the partition of a head and its stream. */
const HEAD = '}:head:';
/** Events of a log that are read at once. */
const EVENTS = 500;

export async function sealTokens(lift: Lift): Promise<void> {
  const { redis, keys } = lift;
  const { secrets } = await underWhichKey(lift);
  await eachKey(redis, keys.heads, (key) => liftHead(lift, secrets, key));
  for (const partition of keys.partitions) {
    await liftOutbox(lift, partition);
    await liftLog(lift, partition, secrets);
  }
  await eachKey(redis, `${literally(keys.record(IMPORT_BLOCKS))}*`, async (key) => {
    const text = await valueAt(redis, key);
    const lifted = text && liftedBlock(secrets, key.slice(keys.record('').length), text);
    if (text && lifted) await redis.script(SWAP, [key], ['1', text, '1', lifted]);
  });
  await eachKey(redis, `${literally(keys.unique(OLD_CREDENTIALS))}*`, async (key) => {
    await redis.send(key, ['DEL', key]);
  });
}

/** The record that goes with the key is there before anything is lifted under it. */
async function underWhichKey({ redis, keys, credentials }: Lift): Promise<LiftedUnder> {
  if (credentials === undefined) {
    throw new RedisRefused(`${redis.name} holds tokens in plain, and there is no key to seal them with`);
  }
  for (;;) {
    const texts = await Promise.all(credentials.reads.map((key) => valueAt(redis, keys.record(key))));
    const under = credentials.open(texts);
    const { key, text } = under.record;
    const before = texts[credentials.reads.indexOf(key)];
    if (before === text) return under;
    const expected = before === undefined ? ['0', ''] : ['1', before];
    if ((await redis.script(SWAP, [keys.record(key)], [...expected, '1', text])) === 1) return under;
  }
}

async function liftHead(
  { redis, keys, lifter }: Lift,
  secrets: CredentialSecrets,
  key: string,
): Promise<void> {
  const text = await valueAt(redis, key);
  if (text === undefined) return;
  const device = key.slice(key.lastIndexOf(HEAD) + HEAD.length);
  const end = text.indexOf('\n');
  const [sequence = '', alarm = '', ...rest] = text.slice(0, end).split(' ');
  const held: { k: Record<string, string>; m: Record<string, 1> } = JSON.parse(rest.join(' '));
  const old = Object.keys(held.k).filter((one) => one.startsWith(OLD_CREDENTIALS));
  if (old.length === 0) return; // lifted already
  const others = Object.entries(held.k).filter(([one]) => !one.startsWith(OLD_CREDENTIALS));
  const lifted = old.map((one) => liftedKey(secrets, one));
  for (const one of lifted) {
    const unique = keys.unique(one);
    await redis.send(unique, ['SET', unique, `s${ATTEMPT} ${device}`]);
  }
  const k = Object.fromEntries([...others, ...lifted.map((one) => [one, ATTEMPT])]);
  const front = `${sequence} ${alarm} ${JSON.stringify({ k, m: held.m })}`;
  const head = `${front}\n${liftedState(secrets, device, text.slice(end + 1))}`;
  const args = [lifter, text, head];
  if ((await redis.script(REPLACE_HEAD, [key, keys.partitionOf(device).lifter], args)) !== 1)
    throw new LiftLost();
}

/** What a node that died left to do: letting go of old keys is done by then. */
async function liftOutbox({ redis }: Lift, { outbox }: Partition): Promise<void> {
  const rows = texts(await redis.send(outbox, ['HGETALL', outbox]));
  for (let at = 0; at + 1 < rows.length; at += 2) {
    const [field = '', text = ''] = rows.slice(at, at + 2);
    if (!text.includes(OLD_CREDENTIALS)) continue;
    const { k, ...task }: { k: readonly string[] } = JSON.parse(text);
    const left = k.filter((_, n) => !k[n - (n % 2)]?.startsWith(OLD_CREDENTIALS));
    await redis.send(outbox, ['HSET', outbox, field, JSON.stringify({ k: left, ...task })]);
  }
}

/** Entries of a stream cannot be changed in place, so a lifted copy takes the place of the whole. */
async function liftLog(
  { redis, lifter }: Lift,
  partition: Partition,
  secrets: CredentialSecrets,
): Promise<void> {
  const { log } = partition;
  const copy = partition.liftedLog(lifter);
  for (let before = 1; before <= Number(lifter); before += 1) {
    const left = partition.liftedLog(String(before));
    await redis.send(left, ['DEL', left]);
  }
  if (Number(await redis.send(log, ['EXISTS', log])) === 0) return;
  const info = await redis.send(log, ['XINFO', 'STREAM', log]);
  const lastId = String(Array.isArray(info) ? info[info.indexOf('last-generated-id') + 1] : '');
  let copied = 0;
  for (let from = '-'; ; ) {
    const reply = await redis.send(log, ['XRANGE', log, from, '+', 'COUNT', String(EVENTS)]);
    const entries = Array.isArray(reply) ? reply : [];
    // One connection carries them out in the order in which they are sent.
    await Promise.all(
      entries.map((entry) => {
        const [id, fields] = Array.isArray(entry) ? entry : [];
        const { stream, sequence, event } = parseLogged(texts(fields ?? [])[1] ?? '');
        const lifted = `${stream} ${sequence} ${liftedEvent(secrets, stream, event)}`;
        from = `(${id}`;
        return redis.send(copy, ['XADD', copy, String(id), 'e', lifted]);
      }),
    );
    copied += entries.length;
    if (entries.length < EVENTS) break;
  }
  if (copied === 0) return;
  const names = [log, copy, partition.lifter];
  if ((await redis.script(REPLACE_LOG, names, [lifter, lastId])) !== 1) throw new LiftLost();
}
