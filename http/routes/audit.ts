/** The tenant's audit trail: who did what to which device, and what was refused. */

import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import { ACTIONS, type Action, type AuditEntry } from '../../actors/audit/entry.ts';
import { type AuditPage, type AuditQuery, ENTRIES_SEARCHED_MAX } from '../../actors/audit/query.ts';
import type { TenantId, UserId } from '../../actors/base/ids.ts';
import { mapInSlices } from '../../actors/base/slices.ts';
import { TENANT } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { auditView, viewAudit } from '../views/audit.ts';
import { pageView, viewPage } from '../views/page.ts';
import { csvLine, noFormula } from '../wire/csv.ts';
import { badRequest } from '../wire/errors.ts';
import { listed, switched } from '../wire/query.ts';
import { json, type Reply, streamOf } from '../wire/reply.ts';
import { customerId, deviceId, NAME_MAX, paging, userId } from '../wire/schemas.ts';

export interface AuditNeeds {
  readonly accounts: Accounts;
  readonly audit: AuditTrail;
}

const epochMs = z
  .string()
  .regex(/^\d{0,15}$/, 'startTime and endTime should be instants in milliseconds since 1970!')
  .transform((text) => (text === '' ? undefined : Number(text)))
  .optional()
  .meta({ documentedAs: { type: 'integer', format: 'int64' } });

const actionTypes = listed()
  .pipe(z.array(z.enum(ACTIONS, { error: 'Unknown action type!' })))
  .meta({ documentedAs: { type: 'array', items: { type: 'string', enum: ACTIONS } } });

/** Entries are always sorted by time; `textSearch` finds text in names of devices and of actions. */
const query = z
  .object({
    startTime: epochMs,
    endTime: epochMs,
    actionTypes,
  })
  .transform(wantedOf)
  .and(paging({ createdTime: 'createdTime' }));

const exportQuery = z
  .object({
    startTime: epochMs,
    endTime: epochMs,
    actionTypes,
    textSearch: z.string().max(NAME_MAX).optional(),
    customerId: customerId.optional(),
    userId: userId.optional(),
    raw: switched('raw'),
  })
  .transform(({ textSearch, customerId, userId, raw, ...timeAndKind }) => ({
    raw: raw === true,
    wanted: {
      ...wantedOf(timeAndKind),
      ...(textSearch === undefined || textSearch === '' ? {} : { textSearch }),
      ...(customerId === undefined ? {} : { customerId }),
      ...(userId === undefined ? {} : { userId }),
    },
  }));

interface TimeAndKind {
  readonly startTime?: number | undefined;
  readonly endTime?: number | undefined;
  readonly actionTypes: readonly Action[];
}

function wantedOf({ startTime, endTime, actionTypes }: TimeAndKind) {
  return {
    ...(startTime === undefined ? {} : { startTime }),
    ...(endTime === undefined ? {} : { endTime }),
    ...(actionTypes.length === 0 ? {} : { actions: actionTypes }),
  };
}

const responses = {
  200: {
    description: `A page of entries, in the order of time; at its edge, what was written together (a second’s worth, more after a pause) may be on the page before or after. What is asked for is looked for among ${ENTRIES_SEARCHED_MAX} entries, from the newest (ASC: the oldest) of the time asked for; only then is totalElements all there is.`,
    schema: pageView(auditView),
  },
  400: { description: 'Malformed; or nothing was found among as many entries, and there are more' },
};

