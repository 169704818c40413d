/** Records of attributes that the operator's policy gave with a claim (C12). */
import { type DeviceEvent, evolve } from '../../../actors/device/device.ts';
import { absentDevice, type Device, type DeviceState } from '../../../actors/device/state.ts';
import { ADMIN, CUSTOMER, NOW, OTHER_CUSTOMER, provisioned, USER } from '../../kit/given.ts';

const claim: DeviceEvent = {
  type: 'DeviceClaimed',
  at: NOW + 2,
  customerId: CUSTOMER,
  userId: USER,
  claimingAllowedDeleted: false,
  ownerEpoch: 1,
  evidence: 'secret',
  attributes: { plan: 'gold', seats: 3, trial: false, site: { rooms: [1, null, 'x'] }, model: 'P-200' },
};
const asked: DeviceEvent = {
  type: 'TakeOverAsked',
  at: NOW + 3,
  customerId: OTHER_CUSTOMER,
  userId: USER,
  dueAt: NOW + 86_400_003,
  inEpoch: 1,
  ownerId: CUSTOMER,
  attributes: { plan: 'silver' },
};
const taken: DeviceEvent = {
  type: 'DeviceTakenOver',
  at: NOW + 86_400_003,
  customerId: OTHER_CUSTOMER,
  previousCustomerId: CUSTOMER,
  userId: USER,
  claimingAllowedDeleted: false,
  ownerEpoch: 2,
  attributes: { plan: 'silver' },
};

export const givenEvents: readonly DeviceEvent[] = [claim, asked, taken];

const ofTheTenant: readonly DeviceEvent[] = [
  { ...provisioned, at: NOW },
  { type: 'AttributesSaved', at: NOW + 1, userId: ADMIN, scope: 'SERVER_SCOPE', values: { model: 'P-100' } },
];

/** After the claim, which gave what the tenant had, too; with a take-over pending; and after that. */
export const givenStates: readonly Device[] = [[claim], [claim, asked], givenEvents]
  .map((events) => [...ofTheTenant, ...events].reduce<DeviceState>(evolve, absentDevice))
  .filter((state) => state.status === 'provisioned');
