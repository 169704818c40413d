/**
 * Tenants, customers and users: uniqueness, races, and what a crash leaves behind where an operation takes several writes.
 * The crash tests end the process at each of them in turn, start over on what is stored, and look. That one write happens
 * whole or not at all is the stores' contract.
 */
import type { Scheduler } from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AccountAnswer,
  type Accounts,
  createAccounts,
  defaultAccountSettings,
  NO_CONTACT,
} from '../../actors/accounts/accounts.ts';
import { titleKey, userKind } from '../../actors/accounts/kinds.ts';
import { createReplays } from '../../actors/accounts/replays.ts';
import { newId, type TenantId, type UserId } from '../../actors/base/ids.ts';
import { createSecrets, type Secrets } from '../../actors/base/secret.ts';
import { checkClaimLists } from '../../actors/fleet/claim-lists.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { createCollection } from '../../actors/records/collection.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import { createSimClock, type SimClock } from '../kit/clock.ts';
import { Crash, dying, through } from '../kit/dying-store.ts';
import fc from '../kit/property.ts';
import { given, HOUR_MS, START } from '../kit/rest-client.ts';

const PASSWORD = 'a-long-password';
const SECRETS = createSecrets(Buffer.alloc(32, 7));
const ALL = { page: 0, pageSize: 1000 };
const BY = newId<UserId>(START);

/** A tenant without devices. */
const noDevices: Devices & Directory = {
  ask: async () => ({ type: 'refused', refusal: { reason: 'unknown-device' } }),
  read: async () => undefined,
  byCredentials: async () => undefined,
  holderOf: async () => undefined,
  idOf: async () => undefined,
  idOfTyped: async () => undefined,
  byName: async () => undefined,
  ofTenant: async () => ({ items: [], total: 0 }),
  typesOf: async () => [],
  ofTransfer: async () => undefined,
  offeredTo: async () => [],
  ofCustomer: async () => ({ items: [], total: 0 }),
};

function accountsOver(
  store: Store,
  clock: SimClock,
  caseSensitive = true,
  secrets: Secrets = SECRETS,
): Accounts {
  const settings = { ...defaultAccountSettings, passwordHashCost: 2, loginCaseSensitive: caseSensitive };
  return createAccounts({ store, devices: noDevices, directory: noDevices, clock, secrets, settings });
}

const person = (email: string) => ({
  email,
  firstName: null,
  lastName: null,
  phone: null,
  additionalInfo: null,
});
const customer = (title: string) => ({ title, contact: NO_CONTACT, additionalInfo: null });

interface Scene {
  readonly store: Store;
  readonly clock: SimClock;
  readonly accounts: Accounts;
  readonly tenantId: TenantId;
}

/** Ids ascend over the whole process, so each scene begins after the one before it. */
let dawn = START;

async function scene(): Promise<Scene> {
  dawn += HOUR_MS;
  const [store, clock] = [createMemoryStore(), createSimClock(dawn)];
  const accounts = accountsOver(store, clock);
  const tenant = given(
    await accounts.tenants.create({ title: 'T', region: null, contact: NO_CONTACT, additionalInfo: null }),
  );
  return { store, clock, accounts, tenantId: tenant.id };
}

test('accounts: nobody goes through the devices of a new tenant: its lists are whole from the start', async () => {
  const { store, clock, tenantId } = await scene();
  assert.equal(await checkClaimLists(store, tenantId), { missing: 0, surplus: 0 });

  // Where that cannot be noted the tenant is there nevertheless, and the background sees to it.
  const away: Store = {
    ...store,
    index: Object.assign(Object.create(store.index), {
      add: () => Promise.reject(new StoreUnavailable('memory', 'away')),
    }),
  };
  const fields = { title: 'Other', region: null, contact: NO_CONTACT, additionalInfo: null };
  const { id } = given(await accountsOver(away, clock).tenants.create(fields));
  assert.ok(await accountsOver(store, clock).tenants.find(id));
  assert.is(await checkClaimLists(store, id), undefined);
});

