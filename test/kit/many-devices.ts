/** Devices in any state, written into a store as their appends would: a fleet of many, without the work of making each. */
import type { DeviceId } from '../../actors/base/ids.ts';
import { mapInSlices } from '../../actors/base/slices.ts';
import { indexEntries } from '../../actors/device/indexes.ts';
import {
  devicePersistence,
  encodeDetails,
  encodeEvent,
  encodeStanding,
} from '../../actors/device/persistence.ts';
import type { Device } from '../../actors/device/state.ts';
import { changesBetween, NO_ENTRIES } from '../../actors/journal/index-changes.ts';
import type { Store } from '../../actors/store/store.ts';
import { given, idOf, OPEN_POLICY, provisioned } from './given.ts';

export const manyId = (n: number): DeviceId => idOf(5_000_000 + n);

const bare = given(OPEN_POLICY).state;

/** @param of what is particular of the device of a number */
export async function writeDevices(
  store: Store,
  from: number,
  to: number,
  of: (n: number) => Partial<Device>,
): Promise<void> {
  if (bare.status === 'absent') throw new Error('the device that the others are like is not there');
  const numbers = Array.from({ length: to - from }, (_, at) => from + at);
  await mapInSlices(numbers, async (n) => {
    const id = manyId(n);
    const device: Device = {
      ...bare,
      name: `Pump ${String(n).padStart(7, '0')}`,
      credentials: { type: 'ACCESS_TOKEN', credentialsId: `many-${n}`, sealedToken: '***' },
      ...of(n),
    };
    const result = await store.journal.append({
      stream: id,
      expected: 0,
      event: encodeEvent({ ...provisioned, name: device.name }),
      state: encodeStanding(device),
      details: encodeDetails(device, undefined),
      alarmAt: devicePersistence.alarmAt(device),
      index: changesBetween(NO_ENTRIES, indexEntries(id, device)),
    });
    if (result.type !== 'appended') throw new Error(`device ${n}: ${result.type}`);
  });
}
