/**
 * The real process on a real Redis tells the whole story: windows open, are confirmed, given back and elapse, over
 * restarts of either; while Redis is away it says so, and it is back by itself.
 */
import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import { equal, is, match, ok } from 'uvu/assert';
import { type Api, type Customer, cast, restApi } from '../kit/api.ts';
import { makeCertificate } from '../kit/certificates.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { freePort } from '../kit/ports.ts';
import { cleanUp, launch, type ServerProcess, startServer } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { metricsPortOf } from '../kit/prometheus.ts';
import { cleanUpRedis, type RedisServer, startRedis, startRedisCluster } from '../kit/redis.ts';
import { until } from '../kit/until.ts';

const SYSADMIN_PASSWORD = 'redis-test-sysadmin';
const LONG_MS = 600_000;
/** By default. */
const PARTITIONS = 32;

const redisTest = needing(['redis-server'], test);

test.after(async () => {
  await cleanUp();
  await cleanUpRedis();
});

const KEYS = {
  SECURITY_CLAIM_SERVER_KEY: randomBytes(32).toString('base64'),
  JWT_TOKEN_SIGNING_KEY: randomBytes(64).toString('base64'),
};

/** Every start has a data folder of its own: a node keeps nothing there. */
function start(storeUrl: string, env: { readonly [name: string]: string } = KEYS): Promise<ServerProcess> {
  return startServer({
    env: { STORE_URL: storeUrl, SYSADMIN_PASSWORD, ...env },
  });
}

async function twoCustomers(url: string) {
  const { api, tenant, customers } = await cast(url, SYSADMIN_PASSWORD, 2);
  const [a, b] = customers;
  ok(a && b);
  return { api, tenant, a, b };
}

const response = ({ body }: { readonly body: string }) => /SUCCESS|CLAIMED|FAILURE/.exec(body)?.[0];

redisTest(
  'redis: a command under a prefix where no server has been makes nothing there, and says so',
  async () => {
    const redis = await startRedis();
    for (const args of [['verify'], ['drop-second-factor', 'root@example.org']]) {
      const { code, output } = await launch({ args, env: { STORE_URL: redis.url, REDIS_PREFIX: 'other' } })
        .ended;
      is(code, 3, output);
      match(output, 'holds nothing of claimd under the prefix other');
    }
    is(await redis.command('DBSIZE'), '0');
  },
);

redisTest(
  'redis: while it gives no answer each worker tells the metrics that its store is away',
  async () => {
    const redis = await startRedis();
    const env = { ...KEYS, METRICS_ENABLED: 'true', METRICS_BIND_PORT: '0', WORKERS: '2' };
    const server = await start(redis.url, env);
    const told = async () => {
      const answer = await fetch(`http://127.0.0.1:${metricsPortOf(server)}/metrics`);
      return (await answer.text()).match(/^claimd_store_up.*$/gm) ?? [];
    };
    const all = (up: 0 | 1) => [1, 2].map((worker) => `claimd_store_up{worker="${worker}"} ${up}`);
    const untilTold = (up: 0 | 1) =>
      until(`${up}`, async () => all(up).join() === (await told()).sort().join());
    await untilTold(1);
    redis.signal('SIGSTOP');
    await untilTold(0);
    redis.signal('SIGCONT');
    await untilTold(1);
    is((await server.stop()).code, 0);
  },
);

redisTest('redis: a claim from its window to its end, over a restart of the node', async () => {
  const redis = await startRedis();
  const first = await start(redis.url);
  const { api, tenant, a, b } = await twoCustomers(first.url);
  for (const name of ['one', 'two', 'three']) await api.createDevice(tenant, name, `token-${name}`);

  is((await api.initiate('token-one', { secretKey: 'x', durationMs: LONG_MS })).status, 200);
  is((await api.initiate('token-two', { secretKey: 'x', durationMs: 50 })).status, 200);
  is((await api.initiate('token-three', { secretKey: 'x', durationMs: LONG_MS })).status, 200);
  is(response(await api.confirm(a.token, 'one', 'wrong')), 'FAILURE');
  is(response(await api.confirm(a.token, 'one', 'x')), 'SUCCESS');
  is(response(await api.confirm(b.token, 'one', 'x')), 'CLAIMED');
  equal(await devicesOf(api, a), ['one']);
  is((await first.stop()).code, 0);

  const second = await start(redis.url);
  const again = restApi(second.url);
  equal(await devicesOf(again, a), ['one'], 'tokens and owners are still good');
  is(response(await again.confirm(b.token, 'three', 'x')), 'SUCCESS', 'windows stay open');
  is(response(await again.confirm(b.token, 'two', 'x')), 'FAILURE', 'the short window has elapsed');
  await until('its alarm is served, and none is left', async () => (await alarms(redis)) === 0);
  is((await again.reclaim(a.token, 'one')).status, 200);
  equal(await devicesOf(again, a), []);
  equal(await devicesOf(again, b), ['three']);
  await second.kill();

  const third = await start(redis.url);
  equal(await devicesOf(restApi(third.url), b), ['three']);
  is((await third.stop()).code, 0);
});

