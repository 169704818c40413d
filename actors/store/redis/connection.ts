/**
 * The way to Redis: one connection to a server, or one to each master of a cluster, shared by all that the store does.
 *
 * - Commands of one turn of the event loop leave in one write; Redis flushes once for all that arrived together.
 * - Whatever goes wrong is `StoreUnavailable`: the connection, an error reply (a replica, a server that is loading its
 *   data or out of memory), no answer in time. Then nobody knows whether a write happened.
 * - While there is no connection, commands fail at once instead of waiting for one.
 * - A bounded number waits for answers. One that was given up still counts until the client lets go of it, so a server
 *   that hangs cannot fill the memory.
 */
import { ErrorReply } from '@redis/client';
import type { Log } from '../../base/log.ts';
import { StoreUnavailable } from '../store.ts';
import {
  type Client,
  createMany,
  createSingle,
  type OneClient,
  PING_MS,
  RECONNECT_FIRST_MS,
  type RedisLocation,
} from './client.ts';
import { Gathered } from './gathered.ts';
import type { Script } from './scripts.ts';

export type Reply = string | number | null | readonly Reply[];
/** A text is sent as UTF-8. */
export type Argument = string | Buffer;
/** Carries out a command on one server. */
export type Send = (args: Argument[]) => Promise<Reply>;

/** Interval of the search for expired commands, and how late one is given up at most. */
const SWEEP_MS = 100;
/** Keys read by one command. */
const KEYS_MAX = 128;
/** Errors of so long share one line in the log: a dead server causes one per command. */
const ERROR_LOG_MS = 10_000;

export interface Subscriber {
  /** Listens to a channel, also after the connection was lost and made again. Rejects when it could not begin. */
  listen(channel: string, hear: (text: string) => void): Promise<void>;
  close(): void;
}

/** Shortest time between two reconnections because a server became a replica. */
const LEAVE_AGAIN_MS = 1_000;
/** Poll interval: who has taken the place of a master that is missing. */
const LOOK_AROUND_MS = 500;

export interface ConnectionSettings {
  readonly location: RedisLocation;
  /** For logs, without secrets. */
  readonly name: string;
  /** After so long without an answer a command is given up. */
  readonly commandTimeoutMs: number;
  /** Commands that may wait for answers. */
  readonly waitingMax: number;
  readonly log: Log;
}

interface Waiting {
  readonly deadline: number;
  readonly giveUp: () => void;
}

