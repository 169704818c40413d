/**
 * Importing devices: a job is created, takes rows in parts, is tried out, carried out, and has a report. Each step can be
 * repeated when its answer was lost.
 */

import { z } from 'zod';
import type { Clock } from '../../actors/base/clock.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import {
  IMPORT_ROWS_MAX,
  type ImportAnswer,
  type ImportJob,
  type Imports,
} from '../../actors/imports/imports.ts';
import { TENANT } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { pageView, viewPage } from '../views/page.ts';
import { claimLink } from '../wire/claim-link.ts';
import { badRequest, notFound } from '../wire/errors.ts';
import { json, type Reply, streamOf } from '../wire/reply.ts';
import { devicePaging } from '../wire/schemas.ts';

export interface ImportRouteNeeds {
  readonly imports: Imports;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

const PART_MAX = 1000;
/** Longer than any text may be: those that are too long are told row by row. */
export const CELL_MAX = 4096;
const YEAR_MS = 365 * 86_400_000;

export const importView = z.object({
  id: z.string(),
  createdTime: z.int(),
  /** `TRIED`: the dry run is through, nothing was changed. */
  state: z.enum(['RECEIVING', 'TRYING', 'TRIED', 'RUNNING', 'DONE']),
  rows: z.int(),
  /** Rows that the present run is through with, and how many of them are good or refused. */
  through: z.int(),
  good: z.int(),
  refused: z.int(),
});

const STATES = {
  receiving: 'RECEIVING',
  trying: 'TRYING',
  tried: 'TRIED',
  running: 'RUNNING',
  done: 'DONE',
} as const;

function view({ id, createdAt, state, rows, through, good, refused }: ImportJob): z.infer<typeof importView> {
  return { id, createdTime: createdAt, state: STATES[state], rows, through, good, refused };
}

export const rowView = z.object({
  row: z.int(),
  name: z.string(),
  outcome: z.enum(['WAITING', 'GOOD', 'CREATED', 'REFUSED']),
  message: z.string().nullable(),
});

const OUTCOMES = { waiting: 'WAITING', good: 'GOOD', created: 'CREATED', refused: 'REFUSED' } as const;

const cell = z
  .string()
  .max(CELL_MAX)
  .nullish()
  .transform((text) => text ?? '');
const row = z.object({ name: cell, type: cell, label: cell, accessToken: cell, secretKey: cell });

const inPath = z.object({ importId: z.string() });

function reply(answer: ImportAnswer): Reply {
  if (answer.type === 'done') return json(view(answer.job));
  switch (answer.reason) {
    case 'not-found':
      return notFound;
    case 'not-in-this-state':
      return badRequest('The import is not in a state for this!');
    case 'too-many':
      return badRequest(`An import has at most ${IMPORT_ROWS_MAX} rows!`);
    case 'gap':
      return badRequest('Rows before these are missing!');
    default:
      return unreachable(answer.reason);
  }
}

export function importRoutes({ imports, secrets, clock }: ImportRouteNeeds): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/deviceImport',
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
        return json(view(await imports.create(principal.tenantId, principal.userId, options)));
      },
    }),

    defineRoute({
      method: 'POST',
      path: '/api/deviceImport/:importId/rows',
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
      },
      handle: async ({ principal, params, body }) =>
        reply(await imports.add(principal.tenantId, params.importId, body.from, body.rows)),
    }),

    defineRoute({
      method: 'POST',
      path: '/api/deviceImport/:importId/start',
      summary: 'Try the rows out (dryRun, nothing is changed), or create the devices',
      roles: TENANT,
      params: inPath,
      query: z.object({ dryRun: z.enum(['true', 'false']).default('true') }),
      responses: {
        200: { description: 'It is under way; ask for it to see how far it is', schema: importView },
        400: { description: 'It is under way already' },
        404: { description: 'No such import' },
      },
      handle: async ({ principal, params, query }) =>
        reply(await imports.start(principal.tenantId, params.importId, query.dryRun === 'true')),
    }),

    defineRoute({
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
        return job === undefined ? notFound : json(view(job));
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/deviceImports',
      summary: 'The newest imports; older ones are forgotten',
      roles: TENANT,
      responses: { 200: { description: 'The imports', schema: z.array(importView) } },
      handle: async ({ principal }) => json((await imports.list(principal.tenantId)).map(view)),
    }),

    defineRoute({
      method: 'GET',
      path: '/api/deviceImport/:importId/rows',
      summary: 'What became of each row',
      roles: TENANT,
      params: inPath,
      query: z.object({ refusedOnly: z.enum(['true', 'false']).default('false') }).and(devicePaging),
      responses: {
        200: { description: 'A page of rows', schema: pageView(rowView) },
        404: { description: 'No such import' },
      },
      async handle({ principal, params, query }) {
        const job = await imports.find(principal.tenantId, params.importId);
        if (job === undefined) return notFound;
        const { page, pageSize, refusedOnly } = query;
        const found = await imports.results(job, { page, pageSize, refusedOnly: refusedOnly === 'true' });
        return json(
          viewPage(found, query, ({ row: number, name, outcome, message }) => ({
            row: number,
            name,
            outcome: OUTCOMES[outcome],
            message,
          })),
        );
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/deviceImport/:importId/result',
      summary:
        'What became of each row, as CSV: with ids, access tokens, keys and claim links of the devices created',
      roles: TENANT,
      grants: ['everything'],
      params: inPath,
      responses: { 200: { description: 'CSV (RFC 4180)' }, 404: { description: 'No such import' } },
      async handle({ principal, params, origin }) {
        const job = await imports.find(principal.tenantId, params.importId);
        if (job === undefined) return notFound;
        return {
          type: 'stream',
          contentType: 'text/csv;charset=UTF-8',
          body: streamOf(lines(job, origin)),
        };
      },
    }),
  ];

  async function* lines(job: ImportJob, origin: string): AsyncGenerator<string> {
    yield csvLine(['row', 'name', 'outcome', 'message', 'deviceId', 'accessToken', 'secretKey', 'claimUrl']);
    for await (const [result, device] of imports.everything(job)) {
      const { credentials, serverKey = null, id } = device ?? {};
      const secret = serverKey === null || id === undefined ? '' : secrets.unseal(id, serverKey.sealedSecret);
      const token = credentials?.type === 'ACCESS_TOKEN' ? credentials.credentialsId : '';
      yield csvLine([
        String(result.row),
        noFormula(result.name),
        OUTCOMES[result.outcome],
        result.message ?? '',
        device === undefined ? '' : result.deviceId,
        noFormula(token),
        noFormula(secret),
        secret === '' ? '' : claimLink(origin, result.name, secret),
      ]);
    }
  }
}

const FORMULA = /^\s*[=+\-@＝＋－＠]/;

/**
 * What a spreadsheet would take for a formula is quoted as text: a list may come from a supplier. Tokens and keys that
 * were made here never begin so, and the claim link holds a key and a name to the letter.
 */
function noFormula(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/** Also what parts cells where spreadsheets are used to a semicolon or a tab. */
const SPECIAL = /[",;\t\r\n]/;

function csvLine(cells: readonly string[]): string {
  const written = cells.map((text) => (SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text));
  return `${written.join(',')}\r\n`;
}
