/** The settings of the web application. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StartRefused } from '../../config/compose/refusal.ts';
import { webSettings } from '../../config/compose/web.ts';
import { loadConfig } from '../../config/options/load.ts';
import { sayIn } from '../../http/web/texts/say.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp } from '../kit/process.ts';

test.after(cleanUp);

function settingsOf(env: Readonly<Record<string, string>>) {
  const loaded = loadConfig({ env, flags: [] });
  if (loaded.type === 'problems') throw new Error(loaded.problems.join('\n'));
  return webSettings(loaded.config);
}

test('web: name, accent and logo are the operator’s', () => {
  const file = join(temporaryFolder(), 'logo.svg');
  writeFileSync(file, '<svg/>');
  const settings = settingsOf({ WEB_NAME: 'Söhne', WEB_ACCENT: '#AA0000', WEB_LOGO: file });
  assert.equal(settings, {
    name: 'Söhne',
    accent: '#AA0000',
    logo: { type: 'image/svg+xml', body: Buffer.from('<svg/>') },
    support: null,
    privacy: null,
    buttonHint: null,
    afterClaim: null,
    language: 'en',
    texts: {},
    pseudo: false,
    mails: false,
    signUp: false,
    demoAccounts: [],
  });
});

test('web: links and sentences are the operator’s, and no link runs a script', () => {
  const settings = settingsOf({
    WEB_SUPPORT: 'mailto:help@example.org',
    WEB_PRIVACY: 'https://example.org/privacy',
    WEB_BUTTON_HINT: 'Hold the round button for three seconds.',
    WEB_AFTER_CLAIM_TEXT: 'Now install the app.',
    WEB_AFTER_CLAIM_LINK: 'https://example.org/app',
  });
  assert.is(settings?.support, 'mailto:help@example.org');
  assert.is(settings?.privacy, 'https://example.org/privacy');
  assert.is(settings?.buttonHint, 'Hold the round button for three seconds.');
  assert.equal(settings?.afterClaim, { text: 'Now install the app.', link: 'https://example.org/app' });
  assert.throws(() => settingsOf({ WEB_SUPPORT: 'javascript:alert(1)' }), /begins with https/);
});

test('web: the operator’s own texts lie over ours; what is wrong with one stops the start, with file and key', () => {
  const folder = temporaryFolder();
  const withTexts = (name: string, content: string) => {
    const own = join(folder, name.replace('.', '-'));
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, name), content);
    return () => settingsOf({ WEB_TEXTS: own });
  };
  const texts = withTexts('de.json', '\uFEFF{"account.title": "Ihr <b>Konto</b> bei Söhne"}')()?.texts;
  const sayGerman = (overlays = texts) => sayIn('de', 'de', overlays);
  assert.is(sayGerman()('account.title'), 'Ihr <b>Konto</b> bei Söhne');
  assert.is(sayGerman()('account.here'), 'Hier', 'the others are ours');
  assert.is(sayGerman({})('account.title'), 'Ihr Konto', 'and another server has its own');
  assert.is(sayIn('fr', 'fr', texts)('account.title'), sayIn('fr', 'fr')('account.title'));

  for (const [name, content, words] of [
    ['nl.json', '{}', /nl\.json.*no language/],
    ['fr.json', '{"account.titel": "x"}', /fr\.json.*account\.titel: there is no such text/],
    ['es.json', '{"account.browserOn": "{browser"}', /account\.browserOn: not in ICU form/],
    ['it.json', '{"account.browserOn": "{browser}"}', /account\.browserOn: \{system\} is missing/],
    ['pl.json', '{"account.title": 7}', /account\.title: not a text/],
    ['ko.json', '["x"]', /not a JSON object/],
    ['ja.json', '{', /not a JSON object/],
    ['README.md', '', /there is no text in/],
  ] as const) {
    assert.throws(
      withTexts(name, content),
      (error: unknown) => error instanceof StartRefused && words.test(error.message),
      name,
    );
  }
  assert.throws(
    () => settingsOf({ WEB_TEXTS: join(folder, 'absent') }),
    (error: unknown) => error instanceof StartRefused && /web\.texts/.test(error.message),
  );
});

test('web: it can be switched off', () => {
  assert.is(settingsOf({ WEB_ENABLED: 'false' }), undefined);
});

test('web: a missing or too large logo stops the start', () => {
  const folder = temporaryFolder();
  const large = join(folder, 'large.png');
  writeFileSync(large, Buffer.alloc(300_000));
  for (const file of [join(folder, 'missing.png'), large]) {
    assert.throws(
      () => settingsOf({ WEB_LOGO: file }),
      (error: unknown) => error instanceof StartRefused && error.message.includes('web.logo'),
    );
  }
});

test('web: accounts are shown only in the demo, and never with the operator’s own password', () => {
  const offered = (env: Readonly<Record<string, string>>) =>
    settingsOf({ LOAD_DEMO: 'true', ...env })?.demoAccounts.map(({ email }) => email) ?? [];
  assert.ok(offered({}).includes('sysadmin@thingsboard.org'));
  assert.not.ok(offered({ SYSADMIN_PASSWORD: 'my-own-password' }).includes('sysadmin@thingsboard.org'));
  assert.equal(settingsOf({})?.demoAccounts, []);
});

test.run();
