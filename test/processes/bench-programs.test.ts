/** The bench with programs beside it: what it sees of them, and as the package `claimbench` that others run by itself. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Result } from '../../bench/contract.ts';
import { threadTimes, usageOf } from '../../bench/measure/proc.ts';
import { parseRun } from '../../bench/options.ts';
import { silent } from '../../bench/report/live.ts';
import { runOnce } from '../../bench/run.ts';
import { byTurnsScenario } from '../../bench/scenarios/by-turns.ts';
import { wholeFleetScenario } from '../../bench/scenarios/whole-fleet.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { PATIENCE_MS } from '../kit/patience.ts';
import { freePorts } from '../kit/ports.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PASSWORD = 'a-long-password';

test.after(cleanUp);

test('bench: a server that lets nothing be deleted does not take the result away', async () => {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/api/tenant/devices')) response.writeHead(500).end('the pool is exhausted');
    else if (request.url?.endsWith('/activationLink')) response.end('http://there/?activateToken=one');
    else response.end('{"token":"a token","authority":"TENANT_ADMIN","id":{"id":"an id"}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's
  const result = await runOnce(
    {
      name: 'nothing',
      title: '',
      peers: [],
      rated: false,
      async run(bench) {
        await bench.fleet(await bench.start(), 0);
        bench.figure('what was measured', 1, '', 'higher');
      },
    },
    parseRun(['--target', `127.0.0.1:${port}`, '--password', 'p', '--profile', 'smoke'], {}),
    1,
    silent,
  );
  server.close();
  assert.is(result.figures[0]?.value, 1);
  assert.match(result.warnings.join(), 'could not clear up');
  assert.match(result.warnings.join(), 'the pool is exhausted');
});

test('bench: the CPU of a child that has ended is still counted', async () => {
  const BURN = 'const until = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < until);';
  const shell = spawn('/bin/sh', ['-c', `${process.execPath} -e "$BURN"; echo over; read line`], {
    env: { BURN },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(shell.stdout, 'data');
  await until('its CPU is counted', () => (usageOf(shell.pid ?? -1)?.cpuSeconds ?? 0) >= 0.25);
  shell.stdin.end();
  await once(shell, 'exit');
});

test('bench: of a process the time of its first thread is known beside that of all', () => {
  const until = process.cpuUsage().user + 50_000;
  while (process.cpuUsage().user < until); // what is read counts by ticks of the scheduler
  const { allNs, mainNs } = threadTimes(process.pid) ?? { allNs: 0, mainNs: 0 };
  assert.ok(mainNs >= 50_000_000, `${mainNs}`);
  assert.ok(allNs >= mainNs, `${allNs} ${mainNs}`);
  assert.is(threadTimes(0x7f_ff_ff_ff), undefined);
});

/** One that has ended and was not waited for is still there, without a command line. */
function runs(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
}

/** The server that a bench has started, once there is a store of its own in the bench's folder for temporary ones. */
async function serverOf(bench: number, temporary: string): Promise<number> {
  const hasStore = () =>
    readdirSync(temporary).some((folder) => existsSync(join(temporary, folder, 'store/data.mdb')));
  await until('the bench has started its server', hasStore);
  const children = readFileSync(`/proc/${bench}/task/${bench}/children`, 'utf8').split(' ').filter(Boolean);
  const isServer = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('process/main.js');
  return Number(children.find(isServer));
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`bench: ended by ${signal}, it leaves no server behind`, async () => {
    const temporary = temporaryFolder();
    const args = [join(ROOT, 'dist/bench/main.js'), 'whole-fleet', '--devices', '1_000_000'];
    const bench = spawn(process.execPath, args, {
      env: { ...process.env, TMPDIR: temporary },
      stdio: 'ignore',
    });
    const ended = once(bench, 'exit');
    const server = await serverOf(bench.pid ?? -1, temporary);
    assert.ok(runs(server));
    bench.kill(signal);
    await ended;
    await until('the server is gone', () => !runs(server));
    const data = readdirSync(temporary).filter((folder) => existsSync(join(temporary, folder, 'store')));
    if (signal === 'SIGTERM') assert.equal(data, [], 'nor its data');
  });
}

test('bench: by turns, a build and itself do the same, and each has its own server', async () => {
  const patient = ['--server', `ACTORS_DEVICE_ASK_TIMEOUT=${PATIENCE_MS}`];
  const run = ['--against', ROOT, '--profile', 'smoke', '--duration', '1ms', '--store', 'memory', ...patient];
  const result = await runOnce(byTurnsScenario, parseRun(run, {}), 1, silent);
  assert.equal(result.failures, []);
  const kinds = ['window over MQTT', 'window over HTTP', 'claim', 'give-back'];
  for (const kind of kinds) {
    for (const threads of ['', ', actors’ thread']) {
      const of = (peer?: string) =>
        result.figures.find(
          (figure) => figure.name === `${kind}${threads}: CPU each` && figure.peer === peer,
        );
      for (const side of [of(), of('the other build')])
        assert.ok((side?.value ?? 0) > 0, `${kind}${threads}`);
    }
  }
});

