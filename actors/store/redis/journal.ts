/** The journal over Redis: see `../../journal/journal.ts` for what it promises. */
import type {
  Append,
  AppendResult,
  DueAlarm,
  DuePage,
  Head,
  IndexEntries,
  Journal,
  LoggedEvent,
  LogPage,
} from '../../journal/journal.ts';
import { parseLogged } from '../log-line.ts';
import { StoreUnavailable } from '../store.ts';
import { type Connection, texts } from './connection.ts';
import { parseHead } from './head.ts';
import { checkKeys, fits, type Keys, type Partition } from './keys.ts';
import { entryOf, type Outbox, pairs } from './outbox.ts';
import { APPEND } from './scripts.ts';
import { textOf, type UniqueKeys } from './unique.ts';

/** How often an append is begun anew when its attempts are called off: a slow process must end somewhere. */
const ATTEMPTS_MAX = 5;

const NOTHING: IndexEntries = { unique: [], members: [] };
const CONFLICT: AppendResult = { type: 'conflict' };
const APPENDED: AppendResult = { type: 'appended' };

export class RedisJournal implements Journal {
  readonly logs: number;
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #unique: UniqueKeys;
  readonly #outbox: Outbox;

  constructor(redis: Connection, keys: Keys, unique: UniqueKeys, outbox: Outbox) {
    this.logs = keys.partitions.length;
    this.#redis = redis;
    this.#keys = keys;
    this.#unique = unique;
    this.#outbox = outbox;
  }

