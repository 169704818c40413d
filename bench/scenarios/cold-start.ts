/**
 * A server starts on the data of many devices, as after an update. How long until it is ready, and how long the first
 * device then waits for its window, by the number of devices. The median of three starts after a kill counts.
 */

import { restApi } from '../../test/kit/api.ts';
import type { Scenario } from '../bench.ts';
import { filler } from '../load/text.ts';
import { median } from '../numbers.ts';
import { devicesFor } from '../settings.ts';
import { claimOf } from '../steps.ts';
import { levels, ownDurableServer, withDevices } from './own-server.ts';

const DEVICES = { smoke: 1_000, standard: 100_000, full: 1_000_000 } as const;
const SMALLEST = 1_000;
const STARTS = { smoke: 1, standard: 3, full: 3 } as const;

export const coldStartScenario: Scenario = {
  name: 'cold-start',
  title: 'ready time and first claim after a start, over 10^3 … 10^6 devices',
  peers: [],
  rated: false,
  refuses: ownDurableServer,
  async run(bench) {
    const { profile } = bench.settings;
    const largest = devicesFor(bench.settings, DEVICES);
    const target = await bench.start({ fixedPorts: true });
    const { control } = target;
    if (control === undefined) throw new Error('the target cannot be restarted');
    const fleet = await bench.fleet(target, 1);
    const token = filler(fleet.token);
    for (const level of levels(Math.min(SMALLEST, largest), largest)) {
      await bench.provision(target, fleet, level);
      const ready: number[] = [];
      const first: number[] = [];
      for (let start = 1; start <= STARTS[profile]; start += 1) {
        bench.phase(`start ${start} with ${withDevices(level)}`);
        await control.kill();
        ready.push(await control.start());
        const api = restApi(target.url);
        const askedAt = performance.now();
        const { status, body } = await api.initiate(token(level - start), claimOf(fleet));
        first.push(performance.now() - askedAt);
        if (status !== 200) bench.fail(`the first claim after a start: ${status} ${body}`);
      }
      bench.figure(`ready, ${withDevices(level)}`, median(ready), 'ms', 'lower');
      bench.figure(`first claim, ${withDevices(level)}`, median(first), 'ms', 'lower');
      const bytes = control.dataBytes();
      if (bytes !== undefined && bytes > 0)
        bench.figure(`data, ${withDevices(level)}`, bytes / 2 ** 20, 'MB', 'lower');
    }
  },
};
