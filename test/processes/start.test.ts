/** How the real process starts, refuses to start, and starts again. */

import { spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, type Ended, launch, type ServerOptions, startServer } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const SYSADMIN = 'sysadmin@thingsboard.org';
const PASSWORD = { SYSADMIN_PASSWORD: 'a-long-password' };

/** Starts a server that must not start. */
const refused = (options: ServerOptions): Promise<Ended> => launch(options).ended;

/** The lines for a person: those that are not log. */
const plainLines = (output: string) =>
  output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));

const words = suite('start: command line');
words.after(cleanUp);

words('--help, --version and --print-config answer and end with 0', async () => {
  const [help, version, print] = await Promise.all(
    [['--help'], ['--version'], ['--print-config']].map((args) => refused({ args })),
  );
  assert.is(help?.code, 0);
  assert.match(help?.output ?? '', '--security.claim.duration=');
  assert.is(version?.code, 0);
  assert.match(version?.output ?? '', /^claimd \d+\.\d+\.\d+\n$/);
  assert.is(print?.code, 0);
  assert.match(print?.output ?? '', '#security.claim.duration: 86400000');
});

words('all problems are in one message, with exit code 2', async () => {
  const file = join(temporaryFolder(), 'bad.yml');
  writeFileSync(file, 'security.claim.duraton: 1\nserver.port: many\n');
  const { code, output } = await refused({ args: ['--config', file], env: { MQTT_BIND_PORT: '-1' } });
  assert.is(code, 2);
  const lines = plainLines(output);
  assert.match(lines[0] ?? '', 'claimd does not start: 3 things are wrong.');
  assert.is(lines.length, 4, output);
  assert.match(output, 'did you mean security.claim.duration?');
});

words('the programs of the tests say what they take, where they do not understand what they are told', () => {
  for (const [program, told] of [
    ['test/run.js', 'npm test -- [--quick]'],
    ['test/sim/main.js', 'npm run sim -- [--seed N'],
  ] as const) {
    const file = fileURLToPath(new URL(`../../${program}`, import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, '--help'], { encoding: 'utf8' });
    assert.is(status, 2, program);
    assert.match(stdout, told);
    assert.not.match(stdout + stderr, /^ +at /m);
  }
});

words('a missing config file is an error if it was named', async () => {
  const { code, output } = await refused({ args: ['--config', 'no-such-file.yml'] });
  assert.is(code, 2);
  assert.match(output, 'the config file no-such-file.yml cannot be read: there is no such file');
});

words(
  'TLS without its files is refused by their options, before anything is in the data folder',
  async () => {
    const doors = [
      [{ SSL_ENABLED: 'true' }, 'SSL_PEM_CERT, SSL_PEM_KEY'],
      [
        { MQTT_SSL_ENABLED: 'true', MQTT_SSL_PEM_CERT: '/nowhere/c.pem', MQTT_SSL_PEM_KEY: '/nowhere/c.key' },
        'ENOENT',
      ],
    ] as const;
    for (const [env, told] of doors) {
      const dataDir = temporaryFolder();
      const { code, output } = await refused({ dataDir, env });
      assert.is(code, 3, output);
      assert.match(output, told);
      assert.equal(readdirSync(dataDir), []);
    }
  },
);

words('a config file is read', async () => {
  const file = join(temporaryFolder(), 'good.yml');
  writeFileSync(file, 'security: {jwt: {tokenExpirationTime: 123}}\n');
  const server = await startServer({ args: ['--config', file], env: PASSWORD });
  const token = await restApi(server.url).login(SYSADMIN, 'a-long-password');
  const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  assert.is(exp - iat, 123);
  await server.stop();
});

words(
  'how many device actors may be in memory follows from the heap, unless it is said, and the log says it',
  async () => {
    const [small, said] = await Promise.all([
      startServer({ env: { ...PASSWORD, NODE_OPTIONS: '--max-old-space-size=600' } }),
      startServer({ env: { ...PASSWORD, ACTORS_DEVICE_MAX_RESIDENTS: '1234' } }),
    ]);
    const inLog = ({ log }: typeof small) => log().find(({ msg }) => msg === 'ready')?.residentsMax;
    const bySize = Number(inLog(small));
    assert.ok(bySize >= 20_000 && bySize < 50_000, `${bySize}`);
    assert.is(inLog(said), 1234);
    await Promise.all([small.stop(), said.stop()]);
  },
);

const taken = suite('start: what is taken');
taken.after(cleanUp);

function occupy(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ server, port: typeof address === 'object' && address !== null ? address.port : 0 });
    });
  });
}

/** The same for UDP. */
function occupyUdp(): Promise<{ server: Socket; port: number }> {
  return new Promise((resolve) => {
    const server = createSocket('udp4').bind(0, '127.0.0.1', () =>
      resolve({ server, port: server.address().port }),
    );
  });
}

