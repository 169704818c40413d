/** The journal's logs as events: what waits for a newer node, where a log gives whole commits and not just as many as asked for. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { encodeEvent } from '../../actors/device/persistence.ts';
import { createReadableLog, type ReadableLog } from '../../actors/device/readable-log.ts';
import type { Journal, LoggedEvent } from '../../actors/journal/journal.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { createSimClock } from '../kit/clock.ts';

const START = 1_700_000_000_000;
const HOUR = 3_600_000;
const KNOWN = encodeEvent({ type: 'ClaimWindowExpired', at: START });
const NEWER = `{"v":1,"type":"DevicePainted","at":${START}}`;

/** Logs of these commits; as in LMDB, a page ends where a commit does. */
function committed(...commits: readonly (readonly string[])[]): Journal {
  return {
    ...createMemoryStore().journal,
    async log(_which, from, limit) {
      const events: LoggedEvent[] = [];
      let next = from;
      for (; next < commits.length && events.length < limit; next += 1) {
        for (const event of commits[next] ?? []) events.push({ stream: 'device', sequence: next, event });
      }
      return { events, next };
    },
  };
}

/** How many events there are from a position on, and where the log ends. */
async function readToEnd(log: ReadableLog, limit: number, from: number) {
  let events = 0;
  for (let at = from; ; ) {
    const page = await log.page(0, at, limit);
    events += page.events.length;
    if (page.next === at) return { events, next: at };
    at = page.next;
  }
}

for (const [words, commits, before] of [
  ['behind another in its commit', [[KNOWN, NEWER], [KNOWN]], 0],
  [
    'behind commits that are larger than what is asked for',
    [
      [KNOWN, KNOWN, KNOWN],
      [KNOWN, NEWER],
    ],
    3,
  ],
  ['first of all', [[NEWER, KNOWN]], 0],
] as const) {
  test(`readable log: an event of a newer version, ${words}, is waited for, and what is before its commit is told`, async () => {
    for (const limit of [1, 2, 100]) {
      const clock = createSimClock(START);
      const log = createReadableLog(committed(...commits), clock, silentLog);
      const first = await readToEnd(log, limit, 0);
      assert.is(first.events, before, `${limit} at once`);
      clock.advance(HOUR + 1);
      const later = await readToEnd(log, limit, first.next);
      assert.is(before + later.events, commits.flat().length - 1, 'after an hour it is stepped over');
    }
  });
}

test.run();
