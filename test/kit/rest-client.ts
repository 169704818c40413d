/**
 * The REST layer as its clients see it, without a socket: the real app over the real actors and a store that forgets.
 * Time stands still until the test moves it. Password hashes are cheap.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AccountSettings,
  type Accounts,
  createAccounts,
  defaultAccountSettings,
  NO_CONTACT,
} from '../../actors/accounts/accounts.ts';
import { createStoredBytes } from '../../actors/accounts/stored-bytes.ts';
import { type Audit, createAudit } from '../../actors/audit/audit.ts';
import { countingRefusals, createRefusals } from '../../actors/audit/refusals.ts';
import type { CustomerId, DeviceId, TenantId, UserId } from '../../actors/base/ids.ts';
import { newId } from '../../actors/base/ids.ts';
import { type Log, silentLog } from '../../actors/base/log.ts';
import { createSecrets, type Secrets } from '../../actors/base/secret.ts';
import type { Batches } from '../../actors/batches/model.ts';
import { REASONS } from '../../actors/claiming/reasons.ts';
import { createStatements } from '../../actors/claiming/statements.ts';
import { silentBus } from '../../actors/cluster/bus.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import { DEFAULT_OWNERSHIP_RULES, type OwnershipRules } from '../../actors/device/ownership-rules.ts';
import { deviceEngine } from '../../actors/device/persistence.ts';
import { accessToken } from '../../actors/fleet/credentials.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import { createDirectory } from '../../actors/fleet/directory.ts';
import { createDevices, type LiveDevices } from '../../actors/fleet/live-devices.ts';
import { createProfiles, PROFILE_DEFAULTS } from '../../actors/fleet/profiles.ts';
import type { Imports } from '../../actors/imports/imports.ts';
import { createKits, type KitNeeds } from '../../actors/kits/kits.ts';
import type { Kits } from '../../actors/kits/model.ts';
import { memoryCounters } from '../../actors/limits/counters.ts';
import { createAddressFilter } from '../../actors/outbound/addresses.ts';
import { createOutbound } from '../../actors/outbound/request.ts';
import type { Dispatcher } from '../../actors/outbox/dispatcher.ts';
import { createProviders } from '../../actors/providers/providers.ts';
import { startActorSystem, stop } from '../../actors/runtime/nact.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import { createForgetting } from '../../config/compose/forgetting.ts';
import { alsoTold, createJobs } from '../../config/compose/live.ts';
import { composeWebhooks } from '../../config/compose/webhooks.ts';
import { type ApiNeeds, createApp } from '../../http/app.ts';
import { createAuthentication } from '../../http/auth/authentication.ts';
import { createBrowsers } from '../../http/auth/browsers.ts';
import { createProviderSignIn } from '../../http/auth/provider-sign-in.ts';
import { createTokens } from '../../http/auth/tokens.ts';
import { createEventLog } from '../../http/event-log.ts';
import { createFeed, type Feed } from '../../http/feed.ts';
import type { Route } from '../../http/route.ts';
import { allRoutes } from '../../http/routes/all.ts';
import {
  type ApiSettings,
  defaultApiSettings,
  defaultTokenSettings,
  type LimitSettings,
} from '../../http/settings.ts';

import { awakeClock } from './awake-clock.ts';
import { createSimClock, type SimClock } from './clock.ts';
import { type Conformance, conformanceTo } from './conformance.ts';
import { UNHURRIED } from './unhurried.ts';

export const START = Date.UTC(2026, 0, 1);
export const PASSWORD = 'a-long-password';
export const HOUR_MS = 3_600_000;
const SERVER_KEY = Buffer.alloc(32, 1);
/** As every world has them. */
const credentialSecrets = createSecrets(SERVER_KEY);

const POLICY: ClaimPolicy = {
  allowClaimingByDefault: true,
  defaultDurationMs: HOUR_MS,
  maxDurationMs: 0,
  maxAttributeBytes: 65_536,
  ownership: DEFAULT_OWNERSHIP_RULES,
};

