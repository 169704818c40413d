/**
 * Values from the store that are believed for a short time, so that a fleet that connects all at once asks once.
 *
 * `clear` forgets everything, also what is being looked up at that moment: a change shows at once in the process that
 * made it, and elsewhere after the time at the latest.
 */
import type { Clock } from './clock.ts';

export interface TtlCache<Key, Value> {
  /** The value, at once if it is remembered. Several calls at the same time share one look-up. */
  get(key: Key, lookUp: () => Promise<Value>): Value | Promise<Value>;
  clear(): void;
}

/** @param max how many values are remembered; beyond it all are forgotten */
export function createTtlCache<Key, Value>(clock: Clock, ttlMs: number, max: number): TtlCache<Key, Value> {
  const values = new Map<Key, { readonly until: number; readonly value: Value }>();
  const lookUps = new Map<Key, Promise<Value>>();
  let clears = 0;

  async function remember(key: Key, lookUp: () => Promise<Value>): Promise<Value> {
    const until = clock.elapsed() + ttlMs;
    const clearsBefore = clears;
    const value = await lookUp();
    if (clearsBefore !== clears) return value; // it may be older than the change
    if (values.size >= max) values.clear();
    values.set(key, { until, value });
    return value;
  }

  return {
    get(key, lookUp) {
      const remembered = values.get(key);
      if (remembered !== undefined && clock.elapsed() < remembered.until) return remembered.value;
      const underWay = lookUps.get(key);
      if (underWay !== undefined) return underWay;
      const started = remember(key, lookUp).finally(() => {
        if (lookUps.get(key) === started) lookUps.delete(key);
      });
      lookUps.set(key, started);
      return started;
    },
    clear() {
      clears += 1;
      values.clear();
      lookUps.clear();
    },
  };
}
