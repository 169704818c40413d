/**
 * Deleting a tenant, a customer or a user, together with all that belongs to it.
 *
 * A tenant or a customer is marked first: from then on nobody finds it, its users' tokens are worth nothing, and nothing
 * new can be given to it. Then what belongs to it goes, then the entity itself. If this is broken off (a crash, a store
 * that fails), asking for it again goes on where it ended. What comes in all the same is cleared later (`left-behind.ts`).
 */
import type { CustomerId, DeviceId, TenantId, UserId } from '../base/ids.ts';
import type { DeviceCommand } from '../device/device.ts';
import type { DeviceAnswer, Devices, Directory } from '../fleet/devices.ts';
import type { Collection } from '../records/collection.ts';
import type { Page } from '../records/pages.ts';
import type { Unavailable } from '../runtime/decider.ts';
import { customersOf, type StoredUser, usersOf } from './kinds.ts';
import type { Deletion } from './left-behind.ts';
import { type AccountAnswer, type Customer, done, refused, type Tenant } from './model.ts';

export interface Removal {
  tenant(id: TenantId, by: UserId): Promise<AccountAnswer<void>>;
  customer(tenantId: TenantId, id: CustomerId, by: UserId): Promise<AccountAnswer<void>>;
  user(id: UserId): Promise<AccountAnswer<void>>;
  /**
   * Clears once more what a deletion clears, where it has begun: something may have come in since. Resolves to whether nothing
   * is left.
   */
  again(deletion: Deletion): Promise<boolean>;
}

export interface RemovalNeeds {
  readonly tenants: Collection<Tenant>;
  readonly customers: Collection<Customer>;
  readonly users: Collection<StoredUser>;
  readonly devices: Devices;
  readonly directory: Directory;
  /** Removes what is kept beside a user: API keys, kept answers, activity. */
  forgetUser(id: UserId): Promise<void>;
  /** Removes what is kept for a tenant besides its devices, customers and users. */
  forgetTenant(id: TenantId): Promise<void>;
  /** Removes what is kept for a customer besides its devices and users. */
  forgetCustomer(id: CustomerId): Promise<void>;
  /** Before a tenant or a customer is marked. */
  note(deletion: Deletion): Promise<void>;
  /** Hears of every user that is removed. */
  removed(id: UserId): void;
}

/** Devices asked at the same time; customers and users read at once. */
const BATCH = 100;

export function createRemoval(needs: RemovalNeeds): Removal {
  const { tenants, customers, users, devices, directory } = needs;

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

  async function removeUser(id: UserId): Promise<boolean> {
    if ((await users.find(id)) === undefined) return false;
    await needs.forgetUser(id); // first, so that a crash leaves nothing behind that nobody could ask to be removed
    const user = await users.remove(id);
    await needs.forgetUser(id); // what came in between
    needs.removed(id);
    return user !== undefined;
  }

  async function removeUsers(list: string): Promise<void> {
    for (;;) {
      const some = await users.first(list, BATCH);
      if (some.length === 0) return;
      await Promise.all(some.map(({ id }) => removeUser(id)));
    }
  }

  async function clearCustomer(
    tenantId: TenantId,
    id: CustomerId,
    by: UserId,
  ): Promise<Unavailable | undefined> {
    const unassign: DeviceCommand = { type: 'UnassignDevice', tenantId, customerId: id, userId: by };
    const owned = () => directory.ofCustomer(tenantId, id, { page: 0, pageSize: BATCH });
    const trouble = await clearDevices(owned, unassign);
    if (trouble !== undefined) return trouble;
    await removeUsers(usersOf({ authority: 'CUSTOMER_USER', tenantId, customerId: id }));
    await needs.forgetCustomer(id);
    return undefined;
  }

  async function removeCustomer({ id, tenantId }: Customer, by: UserId): Promise<Unavailable | undefined> {
    await needs.note({ tenantId, customerId: id, by });
    await customers.mark(id);
    const trouble = await clearCustomer(tenantId, id, by);
    if (trouble === undefined) await customers.remove(id);
    return trouble;
  }

  async function clearTenant(id: TenantId, by: UserId): Promise<Unavailable | undefined> {
    const all = () => directory.ofTenant(id, { page: 0, pageSize: BATCH });
    const trouble = await clearDevices(all, { type: 'DeleteDevice', tenantId: id });
    if (trouble !== undefined) return trouble;
    for (;;) {
      const some = await customers.first(customersOf(id), BATCH);
      if (some.length === 0) break;
      for (const customer of some) {
        const stuck = await removeCustomer(customer, by);
        if (stuck !== undefined) return stuck;
      }
    }
    await removeUsers(usersOf({ authority: 'TENANT_ADMIN', tenantId: id }));
    await needs.forgetTenant(id);
    return undefined;
  }

  return {
    async user(id) {
      return (await removeUser(id)) ? done(undefined) : refused({ reason: 'not-found' });
    },

    async customer(tenantId, id, by) {
      const customer = await customers.findAny(id);
      if (customer === undefined || customer.tenantId !== tenantId) return refused({ reason: 'not-found' });
      return (await removeCustomer(customer, by)) ?? done(undefined);
    },

    async tenant(id, by) {
      if ((await tenants.findAny(id)) === undefined) return refused({ reason: 'not-found' });
      await needs.note({ tenantId: id, by });
      if ((await tenants.mark(id)) === undefined) return refused({ reason: 'not-found' });
      const trouble = await clearTenant(id, by);
      if (trouble !== undefined) return trouble;
      await tenants.remove(id);
      return done(undefined);
    },

    async again({ tenantId, customerId, by }) {
      // Where one stands, its deletion was broken off before anything was done.
      if (customerId === undefined) {
        if ((await tenants.find(tenantId)) !== undefined) return true;
        return (await clearTenant(tenantId, by)) === undefined;
      }
      if ((await customers.find(customerId)) !== undefined) return true;
      return (await clearCustomer(tenantId, customerId, by)) === undefined;
    },
  };
}
