/**
 * Batches: one change to many devices, named one by one or by what they have in common. A batch runs in the background,
 * outlives a restart, says what became of each device, and may be undone where nothing is lost by it.
 */
import { z } from 'zod';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { DeviceId } from '../../actors/base/ids.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import {
  BATCH_DEVICES_MAX,
  BATCHES_UNDER_WAY_MAX,
  type Batch,
  type BatchAnswer,
  type BatchChange,
  type Batches,
  isUnderWay,
  isUndoable,
} from '../../actors/batches/model.ts';
import { impersonation, TENANT, type TenantAdministrator, wayIn } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import {
  batchRowView,
  batchView,
  CHANGES,
  viewBatch,
  viewBatchRow,
  viewBatchRowWithReason,
} from '../views/batch.ts';
import { pageView, viewPage } from '../views/page.ts';
import { badRequest, notFound } from '../wire/errors.ts';
import { unlessVisible } from '../wire/names.ts';
import { switched } from '../wire/query.ts';
import { isProblem, json, type Problem, type Reply } from '../wire/reply.ts';
import { customerId, deviceId, devicePaging, optionalText, WITH_REASONS } from '../wire/schemas.ts';
import { visibleCustomer } from './access.ts';
import { type LargeReads, TOO_MANY_READS } from './large-reads.ts';
import { fitting, type SelectionNeeds, where } from './selection.ts';
import { noteChange } from './user-notes.ts';

export interface BatchRouteNeeds extends SelectionNeeds {
  readonly batches: Batches;
  readonly audit: AuditTrail;
  readonly largeReads: LargeReads;
}

/** Devices that one request names one by one. */
const NAMED_MAX = 1_000;
const YEAR_MS = 365 * 86_400_000;

const newBatch = z.object(
  {
    change: z.enum(Object.values(CHANGES), {
      error: `change should be one of ${Object.values(CHANGES).join(', ')}!`,
    }),
    /** Of `ASSIGN`: to whom. */
    customerId: customerId.optional(),
    /** Of `SET_LABEL`; empty: the label is taken away. */
    label: optionalText('Device label').optional(),
    /** Of `SET_KEYS`: until when the new keys hold; default: a year. */
    keyExpirationTime: z.int().nonnegative().optional(),
    deviceIds: z.array(deviceId).min(1).max(NAMED_MAX, `At most ${NAMED_MAX} ids at once!`).optional(),
    /** Instead of ids: all devices that it describes, `{}` all that there are. */
    where: where.optional(),
    /** How many devices the caller means. Where it is another number by now, nothing is done. */
    expected: z.int().nonnegative().optional(),
  },
  { error: 'The body should be {"change": …, "deviceIds" or "where": …}!' },
);

type NewBatch = z.output<typeof newBatch>;

const inPath = z.object({ batchId: z.string() });

export function batchRoutes(needs: BatchRouteNeeds): Route[] {
  return [
    beginBatch(needs),
    listBatches(needs),
    readBatch(needs),
    listRows(needs),
    cancelBatch(needs),
    undoBatch(needs),
  ];
}

function view(batch: Batch) {
  const ended = !isUnderWay(batch) && batch.state !== 'preparing';
  const isFirst = batch.undoes === undefined && batch.undoneBy === undefined;
  return viewBatch(batch, ended && isFirst && batch.done > 0 && isUndoable(batch.change));
}

function reply(answer: BatchAnswer): Reply {
  if (answer.type === 'done') return json(view(answer.batch));
  switch (answer.reason) {
    case 'not-found':
      return notFound;
    case 'not-in-this-state':
      return badRequest('The batch is not in a state for this!');
    case 'too-many':
      return badRequest(
        `${BATCHES_UNDER_WAY_MAX} batches are under way! Wait until one has ended, or cancel one.`,
      );
    case 'not-undoable':
      return badRequest('This cannot be undone!');
    case 'undone-already':
      return badRequest('This was undone already!');
    default:
      return unreachable(answer.reason);
  }
}

const by = (principal: TenantAdministrator) => ({
  tenantId: principal.tenantId,
  createdBy: principal.userId,
  ...impersonation(principal),
  ...wayIn(principal),
});

function beginBatch(needs: BatchRouteNeeds): Route {
  const { accounts, clock } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/deviceBatch',
    stores: true,
    summary: `Change many devices in the background, at most ${BATCH_DEVICES_MAX}: named by deviceIds, or all that fit where`,
    roles: TENANT,
    body: newBatch,
    responses: {
      200: { description: 'It has begun; ask for it to see how far it is', schema: batchView },
      400: { description: 'Malformed; or there are too many devices, or other ones than expected' },
      404: { description: 'No such customer' },
      ...TOO_MANY_READS,
    },
    async handle({ principal, body }) {
      const change = changeOf(body, clock.now());
      if (isProblem(change)) return change;
      if (change.type === 'assign') {
        const customer = await visibleCustomer(accounts, principal, change.customerId);
        if (customer.type !== 'found') return customer;
      }
      const begin = () => begun(needs, principal, body, change);
      return body.where === undefined ? begin() : needs.largeReads.run(principal.tenantId, begin);
    },
  });
}

