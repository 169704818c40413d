/**
 * Imports of devices: a job is created, receives rows in parts, is tried, is run, and has a result. Every step can be
 * repeated if its answer got lost.
 */

import { z } from 'zod';
import type { Clock } from '../../actors/base/clock.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import {
  IMPORT_ROWS_MAX,
  IMPORTS_UNDER_WAY_MAX,
  type ImportAnswer,
  type Imports,
} from '../../actors/imports/imports.ts';
import type { Kits } from '../../actors/kits/model.ts';
import { impersonation, TENANT, wayIn } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { importView, rowView, viewImport, viewRow, viewRowWithReason } from '../views/import.ts';
import { pageView, viewPage } from '../views/page.ts';
import { badRequest, notFound, rowsConflict } from '../wire/errors.ts';
import { switched } from '../wire/query.ts';
import { json, type Reply, streamOf } from '../wire/reply.ts';
import { devicePaging, WITH_REASONS } from '../wire/schemas.ts';
import { resultLines } from './import-result.ts';
import { type LargeReads, TOO_MANY_READS } from './large-reads.ts';

export interface ImportRouteNeeds {
  readonly imports: Imports;
  readonly kits: Kits;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly largeReads: LargeReads;
}

const PART_MAX = 1000;
/** Longer than any text may be, so that texts that are too long are refused row by row. */
export const CELL_MAX = 4096;
const YEAR_MS = 365 * 86_400_000;

const cell = z
  .string()
  .max(CELL_MAX)
  .nullish()
  .transform((text) => text ?? '');
/** An unknown field is refused: what it says would be lost. */
const row = z.strictObject({
  name: cell,
  type: cell,
  label: cell,
  accessToken: cell,
  mqttClientId: cell,
  mqttUserName: cell,
  mqttPassword: cell,
  /** PEM, or base64 of the DER. */
  certificate: cell,
  secretKey: cell,
  kit: cell,
});

const inPath = z.object({ importId: z.string() });

function reply(answer: ImportAnswer): Reply {
  if (answer.type === 'done') return json(viewImport(answer.job));
  switch (answer.reason) {
    case 'not-found':
      return notFound;
    case 'not-in-this-state':
      return badRequest('The import is not in a state for this!');
    case 'too-many':
      return badRequest(`An import has at most ${IMPORT_ROWS_MAX} rows!`);
    case 'too-many-under-way':
      return badRequest(
        `${IMPORTS_UNDER_WAY_MAX} imports are under way! Wait until one has ended, or cancel one.`,
      );
    case 'gap':
      return badRequest('Rows before these are missing!');
    case 'other-rows':
      return rowsConflict(
        'Other rows of this import are in their place already! Is somebody else sending, too?',
      );
    case 'raced':
      return rowsConflict('Others send rows of this import in the same moment! Look at how many there are.');
    default:
      return unreachable(answer.reason);
  }
}

export function importRoutes(needs: ImportRouteNeeds): Route[] {
  return [
    beginImport(needs),
    addRows(needs),
    startImport(needs),
    cancelImport(needs),
    readImport(needs),
    listImports(needs),
    listRows(needs),
    resultAsCsv(needs),
  ];
}

function beginImport({ imports, clock }: ImportRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/deviceImport',
    stores: true,
    summary: 'Begin an import of devices; its rows are sent next',
    roles: TENANT,
    body: z
      .object({
        /** Whether rows without a secretKey get one. */
        generateKeys: z.boolean().default(false),
        keyExpirationTime: z.int().nonnegative().optional(),
      })
      .nullish(),
    responses: { 200: { description: 'The import', schema: importView } },
    async handle({ principal, body }) {
      const { generateKeys = false, keyExpirationTime = clock.now() + YEAR_MS } = body ?? {};
      const options = { generateKeys, keysExpireAt: keyExpirationTime };
      return json(viewImport(await imports.create(principal.tenantId, principal.userId, options)));
    },
  });
}

function addRows({ imports }: ImportRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/deviceImport/:importId/rows',
    stores: true,
    summary: `Send rows, at most ${PART_MAX} at once; from says how many were sent before, so that a part can be repeated`,
    roles: TENANT,
    params: inPath,
    body: z.object(
      { from: z.int().nonnegative(), rows: z.array(row).max(PART_MAX) },
      { error: 'The body should be {"from": …, "rows": […]}!' },
    ),
    responses: {
      200: { description: 'The import', schema: importView },
      404: { description: 'No such import' },
      409: { description: 'Other rows were sent for the same places, and none of these was taken' },
    },
    handle: async ({ principal, params, body }) =>
      reply(await imports.add(principal.tenantId, params.importId, body.from, body.rows)),
  });
}

