/** How many mails one address gets: nobody's mailbox is filled, and nobody is kept from a new password by who asks for many. */
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { type Counters, memoryCounter } from '../../actors/limits/counters.ts';
import type { Notice } from '../../actors/mail/choices.ts';
import { createMailLimits } from '../../actors/mail/limits.ts';
import type { Letter } from '../../actors/mail/model.ts';
import { mailsOver } from '../kit/mails.ts';
import { HOUR_MS, type RestWorld, restLaws, settle } from '../kit/rest-client.ts';

const { law, run } = restLaws('limits of mails');

const RESET = { type: 'reset', email: 'alice@home.test' } as const;

const mailsOf = ({ store, accounts, secrets, audit, clock }: RestWorld) =>
  mailsOver({ store, accounts, secrets, audit, clock, log: silentLog }, (_name, { windowMs }) =>
    memoryCounter({ windowMs }, 1_000, () => clock.elapsed()),
  );

law(
  'asked every five minutes for two days, an address gets a link in each hour, and not many',
  async ({ world }) => {
    const { clock } = world;
    const mails = mailsOf(world);
    const keptAt: number[] = [];
    for (let hours = 0; hours < 48; hours += 1) {
      for (let times = 0; times < 12; times += 1) {
        if ((await mails.post(RESET, null)) === 'kept') keptAt.push(clock.elapsed());
        clock.advance(HOUR_MS / 12);
      }
    }
    const waits = keptAt.slice(1).map((at, n) => at - (keptAt[n] ?? 0));
    assert.ok(Math.max(...waits) <= HOUR_MS, 'a link is good for an hour, so there is always one that works');
    assert.ok(keptAt.length <= 2 * (20 + 24), `${keptAt.length} mails`);
  },
);

law('what one tenant has sent to an address is not in the way of another', async ({ world, home }) => {
  const mails = mailsOf(world);
  const letter = { type: 'activation', userId: home.alice.userId } as const;
  const [one, two] = [home.tenantId, (await settle(world, 'other')).tenantId];
  for (let n = 0; n < 5; n += 1) assert.is(await mails.post(letter, one), 'kept');
  assert.is(await mails.post(letter, one), 'too-many');
  assert.is(await mails.post(letter, two), 'kept');
});

law('of sign-ups an address gets few, and a tenant has so many in an hour', async ({ world, home }) => {
  const { clock } = world;
  const mails = mailsOf(world);
  const wish = { type: 'sign-up', tenantId: home.tenantId, language: null } as const;
  let kept = 0;
  for (let n = 0; n < 24 * 6; n += 1) {
    const before = await world.store.index.count('mail/fresh');
    assert.is(
      await mails.ask({ ...wish, email: 'new@example.org' }, `198.51.${n}.1`),
      'kept',
      'it looks the same',
    );
    if ((await world.store.index.count('mail/fresh')) > before) kept += 1;
    clock.advance(HOUR_MS / 6);
  }
  assert.is(kept, 5);
  clock.advance(HOUR_MS);
  const asked = [];
  for (let n = 0; n < 5; n += 1)
    asked.push(await mails.ask({ ...wish, email: `${n}@example.org` }, `203.0.${n}.1`));
  assert.equal(asked, ['kept', 'kept', 'kept', 'kept', 'too-many']);
});

law('who was told to come later never hears that a mail is on its way, and gets one later', async (scene) => {
  const { world, home } = scene;
  const { clock, store } = world;
  const mails = mailsOf(world);
  const wish = { type: 'sign-up', tenantId: home.tenantId, language: null } as const;
  const ask = (email: string, from: number) => mails.ask({ ...wish, email }, `198.51.${from}.1`);
  for (let n = 0; n < 4; n += 1) assert.is(await ask(`${n}@example.org`, n), 'kept');
  for (let n = 4; n < 9; n += 1) assert.is(await ask('new@example.org', n), 'too-many');
  clock.advance(HOUR_MS);
  const before = await store.index.count('mail/fresh');
  assert.is(await ask('new@example.org', 9), 'kept');
  assert.is(await store.index.count('mail/fresh'), before + 1);
});

law('an address that signs up with one tenant may do so with another', async ({ world, home }) => {
  const mails = mailsOf(world);
  const other = (await settle(world, 'other')).tenantId;
  const kept = () => world.store.index.count('mail/fresh');
  for (const [n, tenantId] of [home.tenantId, home.tenantId, other].entries()) {
    const letter = { type: 'sign-up', tenantId, language: null, email: 'new@example.org' } as const;
    assert.is(await mails.ask(letter, `203.0.${n}.1`), 'kept', 'it looks the same');
  }
  assert.is(await kept(), 2, 'one of each tenant');
});

law(
  'attack: other mails of a tenant and of a person keep no warning of a lost device from coming',
  async ({ world, home }) => {
    const { clock } = world;
    const counters: Counters = (_name, { windowMs }) =>
      memoryCounter({ windowMs }, 1_000, () => clock.elapsed());
    const limits = createMailLimits(counters, { perTenant: 5, signUpsPerTenant: 4 });
    const notice = (which: Notice, deviceName = 'Lamp'): Letter => ({
      type: 'notice',
      notice: which,
      userId: home.alice.userId,
      deviceName,
      until: null,
    });
    const isTooMany = async (letter: Letter) =>
      (await limits.ofNews(letter)) || (await limits.ofTenant(letter, home.tenantId));
    for (let n = 0; n < 25; n += 1) await isTooMany(notice('offered', 'Bait'));
    for (const which of ['offered', 'claimed', 'givenBack'] as const)
      assert.ok(await isTooMany(notice(which)), which);
    for (const which of ['takeOver', 'taken', 'reset'] as const)
      assert.not.ok(await isTooMany(notice(which)), which);
    for (let n = 0; n < 25; n += 1) await limits.ofNews(notice('takeOver'));
    assert.ok(await isTooMany(notice('takeOver')), 'but a mailbox is not filled by them');
    assert.not.ok(await isTooMany(notice('takeOver', 'Pump')), 'of each device for itself');
  },
);

run();
