/**
 * The audit trail: reads the journal's log after the commits and writes each event into its tenant's trail
 * (`projector.ts`). Claims do not wait for it: it can fail, lag or be switched off, and then goes on where it stopped.
 *
 * Of several processes on one store, the holder of a lease projects the log. If two do it for a moment, no entry is lost
 * or doubled. Each process writes its own notes.
 *
 * What is in no journal is noted in memory and written with the next round (`notes.ts`): a crash loses the notes of the last
 * second. Who changes an account or a setting waits until its note is written; refused claims and logins are too many for that. What the
 * change of a user owes is written with the change itself (`../accounts/news.ts`), and lost by no crash.
 */
import type { Cancel, Clock, Instant } from '../base/clock.ts';
import type { CustomerId, TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { createReadableLog } from '../device/readable-log.ts';
import type { DeviceListener } from '../fleet/devices.ts';
import { ifUnavailable, StoreUnavailable } from '../journal/unavailable.ts';
import { createLease, LEASE_MS } from '../records/lease.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Store } from '../store/store.ts';
import { createBlocks } from './blocks.ts';
import type { ChainHead } from './chain.ts';
import { type ClaimDays, createDays, type Days } from './days.ts';
import type { AuditEntry, Note } from './entry.ts';
import { lineOfNote } from './line.ts';
import { createLosses, type Loss } from './losses.ts';
import { createNamedDevices } from './named-devices.ts';
import { createNotes, type LinesByTenant } from './notes.ts';
import { createProjector, type TrimmedUpTo } from './projector.ts';
import type { AllQuery, AuditPage, AuditQuery } from './query.ts';
import type { Stretch } from './stored-blocks.ts';

/** How long after it happened an entry is written. */
const DELAY_MS = 1_000;
/** How long after a failure it is tried again. */
const RETRY_MS = 5_000;
/** The poll interval where other processes write to the store too: their events are not announced here. */
const POLL_MS = 2_000;
/** How many pages of each log are still read when the process stops; the rest is for its next start. */
const LAST_PAGES = 3;

/** What the rest of the server uses. */
export interface AuditTrail {
  /** Costs next to nothing and never fails. */
  note(note: Note): void;
  /** Resolves when all that was noted before is written. Where that cannot be now, it resolves too, and is tried again. */
  noted(): Promise<void>;
  /**
   * Writes a note, once, however often it is asked for with the same id. Rejects with `StoreUnavailable` where nobody knows whether it
   * is there.
   * @param at when it happened
   */
  noteOnce(note: Note, id: string, at: Instant): Promise<void>;
  find(tenantId: TenantId, query: AuditQuery): Promise<AuditPage>;
  /**
   * Every entry that fits, the oldest first, read as they are asked for; entries written together may have changed places. Rejects
   * with `StoreUnavailable`.
   */
  all(tenantId: TenantId, query: AllQuery): AsyncGenerator<AuditEntry>;
  /** Where the tenant's hash chain is now (`chain.ts`). */
  head(tenantId: TenantId): Promise<ChainHead>;
  /** What happened with claims, day by day, for a month back. Rejects with `StoreUnavailable`. */
  days(tenantId: TenantId): Promise<ClaimDays>;
  /** What a customer has lost without giving it back, the newest first (N6). */
  lossesOf(customerId: CustomerId): Promise<readonly Loss[]>;
}

export interface Audit extends AuditTrail {
  /** Counts on what `days` tells. */
  readonly countDays: Days['count'];
  /** Hears of every durable event. */
  readonly onDeviceEvent: DeviceListener;
  /** Starts with what has happened since it last ran. */
  start(): void;
  /** How long the oldest event of the journal has waited that is not in the trail yet; 0: none. Rejects with `StoreUnavailable`. */
  lagMs(): Promise<number>;
  /** How many records could not be read and are not in the trail, since the start. */
  readonly steppedOver: number;
  /** Writes everything that can be written now. */
  catchUp(): Promise<void>;
  /** Writes what it can at once, then ends. */
  stop(): Promise<void>;
}

/** @param enabled when false nothing is written. The trail can still be read, and events are written once it is enabled. */
export function createAudit(
  store: Store,
  enabled: boolean,
  clock: Clock,
  log: Log,
  trimmedUpTo: TrimmedUpTo = async (_which, upTo) => upTo,
): Audit {
  const blocks = createBlocks(store);
  const lease = createLease(store, clock, 'audit', LEASE_MS);
  const readable = createReadableLog(store.journal, clock, log);
  const devices = createNamedDevices(store.journal, readable);
  const notes = createNotes(clock, log);
  const losses = createLosses(store, clock);
  const days = createDays(store, blocks, clock);
  const projector = createProjector({ store, readable, lease, devices, losses, write, trimmedUpTo });
  let cancel: Cancel | undefined;
  let round: Promise<void> = Promise.resolve();
  let started = false;
  /** Set to end the current round early. */
  let ended = false;

  async function write(lines: LinesByTenant, stretch: Stretch): Promise<void> {
    await Promise.all([...lines].map(([tenantId, some]) => blocks.append(tenantId, some, stretch)));
  }

  const flushNotes = () => notes.flush((tenantId, lines) => blocks.append(tenantId, lines, undefined));

  /** One round: the logs, then the notes. */
  async function work(pagesMax: number): Promise<void> {
    await projector.project(pagesMax, () => ended);
    await flushNotes();
  }

  function wake(delayMs: number): void {
    if (!started || cancel !== undefined) return;
    cancel = clock.after(delayMs, () => {
      cancel = undefined;
      void run().then(
        () => {
          if (store.shared) wake(POLL_MS);
        },
        (error: unknown) => {
          reportFailure(error, 'audit: entries could not be written; trying again');
          wake(RETRY_MS);
        },
      );
    });
  }

  function reportFailure(error: unknown, message: string): void {
    if (error instanceof StoreUnavailable) log.warn({ err: error }, message);
    else reportBug(log, 'audit', error);
  }

  async function noted(): Promise<void> {
    if (!enabled) return;
    await flushNotes().catch((error: unknown) => {
      reportFailure(error, 'audit: entries could not be written; trying again');
      wake(RETRY_MS);
    });
  }

  /** One round at a time. */
  function run(pagesMax = Number.POSITIVE_INFINITY): Promise<void> {
    const next = () => work(pagesMax);
    round = round.then(next, next);
    return round;
  }

  return {
    find: (tenantId, query) => blocks.find(tenantId, query),
    all: (tenantId, query) => blocks.all(tenantId, query),
    head: (tenantId) => blocks.head(tenantId),
    days: days.of,
    countDays: days.count,
    lossesOf: losses.of,
    get steppedOver() {
      return readable.steppedOver;
    },

    note(note) {
      if (!enabled) return;
      notes.add(note);
      wake(DELAY_MS);
    },

    noted,

    async noteOnce(note, id, at) {
      if (!enabled) return;
      await noted(); // what was noted before it comes before it
      await blocks.appendOnce(note.tenantId, lineOfNote(note, at, id));
    },

    onDeviceEvent(id, _event, state) {
      // The state is at hand, so nobody reads it later. A new name comes with its event.
      if (state.status === 'provisioned' && !devices.has(id))
        devices.remember(id, state.tenantId, state.name);
      wake(DELAY_MS);
    },

    start() {
      started = enabled;
      wake(0);
    },

    async lagMs() {
      const oldest = enabled ? await projector.oldestWaiting() : undefined;
      return oldest === undefined ? 0 : Math.max(0, clock.now() - oldest);
    },

    catchUp: () => run(),

    async stop() {
      if (!started) return;
      started = false;
      cancel?.();
      ended = true;
      await round.catch(() => {}); // it was logged
      ended = false;
      await run(LAST_PAGES).catch((error: unknown) => {
        reportFailure(error, 'audit: the last entries could not be written; those of devices will be');
      });
      await lease.release().catch(ifUnavailable(() => {})); // then it runs out by itself
    },
  };
}
