/**
 * What is told of changes of users: an entry and a mail. The process that makes a change dies at each write in turn; whatever is
 * durable by then is told by the next process, once.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuditEntry } from '../../actors/audit/entry.ts';
import type { UserId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { memoryCounters } from '../../actors/limits/counters.ts';
import type { Letter } from '../../actors/mail/model.ts';
import { FRESH, openMailOutbox } from '../../actors/mail/outbox.ts';
import { createUserNewsRounds } from '../../actors/mail/user-news.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import { dying, through } from '../kit/dying-store.ts';
import { mailsOver } from '../kit/mails.ts';
import {
  type Answer,
  createRestWorld,
  entity,
  given,
  HOUR_MS,
  type Household,
  PASSWORD,
  type RestWorld,
  START,
  settle,
} from '../kit/rest-client.ts';

const ANOTHER = 'another-long-password';
const LINK = 'the token of a link';

interface Change {
  /** Makes it; whatever the answer is. */
  ask(): Promise<Answer>;
  /** Whether it is durable, as another process sees it. */
  happened(next: RestWorld): Promise<boolean>;
  /** Whether this is the entry that tells of it. */
  entry(entry: AuditEntry): boolean;
  readonly letter: Letter['type'] | undefined;
}

type Making = (world: RestWorld, home: Household) => Promise<Change>;

async function newUser(home: Household) {
  const body = { email: 'new@home.test', authority: 'TENANT_ADMIN' };
  const user = entity(await home.admin.post('/api/user?sendActivationMail=false', body));
  const link = await home.admin.get(`/api/user/${user.id.id}/activationLink`);
  return { id: user.id.id, activateToken: new URL(link.text).searchParams.get('activateToken') ?? '' };
}

const CHANGES: Record<string, Making> = {
  'a password is changed': async (_world, { alice }) => ({
    ask: () => alice.post('/api/auth/changePassword', { currentPassword: PASSWORD, newPassword: ANOTHER }),
    happened: ({ accounts }) => accounts.users.hasPassword(alice.userId, ANOTHER),
    entry: ({ data, userId }) => data.password === 'changed' && userId === alice.userId,
    letter: 'password-changed',
  }),

  'a password is set by a mailed link': async ({ accounts, nobody, clock }, { alice }) => {
    const asked = { token: LINK, email: alice.email, askedAt: clock.now(), lifeMs: HOUR_MS };
    given(await accounts.users.beginReset(alice.userId, asked));
    return {
      ask: () => nobody.post('/api/noauth/resetPassword', { resetToken: LINK, password: ANOTHER }),
      happened: (next) => next.accounts.users.hasPassword(alice.userId, ANOTHER),
      entry: ({ data, userId }) => data.password === 'reset' && userId === alice.userId,
      letter: 'password-changed',
    };
  },

  'a user is activated': async ({ nobody }, home) => {
    const { id, activateToken } = await newUser(home);
    return {
      ask: () => nobody.post('/api/noauth/activate', { activateToken, password: ANOTHER }),
      happened: async ({ accounts }) =>
        (await accounts.users.findByEmail('new@home.test'))?.activated === true,
      entry: ({ action, userId }) => action === 'ACTIVATED' && userId === id,
      letter: 'activated',
    };
  },

  'an activation link is replaced': async (_world, home) => {
    const { id, activateToken } = await newUser(home);
    return {
      ask: () => home.admin.post(`/api/user/${id}/activationLink`),
      happened: async ({ accounts }) => !(await accounts.users.activationWorks(activateToken)),
      entry: ({ data, userId }) => data.activationLink === 'another' && userId === id,
      letter: undefined,
    };
  },

  'an administrator changes an address': async (_world, { admin, alice }) => {
    const user = entity(await admin.get(`/api/user/${alice.userId}`));
    return {
      ask: () => admin.post('/api/user', { ...user, email: 'moved@home.test' }),
      happened: async ({ accounts }) =>
        (await accounts.users.find(alice.userId))?.email === 'moved@home.test',
      entry: ({ data, userId }) => data.emailBefore === alice.email && userId === alice.userId,
      letter: 'address-changed',
    };
  },

  'a user is disabled': async (_world, { admin, alice }) => ({
    ask: () => admin.post(`/api/user/${alice.userId}/userCredentialsEnabled?userCredentialsEnabled=false`),
    happened: async ({ accounts }) => (await accounts.users.find(alice.userId))?.enabled === false,
    entry: ({ action, userId }) => action === 'SUSPENDED' && userId === alice.userId,
    letter: undefined,
  }),

  'a second factor is removed': async ({ accounts }, { alice }) => {
    const factor = { sealedSecret: 'sealed', since: START, lastStep: 0, codes: [] };
    await accounts.secondFactors.update(alice.userId, () => factor);
    return {
      ask: () => alice.delete('/api/2fa/account/config?providerType=TOTP'),
      happened: async (next) => (await next.accounts.secondFactors.get(alice.userId)) === undefined,
      entry: ({ data, userId }) => data.secondFactor === 'removed' && userId === alice.userId,
      letter: undefined,
    };
  },

  'a user is made': async (_world, { admin }) => ({
    ask: () => admin.post('/api/user', { email: 'new@home.test', authority: 'TENANT_ADMIN' }),
    happened: async ({ accounts }) => (await accounts.users.findByEmail('new@home.test')) !== undefined,
    entry: ({ action, data }) => action === 'ADDED' && data.email === 'new@home.test',
    letter: 'activation',
  }),
};

