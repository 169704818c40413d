/** The tenant's customers. */

import { z } from 'zod';
import type { Accounts, Customer } from '../../actors/accounts/accounts.ts';
import { TENANT, TENANT_AND_CUSTOMER, type TenantAdministrator } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { customerView, viewCustomer } from '../views/customer.ts';
import { pageView } from '../views/page.ts';
import { accountProblem, notFound } from '../wire/errors.ts';
import { unlessVisible } from '../wire/names.ts';
import { empty, json } from '../wire/reply.ts';
import {
  additionalInfo,
  contactFields,
  customerId,
  NAME_MAX,
  reference,
  requiredText,
  titlePaging,
  toContact,
  version,
} from '../wire/schemas.ts';
import { visibleCustomer } from './access.ts';
import { pageReply } from './answers.ts';
import { noteSetting, settingsOfTitled } from './setting-notes.ts';
import type { NotesChanges } from './user-notes.ts';

const inPath = z.object({ customerId });

const customerBody = z.object(
  {
    id: reference(customerId),
    title: requiredText('Customer title'),
    ...contactFields,
    additionalInfo,
    version,
  },
  { error: 'The body should be a JSON object!' },
);

interface CustomerNeeds {
  readonly accounts: Accounts;
  readonly audit: NotesChanges;
}

export function customerRoutes(needs: CustomerNeeds): Route[] {
  return [
    saveCustomer(needs),
    readCustomer(needs),
    deleteCustomer(needs),
    listCustomers(needs),
    customerByTitle(needs),
  ];
}

function saveCustomer({ accounts: { customers }, audit }: CustomerNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/customer',
    stores: true,
    summary: 'Create a customer, or with an id: change it',
    roles: TENANT,
    body: customerBody,
    responses: {
      200: { description: 'The customer', schema: customerView },
      400: { description: 'The title is taken or malformed' },
      404: { description: 'No such customer' },
      409: { description: 'Changed since the version given' },
    },
    async handle({ principal, body }) {
      const { tenantId } = principal;
      const fields = { title: body.title, contact: toContact(body), additionalInfo: body.additionalInfo };
      const before = body.id === undefined ? undefined : await customers.find(tenantId, body.id);
      const hidden = unlessVisible([['Customer title', body.title, before?.title]]);
      if (hidden !== undefined) return hidden;
      const saved =
        body.id === undefined
          ? await customers.create(tenantId, fields)
          : await customers.update(tenantId, body.id, fields, body.version);
      if (saved.type !== 'done') return accountProblem(saved, 'Customer');
      await noteCustomer(audit, principal, before, saved.value);
      return json(viewCustomer(saved.value));
    },
  });
}

async function noteCustomer(
  audit: NotesChanges,
  by: TenantAdministrator,
  before: Customer | undefined,
  after: Customer | undefined,
): Promise<void> {
  const customer = after ?? before;
  if (customer === undefined) return;
  await noteSetting(audit, by, {
    tenantId: by.tenantId,
    action: before === undefined ? 'ADDED' : after === undefined ? 'DELETED' : 'UPDATED',
    what: { setting: 'customer', title: customer.title },
    customerId: customer.id,
    before: before && settingsOfTitled(before),
    after: after && settingsOfTitled(after),
  });
}

function readCustomer({ accounts }: CustomerNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/customer/:customerId',
    summary: 'A customer',
    roles: TENANT_AND_CUSTOMER,
    params: inPath,
    responses: {
      200: { description: 'The customer', schema: customerView },
      403: { description: 'Another customer than your own' },
      404: { description: 'No such customer' },
    },
    async handle({ principal, params }) {
      const customer = await visibleCustomer(accounts, principal, params.customerId);
      return customer.type === 'found' ? json(viewCustomer(customer.value)) : customer;
    },
  });
}

function deleteCustomer({ accounts: { customers }, audit }: CustomerNeeds): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/api/customer/:customerId',
    summary: 'Delete a customer and its users; its devices are unassigned',
    roles: TENANT,
    params: inPath,
    responses: { 200: { description: 'Deleted' }, 404: { description: 'No such customer' } },
    async handle({ principal, params }) {
      const before = await customers.find(principal.tenantId, params.customerId);
      const removed = await customers.remove(principal.tenantId, params.customerId, principal.userId);
      if (removed.type !== 'done') return accountProblem(removed, 'Customer');
      await noteCustomer(audit, principal, before, undefined);
      return empty;
    },
  });
}

function listCustomers({ accounts: { customers } }: CustomerNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/customers',
    summary: "The tenant's customers",
    roles: TENANT,
    query: titlePaging,
    responses: { 200: { description: 'A page of customers', schema: pageView(customerView) } },
    async handle({ principal, query }) {
      return pageReply(await customers.list(principal.tenantId, query), query, viewCustomer);
    },
  });
}

function customerByTitle({ accounts: { customers } }: CustomerNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/tenant/customers',
    summary: "The tenant's customer of a title",
    roles: TENANT,
    query: z.object({ customerTitle: z.string({ error: 'customerTitle should be specified!' }) }),
    responses: {
      200: { description: 'The customer', schema: customerView },
      404: { description: 'No customer of this title' },
    },
    async handle({ principal, query }) {
      const { customerTitle: title } = query;
      // A text too long for a title is not looked up: stores limit their keys.
      const isTitle = title.length <= NAME_MAX;
      const customer = isTitle ? await customers.findByTitle(principal.tenantId, title) : undefined;
      return customer === undefined ? notFound : json(viewCustomer(customer));
    },
  });
}