function reasonOf(answer: AccountAnswer<unknown>): string {
  return answer.type === 'refused' ? answer.refusal.reason : answer.type;
}

// ------------------------------------------------------------------------------------------------------ uniqueness

test('accounts: one e-mail address is one user, whoever asks at once', async () => {
  const { accounts, tenantId } = await scene();
  const membership = { authority: 'TENANT_ADMIN', tenantId } as const;
  const all = await Promise.all(
    Array.from({ length: 20 }, () => accounts.users.create(membership, person('a@x.test'))),
  );
  assert.equal(all.map(reasonOf).sort(), ['done', ...Array(19).fill('email-taken')]);
  assert.is((await accounts.users.list(membership, ALL)).total, 1);
});

test('accounts: letters of an e-mail address matter or not, as the setting says', async () => {
  const { store, clock, accounts } = await scene();
  const membership = { authority: 'SYS_ADMIN' } as const;
  given(await accounts.users.create(membership, person('A@x.test'), PASSWORD));
  given(await accounts.users.create(membership, person('a@x.test')));
  assert.is((await accounts.users.login('A@X.TEST', PASSWORD)).type, 'refused');

  const blind = accountsOver(createMemoryStore(), clock, false);
  given(await blind.users.create(membership, person('A@x.test'), PASSWORD));
  assert.is(reasonOf(await blind.users.create(membership, person('a@X.test'))), 'email-taken');
  assert.is((await blind.users.login('a@x.TEST', PASSWORD)).type, 'welcome');
  await store.close();
});

test('accounts: customer titles are unique within a tenant only', async () => {
  const { accounts, tenantId } = await scene();
  const other = given(
    await accounts.tenants.create({ title: 'T', region: null, contact: NO_CONTACT, additionalInfo: null }),
  );
  const mine = given(await accounts.customers.create(tenantId, customer('C')));
  const theirs = given(await accounts.customers.create(other.id, customer('C')));
  assert.is(reasonOf(await accounts.customers.create(tenantId, customer('C'))), 'title-taken');
  assert.is((await accounts.customers.findByTitle(tenantId, 'C'))?.id, mine.id);
  assert.is(await accounts.customers.find(tenantId, theirs.id), undefined);
  const [composed, apart] = ['Müller'.normalize('NFC'), 'Müller'.normalize('NFD')];
  const { id } = given(await accounts.customers.create(tenantId, customer(apart)));
  assert.is(reasonOf(await accounts.customers.create(tenantId, customer(composed))), 'title-taken');
  for (const title of [composed, apart]) {
    assert.is((await accounts.customers.findByTitle(tenantId, title))?.title, apart);
  }
  assert.is(reasonOf(await accounts.customers.update(tenantId, id, customer(composed))), 'done');
  assert.is((await accounts.customers.findByTitle(tenantId, apart))?.title, composed);
  assert.is(reasonOf(await accounts.customers.update(tenantId, theirs.id, customer('D'))), 'not-found');
  assert.is(reasonOf(await accounts.customers.remove(tenantId, theirs.id, BY)), 'not-found');
});

test('accounts: beside a title from before titles were compared in NFC none is made that looks like it', async () => {
  const { accounts, store, tenantId } = await scene();
  const [composed, apart] = ['Müller'.normalize('NFC'), 'Müller'.normalize('NFD')];
  const { id } = given(await accounts.customers.create(tenantId, customer(apart)));
  const name = `customer/${id}` as const;
  const { version: expected, text } = await store.entities.load(name);
  const index = {
    take: { unique: [], members: [] },
    release: { unique: [titleKey(tenantId, composed)], members: [] },
  };
  assert.equal(await store.entities.commit({ name, expected, text, index }), { type: 'committed' });

  const other = given(await accounts.customers.create(tenantId, customer('C')));
  assert.is(reasonOf(await accounts.customers.create(tenantId, customer(composed))), 'title-taken');
  assert.is(reasonOf(await accounts.customers.update(tenantId, other.id, customer(composed))), 'title-taken');
});

