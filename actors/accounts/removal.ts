/**
 * Deleting a tenant, a customer or a user, together with all that hangs on it.
 *
 * First the record is marked: from that instant nobody finds it, its users' tokens are worth nothing, and nothing new
 * can be hung on it. Then what hangs on it goes, then the record. Broken off (a crash, a store that fails), asking
 * for it again goes on where it ended.
 */

import type { CustomerId, DeviceId, TenantId, UserId } from '../base/ids.ts';
import type { DeviceCommand } from '../device/device.ts';
import type { DeviceAnswer, Devices, Directory, Page } from '../fleet/devices.ts';
import type { Collection } from '../records/collection.ts';
import type { Unavailable } from '../runtime/decider.ts';
import type { CustomerRow } from './customers.ts';
import { customersOf } from './customers.ts';
import { type AccountAnswer, done, refused } from './model.ts';
import type { TenantRow } from './tenants.ts';
import { type UserRow, usersOf } from './user-rows.ts';

export interface Removal {
  tenant(id: TenantId, by: UserId): Promise<AccountAnswer<void>>;
  customer(tenantId: TenantId, id: CustomerId, by: UserId): Promise<AccountAnswer<void>>;
  user(id: UserId): Promise<AccountAnswer<void>>;
}

export interface RemovalNeeds {
  readonly tenants: Collection<TenantRow>;
  readonly customers: Collection<CustomerRow>;
  readonly users: Collection<UserRow>;
  readonly devices: Devices;
  readonly directory: Directory;
  /** Lets go of what is kept beside a user's record. */
  forgetUser(row: UserRow): Promise<void>;
  /** Lets go of what is kept for a tenant besides its devices, customers and users. */
  forgetTenant(id: TenantId): Promise<void>;
}

/** Devices asked at the same time. */
const BATCH = 100;

export function createRemoval(needs: RemovalNeeds): Removal {
  const { tenants, customers, users, devices, directory, forgetUser, forgetTenant } = needs;

  /** Sends a command to every device that `next` lists, until it lists none. The command takes them off the list. */
  async function clearDevices(
    next: () => Promise<Page<{ readonly id: DeviceId }>>,
    command: DeviceCommand,
  ): Promise<Unavailable | undefined> {
    for (;;) {
      const { items } = await next();
      const answers = await Promise.all(items.map(({ id }) => devices.ask(id, command)));
      const trouble = answers.find((answer): answer is Unavailable => answer.type === 'unavailable');
      if (trouble !== undefined) return trouble;
      // All refused: others were quicker, and took them off the list themselves.
      if (answers.every((answer: DeviceAnswer) => answer.type === 'refused')) return undefined;
    }
  }

  async function removeUser(id: string): Promise<boolean> {
    const row = await users.mark(id);
    if (row === undefined) return false;
    await forgetUser(row);
    await users.erase(row);
    return true;
  }

  async function removeUsers(list: string): Promise<void> {
    for (;;) {
      const some = await users.firstOfAny(list, BATCH);
      if (some.length === 0) return;
      await Promise.all(some.map((user) => removeUser(user.id)));
    }
  }

  async function removeCustomer(row: CustomerRow, by: UserId): Promise<Unavailable | undefined> {
    const { id, tenantId } = row;
    const marked = (await customers.mark(id)) ?? row;
    const unassign: DeviceCommand = { type: 'UnassignDevice', tenantId, customerId: id, userId: by };
    const owned = () => directory.ofCustomer(tenantId, id, { page: 0, pageSize: BATCH });
    const trouble = await clearDevices(owned, unassign);
    if (trouble !== undefined) return trouble;
    await removeUsers(usersOf({ authority: 'CUSTOMER_USER', tenantId, customerId: id }));
    await customers.erase(marked);
    return undefined;
  }

  return {
    async user(id) {
      return (await removeUser(id)) ? done(undefined) : refused({ reason: 'not-found' });
    },

    async customer(tenantId, id, by) {
      const row = await customers.findAny(id);
      if (row === undefined || row.tenantId !== tenantId) return refused({ reason: 'not-found' });
      return (await removeCustomer(row, by)) ?? done(undefined);
    },

    async tenant(id, by) {
      const row = await tenants.mark(id);
      if (row === undefined) return refused({ reason: 'not-found' });
      const all = () => directory.ofTenant(id, { page: 0, pageSize: BATCH });
      const trouble = await clearDevices(all, { type: 'DeleteDevice', tenantId: id });
      if (trouble !== undefined) return trouble;
      for (;;) {
        const some = await customers.firstOfAny(customersOf(id), BATCH);
        if (some.length === 0) break;
        for (const customer of some) {
          const stuck = await removeCustomer(customer, by);
          if (stuck !== undefined) return stuck;
        }
      }
      await removeUsers(usersOf({ authority: 'TENANT_ADMIN', tenantId: id }));
      await forgetTenant(id);
      await tenants.erase(row);
      return done(undefined);
    },
  };
}
