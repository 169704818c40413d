/** The first administrator and the demo: added once, completed after a crash, never twice. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAccounts, defaultAccountSettings } from '../../actors/accounts/accounts.ts';
import { systemClock } from '../../actors/base/clock.ts';
import { silentLog } from '../../actors/base/log.ts';
import { createSecrets } from '../../actors/base/secret.ts';
import { deviceEngine } from '../../actors/device/persistence.ts';
import { shownBy } from '../../actors/fleet/credentials.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import { createDirectory } from '../../actors/fleet/directory.ts';
import { createDevices } from '../../actors/fleet/live-devices.ts';
import { startActorSystem, stop } from '../../actors/runtime/nact.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import {
  ensureDemo,
  ensureSysadmin,
  type InstallNeeds,
  install as installAll,
} from '../../config/compose/install.ts';
import { installationOf } from '../../config/compose/keys.ts';
import { DEMO, SYSADMIN } from '../../config/demo/demo-data.ts';
import { loadConfig } from '../../config/options/load.ts';
import { createSharedStore } from '../kit/shared-store.ts';

const ALL = { page: 0, pageSize: 100 };

/** The parts of the system that an installation needs, by default on a memory store. */
function parts(store: Store = createMemoryStore()) {
  const loaded = loadConfig({ env: {}, flags: [] });
  if (loaded.type === 'problems') throw new Error('the defaults are wrong');
  const root = startActorSystem(deviceEngine(store.journal));
  const devices = createDevices({
    root,
    journal: store.journal,
    policy: { ...loaded.config.claim, ownership: loaded.config.ownership },
    settings: loaded.config.devices,
    clock: systemClock,
    log: silentLog,
    onEvent: () => {},
  });
  const directory = createDirectory(store.journal, store.index);
  const settings = { ...defaultAccountSettings, passwordHashCost: 2 ** 10, demoPasswordsWork: true };
  const secrets = createSecrets(Buffer.alloc(32, 7));
  const accounts = createAccounts({ store, devices, directory, clock: systemClock, secrets, settings });
  const announced: string[] = [];
  const needs: InstallNeeds = {
    accounts,
    devices,
    directory,
    secrets,
    clock: systemClock,
    log: silentLog,
    announce: (line) => announced.push(line),
  };
  const close = async () => {
    await devices.stop(0);
    stop(root);
    await store.close();
  };
  return { needs, announced, close };
}

const install = suite('config: install');

install('its name is kept in the store, and no other store has it', async () => {
  const [one, other] = [createMemoryStore(), createMemoryStore()];
  const both = await Promise.all([installationOf(one), installationOf(one)]);
  assert.is(both[0], both[1]);
  assert.is(await installationOf(one), both[0]);
  assert.is.not(await installationOf(other), both[0]);
});

install('without a password a random one is announced once, and it is the right one', async () => {
  const { needs, announced, close } = parts();
  await ensureSysadmin(needs, undefined);
  await ensureSysadmin(needs, undefined);
  assert.is(announced.length, 1);
  const password = /with the password (\S+)/.exec(announced[0] ?? '')?.[1] ?? '';
  assert.ok(password.length >= 20);
  assert.is((await needs.accounts.users.login(SYSADMIN.email, password)).type, 'welcome');
  await close();
});

install('a configured password is used and never announced; a later one changes nothing', async () => {
  const { needs, announced, close } = parts();
  await ensureSysadmin(needs, 'first-password');
  await ensureSysadmin(needs, 'second-password');
  assert.equal(announced, []);
  assert.is((await needs.accounts.users.login(SYSADMIN.email, 'first-password')).type, 'welcome');
  await close();
});

install('if there is an administrator, none is added', async () => {
  const { needs, announced, close } = parts();
  const fields = {
    email: 'root@example.org',
    firstName: null,
    lastName: null,
    phone: null,
    additionalInfo: null,
  };
  await needs.accounts.users.create({ authority: 'SYS_ADMIN' }, fields, 'a-long-password');
  await ensureSysadmin(needs, undefined);
  assert.equal(announced, []);
  assert.is(await needs.accounts.users.findByEmail(SYSADMIN.email), undefined);
  await close();
});

install(
  'of processes that start at once on an empty store one installs, and one administrator is announced',
  async () => {
    const store = createSharedStore();
    const nodes = [1, 2, 3].map(() => parts(store));
    const wanted = { sysadminPassword: undefined, loadDemo: true };
    await Promise.all(nodes.map(({ needs }) => installAll({ ...needs, store }, wanted)));
    const [node] = nodes;
    if (node === undefined) throw new Error('no node');
    assert.is((await node.needs.accounts.users.list({ authority: 'SYS_ADMIN' }, ALL)).total, 1);
    const { tenants, devices } = await demoAsFound(node.needs);
    assert.equal([tenants, devices.length], [1, DEMO.devices.length]);

    const empty = createSharedStore();
    const others = [1, 2].map(() => parts(empty));
    await Promise.all(
      others.map(({ needs }) => installAll({ ...needs, store: empty }, { ...wanted, loadDemo: false })),
    );
    assert.is(others.flatMap(({ announced }) => announced).length, 1);
    for (const { close } of [...nodes, ...others]) await close();
  },
);

