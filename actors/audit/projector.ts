/**
 * Projects the journal's logs into the tenants' trails. Its position in each log is written after the entries; events that
 * a crash makes it read twice are recognised by device and number (`blocks.ts`).
 */
import { setTimeout } from 'node:timers/promises';
import type { Instant } from '../base/clock.ts';
import type { CustomerId, DeviceId, TenantId } from '../base/ids.ts';
import type { ReadableLog, ReadEvent } from '../device/readable-log.ts';
import type { Lease } from '../records/lease.ts';
import type { Store } from '../store/store.ts';
import { openCursors } from './cursors.ts';
import { entryOfEvent } from './entry.ts';
import { type Line, lineOfEvent } from './line.ts';
import { type Loss, type Losses, type LossesByCustomer, lostBy } from './losses.ts';
import type { LogPosition, NamedDevices } from './named-devices.ts';
import { addLine, type LinesByTenant } from './notes.ts';
import type { Stretch } from './stored-blocks.ts';

/** Events read at once. */
const PAGE = 500;
/**
 * After each page it rests this many times as long as the page took. Claims go first; the trail is a second behind in any
 * case, and takes a quarter of the time at most.
 */
const REST = 3;
const REST_MAX_MS = 50;

interface ReadPage {
  readonly lines: LinesByTenant;
  readonly lost: LossesByCustomer;
}

/** Up to where a log may be trimmed that this trail has read up to a position: others may read it too. */
export type TrimmedUpTo = (which: number, upTo: number) => Promise<number>;

export interface Projector {
  /**
   * Projects every log from its position on, while this process holds the lease.
   * @param pagesMax how many pages of each log
   * @param isEnded asked before each page: whether to stop early
   */
  project(pagesMax: number, isEnded: () => boolean): Promise<void>;
  /** When the oldest event happened that is not projected yet; undefined: all are. */
  oldestWaiting(): Promise<Instant | undefined>;
}

interface ProjectorNeeds {
  readonly store: Store;
  readonly readable: ReadableLog;
  readonly lease: Lease;
  readonly devices: NamedDevices;
  readonly losses: Losses;
  readonly write: (lines: LinesByTenant, stretch: Stretch) => Promise<void>;
  readonly trimmedUpTo: TrimmedUpTo;
}

export function createProjector(needs: ProjectorNeeds): Projector {
  const { store, readable, lease, devices, losses, write, trimmedUpTo } = needs;
  const { journal } = store;
  const cursors = openCursors(store);

  async function projectLog(which: number, pagesMax: number, isEnded: () => boolean): Promise<void> {
    if (!(await lease.hold())) return;
    let position = await cursors.get(which);
    for (let pages = 0; pages < pagesMax && !isEnded() && (await lease.hold()); pages += 1) {
      const begun = performance.now();
      const page = await readable.page(which, position, PAGE);
      if (page.next === position) break;
      const read = await readPage(page.events, { which, from: position });
      await write(read.lines, { which, from: position, upTo: page.next });
      await losses.add(read.lost);
      position = page.next;
      await cursors.raise(which, position);
      await journal.trim(which, await trimmedUpTo(which, position));
      if (!isEnded()) await setTimeout(Math.min(REST * (performance.now() - begun), REST_MAX_MS));
    }
  }

  async function readPage(events: readonly ReadEvent[], page: LogPosition): Promise<ReadPage> {
    const lines = new Map<TenantId, Line[]>();
    const lost = new Map<CustomerId, Loss[]>();
    for (const { stream, sequence, event } of events) {
      if (event.type === 'DeviceProvisioned') devices.remember(stream, event.tenantId, event.name);
      const entry = entryOfEvent(event);
      const device = entry === undefined ? undefined : await devices.find(stream, page);
      if (entry === undefined || device === undefined) continue;
      const name = event.type === 'DeviceUpdated' ? event.name : device.name;
      if (name !== device.name) devices.remember(stream, device.tenantId, name);
      addLine(lines, device.tenantId, lineOfEvent(entry, stream, sequence, name));
      const loss = lostBy(event);
      if (loss === undefined) continue;
      const { customerId, by } = loss;
      const deviceId = stream as DeviceId; // a device's stream has its id for a name
      const about = { deviceId, number: sequence, deviceName: name, at: event.at, by };
      lost.set(customerId, [...(lost.get(customerId) ?? []), about]);
    }
    return { lines, lost };
  }

  return {
    async project(pagesMax, isEnded) {
      for (let which = 0; which < journal.logs; which += 1) await projectLog(which, pagesMax, isEnded);
    },

    async oldestWaiting() {
      let oldest: Instant | undefined;
      for (let which = 0; which < journal.logs; which += 1) {
        const { events } = await readable.page(which, await cursors.get(which), 1);
        for (const { event } of events) {
          const { at } = event;
          if (oldest === undefined || at < oldest) oldest = at;
        }
      }
      return oldest;
    },
  };
}
