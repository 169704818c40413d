/** The journal over Redis: see `../../journal/journal.ts` for what it promises. */
import type {
  Append,
  AppendResult,
  DueAlarm,
  DuePage,
  Head,
  Journal,
  LoggedEvent,
  LogPage,
  Stretch,
  Verdict,
} from '../../journal/journal.ts';
import { parseLogged } from '../log-line.ts';
import { checkStreamName } from '../store.ts';
import { type Connection, texts } from './connection.ts';
import type { Heads } from './heads.ts';
import type { Keys, Partition } from './keys.ts';
import { pairs } from './tasks.ts';

const APPENDED: AppendResult = { type: 'appended' };

export class RedisJournal implements Journal {
  readonly logs: number;
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #heads: Heads;

  constructor(redis: Connection, keys: Keys, heads: Heads) {
    this.logs = keys.partitions.length;
    this.#redis = redis;
    this.#keys = keys;
    this.#heads = heads;
  }

  load(stream: string): Promise<Head> {
    return this.#heads.load(stream);
  }

  loadMany(streams: readonly string[], part?: 'state'): Promise<readonly Head[]> {
    return this.#heads.loadStreams(streams, part);
  }

  async append(entry: Append): Promise<AppendResult> {
    const { stream, expected, event, state, details, alarmAt, index } = entry;
    checkStreamName(stream);
    const moved = await this.#heads.move({ name: stream, expected, event, state, details, alarmAt, index });
    return moved.type === 'moved' ? APPENDED : moved;
  }

  async due(now: number, after: string | undefined, limit: number): Promise<DuePage> {
    const from = after === undefined ? undefined : parseAlarm(after);
    const { partitions } = this.#keys;
    // Twice a fair share of each, so that a page is about as long as was asked for.
    const share = Math.ceil((2 * limit) / partitions.length);
    const parts = await Promise.all(partitions.map((partition) => this.#dueIn(partition, now, from, share)));

    // Behind the last alarm of a part that has more, that part may have some that come first.
    const ends = parts.flatMap(({ alarms, more }) => (more ? alarms.slice(-1) : [])).sort(byInstant);
    const [end] = ends;
    const all = parts.flatMap(({ alarms }) => alarms).sort(byInstant);
    const alarms = end === undefined ? all : all.filter((alarm) => byInstant(alarm, end) <= 0);
    return { alarms, next: end === undefined ? undefined : `${end.stream} ${end.dueAt}` };
  }

  alarms(after: string | undefined, limit: number): Promise<DuePage> {
    return this.due(Number.MAX_SAFE_INTEGER, after, limit); // a replaced one is gone here
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
    const found = entries(reply);
    const page = { events: found.map(({ event }) => event), next: found.at(-1)?.position ?? from };
    const [first] = found;
    // Positions have no holes but for what was trimmed, or forgotten.
    if (first === undefined || first.position === from + 1) return page;
    return (await this.#beginsBehind(log, from)) ? { ...page, isGap: true } : page;
  }

  /** Whether nothing is kept any more of what was in front of a page that has been read. */
  async #beginsBehind(log: string, from: number): Promise<boolean> {
    const [first] = entries(await this.#redis.send(log, ['XRANGE', log, '-', '+', 'COUNT', '1']));
    return first === undefined || first.position > from + 1;
  }

  async trim(which: number, upTo: number): Promise<void> {
    const { log } = this.#partition(which);
    await this.#redis.send(log, ['XTRIM', log, 'MINID', '=', `1-${upTo}`]);
  }

  async forget(
    which: number,
    { from, upTo }: Stretch,
    limit: number,
    verdict: (event: LoggedEvent) => Verdict,
  ): Promise<number> {
    const { log } = this.#partition(which);
    if (from >= upTo) return from;
    const range = [`1-${from}`, `1-${upTo - 1}`, 'COUNT', String(limit)];
    const forgotten: string[] = [];
    let next = from;
    for (const { id, position, event } of entries(await this.#redis.send(log, ['XRANGE', log, ...range]))) {
      const decided = verdict(event);
      if (decided === 'not-yet') break;
      if (decided === 'forget') forgotten.push(id);
      next = position;
    }
    if (forgotten.length > 0) await this.#redis.send(log, ['XDEL', log, ...forgotten]);
    return next;
  }

  #partition(which: number): Partition {
    const partition = this.#keys.partitions[which];
    if (partition === undefined) throw new RangeError(`there is no log ${which}`);
    return partition;
  }
}

interface Entry {
  readonly id: string;
  /** Behind it. */
  readonly position: number;
  readonly event: LoggedEvent;
}

/** The entries of an answer to XRANGE. */
function entries(reply: unknown): readonly Entry[] {
  return (Array.isArray(reply) ? reply : []).map((entry) => {
    const [id, fields] = Array.isArray(entry) ? entry : [];
    const position = Number(String(id).slice(2)) + 1;
    return { id: String(id), position, event: parseLogged(texts(fields ?? [])[1] ?? '') };
  });
}

function byInstant(a: DueAlarm, b: DueAlarm): number {
  return a.dueAt - b.dueAt || Buffer.from(a.stream).compare(Buffer.from(b.stream));
}

function parseAlarm(cursor: string): DueAlarm {
  const space = cursor.lastIndexOf(' ');
  return { stream: cursor.slice(0, space), dueAt: Number(cursor.slice(space + 1)) };
}