/** The whole demo data as clients see it. */
async function demoAsFound({ accounts, directory, secrets }: InstallNeeds) {
  const tenants = await accounts.tenants.list(ALL);
  const tenantId = tenants.items[0]?.id;
  if (tenantId === undefined) throw new Error('no tenant');
  const customers = await accounts.customers.list(tenantId, ALL);
  const titles = new Map(customers.items.map(({ id, title }) => [id, title]));
  const admins = await accounts.users.list({ authority: 'TENANT_ADMIN', tenantId }, ALL);
  const users = await Promise.all(
    customers.items.map(({ id }) =>
      accounts.users.list({ authority: 'CUSTOMER_USER', tenantId, customerId: id }, ALL),
    ),
  );
  const devices = await directory.ofTenant(tenantId, ALL);
  return {
    tenants: tenants.total,
    admins: admins.items.map(({ email }) => email),
    customers: customers.items.map(({ title }) => title).sort(),
    users: users.flatMap(({ items }) => items.map(({ email }) => email)).sort(),
    devices: devices.items
      .map(({ id, name, credentials, owner }) => ({
        name,
        token: shownBy(secrets, id, credentials),
        owner: owner === null ? null : titles.get(owner.customerId),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

const EXPECTED = {
  tenants: 1,
  admins: ['tenant@thingsboard.org'],
  customers: ['Customer A', 'Customer B', 'Customer C'],
  users: [
    'customer@thingsboard.org',
    'customerA@thingsboard.org',
    'customerB@thingsboard.org',
    'customerC@thingsboard.org',
  ],
  devices: [
    { name: 'DHT11 Demo Device', token: 'DHT11_DEMO_TOKEN', owner: null },
    { name: 'Raspberry Pi Demo Device', token: 'RASPBERRY_PI_DEMO_TOKEN', owner: null },
    { name: 'Test Device A1', token: 'A1_TEST_TOKEN', owner: 'Customer A' },
    { name: 'Test Device A2', token: 'A2_TEST_TOKEN', owner: 'Customer A' },
    { name: 'Test Device A3', token: 'A3_TEST_TOKEN', owner: 'Customer A' },
    { name: 'Test Device B1', token: 'B1_TEST_TOKEN', owner: 'Customer B' },
    { name: 'Test Device C1', token: 'C1_TEST_TOKEN', owner: 'Customer C' },
    { name: 'Thermostat T1', token: 'T1_TEST_TOKEN', owner: null },
    { name: 'Thermostat T2', token: 'T2_TEST_TOKEN', owner: null },
  ],
};

install("the demo is ThingsBoard's, and a second time adds nothing", async () => {
  const { needs, close } = parts();
  await ensureDemo(needs);
  assert.equal(await demoAsFound(needs), EXPECTED);
  await ensureDemo(needs);
  assert.equal(await demoAsFound(needs), EXPECTED);
  assert.is((await needs.accounts.users.login('tenant@thingsboard.org', 'tenant')).type, 'welcome');
  assert.is((await needs.accounts.users.login('customerB@thingsboard.org', 'customer')).type, 'welcome');
  await close();
});

install('if it breaks off at any step, the next start completes it', async () => {
  const { needs, close } = parts();
  // Each round allows one more write, until the installation completes.
  let rounds = 0;
  for (let done = false; !done; rounds++) {
    let left = 1;
    const spend = () => {
      if (left-- === 0) throw new Error('crash');
    };
    const failing: Devices = {
      read: (id) => needs.devices.read(id),
      ask: async (id, command) => {
        spend();
        return needs.devices.ask(id, command);
      },
    };
    const { tenants, customers, users } = needs.accounts;
    const accounts = {
      ...needs.accounts,
      tenants: { ...tenants, create: spendThen(spend, tenants.create) },
      customers: { ...customers, create: spendThen(spend, customers.create) },
      users: { ...users, create: spendThen(spend, users.create) },
    };
    done = await ensureDemo({ ...needs, accounts, devices: failing }).then(
      () => true,
      (error) => {
        assert.is(error.message, 'crash');
        return false;
      },
    );
  }
  assert.is(rounds, 1 + 1 + 3 + 4 + DEMO.devices.length, 'one step per round');
  assert.equal(await demoAsFound(needs), EXPECTED);
  await close();
});

install('a demo device is left out if its token is in use; the others are created', async () => {
  const { needs, close } = parts();
  await ensureDemo(needs);
  const tenant = (await needs.accounts.tenants.list(ALL)).items[0];
  if (tenant === undefined) throw new Error('no tenant');
  const t1 = await needs.directory.byCredentials(needs.secrets.credentialsId('T1_TEST_TOKEN'));
  if (t1 === undefined) throw new Error('no T1');
  await needs.devices.ask(t1.id, {
    type: 'UpdateDevice',
    tenantId: tenant.id,
    customerId: null,
    name: 'My own',
    deviceType: 'default',
    label: null,
    additionalInfo: null,
  });
  await ensureDemo(needs);
  const names = (await needs.directory.ofTenant(tenant.id, ALL)).items.map(({ name }) => name);
  assert.is(names.length, DEMO.devices.length);
  assert.not.ok(names.includes('Thermostat T1'));
  await close();
});

function spendThen<Args extends unknown[], Result>(
  spend: () => void,
  then: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    spend();
    return then(...args);
  };
}

install.run();