redisTest(
  'redis: while it is away the node lives, is not ready and answers 503; then it is back',
  async () => {
    const redis = await startRedis();
    const before = await start(redis.url);
    const { api: first, tenant, a } = await twoCustomers(before.url);
    await first.createDevice(tenant, 'one', 'token-one');
    is((await before.stop()).code, 0);
    // So impatient that on a busy machine it may give up what would have been answered.
    const server = await start(redis.url, { ...KEYS, REDIS_COMMAND_TIMEOUT: '1500' });
    const api = restApi(server.url);
    const opens = (secretKey: string) =>
      until('the window opens', async () => {
        const { status } = await api.initiate('token-one', { secretKey, durationMs: LONG_MS });
        return status === 200;
      });
    await opens('x');
    await until('it is ready', async () => (await api.send('GET', '/readyz')).status === 200);

    const absences: readonly [() => unknown, () => unknown][] = [
      [() => redis.signal('SIGSTOP'), () => redis.signal('SIGCONT')],
      [() => redis.kill(), () => redis.restart()],
    ];
    for (const [n, [leave, comeBack]] of absences.entries()) {
      await leave();
      const refused = await api.initiate('token-one', { secretKey: `y${n}`, durationMs: LONG_MS });
      is(refused.status, 503);
      is((await api.send('GET', '/readyz')).status, 503);
      is((await api.send('GET', '/livez')).status, 200);
      await comeBack();
      await until('it is ready again', async () => (await api.send('GET', '/readyz')).status === 200);
      await opens(`z${n}`);
    }
    await until('it is claimed', async () => {
      const said = response(await api.confirm(a.token, 'one', 'z1'));
      return said === 'SUCCESS' || said === 'CLAIMED'; // by what had no answer in time
    });
    equal(await read(() => devicesOf(api, a)), ['one']);
    is((await server.stop()).code, 0);
    ok(!server.output().includes('unhandled'));
  },
);

redisTest('redis: what was guessed wrongly on one node counts on the other', async () => {
  const redis = await startRedis();
  const env = { ...KEYS, SECURITY_CLAIM_WRONG_SECRETS_PER_CUSTOMER_AND_DEVICE: '4' };
  const nodes = [await start(redis.url, env), await start(redis.url, env)];
  const { api, tenant, a } = await twoCustomers(nodes[0]?.url ?? '');
  await api.createDevice(tenant, 'one', 'token-one');
  is((await api.initiate('token-one', { secretKey: 'x', durationMs: LONG_MS })).status, 200);
  const statuses: number[] = [];
  for (const n of [0, 1, 0, 1, 0, 1]) {
    const guess = await restApi(nodes[n]?.url ?? '').confirm(a.token, 'one', 'wrong');
    statuses.push(guess.status);
  }
  equal(statuses, [400, 400, 400, 400, 429, 429]);
  for (const node of nodes) is((await node.stop()).code, 0);
});

redisTest('redis: nodes whose keys differ are refused with what to do', async () => {
  const redis = await startRedis();
  const first = await start(redis.url);
  const other = (bytes: number) => randomBytes(bytes).toString('base64');
  const refusals: readonly [{ readonly [name: string]: string }, RegExp][] = [
    [{ ...KEYS, SECURITY_CLAIM_SERVER_KEY: other(32) }, /SECURITY_CLAIM_SERVER_KEY/],
    [{ ...KEYS, JWT_TOKEN_SIGNING_KEY: other(64) }, /JWT_TOKEN_SIGNING_KEY/],
  ];
  for (const [env, words] of refusals) {
    const { code, output } = await launch({ env: { STORE_URL: redis.url, ...env } }).ended;
    is(code, 3);
    match(output, words);
  }
  is((await first.stop()).code, 0);
});

