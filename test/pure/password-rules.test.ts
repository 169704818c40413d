/** What a new password must be, and what guessers try first. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMON_PASSWORDS } from '../../actors/accounts/common-passwords.ts';
import { defaultAccountSettings } from '../../actors/accounts/model.ts';
import { namesInEmail, passwordProblem } from '../../actors/accounts/password-rules.ts';
import { DEMO_PEOPLE } from '../../config/demo/demo-data.ts';
import { isProblem, PASSWORD, restLaws } from '../kit/rest-client.ts';

const reasonOf = (password: string, names: readonly string[] = [], rules = defaultAccountSettings) =>
  passwordProblem(password, rules, names)?.reason;

test('password rules: 3,000 of the commonest are known, each of at least 8 characters, in lower case', () => {
  assert.is(COMMON_PASSWORDS.size, 3000);
  for (const one of COMMON_PASSWORDS) assert.ok(one.length >= 8 && one === one.toLowerCase(), one);
});

test('password rules: length counts, and nothing of what it is made of', () => {
  assert.is(reasonOf('eleven chrs'), 'password-too-short');
  for (const good of [
    'twelve chars',
    'eleven years of rain',
    'ナマケモノは木から落ちない犬',
    '🚲🐑🍞🪟🎻🧦🌧️🪁🧵🗝️🪨🛶',
  ])
    assert.is(reasonOf(good), undefined, good);
  assert.is(reasonOf('x y'.repeat(30)), 'password-too-long');
});

test('password rules: what guessers try first is refused, also with a year or marks around it', () => {
  const six = { ...defaultAccountSettings, passwordMinLength: 6 };
  for (const one of COMMON_PASSWORDS) assert.is(reasonOf(one, [], six), 'password-well-known', one);
  for (const known of [
    'Password2026!',
    '!!!Sunshine!!!',
    'qwertyuiop123',
    'passwordpassword',
    'abcabcabcabc',
    'aaaaaaaaaaaaaaa',
    '123456789012',
    '210987654321',
    'abcdefghijklm',
  ]) {
    assert.is(reasonOf(known), 'password-well-known', known);
  }
});

test("password rules: names of the product, the tenant and the user are no password, ThingsBoard's demo has none", () => {
  const names = ['Acme Thermostats', ...namesInEmail('zoe.miller@acme-cloud.example')];
  for (const made of [
    'acmethermostats1',
    'Zoe-Miller-2026',
    'ThingsBoard123',
    'claimd-claimd-12',
    'acme-password!',
  ])
    assert.is(reasonOf(made, names), 'password-made-of-names', made);
  assert.is(reasonOf('zoe likes thermostats in spring', names), undefined);
  for (const { password } of DEMO_PEOPLE) {
    assert.is(reasonOf(password), 'password-well-known');
    assert.is(reasonOf(password, [], { ...defaultAccountSettings, demoPasswordsWork: true }), undefined);
  }
});

const { law, run } = restLaws('password rules over REST');

law('rules hold where a password is set: at activation and at a change', async ({ world, home }) => {
  const change = (newPassword: string) =>
    home.alice.post('/api/auth/changePassword', { currentPassword: PASSWORD, newPassword });
  isProblem(await change('short one'), 400, 31, 'Password must be 12 or more characters in length.');
  isProblem(await change('Sunshine2026!'), 400, 31);
  isProblem(await change('alice@home.test'), 400, 31);
  const policy = await world.nobody.get('/api/noauth/userPasswordPolicy');
  assert.is((policy.json as { minimumLength: number }).minimumLength, 12);

  const user = { email: 'dora@home.test', authority: 'TENANT_ADMIN' };
  const made = await home.admin.post('/api/user?sendActivationMail=false', user);
  const { id } = (made.json as { id: { id: string } }).id;
  const link = await home.admin.get(`/api/user/${id}/activationLink`);
  const activateToken = new URL(link.text).searchParams.get('activateToken');
  const activate = (password: string) =>
    world.nobody.post('/api/noauth/activate', { activateToken, password });
  isProblem(await activate('DoraDoraDora'), 400, 31);
  isProblem(await activate('dora@home.test'), 400, 31);
  assert.is((await activate('a horse in a bathtub')).status, 200);
});

law('a password of the demo opens nothing, whoever has it', async ({ world }) => {
  const demo = world.elsewhere({ demoPasswordsWork: true });
  const fields = { email: 'a@b.example', firstName: null, lastName: null, phone: null, additionalInfo: null };
  assert.is((await demo.users.create({ authority: 'SYS_ADMIN' }, fields, 'customer')).type, 'done');
  assert.is((await demo.users.login(fields.email, 'customer')).type, 'welcome');
  isProblem(
    await world.nobody.post('/api/auth/login', { username: fields.email, password: 'customer' }),
    401,
    10,
  );
});

test.run();
run();