test('bench: a whole fleet is opened and claimed, each device once, and is there after the kill', async () => {
  const patient = ['--server', `ACTORS_DEVICE_ASK_TIMEOUT=${PATIENCE_MS}`];
  const run = ['--profile', 'smoke', '--devices', '300', ...patient];
  const result = await runOnce(wholeFleetScenario, parseRun(run, {}), 1, silent);
  assert.equal(result.failures, []);
  const operations = result.measurements.map((one) => [one.variant, one.operations]);
  assert.equal(operations, [
    ['open, up to 100', 100],
    ['open, up to 300', 200],
    ['claim, part 1 of 2', 100],
    ['claim, part 2 of 2', 100],
  ]);
  for (const name of ['ready, 300 devices', 'first claim after the start', 'data, claimed'])
    assert.ok((result.figures.find((one) => one.name === name)?.value ?? 0) > 0, name);
});

test('bench: by turns needs another build, and says where there is none', async () => {
  assert.match(byTurnsScenario.refuses?.(parseRun([], {}).settings) ?? '', '--against');
  const nowhere = parseRun(['--against', temporaryFolder(), '--profile', 'smoke'], {});
  const fault = await runOnce(byTurnsScenario, nowhere, 1, silent).then(() => 'none', String);
  assert.match(fault, 'there is no build in');
});

/** The package as somebody else has it: unpacked, beside the packages that it depends on. */
function unpacked(): string {
  const folder = temporaryFolder();
  const pack = join(ROOT, 'dist/bench/pack.js');
  const file = execFileSync(process.execPath, [pack], { cwd: folder, encoding: 'utf8' }).trim();
  execFileSync('tar', ['xzf', file], { cwd: folder });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

test('claimbench: packed by itself, it says that it needs a server, and lists what it can do', () => {
  const folder = unpacked();
  const program = join(folder, 'package/bench/claimbench.js');
  const list = execFileSync(process.execPath, [program, 'list'], { encoding: 'utf8' });
  assert.match(list, 'recovery');
  const { name, dependencies } = JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8'));
  assert.is(name, 'claimbench');
  assert.not('lmdb' in dependencies, 'it takes no store along');
  assert.throws(
    () => execFileSync(process.execPath, [program, 'confirm'], { encoding: 'utf8', stdio: 'pipe' }),
    /claimbench measures a running server: --target HOST:PORT/,
  );
});

test('claimbench: it kills a running server by command, and finds everything that was acknowledged', async () => {
  const folder = unpacked();
  const [http = 0, mqtt = 0] = await freePorts(2);
  const dataDir = temporaryFolder();
  const env = {
    SYSADMIN_PASSWORD: PASSWORD,
    HTTP_BIND_PORT: String(http),
    MQTT_BIND_PORT: String(mqtt),
    SECURITY_PASSWORD_HASH_COST: '1024',
    SECURITY_CLAIM_WINDOWS_PER_DEVICE: '1000000',
    QUOTA_WRITES_PER_TENANT: '0',
  };
  let server = await startServer({ dataDir, env });
  const pidFile = join(folder, 'pid');
  writeFileSync(pidFile, String(server.pid));
  // The start command asks this test, which ends all that it has started.
  const starter = createServer((_, response) => {
    void (async () => {
      await server.ended;
      server = await startServer({ dataDir, env });
      writeFileSync(pidFile, String(server.pid));
      response.end('ready');
    })();
  });
  await new Promise<void>((resolve) => starter.listen(0, '127.0.0.1', resolve));
  const { port } = starter.address() as AddressInfo; // a TCP server's
  const START = `fetch('http://127.0.0.1:${port}').then((answer) => answer.text())`;
  const run = spawn(
    process.execPath,
    [
      join(folder, 'package/bench/claimbench.js'),
      'recovery',
      ...['--target', `127.0.0.1:${http}`, '--mqtt-port', String(mqtt)],
      ...['--profile', 'smoke', '--rate', '50', '--connections', '16', '--json'],
      ...['--watch', String(server.pid)],
      ...['--kill-command', `kill -9 $(cat ${pidFile})`],
      ...['--start-command', `${process.execPath} -e "${START}"`],
    ],
    {
      cwd: folder,
      env: { ...process.env, CLAIMD_BENCH_PASSWORD: PASSWORD },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  run.stdout.on('data', (text) => {
    output += text;
  });
  const [code] = await once(run, 'exit');
  starter.close();
  const result = JSON.parse(output) as Result; // what `--json` prints
  assert.equal(result.failures, []);
  assert.is(code, 0);
  assert.equal(
    result.measurements.map(({ variant }) => variant),
    ['windows', 'claims'],
  );
  for (const { operations, variant } of result.measurements) assert.ok(operations > 0, variant);
  assert.ok(result.figures.some(({ name }) => name === 'claims: away'));
});

test.run();
