/** Tenants: managed by the system administrator; a tenant's administrator may read its own. */

import { z } from 'zod';
import type { Accounts, Tenant } from '../../actors/accounts/accounts.ts';
import { ADMINISTRATORS, SYSTEM } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { pageView } from '../views/page.ts';
import { tenantView, viewTenant } from '../views/tenant.ts';
import { accountProblem, notFound } from '../wire/errors.ts';
import { unlessVisible } from '../wire/names.ts';
import { empty, json } from '../wire/reply.ts';
import {
  additionalInfo,
  contactFields,
  optionalText,
  reference,
  requiredText,
  tenantId,
  titlePaging,
  toContact,
  version,
} from '../wire/schemas.ts';
import { pageReply } from './answers.ts';
import { noteSetting, settingsOfTitled } from './setting-notes.ts';
import type { NotesChanges } from './user-notes.ts';

const inPath = z.object({ tenantId });

const tenantBody = z.object(
  {
    id: reference(tenantId),
    title: requiredText('Tenant title'),
    region: optionalText('Region'),
    ...contactFields,
    additionalInfo,
    version,
  },
  { error: 'The body should be a JSON object!' },
);

interface TenantNeeds {
  readonly accounts: Accounts;
  readonly audit: NotesChanges;
}

export function tenantRoutes({ accounts, audit }: TenantNeeds): Route[] {
  const { tenants } = accounts;

  return [
    defineRoute({
      method: 'POST',
      path: '/api/tenant',
      summary: 'Create a tenant, or with an id: change it',
      roles: SYSTEM,
      body: tenantBody,
      responses: {
        200: { description: 'The tenant', schema: tenantView },
        404: { description: 'No such tenant' },
        409: { description: 'Changed since the version given' },
      },
      async handle({ principal, body }) {
        const before = body.id === undefined ? undefined : await tenants.find(body.id);
        const { title, region, additionalInfo: info } = body;
        const fields = { title, region, contact: toContact(body), additionalInfo: info };
        const hidden = unlessVisible([['Tenant title', title, before?.title]]);
        if (hidden !== undefined) return hidden;
        const saved =
          body.id === undefined
            ? await tenants.create(fields)
            : await tenants.update(body.id, fields, body.version);
        if (saved.type !== 'done') return accountProblem(saved, 'Tenant');
        const { value } = saved;
        const settings = (tenant: Tenant) => ({ ...settingsOfTitled(tenant), region: tenant.region });
        await noteSetting(audit, principal, {
          tenantId: value.id,
          action: before === undefined ? 'ADDED' : 'UPDATED',
          what: { setting: 'tenant', title: value.title },
          before: before && settings(before),
          after: settings(value),
        });
        return json(viewTenant(value));
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/tenant/:tenantId',
      summary: 'A tenant',
      roles: ADMINISTRATORS,
      params: inPath,
      responses: {
        200: { description: 'The tenant', schema: tenantView },
        404: { description: 'No such tenant' },
      },
      async handle({ principal, params }) {
        const own = principal.authority === 'SYS_ADMIN' || principal.tenantId === params.tenantId;
        const tenant = own ? await tenants.find(params.tenantId) : undefined;
        return tenant === undefined ? notFound : json(viewTenant(tenant));
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/tenant/:tenantId',
      summary: 'Delete a tenant with its devices, customers and users',
      roles: SYSTEM,
      params: inPath,
      responses: { 200: { description: 'Deleted' }, 404: { description: 'No such tenant' } },
      async handle({ principal, params }) {
        const removed = await tenants.remove(params.tenantId, principal.userId);
        return removed.type === 'done' ? empty : accountProblem(removed, 'Tenant');
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/tenants',
      summary: 'All tenants',
      roles: SYSTEM,
      query: titlePaging,
      responses: { 200: { description: 'A page of tenants', schema: pageView(tenantView) } },
      async handle({ query }) {
        return pageReply(await tenants.list(query), query, viewTenant);
      },
    }),
  ];
}
