/**
 * No device may be left with an owner that is being deleted. A deletion first marks the customer or tenant and then
 * clears its devices (`actors/accounts`); a command that runs meanwhile could give it one more after the last was
 * cleared. So whoever gave a device to somebody looks at that somebody again: if the mark is there, the device is taken
 * back; if it is not, it comes later, and the deletion finds the device. Where that is broken off, it is taken back a minute later
 * (`actors/accounts/left-behind.ts`).
 */
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { CustomerId, DeviceId, TenantId, UserId } from '../../actors/base/ids.ts';
import type { InEpoch } from '../../actors/device/messages.ts';
import type { DeviceAnswer, Devices } from '../../actors/fleet/devices.ts';
import { impersonation, type TenantAdministrator } from '../auth/principal.ts';
import { impersonatorOf, type NotesChanges } from './user-notes.ts';

export interface TenureNeeds {
  readonly accounts: Accounts;
  readonly devices: Devices;
}

export interface Tenure {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly customerId: CustomerId;
}

/** The answer to a command that made the customer an owner; undefined if the customer was deleted meanwhile. */
export async function unlessCustomerGone(
  { accounts, devices }: TenureNeeds,
  id: DeviceId,
  tenure: Tenure,
  answer: DeviceAnswer,
): Promise<DeviceAnswer | undefined> {
  if (answer.type !== 'accepted') return answer;
  if ((await accounts.customers.find(tenure.tenantId, tenure.customerId)) !== undefined) return answer;
  const { tenantId, userId, customerId } = tenure;
  await devices.ask(id, { type: 'UnassignDevice', tenantId, userId, customerId });
  return undefined;
}

/** An administrator of the tenant, and who looks in as that one. */
export type Who = Pick<TenantAdministrator, 'tenantId' | 'userId' | 'impersonatorId'>;

/** Assigns a device to a customer; undefined if the customer was deleted meanwhile. */
export async function assign(
  needs: TenureNeeds,
  who: Who,
  id: DeviceId,
  customerId: CustomerId,
  epochs: InEpoch,
): Promise<DeviceAnswer | undefined> {
  const { tenantId, userId } = who;
  const tenure = { tenantId, userId, customerId };
  const by = { ...epochs, ...impersonation(who) };
  const assigned = await needs.devices.ask(id, { type: 'AssignDevice', ...tenure, ...by });
  return unlessCustomerGone(needs, id, tenure, assigned);
}

/** The answer to a command that created a device; undefined if the tenant was deleted meanwhile. */
export async function unlessTenantGone(
  { accounts, devices }: TenureNeeds,
  id: DeviceId,
  tenantId: TenantId,
  answer: DeviceAnswer,
): Promise<DeviceAnswer | undefined> {
  if (answer.type !== 'accepted' || (await accounts.tenants.find(tenantId)) !== undefined) return answer;
  await devices.ask(id, { type: 'DeleteDevice', tenantId });
  return undefined;
}

/** Deletes a device, if it is in one of `inEpochs` still, and notes who did: nothing else in the trail says that it is gone. */
export async function deleteAs(
  { audit, devices }: Pick<TenureNeeds, 'devices'> & { readonly audit: NotesChanges },
  who: Who,
  id: DeviceId,
  inEpoch: InEpoch = {},
): Promise<DeviceAnswer> {
  const { tenantId, userId } = who;
  const before = await devices.read(id);
  const answer = await devices.ask(id, { type: 'DeleteDevice', tenantId, ...inEpoch });
  if (answer.type !== 'accepted') return answer;
  audit.note({
    tenantId,
    action: 'DELETED',
    deviceId: id,
    deviceName: before?.name,
    customerId: before?.owner?.customerId,
    userId,
    data: impersonatorOf(who),
    failure: undefined,
  });
  await audit.noted();
  return answer;
}
