/** Labels of many devices, of an import, of a batch, chosen one by one, or all that fit: as a PDF to print, and what to know before. */
import { z } from 'zod';
import type { DeviceId, TenantId } from '../../actors/base/ids.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { BATCH_DEVICES_MAX, type Batches, isUnderWay } from '../../actors/batches/model.ts';
import type { DeviceRecord } from '../../actors/device/state.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import { type Imports, isEnded } from '../../actors/imports/imports.ts';
import { TENANT, type TenantAdministrator } from '../auth/principal.ts';
import { builtInFonts, type LabelFonts } from '../labels/fonts.ts';
import { drawLabel, type Flaw, type Labelled } from '../labels/label.ts';
import { firstPageAsSvg, labelsAsPdf } from '../labels/sheets.ts';
import { perPage, STOCKS, type Stock } from '../labels/stocks.ts';
import { inTurns } from '../labels/turns.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { badRequest, notFound } from '../wire/errors.ts';
import { claimLink, typedAddress } from '../wire/links.ts';
import { isProblem, json, type Problem, type Reply, streamOf } from '../wire/reply.ts';
import { deviceId } from '../wire/schemas.ts';
import { NEXT_PART } from '../wire/totals.ts';
import { LABELS_MAX, type Part, partBehind, partOf, rowsFrom, stretchFrom } from './label-parts.ts';
import { workingKeyOf } from './labels.ts';
import { type LargeReads, TOO_MANY_READS } from './large-reads.ts';
import { fitting, idsInQuery, type SelectionNeeds, whereInQuery } from './selection.ts';

export interface LabelSheetNeeds extends SelectionNeeds {
  readonly devices: Devices;
  readonly imports: Imports;
  readonly batches: Pick<Batches, 'find' | 'results'>;
  readonly secrets: Secrets;
  readonly settings: Pick<ApiSettings, 'baseUrl'>;
  readonly largeReads: LargeReads;
  /** With those of the operator; without it, none of these. */
  readonly labelFonts?: LabelFonts;
}

/** Labels that are drawn in the picture of the first page. */
const DRAWN_MAX = 12;
/** Devices that are named for each kind of trouble. */
const NAMED_MAX = 200;

const TROUBLES = [
  'no-key',
  'no-code',
  'fine-code',
  'name-cut',
  'key-left-out',
  'letters-missing',
] as const satisfies readonly (Flaw | 'no-key' | 'no-code')[];
type Trouble = (typeof TROUBLES)[number];

export const labelPreviewView = z
  .object({
    /** How many labels are printed. */
    labels: z.int(),
    pages: z.int(),
    /** Rows of the import, or devices of the batch, asked for or that fit. More than 10,000 are several parts. */
    total: z.int(),
    /** How many of them come before this part, and how many it looks at. */
    before: z.int(),
    inPart: z.int(),
    /** What the next part begins behind, as a parameter: `after=…` with where, else `from=…`; null: this part is the last. */
    next: z.string().nullable(),
    /** With where: the last device of this part. As `through` beside the same `after` the PDF is of this part, whatever fits by then. */
    through: z.string().nullable(),
    /** What the codes lead to, without the scheme where that is https. */
    address: z.string(),
    /** What is wrong with the address for a label: nobody else reaches it, it is not encrypted, none is configured. */
    addressTroubles: z.array(z.enum(['loopback', 'http', 'not-configured'])),
    /** `no-key` and `no-code` (the link is too long) are not printed. */
    troubles: z.array(
      z.object({
        type: z.enum(TROUBLES),
        count: z.int(),
        /** Some of them. */
        devices: z.array(z.object({ id: z.string(), name: z.string() })),
      }),
    ),
    /** The first page, as SVG. */
    svg: z.string(),
  })
  .meta({ id: 'LabelPreview' });

const stock = z
  .string()
  .default(STOCKS[0].id)
  .transform((id, context): Stock => {
    const found = STOCKS.find((one) => one.id === id);
    if (found !== undefined) return found;
    const known = STOCKS.map((one) => one.id).join(', ');
    context.addIssue({ code: 'custom', message: `stock should be one of ${known}!` });
    return z.NEVER;
  })
  .meta({ documentedAs: { type: 'string', enum: STOCKS.map(({ id }) => id) } });

const counted = (name: string, least: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, `${name} should be a number from ${least} on!`)
    .transform(Number)
    .refine((value) => value >= least, `${name} should be a number from ${least} on!`)
    .default(fallback)
    .meta({ documentedAs: { type: 'integer', minimum: least } });

