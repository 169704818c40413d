/**
 * The audit trail: a projector that reads the journal's log, after the commits, and writes what it finds into each
 * tenant's trail. It runs beside the claims and knows nothing of them: it can fail, lag and be switched off, and when
 * it is back it goes on where it was. Its place in the log is written after the entries; what a crash in between
 * makes it read twice it recognises by device and number of the event.
 *
 * Of several processes on one store one projects the log, the holder of a lease; should two do it, for a moment, no
 * entry is lost or doubled. Each writes its own notes.
 *
 * Refused claims and logins are in no journal: they are noted in memory and written with the next batch; a crash loses
 * the notes of the last second, a flood those beyond `NOTES_MAX`.
 */
import { setTimeout } from 'node:timers/promises';
import type { Clock, Instant } from '../base/clock.ts';
import { newId, storedId, type TenantId, type UserId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { decodeEvent } from '../device/persistence.ts';
import type { DeviceListener } from '../fleet/devices.ts';
import { readDevice } from '../fleet/live-devices.ts';
import type { LoggedEvent } from '../journal/journal.ts';
import { createLease } from '../records/lease.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import { type AuditPage, type AuditQuery, createBlocks, type Line, type Stretch } from './blocks.ts';
import { type Note, tell } from './entry.ts';

/** How long after something happened it is written. */
const DELAY_MS = 1_000;
/** After a failure, so long until it is tried again. */
const RETRY_MS = 5_000;
/** Where others write to the store too, nobody tells what they did: so often is the log looked at. */
const LOOK_MS = 2_000;
/** After so long another process takes the projecting over. */
const LEASE_MS = 6_000;
/** Events read at once. */
const PAGE = 500;
/**
 * After a page it waits for so many times as long as the page took: claims go first, and the trail, which is a second behind
 * anyhow, takes a quarter of the time and no more.
 */
const REST = 3;
const REST_MAX_MS = 50;
/** Pages that are read at the end, when the process stops; the rest is for its next start. */
const LAST_PAGES = 3;
/** Notes that wait to be written; further ones are dropped, and that is logged. */
const NOTES_MAX = 10_000;
/** Devices whose tenant and name are remembered, about 200 bytes each. */
const KNOWN_MAX = 50_000;
/** UTF-16 units of a name or a reason that an entry keeps. */
const TEXT_MAX = 255;

/** What the doors see of it. */
export interface AuditTrail {
  /** Costs next to nothing and never fails. */
  note(note: Note): void;
  find(tenantId: TenantId, query: AuditQuery): Promise<AuditPage>;
}

export interface Audit extends AuditTrail {
  /** To be told of every durable event. */
  readonly onDeviceEvent: DeviceListener;
  /** Begins with what has happened since the last time. */
  start(): void;
  /** Writes everything that is there to be written now. */
  catchUp(): Promise<void>;
  /** Writes what it can at once, and ends. */
  stop(): Promise<void>;
}

interface Known {
  readonly tenantId: TenantId;
  readonly name: string;
}

/** Where a page of a log begins. */
interface Place {
  readonly which: number;
  readonly from: number;
}

interface Noted {
  readonly note: Note;
  readonly at: Instant;
  readonly id: string;
}

/** @param enabled when false nothing is written; what is there can be read, and devices' events are made up for later */
export function createAudit(store: Store, enabled: boolean, clock: Clock, log: Log): Audit {
  const blocks = createBlocks(store);
  const cursors = openRecords<{ readonly position: number }>(store, 'audit-cursor');
  const lease = createLease(store, clock, 'audit', LEASE_MS);
  const known = new Map<string, Known>();
  let notes: Noted[] = [];
  let dropped = 0;
  let cancel: (() => void) | undefined;
  let round: Promise<void> = Promise.resolve();
  let started = false;
  /** Set to end a round that is under way before its time. */
  let ended = false;

  /** Whose device it is, or was. @param ahead where to read on, should it be gone */
  async function holder(stream: string, ahead: Place): Promise<Known | undefined> {
    const there = known.get(stream);
    if (there !== undefined) return there;
    const device = await readDevice(store.journal, storedId(stream));
    if (device !== undefined) remember(stream, device.tenantId, device.name);
    return known.get(stream) ?? formerHolder(stream, ahead);
  }

  /**
   * A device that is gone was deleted further on in the log, and its deletion says whose it was. What is passed on the
   * way is remembered, so that of many deleted devices not each is looked for. Undefined of a deletion written by a
   * version that did not say.
   */
  async function formerHolder(stream: string, { which, from }: Place): Promise<Known | undefined> {
    for (let at = from; ; ) {
      const page = await store.journal.log(which, at, PAGE);
      if (page.next === at) return undefined;
      for (const { stream: passed, event: text } of page.events) {
        const event = decodeEvent(text);
        if (event.type !== 'DeviceDeleted') continue;
        const { tenantId, name = '' } = event;
        if (tenantId !== undefined && !known.has(passed)) remember(passed, tenantId, name);
        if (passed === stream) return known.get(stream);
      }
      at = page.next;
    }
  }

  function remember(stream: string, tenantId: TenantId, name: string): void {
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(stream, { tenantId, name });
  }

  async function lineOf(
    { stream, sequence, event: text }: LoggedEvent,
    page: Place,
    into: Map<TenantId, Line[]>,
  ) {
    const event = decodeEvent(text);
    if (event.type === 'DeviceProvisioned') remember(stream, event.tenantId, event.name);
    const told = tell(event);
    if (told === undefined) return;
    const whose = await holder(stream, page);
    if (whose === undefined) return;
    if (event.type === 'DeviceUpdated') remember(stream, whose.tenantId, event.name);
    const { action, customerId, userId, data } = told;
    const name = event.type === 'DeviceUpdated' ? event.name : whose.name;
    push(into, whose.tenantId, [
      event.at,
      action,
      sequence,
      stream,
      name.slice(0, TEXT_MAX),
      customerId ?? 0,
      userId ?? 0,
      data,
      0,
    ]);
  }

  /** Everything in the log from where we were, then the notes. */
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
      for (const logged of page.events) await lineOf(logged, { which, from: position }, lines);
      await write(lines, { which, from: position, upTo: page.next });
      position = page.next;
      // Never back, so that what another process let go of is not missed.
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
    for (const { note, at, id } of taken) {
      const { tenantId, action, deviceId, deviceName, customerId, userId, data, failure } = note;
      push(lines, tenantId, [
        at,
        action,
        id,
        deviceId ?? 0,
        deviceName?.slice(0, TEXT_MAX) ?? 0,
        customerId ?? 0,
        userId ?? 0,
        data,
        failure?.slice(0, TEXT_MAX) ?? 0,
      ]);
    }
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
          log.warn({ err: error }, 'audit: entries could not be written; trying again');
          wake(RETRY_MS);
        },
      );
    });
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
      else notes.push({ note, at: clock.now(), id: newId<UserId>(clock.now()) }); // any id will do
      wake(DELAY_MS);
    },

    onDeviceEvent(id, _event, state) {
      // What is in hand need not be read again. Names are followed by the events themselves.
      if (state.status === 'provisioned' && !known.has(id)) remember(id, state.tenantId, state.name);
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
      await round.catch(() => {}); // was logged
      ended = false;
      await run(LAST_PAGES).catch((error: unknown) => {
        log.warn({ err: error }, 'audit: the last entries could not be written; those of devices will be');
      });
      await lease.release().catch(() => {}); // then it is taken over a little later
    },
  };
}

const CURSOR = 'log';

function push(lines: Map<TenantId, Line[]>, tenantId: TenantId, line: Line): void {
  const some = lines.get(tenantId);
  if (some === undefined) lines.set(tenantId, [line]);
  else some.push(line);
}
