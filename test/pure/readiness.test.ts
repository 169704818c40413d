/** Whether all workers of a server can use their store, as the one that is asked finds out from the others. */
import { suite } from 'uvu';
import { equal, instance, is } from 'uvu/assert';
import type { JsonObject } from '../../actors/base/json.ts';
import type { Bus } from '../../actors/cluster/bus.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { checkOfAll } from '../../config/compose/readiness.ts';
import { createSimClock } from '../kit/clock.ts';

const readiness = suite('readiness of all workers');

/** Workers on one bus; what each one's own check does is in `stores`, and can be changed. */
function workers(count: number, deaf: readonly number[] = []) {
  const clock = createSimClock(0);
  const listeners: { number: number; topic: string; hear: (message: JsonObject) => void }[] = [];
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  const stores = new Map<number, () => Promise<void>>();
  const counts = new Map<number, number>();
  const checks = numbers.map((number) => {
    const bus: Bus = {
      publish(topic, message) {
        const hearing = listeners.filter((one) => one.topic === topic && one.number !== number);
        for (const { number: other, hear } of hearing)
          if (!deaf.includes(other)) queueMicrotask(() => hear(message));
      },
      subscribe(topic, hear) {
        listeners.push({ number, topic, hear });
        return () => {};
      },
    };
    const states = () => ({ ready: numbers, starting: [], silent: [] });
    const own = () => {
      counts.set(number, (counts.get(number) ?? 0) + 1);
      return stores.get(number)?.() ?? Promise.resolve();
    };
    return checkOfAll(own, { number, bus, states }, clock);
  });
  return { checks, stores, counts, clock };
}

async function faultOf(check: (() => Promise<void>) | undefined): Promise<StoreUnavailable> {
  try {
    await check?.();
  } catch (error) {
    instance(error, StoreUnavailable);
    if (error instanceof StoreUnavailable) return error;
  }
  throw new Error('it is well');
}

readiness('whoever is asked says the same: well if all are, else not, and why', async () => {
  const { checks, stores } = workers(3);
  for (const check of checks) await check();
  stores.set(2, () => Promise.reject(new StoreUnavailable('lmdb', 'the disk', 'no-room')));
  for (const check of checks) is((await faultOf(check)).reason, 'no-room');
  stores.set(2, () => Promise.reject(new Error('whatever it is')));
  for (const check of checks.filter((_, at) => at !== 1)) is((await faultOf(check)).reason, undefined);
  stores.delete(2);
  for (const check of checks) await check();
});

readiness('one that says nothing has no say, after a bounded time', async () => {
  const { checks, clock } = workers(2, [2]);
  const asked = checks[0]?.();
  clock.advance(5_000);
  await asked;
});

readiness('a flood of questions costs what one does', async () => {
  const { checks, stores, counts } = workers(3);
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  for (const number of [1, 2, 3]) stores.set(number, () => gate);
  const asked = Array.from({ length: 1_000 }, () => checks[0]?.());
  await new Promise(setImmediate);
  open();
  await Promise.all(asked);
  equal([...counts.values()], [1, 1, 1]);
});

readiness.run();
