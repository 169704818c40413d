/** Records of what is traced, with the context that goes on to webhooks. */
import { type DeviceEvent, evolve } from '../../../actors/device/device.ts';
import { absentDevice, type DeviceState } from '../../../actors/device/state.ts';
import { CUSTOMER, NOW, provisioned, SECRET, USER } from '../../kit/given.ts';

const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const opened: DeviceEvent = {
  type: 'ClaimWindowOpened',
  at: NOW + 1,
  secretDigest: SECRET,
  closesAt: NOW + 60_000,
  openedBy: 'device',
  trace,
};

export const tracedEvents: readonly DeviceEvent[] = [
  opened,
  {
    type: 'DeviceClaimed',
    at: NOW + 2,
    customerId: CUSTOMER,
    userId: USER,
    claimingAllowedDeleted: false,
    ownerEpoch: 1,
    evidence: 'secret',
    trace: `${trace} vendor=1`,
  },
];

/** A window that was opened in a trace. */
export const tracedStates: readonly DeviceState[] = [
  [{ ...provisioned, at: NOW }, opened].reduce<DeviceState>(evolve, absentDevice),
];