async function begun(
  needs: BatchRouteNeeds,
  principal: TenantAdministrator,
  body: NewBatch,
  change: BatchChange,
): Promise<Reply> {
  const devices = await devicesOf(needs, principal, body);
  if (isProblem(devices)) return devices;
  const answer = await needs.batches.begin({ ...by(principal), change }, devices);
  if (answer.type === 'done') {
    const { id, rows } = answer.batch;
    const data = { batch: id, change: body.change, devices: rows };
    await noteChange(needs.audit, principal, { tenantId: principal.tenantId, action: 'ADDED', data });
  }
  return reply(answer);
}

function changeOf(
  { change, customerId, label, keyExpirationTime }: NewBatch,
  now: number,
): BatchChange | Problem {
  switch (change) {
    case 'ASSIGN':
      return customerId === undefined
        ? badRequest('customerId should be specified!')
        : { type: 'assign', customerId };
    case 'TAKE_BACK':
      return { type: 'take-back' };
    case 'ALLOW_CLAIMING':
      return { type: 'allow' };
    case 'FORBID_CLAIMING':
      return { type: 'forbid' };
    case 'SET_LABEL':
      if (label === undefined) return badRequest('label should be specified!');
      return unlessVisible([['Device label', label]]) ?? { type: 'label', label };
    case 'SET_KEYS':
      return { type: 'keys', expiresAt: keyExpirationTime ?? now + YEAR_MS };
    case 'DELETE':
      return { type: 'delete' };
    default:
      return unreachable(change);
  }
}

const EITHER = badRequest('Either deviceIds or where should be specified!');

/** The devices that a body means, each once. */
async function devicesOf(
  needs: BatchRouteNeeds,
  principal: TenantAdministrator,
  { deviceIds, where, expected }: NewBatch,
): Promise<readonly DeviceId[] | Problem> {
  if (deviceIds !== undefined && where !== undefined) return EITHER;
  const ids = where === undefined ? (deviceIds ?? EITHER) : await fitting(needs, principal, where);
  if (isProblem(ids)) return ids;
  const devices = [...new Set(ids)];
  if (devices.length === 0) return badRequest('No device fits!');
  if (expected === undefined || expected === devices.length) return devices;
  return badRequest(
    `There are ${devices.length} devices now and not ${expected}, so nothing was done. Look at them again!`,
  );
}

function listBatches({ batches }: BatchRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceBatches',
    summary: 'The newest batches; older ones are forgotten',
    roles: TENANT,
    responses: { 200: { description: 'The batches', schema: z.array(batchView) } },
    handle: async ({ principal }) => json((await batches.list(principal.tenantId)).map(view)),
  });
}

function readBatch({ batches }: BatchRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceBatch/:batchId',
    summary: 'How far a batch is',
    roles: TENANT,
    params: inPath,
    responses: {
      200: { description: 'The batch', schema: batchView },
      404: { description: 'No such batch' },
    },
    async handle({ principal, params }) {
      const batch = await batches.find(principal.tenantId, params.batchId);
      return batch === undefined ? notFound : json(view(batch));
    },
  });
}

function listRows({ batches }: BatchRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceBatch/:batchId/rows',
    summary: 'What became of each device',
    roles: TENANT,
    params: inPath,
    query: z.object({ refusedOnly: switched('refusedOnly'), reasons: switched('reasons') }).and(devicePaging),
    description: WITH_REASONS,
    responses: {
      200: { description: 'A page of devices', schema: pageView(batchRowView) },
      404: { description: 'No such batch' },
    },
    async handle({ principal, params, query }) {
      const batch = await batches.find(principal.tenantId, params.batchId);
      if (batch === undefined) return notFound;
      const { page, pageSize, refusedOnly = false } = query;
      const found = await batches.results(batch, { page, pageSize, refusedOnly });
      return json(viewPage(found, query, query.reasons ? viewBatchRowWithReason : viewBatchRow));
    },
  });
}

function cancelBatch({ batches }: BatchRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/deviceBatch/:batchId/cancel',
    summary: 'End a batch that is under way; what it did stays',
    roles: TENANT,
    params: inPath,
    responses: {
      200: { description: 'It ends within the next few hundred devices', schema: batchView },
      400: { description: 'It has ended already' },
      404: { description: 'No such batch' },
    },
    handle: async ({ principal, params }) => reply(await batches.cancel(principal.tenantId, params.batchId)),
  });
}

function undoBatch({ batches, audit }: BatchRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/deviceBatch/:batchId/undo',
    summary:
      'Begin a batch that undoes this one: what it assigned, allowed, forbade or labelled, but for devices that were changed since',
    roles: TENANT,
    params: inPath,
    responses: {
      200: { description: 'The batch that undoes it', schema: batchView },
      400: { description: 'It is under way, cannot be undone, or was undone already' },
      404: { description: 'No such batch' },
    },
    async handle({ principal, params }) {
      const answer = await batches.undo(by(principal), params.batchId);
      if (answer.type === 'done') {
        const { id, rows, undoes } = answer.batch;
        const data = { batch: id, undoes: undoes ?? null, devices: rows };
        await noteChange(audit, principal, { tenantId: principal.tenantId, action: 'ADDED', data });
      }
      return reply(answer);
    },
  });
}
