/**
 * What many devices cost: how fast they are provisioned over REST, how much private memory the server holds with them
 * (RssAnon: what LMDB maps is page cache and can be taken back any time), and how long a restart takes on that data.
 *
 *   npm run bench:footprint                      1,000,000 devices, 100,000 open windows
 *   npm run bench:footprint -- --devices 10000 --windows 1000
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cleanUp, temporaryFolder } from '../test/kit/process.ts';
import { createFleet, openWindows, provision } from './fleet.ts';
import { startClaimd } from './subjects.ts';

const { values: args } = parseArgs({
  options: {
    devices: { type: 'string', default: '1000000' },
    windows: { type: 'string', default: '100000' },
  },
});
const devices = Number(args.devices);
const windows = Number(args.windows);
const CHUNK = 50_000;

const say = (line: string) => process.stdout.write(`${line}\n`);
const whole = (value: number) => Math.round(value).toLocaleString('en');

/** Private memory of a process in MB, from /proc. */
function rssAnonMb(pid: number): number {
  const line = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1024;
}

async function main(): Promise<void> {
  const dataDir = temporaryFolder();
  const server = await startClaimd({ DATA_DIR: dataDir });
  const memory = (when: string, pid: number) => say(`private memory ${when}: ${whole(rssAnonMb(pid))} MB`);
  memory('when empty', server.pid);

  const fleet = await createFleet(server.url);
  let seconds = 0;
  for (let from = 0; from < devices; from += CHUNK) {
    const created = await provision(server, fleet, from, Math.min(CHUNK, devices - from));
    seconds += created.seconds;
    say(`  ${whole(from + created.operations)} devices, the last at ${whole(created.perSecond)}/s`);
  }
  say(`provisioned ${whole(devices)} devices at ${whole(devices / seconds)}/s`);
  memory('right after', server.pid);

  const opened = await openWindows(server, 0, windows);
  say(`opened ${whole(windows)} windows at ${whole(opened.perSecond)}/s over HTTP`);
  memory('right after', server.pid);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  memory('5 s later', server.pid);
  await server.kill();

  const startedAt = performance.now();
  const again = await startClaimd({ DATA_DIR: dataDir });
  say(`ready ${whole(performance.now() - startedAt)} ms after a kill -9 and a new start`);
  memory('after the restart', again.pid);
  say(
    `the data folder holds ${whole(statSync(join(dataDir, 'store', 'data.mdb'), { throwIfNoEntry: false })?.size ?? 0)} bytes`,
  );
  await again.kill();
}

try {
  await main();
} finally {
  await cleanUp();
}
