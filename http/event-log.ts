/**
 * What happens to a tenant's devices on all nodes, as server-sent events that can be resumed: read from the journal's logs behind
 * the commits, so they are late by up to half a second and nothing is missing. The events are those that webhooks get.
 *
 * The id of an event is the position in each log behind it. A page of events bears one, at its last event: who was broken off in
 * between hears some of them twice, under the same `data.id`. Where something between what was heard and what is kept is gone, the
 * stream says so by an event `resync`, and goes on from what is kept.
 */
import { type Clock, sleep } from '../actors/base/clock.ts';
import type { TenantId } from '../actors/base/ids.ts';
import type { Message } from '../actors/outbox/message.ts';
import type { MessageReader } from '../actors/outbox/reader.ts';

/** Where a stream begins. */
interface EventStart {
  readonly positions: readonly number[];
  /** At the beginning of what is kept, whatever was before it. */
  readonly isBeginning: boolean;
  /** It was asked for a place behind the end: the store is not the one that named it, or was put back from a backup. */
  readonly isBeyond: boolean;
}

export interface EventLog {
  /**
   * Where a stream begins that is asked for now. Once it resolves, none of what happens is missed, whatever the clocks of nodes say.
   * @param after the id of the event heard last, `0` for the beginning; undefined: what happens from now on
   */
  start(after: string | undefined): Promise<EventStart>;
  /**
   * Texts to be sent, without an end.
   * @param isEnded asked before each page
   */
  read(tenantId: TenantId, start: EventStart, isEnded: () => boolean): AsyncGenerator<string, void>;
  /** Whether a text is an id that this log may have given. */
  isId(text: string): boolean;
}

/** How long the end of the log is left alone. */
const POLL_MS = 500;
/**
 * After each page all streams that are behind rest this many times as long as the page took, as the audit trail does: claims go
 * first, however many streams read from the beginning.
 */
const REST = 3;
const REST_MAX_MS = 50;
/** A stream that is told nothing hears this often how far it is, so that it does not begin far behind when it comes back. */
const PLACE_EVERY_MS = 15_000;

export function createEventLog(reader: MessageReader, clock: Clock): EventLog {
  let looking: Promise<readonly number[]> | undefined;

  /** Many may ask at once: those who come while it is looked for hear from a moment before on. */
  function ends(): Promise<readonly number[]> {
    looking ??= reader.ends().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  let before: Promise<void> = Promise.resolve();

  /** One after the other, whichever stream it is of, each after a rest. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    let took = 0;
    const result = before.then(async () => {
      const begun = performance.now();
      try {
        return await work();
      } finally {
        took = performance.now() - begun;
      }
    });
    const rest = () => sleep(clock, Math.min(REST * took, REST_MAX_MS));
    before = result.then(rest, rest);
    return result;
  }

  /** What a tenant hears of the next page of a log, which moves its position. Undefined: the log has ended. */
  async function next(which: number, positions: number[], isWanted: (message: Message) => boolean) {
    const from = positions[which] ?? 0;
    const { messages, next: behind, isFull, isGap } = await reader.page({ which, from });
    if (behind === from) return undefined;
    positions[which] = behind;
    const wanted = messages.filter(isWanted);
    const texts = wanted.map((message, at) => textOf(message, at === wanted.length - 1 ? positions : []));
    return { text: texts.join(''), isFull, isGap };
  }

  return {
    isId: (text) =>
      text.length <= 16 * reader.logs &&
      text.split('.').length <= reader.logs &&
      /^\d{1,15}(\.\d{1,15})*$/.test(text),

    async start(after) {
      const now = await ends();
      if (after === undefined) return { positions: now, isBeginning: false, isBeyond: false };
      const wanted = after.split('.').map(Number);
      return {
        positions: now.map((end, which) => Math.min(wanted[which] ?? 0, end)),
        isBeginning: wanted.every((position) => position === 0),
        isBeyond: now.some((end, which) => (wanted[which] ?? 0) > end),
      };
    },

    async *read(tenantId, start, isEnded) {
      const positions = [...start.positions];
      const isMine = (message: Message) => message.tenantId === tenantId;
      /** Logs that are read from the beginning of what is kept. */
      const fromBeginning = new Set(start.isBeginning ? positions.keys() : []);
      let toldAt = clock.elapsed();
      let isBehind = true;
      if (start.isBeyond) yield RESYNC;
      while (!isEnded()) {
        let isMore = false;
        for (let which = 0; which < reader.logs && !isEnded(); which += 1) {
          const read = async () => (isEnded() ? undefined : next(which, positions, isMine));
          // Who has heard everything waits for nobody who has not.
          const page = await (isBehind ? inTurn(read) : read());
          if (page === undefined) continue;
          if (page.isFull) isMore = true;
          const resync = page.isGap && !fromBeginning.has(which) ? RESYNC : '';
          fromBeginning.delete(which);
          if (resync === '' && page.text === '') continue;
          toldAt = clock.elapsed();
          yield `${resync}${page.text}`;
        }
        // However much happens: who has read a page that was not full is at the end.
        isBehind = isMore;
        if (clock.elapsed() - toldAt >= PLACE_EVERY_MS) {
          toldAt = clock.elapsed();
          yield `id: ${positions.join('.')}\n\n`;
        }
        if (!isMore) await sleep(clock, POLL_MS);
      }
    },
  };
}

/** Whoever keeps a copy of what devices are has to look at them anew. */
const RESYNC = 'event: resync\ndata: {"reason":"events before this are not kept any more"}\n\n';

function textOf({ id, type, at, data }: Message, positions: readonly number[]): string {
  const told = { id, type, timestamp: new Date(at).toISOString(), data };
  const place = positions.length === 0 ? '' : `id: ${positions.join('.')}\n`;
  return `${place}event: event\ndata: ${JSON.stringify(told)}\n\n`;
}
