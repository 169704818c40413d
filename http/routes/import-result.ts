/** The result of an import as CSV (RFC 4180): what became of each row, with tokens, keys and claim links of the devices. */
import type { Secrets } from '../../actors/base/secret.ts';
import type { ImportJob, Imports } from '../../actors/imports/imports.ts';
import { OUTCOMES } from '../views/import.ts';
import { claimLink } from '../wire/claim-link.ts';

export interface ResultNeeds {
  readonly imports: Pick<Imports, 'everything'>;
  readonly secrets: Secrets;
}

/** Line by line, as they are read from the store. @param origin what claim links begin with */
export async function* resultLines(
  { imports, secrets }: ResultNeeds,
  job: ImportJob,
  origin: string,
): AsyncGenerator<string> {
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
