/** Names that look like others: characters that nobody sees are refused in new ones, and make no difference in comparing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { composed, findSpelling, spellingsOf } from '../../actors/base/spelling.ts';
import { hiddenIn } from '../../actors/base/text.ts';
import { signUp } from '../../actors/providers/sign-up.ts';
import { entity, isProblem, provision, restLaws, systemAdministrator } from '../kit/rest-client.ts';

const FAMILY = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}';
/** Names as people write them, in scripts and with pictures that take joiners and selectors. */
const GOOD = [
  'Pump 1',
  '<b>Ventil</b> №7',
  'Müller'.normalize('NFD'),
  'می\u200cخواهم',
  'क्\u200dष',
  'ශ්\u200dරී',
  `${FAMILY} Küche`,
  '\u2764\ufe0f\u200d\u{1f525}',
  '1\ufe0f\u20e3 Lampe',
  '葛\u{e0100}飾',
  'ＡＢＣ',
  'Lampe\u00a01',
  'Ünïcödé \u{1f3fd}',
];
const BAD: readonly (readonly [string, string])[] = [
  ['Pump\u200b1', 'U+200B'],
  ['Pump\u20601', 'U+2060'],
  ['\ufeffPump', 'U+FEFF'],
  ['Pu\u00admp', 'U+00AD'],
  ['Pump\u202e1', 'U+202E'],
  ['\u2066Pump\u2069', 'U+2066'],
  ['Pump\u200f', 'U+200F'],
  ['Pump\u061c', 'U+061C'],
  ['Pu\u200dmp', 'U+200D'],
  ['Pump\u200c', 'U+200C'],
  ['می\u200c\u200cخواهم', 'U+200C'],
  ['Pump\ufe0f', 'U+FE0F'],
  ['1\ufe0fst', 'U+FE0F'],
  ['Pump\u0085', 'U+0085'],
  ['Pump\u2028', 'U+2028'],
  ['\u3164', 'U+3164'],
  ['Pump\u{e0041}', 'U+E0041'],
];

test('names: joiners and selectors stay where a script or a picture needs them, and nowhere else', () => {
  for (const name of GOOD) assert.is(hiddenIn(name), undefined, JSON.stringify(name));
  for (const [name, which] of BAD) assert.is(hiddenIn(name), which, JSON.stringify(name));
});

test('names: what nobody sees, the kind of a space and the width of letters make no difference in comparing', () => {
  for (const name of [
    'Pump 1',
    'Pump\u00a01',
    'Pump\u30001',
    'Ｐｕｍｐ 1',
    'Pu\u200bmp 1',
    'Pump \ufe0f1',
    'Pump\u202f1',
  ]) {
    assert.is(composed(name), 'Pump 1', JSON.stringify(name));
    assert.ok(spellingsOf(name).includes('Pump 1'));
    assert.ok(spellingsOf(name).includes(name), 'as it was given');
  }
  assert.equal(spellingsOf('Pump 1'), ['Pump 1']);
  assert.is(composed('ｶﾞ'), 'ガ');
  assert.is(composed('ﬁx²'), 'ﬁx²', 'other compatible characters are as they are');
});

test('attack: a text full of marks, longer than any name, is looked up as it is, since putting marks in order takes minutes', async () => {
  const marks = 'a\u0301\u0316';
  assert.is.not(composed(marks), marks, 'they are put in order in what may be a name');
  const attack = `a${'\u0301'.repeat(1_000)}${'\u0316'.repeat(1_000)}`;
  assert.is(composed(attack), attack);
  const looked: string[] = [];
  await findSpelling(attack, async (spelling) => void looked.push(spelling));
  assert.equal(looked, [attack]);
  const longest = '\u1f82'.repeat(255);
  assert.is(composed(longest.normalize('NFD')), longest, 'a name in parts is as long as four');
});

const { law, run } = restLaws('names');

const HIDDEN = 'Pump\u200b1';

