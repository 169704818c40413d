/** Whose each device is, what it is called and of which profile: for filters and for what is told. Looked up once and remembered. */
import { createNamedDevices, type LogPosition } from '../audit/named-devices.ts';
import { type ProfileId, storedId, type TenantId } from '../base/ids.ts';
import type { DeviceEvent } from '../device/device.ts';
import type { ReadableLog } from '../device/readable-log.ts';
import { readDevice } from '../fleet/live-devices.ts';
import type { Journal } from '../journal/journal.ts';

export interface KnownDevice {
  readonly tenantId: TenantId;
  readonly name: string;
  /** Undefined for a device that is gone. */
  readonly type: string | undefined;
  /** Undefined for a device that is gone. */
  readonly profileId: ProfileId | undefined;
}

/** The profile of a device that names none is its tenant's default. */
export type ProfileOf = (device: {
  readonly tenantId: TenantId;
  readonly profileId?: ProfileId | null;
}) => ProfileId | Promise<ProfileId>;

export interface KnownDevices {
  /** Reads on in the log for a device that is gone. Undefined if whose it was cannot be known any more. */
  find(stream: string, from: LogPosition): Promise<KnownDevice | undefined>;
  /** Takes the events in their order, each once. */
  learn(stream: string, event: DeviceEvent): Promise<void>;
  /** Events were passed over: all are looked up anew. */
  forget(): void;
}

/** Devices that are remembered, about 200 bytes each. */
const REMEMBERED_MAX = 20_000;

export function createKnownDevices(
  journal: Journal,
  readable: ReadableLog,
  profileOf: ProfileOf,
): KnownDevices {
  const known = new Map<string, KnownDevice>();
  const gone = createNamedDevices(journal, readable);

  function remember(stream: string, info: KnownDevice): KnownDevice {
    if (known.size >= REMEMBERED_MAX) known.clear();
    known.set(stream, info);
    return info;
  }

  return {
    forget: () => known.clear(),

    async learn(stream, event) {
      if (event.type === 'DeviceProvisioned') {
        const { tenantId, name, deviceType: type } = event;
        remember(stream, { tenantId, name, type, profileId: await profileOf(event) });
      } else if (event.type === 'DeviceUpdated') {
        const before = known.get(stream);
        if (before === undefined) return;
        const { profileId, name, deviceType: type } = event;
        const { tenantId } = before;
        const next = profileId === undefined ? before.profileId : await profileOf({ tenantId, profileId });
        remember(stream, { tenantId, name, type, profileId: next });
      }
    },

    async find(stream, from) {
      const before = known.get(stream);
      if (before !== undefined) return before;
      const device = await readable.about(stream, () => readDevice(journal, storedId(stream)));
      if (device === 'unreadable') return undefined;
      if (device !== undefined) {
        const { tenantId, name, type } = device;
        return remember(stream, { tenantId, name, type, profileId: await profileOf(device) });
      }
      const deleted = await gone.find(stream, from);
      if (deleted === undefined) return undefined;
      const { tenantId, name } = deleted;
      return remember(stream, { tenantId, name, type: undefined, profileId: undefined });
    },
  };
}
