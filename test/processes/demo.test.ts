/** The demo data, the demo, and the claims of the documents to paste into a shell. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, launch, type ServerProcess, startServer } from '../kit/process.ts';
import { needing, runProgram } from '../kit/programs.ts';

const DEMO = fileURLToPath(new URL('../../config/demo/demo.js', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

const PEOPLE = [
  ['sysadmin@thingsboard.org', 'sysadmin'],
  ['tenant@thingsboard.org', 'tenant'],
  ['customer@thingsboard.org', 'customer'],
  ['customerA@thingsboard.org', 'customer'],
  ['customerB@thingsboard.org', 'customer'],
  ['customerC@thingsboard.org', 'customer'],
] as const;

interface Listed {
  readonly totalElements: number;
}

const demo = suite('demo');
demo.after(cleanUp);

demo(
  "demo data: everybody can log in with ThingsBoard's passwords, and a second start adds nothing",
  async () => {
    const dataDir = temporaryFolder();
    for (const how of [{ args: ['--demo'] }, { env: { LOAD_DEMO: 'true' } }]) {
      const server = await startServer({ dataDir, ...how, env: how.env ?? {} });
      const api = restApi(server.url);
      for (const [email, password] of PEOPLE) assert.ok(await api.login(email, password), email);
      const sysadmin = await api.login('sysadmin@thingsboard.org', 'sysadmin');
      const tenant = await api.login('tenant@thingsboard.org', 'tenant');
      const count = async (path: string, token: string) =>
        (await api.get<Listed>(`${path}?page=0&pageSize=1`, token)).totalElements;
      assert.is(await count('/api/tenants', sysadmin), 1);
      assert.is(await count('/api/customers', tenant), 3);
      assert.is(await count('/api/tenant/devices', tenant), 9);
      assert.not.match(server.output(), 'with the password');
      await server.stop();
    }
  },
);

const DEMO_PRESENT = 'this store holds accounts of the demo, whose passwords are public';

demo(
  'demo data: in production its passwords open nothing, and every start says that they are there',
  async () => {
    const dataDir = temporaryFolder();
    await (await startServer({ dataDir, args: ['--demo'] })).stop();
    for (let start = 0; start < 2; start += 1) {
      const server = await startServer({ dataDir });
      const api = restApi(server.url);
      for (const [username, password] of PEOPLE) {
        const answer = await api.send('POST', '/api/auth/login', undefined, { username, password });
        assert.is(answer.status, 401, username);
      }
      assert.ok(server.log().some(({ msg, level }) => msg === DEMO_PRESENT && level === 'warn'));
      await server.stop();
    }
  },
);

demo('demo data: with public passwords nobody listens beyond this machine, unless told to', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir, args: ['--demo'] });
  const api = restApi(first.url);
  const sysadmin = await api.login('sysadmin@thingsboard.org', 'sysadmin');
  await first.stop();
  for (const door of ['HTTP_BIND_ADDRESS', 'MQTT_BIND_ADDRESS', 'COAP_BIND_ADDRESS']) {
    const { code, output } = await launch({ dataDir, env: { [door]: '0.0.0.0' } }).ended;
    assert.is(code, 3, output);
    assert.match(output, /accounts of the demo with public passwords \(sysadmin@thingsboard\.org, tenant@/);
  }
  const misuse = await launch({ dataDir, args: ['--demo'], env: { HTTP_BIND_ADDRESS: '0.0.0.0' } }).ended;
  assert.is(misuse.code, 2, misuse.output);

  const told = { dataDir, args: ['--demo', '--demo-public'], env: { HTTP_BIND_ADDRESS: '0.0.0.0' } };
  const second = await startServer(told);
  const again = restApi(second.url);
  const change = { currentPassword: 'sysadmin', newPassword: 'a password of my own' };
  const { token } = await again.post<{ token: string }>('/api/auth/changePassword', sysadmin, change);
  const { data } = await again.get<{ data: { id: { id: string } }[] }>(
    '/api/tenants?page=0&pageSize=1',
    token,
  );
  await again.must('DELETE', `/api/tenant/${data[0]?.id.id}`, token);
  await second.stop();
  const third = await startServer({ dataDir, env: { HTTP_BIND_ADDRESS: '0.0.0.0' } });
  assert.not.ok(third.log().some(({ msg }) => msg === DEMO_PRESENT));
  await third.stop();
});

demo('demo: the story runs to its end and exits with 0', async () => {
  const { code, out: output } = await runProgram(process.execPath, [DEMO]);
  assert.is(code, 0, output);
  const lines = output.trim().split('\n');
  assert.is(lines.at(-1), 'The demo went as it should.');
  for (const word of [
    'FAILURE',
    'SUCCESS',
    'CLAIMED',
    'already-claimed',
    'kill -9',
    '403',
    'a kit',
    'too late',
  ]) {
    assert.ok(output.includes(word), word);
  }
  assert.ok(
    lines.every((line) => /^\s*\d+\. |^The demo/.test(line)),
    output,
  );
});

/** The block of a document that is marked to be run, with the ports of this server. */
function pastedBlock(path: string, { httpPort, mqttPort }: ServerProcess): string {
  const text = readFileSync(join(PROJECT, path), 'utf8');
  const block = /<!-- this block is run by a test -->\n```sh\n([\s\S]*?)```/.exec(text)?.[1];
  assert.ok(block !== undefined, `${path} has the block`);
  const script = block
    .replaceAll('localhost:8080', `127.0.0.1:${httpPort}`)
    .replaceAll('-h localhost -p 1883', `-h 127.0.0.1 -p ${mqttPort}`);
  assert.not.match(script, /8080|1883/);
  return script;
}

needing(['curl', 'bash'], demo)('README: the claim pasted into a shell works as it says', async () => {
  const server = await startServer({ args: ['--demo'] });
  const script = pastedBlock('README.md', server);
  const { code, out: output } = await runProgram('bash', ['-euo', 'pipefail', '-c', script]);
  assert.is(code, 0, output);
  const lines = output.trim().split('\n');
  assert.is(lines.length, 3, output);
  assert.is(lines[0], '"FAILURE"');
  assert.match(lines[1] ?? '', /"response":"SUCCESS"/);
  assert.is(lines[2], '200');
  await server.stop();
});

needing(['mosquitto_rr', 'bash'], demo)(
  'transports/README: a device by hand hears that its window is open',
  async () => {
    const server = await startServer({ args: ['--demo'] });
    const script = pastedBlock('transports/README.md', server);
    const { code, out: output } = await runProgram('bash', ['-euo', 'pipefail', '-c', script]);
    assert.is(code, 0, output);
    assert.match(output, /^\{"status":"opened","closesAt":\d+,"ownerEpoch":0\}$/m);
    await server.stop();
  },
);

demo.run();
