/**
 * Tenants, customers and users: plain records behind Keyv, with the store's unique keys and ordered lists beside.
 * What can be asked of them is in `accounts/model.ts`; how records stay whole over a crash, in `accounts/collection.ts`.
 */

import type { Clock } from '../base/clock.ts';
import type { TenantId, UserId } from '../base/ids.ts';
import { type Bus, silentBus } from '../cluster/bus.ts';
import type { Devices, Directory } from '../fleet/devices.ts';
import { createCollection } from '../records/collection.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import { useToken } from './activation.ts';
import { createApiKeys } from './api-keys.ts';
import { createCustomers, customerKind } from './customers.ts';
import type { AccountSettings, Accounts, Activity } from './model.ts';
import { createRemoval } from './removal.ts';
import { createReplays } from './replays.ts';
import { createTenants, tenantKind } from './tenants.ts';
import { createUserRows } from './user-rows.ts';
import { ACTIVITY_KIND, createUsers } from './users.ts';

export * from './model.ts';

export interface AccountsNeeds {
  readonly store: Store;
  /** For unassigning and deleting the devices of customers and tenants that are deleted. */
  readonly devices: Devices;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly settings: AccountSettings;
  /** Lets go of what others keep for a tenant. */
  readonly forgetTenant?: (id: TenantId) => Promise<void>;
  /** Tells other processes on the same store of users that changed; without it nobody is told. */
  readonly bus?: Bus;
}

const USER_CHANGED = 'user-changed';

export function createAccounts(needs: AccountsNeeds): Accounts {
  const { store, clock, settings, devices, directory, bus = silentBus } = needs;
  const { forgetTenant = async () => {} } = needs;
  const listeners: ((id: UserId) => void)[] = [];
  const hear = (id: UserId) => {
    for (const listener of listeners) listener(id);
  };
  const changed = (id: UserId) => {
    hear(id);
    bus.publish(USER_CHANGED, { id });
  };
  bus.subscribe(USER_CHANGED, ({ id }) => {
    if (typeof id === 'string') hear(id as UserId); // it was one where it was sent
  });

  const tenants = createCollection(store, clock, tenantKind);
  const customers = createCollection(store, clock, customerKind);
  const users = createUserRows(store, clock, settings.loginCaseSensitive);
  const activities = openRecords<Activity>(store, ACTIVITY_KIND);
  const apiKeys = createApiKeys(store, clock);
  const replays = createReplays(store, clock);
  const removal = createRemoval({
    tenants,
    customers,
    users,
    devices,
    directory,
    forgetTenant,
    async forgetUser(row) {
      changed(row.id);
      if (row.activation !== null) await useToken(store.index, row.activation.token, row.id);
      await activities.remove(row.id);
      await apiKeys.forget(row.id);
      await replays.forget(row.id);
    },
  });

  return {
    apiKeys,
    replays,
    tenants: createTenants(tenants, removal, clock),
    customers: createCustomers(customers, tenants, removal, clock),
    users: createUsers({ store, clock, settings, rows: users, tenants, customers, removal, changed }),
    onUserChange(listener) {
      listeners.push(listener);
    },
  };
}