const WEBHOOK_SETTINGS = { enabled: true, perTenant: 20, timeoutMs: 15_000, logEventsMax: 100_000 };

export interface RestOptions {
  /** Whether people may sign up by a provider that is set so; by default, for once, they may. */
  readonly allowSignUp?: boolean;
  readonly policy?: Partial<ClaimPolicy>;
  readonly settings?: Partial<Omit<ApiSettings, 'tokens' | 'limits'>>;
  readonly limits?: Partial<LimitSettings>;
  readonly log?: Log;
  /** By default one of its own, in memory. */
  readonly store?: Store;
  /** Shortest access token of a device. */
  readonly minTokenLength?: number;
  /** Puts something in place of, or around, what the app is given. */
  readonly disturb?: (needs: ApiNeeds) => ApiNeeds;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
  readonly headers: Headers;
}

/** One who sends requests, with or without a token. */
export interface Caller {
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
  delete(path: string, body?: unknown): Promise<Answer>;
  send(method: string, path: string, init?: RequestInit): Promise<Answer>;
}

export interface RestWorld {
  readonly clock: SimClock;
  readonly store: Store;
  readonly accounts: Accounts;
  readonly imports: Imports;
  readonly batches: Batches;
  readonly kits: Kits;
  /** Sends when it is started. */
  readonly dispatcher: Dispatcher;
  readonly feed: Feed;
  /** Writes when it is told to catch up. */
  readonly audit: Audit;
  readonly devices: LiveDevices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly app: ReturnType<typeof createApp>;
  /** The definitions that the app was made from. */
  readonly routes: readonly Route[];
  readonly nobody: Caller;
  as(token: string, address?: string): Caller;
  /** Logs in by password. */
  login(email: string, password?: string): Promise<Tokens>;
  /** Other accounts over the same store, as another process has them. */
  elsewhere(settings?: Partial<AccountSettings>): Accounts;
  /** Likewise other kits. */
  kitsElsewhere(other?: Partial<KitNeeds>): Kits;
  stop(): Promise<void>;
}

export interface Tokens {
  readonly token: string;
  readonly refreshToken: string;
}

/** Most tests never look at them, and they are half of what a world costs. */
function routesOf(needs: ApiNeeds): readonly Route[] {
  const { accounts, clock, log, settings } = needs;
  const tokens = createTokens(settings.tokens, clock);
  return allRoutes({
    presence: { isConnected: () => false },
    ...needs,
    tokens,
    browsers: createBrowsers(tokens),
    authentication: createAuthentication({ accounts, tokens, clock, log, settings: settings.tokens }),
    providerSignIn: createProviderSignIn({ ...needs, ...needs.outbound }),
    readLogoutToken: async () => ({ type: 'unavailable' }),
  });
}

/** Of all worlds: they have the same routes. */
let conformance: Conformance | undefined;

