/** What clients see of a tenant. */
import { z } from 'zod';
import type { Tenant } from '../../actors/accounts/accounts.ts';
import { contact, postal } from './contact.ts';
import { entityId, info, instant, optional } from './parts.ts';

export const tenantView = z
  .object({
    id: entityId('TENANT'),
    createdTime: instant,
    ...contact,
    title: z.string(),
    region: optional,
    tenantProfileId: entityId('TENANT_PROFILE'),
    email: optional,
    additionalInfo: info,
    version: z.int(),
    name: z.string(),
  })
  .meta({ id: 'Tenant' });

/** All tenants have the same profile, which limits nothing. */
const TENANT_PROFILE = '13814000-1dd2-11b2-8080-808080808081';

export function viewTenant(tenant: Tenant): z.infer<typeof tenantView> {
  return {
    id: { entityType: 'TENANT', id: tenant.id },
    createdTime: tenant.createdAt,
    ...postal(tenant.contact),
    title: tenant.title,
    region: tenant.region,
    tenantProfileId: { entityType: 'TENANT_PROFILE', id: TENANT_PROFILE },
    email: tenant.contact.email,
    additionalInfo: tenant.additionalInfo,
    version: tenant.version,
    name: tenant.title,
  };
}
