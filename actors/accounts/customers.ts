/** Customers of a tenant. Titles are unique within the tenant, compared in their case and in NFC. */
import type { Clock } from '../base/clock.ts';
import { type CustomerId, newId, type TenantId } from '../base/ids.ts';
import { findSpelling } from '../base/spelling.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Collection } from '../records/collection.ts';
import { customersOf, titleKey } from './kinds.ts';
import {
  type AccountAnswer,
  type Customer,
  type CustomerFields,
  type Customers,
  done,
  isPublic,
  NO_CONTACT,
  refused,
  type Tenant,
} from './model.ts';
import type { Removal } from './removal.ts';

/** ThingsBoard's name for it. */
const PUBLIC: CustomerFields = { title: 'Public', contact: NO_CONTACT, additionalInfo: { isPublic: true } };

export function createCustomers(
  customers: Collection<Customer>,
  tenants: Collection<Tenant>,
  removal: Removal,
  clock: Clock,
): Customers {
  async function find(tenantId: TenantId, id: CustomerId) {
    const customer = await customers.find(id);
    return customer?.tenantId === tenantId ? customer : undefined;
  }

  async function create(tenantId: TenantId, fields: CustomerFields): Promise<AccountAnswer<Customer>> {
    if ((await tenants.find(tenantId)) === undefined) return refused({ reason: 'not-found' });
    const at = clock.now();
    const customer: Customer = { id: newId<CustomerId>(at), tenantId, createdAt: at, version: 1, ...fields };
    if (!(await customers.create(customer))) return refused({ reason: 'title-taken' });
    if ((await tenants.find(tenantId)) !== undefined) return done(customer);
    await customers.remove(customer.id); // the tenant was deleted meanwhile, perhaps before it could find the customer
    return refused({ reason: 'not-found' });
  }

  const findByTitle = (tenantId: TenantId, title: string) =>
    findSpelling(title, (spelling) => customers.findByKey(titleKey(tenantId, spelling)));

  return {
    find,
    create,

    async findPublic(id) {
      const customer = await customers.find(id);
      if (customer === undefined || !isPublic(customer)) return undefined;
      return (await tenants.find(customer.tenantId)) === undefined ? undefined : customer;
    },

    async publicOf(tenantId) {
      const before = await findByTitle(tenantId, PUBLIC.title);
      if (before === undefined) {
        const created = await create(tenantId, PUBLIC);
        const raced = created.type === 'refused' && created.refusal.reason === 'title-taken';
        if (!raced) return created;
      }
      const customer = before ?? (await findByTitle(tenantId, PUBLIC.title));
      return customer !== undefined && isPublic(customer)
        ? done(customer)
        : refused({ reason: 'title-taken' });
    },

    async update(tenantId, id, fields, version) {
      if ((await find(tenantId, id)) === undefined) return refused({ reason: 'not-found' });
      const change = await customers.change(id, (customer) => ({ ...customer, ...fields }), version);
      switch (change.type) {
        case 'done':
          return done(change.entity);
        case 'taken':
          return refused({ reason: 'title-taken' });
        case 'conflict':
          return refused({ reason: 'version-conflict' });
        case 'not-found':
          return refused({ reason: 'not-found' });
        default:
          return unreachable(change);
      }
    },

    findByTitle,
    list: (tenantId, query) => customers.page(customersOf(tenantId), query),
    remove: (tenantId, id, by) => removal.customer(tenantId, id, by),
  };
}
