/** Records of what an owner's users wrote, with what the tenant had there (R4). */
import { type DeviceEvent, evolve } from '../../../actors/device/device.ts';
import { absentDevice, type DeviceState } from '../../../actors/device/state.ts';
import { ADMIN, CUSTOMER, NOW, provisioned, USER } from '../../kit/given.ts';

const byOwner = { userId: USER, customerId: CUSTOMER } as const;
const described = { name: 'Pump 1', deviceType: 'default' } as const;

export const writingEvents: readonly DeviceEvent[] = [
  {
    type: 'AttributesSaved',
    at: NOW + 3,
    ...byOwner,
    scope: 'SHARED_SCOPE',
    values: { interval: 60, room: 'kitchen' },
  },
  { type: 'AttributesDeleted', at: NOW + 4, ...byOwner, scope: 'SERVER_SCOPE', keys: ['model'] },
  {
    type: 'DeviceUpdated',
    at: NOW + 5,
    ...byOwner,
    ...described,
    label: 'under the sink',
    additionalInfo: { colour: 'blue' },
  },
];

const ofTheTenant: readonly DeviceEvent[] = [
  { ...provisioned, at: NOW },
  {
    type: 'AttributesSaved',
    at: NOW + 1,
    userId: ADMIN,
    scope: 'SERVER_SCOPE',
    values: { model: 'P-100', batch: 7 },
  },
  { type: 'AttributesSaved', at: NOW + 1, userId: ADMIN, scope: 'SHARED_SCOPE', values: { interval: 300 } },
  {
    type: 'DeviceClaimed',
    at: NOW + 2,
    customerId: CUSTOMER,
    userId: USER,
    claimingAllowedDeleted: false,
    ownerEpoch: 1,
    evidence: 'secret',
  },
];

/** The customer wrote over one attribute, deleted another, made one of its own, and described the device anew. */
export const writingStates: readonly DeviceState[] = [
  [...ofTheTenant, ...writingEvents].reduce<DeviceState>(evolve, absentDevice),
];