export function auditRoutes({ accounts, audit }: AuditNeeds): Route[] {
  async function reply(tenantId: TenantId, wanted: AuditQuery): Promise<Reply> {
    const page = await audit.find(tenantId, wanted);
    const gaveUp = nothingYet(page, wanted);
    if (gaveUp !== undefined) return gaveUp;
    const ids = [...new Set(page.items.flatMap(({ userId: id }) => id ?? []))];
    const users = new Map(
      await mapInSlices(ids, async (id) => [id, (await accounts.users.find(id))?.email] as const),
    );
    return json(viewPage(page, wanted, (entry) => viewAudit(tenantId, entry, users)));
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/audit/logs',
      summary: 'What happened in the tenant, the newest first',
      roles: TENANT,
      query,
      responses,
      handle: ({ principal, query: wanted }) => reply(principal.tenantId, wanted),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/audit/logs/customer/:customerId',
      summary: 'What concerned a customer',
      roles: TENANT,
      params: z.object({ customerId }),
      query,
      responses,
      handle: ({ principal, params, query: wanted }) => reply(principal.tenantId, { ...wanted, ...params }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/audit/logs/user/:userId',
      summary: 'What a user did',
      roles: TENANT,
      params: z.object({ userId }),
      query,
      responses,
      handle: ({ principal, params, query: wanted }) => reply(principal.tenantId, { ...wanted, ...params }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/audit/logs/entity/:entityType/:entityId',
      summary: 'What happened to a device, or to a user',
      roles: TENANT,
      params: z.discriminatedUnion(
        'entityType',
        [
          z.object({ entityType: z.literal('DEVICE'), entityId: deviceId }),
          z.object({ entityType: z.literal('USER'), entityId: userId }),
        ],
        { error: 'Entries are about a DEVICE or a USER!' },
      ),
      query,
      responses,
      handle({ principal: { tenantId }, params, query: wanted }) {
        return params.entityType === 'DEVICE'
          ? reply(tenantId, { ...wanted, deviceId: params.entityId })
          : reply(tenantId, { ...wanted, userId: params.entityId, about: 'USER' });
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/audit/logs/export',
      summary: 'All that happened in the tenant and fits, the oldest first, as CSV',
      roles: TENANT,
      query: exportQuery,
      description:
        'However much it is; entries written together (a second’s worth, more after a pause) may have changed places, and those that are written meanwhile may be missing. For programs with raw=true: else a text that a spreadsheet would run as a formula has a quote before it.',
      responses: { 200: { description: 'CSV (RFC 4180)' }, 400: { description: 'Malformed' } },
      handle: ({ principal, query: { wanted, raw }, whileStanding }) => ({
        type: 'stream',
        contentType: 'text/csv;charset=UTF-8',
        body: streamOf(whileStanding(exportLines(accounts, audit.all(principal.tenantId, wanted), raw))),
      }),
    }),

    defineRoute({
      method: 'GET',
      path: '/api/audit/head',
      summary:
        'The head of the hash chain that the trail is: kept elsewhere, it shows later that no entry before it was changed (npm start -- verify)',
      roles: TENANT,
      responses: {
        200: {
          description: 'How many entries there are, and the hash over all of them',
          schema: z.object({ tenantId: z.uuid(), entries: z.int(), hash: z.string() }),
        },
      },
      handle: async ({ principal: { tenantId } }) => json({ tenantId, ...(await audit.head(tenantId)) }),
    }),
  ];
}

/** A search that gave up must not look like one that saw everything, so the caller hears where to continue. */
function nothingYet({ total, searchedTo }: AuditPage, { sortOrder }: AuditQuery): Reply | undefined {
  if (total > 0 || searchedTo === undefined) return undefined;
  const [direction, parameter] = sortOrder === 'ASC' ? ['up to', 'startTime'] : ['back to', 'endTime'];
  return badRequest(
    `Nothing was found among ${ENTRIES_SEARCHED_MAX} entries ${direction} ${searchedTo}, and there are more! Go on with ${parameter}=${searchedTo}.`,
  );
}

const COLUMNS = [
  'time',
  'action',
  'status',
  'reason',
  'deviceId',
  'deviceName',
  'customerId',
  'userId',
  'userName',
  'data',
  'entryId',
];

/** Users whose names are remembered. */
const NAMES_MAX = 1_000;

async function* exportLines(
  { users }: Accounts,
  entries: AsyncIterable<AuditEntry>,
  raw: boolean,
): AsyncGenerator<string> {
  const safe = raw ? (text: string) => text : noFormula;
  const names = new Map<UserId, string>();
  const nameOf = async (id: UserId) => {
    const name = names.get(id) ?? (await users.find(id))?.email ?? '';
    if (names.size >= NAMES_MAX) names.clear();
    names.set(id, name);
    return name;
  };
  yield csvLine(COLUMNS);
  for await (const { id, at, action, failure, deviceId, deviceName, ...entry } of entries) {
    const { customerId, userId, data } = entry;
    yield csvLine([
      new Date(at).toISOString(),
      action,
      failure === undefined ? 'SUCCESS' : 'FAILURE',
      safe(failure ?? ''),
      deviceId ?? '',
      safe(deviceName ?? ''),
      customerId ?? '',
      userId ?? '',
      userId === undefined ? '' : safe(await nameOf(userId)),
      JSON.stringify(data),
      id,
    ]);
  }
}
