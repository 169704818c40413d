/**
 * Alarms: an elapsed window is closed within one second of its instant, on disk, after a restart, for passivated devices,
 * by the ten thousand, and when some of them fail. Time is simulated; how late windows are
 * closed by a real clock is measured by the bench (`expiry-storm`).
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import { createSimClock } from '../kit/clock.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { confirm } from '../kit/given.ts';
import { pause } from '../kit/until.ts';
import {
  type AlarmWorld,
  type AlarmWorldOptions,
  alarmWorld,
  deviceId,
  openWindow,
  provisionDevice,
} from './alarms-world.ts';
import { settle } from './registry-world.ts';

/** Time moves on in such steps. */
const STEP_MS = 50;

async function windowOf({ devices }: AlarmWorld, n: number) {
  return (await devices.read(deviceId(n)))?.window;
}

/** How late the windows were closed, in ms, the latest last. */
function lateness(world: AlarmWorld, closesAt: ReadonlyMap<string, number>): number[] {
  return world.closings.map(({ id, at }) => at - (closesAt.get(id) ?? Number.NaN)).sort((a, b) => a - b);
}

/** A world whose time stands still until the test lets some pass. */
function stillWorld({
  store = createMemoryStore(),
  start = 1_700_000_000_000,
  ...options
}: AlarmWorldOptions & { store?: Store; start?: number } = {}) {
  const clock = createSimClock(start);
  const world = alarmWorld(store, { clock, ...options });
  /** Lets time pass in small steps, with turns for the actors in between. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      clock.advance(Math.min(STEP_MS, ms - passed));
      await settle();
    }
  };
  /** Lets time pass; it stands still while the disk is written, however slow that is. */
  const passOnDisk = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      await pass(Math.min(STEP_MS, ms - passed));
      for (let quiet = 0; quiet < 2; quiet += 1) {
        await pause(2); // LMDB renews what reads see by a timer
        if (world.devices.stats().inFlight > 0 || world.journal.underWay > 0) quiet = -1;
      }
    }
  };
  return { ...world, clock, pass, passOnDisk };
}

// ------------------------------------------------------------------------------------------------------ a real disk

test('alarms: a window is closed within a second of its instant, not before, and its secret is gone', async () => {
  const store = openLmdbStore({ path: temporaryFolder() });
  const world = stillWorld({ store });
  world.startAlarms();
  const closesAt = await openWindow(world, 1, 300);
  await world.passOnDisk(299);
  assert.ok((await windowOf(world, 1)) !== null);
  await world.passOnDisk(1_000);
  assert.is(world.closings.length, 1);
  const late = (world.closings[0]?.at ?? 0) - closesAt;
  assert.ok(late >= 0 && late < 1_000, `${late} ms`);
  assert.is(await windowOf(world, 1), null);
  await world.stop();
  await store.close();
});

test('alarms: a window that elapsed while the server was down is closed after the start', async () => {
  const path = temporaryFolder();
  const before = openLmdbStore({ path });
  const first = stillWorld({ store: before }); // its alarms never start
  await openWindow(first, 1, 50);
  const laterClosesAt = await openWindow(first, 2, 700);
  await first.pass(100);
  const startedAt = first.clock.now();
  await first.stop();
  await before.close();

  const store = openLmdbStore({ path });
  const world = stillWorld({ store, start: startedAt });
  world.startAlarms();
  await world.passOnDisk(2_000);
  assert.is(world.closings.length, 2);
  const [elapsed, later] = world.closings;
  assert.is(elapsed?.id, deviceId(1));
  assert.ok((elapsed?.at ?? 0) - startedAt < 1_000, 'closed soon after the start');
  assert.ok((later?.at ?? 0) - laterClosesAt < 1_000, 'closed soon after its instant');
  await world.stop();
  await store.close();
});

test('alarms: a passivated device is woken for its window', async () => {
  const store = openLmdbStore({ path: temporaryFolder() });
  const world = stillWorld({ store, registry: { idleMs: 50 } });
  const closesAt = await openWindow(world, 1, 1_000);
  await world.passOnDisk(900);
  assert.is(world.devices.stats().residents, 0);
  world.startAlarms();
  await world.passOnDisk(1_000);
  assert.ok((world.closings[0]?.at ?? Number.NaN) - closesAt < 1_000);
  await world.stop();
  await store.close();
});

test('alarms: 20,000 windows that close within five seconds are closed within one second each', async () => {
  const COUNT = 20_000;
  const SPREAD_MS = 5_000;
  const store = openLmdbStore({ path: temporaryFolder() });
  const world = stillWorld({ store, registry: { residentsMax: 5_000 } });
  const inPortions = async (work: (n: number) => Promise<void>) => {
    for (let from = 0; from < COUNT; from += 1_000) {
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => work(from + n)));
    }
  };
  await inPortions((n) => provisionDevice(world, n));
  const closesAt = new Map<string, number>();
  await inPortions(async (n) => {
    const durationMs = 1_000 + Math.floor((n * SPREAD_MS) / COUNT);
    closesAt.set(deviceId(n), await openWindow(world, n, durationMs));
  });
  world.startAlarms();
  await world.passOnDisk(1_000 + SPREAD_MS + 1_000);
  const late = lateness(world, closesAt);
  const p99 = late[Math.floor(COUNT * 0.99)] ?? Number.NaN;
  assert.is(late.length, COUNT, 'each closed once');
  assert.ok((late[0] ?? -1) >= 0, 'none before its instant');
  assert.ok(p99 < 1_000, `p99 ${p99} ms; ${world.complaints.length} complaints: ${world.complaints[0]}`);
  await world.stop();
  await store.close();
});