  async load(stream: string): Promise<Head> {
    if (!fits(stream)) return { sequence: 0, state: undefined };
    const name = this.#keys.partitionOf(stream).head(stream);
    const text = textOf(await this.#redis.send(name, ['GET', name]));
    return text === undefined ? { sequence: 0, state: undefined } : parseHead(text);
  }

  async append(entry: Append): Promise<AppendResult> {
    checkKeys(entry);
    if (entry.index === undefined) {
      const [outcome] = await this.#write(entry, []);
      return outcome === 'appended' ? APPENDED : CONFLICT;
    }
    for (let n = 0; n < ATTEMPTS_MAX; n += 1) {
      const result = await this.#attempt(entry);
      if (result !== 'fenced') return result;
    }
    throw new StoreUnavailable(this.#redis.name, 'too slow: others have called every attempt off');
  }

  /** Takes the unique keys, appends, does what is left in other slots. */
  async #attempt(entry: Append): Promise<AppendResult | 'fenced'> {
    const { stream, expected, index } = entry;
    const { take = NOTHING, release = NOTHING } = index ?? {};
    const attempt = this.#unique.newAttempt();
    const taken: string[] = [];
    const giveBack = () => Promise.all(taken.map((key) => this.#unique.putBack(key, stream, attempt)));

    // One after the other and always in the same order, so that nobody waits in a circle.
    for (const key of [...new Set(take.unique)].sort()) {
      const acquired = await this.#unique.take(key, stream, attempt);
      if (acquired.type === 'held') {
        await giveBack();
        const stale = (await this.#unique.mark(stream)).sequence !== String(expected);
        return stale ? CONFLICT : { type: 'taken', key };
      }
      taken.push(key);
    }

    const changes = [take, release].map(({ unique, members }) =>
      JSON.stringify({ k: unique, m: members.map(entryOf) }),
    );
    const [outcome, freed = []] = await this.#write(entry, [attempt, ...changes]);
    if (outcome !== 'appended') {
      await giveBack();
      return outcome === 'fenced' ? 'fenced' : CONFLICT;
    }
    const partition = this.#keys.partitionOf(stream);
    const members = [...take.members, ...release.members].map(entryOf);
    if (members.length > 0 || freed.length > 0) {
      const row = { partition, stream, name: `${stream} ${expected + 1}`, members, freed: pairs(freed) };
      await this.#outbox.follow(row, take, release);
    }
    return APPENDED;
  }

  async #write(entry: Append, index: readonly string[]): Promise<readonly [string?, string[]?]> {
    const { stream, expected, event, state, alarmAt } = entry;
    const partition = this.#keys.partitionOf(stream);
    const { alarms, log, outbox } = partition;
    const [attempt] = index;
    const keys = [partition.head(stream), alarms, log, outbox];
    if (attempt !== undefined) keys.push(partition.fence(attempt));
    const args = [
      String(expected),
      String(expected + 1),
      stream,
      event,
      alarmAt === null ? '-' : String(alarmAt),
      state === undefined ? '0' : '1',
      state ?? '',
      ...index,
    ];
    const reply = await this.#redis.script(APPEND, keys, args);
    const [outcome, freed = []] = Array.isArray(reply) ? reply : [];
    return [String(outcome), texts(freed)];
  }

  async due(now: number, after: string | undefined, limit: number): Promise<DuePage> {
    const from = after === undefined ? undefined : parseAlarm(after);
    const { partitions } = this.#keys;
    // Twice a fair share of each, so that a page is about as long as was asked for.
    const share = Math.ceil((2 * limit) / partitions.length);
    const parts = await Promise.all(partitions.map((partition) => this.#dueIn(partition, now, from, share)));

    // Beyond the last one of a part that has more, others may come first.
    const ends = parts.flatMap(({ alarms, more }) => (more ? alarms.slice(-1) : [])).sort(byInstant);
    const [end] = ends;
    const all = parts.flatMap(({ alarms }) => alarms).sort(byInstant);
    const alarms = end === undefined ? all : all.filter((alarm) => byInstant(alarm, end) <= 0);
    return { alarms, next: end === undefined ? undefined : `${end.stream} ${end.dueAt}` };
  }

  /** The first alarms of one partition behind `from`. */
  async #dueIn(
    { alarms: name }: Partition,
    now: number,
    from: DueAlarm | undefined,
    limit: number,
  ): Promise<{ readonly alarms: readonly DueAlarm[]; readonly more: boolean }> {
    for (let offset = 0; ; offset += limit) {
      const range = [name, String(from?.dueAt ?? '-inf'), String(now), 'BYSCORE'];
      const window = ['LIMIT', String(offset), String(limit), 'WITHSCORES'];
      const found = pairs(texts(await this.#redis.send(name, ['ZRANGE', ...range, ...window])));
      const all = found.map(([stream, dueAt]) => ({ stream, dueAt: Number(dueAt) }));
      const alarms = from === undefined ? all : all.filter((alarm) => byInstant(alarm, from) > 0);
      const more = found.length === limit;
      if (alarms.length > 0 || !more) return { alarms, more };
    }
  }

  async log(which: number, from: number, limit: number): Promise<LogPage> {
    const { log } = this.#partition(which);
    const reply = await this.#redis.send(log, ['XRANGE', log, `1-${from}`, '+', 'COUNT', String(limit)]);
    const events: LoggedEvent[] = [];
    let next = from;
    for (const entry of Array.isArray(reply) ? reply : []) {
      const [id, fields] = Array.isArray(entry) ? entry : [];
      next = Number(String(id).slice(2)) + 1;
      events.push(parseLogged(texts(fields ?? [])[1] ?? ''));
    }
    return { events, next };
  }

  async trim(which: number, upTo: number): Promise<void> {
    const { log } = this.#partition(which);
    await this.#redis.send(log, ['XTRIM', log, 'MINID', '=', `1-${upTo}`]);
  }

  #partition(which: number): Partition {
    const partition = this.#keys.partitions[which];
    if (partition === undefined) throw new RangeError(`there is no log ${which}`);
    return partition;
  }
}

function byInstant(a: DueAlarm, b: DueAlarm): number {
  return a.dueAt - b.dueAt || Buffer.from(a.stream).compare(Buffer.from(b.stream));
}

function parseAlarm(cursor: string): DueAlarm {
  const space = cursor.lastIndexOf(' ');
  return { stream: cursor.slice(0, space), dueAt: Number(cursor.slice(space + 1)) };
}
