/**
 * Creates what a first start needs: the system administrator, and the demo data if asked for.
 *
 * Each step adds only what is missing, so it can be repeated: after a crash the next start completes it, and later
 * starts change nothing. If several processes start together on one store, one does it and the others wait.
 */
import { randomBytes } from 'node:crypto';
import {
  type AccountAnswer,
  type Accounts,
  type Membership,
  NO_CONTACT,
  type UserFields,
} from '../../actors/accounts/model.ts';
import type { Clock } from '../../actors/base/clock.ts';
import { type CustomerId, type DeviceId, newId, type TenantId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import type { CredentialSecrets } from '../../actors/base/secret.ts';
import { accessToken } from '../../actors/fleet/credentials.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import { createLease, underLease } from '../../actors/records/lease.ts';
import type { Store } from '../../actors/store/store.ts';
import { DEMO, SYSADMIN } from '../demo/demo-data.ts';

export interface InstallNeeds {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: CredentialSecrets;
  readonly clock: Clock;
  readonly log: Log;
  /** Shows a line to a person that must not go into the log. */
  readonly announce: (line: string) => void;
}

/** A process without progress for this long is considered dead. */
const LEASE_MS = 5_000;

export interface InstallSettings {
  readonly sysadminPassword: string | undefined;
  readonly loadDemo: boolean;
}

export function install(
  needs: InstallNeeds & { readonly store: Store },
  { sysadminPassword, loadDemo }: InstallSettings,
): Promise<void> {
  const { store, clock } = needs;
  return underLease(createLease(store, clock, 'install', LEASE_MS), clock, LEASE_MS, async () => {
    await ensureSysadmin(needs, sysadminPassword ?? (loadDemo ? SYSADMIN.demoPassword : undefined));
    if (loadDemo) await ensureDemo(needs);
  });
}

/** The next start tries again. */
class InstallFailed extends Error {
  constructor(what: string, why: string) {
    super(`${what} could not be created: ${why}`);
    this.name = 'InstallFailed';
  }
}

/**
 * Creates a system administrator if there is none.
 *
 * @param password undefined: a random one. It is announced before the administrator is created, so that a crash cannot
 *   leave one behind whose password nobody has seen
 */
export async function ensureSysadmin(needs: InstallNeeds, password: string | undefined): Promise<void> {
  const { accounts, announce, log } = needs;
  const existing = await accounts.users.list({ authority: 'SYS_ADMIN' }, { page: 0, pageSize: 1 });
  if (existing.items.length > 0) return;
  if (password === undefined) {
    const drawn = randomBytes(15).toString('base64url');
    announce(
      `claimd: the first system administrator is ${SYSADMIN.email} with the password ${drawn} (shown only now)`,
    );
    await ensureUser(needs, { authority: 'SYS_ADMIN' }, SYSADMIN.email, drawn);
  } else {
    await ensureUser(needs, { authority: 'SYS_ADMIN' }, SYSADMIN.email, password);
  }
  log.info({ email: SYSADMIN.email }, 'created the first system administrator');
}

/** Adds missing demo data. What people changed in it (claimed, renamed, assigned) stays. */
export async function ensureDemo(needs: InstallNeeds): Promise<void> {
  const tenantId = await ensureTenant(needs);
  await ensureUser(
    needs,
    { authority: 'TENANT_ADMIN', tenantId },
    DEMO.tenantAdmin.email,
    DEMO.tenantAdmin.password,
  );

  const customers = new Map<string, CustomerId>();
  for (const { title, users } of DEMO.customers) {
    const customerId = await ensureCustomer(needs, tenantId, title);
    customers.set(title, customerId);
    for (const { email, password } of users) {
      await ensureUser(needs, { authority: 'CUSTOMER_USER', tenantId, customerId }, email, password);
    }
  }
  for (const device of DEMO.devices) {
    const customerId = device.customer === null ? null : (customers.get(device.customer) ?? null);
    await ensureDevice(needs, tenantId, device, customerId);
  }
  needs.log.info({ tenantId }, 'the demo data is there');
}

async function ensureTenant({ accounts }: InstallNeeds): Promise<TenantId> {
  // The administrator is created after the tenant. Without one, look for the mark.
  const admin = await accounts.users.findByEmail(DEMO.tenantAdmin.email);
  if (admin?.membership.authority === 'TENANT_ADMIN') return admin.membership.tenantId;
  const { items } = await accounts.tenants.list({ page: 0, pageSize: 1000, textSearch: DEMO.tenantTitle });
  const marked = items.find((tenant) => tenant.additionalInfo?.demo === true);
  if (marked !== undefined) return marked.id;
  const created = await accounts.tenants.create({
    title: DEMO.tenantTitle,
    region: 'Global',
    contact: NO_CONTACT,
    additionalInfo: { demo: true },
  });
  return done(created, "the demo's tenant").id;
}

async function ensureCustomer(
  { accounts }: InstallNeeds,
  tenantId: TenantId,
  title: string,
): Promise<CustomerId> {
  const existing = await accounts.customers.findByTitle(tenantId, title);
  if (existing !== undefined) return existing.id;
  const created = await accounts.customers.create(tenantId, {
    title,
    contact: NO_CONTACT,
    additionalInfo: null,
  });
  return done(created, `the demo's ${title}`).id;
}

async function ensureUser(
  { accounts }: InstallNeeds,
  membership: Membership,
  email: string,
  password: string,
): Promise<void> {
  if ((await accounts.users.findByEmail(email)) !== undefined) return;
  const fields: UserFields = { email, firstName: null, lastName: null, phone: null, additionalInfo: null };
  done(await accounts.users.create(membership, fields, password), `the user ${email}`);
}

async function ensureDevice(
  { devices, directory, secrets, clock, log }: InstallNeeds,
  tenantId: TenantId,
  device: (typeof DEMO.devices)[number],
  customerId: CustomerId | null,
): Promise<void> {
  if ((await directory.byName(tenantId, device.name)) !== undefined) return;
  const id = newId<DeviceId>(clock.now());
  const answer = await devices.ask(id, {
    type: 'ProvisionDevice',
    tenantId,
    name: device.name,
    deviceType: device.type,
    label: null,
    additionalInfo: device.description === null ? null : { description: device.description },
    credentials: accessToken(secrets, id, device.accessToken),
    customerId,
  });
  if (answer.type === 'accepted') return;
  const reason = answer.type === 'refused' ? answer.refusal.reason : answer.reason;
  if (reason === 'credentials-taken') {
    // Somebody gave the well-known token to another device.
    log.warn({ device: device.name }, 'a demo device is left out: another device has its access token');
    return;
  }
  throw new InstallFailed(`the demo's device ${device.name}`, reason);
}

function done<Value>(answer: AccountAnswer<Value>, what: string): Value {
  if (answer.type === 'done') return answer.value;
  throw new InstallFailed(what, answer.type === 'refused' ? answer.refusal.reason : answer.reason);
}
