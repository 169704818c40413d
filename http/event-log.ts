/**
 * What happens to a tenant's devices on all nodes, as server-sent events that can be resumed: read from the journal's logs behind
 * the commits, so they are late by up to half a second and nothing is missing. The events are those that webhooks get.
 *
 * The id of an event is the position in each log behind it. A page of events bears one, at its last event: who was broken off in
 * between hears some of them twice, under the same `data.id`.
 */
import { type Clock, type Instant, sleep } from '../actors/base/clock.ts';
import type { TenantId } from '../actors/base/ids.ts';
import type { Message } from '../actors/outbox/message.ts';
import type { MessageReader } from '../actors/outbox/reader.ts';

export interface EventLog {
  /**
   * Texts to be sent, without an end.
   * @param after the id of the event heard last; undefined: what happens from now on
   * @param isEnded asked before each page
   */
  read(tenantId: TenantId, after: string | undefined, isEnded: () => boolean): AsyncGenerator<string, void>;
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
  async function begin(after: string | undefined, since: Instant): Promise<number[]> {
    // What happens while this is looked for is behind it all the same.
    if (after === undefined) return [...(await reader.positionsAt(since))];
    // Not beyond the end: the store may be one that was put back from a backup.
    const ends = await reader.positionsAt(Number.POSITIVE_INFINITY);
    const wanted = after.split('.').map(Number);
    return ends.map((end, which) => Math.min(wanted[which] ?? 0, end + 1));
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
    const page = await reader.page({ which, from });
    if (page.next === from) return undefined;
    positions[which] = page.next;
    const wanted = page.messages.filter(isWanted);
    return wanted.map((message, at) => textOf(message, at === wanted.length - 1 ? positions : [])).join('');
  }

  return {
    isId: (text) =>
      text.length <= 16 * reader.logs &&
      text.split('.').length <= reader.logs &&
      /^\d{1,15}(\.\d{1,15})*$/.test(text),

    async *read(tenantId, after, isEnded) {
      const since = after === undefined ? clock.now() : 0;
      const positions = await inTurn(() => begin(after, since));
      const isMine = (message: Message) => message.tenantId === tenantId && message.at >= since;
      let toldAt = clock.elapsed();
      let isBehind = true;
      let wasMoved = true;
      while (!isEnded()) {
        let isMoved = false;
        for (let which = 0; which < reader.logs && !isEnded(); which += 1) {
          const read = async () => (isEnded() ? undefined : next(which, positions, isMine));
          // Who has heard everything waits for nobody who has not.
          const text = await (isBehind ? inTurn(read) : read());
          if (text === undefined) continue;
          isMoved = true;
          if (text === '') continue;
          toldAt = clock.elapsed();
          yield text;
        }
        // One event does not make it behind: then those at the end would wait for all that read from the beginning.
        isBehind = isMoved && wasMoved;
        wasMoved = isMoved;
        if (clock.elapsed() - toldAt >= PLACE_EVERY_MS) {
          toldAt = clock.elapsed();
          yield `id: ${positions.join('.')}\n\n`;
        }
        if (!isMoved) await sleep(clock, POLL_MS);
      }
    },
  };
}

function textOf({ id, type, at, data }: Message, positions: readonly number[]): string {
  const told = { id, type, timestamp: new Date(at).toISOString(), data };
  const place = positions.length === 0 ? '' : `id: ${positions.join('.')}\n`;
  return `${place}event: event\ndata: ${JSON.stringify(told)}\n\n`;
}
