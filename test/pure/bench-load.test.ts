/** The decisions of load generators: when operations begin, about which device, in which share. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Job, Payload } from '../../bench/contract.ts';
import { Arrivals } from '../../bench/load/arrivals.ts';
import { share, turns } from '../../bench/load/subjects.ts';
import { filler, payloads } from '../../bench/load/text.ts';
import { decode, describe, encode, merge, newHistogram, record } from '../../bench/measure/histogram.ts';
import fc from '../kit/property.ts';

const arrivals = (rate: number, kind: 'even' | 'poisson', seed = 1) => new Arrivals(rate, kind, 1_000, seed);
const take = (from: Arrivals, count: number) => Array.from({ length: count }, () => from.take());

test('bench: even arrivals keep their distance, also the hundred-thousandth', () => {
  const from = arrivals(3_000, 'even');
  const last = take(from, 100_001).at(-1) ?? 0;
  assert.ok(Math.abs(last - (1_000 + 100_000 / 3)) < 1e-6);
});

test('bench: arrivals do not depend on when they are taken, and repeat with the same seed', () => {
  assert.equal(take(arrivals(500, 'poisson', 7), 100), take(arrivals(500, 'poisson', 7), 100));
  assert.not.equal(take(arrivals(500, 'poisson', 7), 100), take(arrivals(500, 'poisson', 8), 100));
});

test('bench: arrivals are in order, and have the right rate on average', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50_000 }),
      fc.constantFrom('even', 'poisson'),
      fc.nat(),
      (rate, kind, seed) => {
        const all = take(arrivals(rate, kind, seed), 5_000);
        const seconds = ((all.at(-1) ?? 0) - 1_000) / 1_000;
        for (const [at, due] of all.entries()) assert.ok(due >= (all[at - 1] ?? 1_000));
        assert.ok(Math.abs(5_000 / seconds / rate - 1) < 0.1, `${5_000 / seconds} instead of ${rate}`);
      },
    ),
    { numRuns: 50 },
  );
});

const job: Job = {
  title: '',
  steps: [],
  connections: 10,
  inflight: 1,
  subjects: { type: 'once', from: 5, count: 100 },
  pace: { type: 'open', perSecond: 1_000, arrivals: 'even' },
  warmUpMs: 0,
  durationMs: 1,
  timeoutMs: 1,
  tickMs: 1,
  weight: 1,
};

/** All turns of a job, or the first `max`. */
function played(part: Job, max = 1_000): string[] {
  const next = turns(part.subjects, part.inflight);
  const all: string[] = [];
  for (let lane = 0; all.length < max; lane = (lane + 1) % Math.max(1, part.connections)) {
    const subject = next(lane);
    if (subject === undefined) break;
    all.push(`${subject.n}/${subject.rival}`);
  }
  return all;
}

test('bench: divided over generators, each device has its turn exactly once per rival', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 4 }),
      (parts, count, rivals) => {
        const whole: Job = { ...job, subjects: { type: 'once', from: 5, count, rivals } };
        const all = Array.from({ length: parts }, (_, at) => played(share(whole, at, parts))).flat();
        assert.is(all.length, count * rivals);
        assert.is(new Set(all).size, count * rivals);
      },
    ),
  );
});

test('bench: the shares add up to all connections and the whole rate', () => {
  const parts = [0, 1, 2].map((at) => share(job, at, 3));
  assert.is(
    parts.reduce((sum, { connections }) => sum + connections, 0),
    10,
  );
  const rates = parts.map(({ pace }) => (pace.type === 'open' ? pace.perSecond : 0));
  assert.ok(Math.abs(rates.reduce((sum, rate) => sum + rate, 0) - 1_000) < 1e-9);
});

test('bench: with lanes each connection has its own device, over all generators', () => {
  const lanes: Job = { ...job, inflight: 2, subjects: { type: 'lane', from: 100, count: 0 } };
  const devices = [0, 1, 2].flatMap((at) => {
    const part = share(lanes, at, 3);
    const next = turns(part.subjects, part.inflight);
    return Array.from({ length: part.connections * 2 }, (_, lane) => next(lane)?.n);
  });
  assert.equal(
    [...new Set(devices)],
    Array.from({ length: 10 }, (_, at) => 100 + at),
  );
  assert.is(devices.length, 20);
});

test('bench: a cycle begins again, and never ends', () => {
  const cycle: Job = { ...job, subjects: { type: 'cycle', from: 0, count: 3 } };
  assert.equal(played(cycle, 5), ['0/0', '1/0', '2/0', '0/0', '1/0']);
});

test('bench: texts take the number wherever they contain {n}', () => {
  assert.is(filler('/a/{n}/b/{n}')(7), '/a/7/b/7');
  assert.is(filler('none')(7), 'none');
});

test('bench: the messages of gateways name each device once', () => {
  const of = payloads({ type: 'batch', name: 'behind {n}', size: 3, claim: '{"secretKey":"s"}' });
  const names = [0, 1, 2].flatMap((n) => Object.keys(JSON.parse(of(n))));
  assert.equal(
    names,
    Array.from({ length: 9 }, (_, n) => `behind ${n}`),
  );
  assert.equal(
    JSON.parse(of(7)),
    Object.fromEntries([21, 22, 23].map((n) => [`behind ${n}`, { secretKey: 's' }])),
  );
});

test('bench: windows close spread over the time span', () => {
  const firstAt = Date.now() + 60_000;
  const payload: Payload = { type: 'closing', secretKey: 's', firstAt, spreadMs: 10_000, count: 10 };
  const of = payloads(payload);
  for (const [n, closesAt] of [
    [0, firstAt],
    [9, firstAt + 9_000],
  ] as const) {
    const before = Date.now();
    const { durationMs } = JSON.parse(of(n));
    // It was written at some moment in between.
    assert.ok(before + durationMs <= closesAt + 1 && Date.now() + durationMs >= closesAt - 1, `${n}`);
  }
});

test('bench: merged histograms equal the histogram of all values', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.double({ min: 0.001, max: 100_000, noNaN: true }))), (groups) => {
      const whole = newHistogram();
      const parts = groups.map((values) => {
        const part = newHistogram();
        for (const value of values) {
          record(part, value);
          record(whole, value);
        }
        return encode(part);
      });
      const { histogram: _, ...merged } = describe(merge(parts));
      const { histogram: __, ...expected } = describe(whole);
      assert.equal(merged, expected);
    }),
    { numRuns: 30 },
  );
});

test('bench: percentiles are right to three digits, and encoding loses nothing', () => {
  const histogram = newHistogram();
  for (let ms = 1; ms <= 1_000; ms += 1) record(histogram, ms);
  const { p50, p99, max, count } = describe(decode(encode(histogram)));
  assert.is(count, 1_000);
  assert.ok(Math.abs(p50 - 500) <= 1 && Math.abs(p99 - 990) <= 1 && Math.abs(max - 1_000) <= 1);
});

test('bench: an empty histogram gives zero, not NaN', () => {
  const { count, p50, p9999, max, meanMs } = describe(newHistogram());
  assert.equal({ count, p50, p9999, max, meanMs }, { count: 0, p50: 0, p9999: 0, max: 0, meanMs: 0 });
});

test.run();
