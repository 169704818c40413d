/**
 * Whether a Redis may be trusted with devices: settings that would lose data silently are refused, those that weaken
 * durability are logged.
 */
import type { Log } from '../../base/log.ts';
import type { Connection, Reply, Send } from './connection.ts';
import { texts } from './connection.ts';
import { pairs } from './tasks.ts';

/** The first version with what is used here: `SET … NX GET`, entries of a log numbered by the server. */
const VERSION_MIN = 7;

/** This Redis cannot be used, for a reason that an operator can mend. */
export class RedisRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RedisRefused';
  }
}

export async function checkServers(redis: Connection, log: Log): Promise<void> {
  for (const send of redis.servers()) await checkServer(redis.name, send, log);
}

async function checkServer(name: string, send: Send, log: Log): Promise<void> {
  const info = String(await send(['INFO', 'server']));
  // Valkey, and others that come from Redis, call themselves a version of it for clients like us.
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '';
  if (Number.parseInt(version, 10) < VERSION_MIN) {
    throw new RedisRefused(`${name} is Redis ${version}; ${VERSION_MIN} or newer, or Valkey, is needed`);
  }
  const settings = await settingsOf(send);
  if (settings === undefined) {
    log.warn(
      { store: name },
      'Redis does not show its settings: see to it that it keeps what it acknowledges',
    );
    return;
  }
  const policy = settings.get('maxmemory-policy') ?? 'noeviction';
  if (policy !== 'noeviction' && settings.get('maxmemory') !== '0') {
    throw new RedisRefused(
      `${name} throws data away when its memory is full (maxmemory-policy ${policy}): set it to noeviction`,
    );
  }
  const appendonly = settings.get('appendonly');
  const appendfsync = settings.get('appendfsync');
  if (appendonly !== 'yes' || appendfsync !== 'always') {
    log.warn(
      { store: name, appendonly, appendfsync },
      'what is acknowledged can be lost when Redis crashes: set appendonly yes and appendfsync always',
    );
  }
}

/** Undefined where they are not shown, as with some hosted ones. */
async function settingsOf(send: Send): Promise<ReadonlyMap<string, string> | undefined> {
  const names = ['appendonly', 'appendfsync', 'maxmemory', 'maxmemory-policy'];
  let reply: Reply;
  try {
    reply = await send(['CONFIG', 'GET', ...names]);
  } catch {
    return undefined;
  }
  return new Map(pairs(texts(reply)));
}
