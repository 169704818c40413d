/** A caller of a running server's REST API over real HTTP: enough of it to set scenes up and to play them. */
import { type Reply, send as sendTo } from './http.ts';

/** The parts of ThingsBoard's entities that tests look at. */
export interface Entity {
  readonly id: { readonly id: string; readonly entityType: string };
  readonly name: string;
  readonly customerId: { readonly id: string };
}

export type Api = ReturnType<typeof restApi>;

export const PASSWORD = 'a-long-password';

/** @param url where the server listens, e.g. `http://127.0.0.1:8080` */
export function restApi(url: string) {
  /** Sends a request and returns whatever comes back. Rejects with `ConnectionBroken` when no answer comes. */
  const send = (method: string, path: string, token?: string, body?: object): Promise<Reply> =>
    sendTo(`${url}${path}`, { method, token, body });

  /** Sends a request that must succeed. */
  async function must(method: string, path: string, token?: string, body?: object): Promise<string> {
    const reply = await send(method, path, token, body);
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`);
    return reply.body;
  }

  async function post<Answer = Entity>(
    path: string,
    token: string | undefined,
    body: object,
  ): Promise<Answer> {
    return JSON.parse(await must('POST', path, token, body)) as Answer; // the caller knows the shape
  }

  async function get<Answer = Entity>(path: string, token: string): Promise<Answer> {
    return JSON.parse(await must('GET', path, token)) as Answer;
  }

  return {
    url,
    send,
    must,
    post,
    get,

    /** Logs in and returns the access token. */
    async login(username: string, password: string): Promise<string> {
      return (await post<{ token: string }>('/api/auth/login', undefined, { username, password })).token;
    },

    /** Creates a user, activates it by its link and returns its access token. */
    async createUser(creator: string, user: object): Promise<string> {
      const { id } = await post('/api/user?sendActivationMail=false', creator, user);
      const link = await must('GET', `/api/user/${id.id}/activationLink`, creator);
      const activateToken = new URL(link).searchParams.get('activateToken');
      const body = { activateToken, password: PASSWORD };
      return (await post<{ token: string }>('/api/noauth/activate', undefined, body)).token;
    },

    /** Creates a tenant with one administrator and returns the administrator's access token. */
    async createTenant(sysadmin: string, title: string): Promise<string> {
      const tenant = await post('/api/tenant', sysadmin, { title });
      const email = `admin@${slug(title)}.example`;
      return this.createUser(sysadmin, { email, authority: 'TENANT_ADMIN', tenantId: tenant.id });
    },

    /** Creates a customer with one user and returns the customer's id and the user's access token. */
    async createCustomer(tenant: string, title: string): Promise<Customer> {
      const customer = await post('/api/customer', tenant, { title });
      const email = `user@${slug(title)}.example`;
      const user = { email, authority: 'CUSTOMER_USER', customerId: customer.id };
      return { id: customer.id.id, token: await this.createUser(tenant, user) };
    },

    /** Creates a device with a given access token. */
    createDevice(tenant: string, name: string, accessToken: string): Promise<Entity> {
      return post(`/api/device?accessToken=${accessToken}`, tenant, { name, type: 'default' });
    },

    /** The device itself opens its window, over HTTP. */
    initiate(accessToken: string, body: object): Promise<Reply> {
      return send('POST', `/api/v1/${accessToken}/claim`, undefined, body);
    },

    confirm(customer: string, name: string, secretKey: string): Promise<Reply> {
      return send('POST', claimPath(name), customer, { secretKey });
    },

    reclaim(token: string, name: string): Promise<Reply> {
      return send('DELETE', claimPath(name), token);
    },

    device(tenant: string, name: string): Promise<Entity> {
      return get(`/api/tenant/devices?deviceName=${encodeURIComponent(name)}`, tenant);
    },
  };
}

export const claimPath = (name: string) => `/api/customer/device/${encodeURIComponent(name)}/claim`;

export interface Customer {
  readonly id: string;
  readonly token: string;
}

export interface Cast {
  readonly api: Api;
  /** Access tokens. */
  readonly sysadmin: string;
  readonly tenant: string;
  readonly customers: readonly Customer[];
}

/** A tenant with its administrator and some customers, made on a running server. */
export async function cast(url: string, sysadminPassword: string, customers = 0): Promise<Cast> {
  const api = restApi(url);
  const sysadmin = await api.login('sysadmin@thingsboard.org', sysadminPassword);
  const tenant = await api.createTenant(sysadmin, 'Tenant');
  const made: Customer[] = [];
  for (let n = 0; n < customers; n += 1) made.push(await api.createCustomer(tenant, `Customer ${n}`));
  return { api, sysadmin, tenant, customers: made };
}

function slug(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}
