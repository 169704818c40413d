/**
 * Many windows close within a minute. The server must close each soon after its instant and never before. The latencies
 * are how late it was, by the audit trail. Half of the windows are on devices that were not used since, so closing them
 * wakes actors that were let go.
 *
 * Standard and full: 100,000 windows in 60 s.
 */

import { restApi } from '../../test/kit/api.ts';
import type { Scenario } from '../bench.ts';
import { type Bench, OURS } from '../bench.ts';
import type { Tick } from '../contract.ts';
import { describe, type Histogram, newHistogram, record } from '../measure/histogram.ts';
import { ServerWatch } from '../measure/watch.ts';
import { devicesFor } from '../settings.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';

const WINDOWS = { smoke: 400, standard: 100_000, full: 100_000 } as const;
const SPREAD_MS = { smoke: 1_500, standard: 60_000, full: 60_000 } as const;
/** The slowest opening at which all windows are open before the first one closes. */
const OPENED_PER_SECOND_MIN = 1_500;
const BEFORE_FIRST_MS = 1_500;
/** A window that is later than this counts as never closed. */
const LATE_MAX_MS = 30_000;
const PAGE = 10_000;
const LOOK_MS = 500;

export const expiryStormScenario: Scenario = {
  name: 'expiry-storm',
  title: '100,000 windows close within a minute: how late (latency), and at what cost',
  peers: [],
  rated: false,
  async run(bench) {
    const count = devicesFor(bench.settings, WINDOWS);
    const spreadMs = SPREAD_MS[bench.settings.profile];
    const target = await bench.start();
    const fleet = await bench.fleet(target, count);

    const openingAt = Date.now();
    const firstAt = openingAt + BEFORE_FIRST_MS + (count / OPENED_PER_SECOND_MIN) * 1000;
    const payload = { type: 'closing', secretKey: fleet.secret, firstAt, spreadMs, count } as const;
    await bench.each('opening windows', 0, count, [steps.initiateHttp(target, fleet, payload)]);
    if (Date.now() > firstAt) bench.warn('some windows closed before all were open: a slow machine');

    // Before they close: with both ends of all windows the trail is longer than what one search reads.
    const trail = { target, fleet, since: openingAt };
    const opened = await entryOfEach(bench, trail, 'CLAIM_WINDOW_OPENED', count, firstAt);
    await sleep(firstAt - Date.now());
    const watch = new ServerWatch(target);
    watch.begin();
    const timeline: Tick[] = [];
    const beganAt = performance.now();
    while (Date.now() < firstAt + spreadMs) {
      const look = watch.look();
      const at = (performance.now() - beganAt) / 1000;
      timeline.push({ at, perSecond: 0, refusedPerSecond: 0, p50: 0, p99: 0, max: 0, ...look });
      bench.phase(`windows are closing, ${at.toFixed(0)} of ${spreadMs / 1000} s`);
      await sleep(LOOK_MS);
    }
    watch.end();
    const server = await watch.figures(count);

    const { late, early } = await lateness(bench, trail, opened, firstAt + spreadMs);
    if (early > 0) bench.fail(`${early} windows were closed before their instant`);
    if (late.totalCount < count)
      bench.fail(`${count - late.totalCount} of ${count} windows were never closed`);
    const seconds = spreadMs / 1000;
    bench.measurements.push({
      ...OURS,
      variant: '',
      pace: { type: 'open', perSecond: count / seconds, arrivals: 'even' },
      seconds,
      operations: late.totalCount,
      perSecond: late.totalCount / seconds,
      latency: describe(late),
      steps: [],
      refused: {},
      wrong: {},
      timeline,
      ...(server === undefined ? {} : { server }),
      generator: { workers: 0, busiestCpu: 0, cores: 0, lateP99Ms: 0 },
    });
  },
};

/** The entries that are read: of the fleet's tenant, from an instant on. */
interface Trail {
  readonly target: Target;
  readonly fleet: Fleet;
  readonly since: number;
}

interface Entry {
  readonly createdTime: number;
  readonly actionType: string;
  readonly entityId: { readonly id: string };
  readonly actionData: { readonly closesAt?: number };
}

/** Compares, by the audit trail, when each window was to close and when it was closed. */
async function lateness(
  bench: Bench,
  trail: Trail,
  opened: ReadonlyMap<string, Entry>,
  lastAt: number,
): Promise<{ late: Histogram; early: number }> {
  const closed = await entryOfEach(bench, trail, 'CLAIM_WINDOW_EXPIRED', opened.size, lastAt + LATE_MAX_MS);
  const late = newHistogram();
  let early = 0;
  for (const [id, { createdTime }] of closed) {
    const ms = createdTime - (opened.get(id)?.actionData.closesAt ?? Number.NaN);
    if (ms < 0 || Number.isNaN(ms)) early += 1;
    else record(late, ms);
  }
  return { late, early };
}

/**
 * The entry of each device, once there are so many, or what there is at `until`. What is written meanwhile moves the pages, so
 * some come twice and some in the next round.
 */
async function entryOfEach(
  bench: Bench,
  trail: Trail,
  action: string,
  count: number,
  until: number,
): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  do {
    await sleep(LOOK_MS * 2); // the trail is written a second after the event
    for (const entry of await entries(bench, trail, action)) found.set(entry.entityId.id, entry);
  } while (found.size < count && Date.now() < until);
  return found;
}

async function entries(bench: Bench, { target, fleet, since }: Trail, action: string): Promise<Entry[]> {
  bench.phase('reading the audit trail');
  const api = restApi(target.url);
  const all: Entry[] = [];
  for (let page = 0; ; page += 1) {
    const query = `actionTypes=${action}&startTime=${since}&pageSize=${PAGE}&page=${page}`;
    const { data, hasNext } = await api.get<{ data: Entry[]; hasNext: boolean }>(
      `/api/audit/logs?${query}`,
      fleet.tenantToken,
    );
    all.push(...data);
    if (!hasNext) return all;
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
