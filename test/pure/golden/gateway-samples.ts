/** Records of what gateways bring up and open, and of gateways that have had owners (O8, O9). */
import type { DeviceId } from '../../../actors/base/ids.ts';
import { type DeviceEvent, evolve } from '../../../actors/device/device.ts';
import { absentDevice, type DeviceState } from '../../../actors/device/state.ts';
import { idOf, NOW, OTHER_TOKEN, provisioned, SECRET } from '../../kit/given.ts';

const GATEWAY = idOf<DeviceId>(2);

const broughtUp: DeviceEvent = { ...provisioned, at: NOW, viaGateway: GATEWAY };
const opened: DeviceEvent = {
  type: 'ClaimWindowOpened',
  at: NOW + 1,
  secretDigest: SECRET,
  closesAt: NOW + 60_001,
  openedBy: 'gateway',
  gateway: { id: GATEWAY, ownerEpoch: 1 },
};

export const gatewayEvents: readonly DeviceEvent[] = [broughtUp, opened];

const device = evolve(absentDevice, broughtUp);

export const gatewayStates: readonly DeviceState[] = [
  device,
  evolve(device, opened),
  // A gateway that was given back and got other credentials.
  evolve(device.status === 'absent' ? device : { ...device, ownerEpoch: 2 }, {
    type: 'CredentialsChanged',
    at: NOW + 2,
    credentials: OTHER_TOKEN,
  }),
];
