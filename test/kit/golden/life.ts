/**
 * A life of devices and their credentials, played on a running server: created, provisioned, changed, rotated, transferred,
 * imported, deleted. Whoever reads what the server stored then finds none of the tokens and passwords in it; and whoever
 * starts a server on it goes on.
 */
import * as assert from 'uvu/assert';
import type { Api } from '../api.ts';
import { CERTIFICATE } from '../certificate.ts';

/** The settings with which it is played. */
export const LIFE_ENVIRONMENT = {
  SYSADMIN_PASSWORD: 'life-of-a-sysadmin',
  SECURITY_CLAIM_SERVER_KEY: Buffer.alloc(32, 'golden').toString('base64'),
  JWT_TOKEN_SIGNING_KEY: Buffer.alloc(64, 'golden').toString('base64'),
  SECURITY_CLAIM_ON_OWNER_CHANGE: 'rotate',
} as const;

/** What came of it. */
export interface Life {
  /** Every token and password that there ever was. */
  readonly secrets: readonly string[];
  readonly devices: readonly LivingDevice[];
  /** An import that has not run. */
  readonly waiting: string;
}

interface LivingDevice {
  readonly name: string;
  readonly id: string;
  readonly credentialsType: string;
  readonly credentialsId: string;
  readonly credentialsValue: string | null;
}

interface NewCredentials {
  readonly credentials: { readonly token: string } | null;
}

const ADMIN = 'admin@living.example';
const PASSWORD = 'a-long-password';
const BASIC = { clientId: 'life', userName: 'life-user', password: 'password-of-a-device' };
const IMPORTED = { 'row 1': 'token-of-a-row-1', 'row 2': 'token-of-a-row-2' };
const WAITING = 'token-of-a-waiting-row';

export async function live(api: Api): Promise<Life> {
  const sysadmin = await api.login('sysadmin@thingsboard.org', LIFE_ENVIRONMENT.SYSADMIN_PASSWORD);
  const admin = await api.createTenant(sysadmin, 'Living');
  const customers = [await api.createCustomer(admin, 'One'), await api.createCustomer(admin, 'Two')];
  const secrets = [BASIC.password, ...Object.values(IMPORTED), WAITING];
  const given = (name: string) => `given-token-of-${name}`;
  for (const name of ['kept', 'changed', 'deleted', 'rotated', 'rotating', 'transferred']) {
    secrets.push(given(name));
    await api.createDevice(admin, name, given(name));
  }
  await api.post('/api/device', admin, { name: 'drawn', type: 'default' });
  const withCredentials = (name: string, credentials: object) =>
    api.post('/api/device-with-credentials', admin, { device: { name, type: 'default' }, credentials });
  await withCredentials('basic', { credentialsType: 'MQTT_BASIC', credentialsValue: JSON.stringify(BASIC) });
  await withCredentials('certified', { credentialsType: 'X509_CERTIFICATE', credentialsValue: CERTIFICATE });
  const idOf = async (name: string) => (await api.device(admin, name)).id.id;

  const other = { credentialsType: 'ACCESS_TOKEN', credentialsId: given('changed-again') };
  secrets.push(other.credentialsId);
  await api.post('/api/device/credentials', admin, { deviceId: { id: await idOf('changed') }, ...other });
  await api.must('DELETE', `/api/device/${await idOf('deleted')}`, admin);

  for (const name of ['rotated', 'rotating', 'transferred']) {
    assert.is((await api.initiate(given(name), { secretKey: 'secret' })).status, 200);
    assert.is((await api.confirm(customers[0]?.token ?? '', name, 'secret')).status, 200);
    const { credentials } = await api.get<NewCredentials>(`/api/v1/${given(name)}/claim/credentials`, '');
    const next = credentials?.token ?? '';
    assert.match(next, /^\w{20}$/);
    secrets.push(next);
    // The first use of the next ones ends the old ones.
    if (name !== 'rotating') await api.get<NewCredentials>(`/api/v1/${next}/claim/credentials`, '');
  }
  const offer = await api.post<{ code: string }>(
    '/api/customer/device/transferred/transfer',
    customers[0]?.token,
    {},
  );
  await api.post('/api/transfer/accept', customers[1]?.token, { code: offer.code });

  await importRows(api, admin, IMPORTED, true);
  const waiting = await importRows(api, admin, { waiting: WAITING }, false);
  const names = ['kept', 'changed', 'rotated', 'rotating', 'transferred', 'drawn', 'basic', 'certified'];
  const devices: LivingDevice[] = [];
  for (const name of [...names, ...Object.keys(IMPORTED)]) {
    const id = await idOf(name);
    const shown = await api.get<Omit<LivingDevice, 'id' | 'name'>>(`/api/device/${id}/credentials`, admin);
    const { credentialsType, credentialsId, credentialsValue } = shown;
    devices.push({ name, id, credentialsType, credentialsId, credentialsValue });
    if (credentialsType === 'ACCESS_TOKEN') secrets.push(credentialsId);
  }
  return { secrets: [...new Set(secrets)], devices, waiting };
}

