/** Passwords: hashes that check out, the same time for nobody, and a gate that never queues without end. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPasswords } from '../../actors/accounts/passwords.ts';
import { processorMs } from '../kit/cost.ts';
import { until } from '../kit/until.ts';

const CHEAP = { passwordHashCost: 2, passwordHashConcurrency: 2, passwordHashQueue: 3 };

test('passwords: a hash fits its password only, and says how it was made', async () => {
  const passwords = createPasswords(CHEAP);
  const hash = await passwords.hash('correct horse');
  assert.match(hash, /^\$scrypt\$ln=1,r=8,p=1\$[\w-]{22}\$[\w-]{43}$/);
  assert.is(await passwords.verify('correct horse', hash), true);
  assert.is(await passwords.verify('correct horsE', hash), false);
  assert.is(await passwords.verify('', hash), false);
  assert.is.not(await passwords.hash('correct horse'), hash, 'salted');
});

test('passwords: a hash of another cost still fits', async () => {
  const hash = await createPasswords({ ...CHEAP, passwordHashCost: 16 }).hash('x');
  assert.is(await createPasswords(CHEAP).verify('x', hash), true);
});

test('passwords: the same characters written in two ways are one password', async () => {
  const passwords = createPasswords(CHEAP);
  assert.is(await passwords.verify('e\u0301', await passwords.hash('\u00e9')), true);
});

test('passwords: nobody has no password, whatever is tried', async () => {
  const passwords = createPasswords(CHEAP);
  for (const tried of ['', 'x', 'null']) assert.is(await passwords.verify(tried, null), false);
});

test('passwords: nobody costs as much as somebody', async () => {
  const passwords = createPasswords({ ...CHEAP, passwordHashCost: 2 ** 13 });
  const hash = await passwords.hash('x');
  const cost = (stored: string | null) => processorMs(() => passwords.verify('y', stored));
  // The least of several, taken in turns; more of them where something else disturbs.
  let [somebody, nobody] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let turns = 0;
  await until(
    'both cost about the same',
    async () => {
      turns += 1;
      somebody = Math.min(somebody, await cost(hash));
      nobody = Math.min(nobody, await cost(null));
      return turns >= 9 && nobody > somebody / 2 && nobody < somebody * 2;
    },
    10_000,
  ).catch(() => assert.unreachable(`${somebody} ms and ${nobody} ms`));
});

test('passwords: two at once, three waiting, the next is told so at once', async () => {
  const passwords = createPasswords(CHEAP);
  const all = await Promise.all(Array.from({ length: 8 }, () => passwords.hash('x')));
  assert.equal(
    all.map((hash) => hash === 'overloaded'),
    [...Array(5).fill(false), ...Array(3).fill(true)],
  );
  assert.is.not(await passwords.hash('x'), 'overloaded');
});

test('passwords: a flood from one party neither turns others away nor goes before them', async () => {
  const passwords = createPasswords(CHEAP);
  const order: string[] = [];
  const login = async (party: string) => {
    const result = await passwords.verify('x', null, party);
    order.push(result === 'overloaded' ? `${party} turned away` : party);
  };
  // Two run, three wait, one has no room; then others come.
  const flood = Array.from({ length: 6 }, () => login('flood'));
  await Promise.all([...flood, login('one'), login('two')]);
  assert.equal(order.filter((who) => who === 'flood turned away').length, 3);
  assert.ok(order.includes('one') && order.includes('two'), order.join());
  const rest = order.filter((who) => !who.endsWith('away')).slice(3);
  assert.equal(new Set(rest), new Set(['one', 'two']));
});

test('passwords: of many parties that wait none is turned away for another', async () => {
  const passwords = createPasswords(CHEAP);
  const parties = ['a', 'b', 'c', 'd', 'e', 'f'];
  const all = await Promise.all(parties.map((party) => passwords.verify('x', null, party)));
  assert.equal(
    all.map((result) => result === 'overloaded'),
    [false, false, false, false, false, true],
  );
});

test('passwords: a stored hash that is none is a fault, not a wrong password', async () => {
  try {
    await createPasswords(CHEAP).verify('x', 'plain');
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), 'does not know');
  }
});

test.run();
