/**
 * Tenants, customers and users: plain records behind Keyv, with the store's unique keys and ordered lists beside.
 * What can be asked of them is in `accounts/model.ts`; how records stay whole over a crash, in `accounts/records.ts`.
 */
import type { AccountSettings, Accounts } from './accounts/model.ts';
import type { Clock } from './clock.ts';
import type { Devices, Directory } from './devices.ts';
import type { Store } from './store/store.ts';

export * from './accounts/model.ts';

export interface AccountsNeeds {
  readonly store: Store;
  /** For unassigning and deleting the devices of customers and tenants that are deleted. */
  readonly devices: Devices;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly settings: AccountSettings;
}

export declare function createAccounts(needs: AccountsNeeds): Accounts;
