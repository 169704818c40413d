/**
 * Codes and addresses of offers, digested as claim secrets are (rules C9, H3). An offer by code is found by the code alone:
 * its id follows from it, under the server's key.
 */
import { formatUuid, type TenantId, type TransferId } from '../../actors/base/ids.ts';
import type { SecretDigest, Secrets } from '../../actors/base/secret.ts';

/** People type codes: case does not matter, nor what stands between the letters. */
function normalized(code: string): string {
  return code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}

export function transferOfCode(secrets: Secrets, tenantId: TenantId, code: string): TransferId {
  const digest = secrets.digest(tenantId, `transfer ${normalized(code)}`);
  return formatUuid(Buffer.from(digest, 'base64url').subarray(0, 16), 8) as TransferId;
}

export function digestOfCode(secrets: Secrets, tenantId: TenantId, code: string): SecretDigest {
  return secrets.digest(tenantId, `code ${normalized(code)}`);
}

/** Addresses are the same whatever their case, as people take them to be. */
export function digestOfAddress(secrets: Secrets, tenantId: TenantId, address: string): SecretDigest {
  return secrets.digest(tenantId, `address ${address.toLowerCase()}`);
}
