/**
 * Codes and addresses of offers, digested as claim secrets are (rules C9, H3). An offer by code is found by the code alone:
 * its id follows from it, under the server's key. While keys are changed, each has one digest under either; the first is
 * that of the present key.
 */
import { formatUuid, type TenantId, type TransferId } from '../../actors/base/ids.ts';
import type { SecretDigest, Secrets } from '../../actors/base/secret.ts';

/** A code as the server knows it. */
export interface DigestedCode {
  readonly transferId: TransferId;
  readonly codeDigest: SecretDigest;
}

type Digested<Value> = readonly [Value, ...Value[]];

/** People type codes: case does not matter, nor what stands between the letters. */
export function digestedCodes(secrets: Secrets, tenantId: TenantId, code: string): Digested<DigestedCode> {
  const letters = code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  const [id, ...otherIds] = secrets.digests(tenantId, `transfer ${letters}`);
  const [digest, ...others] = secrets.digests(tenantId, `code ${letters}`);
  const more = others.flatMap((codeDigest, at) => {
    const otherId = otherIds[at];
    return otherId === undefined ? [] : [{ transferId: transferOf(otherId), codeDigest }];
  });
  return [{ transferId: transferOf(id), codeDigest: digest }, ...more];
}

function transferOf(digest: SecretDigest): TransferId {
  return formatUuid(Buffer.from(digest, 'base64url').subarray(0, 16), 8) as TransferId;
}

/** Addresses are the same whatever their case, as people take them to be. */
export function digestedAddresses(
  secrets: Secrets,
  tenantId: TenantId,
  address: string,
): Digested<SecretDigest> {
  return secrets.digests(tenantId, `address ${address.toLowerCase()}`);
}