law('attack: nobody makes or renames anything to a name that looks like another', async ({ world, home }) => {
  const root = await systemAdministrator(world);
  const { admin } = home;
  const id = { id: { id: await provision(world, home.tenantId, 'lamp', null) } };
  const customer = { id: { id: home.alice.customerId } };
  const user = entity(await admin.get(`/api/user/${home.alice.userId}`));
  const authority = 'TENANT_ADMIN';
  for (const [name, which] of [[HIDDEN, 'U+200B'] as const, ['\u202eevil', 'U+202E'] as const]) {
    const refused = [
      await admin.post('/api/device', { name }),
      await admin.post('/api/device', { name: 'ok', label: name }),
      await admin.post('/api/device', { name: 'ok', type: name }),
      await admin.post('/api/device', { ...id, name }),
      await admin.post('/api/device', { ...id, name: 'lamp', label: name }),
      await admin.post('/api/customer', { title: name }),
      await admin.post('/api/customer', { ...customer, title: name }),
      await root.post('/api/tenant', { title: name }),
      await root.post('/api/tenant', { id: { id: home.tenantId }, title: name }),
      await admin.post('/api/user', { email: 'new@home.test', authority, firstName: name }),
      await admin.post('/api/user', { email: `${name}@home.test`, authority }),
      await admin.post('/api/user', { ...user, lastName: name }),
      await admin.post('/api/deviceProfile', { name, type: 'DEFAULT', transportType: 'DEFAULT' }),
      await admin.post('/api/kit', { label: name, devices: ['lamp'] }),
    ];
    for (const [at, answer] of refused.entries()) {
      isProblem(answer, 400, 31);
      assert.match(answer.text, which, String(at));
    }
  }
  isProblem(
    await admin.post('/api/device', { name: 'ｌａｍｐ' }),
    400,
    31,
    'Device with such name already exists!',
  );
  entity(await admin.post('/api/device', { name: 'a\u00a0pump' }));
  isProblem(
    await admin.post('/api/device', { name: 'a pump' }),
    400,
    31,
    'Device with such name already exists!',
  );
});

law(
  'a name from before goes on: it is read, sent back with the rest, found, and given up',
  async ({ world, home }) => {
    const { admin, alice } = home;
    const id = await provision(world, home.tenantId, HIDDEN, alice.customerId);
    const read = entity(await admin.get(`/api/device/${id}`));
    assert.is(read.name, HIDDEN);
    const changed = await admin.post('/api/device', { ...read, label: 'in the cellar' });
    assert.is(entity(changed).label, 'in the cellar');
    isProblem(await admin.post('/api/device', { ...read, name: `${HIDDEN}\u200b` }), 400, 31);
    assert.is((await admin.get('/api/tenant/device?deviceName=Pump1')).status, 200);
    entity(await admin.post('/api/device', { ...read, name: 'Pump 1' }));
  },
);

law('a name that was copied with what nobody sees is found all the same', async ({ world, home }) => {
  await provision(world, home.tenantId, 'Pump 1', null);
  for (const typed of ['Pump 1\u200b', 'Pump\u00a01', 'Ｐｕｍｐ 1']) {
    const found = await home.admin.get(`/api/tenant/device?deviceName=${encodeURIComponent(typed)}`);
    assert.is(entity(found).name, 'Pump 1', JSON.stringify(typed));
  }
});

law(
  'attack: whoever signs up does not come to a customer by a title that only looks like its',
  async ({ world, home }) => {
    const { tenantId } = home;
    const { directory } = world;
    entity(await home.admin.post('/api/customer', { title: 'acme.test' }));
    const signing = async (title: string, email: string, firstName: string | null = null) =>
      signUp(
        { ...world.accounts, directory },
        {
          tenantId,
          title,
          ownOf: null,
          email,
          firstName,
          lastName: null,
          news: { action: 'ADDED', data: {} },
        },
      );
    for (const title of ['ac\u200bme.test', 'ａｃｍｅ.test', 'acme.test\u202e'])
      assert.is((await signing(title, 'mallory@evil.test')).type, 'refused', JSON.stringify(title));
    assert.is((await signing('acme.test', 'al\u200bice@home.test')).type, 'refused');
    const done = await signing('acme.test', 'dora@home.test', 'Do\u202era');
    assert.ok(done.type === 'done');
    assert.is(done.user.firstName, null);
  },
);

test.run();
run();
