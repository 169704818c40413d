/** A tenant with customers and devices for a run, created over the REST API. */
import { restApi } from '../../test/kit/api.ts';
import type { Target } from './target.ts';

/** Has several customers: limits are per customer, and real claims come from many. */
export interface Fleet {
  readonly tenantToken: string;
  /** The token of a user of each customer. */
  readonly customerTokens: readonly string[];
  /** Of device `{n}`, like `token`. */
  readonly name: string;
  readonly token: string;
  /** The secret of all devices. It differs between runs, so that no window of another run matches. */
  readonly secret: string;
  /** The number of devices; they are numbered from 0. */
  devices: number;
  /** Deletes everything, on servers that the bench did not start. */
  remove(): Promise<void>;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

interface UserInfo {
  readonly authority: string;
}

export async function createFleet(
  target: Target,
  credentials: Credentials,
  customers: number,
  deletesAtOnce: number,
): Promise<Fleet> {
  const api = restApi(target.url);
  const run = Date.now().toString(36);
  const login = await api.login(credentials.username, credentials.password);
  const { authority } = await api.get<UserInfo>('/api/auth/user', login);
  const tenant = authority === 'SYS_ADMIN' ? await newTenant(api, login, `Bench ${run}`) : undefined;
  const tenantToken = tenant?.token ?? login;

  const made: { id: string; token: string }[] = [];
  for (let n = 0; n < customers; n += 1) {
    made.push(await api.createCustomer(tenantToken, `Bench ${run} customer ${n}`));
  }
  const fleet: Fleet = {
    tenantToken,
    customerTokens: made.map(({ token }) => token),
    name: `bench ${run} {n}`,
    token: `${run}-{n}`,
    secret: `secret-${run}`,
    devices: 0,
    async remove() {
      if (tenant !== undefined) {
        await api.must('DELETE', `/api/tenant/${tenant.id}`, login);
        return;
      }
      await removeDevices(api, tenantToken, `bench ${run} `, deletesAtOnce);
      for (const { id } of made) await api.must('DELETE', `/api/customer/${id}`, tenantToken);
    },
  };
  return fleet;
}

type Api = ReturnType<typeof restApi>;

async function newTenant(api: Api, sysadmin: string, title: string): Promise<{ id: string; token: string }> {
  const tenant = await api.post('/api/tenant', sysadmin, { title });
  const email = `admin@${title.toLowerCase().replaceAll(' ', '-')}.example`;
  const user = { email, authority: 'TENANT_ADMIN', tenantId: tenant.id };
  return { id: tenant.id.id, token: await api.createUser(sysadmin, user) };
}

async function removeDevices(api: Api, tenant: string, prefix: string, atOnce: number): Promise<void> {
  for (;;) {
    const path = `/api/tenant/devices?pageSize=${atOnce}&page=0&textSearch=${encodeURIComponent(prefix)}`;
    const { data } = await api.get<{ data: { id: { id: string } }[] }>(path, tenant);
    if (data.length === 0) return;
    await Promise.all(data.map(({ id }) => api.must('DELETE', `/api/device/${id.id}`, tenant)));
  }
}
