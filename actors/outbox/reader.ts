/**
 * Reads the journal's logs as messages. Several targets read the same pages at about the same time, so the newest pages are kept
 * for a moment, and each event is decoded once.
 */
import type { Clock, Instant } from '../base/clock.ts';
import type { DeviceId } from '../base/ids.ts';
import { eventIfReadable, type ReadableLog, type ReadEvent } from '../device/readable-log.ts';
import type { Journal } from '../journal/journal.ts';
import { messageOf } from './event-types.ts';
import type { KnownDevices } from './known-devices.ts';
import type { Message, ReadAt } from './message.ts';

/** Events read at once. */
const PAGE = 100;
const PAGES_KEPT = 32;
/** How long the end of a log is taken for its end: many ask, and nothing has happened meanwhile. */
const END_KEPT_MS = 200;
/** How far the clocks of processes may differ: an event of a later instant may lie in front of one of an earlier. */
export const CLOCKS_APART_MS = 60_000;

interface MessagePage {
  readonly messages: readonly Message[];
  /** Behind the page; where it was read from at the end of the log. */
  readonly next: number;
  /** There may be more at once. */
  readonly isFull: boolean;
  /** Something in front of it, behind where it was read from, is not kept any more. */
  readonly isGap: boolean;
}

export interface MessageReader {
  readonly logs: number;
  page(at: ReadAt): Promise<MessagePage>;
  /** The ends of all logs: behind everything that was acknowledged before this was asked, and by no clock. */
  ends(): Promise<readonly number[]>;
  /** Positions of all logs in front of what happened at an instant, by whichever clock. */
  positionsAt(instant: Instant): Promise<readonly number[]>;
  /** The message of a number, if it is among the first behind this position. */
  find(at: ReadAt, deviceId: string, number: number): Promise<Message | undefined>;
}

interface Kept {
  readonly page: Promise<MessagePage>;
  readonly until: number;
}

export function createMessageReader(
  journal: Journal,
  readable: ReadableLog,
  devices: KnownDevices,
  clock: Clock,
): MessageReader {
  const kept = new Map<string, Kept>();

  /** How far each log was read. What lies before it is read again by some, and is no news of any device. */
  const readUpTo = new Map<number, number>();

  async function read({ which, from }: ReadAt): Promise<MessagePage> {
    const page = await readable.page(which, from, PAGE);
    const upTo = readUpTo.get(which) ?? from;
    if (from > upTo) devices.forget(); // nobody has read what is in between
    const isNews = from >= upTo;
    readUpTo.set(which, Math.max(upTo, page.next));
    const messages: Message[] = [];
    for (const logged of page.events) {
      const message = await messageFrom(logged, { which, from }, isNews);
      if (message !== undefined) messages.push(message);
    }
    const { next, isFull, isGap } = page;
    return { messages, next, isFull, isGap };
  }

  async function messageFrom({ stream, sequence, event }: ReadEvent, at: ReadAt, isNews: boolean) {
    if (isNews) await devices.learn(stream, event);
    const device = await devices.find(stream, at);
    // A device's stream has its id for a name.
    return device === undefined ? undefined : messageOf(event, stream as DeviceId, sequence, device);
  }

  /** When the first event behind a position happened; undefined: there is none. */
  async function instantBehind(which: number, from: number): Promise<Instant | undefined> {
    let next = from;
    // One that cannot be read says nothing of its instant; the next one does.
    for (let count = 1; ; count = PAGE) {
      const page = await journal.log(which, next, count);
      if (page.next === next) return undefined;
      const first = page.events
        .map(({ event }) => eventIfReadable(event))
        .find((event) => event !== undefined);
      if (first !== undefined) return first.at;
      next = page.next;
    }
  }

  /** Events are nearly in the order of their instants, so halving finds the place. */
  async function positionAt(which: number, instant: Instant): Promise<number> {
    const isBefore = async (from: number) => {
      const at = await instantBehind(which, from);
      return at !== undefined && at < instant;
    };
    let low = 0;
    let high = 1;
    while (await isBefore(high)) {
      low = high;
      high *= 2;
    }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (await isBefore(middle)) low = middle;
      else high = middle;
    }
    return low;
  }

  async function endOf(which: number): Promise<number> {
    // In front of the last event that can be read; from there page by page.
    let end = await positionAt(which, Number.POSITIVE_INFINITY);
    for (;;) {
      const { next } = await journal.log(which, end, PAGE);
      if (next === end) return end;
      end = next;
    }
  }

  return {
    logs: journal.logs,

    ends: () => Promise.all(Array.from({ length: journal.logs }, (_, which) => endOf(which))),

    async page(at) {
      const key = `${at.which}/${at.from}`;
      const there = kept.get(key);
      if (there !== undefined && clock.elapsed() < there.until) return there.page;
      const page = read(at);
      kept.delete(key);
      kept.set(key, { page, until: clock.elapsed() + END_KEPT_MS });
      for (const oldest of kept.keys()) {
        if (kept.size <= PAGES_KEPT) break;
        kept.delete(oldest);
      }
      page.catch(() => kept.delete(key));
      return page;
    },

    positionsAt: (instant) =>
      Promise.all(
        Array.from({ length: journal.logs }, (_, which) => positionAt(which, instant - CLOCKS_APART_MS)),
      ),

    async find(at, deviceId, number) {
      const { events } = await readable.page(at.which, at.from, PAGE);
      const found = events.find(({ stream, sequence }) => stream === deviceId && sequence === number);
      return found === undefined ? undefined : messageFrom(found, at, false);
    },
  };
}
