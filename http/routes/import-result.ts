/**
 * The result of an import as CSV (RFC 4180): the outcome of each row, with tokens, keys and claim links of the devices.
 */
import type { KitId } from '../../actors/base/ids.ts';
import { type Secrets, unsealedOrNull } from '../../actors/base/secret.ts';
import { tokenOf } from '../../actors/fleet/credentials.ts';
import type { ImportJob, Imports } from '../../actors/imports/imports.ts';
import type { Kits } from '../../actors/kits/model.ts';
import { OUTCOMES } from '../views/import.ts';
import { BOM, csvLine, noFormula } from '../wire/csv.ts';
import { claimLink } from '../wire/links.ts';

export interface ResultNeeds {
  readonly imports: Pick<Imports, 'everything'>;
  readonly secrets: Secrets;
  readonly kits: Pick<Kits, 'find' | 'codeOf'>;
}

interface ResultForm {
  /**
   * Whether texts that a spreadsheet would run as a formula are written as they are: for programs, which would take the quote
   * before them for a part of a secret.
   */
  readonly raw?: boolean | undefined;
  /** Whether it begins with a byte order mark: for spreadsheets. */
  readonly bom?: boolean | undefined;
}

/**
 * Line by line, as they are read from the store.
 * @param origin what claim links begin with
 */
export async function* resultLines(
  { imports, secrets, kits }: ResultNeeds,
  job: ImportJob,
  origin: string,
  { raw = false, bom = false }: ResultForm = {},
): AsyncGenerator<string> {
  const safe = raw ? (text: string) => text : noFormula;
  yield `${bom ? BOM : ''}${csvLine(COLUMNS)}`;
  const codes = new Map<KitId, string>();
  for await (const [result, device] of imports.everything(job)) {
    const { credentials, serverKey = null, id } = device ?? {};
    const secret =
      serverKey === null || id === undefined
        ? ''
        : (unsealedOrNull(secrets, id, serverKey.sealedSecret) ?? '');
    const token =
      credentials?.type === 'ACCESS_TOKEN' && id !== undefined
        ? (tokenOf(secrets, id, credentials) ?? '')
        : '';
    yield csvLine([
      String(result.row),
      safe(result.name),
      OUTCOMES[result.outcome],
      result.message ?? '',
      device === undefined ? '' : result.deviceId,
      safe(token),
      safe(secret),
      secret === '' ? '' : claimLink(origin, result.name, secret),
      result.kitId === undefined ? '' : await codeOf(kits, job, result.kitId, codes),
    ]);
  }
}

const COLUMNS = [
  'row',
  'name',
  'outcome',
  'message',
  'deviceId',
  'accessToken',
  'secretKey',
  'claimUrl',
  'kitCode',
];

/** Codes that are remembered. */
const CODES_MAX = 1_000;

async function codeOf(
  kits: ResultNeeds['kits'],
  { tenantId }: ImportJob,
  id: KitId,
  codes: Map<KitId, string>,
): Promise<string> {
  const known = codes.get(id);
  if (known !== undefined) return known;
  const kit = await kits.find(tenantId, id);
  const code = kit === undefined ? '' : (kits.codeOf(kit) ?? '');
  if (codes.size >= CODES_MAX) codes.clear();
  codes.set(id, code);
  return code;
}
