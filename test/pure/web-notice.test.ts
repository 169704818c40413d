/** What a form did is told on the next page, in every script, and in a cookie that every browser takes. */
import { Hono } from 'hono';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaveNotice, takeNotice } from '../../http/web/notice.ts';

const WHERE = { base: 'https://claim.example.org', secure: true };
/** What browsers keep of a cookie with all that belongs to it (RFC 6265bis §5.6). */
const COOKIE_BYTES_MAX = 4_096;

async function roundTrip(text: string) {
  const app = new Hono();
  app.get('/leave', (c) => {
    leaveNotice(c, { kind: 'bad', text }, WHERE);
    return c.text('');
  });
  app.get('/take', (c) => c.json(takeNotice(c, WHERE) ?? null));
  const cookie = (await app.request('/leave')).headers.get('set-cookie') ?? '';
  const [pair = ''] = cookie.split(';');
  const taken: unknown = await (await app.request('/take', { headers: { cookie: pair } })).json();
  return { bytes: Buffer.byteLength(cookie), taken };
}

for (const text of ['Saved.', '保存しました。', 'تم الحفظ', '"\\\n\u0000'])
  test(`notice: ${JSON.stringify(text)} arrives as it was`, async () => {
    assert.equal((await roundTrip(text)).taken, { kind: 'bad', text });
  });

for (const letter of ['a', '"', '語', '🔑', '\u0000', '\ud83d'])
  test(`notice: of thousands of ${JSON.stringify(letter)} as many are told as a browser keeps`, async () => {
    const { bytes, taken } = await roundTrip(letter.repeat(5_000));
    assert.ok(bytes <= COOKIE_BYTES_MAX, `${bytes} bytes`);
    const { text } = taken as { text: string };
    assert.ok(text.endsWith('…'));
    assert.is(text.replaceAll(letter, ''), '…', 'no letter is cut in two');
    assert.ok(text.length > 100);
  });

test.run();
