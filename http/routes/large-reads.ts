/**
 * Requests that read up to all of a tenant's devices at once: lists and results of imports as CSV, sheets of labels, batches of
 * all that fit. Each takes some megabytes until its answer is read, so a tenant has few of them at a time and hears 429 for
 * more. Nobody else waits for them. Counted in this process: each process allows as many.
 */
import type { Clock } from '../../actors/base/clock.ts';
import type { TenantId } from '../../actors/base/ids.ts';
import { tooManyRequests } from '../wire/errors.ts';
import type { Reply } from '../wire/reply.ts';

/** Of one tenant. */
const AT_ONCE = 2;
const RETRY_AFTER_MS = 5_000;
/** A streamed answer of which nothing was taken for so long gives way to the tenant's next one. */
const IDLE_MS = 60_000;

export interface LargeReads {
  /**
   * Does it, and rejects as it does; or answers 429. A streamed answer counts until it was read to its end or given up: also one
   * that nobody ever reads, as of a HEAD, until others need its place.
   */
  run(tenantId: TenantId, read: () => Promise<Reply>): Promise<Reply>;
}

/** For the description of a route. */
export const TOO_MANY_READS = {
  429: { description: `More than ${AT_ONCE} lists or label sheets of many devices at a time` },
} as const;

/** What one answer holds. */
interface Place {
  movedAt: number;
  /** Breaks its stream off; undefined while it is made, which ends by itself. */
  breakOff: (() => void) | undefined;
}

export function createLargeReads(clock: Pick<Clock, 'elapsed'>): LargeReads {
  const places = new Map<TenantId, Set<Place>>();

  function leave(tenantId: TenantId, place: Place): void {
    const taken = places.get(tenantId);
    taken?.delete(place);
    if (taken?.size === 0) places.delete(tenantId);
  }

  function take(tenantId: TenantId): Place | undefined {
    const now = clock.elapsed();
    const taken = [...(places.get(tenantId) ?? [])];
    if (taken.length >= AT_ONCE) {
      const idle = taken.find(({ movedAt, breakOff }) => breakOff !== undefined && now - movedAt >= IDLE_MS);
      if (idle?.breakOff === undefined) return undefined;
      idle.breakOff();
    }
    const place: Place = { movedAt: now, breakOff: undefined };
    const others = places.get(tenantId) ?? new Set();
    places.set(tenantId, others.add(place));
    return place;
  }

  return {
    async run(tenantId, read) {
      const place = take(tenantId);
      if (place === undefined)
        return tooManyRequests(
          `There are ${AT_ONCE} lists or label sheets of many devices under way already, try again later`,
          RETRY_AFTER_MS,
        );
      const over = () => leave(tenantId, place);
      let isStreamed = false;
      try {
        const reply = await read();
        if (reply.type !== 'stream') return reply;
        isStreamed = true;
        return { ...reply, body: watched(reply.body, place, over, clock) };
      } finally {
        if (!isStreamed) over();
      }
    },
  };
}

/** The same bytes, no earlier than they are asked for. @param over called when it ends, however it ends */
function watched(
  body: ReadableStream<Uint8Array>,
  place: Place,
  over: () => void,
  clock: Pick<Clock, 'elapsed'>,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let isOver = false;
  const end = () => {
    isOver = true;
    over();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        place.movedAt = clock.elapsed();
        place.breakOff = () => {
          end();
          // An error, not an end: a list that is cut off must not look whole.
          controller.error(new Error('nothing of it was taken for too long'));
          reader.cancel().catch(() => {}); // whatever it says, nobody reads it any more
        };
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          place.movedAt = clock.elapsed();
          if (isOver) return;
          if (!done) return controller.enqueue(value);
          end();
          controller.close();
        } catch (error) {
          end();
          throw error;
        }
      },
      async cancel(reason) {
        end();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
