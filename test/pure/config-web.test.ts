/** The settings of the web application. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StartRefused } from '../../config/compose/refusal.ts';
import { webSettings } from '../../config/compose/web.ts';
import { loadConfig } from '../../config/options/load.ts';
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
    demoAccounts: [],
  });
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
