/** The tenant that each device belongs or belonged to, and its name: looked up once and remembered. */
import { storedId, type TenantId } from '../base/ids.ts';
import { eventIfReadable, type ReadableLog } from '../device/readable-log.ts';
import { readDevice } from '../fleet/live-devices.ts';
import type { Journal } from '../journal/journal.ts';

interface NamedDevice {
  readonly tenantId: TenantId;
  readonly name: string;
}

/** A position in one of the journal's logs. */
export interface LogPosition {
  readonly which: number;
  readonly from: number;
}

export interface NamedDevices {
  has(stream: string): boolean;
  remember(stream: string, tenantId: TenantId, name: string): void;
  /**
   * The tenant and the name; undefined if they cannot be known any more.
   * @param from where in the log to read on for a device that is gone
   */
  find(stream: string, from: LogPosition): Promise<NamedDevice | undefined>;
}

/** Devices that are remembered, about 200 bytes each. */
const REMEMBERED_MAX = 50_000;
/** Events read at once. */
const PAGE = 500;

export function createNamedDevices(journal: Journal, readable: ReadableLog): NamedDevices {
  const known = new Map<string, NamedDevice>();

  function remember(stream: string, tenantId: TenantId, name: string): void {
    if (known.size >= REMEMBERED_MAX) known.clear();
    known.set(stream, { tenantId, name });
  }

  /**
   * A device that is gone was deleted further on in the log, and its deletion says whose it was. Deletions on the way are
   * remembered, so that many deleted devices cost one walk. Undefined for a deletion by a version that did not say.
   */
  async function findDeleted(stream: string, { which, from }: LogPosition): Promise<NamedDevice | undefined> {
    for (let at = from; ; ) {
      const page = await journal.log(which, at, PAGE);
      if (page.next === at) return undefined;
      for (const { stream: passed, event: text } of page.events) {
        const event = eventIfReadable(text);
        if (event?.type !== 'DeviceDeleted') continue;
        const { tenantId, name = '' } = event;
        if (tenantId !== undefined && !known.has(passed)) remember(passed, tenantId, name);
        if (passed === stream) return known.get(stream);
      }
      at = page.next;
    }
  }

  return {
    has: (stream) => known.has(stream),
    remember,
    async find(stream, from) {
      const remembered = known.get(stream);
      if (remembered !== undefined) return remembered;
      const device = await readable.about(stream, () => readDevice(journal, storedId(stream)));
      if (device === 'unreadable') return undefined;
      if (device === undefined) return findDeleted(stream, from);
      remember(stream, device.tenantId, device.name);
      return device;
    },
  };
}
