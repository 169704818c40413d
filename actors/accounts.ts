/**
 * Tenants, customers and users: plain records behind Keyv, with the store's unique keys and ordered lists beside.
 * What can be asked of them is in `accounts/model.ts`; how records stay whole over a crash, in `accounts/collection.ts`.
 */
import { useToken } from './accounts/activation.ts';
import { createApiKeys } from './accounts/api-keys.ts';
import { createCollection } from './accounts/collection.ts';
import { createCustomers, customerKind } from './accounts/customers.ts';
import type { AccountSettings, Accounts, Activity } from './accounts/model.ts';
import { openRecords } from './accounts/records.ts';
import { createRemoval } from './accounts/removal.ts';
import { createTenants, tenantKind } from './accounts/tenants.ts';
import { createUserRows } from './accounts/user-rows.ts';
import { ACTIVITY_KIND, createUsers } from './accounts/users.ts';
import { type Bus, silentBus } from './bus.ts';
import type { Clock } from './clock.ts';
import type { Devices, Directory } from './devices.ts';
import type { TenantId, UserId } from './ids.ts';
import { createReplays } from './replays.ts';
import type { Store } from './store/store.ts';

export * from './accounts/model.ts';

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
