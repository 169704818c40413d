/**
 * Tenants, customers and users, composed: entities of `../records/collection.ts`, and plain records beside them. What can
 * be asked of them is in `model.ts`.
 */
import type { Clock } from '../base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../base/ids.ts';
import type { CredentialSecrets } from '../base/secret.ts';
import { type Bus, silentBus } from '../cluster/bus.ts';
import { beginClaimLists } from '../fleet/claim-lists.ts';
import type { Devices, Directory } from '../fleet/devices.ts';
import { createCollection } from '../records/collection.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import { createApiKeys } from './api-keys.ts';
import { createCustomers } from './customers.ts';
import { customerKind, tenantKind, userKind } from './kinds.ts';
import { noteDeletion } from './left-behind.ts';
import type { AccountSettings, Accounts } from './model.ts';
import { createProviderLinks } from './provider-links.ts';
import { createRemoval } from './removal.ts';
import { createReplays } from './replays.ts';
import { createSavedViews } from './saved-views.ts';
import { createSecondFactors } from './second-factors.ts';
import { ACTIVITY_KIND, type Activity } from './sessions.ts';
import { createTenants } from './tenants.ts';
import { createUsers } from './users.ts';

export * from './model.ts';

export interface AccountsNeeds {
  readonly store: Store;
  /** For unassigning and deleting the devices of customers and tenants that are deleted. */
  readonly devices: Devices;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly settings: AccountSettings;
  /** Seals what an administrator may read again. */
  readonly secrets: CredentialSecrets;
  /** Removes what other rooms keep for a tenant. */
  readonly forgetTenant?: (id: TenantId) => Promise<void>;
  /** And for a customer. */
  readonly forgetCustomer?: (id: CustomerId) => Promise<void>;
  /** And for a user. */
  readonly forgetUser?: (id: UserId) => Promise<void>;
  /** Announces users that changed to other processes on the same store; without it nobody else hears. */
  readonly bus?: Bus;
}

const USER_CHANGED = 'user-changed';

export function createAccounts(needs: AccountsNeeds): Accounts {
  const { store, clock, settings, secrets, devices, directory, bus = silentBus } = needs;
  const { forgetTenant = async () => {}, forgetCustomer = async () => {} } = needs;
  const { forgetUser = async () => {} } = needs;
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

  const tenants = createCollection(store, tenantKind);
  const customers = createCollection(store, customerKind);
  const users = createCollection(store, userKind(settings.loginCaseSensitive));
  const activities = openRecords<Activity>(store, ACTIVITY_KIND);
  const apiKeys = createApiKeys(store, clock, users);
  const replays = createReplays(store, clock);
  const secondFactors = createSecondFactors(store, clock, bus);
  const providerLinks = createProviderLinks(store, clock, users);
  const savedViews = createSavedViews(store);
  const removal = createRemoval({
    tenants,
    customers,
    users,
    devices,
    directory,
    forgetTenant,
    forgetCustomer,
    note: (deletion) => noteDeletion(store, clock.now(), deletion),
    removed: changed,
    async forgetUser(id) {
      await activities.remove(id);
      await apiKeys.forget(id);
      await replays.forget(id);
      await secondFactors.forget(id);
      await providerLinks.forget(id);
      await savedViews.forget(id);
      await forgetUser(id);
    },
  });

  return {
    apiKeys,
    replays,
    secondFactors,
    providerLinks,
    savedViews,
    tenants: createTenants(tenants, removal, clock, (id) => beginClaimLists(store, id)),
    customers: createCustomers(customers, tenants, removal, clock),
    users: createUsers({ clock, settings, secrets, users, tenants, customers, activities, removal, changed }),
    clearAgain: removal.again,
    onUserChange(listener) {
      listeners.push(listener);
    },
  };
}
