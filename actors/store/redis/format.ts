/**
 * The format of what is in Redis. All processes, past and present, agree on it and on the number of partitions; data of
 * an older format is lifted by one that starts, while the others wait.
 *
 * While data is lifted its format is neither the old nor the new one, so no server that starts meanwhile takes it for
 * whole. Lifters are numbered; the number of the last one is in the meta hash and in every partition, as a fence: the
 * script that writes a head looks for it, so a process that slept and was replaced writes no head any more. What else it
 * may still do (taking away old records, stale keys and list entries) is harmless late and twice. So taking over needs no
 * certainty that the other one is dead, and lifting that was cut off anywhere is begun again by whoever starts next.
 *
 * Servers of the old version look at the format when they start and never again, so they must be stopped before. They
 * renew leases; where one is renewed, nothing is lifted.
 *
 * There is a 3 because a server of format 2 must not use it: it would look for tokens in plain, and write such; and a 4
 * because one of format 3 cannot read heads in two parts. Nothing is lifted to 4: a head in one piece is read as it is, and
 * the device's next event writes it in two.
 *
 * Formats 2 to 4 are not released yet. What else changes in what is stored becomes a further step below, unless a server of
 * format 4 must not use it.
 */
import type { Log } from '../../base/log.ts';
import type { CredentialsLift } from '../format-2.ts';
import { RedisRefused } from './checks.ts';
import { type Connection, texts } from './connection.ts';
import { createKeys, metaKey } from './keys.ts';
import { type Lift, LiftLost, leases, recordsToEntities } from './lift.ts';
import { sealTokens } from './lift-tokens.ts';
import { BEAT_LIFT, BEGIN_LIFT, END_LIFT, ENTER_LIFT, SWAP } from './scripts.ts';

const FORMAT = '4';

/** What has to be done to the data of a format, in this order, until it is in the newest. */
const STEPS: { readonly [format: string]: readonly ((lift: Lift) => Promise<void>)[] } = {
  '1': [recordsToEntities, sealTokens],
  '2': [sealTokens],
  '3': [],
};

/** What the format is called while data is lifted from it. */
const lifting = (format: string) => `${format}-${FORMAT}`;

/** Longer than the time within which a lease is renewed. */
const LEASE_RENEWED_MS = 3_000;
/** How often it is looked whether another one has done it. */
const LOOK_MS = 200;
/** How often a lifter shows that it is at work. */
const BEAT_MS = 1_000;
/** A lifter that shows nothing for so long may be dead, and another one takes over. Longer than a beat may be late. */
const TAKE_OVER_MS = 6_000;

/** For who only looks: nothing is made where no server has been. */
export async function refuseMissing(redis: Connection, prefix: string): Promise<void> {
  const meta = metaKey(prefix);
  if ((await redis.send(meta, ['EXISTS', meta])) === 0)
    throw new RedisRefused(`${redis.name} holds nothing of claimd under the prefix ${prefix}`);
}

/**
 * Agrees on the format and the number of partitions; the first process decides. Resolves to the latter.
 * @param credentials under which key tokens are lifted that an older format has in plain; without it such data is refused
 * @param takeOverMs how long a lifter must show nothing until this process takes over
 */
export async function agreeOnFormat(
  redis: Connection,
  prefix: string,
  partitions: number,
  log: Log,
  credentials?: CredentialsLift,
  takeOverMs = TAKE_OVER_MS,
): Promise<number> {
  const meta = metaKey(prefix);
  await redis.send(meta, ['HSETNX', meta, 'format', FORMAT]);
  await redis.send(meta, ['HSETNX', meta, 'partitions', String(partitions)]);
  const agreed = Number(await redis.send(meta, ['HGET', meta, 'partitions']));
  const formatNow = async () => String(await redis.send(meta, ['HGET', meta, 'format']));

  for (;;) {
    const found = await formatNow();
    if (found === FORMAT) return agreed;
    const from = Object.keys(STEPS).find((format) => found === format || found.startsWith(`${format}-`));
    if (from === undefined) {
      throw new RedisRefused(
        `${redis.name} holds format ${found} under the prefix ${prefix}; this version of claimd knows ${FORMAT} and older ones`,
      );
    }
    if (found === from) await assertQuiet(redis, prefix, from);
    else if (!(await standsStill(redis, meta, found, takeOverMs))) continue;
    log.info({ store: redis.name, from, to: FORMAT }, 'lifting what is stored to a newer format');
    await liftAll(redis, prefix, agreed, { from, found, credentials });
  }
}

/**
 * Waits until the lifter at work has done it (false), or has shown nothing for some time (true). However long lifting
 * takes, nobody takes it over from one that is at work: two that did so in turn would never end.
 */
async function standsStill(
  redis: Connection,
  meta: string,
  format: string,
  takeOverMs: number,
): Promise<boolean> {
  let last = '';
  let since = performance.now();
  for (;;) {
    const [now, ...signs] = texts(await redis.send(meta, ['HMGET', meta, 'format', 'lifter', 'lifter-beat']));
    if (now !== format) return false;
    if (signs.join(' ') !== last) {
      last = signs.join(' ');
      since = performance.now();
    }
    if (performance.now() - since >= takeOverMs) return true;
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, takeOverMs)));
  }
}

/** What there is to be lifted. */
interface Found {
  readonly from: string;
  /** What the format is called now. */
  readonly found: string;
  readonly credentials: CredentialsLift | undefined;
}

/** Lifts everything, unless another process does, or takes over. */
async function liftAll(
  redis: Connection,
  prefix: string,
  partitions: number,
  { from, found, credentials }: Found,
): Promise<void> {
  const meta = metaKey(prefix);
  const keys = createKeys(prefix, partitions);
  const lifter = String(await redis.script(BEGIN_LIFT, [meta], [found, lifting(from)]));
  if (lifter === '0') return;
  const beating = setInterval(() => {
    void redis.script(BEAT_LIFT, [meta], [lifter]).catch(() => undefined); // the lifting itself meets the fault
  }, BEAT_MS);
  try {
    const all = keys.partitions.map((partition) => partition.lifter);
    await Promise.all(all.map((key) => redis.script(ENTER_LIFT, [key], [lifter])));
    // It may have been ended while this process slept. From here on whoever takes over enters the partitions after it.
    if ((await redis.send(meta, ['HGET', meta, 'lifter'])) !== lifter) {
      await Promise.all(all.map((key) => redis.script(SWAP, [key], ['1', lifter, '0', ''])));
      return;
    }
    for (const step of STEPS[from] ?? []) await step({ redis, keys, lifter, credentials });
    if ((await redis.script(END_LIFT, [meta], [lifter, FORMAT])) !== 1) return;
    await Promise.all(all.map((key) => redis.send(key, ['DEL', key])));
  } catch (error) {
    if (!(error instanceof LiftLost)) throw error;
  } finally {
    clearInterval(beating);
  }
}

/** Refuses where a server of an older version is at work. */
async function assertQuiet(redis: Connection, prefix: string, format: string): Promise<void> {
  const before = await leases(redis, prefix);
  if (before.size === 0) return;
  await new Promise((resolve) => setTimeout(resolve, LEASE_RENEWED_MS));
  for (const [name, text] of await leases(redis, prefix)) {
    if (before.get(name) === text) continue;
    throw new RedisRefused(
      `${redis.name} holds format ${format} under the prefix ${prefix}, and a server of an older version is using it: stop all of them, so that it can be lifted to format ${FORMAT}`,
    );
  }
}
