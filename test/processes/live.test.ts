/** What does not end by itself ends when the process stops: the live feed, and imports, which go on at the next start. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, type ServerProcess, startServer } from '../kit/process.ts';
import { pause } from '../kit/until.ts';

const ROWS = 3_000;

test.after(cleanUp);

interface Job {
  readonly id: string;
  readonly state: string;
  readonly good: number;
  readonly through: number;
}

async function administrator(server: ServerProcess) {
  const api = restApi(server.url);
  return { api, token: await api.login('tenant@thingsboard.org', 'tenant') };
}

test('live: the feed tells of a window at once, and SIGTERM ends it', async () => {
  const server = await startServer({ args: ['--demo'] });
  const { api, token } = await administrator(server);
  const response = await fetch(`${server.url}/api/events`, {
    headers: { 'x-authorization': `Bearer ${token}` },
  });
  assert.is(response.headers.get('content-type'), 'text/event-stream');
  assert.ok(response.body);
  let text = '';
  let isStopping = false;
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.startsWith('retry:') && !text.includes('event')) await api.initiate('T1_TEST_TOKEN', {});
    if (isStopping || !text.includes('"type":"opened"')) continue;
    isStopping = true; // a second signal would end it at once
    server.signal('SIGTERM');
  }
  assert.match(text, '"deviceName":"Thermostat T1"');
  assert.is((await server.ended).code, 0);
});

test('import: killed in the middle, it goes on at the next start and creates every device once', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ args: ['--demo'], dataDir });
  const { api, token } = await administrator(first);
  const { id } = await api.post<Job>('/api/deviceImport', token, { generateKeys: true });
  for (let from = 0; from < ROWS; from += 1000) {
    const rows = Array.from({ length: 1000 }, (_, at) => ({ name: `Unit ${from + at}` }));
    await api.post<Job>(`/api/deviceImport/${id}/rows`, token, { from, rows });
  }
  await api.post<Job>(`/api/deviceImport/${id}/start?dryRun=false`, token, {});
  while ((await api.get<Job>(`/api/deviceImport/${id}`, token)).through === 0) await pause(20);
  await first.kill();

  const second = await startServer({ args: ['--demo'], dataDir });
  const { api: again, token: renewed } = await administrator(second);
  let job = await again.get<Job>(`/api/deviceImport/${id}`, renewed);
  while (job.state === 'RUNNING') {
    await pause(20);
    job = await again.get<Job>(`/api/deviceImport/${id}`, renewed);
  }
  assert.equal([job.state, job.good], ['DONE', ROWS]);
  const query = '/api/tenant/devices?pageSize=1&textSearch=Unit';
  const { totalElements } = await again.get<{ totalElements: number }>(query, renewed);
  assert.is(totalElements, ROWS);
  assert.is((await second.stop()).code, 0);
});

test.run();
