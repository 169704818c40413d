/** Claim secrets (rule C9): digests that reveal nothing, seals that open only for their device. */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import { createSecrets, sameDigest } from '../../actors/base/secret.ts';
import { DEVICE, idOf } from '../kit/given.ts';

const KEY = Buffer.alloc(32, 7);
const OTHER_DEVICE = idOf<DeviceId>(2);
const TEXTS = ['', ' ', 'secret', 'Secret', 'secret\0', '\0secret', 'ä\u{1f600}', 'x'.repeat(10_000)];

test('secrets: a digest is the same for the same device, secret and key, also after a restart', () => {
  assert.is(
    createSecrets(KEY).digest(DEVICE, 'secret'),
    createSecrets(Buffer.from(KEY)).digest(DEVICE, 'secret'),
  );
  // Digests are in the journal: this one may never change, or open windows could not be confirmed any more.
  assert.is(createSecrets(KEY).digest(DEVICE, 'secret'), 'HYoXWPOGAfy1tE4XoblSTPiJ3AYWGYswW7PWlYtExh8');
});

test('secrets: a digest is HMAC-SHA-256 of whatever text, however long it is', () => {
  const { digest } = createSecrets(KEY);
  const derived = Buffer.from(hkdfSync('sha256', KEY, '', 'claimd claim secret digest', 32));
  const lengths = [0, 1, 27, 55, 63, 64, 65, 304, 305, 341, 342, 987, 988, 1_024, 5_000];
  const long = lengths.flatMap((length) =>
    ['x', '\u00e4', '\u20ac', '\ud800'].map((one) => one.repeat(length)),
  );
  // Twice, since what one text leaves behind must not be in the next.
  for (const text of [...TEXTS, ...long, ...TEXTS]) {
    const expected = createHmac('sha256', derived).update(`${DEVICE}\0${text}`).digest('base64url');
    assert.is(digest(DEVICE, text), expected, `${text.length} of ${text.slice(0, 1)}`);
  }
});

test('secrets: digests differ by secret, by device and by key, and do not contain the secret', () => {
  const { digest } = createSecrets(KEY);
  const all = TEXTS.flatMap((text) => [digest(DEVICE, text), digest(OTHER_DEVICE, text)]);
  all.push(createSecrets(randomBytes(32)).digest(DEVICE, 'secret'));
  assert.is(new Set(all).size, all.length);
  for (const one of all) assert.match(one, /^[A-Za-z0-9_-]{43}$/);
});

test('secrets: equal digests are the same, all others are not', () => {
  const { digest } = createSecrets(KEY);
  const one = digest(DEVICE, 'secret');
  assert.ok(sameDigest(one, digest(DEVICE, 'secret')));
  const others = [digest(DEVICE, 'other'), digest(OTHER_DEVICE, 'secret'), '', one.slice(1), `${one}A`];
  for (const other of others) assert.not.ok(sameDigest(one, other));
});

test('secrets: what was sealed is opened unchanged', () => {
  const secrets = createSecrets(KEY);
  for (const text of TEXTS) assert.is(secrets.unseal(DEVICE, secrets.seal(DEVICE, text)), text);
});

test('secrets: a seal looks different each time, and hides the secret', () => {
  const { seal } = createSecrets(KEY);
  assert.is.not(seal(DEVICE, 'secret'), seal(DEVICE, 'secret'));
  const bytes = Buffer.from(seal(DEVICE, 'a long and telling secret'), 'base64url').toString('latin1');
  assert.not.ok(bytes.includes('telling'));
});

test('secrets: a seal of another device, of another server, or damaged anywhere, does not open', () => {
  const secrets = createSecrets(KEY);
  const sealed = secrets.seal(DEVICE, 'secret');
  assert.throws(() => secrets.unseal(OTHER_DEVICE, sealed));
  assert.throws(() => createSecrets(randomBytes(32)).unseal(DEVICE, sealed));
  const bytes = Buffer.from(sealed, 'base64url');
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    assert.throws(() => secrets.unseal(DEVICE, damaged.toString('base64url')), undefined, `byte ${at}`);
  }
});

test('secrets: a seal that was cut short does not open, whatever is left of its tag', () => {
  const secrets = createSecrets(KEY);
  for (const text of ['', 'secret']) {
    const bytes = Buffer.from(secrets.seal(DEVICE, text), 'base64url');
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length).toString('base64url');
      assert.throws(() => secrets.unseal(DEVICE, cut), undefined, `${length} bytes`);
    }
  }
});

test('secrets: a short server key is refused', () => {
  assert.throws(() => createSecrets(randomBytes(31)), /at least 32 bytes/);
  createSecrets(randomBytes(64));
});

test.run();
