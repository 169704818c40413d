/** The bus between nodes on one Redis, by publish and subscribe. See `../../cluster/bus.ts` for what it promises. */
import { randomBytes } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Log } from '../../base/log.ts';
import type { Bus } from '../../cluster/bus.ts';
import type { Connection } from './connection.ts';
import { busChannel } from './keys.ts';

/** Messages that may be on their way to Redis; more are dropped. */
const ON_THE_WAY_MAX = 1_000;
const RETRY_MS = 1_000;

export interface RedisBus extends Bus {
  close(): void;
}

/** Listens on a connection of its own, which reconnects by itself; what is published meanwhile is missed. */
export function openRedisBus(redis: Connection, prefix: string, log: Log): RedisBus {
  const self = randomBytes(9).toString('base64url');
  const channel = busChannel(prefix);
  const listeners = new Map<string, Set<(message: JsonObject) => void>>();
  const subscriber = redis.subscriber();
  let onTheWay = 0;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  function hear(text: string): void {
    const said = parse(text);
    if (said === undefined || said.from === self || typeof said.topic !== 'string') return;
    if (!isJsonObject(said.message)) return;
    for (const listener of listeners.get(said.topic) ?? []) listener(said.message);
  }

  async function listen(): Promise<void> {
    if (closed) return;
    try {
      await subscriber.listen(channel, hear);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.debug({ why }, 'not listening to the other nodes; trying again');
      retry = setTimeout(listen, RETRY_MS);
      retry.unref();
    }
  }
  void listen();

  return {
    publish(topic, message) {
      if (closed || onTheWay >= ON_THE_WAY_MAX) return;
      onTheWay += 1;
      const over = () => {
        onTheWay -= 1;
      };
      redis
        .send(channel, ['PUBLISH', channel, JSON.stringify({ from: self, topic, message })])
        .then(over, over);
    },

    subscribe(topic, listener) {
      const own = (message: JsonObject) => listener(message); // one per call, also of the same listener
      const all = listeners.get(topic) ?? new Set();
      listeners.set(topic, all.add(own));
      return () => {
        all.delete(own);
      };
    },

    close() {
      closed = true;
      clearTimeout(retry);
      subscriber.close();
    },
  };
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
