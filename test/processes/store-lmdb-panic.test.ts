/** A failed write of LMDB's meta page: that process ends and the next one serves, with all that was acknowledged. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cast, restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { within } from '../kit/patience.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const panic = suite('store: panic of LMDB');
panic.after(cleanUp);

/**
 * Runs in the server: on SIGUSR2, the descriptor by which LMDB writes its meta page (it alone is open with O_DSYNC) becomes
 * one that cannot be written to.
 */
const BREAK_META = `
  import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) process.on('SIGUSR2', () => {
    const isMeta = (fd) => {
      try {
        return readlinkSync('/proc/self/fd/' + fd).endsWith('/data.mdb') &&
          (parseInt(/flags:\\s*(\\d+)/.exec(readFileSync('/proc/self/fdinfo/' + fd, 'utf8'))[1], 8) & 0o10000) !== 0;
      } catch { return false; }
    };
    for (const fd of readdirSync('/proc/self/fd').map(Number).filter(isMeta)) {
      closeSync(fd);
      if (openSync('/dev/null', 'r') !== fd) throw new Error('another descriptor came between');
      process.stderr.write('meta broken\\n');
    }
  });
`;
const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(BREAK_META)}`];
const env = { SYSADMIN_PASSWORD: 'a-long-password' };

const onLinux = process.platform === 'linux' ? panic : panic.skip; // it reads /proc

onLinux('the process ends, and the next one serves', async () => {
  const dataDir = temporaryFolder();
  const server = await startServer({ dataDir, env, nodeArgs });
  const world = await cast(server.url, env.SYSADMIN_PASSWORD);
  await world.api.createDevice(world.tenant, 'before', 'TOKEN-BEFORE');
  server.signal('SIGUSR2');
  await until('it is broken', () => server.output().includes('meta broken'));
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

panic.run();
