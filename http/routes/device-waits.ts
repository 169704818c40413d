/** Devices that wait for an answer by HTTP (long polling), each wait short and their number bounded. */
import type { Clock } from '../../actors/base/clock.ts';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { AttributeNews, News } from '../../actors/claiming/attribute-news.ts';

export interface Waits {
  /** Until the device's shared attributes change. */
  wait(id: DeviceId, timeoutMs: number | undefined): Promise<News | 'elapsed' | 'full'>;
  /** Until the time is up. */
  sleep(id: DeviceId, timeoutMs: number | undefined): Promise<'elapsed' | 'full'>;
}

/** Short, so that a server that stops is not kept. */
const WAIT_MS_MAX = 5_000;
/** One for attributes and one for calls, and the same again after a connection was lost. */
const PER_DEVICE_MAX = 4;
const ALL_MAX = 2_000;

export function createWaits({ clock, news }: { clock: Clock; news?: Pick<AttributeNews, 'watch'> }): Waits {
  /** How many each device has under way. */
  const waiting = new Map<DeviceId, number>();
  let all = 0;

  function begin(id: DeviceId): boolean {
    const own = waiting.get(id) ?? 0;
    if (own >= PER_DEVICE_MAX || all >= ALL_MAX) return false;
    waiting.set(id, own + 1);
    all += 1;
    return true;
  }

  function end(id: DeviceId): void {
    const own = (waiting.get(id) ?? 1) - 1;
    if (own > 0) waiting.set(id, own);
    else waiting.delete(id);
    all -= 1;
  }

  function wait<Ended>(
    id: DeviceId,
    timeoutMs: number | undefined,
    watch: (onNews: (news: Ended) => void) => () => void,
  ): Promise<Ended | 'elapsed' | 'full'> {
    if (!begin(id)) return Promise.resolve('full');
    return new Promise((resolve) => {
      const finish = (ended: Ended | 'elapsed') => {
        cancel();
        unwatch();
        end(id);
        resolve(ended);
      };
      const cancel = clock.after(Math.min(timeoutMs ?? WAIT_MS_MAX, WAIT_MS_MAX), () => finish('elapsed'));
      const unwatch = watch(finish);
    });
  }

  return {
    wait: (id, timeoutMs) => wait<News>(id, timeoutMs, (onNews) => news?.watch(id, onNews) ?? (() => {})),
    sleep: (id, timeoutMs) => wait<never>(id, timeoutMs, () => () => {}),
  };
}
