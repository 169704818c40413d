/** Passwords: hashes that check out, the same time for nobody, and a gate that never queues without end. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPasswords } from '../../actors/accounts/passwords.ts';
import { processorMs } from '../kit/cost.ts';
import { until } from '../kit/until.ts';

const CHEAP = { passwordHashCost: 2, passwordHashConcurrency: 2, passwordHashQueue: 3 };
/** What ends in the order in which it began. */
const ONE_BY_ONE = { ...CHEAP, passwordHashConcurrency: 1 };

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
  await until('both cost about the same', async () => {
    turns += 1;
    somebody = Math.min(somebody, await cost(hash));
    nobody = Math.min(nobody, await cost(null));
    return turns >= 9 && nobody > somebody / 2 && nobody < somebody * 2;
  }).catch(() => assert.unreachable(`${somebody} ms and ${nobody} ms`));
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
  const passwords = createPasswords(ONE_BY_ONE);
  const hash = await passwords.hash('y');
  const order: string[] = [];
  const login = async (party: string) => {
    const result = await passwords.verify('x', hash, { party, known: false });
    order.push(result === 'overloaded' ? `${party} turned away` : party);
  };
  // One runs, three wait, two have no room; then others come.
  const flood = Array.from({ length: 6 }, () => login('flood'));
  await Promise.all([...flood, login('one'), login('two')]);
  assert.equal(order.filter((who) => who === 'flood turned away').length, 4);
  assert.ok(order.includes('one') && order.includes('two'), order.join());
  const rest = order.filter((who) => !who.endsWith('away')).slice(2);
  assert.equal(new Set(rest), new Set(['one', 'two']));
});

test('passwords: of many parties that wait none is turned away for another', async () => {
  const passwords = createPasswords(CHEAP);
  const parties = ['a', 'b', 'c', 'd', 'e', 'f'];
  const all = await Promise.all(parties.map((party) => passwords.verify('x', null, { party, known: false })));
  assert.equal(
    all.map((result) => result === 'overloaded'),
    [false, false, false, false, false, true],
  );
});

test('passwords: who is known goes before a flood from any number of addresses, and is not turned away for it', async () => {
  const passwords = createPasswords({ ...ONE_BY_ONE, passwordHashQueue: 50 });
  const hash = await passwords.hash('x');
  const order: string[] = [];
  const login = async (party: string, known: boolean, stored: string | null) => {
    const result = await passwords.verify('x', stored, { party, known });
    order.push(result === 'overloaded' ? 'turned away' : `${known ? 'known' : 'stranger'} ${result}`);
  };
  const flood = Array.from({ length: 90 }, (_, at) =>
    login(`address ${at}`, false, at % 2 === 0 ? null : hash),
  );
  const turnedAway = 90 - 50 - 1;
  await Promise.all([...flood, login('home', true, hash)]);
  const place = order.indexOf('known true');
  const before = order.slice(0, place).filter((who) => who !== 'turned away');
  // The one that was being hashed when it came: so it waits for one hash, which takes 60 ms by default.
  assert.ok(place >= 0 && before.length <= 1, order.join());
  assert.is(order.filter((who) => who === 'turned away').length, turnedAway + 1, 'one made room for it');
});

test('passwords: who is known does not keep others out for ever', async () => {
  const passwords = createPasswords({ ...ONE_BY_ONE, passwordHashQueue: 100 });
  const order: boolean[] = [];
  const login = async (party: string, known: boolean) => {
    await passwords.verify('x', null, { party, known });
    order.push(known);
  };
  const crowd = Array.from({ length: 60 }, (_, at) => login(`home ${at}`, true));
  await Promise.all([...crowd, login('away', false)]);
  assert.ok(order.indexOf(false) < 20, String(order.indexOf(false)));
});

test('passwords: where there is no room, nobody is spared the hash and waits as long', async () => {
  const passwords = createPasswords({
    passwordHashCost: 2 ** 12,
    passwordHashConcurrency: 1,
    passwordHashQueue: 20,
  });
  const hash = await passwords.hash('x');
  const flood = (stored: string | null) => () =>
    Promise.all(
      Array.from({ length: 21 }, (_, at) =>
        passwords.verify('y', stored, { party: String(at), known: false }),
      ),
    );
  let [somebody, nobody] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  await until('nobody costs less', async () => {
    somebody = Math.min(somebody, await processorMs(flood(hash)));
    nobody = Math.min(nobody, await processorMs(flood(null)));
    return nobody < somebody;
  });
  const results = await flood(null)();
  assert.equal(new Set(results), new Set([false]), 'and it is told the same');
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