const wanted = z
  .object({
    importId: z.string().optional(),
    batchId: z.string().optional(),
    deviceIds: idsInQuery,
    where: whereInQuery,
    stock,
    first: counted('first', 1, 1),
    from: counted('from', 0, 0),
    limit: counted('limit', 1, LABELS_MAX).refine((limit) => limit <= LABELS_MAX, {
      error: `limit should be ${LABELS_MAX} at most!`,
    }),
    after: deviceId.optional(),
    through: deviceId.optional(),
  })
  .refine(
    ({ importId, batchId, deviceIds, where }) =>
      [importId !== undefined, batchId !== undefined, deviceIds.length > 0, where !== undefined].filter(
        Boolean,
      ).length === 1,
    { error: 'One of importId, batchId, deviceIds and where should be specified!' },
  )
  .refine(
    ({ where, after, through, from }) =>
      where === undefined ? (after ?? through) === undefined : from === 0,
    { error: 'Parts begin by after with where, and by from without it!' },
  )
  .refine(({ stock, first }) => first <= perPage(stock), { error: 'The page has fewer labels than first!' });

type Wanted = z.output<typeof wanted>;

/** A device without a key that works has no label. */
interface ToLabel {
  readonly id: DeviceId;
  readonly name: string;
  readonly label: Labelled | undefined;
}

interface Asked extends Part {
  readonly devices: AsyncIterable<ToLabel>;
}

export function labelSheetRoutes(needs: LabelSheetNeeds): Route[] {
  return [labelsPdf(needs), labelsPreview(needs)];
}

function labelsPdf(needs: LabelSheetNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceLabels',
    summary: `Labels of an import's rows, of what a batch changed, of devices, or of all that fit where, as a PDF: limit at most, up to ${LABELS_MAX}`,
    description:
      'stock says what they are printed on, first the place on the first sheet to begin at, counted from 1. Devices without a ' +
      'key that works are left out: the preview names them. What is more than one PDF holds comes in parts: X-Next-Part says ' +
      'with which parameter the next one is asked for, or none. Parts of all that fit where go by the order in which devices ' +
      'were created, each behind (after) the last device of the one before. So a device that fits the whole time is in ' +
      'exactly one, whatever is claimed or made meanwhile. through ends a part at a device.',
    roles: TENANT,
    grants: ['everything', 'delegated'],
    query: wanted,
    responses: {
      200: { description: 'A PDF' },
      404: { description: 'No such import, batch or customer' },
      ...TOO_MANY_READS,
    },
    handle: ({ principal, query, linkBase, whileStanding }) =>
      bounded(needs, principal, query, async () => {
        const asked = await askedFor(needs, principal, query, linkBase());
        if (isProblem(asked)) return asked;
        const fonts = needs.labelFonts ?? (await builtInFonts());
        return {
          type: 'stream',
          contentType: 'application/pdf',
          headers: { [NEXT_PART]: asked.next ?? 'none' },
          body: streamOf(whileStanding(labelsAsPdf(labelsIn(asked.devices), query, fonts))),
        };
      }),
  });
}

function labelsPreview(needs: LabelSheetNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceLabels/preview',
    summary:
      'What to know before labels are printed: how many, which are not, where they lead, and the first page',
    roles: TENANT,
    grants: ['everything', 'delegated'],
    query: wanted,
    responses: {
      200: { description: 'The preview', schema: labelPreviewView },
      404: { description: 'No such import, batch or customer' },
      ...TOO_MANY_READS,
    },
    handle: ({ principal, query, linkBase }) =>
      bounded(needs, principal, query, () => previewOf(needs, principal, query, linkBase())),
  });
}

async function previewOf(
  needs: LabelSheetNeeds,
  principal: TenantAdministrator,
  query: Wanted,
  base: string,
): Promise<Reply> {
  const asked = await askedFor(needs, principal, query, base);
  if (isProblem(asked)) return asked;
  const fonts = needs.labelFonts ?? (await builtInFonts());
  const { labels, drawn, troubles } = await lookedAt(asked.devices, query.stock, fonts);
  const used = query.first - 1 + labels;
  const svg = await firstPageAsSvg(drawn, labels, query, fonts);
  return json({
    labels,
    pages: Math.ceil(used / perPage(query.stock)),
    ...partOf(asked),
    address: typedAddress(base),
    addressTroubles: addressTroubles(base, needs.settings.baseUrl !== null),
    troubles,
    svg,
  } satisfies z.input<typeof labelPreviewView>);
}

/** An address has room for a few hundred ids: these are not many. */
function bounded(
  { largeReads }: LabelSheetNeeds,
  { tenantId }: TenantAdministrator,
  { deviceIds }: Wanted,
  read: () => Promise<Reply>,
): Promise<Reply> {
  return deviceIds.length > 0 ? read() : largeReads.run(tenantId, read);
}

async function* labelsIn(devices: AsyncIterable<ToLabel>): AsyncGenerator<Labelled> {
  for await (const { label } of devices) if (label !== undefined) yield label;
}