async function importRows(api: Api, admin: string, tokens: object, run: boolean): Promise<string> {
  const { id } = await api.post<{ id: string }>('/api/deviceImport', admin, {});
  const rows = Object.entries(tokens).map(([name, accessToken]) => ({ name, accessToken }));
  await api.must('POST', `/api/deviceImport/${id}/rows`, admin, { from: 0, rows });
  if (run) await runImport(api, admin, id);
  return id;
}

async function runImport(api: Api, admin: string, id: string): Promise<void> {
  await api.must('POST', `/api/deviceImport/${id}/start?dryRun=false`, admin);
  while ((await api.get<{ state: string }>(`/api/deviceImport/${id}`, admin)).state !== 'DONE')
    await new Promise((resolve) => setTimeout(resolve, 50));
}

/** The credentials are all that they were: the tenant reads them, the devices use them, nobody else gets them. */
export async function goOnLiving(api: Api, { devices }: Life): Promise<void> {
  const admin = await api.login(ADMIN, PASSWORD);
  for (const { id, name, ...credentials } of devices) {
    const shown = await api.get<object>(`/api/device/${id}/credentials`, admin);
    assert.equal({ ...shown, ...credentials }, shown, name);
    const { credentialsType, credentialsId, credentialsValue } = credentials;
    const taken = { credentialsType, credentialsId, credentialsValue };
    const again = { device: { name: 'thief', type: 'default' }, credentials: taken };
    assert.is((await api.send('POST', '/api/device-with-credentials', admin, again)).status, 400, name);
    if (credentialsType !== 'ACCESS_TOKEN') continue;
    const said = await api.send('GET', `/api/v1/${credentialsId}/claim/credentials`);
    assert.is(said.status, 200, `${name} goes on`);
  }
}

/** Carries out what waited, and gives a device another token. */
export async function finishLiving(api: Api, { devices, waiting }: Life): Promise<readonly string[]> {
  const admin = await api.login(ADMIN, PASSWORD);
  await runImport(api, admin, waiting);
  assert.is((await api.send('GET', `/api/v1/${WAITING}/claim/credentials`)).status, 200);
  const [first] = devices;
  const body = { credentialsType: 'ACCESS_TOKEN', credentialsId: 'the-last-given-token' };
  await api.post('/api/device/credentials', admin, { deviceId: { id: first?.id }, ...body });
  assert.is((await api.send('GET', `/api/v1/${first?.credentialsId}/claim/credentials`)).status, 401);
  assert.is((await api.send('GET', `/api/v1/${body.credentialsId}/claim/credentials`)).status, 200);
  return [body.credentialsId];
}

/** The first secret that is in the bytes, as text or in base64; undefined: none. */
export function foundIn(bytes: Buffer, secrets: readonly string[]): string | undefined {
  return secrets.find((secret) => {
    const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1);
    return bytes.includes(secret) || bytes.includes(base64);
  });
}
