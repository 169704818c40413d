/** Customers of a tenant. Titles are unique within the tenant, compared exactly. */
import type { Clock } from '../base/clock.ts';
import { type CustomerId, newId, type TenantId } from '../base/ids.ts';
import type { Collection, Kind } from '../records/collection.ts';
import {
  type Customer,
  type CustomerFields,
  type Customers,
  done,
  isPublic,
  NO_CONTACT,
  refused,
} from './model.ts';
import type { Removal } from './removal.ts';
import type { TenantRow } from './tenants.ts';

export interface CustomerRow extends Customer {
  readonly deleted?: true;
}

/** ThingsBoard's name for it. */
const PUBLIC: CustomerFields = { title: 'Public', contact: NO_CONTACT, additionalInfo: { isPublic: true } };

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

  async function create(tenantId: TenantId, fields: CustomerFields) {
    if ((await tenants.find(tenantId)) === undefined) return refused({ reason: 'not-found' });
    const at = clock.now();
    const row: CustomerRow = { id: newId<CustomerId>(at), tenantId, createdAt: at, version: 1, ...fields };
    if (!(await rows.create(row))) return refused({ reason: 'title-taken' });
    if ((await tenants.find(tenantId)) !== undefined) return done(row);
    const marked = await rows.mark(row.id); // the tenant was deleted meanwhile; from here on that finds the customer
    if (marked !== undefined) await rows.erase(marked);
    return refused({ reason: 'not-found' });
  }

  const findByTitle = (tenantId: TenantId, title: string) => rows.findByKey(titleKey(tenantId, title));

  return {
    find,
    create,

    async findPublic(id) {
      const row = await rows.find(id);
      if (row === undefined || !isPublic(row)) return undefined;
      return (await tenants.find(row.tenantId)) === undefined ? undefined : row;
    },

    async publicOf(tenantId) {
      const known = await findByTitle(tenantId, PUBLIC.title);
      if (known === undefined) {
        const created = await create(tenantId, PUBLIC);
        const raced = created.type === 'refused' && created.refusal.reason === 'title-taken';
        if (!raced) return created;
      }
      const there = known ?? (await findByTitle(tenantId, PUBLIC.title));
      return there !== undefined && isPublic(there) ? done(there) : refused({ reason: 'title-taken' });
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

    findByTitle,
    list: (tenantId, query) => rows.page(customersOf(tenantId), query),
    remove: (tenantId, id, by) => removal.customer(tenantId, id, by),
  };
}
