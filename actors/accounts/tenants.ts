/** Tenants: created and deleted by the system administrator. Titles need not be unique. */
import type { Clock } from '../base/clock.ts';
import { newId, type TenantId } from '../base/ids.ts';
import type { Collection, Kind } from '../records/collection.ts';
import { type AccountAnswer, done, refused, type Tenant, type TenantFields, type Tenants } from './model.ts';
import type { Removal } from './removal.ts';

export interface TenantRow extends Tenant {
  readonly deleted?: true;
}

const LIST = 'account/tenants';

export const tenantKind: Kind<TenantRow> = {
  name: 'tenant',
  key: (row) => `account/tenant/${row.id}`,
  list: () => LIST,
  text: (row) => row.title,
};

export function createTenants(rows: Collection<TenantRow>, removal: Removal, clock: Clock): Tenants {
  return {
    async create(fields: TenantFields): Promise<AccountAnswer<Tenant>> {
      const at = clock.now();
      const row: TenantRow = { id: newId<TenantId>(at), createdAt: at, version: 1, ...fields };
      if (!(await rows.create(row))) throw new Error('a new tenant id was taken');
      return done(row);
    },

    async update(id, fields, version) {
      const change = await rows.change(id, (row) => ({ ...row, ...fields }), version);
      if (change.type === 'done') return done(change.row);
      return refused({ reason: change.type === 'conflict' ? 'version-conflict' : 'not-found' });
    },

    find: (id) => rows.find(id),
    list: (query) => rows.page(LIST, query),
    remove: (id, by) => removal.tenant(id, by),
  };
}
