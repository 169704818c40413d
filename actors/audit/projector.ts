/**
 * Projects the journal's logs into the tenants' trails. Its position in each log is written after the entries; events that
 * a crash makes it read twice are recognised by device and number (`blocks.ts`).
 */
import { setTimeout } from 'node:timers/promises';
import type { TenantId } from '../base/ids.ts';
import { decodeEvent } from '../device/persistence.ts';
import type { LoggedEvent } from '../journal/journal.ts';
import type { Lease } from '../records/lease.ts';
import type { Store } from '../store/store.ts';
import type { Stretch } from './blocks.ts';
import { openCursors } from './cursors.ts';
import { entryOfEvent } from './entry.ts';
import type { Holders, LogPosition } from './holders.ts';
import { type Line, lineOfEvent } from './line.ts';
import { addLine, type LinesByTenant } from './notes.ts';

/** Events read at once. */
const PAGE = 500;
/**
 * After each page it rests this many times as long as the page took. Claims go first; the trail is a second behind in any
 * case, and takes a quarter of the time at most.
 */
const REST = 3;
const REST_MAX_MS = 50;

export interface Projector {
  /**
   * Projects every log from its position on, while this process holds the lease.
   * @param pagesMax how many pages of each log
   * @param isEnded asked before each page: whether to stop early
   */
  project(pagesMax: number, isEnded: () => boolean): Promise<void>;
}

export function createProjector(
  store: Store,
  lease: Lease,
  holders: Holders,
  write: (lines: LinesByTenant, stretch: Stretch) => Promise<void>,
): Projector {
  const { journal } = store;
  const cursors = openCursors(store);

  async function projectLog(which: number, pagesMax: number, isEnded: () => boolean): Promise<void> {
    if (!(await lease.hold())) return;
    let position = await cursors.get(which);
    for (let pages = 0; pages < pagesMax && !isEnded() && (await lease.hold()); pages += 1) {
      const begun = performance.now();
      const page = await journal.log(which, position, PAGE);
      if (page.next === position) break;
      await write(await linesOf(page.events, { which, from: position }), {
        which,
        from: position,
        upTo: page.next,
      });
      position = page.next;
      await cursors.raise(which, position);
      await journal.trim(which, position);
      if (!isEnded()) await setTimeout(Math.min(REST * (performance.now() - begun), REST_MAX_MS));
    }
  }

  async function linesOf(events: readonly LoggedEvent[], page: LogPosition): Promise<LinesByTenant> {
    const lines = new Map<TenantId, Line[]>();
    for (const { stream, sequence, event: text } of events) {
      const event = decodeEvent(text);
      if (event.type === 'DeviceProvisioned') holders.remember(stream, event.tenantId, event.name);
      const entry = entryOfEvent(event);
      const holder = entry === undefined ? undefined : await holders.find(stream, page);
      if (entry === undefined || holder === undefined) continue;
      const name = event.type === 'DeviceUpdated' ? event.name : holder.name;
      if (name !== holder.name) holders.remember(stream, holder.tenantId, name);
      addLine(lines, holder.tenantId, lineOfEvent(entry, stream, sequence, name));
    }
    return lines;
  }

  return {
    async project(pagesMax, isEnded) {
      for (let which = 0; which < journal.logs; which += 1) await projectLog(which, pagesMax, isEnded);
    },
  };
}