test('accounts: what was written while the clock was a year ahead keeps nobody from a forgotten password, and no link alive', async () => {
  const { clock, accounts, tenantId } = await scene();
  const { users } = accounts;
  const { id, email } = given(
    await users.create({ authority: 'TENANT_ADMIN', tenantId }, person('ahead@x.test'), PASSWORD),
  );
  const begin = async (token: string) =>
    (await users.beginReset(id, { token, email, askedAt: clock.now(), lifeMs: HOUR_MS })).type;
  const yearMs = 365 * 24 * HOUR_MS;

  clock.step(yearMs);
  given(await users.setPassword(id, 'another long phrase'));
  clock.advance(1);
  assert.is(await begin('of a year ahead'), 'done');
  clock.step(-yearMs);
  assert.is(await users.resetWorks('of a year ahead'), 'expired');
  assert.is(await begin('of now'), 'done');
  assert.is(await users.resetWorks('of now'), 'good');
  assert.is((await users.resetPassword('of now', 'a third long phrase')).type, 'done');
  assert.is(await begin('of now'), 'refused', 'in the same instant');
});

test('accounts: two renames to one title: one is done', async () => {
  const { accounts, tenantId } = await scene();
  const [a, b] = [
    given(await accounts.customers.create(tenantId, customer('A'))),
    given(await accounts.customers.create(tenantId, customer('B'))),
  ];
  const both = await Promise.all([
    accounts.customers.update(tenantId, a.id, customer('C')),
    accounts.customers.update(tenantId, b.id, customer('C')),
  ]);
  assert.equal(both.map(reasonOf).sort(), ['done', 'title-taken']);
  const titles = (await accounts.customers.list(tenantId, ALL)).items.map(({ title }) => title).sort();
  assert.ok(titles.includes('C') && titles.length === 2);
});

test('accounts: a swap of titles in one process ends', async () => {
  const { accounts, tenantId } = await scene();
  const [a, b] = [
    given(await accounts.customers.create(tenantId, customer('A'))),
    given(await accounts.customers.create(tenantId, customer('B'))),
  ];
  const both = await Promise.all([
    accounts.customers.update(tenantId, a.id, customer('B')),
    accounts.customers.update(tenantId, b.id, customer('A')),
  ]);
  assert.equal(both.map(reasonOf), ['title-taken', 'title-taken']);
});

test('accounts: of two changes on one version one conflicts', async () => {
  const { accounts, tenantId } = await scene();
  const { id } = given(await accounts.customers.create(tenantId, customer('A')));
  const both = await Promise.all(
    ['B', 'C'].map((title) => accounts.customers.update(tenantId, id, customer(title), 1)),
  );
  assert.equal(both.map(reasonOf).sort(), ['done', 'version-conflict']);
});

// --------------------------------------------------------------------------------------------------------- crashes

/**
 * Plays `act` in a process that dies at its first write, its second, … until it comes through; each time `look` then
 * finds what a new process finds.
 */
function crashes(
  name: string,
  prepare: (scene: Scene) => Promise<unknown>,
  act: (accounts: Accounts, scene: Scene) => Promise<unknown>,
  look: (accounts: Accounts, scene: Scene) => Promise<void>,
): void {
  test(`accounts: crash at every write: ${name}`, async () => {
    for (const moment of ['before', 'after'] as const) {
      for (let atWrite = 1, finished = false; !finished; atWrite += 1) {
        assert.ok(atWrite < 100, 'it never comes through');
        const there = await scene();
        await prepare(there);
        const process = dying(there.store);
        process.dieAt(atWrite, moment);
        await act(accountsOver(process.store, there.clock), there).catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error;
        });
        finished = !process.died();
        try {
          await look(accountsOver(there.store, there.clock), there);
        } catch (error) {
          throw new Error(`died ${moment} write ${atWrite}: ${error instanceof Error ? error.stack : error}`);
        }
      }
    }
  });
}

const emails = async (accounts: Accounts, tenantId: TenantId) =>
  (await accounts.users.list({ authority: 'TENANT_ADMIN', tenantId }, ALL)).items.map(({ email }) => email);