export function createRestWorld(options: RestOptions = {}): RestWorld {
  const clock = createSimClock(START);
  const log = options.log ?? silentLog;
  const { store = createMemoryStore() } = options;
  const root = startActorSystem(deviceEngine(store.journal));
  const feed = createFeed(clock);
  const policy = { ...POLICY, ...options.policy };
  const profiles = createProfiles(store, clock, PROFILE_DEFAULTS, silentBus, policy.ownership);
  const secrets = createSecrets(SERVER_KEY);
  const devices = createDevices({
    secrets,
    root,
    journal: store.journal,
    policy,
    settings: {
      residentsMax: 1000,
      idleMs: 60_000,
      mailboxMax: 1000,
      inFlightMax: 10_000,
      askTimeoutMs: 5000,
    },
    clock,
    log,
    onEvent: feed.onDeviceEvent,
    ownershipOf: profiles.ownershipOf,
    minTokenLength: options.minTokenLength ?? 0,
  });
  const directory = createDirectory(store.journal, store.index, UNHURRIED);
  const settings = { ...defaultAccountSettings, passwordHashCost: 2, passwordHashQueue: 1000 };
  const stored = createStoredBytes(store, 0, log);
  const server = 'https://claimd.test';
  // Counterparts stand on this machine.
  const filter = createAddressFilter({ allowedNetworks: ['127.0.0.1'], allowHttp: true });
  const send = createOutbound(filter, clock);
  const parts = { store, secrets, profiles, clock, log, server, filter, send };
  const { webhooks, dispatcher, reader } = composeWebhooks(WEBHOOK_SETTINGS, parts);
  const accounts = createAccounts({
    store,
    devices,
    directory,
    clock,
    secrets,
    settings,
    ...createForgetting(store, profiles, stored, webhooks, clock),
  });
  const audit = createAudit(store, true, clock, log);
  const minTokenLength = options.minTokenLength ?? 0;
  const inHand = { store, accounts, devices, directory, profiles, secrets, clock, log };
  const refusals = createRefusals({ devices, clock, log });
  const told = alsoTold(countingRefusals(audit, refusals), feed);
  const { kits, imports, batches } = createJobs({ ...inHand, refusals, audit: told, minTokenLength });
  const needs: ApiNeeds = {
    imports,
    batches,
    kits,
    webhooks,
    eventLog: createEventLog(reader, clock),
    providers: createProviders({
      ...inHand,
      filter,
      counters: memoryCounters,
      allowSignUp: options.allowSignUp ?? true,
    }),
    outbound: { send: createOutbound(filter, awakeClock), allowHttp: true },
    feed,
    accounts,
    audit: told,
    devices,
    directory,
    profiles,
    secrets,
    statements: createStatements([SERVER_KEY], 'claimd', clock),
    clock,
    log,
    readiness: { check: () => store.check(), draining: () => false },
    settings: {
      ...defaultApiSettings,
      ...options.settings,
      limits: { ...defaultApiSettings.limits, ...options.limits },
      tokens: { ...defaultTokenSettings, signingKey: Buffer.alloc(64, 2) },
    },
  };
  const app = createApp(options.disturb?.(needs) ?? needs);
  conformance ??= conformanceTo(routesOf(needs));
  const conform = conformance;

  function caller(headers: Record<string, string>, address: string): Caller {
    async function send(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
      const incoming = { socket: { remoteAddress: address } };
      const given = Object.entries((init.headers ?? {}) as Record<string, string>);
      const all = { ...headers, ...Object.fromEntries(given) };
      // The one thing of node's request that the app looks at here; the path is the URL's.
      const response = await app.request(path, { ...init, method, headers: all }, { incoming } as never);
      const text = await response.text();
      conform(method, path, { status: response.status, text, type: response.headers.get('content-type') });
      return { status: response.status, text, json: parsed(text), headers: response.headers };
    }
    const withBody = (body: unknown): RequestInit =>
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    return {
      send,
      get: (path) => send('GET', path),
      post: (path, body) => send('POST', path, withBody(body)),
      delete: (path, body) => send('DELETE', path, withBody(body)),
    };
  }

  const nobody = caller({}, '192.0.2.1');

  return {
    clock,
    store,
    accounts,
    imports,
    batches,
    kits,
    dispatcher,
    feed,
    audit,
    devices,
    directory,
    secrets,
    app,
    get routes() {
      return routesOf(needs);
    },
    nobody,
    as: (token, address = '192.0.2.1') => caller({ 'x-authorization': `Bearer ${token}` }, address),
    async login(email, password = PASSWORD) {
      const answer = await nobody.post('/api/auth/login', { username: email, password });
      if (answer.status !== 200)
        throw new Error(`${email} could not log in: ${answer.status} ${answer.text}`);
      return answer.json as Tokens; // the shape is a test of its own
    },
    elsewhere: (other = {}) =>
      createAccounts({ store, devices, directory, clock, secrets, settings: { ...settings, ...other } }),
    kitsElsewhere: (other = {}) => createKits({ ...inHand, customers: accounts.customers, ...other }),
    async stop() {
      feed.close();
      await Promise.all([imports.stop(), batches.stop(), kits.stop(), dispatcher.stop()]);
      await devices.stop(0);
      stop(root);
      await store.close();
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// ------------------------------------------------------------------------------------------------------------ laws

export interface Scene {
  readonly world: RestWorld;
  readonly home: Household;
}

/** A suite whose tests each play in a world of their own. */
export function restLaws(title: string) {
  const test = suite(title);
  return {
    law(name: string, play: (scene: Scene) => Promise<void>, options: RestOptions = {}): void {
      test(name, async () => {
        const world = createRestWorld(options);
        try {
          await play({ world, home: await settle(world, 'home') });
        } finally {
          await world.stop();
        }
      });
    },
    run: () => test.run(),
  };
}

/** The answer is ThingsBoard's error envelope, with at most a code of the catalogue of reasons besides. */
export function isProblem(answer: Answer, status: number, errorCode: number, message?: string): void {
  assert.is(answer.status, status, answer.text);
  const { timestamp, message: told, reason, ...rest } = answer.json as Record<string, unknown>;
  assert.equal(rest, { status, errorCode });
  if (reason !== undefined) assert.ok(Object.hasOwn(REASONS, String(reason)), String(reason));
  assert.type(timestamp, 'number');
  assert.type(told, 'string');
  if (message !== undefined) assert.is(told, message);
}

/** The answer is 200 without a body. */
export function isDone(answer: Answer): void {
  assert.is(answer.status, 200, answer.text);
  assert.is(answer.text, '');
}

/** An entity in an answer; its shape is a test of its own (`rest-access`). */
export interface Entity {
  readonly id: { readonly id: string };
  readonly customerId: { readonly id: string };
  readonly [field: string]: unknown;
}

/** The entity that an answer of 200 holds. */
export function entity(answer: Answer): Entity {
  assert.is(answer.status, 200, answer.text);
  return answer.json as Entity;
}

export interface PageOf {
  readonly data: readonly Entity[];
  readonly totalPages: number;
  readonly totalElements: number;
  readonly hasNext: boolean;
}

export function pageOf(answer: Answer): PageOf {
  assert.is(answer.status, 200, answer.text);
  return answer.json as PageOf;
}

// ---------------------------------------------------------------------------------------------------------- people

/** One tenant with its administrator, two customers with a user each. */
export interface Household {
  readonly tenantId: TenantId;
  readonly admin: Caller;
  readonly adminEmail: string;
  readonly adminId: UserId;
  readonly alice: Resident;
  readonly bob: Resident;
}

/** A customer and its one user. */
export interface Resident extends Caller {
  readonly customerId: CustomerId;
  readonly userId: UserId;
  readonly email: string;
  readonly token: string;
}

const nothing = { additionalInfo: null, contact: NO_CONTACT };
const person = (email: string) => ({
  email,
  firstName: null,
  lastName: null,
  phone: null,
  additionalInfo: null,
});

/** One more customer of a tenant. */
export async function moveIn(world: RestWorld, tenantId: TenantId, email: string): Promise<Resident> {
  const { accounts } = world;
  const [title = email] = email.split('@');
  const customer = given(await accounts.customers.create(tenantId, { title, ...nothing }));
  const membership = { authority: 'CUSTOMER_USER', tenantId, customerId: customer.id } as const;
  const user = given(await accounts.users.create(membership, person(email), PASSWORD));
  const { token } = await world.login(email);
  return { ...world.as(token), customerId: customer.id, userId: user.id, email, token };
}

/** One more administrator of a tenant, logged in. */
export async function newAdministrator(world: RestWorld, tenantId: TenantId, email: string) {
  const membership = { authority: 'TENANT_ADMIN', tenantId } as const;
  const user = given(await world.accounts.users.create(membership, person(email), PASSWORD));
  return { caller: world.as((await world.login(email)).token), userId: user.id };
}

export async function settle(world: RestWorld, name: string): Promise<Household> {
  const { accounts } = world;
  const tenant = given(await accounts.tenants.create({ title: name, region: null, ...nothing }));
  const adminEmail = `admin@${name}.test`;
  const { caller, userId } = await newAdministrator(world, tenant.id, adminEmail);
  return {
    tenantId: tenant.id,
    admin: caller,
    adminEmail,
    adminId: userId,
    alice: await moveIn(world, tenant.id, `alice@${name}.test`),
    bob: await moveIn(world, tenant.id, `bob@${name}.test`),
  };
}

/** A system administrator, logged in. */
export async function systemAdministrator(world: RestWorld): Promise<Caller> {
  const email = 'sysadmin@claimd.test';
  const fields = { email, firstName: null, lastName: null, phone: null, additionalInfo: null };
  given(await world.accounts.users.create({ authority: 'SYS_ADMIN' }, fields, PASSWORD));
  return world.as((await world.login(email)).token);
}

/** What an account command gave. */
export function given<Value>(
  answer: { readonly type: 'done'; readonly value: Value } | { readonly type: 'refused' | 'unavailable' },
): Value {
  if (answer.type !== 'done') throw new Error(`not done: ${JSON.stringify(answer)}`);
  return answer.value;
}

// --------------------------------------------------------------------------------------------------------- devices

/** Provisions a device past the API. */
export async function provision(
  world: { readonly devices: Devices; readonly clock: SimClock },
  tenantId: TenantId,
  name: string,
  customerId: CustomerId | null = null,
  more: { readonly viaGateway?: DeviceId } = {},
): Promise<DeviceId> {
  const id = newId<DeviceId>(world.clock.now());
  const answer = await world.devices.ask(id, {
    type: 'ProvisionDevice',
    tenantId,
    name,
    deviceType: 'default',
    label: null,
    additionalInfo: null,
    credentials: accessToken(credentialSecrets, id, `token of ${id}`),
    customerId,
    ...more,
  });
  if (answer.type !== 'accepted') throw new Error(`not provisioned: ${JSON.stringify(answer)}`);
  return id;
}

/** Opens a device's claim window, as the device itself does. */
export async function openWindow(
  world: Pick<RestWorld, 'devices' | 'secrets'>,
  id: DeviceId,
  secret: string,
  durationMs = HOUR_MS,
): Promise<void> {
  const answer = await world.devices.ask(id, {
    type: 'InitiateClaim',
    openedBy: { type: 'device', credentialsId: credentialSecrets.credentialsId(`token of ${id}`) },
    secretDigest: world.secrets.digest(id, secret),
    secretLength: secret.length,
    durationMs,
  });
  if (answer.type !== 'accepted') throw new Error(`not opened: ${JSON.stringify(answer)}`);
}

/** The device opens its window, and a customer claims it. */
export async function claimByWindow(
  world: Pick<RestWorld, 'devices' | 'secrets'>,
  customer: Caller,
  id: DeviceId,
  name: string,
): Promise<void> {
  await openWindow(world, id, 'secret');
  const answer = await customer.post(claimPath(name), { secretKey: 'secret' });
  assert.is(answer.status, 200, answer.text);
}

/** Sets attributes that steer claiming, as the tenant does. */
export async function steer(tenant: Caller, id: DeviceId, attributes: object): Promise<void> {
  isDone(await tenant.post(`/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`, attributes));
}

/** A world whose devices have other rules than the default ones. */
export function ruledBy(ownership: Partial<OwnershipRules>): RestOptions {
  return { policy: { ownership: { ...DEFAULT_OWNERSHIP_RULES, ...ownership } } };
}

export const claimPath = (name: string) => `/api/customer/device/${encodeURIComponent(name)}/claim`;
