/** The log as its document has it: every message of the code, and the fields in both formats. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLog } from '../../config/compose/log.ts';
import { idsOf } from '../../http/wire/request.ts';
import { none, read } from '../kit/documents.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { logLines } from '../kit/log-lines.ts';
import { until } from '../kit/until.ts';

const DOCUMENT = 'config/LOG.md';

test('log: the document has every message of the code, as severe as it is, and no other', () => {
  const ROW = /^\| (error|warn|info|debug) \| (.+?) \| `([^`]+)` \|$/gm;
  const rows = [...read(DOCUMENT).text.matchAll(ROW)].map(
    ([, severity, message]) => `${severity}: ${message}`,
  );
  const lines = logLines();
  const logged = new Set(lines.map(({ severity, message }) => `${severity}: ${message}`));
  assert.ok(lines.length > 60, 'they are found');
  none([...logged].filter((line) => !rows.includes(line)).map((line) => `${DOCUMENT} lacks ${line}`));
  none(rows.filter((row) => !logged.has(row)).map((row) => `nothing logs ${row}`));
});

async function lines(format: 'json' | 'ecs'): Promise<readonly { readonly [name: string]: unknown }[]> {
  const file = join(temporaryFolder(), 'log');
  const log = createLog({ level: 'debug', format }, { worker: 2 }, file);
  log.warn({ deviceId: 'd', token: 'a secret', more: { secretKey: 'a secret' } }, 'it waits');
  log.error({ err: new Error('why', { cause: new TypeError('deeper') }) }, 'it failed');
  log.debug({ route: '/x', requestId: 'r-1', traceId: 'a'.repeat(32) }, 'request');
  log.error({ err: 'no error' }, 'it failed');
  const written = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await until('all is written', () => written().split('\n').length === 5);
  const text = written();
  assert.not.match(text, /a secret/);
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('log: by itself a line is as pino has it', async () => {
  const [waits, failed, request, odd] = await lines('json');
  const { time, pid, ...rest } = waits ?? {};
  assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.is(pid, process.pid);
  const redacted = { token: '[secret]', more: { secretKey: '[secret]' } };
  assert.equal(rest, { level: 'warn', worker: 2, deviceId: 'd', ...redacted, msg: 'it waits' });
  assert.match(JSON.stringify(failed?.err), /"type":"Error".*why: deeper.*caused by: TypeError/);
  assert.is(request?.requestId, 'r-1');
  assert.is(odd?.err, 'no error');
});

test('log: in the Elastic Common Schema every field is where the schema has it, and ours stand apart', async () => {
  const [waits, failed, request, odd] = await lines('ecs');
  const { '@timestamp': at, ecs, ...rest } = waits ?? {};
  assert.match(String(at), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.match(JSON.stringify(ecs), /^\{"version":"8\./);
  assert.equal(rest, {
    log: { level: 'warn' },
    service: { name: 'claimd' },
    process: { pid: process.pid },
    labels: { worker: 2 },
    claimd: { deviceId: 'd', token: '[secret]', more: { secretKey: '[secret]' } },
    message: 'it waits',
  });
  assert.match(JSON.stringify(failed?.error), /"type":"Error".*"stack_trace":".*caused by: TypeError/);
  assert.is(failed?.claimd, undefined);
  assert.equal(request?.http, { request: { id: 'r-1' } });
  assert.equal(request?.trace, { id: 'a'.repeat(32) });
  assert.equal(request?.claimd, { route: '/x' });
  assert.equal(odd?.claimd, { err: 'no error' });
});

test('log: a request is named as whoever sent it names it, and by nothing else', () => {
  const named = (headers: { readonly [name: string]: string }) => idsOf({ header: (name) => headers[name] });
  const trace = 'ab'.repeat(16);
  const traceparent = `00-${trace}-${'cd'.repeat(8)}-01`;
  assert.equal(named({ 'x-request-id': 'a-1', traceparent }), { requestId: 'a-1', traceId: trace });
  assert.equal(named({}), {});
  for (const id of ['', 'a b', 'a\nb', 'é', 'x'.repeat(129)]) assert.equal(named({ 'x-request-id': id }), {});
  const none = [
    `00-${'0'.repeat(32)}-${'cd'.repeat(8)}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    traceparent.toUpperCase(),
    `ff${traceparent.slice(2)}`,
    `${traceparent}-more`,
  ];
  for (const text of none) assert.equal(named({ traceparent: text }), {}, text);
});

test.run();
