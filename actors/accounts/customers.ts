/** Customers of a tenant. Titles are unique within the tenant, compared exactly. */
import type { Clock } from '../clock.ts';
import { type CustomerId, newId, type TenantId } from '../ids.ts';
import type { Collection, Kind } from './collection.ts';
import { type Customer, type Customers, done, refused } from './model.ts';
import type { Removal } from './removal.ts';
import type { TenantRow } from './tenants.ts';

export interface CustomerRow extends Customer {
  readonly deleted?: true;
}

export const customersOf = (tenantId: TenantId) => `account/customers/${tenantId}`;
const titleKey = (tenantId: TenantId, title: string) => `account/customer-title/${tenantId}/${title}`;

export const customerKind: Kind<CustomerRow> = {
  name: 'customer',
  key: (row) => titleKey(row.tenantId, row.title),
  list: (row) => customersOf(row.tenantId),
  text: (row) => row.title,
};

export function createCustomers(
  rows: Collection<CustomerRow>,
  tenants: Collection<TenantRow>,
  removal: Removal,
  clock: Clock,
): Customers {
  async function find(tenantId: TenantId, id: CustomerId) {
    const row = await rows.find(id);
    return row?.tenantId === tenantId ? row : undefined;
  }

  return {
    find,

    async create(tenantId, fields) {
      if ((await tenants.find(tenantId)) === undefined) return refused({ reason: 'not-found' });
      const at = clock.now();
      const row: CustomerRow = { id: newId<CustomerId>(at), tenantId, createdAt: at, version: 1, ...fields };
      return (await rows.create(row)) ? done(row) : refused({ reason: 'title-taken' });
    },

    async update(tenantId, id, fields, version) {
      if ((await find(tenantId, id)) === undefined) return refused({ reason: 'not-found' });
      const change = await rows.change(id, (row) => ({ ...row, ...fields }), version);
      switch (change.type) {
        case 'done':
          return done(change.row);
        case 'taken':
          return refused({ reason: 'title-taken' });
        case 'conflict':
          return refused({ reason: 'version-conflict' });
        case 'not-found':
          return refused({ reason: 'not-found' });
        default:
          return change satisfies never;
      }
    },

    findByTitle: (tenantId, title) => rows.findByKey(titleKey(tenantId, title)),
    list: (tenantId, query) => rows.page(customersOf(tenantId), query),
    remove: (tenantId, id, by) => removal.customer(tenantId, id, by),
  };
}