// -------------------------------------------------------------------------------------------- a store in memory

test('alarms: no device is woken early or without a window', async () => {
  const world = stillWorld();
  await openWindow(world, 1, 10_000);
  await openWindow(world, 2, 1_000);
  await world.devices.ask(deviceId(2), { ...confirm() });
  world.startAlarms();
  const { load } = world.journal.calls;
  await world.pass(9_900);
  assert.is(world.journal.calls.load, load);
  await world.pass(300);
  assert.equal(
    world.closings.map(({ id }) => id),
    [deviceId(1)],
  );
  await world.stop();
});

test('alarms: windows of years are closed after those years', async () => {
  const store = createMemoryStore();
  const opening = stillWorld({ store });
  const closesAt = await openWindow(opening, 1, 10 * 365 * 24 * 3_600_000);
  await opening.stop();

  const world = stillWorld({ store, start: closesAt - 1_000 });
  world.startAlarms();
  await world.pass(900);
  assert.equal(world.closings, []);
  await world.pass(400);
  assert.ok((world.closings[0]?.at ?? Number.NaN) - closesAt < 1_000);
  await world.stop();
});

test('alarms: the start reads only what is due', async () => {
  const world = stillWorld();
  for (let n = 0; n < 200; n++) await openWindow(world, n, 60_000 + n);
  await openWindow(world, 1_000, 50);
  await world.pass(100);
  const { load, due } = world.journal.calls;
  world.startAlarms();
  await world.pass(200);
  assert.is(world.closings.length, 1);
  assert.ok(world.journal.calls.load - load <= 2, 'only the one that is due was read');
  assert.ok(world.journal.calls.due > due);
  await world.stop();
});

test('alarms: what could not be closed is tried again in the next round', async () => {
  const world = stillWorld();
  await openWindow(world, 1, 1_000);
  world.startAlarms();
  let failures = 1;
  world.journal.inject({ append: () => (failures-- > 0 ? 'fail' : 'none') });
  await world.pass(1_000 + 100 + 100 + 50);
  assert.is(world.closings.length, 1);
  assert.is(world.complaints.length, 1);
  await world.stop();
});

test('alarms: a table that cannot be read is read again, without a flood of log lines', async () => {
  const world = stillWorld();
  await openWindow(world, 1, 1_000);
  world.startAlarms();
  world.journal.inject({ due: () => 'fail' });
  await world.pass(10_000);
  assert.ok(world.complaints.length <= 11, `${world.complaints.length} complaints in ten seconds`);
  world.journal.heal();
  await world.pass(1_200);
  assert.is(world.closings.length, 1);
  await world.stop();
});

test('alarms: a device that cannot be woken holds up no other, and is retried with back-off', async () => {
  const world = stillWorld({ registry: { idleMs: 100 } });
  for (let n = 0; n < 30; n++) await openWindow(world, n, 1_000 + n);
  await world.pass(600); // all passivated
  const poisoned = deviceId(7);
  world.journal.inject({ load: (stream) => (stream === poisoned ? 'fail' : 'none') });
  world.startAlarms();
  await world.pass(1_000);
  assert.is(world.closings.length, 29);
  await world.pass(60_000);
  const { length } = world.complaints;
  assert.ok(length >= 8 && length < 40, `${length} complaints in a minute`);
  world.journal.heal();
  await world.pass(12_000);
  assert.is(world.closings.length, 30);
  await world.stop();
});

test('alarms: devices that never answer hold up nobody', async () => {
  const world = stillWorld({ registry: { idleMs: 100 }, alarms: { fanOutMax: 4 } });
  for (let n = 0; n < 30; n++) await openWindow(world, n, 1_000 + n);
  await world.pass(600);
  const stuck = [deviceId(0), deviceId(1), deviceId(2)];
  const never = new Promise<'none'>(() => {});
  world.journal.inject({ load: (stream) => (stuck.includes(stream as never) ? never : 'none') });
  world.startAlarms();
  await world.pass(1_500);
  assert.is(world.closings.length, 27);
  const stopped = world.stop();
  await world.pass(8_000); // the stuck ones’ asks time out, and so does the draining
  await stopped;
});

test('alarms: after a stop they wake nobody and leave no timer', async () => {
  const world = stillWorld();
  await openWindow(world, 1, 1_000);
  world.startAlarms();
  await world.stop();
  assert.is(world.clock.timers, 0);
  world.clock.advance(10_000);
  await settle();
  assert.equal(world.closings, []);
});

test.run();
