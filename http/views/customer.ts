/** What clients see of a customer. */
import { z } from 'zod';
import type { Customer } from '../../actors/accounts/accounts.ts';
import { contact, postal } from './contact.ts';
import { entityId, info, instant, optional } from './parts.ts';

export const customerView = z
  .object({
    id: entityId('CUSTOMER'),
    createdTime: instant,
    ...contact,
    title: z.string(),
    tenantId: entityId('TENANT'),
    externalId: z.null(),
    version: z.int(),
    email: optional,
    additionalInfo: info,
    name: z.string(),
  })
  .meta({ id: 'Customer' });

export function viewCustomer(customer: Customer): z.infer<typeof customerView> {
  return {
    id: { entityType: 'CUSTOMER', id: customer.id },
    createdTime: customer.createdAt,
    ...postal(customer.contact),
    title: customer.title,
    tenantId: { entityType: 'TENANT', id: customer.tenantId },
    externalId: null,
    version: customer.version,
    email: customer.contact.email,
    additionalInfo: customer.additionalInfo,
    name: customer.title,
  };
}
