/** Tenants: created and deleted by the system administrator. Titles need not be unique. */
import type { Clock } from '../base/clock.ts';
import { newId, type TenantId } from '../base/ids.ts';
import { ifUnavailable } from '../journal/unavailable.ts';
import type { Collection } from '../records/collection.ts';
import { TENANTS } from './kinds.ts';
import { done, refused, type Tenant, type Tenants } from './model.ts';
import type { Removal } from './removal.ts';

/** @param begins hears of each new tenant; the tenant is there even where it rejects with `StoreUnavailable` */
export function createTenants(
  tenants: Collection<Tenant>,
  removal: Removal,
  clock: Clock,
  begins: (id: TenantId) => Promise<void>,
): Tenants {
  return {
    async create(fields) {
      const at = clock.now();
      const tenant: Tenant = { id: newId<TenantId>(at), createdAt: at, version: 1, ...fields };
      if (!(await tenants.create(tenant))) throw new Error('a new tenant id was taken');
      await begins(tenant.id).catch(ifUnavailable(() => {}));
      return done(tenant);
    },

    async update(id, fields, version) {
      const change = await tenants.change(id, (tenant) => ({ ...tenant, ...fields }), version);
      if (change.type === 'done') return done(change.entity);
      return refused({ reason: change.type === 'conflict' ? 'version-conflict' : 'not-found' });
    },

    find: (id) => tenants.find(id),
    list: (query) => tenants.page(TENANTS, query),
    each: () => tenants.each(TENANTS),
    remove: (id, by) => removal.tenant(id, by),
  };
}
