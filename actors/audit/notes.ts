/**
 * Notes that wait to be written: what is in no journal. Who changes an account or a setting waits until they are. A crash loses
 * those that nobody waits for: of refused claims and logins.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Note } from './entry.ts';
import { type Line, lineOfNote } from './line.ts';

export interface Notes {
  add(note: Note): void;
  /** Hands all notes to `write`, behind those that are being written. Of tenants for which it rejects, they wait for the next time. */
  flush(write: WriteNotes): Promise<void>;
}

type WriteNotes = (tenantId: TenantId, lines: readonly Line[]) => Promise<void>;

export type LinesByTenant = ReadonlyMap<TenantId, readonly Line[]>;

/** How many notes may wait; more are dropped, which is logged. */
const NOTES_MAX = 10_000;

interface WaitingNote {
  readonly tenantId: TenantId;
  readonly line: Line;
}

export function createNotes(clock: Clock, log: Log): Notes {
  let waiting: WaitingNote[] = [];
  let dropped = 0;
  let flushing: Promise<void> = Promise.resolve();

  async function flushAll(write: WriteNotes): Promise<void> {
    if (dropped > 0) log.warn({ dropped }, 'audit: too much happened at once; notes were dropped');
    dropped = 0;
    const taken = waiting;
    waiting = [];
    const lines = new Map<TenantId, Line[]>();
    for (const { tenantId, line } of taken) addLine(lines, tenantId, line);
    const failed = new Map<TenantId, unknown>();
    const attempts = [...lines].map(([tenantId, some]) =>
      write(tenantId, some).catch((error: unknown) => failed.set(tenantId, error)),
    );
    await Promise.all(attempts);
    if (failed.size === 0) return;
    const all = [...taken.filter(({ tenantId }) => failed.has(tenantId)), ...waiting];
    waiting = all.slice(0, NOTES_MAX);
    dropped += all.length - waiting.length;
    const [error] = failed.values();
    throw error;
  }

  return {
    add(note) {
      if (waiting.length >= NOTES_MAX) dropped += 1;
      else waiting.push({ tenantId: note.tenantId, line: lineOfNote(note, clock.now(), randomUUID()) });
    },

    flush(write) {
      const next = () => flushAll(write);
      flushing = flushing.then(next, next);
      return flushing;
    },
  };
}

export function addLine(lines: Map<TenantId, Line[]>, tenantId: TenantId, line: Line): void {
  const some = lines.get(tenantId);
  if (some === undefined) lines.set(tenantId, [line]);
  else some.push(line);
}
