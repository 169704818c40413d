/** How much of what a tenant may have it has. In ThingsBoard's form, as far as there is such a thing here. */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { StoredBytes } from '../../actors/accounts/stored-bytes.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { TenantId } from '../../actors/base/ids.ts';
import { mapInSlices } from '../../actors/base/slices.ts';
import type { Directory } from '../../actors/fleet/devices.ts';
import { SYSTEM, TENANT } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { notFound } from '../wire/errors.ts';
import { json } from '../wire/reply.ts';
import { tenantId } from '../wire/schemas.ts';

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
  readonly clock: Clock;
  readonly settings: Pick<ApiSettings, 'devicesPerTenant'>;
}

/** What is wrong with a tenant, so that somebody should look after it. */
const HEALTH = ['no-administrator', 'devices-full', 'storage-full'] as const;

export const tenantUsageView = z.object({
  devices: z.int(),
  /** Devices that customers own. Null: more than are counted just now. */
  owned: z.int().nullable(),
  customers: z.int(),
  /** Null: it has more customers than are looked at. */
  users: z.int().nullable(),
  storedBytes: z.int(),
  /** Empty: all is well. `no-administrator`: nobody can sign in who may administer it. */
  health: z.array(z.enum(HEALTH)),
});

/** Customers of a tenant whose users are counted for a list of tenants. */
const CUSTOMERS_COUNTED = 200;
/** Administrators of a tenant among whom one is looked for who can sign in. */
const ADMINISTRATORS_LOOKED_AT = 100;

/** Only the numbers of entities are read. */
const NONE = { page: 0, pageSize: 1 } as const;

export function usageRoutes(needs: UsageNeeds): Route[] {
  const { accounts, directory, stored, settings } = needs;
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

    defineRoute({
      method: 'GET',
      path: '/api/tenant/:tenantId/usage',
      summary: 'How much a tenant has, and whether all is well with it',
      roles: SYSTEM,
      params: z.object({ tenantId }),
      responses: {
        200: { description: 'Numbers and health', schema: tenantUsageView },
        404: { description: 'No such tenant' },
      },
      async handle({ params }) {
        const tenant = await needs.accounts.tenants.find(params.tenantId);
        return tenant === undefined ? notFound : json(await usageOf(needs, tenant.id));
      },
    }),
  ];
}

async function usageOf(
  { accounts, directory, stored, settings, clock }: UsageNeeds,
  id: TenantId,
): Promise<z.output<typeof tenantUsageView>> {
  const claimState = { state: 'OWNED', at: clock.now() } as const;
  const [devices, owned, customers, admins, storedBytes] = await Promise.all([
    directory.ofTenant(id, NONE),
    directory.ofTenant(id, { ...NONE, claimState }),
    accounts.customers.list(id, { page: 0, pageSize: CUSTOMERS_COUNTED }),
    accounts.users.list(
      { authority: 'TENANT_ADMIN', tenantId: id },
      { page: 0, pageSize: ADMINISTRATORS_LOOKED_AT },
    ),
    stored?.of(id) ?? 0,
  ]);
  const ofCustomers = await mapInSlices(customers.items, async ({ id: customerId }) => {
    const membership = { authority: 'CUSTOMER_USER', tenantId: id, customerId } as const;
    return (await accounts.users.list(membership, NONE)).total;
  });
  const users = ofCustomers.reduce((sum, count) => sum + count, admins.total);
  const { devicesPerTenant } = settings;
  const canSignIn = admins.items.some(({ enabled, activated }) => enabled && activated);
  const wrong: Readonly<Record<(typeof HEALTH)[number], boolean>> = {
    'no-administrator': !canSignIn && admins.total <= ADMINISTRATORS_LOOKED_AT,
    'devices-full': devicesPerTenant > 0 && devices.total >= devicesPerTenant,
    'storage-full': stored !== undefined && stored.max > 0 && storedBytes >= stored.max,
  };
  return {
    devices: devices.total,
    owned: owned.atLeast ? null : owned.total,
    customers: customers.total,
    users: customers.total > CUSTOMERS_COUNTED ? null : users,
    storedBytes,
    health: HEALTH.filter((name) => wrong[name]),
  };
}