crashes(
  'deleting a user: there or gone, and the address can be used again',
  ({ accounts, tenantId }) =>
    accounts.users.create({ authority: 'TENANT_ADMIN', tenantId }, person('a@x.test'), PASSWORD),
  async (accounts) => {
    const user = await accounts.users.findByEmail('a@x.test');
    if (user !== undefined) await accounts.users.remove(user.id);
  },
  async (accounts, { tenantId }) => {
    const membership = { authority: 'TENANT_ADMIN', tenantId } as const;
    const user = await accounts.users.findByEmail('a@x.test');
    assert.equal(await emails(accounts, tenantId), user === undefined ? [] : ['a@x.test']);
    assert.is(
      (await accounts.users.login('a@x.test', PASSWORD)).type,
      user === undefined ? 'refused' : 'welcome',
    );
    if (user !== undefined) given(await accounts.users.remove(user.id));
    given(await accounts.users.create(membership, person('a@x.test')));
    assert.equal(await emails(accounts, tenantId), ['a@x.test']);
  },
);

crashes(
  'deleting a tenant with customers and users: asking again ends it, and nothing is left',
  async ({ accounts, tenantId }) => {
    for (const title of ['A', 'B']) {
      const { id } = given(await accounts.customers.create(tenantId, customer(title)));
      const membership = { authority: 'CUSTOMER_USER', tenantId, customerId: id } as const;
      given(await accounts.users.create(membership, person(`${title}@x.test`), PASSWORD));
    }
    given(await accounts.users.create({ authority: 'TENANT_ADMIN', tenantId }, person('admin@x.test')));
  },
  (accounts, { tenantId }) => accounts.tenants.remove(tenantId, BY),
  async (accounts, { tenantId, store }) => {
    const there = (await accounts.tenants.find(tenantId)) !== undefined;
    // From its first write on, nobody of it gets in.
    const login = await accounts.users.login('A@x.test', PASSWORD);
    assert.is(login.type, there ? 'welcome' : 'refused');
    const again = await accounts.tenants.remove(tenantId, BY);
    assert.ok(['done', 'not-found'].includes(reasonOf(again)), reasonOf(again));

    assert.is((await accounts.tenants.list(ALL)).total, 0);
    for (const email of ['A@x.test', 'B@x.test', 'admin@x.test']) {
      given(await accounts.users.create({ authority: 'SYS_ADMIN' }, person(email)));
    }
    const lists = ['account/tenants', `account/customers/${tenantId}`, `account/users/tenant/${tenantId}`];
    for (const list of lists) assert.is(await store.index.count(list), 0, list);
  },
);

// ------------------------------------------------------------------------------------------------- two processes

/** A process whose every access to the store happens when the scheduler says. */
function scheduled(store: Store, scheduler: Scheduler): Store {
  const turn = async <Result>(perform: () => Promise<Result>): Promise<Result> => {
    await scheduler.schedule(Promise.resolve());
    return perform();
  };
  return through(store, { read: turn, write: turn });
}

test('accounts: two processes create one title: one of them does, in any interleaving', async () => {
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const { store, clock, tenantId } = await scene();
    const both = [1, 2].map(() =>
      accountsOver(scheduled(store, scheduler), clock).customers.create(tenantId, customer('C')),
    );
    await scheduler.waitFor(Promise.all(both));
    const answers = await Promise.all(both);
    assert.equal(answers.map(reasonOf).sort(), ['done', 'title-taken']);
    const [id] = answers.flatMap((answer) => (answer.type === 'done' ? [answer.value.id] : []));
    const later = accountsOver(store, clock).customers;
    assert.is((await later.findByTitle(tenantId, 'C'))?.id, id);
    const { items } = await later.list(tenantId, ALL);
    assert.is(items.length, 1);
  });
  await fc.assert(property, { numRuns: 100 });
});

