/**
 * How many devices there may be: of a tenant in all, and brought up by one gateway. Devices are never removed by
 * themselves, so without a bound whoever holds a gateway's token fills the disk.
 *
 * Devices are counted by the index, and the count is believed for a second, with what this process created since. So of
 * several processes each may go over the bound by what the others create in a second.
 */
import type { Clock } from '../base/clock.ts';
import { createTtlCache } from '../base/ttl-cache.ts';
import { lists } from '../device/indexes.ts';
import type { Refusal } from '../device/messages.ts';
import type { ProvisionDevice } from '../device/registration.ts';
import type { Index } from '../store/store.ts';

export interface DeviceQuotaSettings {
  /** 0: no limit. */
  readonly devicesPerTenant: number;
  /** Devices that one gateway has brought up and that are still there; 0: no limit. */
  readonly devicesPerGateway: number;
}

export interface DeviceQuotas {
  /** Counts one more device, or says why there may not be one. Rejects with `StoreUnavailable`. */
  take(device: ProvisionDevice): Promise<Refusal | undefined>;
}

const BELIEVED_MS = 1_000;
/** Tenants and gateways whose counts are remembered. */
const REMEMBERED_MAX = 10_000;

export function createDeviceQuotas(
  { devicesPerTenant, devicesPerGateway }: DeviceQuotaSettings,
  index: Pick<Index, 'count'>,
  clock: Clock,
): DeviceQuotas {
  const counts = createTtlCache<string, { devices: number }>(clock, BELIEVED_MS, REMEMBERED_MAX);

  const countOf = (list: string) => counts.get(list, async () => ({ devices: await index.count(list) }));

  return {
    async take({ tenantId, viaGateway }) {
      const bounds = [
        { of: 'tenant', max: devicesPerTenant, list: lists.byCreation(tenantId) },
        ...(viaGateway === undefined
          ? []
          : [{ of: 'gateway', max: devicesPerGateway, list: lists.viaGateway(viaGateway) } as const]),
      ] as const;
      const taken: { devices: number }[] = [];
      for (const { of, max, list } of bounds) {
        if (max === 0) continue;
        const count = await countOf(list);
        if (count.devices >= max) return { reason: 'too-many-devices', of, max };
        taken.push(count);
      }
      for (const count of taken) count.devices += 1;
      return undefined;
    },
  };
}