export class Connection {
  readonly name: string;
  readonly client: Client;
  readonly #settings: ConnectionSettings;
  /** In the order of their deadlines, since all have the same time. */
  readonly #waiting = new Set<Waiting>();
  readonly #sweep: NodeJS.Timeout;
  readonly #watch: NodeJS.Timeout;
  /** Connections that a PING was sent on, and when. */
  readonly #asked = new Map<OneClient, number>();
  readonly #reads = new Gathered<readonly string[], readonly (string | undefined)[]>({
    perform: (asked) => this.#readTogether(asked),
    entriesMax: KEYS_MAX,
    sizeMax: KEYS_MAX,
    sizeOf: ({ length }) => length,
  });
  #spansSlots = false;
  #underWay = 0;
  #open = true;
  #loggedAt = Number.NEGATIVE_INFINITY;
  /** Since when there is trouble that the log told of; undefined: there is none. */
  #troubledAt: number | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #leftAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();

  private constructor(settings: ConnectionSettings, client: Client) {
    this.name = settings.name;
    this.#settings = settings;
    this.client = client;
    this.#sweep = setInterval(() => this.#giveUpExpired(), SWEEP_MS);
    this.#sweep.unref();
    this.#watch = setInterval(() => this.#tryOut(), PING_MS);
    this.#watch.unref();
  }

  /** Connects. Rejects when that does not work within `withinMs`. */
  static async open(settings: ConnectionSettings, withinMs: number): Promise<Connection> {
    const client =
      settings.location.type === 'single'
        ? createSingle(settings.location.options, settings.commandTimeoutMs)
        : createMany(settings.location, settings.commandTimeoutMs);
    const connection = new Connection(settings, client);
    client.setMaxListeners(0); // Keyv's adapter adds some
    let last: unknown = 'no answer';
    const heard = (error: unknown) => {
      last = error;
      connection.#note(error);
    };
    client.on('error', heard);
    client.on('node-error', (error: unknown) => {
      heard(error);
      connection.#lookAround();
    });
    const deadline = performance.now() + withinMs;
    try {
      await connection.#connect(deadline, () => last);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return connection;
  }

  async #connect(deadline: number, last: () => unknown): Promise<void> {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(this.#unavailable(last())),
          Math.max(0, deadline - performance.now()),
        );
      });
      const connecting = this.client.connect();
      connecting.catch(() => {}); // when the time is over first
      try {
        await Promise.race([connecting, late]);
        return;
      } catch (error) {
        // A single client goes on trying by itself; a cluster gives up when no node answers.
        if (performance.now() >= deadline || this.#settings.location.type === 'single')
          throw this.#unavailable(error);
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_FIRST_MS));
      } finally {
        clearTimeout(timer);
      }
    }
  }

  /** Carries out a command where `key` lies. */
  send(key: string, args: Argument[]): Promise<Reply> {
    return this.guard(() => sendTo(this.client, key, args));
  }

  /** The texts under keys of one slot, or nothing. Where there are no slots, those asked for in one turn are one command. */
  read(keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    return this.guard(() => (this.#spansSlots ? this.#reads.add(keys) : this.#readAll(keys)));
  }

  async #readAll(keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    const reply = await sendTo(this.client, keys[0] ?? '', ['MGET', ...keys]);
    return Array.isArray(reply) ? reply.map(textOf) : [];
  }

  async #readTogether(asked: readonly (readonly string[])[]) {
    const found = await this.#readAll(asked.flat());
    let next = 0;
    return asked.map(({ length }) => {
      next += length;
      return found.slice(next - length, next);
    });
  }

  /** Carries out a script where its keys lie, all of them in one slot. */
  script(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    return this.guard(() => this.carryOut(script, keys, args));
  }

  /** The same for those who guard what they do by themselves. */
  async carryOut(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const [first = ''] = keys;
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await sendTo(this.client, first, ['EVALSHA', script.digest, ...rest]);
    } catch (error) {
      // Refused before anything of it ran: the server was restarted, or is another one.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return sendTo(this.client, first, ['EVAL', script.source, ...rest]);
    }
  }

  /** Whether one command may name keys of several slots, as `findOutSlots` has found. */
  get spansSlots(): boolean {
    return this.#spansSlots;
  }

  /**
   * Finds out whether one command may name keys of several slots: not in a cluster, nor where one hides behind one address.
   * @param keys of two slots
   */
  async findOutSlots(keys: readonly [string, string]): Promise<void> {
    if (this.#settings.location.type === 'cluster') return;
    const question = sendTo(this.client, keys[0], ['EVAL', 'return 1', '2', ...keys]);
    this.#spansSlots = await this.guard(() =>
      question.then(
        () => true,
        (error: unknown) => {
          if (error instanceof ErrorReply) return false;
          throw error;
        },
      ),
    );
  }

  /** Every server that holds data. */
  servers(): readonly Send[] {
    const { client } = this;
    if (!('masters' in client)) return [(args) => this.guard(() => replyOf(client.sendCommand(args)))];
    return client.masters.map(
      (master) => (args) =>
        this.guard(async () => replyOf((await client.nodeClient(master)).sendCommand(args))),
    );
  }

  /** A connection of its own for pushed messages; on a cluster the client has one. */
  subscriber(): Subscriber {
    const { client } = this;
    if ('masters' in client) {
      return {
        listen: (channel, hear) => client.subscribe(channel, hear),
        close() {}, // with the rest of the cluster's connections
      };
    }
    const own = client.duplicate();
    own.on('error', (error) => this.#note(error));
    return {
      async listen(channel, hear) {
        if (!own.isOpen) await own.connect();
        await own.subscribe(channel, hear);
      },
      close: () => {
        if (own.isOpen) own.destroy();
      },
    };
  }

  /** Every use of the client goes through this: bounded in number and in time, and failing in one way only. */
  guard<Result>(use: () => Promise<Result>): Promise<Result> {
    if (!this.#open) return Promise.reject(this.#unavailable('closed'));
    if (this.#underWay >= this.#settings.waitingMax) {
      return Promise.reject(this.#unavailable(`${this.#underWay} commands are waiting already`));
    }
    this.#underWay += 1;
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        deadline: performance.now() + this.#settings.commandTimeoutMs,
        giveUp: () => reject(this.#unavailable('no answer in time')),
      };
      this.#waiting.add(waiting);
      const over = () => {
        this.#underWay -= 1;
        this.#waiting.delete(waiting);
      };
      use().then(
        (result) => {
          over();
          resolve(result);
        },
        (error: unknown) => {
          over();
          if (error instanceof Error && error.message.startsWith('READONLY')) this.#leaveReplica();
          reject(this.#unavailable(error));
        },
      );
    });
  }

  /** Closes the connection; commands without an answer fail. */
  destroy(): void {
    this.#open = false;
    clearInterval(this.#sweep);
    clearInterval(this.#watch);
    this.#destroyClient();
    void this.#looking.then(() => this.#destroyClient()); // it may have connected to masters that it found meanwhile
  }

  #destroyClient(): void {
    try {
      this.client.destroy();
    } catch {
      // it was not open
    }
  }

  #giveUpExpired(): void {
    const now = performance.now();
    for (const waiting of this.#waiting) {
      if (waiting.deadline > now) return;
      this.#waiting.delete(waiting);
      waiting.giveUp();
      this.#lookAround();
    }
  }

  /**
   * Asks the cluster who its masters are. The client asks by itself only when a master redirects it. One that is gone does
   * not, so after a failover the client would wait for the old master for ever.
   */
  #lookAround(): void {
    const { client } = this;
    const now = performance.now();
    if (!('masters' in client) || now - this.#lookedAt < LOOK_AROUND_MS) return;
    this.#lookedAt = now;
    const ready = client.masters.map((master) => master.client).find((one) => one?.isReady === true);
    if (ready === undefined) return;
    this.#looking = client._slots.rediscover(ready).catch((error: unknown) => this.#note(error));
  }

  /**
   * Sends a PING on every connection, and replaces those that did not answer the last one. Where the other end vanished
   * without a word (a machine that lost power), the kernel keeps trying for a quarter of an hour.
   */
  #tryOut(): void {
    const { client } = this;
    const now = performance.now();
    const ones: readonly OneClient[] =
      'masters' in client ? client.masters.flatMap((master) => master.client ?? []) : [client];
    for (const known of this.#asked.keys()) if (!ones.includes(known)) this.#asked.delete(known);
    for (const one of ones) {
      const asked = this.#asked.get(one);
      if (!one.isReady) this.#asked.delete(one);
      else if (asked === undefined) {
        this.#asked.set(one, now);
        const answered = () => this.#asked.delete(one);
        one.sendCommand(['PING']).then(() => this.#noteAnswer(answered() && ones.every(isReady)), answered);
      } else if (now - asked > this.#settings.commandTimeoutMs + PING_MS) {
        this.#asked.delete(one);
        this.#replace(one, 'no sign of life from Redis');
      }
    }
  }

  /**
   * After a failover the server's name leads to another one, but the demoted one may keep its connections open: writes
   * would be refused for ever, and reads be out of date. A cluster's replica redirects by itself.
   */
  #leaveReplica(): void {
    const { client } = this;
    const now = performance.now();
    if ('masters' in client || !this.#open || now - this.#leftAt < LEAVE_AGAIN_MS) return;
    this.#leftAt = now;
    this.#replace(client, 'Redis has become a replica: connecting anew');
  }

  /** Replaces a connection that is of no use any more; what waited on it fails. */
  #replace(one: OneClient, why: string): void {
    const { client } = this;
    this.#note(why);
    one.destroy();
    if ('masters' in client) {
      // The next command for that master makes a new one.
      for (const master of client.masters) if (master.client === one) delete master.client;
      this.#lookAround();
    } else client.connect().catch((error: unknown) => this.#note(error));
  }

  #unavailable(cause: unknown): StoreUnavailable {
    return cause instanceof StoreUnavailable ? cause : new StoreUnavailable(this.name, cause);
  }

  #note(error: unknown): void {
    const now = performance.now();
    if (!this.#open || now - this.#loggedAt < ERROR_LOG_MS) return;
    this.#loggedAt = now;
    this.#troubledAt ??= now;
    const why = error instanceof Error ? error.message : String(error);
    this.#settings.log.warn({ store: this.name, why }, 'trouble with the connection to Redis');
  }

  /** Whoever reads of the trouble looks for its end. @param whole all connections stand */
  #noteAnswer(whole: boolean): void {
    if (!this.#open || !whole || this.#troubledAt === undefined) return;
    const afterMs = Math.round(performance.now() - this.#troubledAt);
    this.#troubledAt = undefined;
    this.#loggedAt = Number.NEGATIVE_INFINITY; // what comes next is another trouble
    this.#settings.log.warn({ store: this.name, afterMs }, 'Redis answers again');
  }
}

const isReady = (one: OneClient): boolean => one.isReady;

function sendTo(client: Client, key: string, args: Argument[]): Promise<Reply> {
  return replyOf('masters' in client ? client.sendCommand(key, false, args) : client.sendCommand(args));
}

/** The client's type for replies covers RESP 3 and buffers, which are not asked for here. */
function replyOf(reply: Promise<unknown>): Promise<Reply> {
  return reply as Promise<Reply>;
}

/** A reply that is a text or nothing. */
export function textOf(reply: Reply): string | undefined {
  return reply === null ? undefined : String(reply);
}

/** A reply that is a list of texts, as most are. */
export function texts(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