test('accounts: two processes activate one user: one password is set, in any interleaving', async () => {
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const { store, clock, tenantId, accounts } = await scene();
    const membership = { authority: 'TENANT_ADMIN', tenantId } as const;
    const { id } = given(await accounts.users.create(membership, person('a@x.test')));
    const { token } = given(await accounts.users.activation(id));
    const passwords = ['password of one', 'password of two'];
    const both = passwords.map((password) =>
      accountsOver(scheduled(store, scheduler), clock).users.activate(token, password),
    );
    await scheduler.waitFor(Promise.all(both));
    const answers = (await Promise.all(both)).map(reasonOf);
    assert.equal([...answers].sort(), ['activation-token-invalid', 'done']);
    const later = accountsOver(store, clock).users;
    for (const [n, password] of passwords.entries()) {
      const welcome = answers[n] === 'done' ? 'welcome' : 'refused';
      assert.is((await later.login('a@x.test', password)).type, welcome);
    }
    assert.is(reasonOf(await later.activation(id)), 'already-activated');
    assert.is(await later.activationWorks(token), false);
  });
  await fc.assert(property, { numRuns: 50 });
});

test('accounts: a link that an older version kept in plain goes on, and is sealed with the next change of its user', async () => {
  const { store, clock, tenantId, accounts } = await scene();
  const membership = { authority: 'TENANT_ADMIN', tenantId } as const;
  const activation = { token: 'the token of an older version', expiresAt: clock.now() + HOUR_MS };
  const id = newId<UserId>(clock.now());
  const older = {
    ...person('a@x.test'),
    ...{ id, createdAt: clock.now(), version: 1, membership, enabled: true },
    ...{ credentialsVersion: 1, passwordHash: null, activation },
  };
  assert.ok(await createCollection(store, userKind(true)).create(older));
  const stored = async () => (await store.entities.load(`user/${id}`)).text ?? '';
  assert.equal(given(await accounts.users.activation(id)), activation);
  assert.match(await stored(), activation.token);

  given(await accounts.users.update(id, { ...person('a@x.test'), firstName: 'A' }));
  assert.not.match(await stored(), activation.token);
  assert.equal(given(await accounts.users.activation(id)), activation);
  assert.is(await accounts.users.activationWorks(activation.token), true);
  given(await accounts.users.activate(activation.token, PASSWORD));
  assert.is((await accounts.users.login('a@x.test', PASSWORD)).type, 'welcome');
});

test('accounts: a link whose key has been dropped works on, and who asks for it gets another one', async () => {
  const { store, clock, tenantId, accounts } = await scene();
  const { id } = given(
    await accounts.users.create({ authority: 'TENANT_ADMIN', tenantId }, person('a@x.test')),
  );
  const { token } = given(await accounts.users.activation(id));
  const later = accountsOver(store, clock, true, createSecrets(Buffer.alloc(32, 8))).users;
  assert.is(await later.activationWorks(token), true);
  const another = given(await later.activation(id));
  assert.is.not(another.token, token);
  assert.is(await later.activationWorks(token), false);
  assert.equal(given(await later.activation(id)), another);
});

test('accounts: one process changes what another deletes: it stays deleted, in any interleaving', async () => {
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const { store, clock, tenantId, accounts } = await scene();
    const { id } = given(await accounts.customers.create(tenantId, customer('C')));
    const [one, other] = [1, 2].map(() => accountsOver(scheduled(store, scheduler), clock).customers);
    const both = [
      one?.update(tenantId, id, { ...customer('C'), additionalInfo: { changed: true } }),
      other?.remove(tenantId, id, BY),
    ];
    await scheduler.waitFor(Promise.all(both));
    const later = accountsOver(store, clock);
    assert.is(await later.customers.find(tenantId, id), undefined);
    given(await later.customers.create(tenantId, customer('C')));
  });
  await fc.assert(property, { numRuns: 300 });
});