function startImport({ imports }: ImportRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/deviceImport/:importId/start',
    summary: 'Try the rows out (dryRun, nothing is changed), or create the devices',
    roles: TENANT,
    params: inPath,
    query: z.object({ dryRun: switched('dryRun') }),
    responses: {
      200: { description: 'It is under way; ask for it to see how far it is', schema: importView },
      400: { description: 'It is under way already' },
      404: { description: 'No such import' },
    },
    async handle({ principal, params, query }) {
      const { tenantId, userId } = principal;
      const by = { userId, ...impersonation(principal), ...wayIn(principal) };
      return reply(await imports.start(tenantId, params.importId, query.dryRun ?? true, by));
    },
  });
}

function cancelImport({ imports }: ImportRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/deviceImport/:importId/cancel',
    summary:
      'End an import within some hundred rows; the devices that it has created stay, and it cannot go on',
    roles: TENANT,
    params: inPath,
    responses: {
      200: { description: 'The import', schema: importView },
      400: { description: 'It is done' },
      404: { description: 'No such import' },
    },
    handle: async ({ principal, params }) => reply(await imports.cancel(principal.tenantId, params.importId)),
  });
}

function readImport({ imports }: ImportRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceImport/:importId',
    summary: 'How far an import is',
    roles: TENANT,
    params: inPath,
    responses: {
      200: { description: 'The import', schema: importView },
      404: { description: 'No such import' },
    },
    async handle({ principal, params }) {
      const job = await imports.find(principal.tenantId, params.importId);
      return job === undefined ? notFound : json(viewImport(job));
    },
  });
}

function listImports({ imports }: ImportRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceImports',
    summary: 'The newest imports; older ones are forgotten',
    roles: TENANT,
    responses: { 200: { description: 'The imports', schema: z.array(importView) } },
    handle: async ({ principal }) => json((await imports.list(principal.tenantId)).map(viewImport)),
  });
}

function listRows({ imports }: ImportRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceImport/:importId/rows',
    summary: 'What became of each row',
    roles: TENANT,
    params: inPath,
    query: z.object({ refusedOnly: switched('refusedOnly'), reasons: switched('reasons') }).and(devicePaging),
    description: WITH_REASONS,
    responses: {
      200: { description: 'A page of rows', schema: pageView(rowView) },
      404: { description: 'No such import' },
    },
    async handle({ principal, params, query }) {
      const job = await imports.find(principal.tenantId, params.importId);
      if (job === undefined) return notFound;
      const { page, pageSize, refusedOnly } = query;
      const found = await imports.results(job, { page, pageSize, refusedOnly: refusedOnly ?? false });
      return json(viewPage(found, query, query.reasons ? viewRowWithReason : viewRow));
    },
  });
}

function resultAsCsv(needs: ImportRouteNeeds): Route {
  const { imports, largeReads } = needs;
  return defineRoute({
    method: 'GET',
    path: '/api/deviceImport/:importId/result',
    summary:
      'What became of each row, as CSV: with ids, access tokens, keys and claim links of the devices created',
    roles: TENANT,
    grants: ['everything', 'delegated'],
    params: inPath,
    query: z.object({ raw: switched('raw'), bom: switched('bom') }),
    description:
      'For programs with raw=true: else a text that a spreadsheet would run as a formula has a quote before it, also a secret. For spreadsheets with bom=true: it begins with a byte order mark, without which they take UTF-8 for something else.',
    responses: {
      200: { description: 'CSV (RFC 4180)' },
      404: { description: 'No such import' },
      ...TOO_MANY_READS,
    },
    async handle({ principal, params, query, linkBase, whileStanding }) {
      const job = await imports.find(principal.tenantId, params.importId);
      if (job === undefined) return notFound;
      return largeReads.run(principal.tenantId, async () => ({
        type: 'stream',
        contentType: 'text/csv;charset=UTF-8',
        body: streamOf(whileStanding(resultLines(needs, job, linkBase(), query))),
      }));
    },
  });
}