for (const [what, variable, occupied] of [
  ['HTTP', 'HTTP_BIND_PORT', occupy],
  ['MQTT', 'MQTT_BIND_PORT', occupy],
  ['CoAP', 'COAP_BIND_PORT', occupyUdp],
] as const) {
  taken(`a taken ${what} port is one clear line, and the data folder is free again`, async () => {
    const dataDir = temporaryFolder();
    const { server, port } = await occupied();
    const { code, output } = await refused({ dataDir, env: { ...PASSWORD, [variable]: String(port) } });
    server.close();
    assert.is(code, 3);
    assert.equal(plainLines(output), [
      `claimd does not start: ${what} cannot listen on 127.0.0.1:${port}: the port is taken by another program`,
    ]);
    const again = await startServer({ dataDir, env: PASSWORD });
    assert.is((await again.stop()).code, 0);
  });
}

taken('a second process on the same data folder is refused, the first is unharmed', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir, env: PASSWORD });
  const seconds = await Promise.all([
    refused({ dataDir, env: PASSWORD }),
    refused({ dataDir, env: PASSWORD }),
  ]);
  for (const { code, output } of seconds) {
    assert.is(code, 3);
    assert.match(output, `another claimd (process ${first.pid}) is using ${join(dataDir, 'store')}`);
    assert.is(plainLines(output).length, 1, output);
  }
  assert.ok(await restApi(first.url).login(SYSADMIN, 'a-long-password'));
  assert.is((await first.stop()).code, 0);
});

taken('if two start together on a new folder, one serves and the other is refused', async () => {
  const dataDir = temporaryFolder();
  const both = await Promise.allSettled([
    startServer({ dataDir, env: PASSWORD }),
    startServer({ dataDir, env: PASSWORD }),
  ]);
  const [winner, ...more] = both.filter((one) => one.status === 'fulfilled');
  assert.is(more.length, 0);
  assert.ok(
    winner?.status === 'fulfilled' && (await restApi(winner.value.url).login(SYSADMIN, 'a-long-password')),
  );
});

taken('a folder that cannot be used gives one clear line', async () => {
  const file = join(temporaryFolder(), 'a-file');
  writeFileSync(file, '');
  const { code, output } = await refused({ dataDir: file, env: PASSWORD });
  assert.is(code, 3);
  assert.is(plainLines(output).length, 1, output);
  assert.match(output, 'cannot be used as a store');
});

const again = suite('start: again');
again.after(cleanUp);

again('a folder of which only the keys were restored is told from a first start', async () => {
  const dataDir = temporaryFolder();
  const told = async (): Promise<boolean> => {
    const server = await startServer({ dataDir, env: PASSWORD });
    await server.stop();
    return server
      .log()
      .some(({ msg }) => String(msg).startsWith('the store is empty, but its key was there'));
  };
  assert.is(await told(), false, 'the first start');
  assert.is(await told(), false, 'all of it is there');
  rmSync(join(dataDir, 'store'), { recursive: true });
  assert.is(await told(), true, 'only the keys');
});

again('after kill -9 it starts at once on the same folder', async () => {
  const dataDir = temporaryFolder();
  for (let round = 0; round < 3; round++) {
    const server = await startServer({ dataDir, env: PASSWORD });
    assert.ok(await restApi(server.url).login(SYSADMIN, 'a-long-password'));
    assert.is((await server.kill()).signal, 'SIGKILL');
  }
});

again('the first password is printed once, at the first start, and works', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir });
  await until('it is announced', () => plainLines(first.output()).length > 0); // on another stream than "ready"
  const announced = plainLines(first.output());
  assert.is(announced.length, 1, first.output());
  const password = /sysadmin@thingsboard\.org with the password (\S+)/.exec(announced[0] ?? '')?.[1] ?? '';
  assert.ok(await restApi(first.url).login(SYSADMIN, password));
  assert.not.ok(JSON.stringify(first.log()).includes(password), 'it is not in the log');
  await first.stop();

  const second = await startServer({ dataDir });
  assert.equal(plainLines(second.output()), []);
  assert.ok(await restApi(second.url).login(SYSADMIN, password));
  await second.stop();
});

again('tokens outlive a restart: the signing key is kept', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir, env: PASSWORD });
  const token = await restApi(first.url).login(SYSADMIN, 'a-long-password');
  await first.kill();
  const second = await startServer({ dataDir, env: PASSWORD });
  assert.is((await restApi(second.url).send('GET', '/api/auth/user', token)).status, 200);
  await second.stop();
});

again(
  'without the server key that the store was made with the start is refused, until that is asked for',
  async () => {
    const dataDir = temporaryFolder();
    await (await startServer({ dataDir, env: PASSWORD })).stop();
    rmSync(join(dataDir, 'server.key'));
    const { code, output } = await refused({ dataDir, env: PASSWORD });
    assert.is(code, 3);
    assert.match(output, 'the server key is not the one that this store was made with');
    const accepting = await startServer({
      dataDir,
      env: PASSWORD,
      args: ['--security.claim.acceptNewServerKey=true'],
    });
    await accepting.stop();
    const server = await startServer({ dataDir, env: PASSWORD });
    assert.is((await server.stop()).code, 0);
  },
);

again('with STORE_URL=memory: nothing is written and nothing kept', async () => {
  const dataDir = temporaryFolder();
  const server = await startServer({ dataDir, env: { ...PASSWORD, STORE_URL: 'memory:' } });
  assert.ok(await restApi(server.url).login(SYSADMIN, 'a-long-password'));
  await server.stop();
  assert.equal(readdirSync(dataDir), []);
});

for (const each of [words, taken, again]) each.run();