test('accounts: a user made while its customer is deleted does not keep its address, in any interleaving', async () => {
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const { store, clock, tenantId, accounts } = await scene();
    const { id: customerId } = given(await accounts.customers.create(tenantId, customer('C')));
    const [one, other] = [1, 2].map(() => accountsOver(scheduled(store, scheduler), clock));
    const both = [
      one?.users.create({ authority: 'CUSTOMER_USER', tenantId, customerId }, person('a@x.test')),
      other?.customers.remove(tenantId, customerId, BY),
    ];
    await scheduler.waitFor(Promise.all(both));
    const later = accountsOver(store, clock);
    assert.is(await later.users.findByEmail('a@x.test'), undefined);
    given(await later.users.create({ authority: 'TENANT_ADMIN', tenantId }, person('a@x.test')));
  });
  await fc.assert(property, { numRuns: 300 });
});

test('accounts: a customer made while its tenant is deleted is not there, in any interleaving', async () => {
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const { store, clock, tenantId } = await scene();
    const [one, other] = [1, 2].map(() => accountsOver(scheduled(store, scheduler), clock));
    const creating = one?.customers.create(tenantId, customer('C'));
    await scheduler.waitFor(Promise.all([creating, other?.tenants.remove(tenantId, BY)]));
    const later = accountsOver(store, clock);
    assert.is(await later.customers.findByTitle(tenantId, 'C'), undefined);
  });
  await fc.assert(property, { numRuns: 300 });
});

test('accounts: two processes change one user: no change is lost, in any interleaving', async () => {
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const { store, clock, tenantId, accounts } = await scene();
    const membership = { authority: 'TENANT_ADMIN', tenantId } as const;
    const { id } = given(await accounts.users.create(membership, person('a@x.test'), PASSWORD));
    const [one, other] = [1, 2].map(() => accountsOver(scheduled(store, scheduler), clock).users);
    const fresh = given(await accounts.users.setEnabled(id, true));
    const origin = { address: '192.0.2.1', device: null };
    const s1 = await accounts.users.startSession(fresh, origin);
    const s2 = await accounts.users.startSession(fresh, origin);
    const s3 = await accounts.users.startSession(fresh, origin);
    const all = [
      one?.setPassword(id, 'another-password'),
      other?.update(id, { ...person('b@x.test'), phone: '1' }),
      other?.setEnabled(id, false),
      one?.endSession(id, s1.id),
      other?.endSession(id, s2.id),
    ];
    await scheduler.waitFor(Promise.all(all));
    const later = accountsOver(store, clock).users;
    const user = await later.find(id);
    assert.equal(
      [user?.email, user?.phone, user?.enabled, user?.credentialsVersion, user?.version],
      ['b@x.test', '1', false, 3, 5],
    );
    assert.is(await later.findByEmail('a@x.test'), undefined);
    assert.is((await later.findByEmail('b@x.test'))?.id, id);
    given(await later.setEnabled(id, true));
    assert.is((await later.login('b@x.test', 'another-password')).type, 'welcome');
    assert.equal(await later.sessions(id), [], `disabling ended ${s3.id} too`);
  });
  await fc.assert(property, { numRuns: 200 });
});

test('accounts: two processes change one version: one is done, one conflicts, in any interleaving', async () => {
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const { store, clock, tenantId, accounts } = await scene();
    const { id } = given(await accounts.customers.create(tenantId, customer('A')));
    const both = ['B', 'C'].map((title) =>
      accountsOver(scheduled(store, scheduler), clock).customers.update(tenantId, id, customer(title), 1),
    );
    await scheduler.waitFor(Promise.all(both));
    const answers = await Promise.all(both);
    assert.equal(answers.map(reasonOf).sort(), ['done', 'version-conflict']);
    const title = answers[0]?.type === 'done' ? 'B' : 'C';
    const later = accountsOver(store, clock).customers;
    assert.is((await later.findByTitle(tenantId, title))?.id, id);
    for (const free of ['A', 'B', 'C'].filter((other) => other !== title)) {
      assert.is(await later.findByTitle(tenantId, free), undefined);
      given(await later.create(tenantId, customer(free)));
    }
  });
  await fc.assert(property, { numRuns: 200 });
});