redisTest(
  'redis: several workers are nodes of one Redis; one that is killed takes nothing with it',
  async () => {
    const redis = await startRedis();
    const server = await start(redis.url, { ...KEYS, WORKERS: '2' });
    const { api, tenant, a, b } = await twoCustomers(server.url);
    const won: string[] = [];
    for (const n of [1, 2, 3, 4, 5, 6]) {
      const name = `device ${n}`;
      await api.createDevice(tenant, name, `token-${n}`);
      is((await api.initiate(`token-${n}`, { secretKey: 'x', durationMs: LONG_MS })).status, 200);
      const rivals = [a, b].map(({ token }) => restApi(server.url).confirm(token, name, 'x'));
      const heard = (await Promise.all(rivals)).map(response);
      equal([...heard].sort(), ['CLAIMED', 'SUCCESS'], name);
      if (heard[0] === 'SUCCESS') won.push(name);
    }
    equal(await devicesOf(api, a), won);

    const workers = server.log().filter(({ msg }) => msg === 'worker ready');
    equal(workers.map(({ worker }) => worker).sort(), [1, 2]);
    process.kill(Number(workers[0]?.pid), 'SIGKILL');
    await until(
      'another takes its place',
      async () => server.log().filter(({ msg }) => msg === 'worker ready').length === 3,
    );
    // A connection that was the dead one's ends; who comes again is served.
    await until('nothing is lost', async () => (await devicesOf(api, a)).join() === won.join());
    is((await server.stop()).code, 0, server.output());
  },
);

redisTest(
  'redis: a node without a Redis to be had, or with an address that is none, does not start',
  async () => {
    const away = launch({ env: { STORE_URL: 'redis://127.0.0.1:1', REDIS_CONNECT_TIMEOUT: '300' } });
    const { code, output } = await away.ended;
    is(code, 3);
    match(output, /redis:\/\/127\.0\.0\.1:1/);
    for (const url of [
      'redis://user:p%zz@host',
      'redis://a:1,b:2',
      'redis-cluster://a:1/3',
      'redis://:70000',
    ]) {
      const wrong = await launch({ env: { STORE_URL: url } }).ended;
      is(wrong.code, 3, url);
      ok(!wrong.output.includes('p%zz'), 'a password is not shown');
    }
  },
);

redisTest('redis: with a password, a database and a prefix, and on a cluster', async () => {
  const redis = await startRedis();
  await redis.command('CONFIG', 'SET', 'requirepass', 'p@ss/word');
  const url = `redis://:${encodeURIComponent('p@ss/word')}@127.0.0.1:${redis.port}/3`;
  await shortStory(url, { ...KEYS, REDIS_PREFIX: 'mine' });
  const servers = await startRedisCluster();
  await shortStory(clusterUrl(servers), KEYS);
});

needing(['redis-server', 'openssl'], test)('redis: over TLS, if its certificate is good', async () => {
  const { cert, key } = makeCertificate(temporaryFolder(), 'localhost');
  const port = await freePort();
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
  await startRedis(['--tls-port', String(port), '--tls-auth-clients', 'no', ...files]);
  const url = `rediss://localhost:${port}`;
  await shortStory(url, { ...KEYS, REDIS_SSL_CA: cert });
  const { code, output } = await launch({ env: { STORE_URL: url, REDIS_CONNECT_TIMEOUT: '10000' } }).ended;
  is(code, 3);
  match(output, /self-signed certificate/);
});

async function shortStory(url: string, env: { readonly [name: string]: string }): Promise<void> {
  const server = await start(url, env);
  const { api, tenant, a } = await twoCustomers(server.url);
  for (const n of [1, 2, 3, 4, 5]) {
    await api.createDevice(tenant, `device ${n}`, `token-${n}`);
    is((await api.initiate(`token-${n}`, { secretKey: 'x', durationMs: LONG_MS })).status, 200);
    is(response(await api.confirm(a.token, `device ${n}`, 'x')), 'SUCCESS');
  }
  is((await devicesOf(api, a)).length, 5);
  ok(!server.output().includes('p@ss'), 'the password is not in the log');
  is((await server.stop()).code, 0);
}

/** What is read at last, from a server that gives up soon. */
async function read<Read>(from: () => Promise<Read>): Promise<Read> {
  let found: Read | undefined;
  await until('it is read', async () => {
    found = await from();
    return true;
  });
  if (found === undefined) throw new Error('it was read');
  return found;
}

function clusterUrl(servers: readonly RedisServer[]): string {
  return `redis-cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
}

async function alarms(redis: RedisServer): Promise<number> {
  const counts = Array.from({ length: PARTITIONS }, (_, n) =>
    redis.command('ZCARD', `claimd:{p${n}}:alarms`),
  );
  return (await Promise.all(counts)).map(Number).reduce((sum, count) => sum + count);
}

async function devicesOf(api: Api, { id, token }: Customer): Promise<string[]> {
  const page = await api.get<{ data: { name: string }[] }>(
    `/api/customer/${id}/devices?pageSize=100&page=0`,
    token,
  );
  return page.data.map(({ name }) => name);
}

test.run();
