/** Sets up what a measurement needs, over the REST API: a tenant, a customer, devices by the thousand. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimPath, restApi } from '../test/kit/api.ts';
import type { ServerProcess } from '../test/kit/process.ts';
import { httpRequests, type Measured } from './load/run.ts';
import { HOST, SYSADMIN } from './subjects.ts';

/** Requests in flight at once. */
export const HTTP_CONNECTIONS = 256;

/** The bearer tokens of a tenant's administrator and of a user of each of its customers. */
export interface Fleet {
  readonly tenantToken: string;
  readonly customerTokens: readonly string[];
}

/** Wrong secrets are limited per customer, so what many people do must not all be done by one. */
const CUSTOMERS = 64;

export async function createFleet(url: string): Promise<Fleet> {
  const api = restApi(url);
  const sysadmin = await api.login(SYSADMIN.username, SYSADMIN.password);
  const tenantToken = await api.createTenant(sysadmin, 'Bench');
  const customerTokens: string[] = [];
  for (let n = 0; n < CUSTOMERS; n += 1) {
    customerTokens.push((await api.createCustomer(tenantToken, `Bench customer ${n}`)).token);
  }
  return { tenantToken, customerTokens };
}

/** The running server, as far as its fleet needs it. */
export type Server = Pick<ServerProcess, 'pid' | 'httpPort'>;

export const deviceName = (n: number) => `bench device ${n}`;
export const deviceToken = (n: number) => `bench-token-${n}`;
export const CLAIM_PAYLOAD = JSON.stringify({ secretKey: 'value', durationMs: 3_600_000 });

/** Creates devices `from` … `from + count - 1` and says how fast that went. */
export function provision(server: Server, fleet: Fleet, from: number, count: number): Promise<Measured> {
  return eachDevice(server, from, count, (n) => ({
    path: `/api/device?accessToken=${deviceToken(n)}`,
    body: JSON.stringify({ name: deviceName(n), type: 'default' }),
    method: 'POST',
    token: fleet.tenantToken,
  }));
}

/** Opens the claim windows of devices over the device HTTP API. */
export function openWindows(server: Server, from: number, count: number): Promise<Measured> {
  return eachDevice(server, from, count, (n) => ({
    path: `/api/v1/${deviceToken(n)}/claim`,
    body: CLAIM_PAYLOAD,
    method: 'POST',
  }));
}

/** The customer confirms the claims. */
export function confirm(server: Server, fleet: Fleet, from: number, count: number): Promise<Measured> {
  return eachDevice(server, from, count, (n) => ({
    path: claimPath(deviceName(n)),
    body: '{"secretKey":"value"}',
    method: 'POST',
    token: customerOf(fleet, n),
  }));
}

/** The customer gives the devices back. */
export function reclaim(server: Server, fleet: Fleet, from: number, count: number): Promise<Measured> {
  return eachDevice(server, from, count, (n) => ({
    path: claimPath(deviceName(n)),
    body: '',
    method: 'DELETE',
    token: customerOf(fleet, n),
  }));
}

/** The customer to whom a device goes. */
function customerOf({ customerTokens }: Fleet, n: number): string {
  return customerTokens[n % customerTokens.length] ?? '';
}

interface DeviceRequest {
  readonly path: string;
  readonly body: string;
  readonly method: string;
  readonly token?: string;
}

/** Sends one request per device, `HTTP_CONNECTIONS` at a time. The method must be the same for all. */
async function eachDevice(
  server: Server,
  from: number,
  count: number,
  request: (n: number) => DeviceRequest,
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'claimd-bench-'));
  const requestsFile = join(folder, 'requests');
  const lines = Array.from({ length: count }, (_, at) => {
    const { path, body, token } = request(from + at);
    return `${path}\t${body}\t${token ?? ''}\n`;
  });
  writeFileSync(requestsFile, lines.join(''));
  const { method } = request(from);
  try {
    return await httpRequests(server.pid, {
      host: HOST,
      port: server.httpPort,
      method,
      requestsFile,
      headers: {},
      body: '',
      connections: HTTP_CONNECTIONS,
      expect: 200,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