test('accounts: two processes rename to one title: one of them does, in any interleaving', async () => {
  const property = fc.asyncProperty(fc.scheduler(), fc.boolean(), async (scheduler, same) => {
    const { store, clock, tenantId, accounts } = await scene();
    const a = given(await accounts.customers.create(tenantId, customer('A'))).id;
    const b = same ? a : given(await accounts.customers.create(tenantId, customer('B'))).id;
    const both = [a, b].map((id) =>
      accountsOver(scheduled(store, scheduler), clock).customers.update(tenantId, id, customer('C')),
    );
    await scheduler.waitFor(Promise.all(both));
    const done = (await Promise.all(both)).filter(({ type }) => type === 'done').length;
    assert.is(done, same ? 2 : 1);
    const later = accountsOver(store, clock).customers;
    const titled = (await later.list(tenantId, ALL)).items;
    assert.is(titled.filter(({ title }) => title === 'C').length, same ? 1 : done);
    for (const { id, title } of titled) assert.is((await later.findByTitle(tenantId, title))?.id, id);
  });
  await fc.assert(property, { numRuns: 300 });
});

test('accounts: a request asked of two processes at once is carried out once, in any interleaving', async () => {
  const property = fc.asyncProperty(fc.scheduler(), fc.boolean(), async (scheduler, good) => {
    const { store, clock } = await scene();
    let carriedOut = 0;
    const request = { userId: BY, key: 'k', fingerprint: 'f' };
    const answer = { status: 200, body: '"SUCCESS"' };
    const shared = { ...scheduled(store, scheduler), shared: true };
    const carryOut = async () => {
      carriedOut += 1;
      await scheduler.schedule(Promise.resolve());
      return { reply: answer, keep: good ? answer : undefined };
    };
    const both = [1, 2].map(() => createReplays(shared, clock).run(request, carryOut));
    const end = Promise.all(both);
    let over = false;
    void end.finally(() => {
      over = true;
    });
    while (!over) {
      await scheduler.waitIdle();
      clock.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answers = await end;
    assert.is(carriedOut, good ? 1 : 2, 'what nobody is to hear again is carried out for each');
    assert.equal(answers.map(({ type }) => type).sort(), good ? ['fresh', 'kept'] : ['fresh', 'fresh']);
  });
  await fc.assert(property, { numRuns: 50 });
});

test('accounts: a request that another process began and did not live to answer is begun again', async () => {
  const { store, clock } = await scene();
  const request = { userId: BY, key: 'k', fingerprint: 'f' };
  const shared = { ...store, shared: true };
  const at = clock.now();
  void createReplays(shared, clock).run(request, () => new Promise(() => {})); // it never ends
  await new Promise((resolve) => setImmediate(resolve));
  const heard: (number | undefined)[] = [];
  const again = createReplays(shared, clock).run(request, async (begunAt) => {
    heard.push(begunAt);
    return { reply: 'given', keep: undefined };
  });
  for (let turns = 0; turns < 200 && heard.length === 0; turns += 1) {
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await again, { type: 'fresh', reply: 'given' });
  assert.equal(heard, [at]);
});

test('lists: who reads many customers or users leaves others their turn', async () => {
  const { accounts, tenantId } = await scene();
  const number = 600;
  for (let n = 0; n < number; n += 1) {
    const { id } = given(await accounts.customers.create(tenantId, customer(`C ${n}`)));
    given(
      await accounts.users.create(
        { authority: 'CUSTOMER_USER', tenantId, customerId: id },
        person(`u${n}@x.org`),
      ),
    );
  }
  for (const read of [
    () => accounts.users.listOfTenant(tenantId, { page: 0, pageSize: 10 }),
    () => accounts.customers.list(tenantId, { page: 0, pageSize: 10, textSearch: 'c' }),
    () => accounts.customers.list(tenantId, { page: 0, pageSize: number }),
  ]) {
    let turns = 0;
    let done = false;
    const others = (async () => {
      for (; !done; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    })();
    assert.is((await read()).total, number);
    done = true;
    await others;
    assert.ok(turns >= 2, `${turns} turns`); // between three slices
  }
});

test.run();