const worldOver = (store: Store) =>
  createRestWorld({
    store,
    disturb: (needs) => ({ ...needs, mails: mailsOver({ ...needs, store }, memoryCounters) }),
  });

/** Another process, which comes to a store and looks for what is owed. */
function nextOver(store: Store) {
  const world = worldOver(store);
  const { accounts, audit, secrets, clock } = world;
  const needs = { accounts, audit, secrets, clock, log: silentLog };
  const mails = mailsOver({ ...needs, store }, memoryCounters);
  const rounds = createUserNewsRounds(store, { ...needs, mails }, clock);
  const outbox = openMailOutbox(store, secrets, clock);
  return {
    world,
    outbox,
    rounds,
    async entries({ tenantId }: Household, { entry }: Pick<Change, 'entry'>): Promise<number> {
      return (await audit.find(tenantId, { page: 0, pageSize: 100 })).items.filter(entry).length;
    },
    async letters(): Promise<Letter['type'][]> {
      return (await outbox.mails.first(FRESH, 10)).map((mail) => outbox.letterOf(mail).type);
    },
    async isOwed(): Promise<boolean> {
      return (await store.index.count('account/users-with-news')) > 0;
    },
  };
}

for (const [name, make] of Object.entries(CHANGES))
  test(`news of users: crash at every write: ${name}, and it is told once, if it is so`, async () => {
    let [finished, untold] = [false, 0];
    for (let atWrite = 1; !finished; atWrite += 1) {
      assert.ok(atWrite < 100, 'it never comes through');
      const store = createMemoryStore();
      const process = dying(store);
      const world = worldOver(process.store);
      const home = await settle(world, 'home');
      const change = await make(world, home);
      process.dieAt(atWrite, 'before');
      await change.ask();
      finished = !process.died();

      const next = nextOver(store);
      const isSo = await change.happened(next.world);
      if (isSo && (await next.entries(home, change)) === 0) untold += 1;
      for (const _ of ['seen', 'told', 'told already']) await next.rounds.round();
      const at = `died before write ${atWrite}`;
      assert.is(await next.entries(home, change), isSo ? 1 : 0, at);
      assert.equal(await next.letters(), isSo && change.letter !== undefined ? [change.letter] : [], at);
      assert.is(await next.isOwed(), false, at);
      await next.world.stop();
    }
    assert.ok(untold > 0, 'there is a moment in which it is so and nobody has heard');
  });

test('news of users: where the store is away behind a change, it is answered, and told when the store is back', async () => {
  const store = createMemoryStore();
  let writesLeft = Number.POSITIVE_INFINITY;
  const failing = through(store, {
    read: (perform) => perform(),
    write(perform) {
      writesLeft -= 1;
      return writesLeft < 0 ? Promise.reject(new StoreUnavailable('memory', 'away')) : perform();
    },
  });
  const world = worldOver(failing);
  const home = await settle(world, 'home');
  const change = await CHANGES['a user is disabled']?.(world, home);
  assert.ok(change);
  writesLeft = 1;
  assert.is((await change.ask()).status, 200);
  const next = nextOver(store);
  assert.ok(await change.happened(next.world));
  assert.is(await next.entries(home, change), 0);
  for (const _ of ['seen', 'told']) await next.rounds.round();
  assert.is(await next.entries(home, change), 1);
});

test('news of users: what this process is about to tell is left to it, and told by two it is one entry and one mail', async () => {
  const store = createMemoryStore();
  const one = nextOver(store);
  const home = await settle(one.world, 'home');
  const { users } = one.world.accounts;
  const news = { action: 'CREDENTIALS_UPDATED', data: { n: 1 }, mail: { type: 'password-changed' } } as const;
  given(await users.setPassword(home.alice.userId, ANOTHER, undefined, {}, news));
  const change = { entry: ({ data }: AuditEntry) => data.n === 1 };
  const count = () => one.entries(home, change);
  await one.rounds.round();
  assert.is(await count(), 0);

  const others = Array.from({ length: 3 }, () => nextOver(store));
  for (const { rounds } of others) await rounds.round();
  await Promise.all([one, ...others].map(({ rounds }) => rounds.round()));
  assert.is(await count(), 1);
  assert.equal(await one.letters(), ['password-changed']);
  assert.is(await one.isOwed(), false);
  const [id] = (await one.outbox.mails.first(FRESH, 1)).map((mail) => mail.id as string);
  const { items } = await one.world.audit.find(home.tenantId, { page: 0, pageSize: 10 });
  assert.is(items.find(change.entry)?.id, id, 'the entry and the mail have one id');
});

test('news of users: an entry that was told long ago, before many others, is not told again', async () => {
  const { world } = nextOver(createMemoryStore());
  const { audit, clock } = world;
  const home = await settle(world, 'home');
  const note = (n: number) =>
    ({
      tenantId: home.tenantId,
      action: 'UPDATED',
      deviceId: undefined,
      deviceName: undefined,
      customerId: undefined,
      userId: home.alice.userId as UserId,
      data: { n },
      failure: undefined,
    }) as const;
  const at = clock.now();
  await audit.noteOnce(note(-1), 'the id', at);
  for (let n = 0; n < 450; n += 1) {
    audit.note(note(n));
    await audit.noted();
    clock.advance(1_000);
  }
  await audit.noteOnce(note(-1), 'the id', at);
  const { items } = await audit.find(home.tenantId, { page: 0, pageSize: 1_000 });
  assert.is(items.filter(({ id }) => id === 'the id').length, 1);
});

test.run();
