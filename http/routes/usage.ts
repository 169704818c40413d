/** How much of what a tenant may have it has. In ThingsBoard's form, as far as there is such a thing here. */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { StoredBytes } from '../../actors/accounts/stored-bytes.ts';
import type { Directory } from '../../actors/fleet/devices.ts';
import { TENANT } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { json } from '../wire/reply.ts';

const limit = z.int().describe('0: no limit');
export const usageView = z.object({
  devices: z.int(),
  maxDevices: limit,
  customers: z.int(),
  maxCustomers: limit,
  users: z.int(),
  maxUsers: limit,
  /** Ours. */
  storedBytes: z.int(),
  maxStoredBytes: limit,
});

export interface UsageNeeds {
  readonly accounts: Accounts;
  readonly directory: Directory;
  readonly stored?: StoredBytes;
  readonly settings: Pick<ApiSettings, 'devicesPerTenant'>;
}

/** Only the numbers of entities are read. */
const NONE = { page: 0, pageSize: 1 } as const;

export function usageRoutes({ accounts, directory, stored, settings }: UsageNeeds): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/usage',
      summary: 'How much the tenant has of what it may have',
      roles: TENANT,
      responses: { 200: { description: 'Numbers and limits', schema: usageView } },
      async handle({ principal: { tenantId } }) {
        const [devices, customers, users, storedBytes] = await Promise.all([
          directory.ofTenant(tenantId, NONE),
          accounts.customers.list(tenantId, NONE),
          accounts.users.listOfTenant(tenantId, NONE),
          stored?.of(tenantId) ?? 0,
        ]);
        return json({
          devices: devices.total,
          maxDevices: settings.devicesPerTenant,
          customers: customers.total,
          maxCustomers: 0,
          users: users.total,
          maxUsers: 0,
          storedBytes,
          maxStoredBytes: stored?.max ?? 0,
        });
      },
    }),
  ];
}
