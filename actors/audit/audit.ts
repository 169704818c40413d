/**
 * The audit trail: reads the journal's log after the commits and writes each event into its tenant's trail. Claims do not
 * wait for it: it can fail, lag or be switched off, and then goes on where it stopped. Its position in the log is
 * written after the entries; events that a crash makes it read twice are recognised by device and number.
 *
 * Of several processes on one store, the holder of a lease projects the log. If two do it for a moment, no entry is lost
 * or doubled. Each process writes its own notes.
 *
 * Notes are what is in no journal, refused claims and logins. They wait in memory for the next batch: a crash loses those
 * of the last second, a flood those beyond `NOTES_MAX`.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Clock, Instant } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { decodeEvent } from '../device/persistence.ts';
import type { DeviceListener } from '../fleet/devices.ts';
import type { LoggedEvent } from '../journal/journal.ts';
import { ifUnavailable, StoreUnavailable } from '../journal/unavailable.ts';
import { createLease } from '../records/lease.ts';
import { openRecords } from '../records/records.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Store } from '../store/store.ts';
import { createBlocks, type Stretch } from './blocks.ts';
import { entryOfEvent, type Note } from './entry.ts';
import { createHolders, type LogPosition } from './holders.ts';
import { type Line, lineOfEvent, lineOfNote } from './line.ts';
import type { AuditPage, AuditQuery } from './query.ts';

/** How long after it happened an entry is written. */
const DELAY_MS = 1_000;
/** How long after a failure it is tried again. */
const RETRY_MS = 5_000;
/** The poll interval where other processes write to the store too: their events are not announced here. */
const LOOK_MS = 2_000;
/** How long the lease holds without a renewal. */
const LEASE_MS = 6_000;
/** Events read at once. */
const PAGE = 500;
/**
 * After each page it rests this many times as long as the page took. Claims go first; the trail, a second behind anyhow,
 * takes a quarter of the time at most.
 */
const REST = 3;
const REST_MAX_MS = 50;
/** How many pages are still read when the process stops; the rest is for its next start. */
const LAST_PAGES = 3;
/** How many notes may wait; more are dropped, which is logged. */
const NOTES_MAX = 10_000;
/** What the rest of the server uses. */
export interface AuditTrail {
  /** Costs next to nothing and never fails. */
  note(note: Note): void;
  find(tenantId: TenantId, query: AuditQuery): Promise<AuditPage>;
}

export interface Audit extends AuditTrail {
  /** Hears of every durable event. */
  readonly onDeviceEvent: DeviceListener;
  /** Starts with what has happened since it last ran. */
  start(): void;
  /** Writes everything that can be written now. */
  catchUp(): Promise<void>;
  /** Writes what it can at once, then ends. */
  stop(): Promise<void>;
}

interface Noted {
  readonly note: Note;
  readonly at: Instant;
  readonly id: string;
}

/** @param enabled when false nothing is written. The trail can still be read, and events are written once it is enabled. */
export function createAudit(store: Store, enabled: boolean, clock: Clock, log: Log): Audit {
  const blocks = createBlocks(store);
  const cursors = openRecords<{ readonly position: number }>(store, 'audit-cursor');
  const lease = createLease(store, clock, 'audit', LEASE_MS);
  const holders = createHolders(store.journal);
  let notes: Noted[] = [];
  let dropped = 0;
  let cancel: (() => void) | undefined;
  let round: Promise<void> = Promise.resolve();
  let started = false;
  /** Set to end the current round early. */
  let ended = false;

  async function addLine(
    lines: Map<TenantId, Line[]>,
    { stream, sequence, event: text }: LoggedEvent,
    page: LogPosition,
  ): Promise<void> {
    const event = decodeEvent(text);
    if (event.type === 'DeviceProvisioned') holders.remember(stream, event.tenantId, event.name);
    const entry = entryOfEvent(event);
    if (entry === undefined) return;
    const holder = await holders.find(stream, page);
    if (holder === undefined) return;
    const name = event.type === 'DeviceUpdated' ? event.name : holder.name;
    if (name !== holder.name) holders.remember(stream, holder.tenantId, name);
    push(lines, holder.tenantId, lineOfEvent(entry, stream, sequence, name));
  }

  /** One round: the logs from our positions on, then the notes. */
  async function project(pagesMax: number): Promise<void> {
    for (let which = 0; which < store.journal.logs; which += 1) await projectLog(which, pagesMax);
    await writeNotes();
  }

  async function projectLog(which: number, pagesMax: number): Promise<void> {
    const cursor = which === 0 ? CURSOR : `${CURSOR}-${which}`;
    if (!(await lease.hold())) return;
    let { position } = (await cursors.get(cursor)) ?? { position: 0 };
    for (let pages = 0; pages < pagesMax && !ended && (await lease.hold()); pages += 1) {
      const begun = performance.now();
      const page = await store.journal.log(which, position, PAGE);
      if (page.next === position) break;
      const lines = new Map<TenantId, Line[]>();
      for (const logged of page.events) await addLine(lines, logged, { which, from: position });
      await write(lines, { which, from: position, upTo: page.next });
      position = page.next;
      // Never backwards: the log before it may have been trimmed by another process.
      await cursors.update(cursor, (there) => ((there?.position ?? 0) >= position ? there : { position }));
      await store.journal.trim(which, position);
      if (!ended) await setTimeout(Math.min(REST * (performance.now() - begun), REST_MAX_MS));
    }
  }

  async function writeNotes(): Promise<void> {
    if (dropped > 0) log.warn({ dropped }, 'audit: too much happened at once; notes were dropped');
    dropped = 0;
    const taken = notes;
    notes = [];
    const lines = new Map<TenantId, Line[]>();
    for (const { note, at, id } of taken) push(lines, note.tenantId, lineOfNote(note, at, id));
    try {
      await write(lines, undefined);
    } catch (error) {
      notes = [...taken, ...notes].slice(0, NOTES_MAX);
      throw error;
    }
  }

  async function write(lines: Map<TenantId, Line[]>, stretch: Stretch | undefined): Promise<void> {
    await Promise.all([...lines].map(([tenantId, some]) => blocks.append(tenantId, some, stretch)));
  }

  function wake(delayMs: number): void {
    if (!started || cancel !== undefined) return;
    cancel = clock.after(delayMs, () => {
      cancel = undefined;
      void run().then(
        () => {
          if (store.shared) wake(LOOK_MS);
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

  /** One round at a time. */
  function run(pagesMax = Number.POSITIVE_INFINITY): Promise<void> {
    const next = () =>
      project(pagesMax).catch((error: unknown) => {
        blocks.forget();
        throw error;
      });
    round = round.then(next, next);
    return round;
  }

  return {
    find: (tenantId, query) => blocks.find(tenantId, query),

    note(note) {
      if (!enabled) return;
      if (notes.length >= NOTES_MAX) dropped += 1;
      else notes.push({ note, at: clock.now(), id: randomUUID() });
      wake(DELAY_MS);
    },

    onDeviceEvent(id, _event, state) {
      // The state is at hand, so nobody reads it later. A new name comes with its event.
      if (state.status === 'provisioned' && !holders.has(id))
        holders.remember(id, state.tenantId, state.name);
      wake(DELAY_MS);
    },

    start() {
      started = enabled;
      wake(0);
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

const CURSOR = 'log';

function push(lines: Map<TenantId, Line[]>, tenantId: TenantId, line: Line): void {
  const some = lines.get(tenantId);
  if (some === undefined) lines.set(tenantId, [line]);
  else some.push(line);
}
