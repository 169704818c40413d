/**
 * The journal's logs as events of devices, for those who read them from front to back: webhooks, the feed, the audit trail. A record
 * that cannot be read must not stop what is behind it, which belongs to other devices.
 *
 * - One that is damaged is told and stepped over: waiting would mend nothing.
 * - One that a newer version wrote is what an older node meets while nodes are replaced one after the other. To step over it would lose it
 *   for those who read by one position that all nodes share. So the log ends before it, until a newer node reads on; after an hour
 *   nobody is being replaced any more, and it is stepped over as well.
 */
import type { Clock } from '../base/clock.ts';
import { type Log, logBounded } from '../base/log.ts';
import type { Journal, LoggedEvent } from '../journal/journal.ts';
import type { DeviceEvent } from './device.ts';
import { decodeEvent, UnreadableRecord } from './persistence.ts';

export interface ReadEvent extends Pick<LoggedEvent, 'stream' | 'sequence'> {
  readonly event: DeviceEvent;
}

interface ReadPage {
  readonly events: readonly ReadEvent[];
  /** As in the journal's own page. */
  readonly next: number;
  /** The journal gave as much as was asked for: there may be more at once. */
  readonly isFull: boolean;
  /** As in the journal's own page. */
  readonly isGap: boolean;
}

export interface ReadableLog {
  /** As `Journal.log`, without what cannot be read. */
  page(which: number, from: number, limit: number): Promise<ReadPage>;
  /**
   * What `read` finds out about a device; 'unreadable' where its own record cannot be read, which is told.
   * @param read rejects with `UnreadableRecord`
   */
  about<Found>(stream: string, read: () => Promise<Found>): Promise<Found | 'unreadable'>;
  /** How often something was stepped over since the start. */
  readonly steppedOver: number;
}

/** How long a record of a newer version is waited for. */
const UPGRADE_MS = 3_600_000;

/** With this the compiler names the events that are missing here. */
const KNOWN: Readonly<Record<DeviceEvent['type'], true>> = {
  DeviceProvisioned: true,
  DeviceUpdated: true,
  DeviceDeleted: true,
  CredentialsChanged: true,
  CredentialsRotated: true,
  CredentialsRead: true,
  ClaimWindowOpened: true,
  ClaimWindowApproved: true,
  ClaimWindowClosed: true,
  ClaimWindowExpired: true,
  ChallengeIssued: true,
  DeviceClaimed: true,
  DeviceReclaimed: true,
  DeviceAssigned: true,
  DeviceUnassigned: true,
  DeviceOffered: true,
  DeviceTransferred: true,
  OfferDeclined: true,
  OfferWithdrawn: true,
  OfferExpired: true,
  TakeOverAsked: true,
  TakeOverEnded: true,
  DeviceTakenOver: true,
  DeviceReset: true,
  ResetNoted: true,
  ClaimsRefused: true,
  AttributesSaved: true,
  AttributesDeleted: true,
};

export function createReadableLog(journal: Journal, clock: Clock, log: Log): ReadableLog {
  let steppedOver = 0;

  function stepOver(fields: object, error: UnreadableRecord): void {
    steppedOver += 1;
    logBounded(
      log,
      'error',
      performance.now(),
      { ...fields, err: error },
      'a stored record cannot be read and is stepped over: webhooks, feed or audit trail lack it',
    );
  }

  /** Undefined: stepped over. */
  function read({ stream, sequence, event: text }: LoggedEvent): DeviceEvent | 'waits' | undefined {
    try {
      return knownEvent(text);
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
      const fields = { deviceId: stream, number: sequence };
      // However the clocks differ, it does not wait for ever.
      if (error.newerAt !== undefined && Math.abs(clock.now() - error.newerAt) < UPGRADE_MS) {
        logBounded(
          log,
          'warn',
          performance.now(),
          { ...fields, err: error },
          'an event of a newer version cannot be read yet: what is behind it waits for a newer node',
        );
        return 'waits';
      }
      stepOver(fields, error);
      return undefined;
    }
  }

  async function page(which: number, from: number, limit: number): Promise<ReadPage> {
    const logged = await journal.log(which, from, limit);
    const events: ReadEvent[] = [];
    for (const [at, one] of logged.events.entries()) {
      const event = read(one);
      // Read once more up to there: only the journal knows the position. It gives whole commits, which may be more than was
      // asked for, so the limit falls each time, and what shares its commit with the event waits with it.
      if (event === 'waits') {
        return at === 0 || limit <= 1
          ? { events: [], next: from, isFull: false, isGap: false }
          : page(which, from, Math.min(at, limit - 1));
      }
      if (event !== undefined) events.push({ stream: one.stream, sequence: one.sequence, event });
    }
    const { next, isGap = false } = logged;
    return { events, next, isFull: logged.events.length >= limit, isGap };
  }

  return {
    page,
    async about(stream, find) {
      try {
        return await find();
      } catch (error) {
        if (!(error instanceof UnreadableRecord)) throw error;
        stepOver({ deviceId: stream }, error);
        return 'unreadable';
      }
    },
    get steppedOver() {
      return steppedOver;
    },
  };
}

/** The event, if this version knows it; for those who only look for some. */
export function eventIfReadable(text: string): DeviceEvent | undefined {
  try {
    return knownEvent(text);
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    return undefined;
  }
}

function knownEvent(text: string): DeviceEvent {
  const event = decodeEvent(text);
  if (!Object.hasOwn(KNOWN, event.type)) throw new UnreadableRecord('its type is not known here', event.at);
  return event;
}
