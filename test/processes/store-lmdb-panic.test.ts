/**
 * Writes of LMDB that fail, as on a disk that dies. Of its meta page: that process ends and the next one serves, with all that
 * was acknowledged. Of other pages: only who writes is refused, and when writing is possible again it goes on.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isPanic, StorePanic } from '../../actors/store/lmdb/panic.ts';
import { cast, restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { within } from '../kit/patience.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const panic = suite('store: panic of LMDB');
panic.after(cleanUp);

/**
 * Runs in the server. On SIGUSR2 a descriptor by which LMDB writes becomes one that cannot be written to; on the next SIGUSR2 it
 * is what it was. The one of its meta page alone is open with O_DSYNC; the one of all other pages is opened before that.
 */
const breaking = (which: 'meta' | 'pages') => `
  import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
  import { isMainThread } from 'node:worker_threads';
  const fileOf = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
  const isMeta = (fd) =>
    (parseInt(/flags:\\s*(\\d+)/.exec(readFileSync('/proc/self/fdinfo/' + fd, 'utf8'))[1], 8) & 0o10000) !== 0;
  const become = (fd, file, flags) => {
    closeSync(fd);
    if (openSync(file, flags) !== fd) throw new Error('another descriptor came between');
  };
  let broken;
  if (isMainThread) process.on('SIGUSR2', () => {
    if (broken !== undefined) {
      become(broken.fd, broken.file, 'r+');
      process.stderr.write('mended\\n');
      return;
    }
    const all = readdirSync('/proc/self/fd').map(Number).filter((fd) => fileOf(fd).endsWith('/data.mdb'));
    const meta = all.find(isMeta);
    const fd = ${which === 'meta' ? 'meta' : 'Math.max(...all.filter((other) => other < meta))'};
    broken = { fd, file: fileOf(fd) };
    become(fd, '/dev/null', 'r');
    process.stderr.write('broken\\n');
  });
`;
const nodeArgsOf = (which: 'meta' | 'pages') => [
  '--import',
  `data:text/javascript,${encodeURIComponent(breaking(which))}`,
];
const LMDB_SOURCE = fileURLToPath(import.meta.resolve('lmdb')).replace(
  /[^/]*$/,
  'dependencies/lmdb/libraries/liblmdb/mdb.c',
);
/** As often a line is told again that would come for each of many. */
const LINE_EVERY_MS = 1_000;
const env = { SYSADMIN_PASSWORD: 'a-long-password' };

const onLinux = process.platform === 'linux' ? panic : panic.skip; // it reads /proc

onLinux('the process ends, and the next one serves', async () => {
  const dataDir = temporaryFolder();
  const server = await startServer({ dataDir, env, nodeArgs: nodeArgsOf('meta') });
  const world = await cast(server.url, env.SYSADMIN_PASSWORD);
  await world.api.createDevice(world.tenant, 'before', 'TOKEN-BEFORE');
  server.signal('SIGUSR2');
  await until('it is broken', () => server.output().includes('broken\n'));
  // The write that fails, and those behind it.
  for (let n = 0; n < 3; n += 1) {
    await world.api
      .send('POST', '/api/device', world.tenant, { name: `D${n}`, type: 'default' })
      .catch(() => {});
  }
  const { signal, output } = await within('it ends', server.ended);
  assert.is(signal, 'SIGKILL');
  assert.match(output, /a write of its meta page failed/);

  const next = await startServer({ dataDir, env });
  assert.is((await restApi(next.url).device(world.tenant, 'before')).name, 'before');
  assert.is((await next.stop()).code, 0);
});

/**
 * What LMDB says of the pages has numbers in it that nobody set, so in each of many writes that fail it may or may not be longer
 * than its place.
 */
onLinux(
  'other pages: who writes is refused, or the process ends and says why; nothing acknowledged is lost',
  async () => {
    const dataDir = temporaryFolder();
    const server = await startServer({ dataDir, env, nodeArgs: nodeArgsOf('pages') });
    const { api, tenant } = await cast(server.url, env.SYSADMIN_PASSWORD);
    const create = (name: string) => api.send('POST', '/api/device', tenant, { name, type: 'default' });
    const kept = ['before'];
    assert.is((await create('before')).status, 200);
    server.signal('SIGUSR2');
    await until('it is broken', () => server.output().includes('broken\n'));

    const [lines, begun] = [server.log().length, performance.now()];
    /** Undefined: the process has ended. */
    const told = async (method: 'GET' | 'POST', path: string, body?: object) =>
      (await api.send(method, path, tenant, body).catch(() => undefined))?.status;
    for (let n = 0; n < 50; n += 1) {
      const status = await told('POST', '/api/device', { name: `D${n}`, type: 'default' });
      if (status === undefined) break;
      assert.is(status, 503);
      assert.ok([200, undefined].includes(await told('GET', '/api/tenant/devices?deviceName=before')));
      assert.ok([200, undefined].includes(await told('GET', '/livez')));
      assert.ok([503, undefined].includes(await told('GET', '/readyz')));
    }
    // So on a slow machine there may be one for each, in as many seconds.
    const most = (performance.now() - begun) / LINE_EVERY_MS + 2;
    const said = new Map<unknown, number>();
    for (const { msg } of server.log().slice(lines)) said.set(msg, (said.get(msg) ?? 0) + 1);
    for (const [msg, times] of said) assert.ok(times <= most, `not a line for each: ${times} times "${msg}"`);
    server.signal('SIGUSR2');
    let ended = false;
    void server.ended.then(() => {
      ended = true;
    });
    const ending = () => ended || server.output().includes('"StorePanic');
    await until('it has ended, or writes again', () => ending() || server.output().includes('mended\n'));
    if (ending()) {
      // The damage may show first.
      const { signal, output } = await within('it ends', server.ended);
      assert.ok(['SIGKILL', 'SIGABRT', 'SIGSEGV'].includes(signal ?? ''), `${signal}`);
      if (signal === 'SIGKILL') assert.match(output, /LMDB may have written over memory/);
    } else {
      await until('it is ready again', async () => (await told('GET', '/readyz')) === 200);
      assert.is((await create('after')).status, 200);
      kept.push('after');
      await server.kill();
    }

    const next = await startServer({ dataDir, env });
    for (const name of kept) assert.is((await restApi(next.url).device(tenant, name)).name, name);
    assert.is((await next.stop()).code, 0);
  },
);

panic(
  'what lmdb says of pages that it could not write ends the process where it is longer than its place',
  () => {
    const said = (numbers: string) =>
      new Error(`Input/output error: Attempting to write page at position ${numbers}`);
    const short = '8192, size 4096, blocks 1, buffer sizes 4096 0 448427280';
    const exact = '4294963200, size 4096, blocks 1, buffer sizes 4096 0 -48427280';
    assert.is(said(exact).message.length - 'Input/output error: '.length, 99);
    assert.is(isPanic(said(short)), false);
    assert.is(isPanic(said(exact)), false);
    assert.is(isPanic(said(`${exact}1`)), true);
    assert.match(new StorePanic(said(`${exact}1`)).message, /written over memory/);
    const bytes = /last_error = malloc\((\d+)\);\s*sprintf\(last_error, "Attempting/.exec(
      readFileSync(LMDB_SOURCE, 'utf8'),
    );
    assert.is(bytes?.[1], '100', 'look at lmdb: the place has another size');
  },
);

panic.run();