/** How all labels would come out, with some of them to draw. */
async function lookedAt(devices: AsyncIterable<ToLabel>, stock: Stock, fonts: LabelFonts) {
  const found = new Map<Trouble, { count: number; devices: { id: string; name: string }[] }>();
  const note = (type: Trouble, { id, name }: ToLabel) => {
    const trouble = found.get(type) ?? { count: 0, devices: [] };
    found.set(type, trouble);
    trouble.count += 1;
    if (trouble.devices.length < NAMED_MAX) trouble.devices.push({ id, name });
  };
  const drawn: Labelled[] = [];
  let labels = 0;
  for await (const device of inTurns(devices)) {
    const { label } = device;
    const made = label === undefined ? undefined : drawLabel(label, stock, fonts);
    if (label === undefined) note('no-key', device);
    else if (made === undefined) note('no-code', device);
    else {
      labels += 1;
      for (const flaw of made.flaws) note(flaw, device);
      if (drawn.length < DRAWN_MAX) drawn.push(label);
    }
  }
  const troubles = TROUBLES.flatMap((type) => {
    const trouble = found.get(type);
    return trouble === undefined ? [] : { type, ...trouble };
  });
  return { labels, drawn, troubles };
}

async function askedFor(
  needs: LabelSheetNeeds,
  principal: TenantAdministrator,
  wanted: Wanted,
  base: string,
): Promise<Asked | Problem> {
  const { tenantId } = principal;
  const { importId, where } = wanted;
  const toLabel = (device: DeviceRecord) => labelOf(needs, device, base);
  if (importId === undefined) {
    const ids = await chosenIn(needs, principal, wanted);
    if (isProblem(ids)) return ids;
    const { some, ...part } = where === undefined ? rowsFrom(ids, wanted) : partBehind(ids, wanted);
    return { ...part, devices: chosen(needs, tenantId, some, toLabel) };
  }
  const job = await needs.imports.find(tenantId, importId);
  if (job === undefined) return notFound;
  if (!isEnded(job)) return badRequest('The import is not done yet!');
  const part = stretchFrom(job.rows, wanted);
  const rows = needs.imports.everything(job, part.before);
  return { ...part, devices: imported(rows, part.inPart, tenantId, toLabel) };
}

/** The devices that were named, that fit, or that a batch has changed. */
async function chosenIn(
  needs: LabelSheetNeeds,
  principal: TenantAdministrator,
  { batchId, deviceIds, where }: Wanted,
): Promise<readonly DeviceId[] | Problem> {
  if (where !== undefined) return fitting(needs, principal, where);
  if (batchId === undefined) return [...new Set(deviceIds)];
  const batch = await needs.batches.find(principal.tenantId, batchId);
  if (batch === undefined) return notFound;
  if (isUnderWay(batch) || batch.state === 'preparing') return badRequest('The batch is not done yet!');
  const all = { page: 0, pageSize: BATCH_DEVICES_MAX, refusedOnly: false };
  const { items } = await needs.batches.results(batch, all);
  return items.flatMap(({ id, outcome }) => (outcome === 'done' ? id : []));
}

function labelOf({ secrets, clock }: LabelSheetNeeds, device: DeviceRecord, base: string): ToLabel {
  const { id, name } = device;
  const secretKey = workingKeyOf(device, secrets, clock.now());
  if (secretKey === undefined) return { id, name, label: undefined };
  const label = { name, secretKey, url: claimLink(base, name, secretKey), address: typedAddress(base) };
  return { id, name, label };
}

async function* chosen(
  { devices }: LabelSheetNeeds,
  tenantId: TenantId,
  ids: readonly DeviceId[],
  toLabel: (device: DeviceRecord) => ToLabel,
): AsyncGenerator<ToLabel> {
  for (const id of ids) {
    const device = await devices.read(id);
    if (device?.tenantId === tenantId) yield toLabel(device);
  }
}

/** Rows that were refused have no device, and neither have those whose device was deleted since. */
async function* imported(
  rows: ReturnType<Imports['everything']>,
  most: number,
  tenantId: TenantId,
  toLabel: (device: DeviceRecord) => ToLabel,
): AsyncGenerator<ToLabel> {
  if (most === 0) return;
  let looked = 0;
  for await (const [, device] of rows) {
    looked += 1;
    if (device?.tenantId === tenantId) yield toLabel(device);
    if (looked === most) return;
  }
}

const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\])$/;

function addressTroubles(base: string, isConfigured: boolean) {
  const { hostname, protocol } = new URL(base);
  return [
    ...(LOOPBACK.test(hostname) ? ['loopback' as const] : []),
    ...(protocol === 'https:' ? [] : ['http' as const]),
    ...(isConfigured ? [] : ['not-configured' as const]),
  ];
}
