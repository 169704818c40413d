/**
 * Nothing may be left with an owner that is being deleted. A deletion marks the customer or the tenant first and then
 * clears its devices (`actors/accounts/removal.ts`); a command that was under way meanwhile can give it one more
 * after the last was cleared. So whoever has just given a device to somebody looks at that somebody once more: either
 * the mark is there and the device is taken back, or the mark comes later than the device, and the deletion finds it.
 */
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { CustomerId, DeviceId, TenantId, UserId } from '../../actors/base/ids.ts';
import type { DeviceAnswer, Devices } from '../../actors/fleet/devices.ts';

export interface TenureNeeds {
  readonly accounts: Accounts;
  readonly devices: Devices;
}

export interface Tenure {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly customerId: CustomerId;
}

/** The answer to a command that made the customer an owner; undefined when the customer was deleted meanwhile. */
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

/** The answer to a command that made a device in the tenant; undefined when the tenant was deleted meanwhile. */
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
