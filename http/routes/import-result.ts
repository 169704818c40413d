/**
 * The result of an import as CSV (RFC 4180): the outcome of each row, with tokens, keys and claim links of the devices.
 */
import type { Secrets } from '../../actors/base/secret.ts';
import type { ImportJob, Imports } from '../../actors/imports/imports.ts';
import { OUTCOMES } from '../views/import.ts';
import { claimLink } from '../wire/links.ts';

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
 * A text that a spreadsheet would run as a formula is quoted: a list may come from a supplier. Tokens and keys made
 * here never look like one, and the claim link holds name and key unchanged.
 */
function noFormula(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/** Semicolons and tabs too: in some countries they separate cells. */
const SPECIAL = /[",;\t\r\n]/;

function csvLine(cells: readonly string[]): string {
  const written = cells.map((text) => (SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text));
  return `${written.join(',')}\r\n`;
}
