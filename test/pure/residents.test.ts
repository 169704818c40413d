/** Device actors in memory: what one takes, and how many there may be where nobody says. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../actors/base/clock.ts';
import { silentLog } from '../../actors/base/log.ts';
import { deviceEngine } from '../../actors/device/persistence.ts';
import { createDevices } from '../../actors/fleet/live-devices.ts';
import { startActorSystem, stop } from '../../actors/runtime/nact.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { loadConfig, type Sources } from '../../config/options/load.ts';
import { type Memory, RESIDENT_BYTES, residentsFor } from '../../config/options/memory.ts';
import { initiate, OPEN_POLICY } from '../kit/given.ts';
import { manyId, writeDevices } from '../kit/many-devices.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** As Linux says it: cgroup v1 and v2. */
const UNLIMITED = 18_446_744_073_709_552_000;
const LARGE: Memory = { machine: 24 * GIB, allowed: 0, heap: 4144 * MIB };

test('residents: the bound follows from the memory that a process may use', () => {
  assert.is(residentsFor({ machine: 24 * GIB, allowed: 256 * MIB, heap: 144 * MIB }, 1), 20_000);
  assert.is(residentsFor({ machine: 2 * GIB, allowed: 0, heap: 1048 * MIB }, 1), 67_000);
  assert.is(residentsFor({ machine: 24 * GIB, allowed: 2 * GIB, heap: 4144 * MIB }, 1), 131_000);
  assert.is(residentsFor(LARGE, 1), 200_000);
  assert.is(residentsFor(LARGE, 16), 98_000);
  assert.is(residentsFor({ ...LARGE, heap: 512 * MIB }, 1), 32_000, 'a heap that was made smaller');
});

test('residents: no limit, said in whatever way, is none', () => {
  for (const allowed of [UNLIMITED, 2 ** 63, 25 * GIB]) {
    assert.is(residentsFor({ ...LARGE, allowed }, 4), residentsFor(LARGE, 4));
  }
});

test('residents: with less memory or more workers there are never more, and all workers keep within a sixteenth', () => {
  const bytes = fc.integer({ min: 64, max: 65_536 }).map((mib) => mib * MIB);
  const memory = fc.record({ machine: bytes, allowed: fc.oneof(fc.constant(0), bytes), heap: bytes });
  fc.assert(
    fc.property(memory, fc.integer({ min: 1, max: 256 }), (given, workers) => {
      const count = residentsFor(given, workers);
      assert.ok(count >= 20_000 && count <= 200_000);
      assert.ok(residentsFor(given, workers + 1) <= count);
      assert.ok(residentsFor({ ...given, machine: given.machine / 2 }, workers) <= count);
      assert.ok(residentsFor({ ...given, heap: given.heap / 2 }, workers) <= count);
      const taken = count * workers * RESIDENT_BYTES;
      assert.ok(count === 20_000 || taken <= given.machine / 16);
    }),
  );
});

test('residents: what is set stays as it is, and what was chosen is shown', () => {
  const load = (more: Partial<Sources>) => {
    const loaded = loadConfig({ env: {}, flags: [], memory: LARGE, ...more });
    if (loaded.type === 'problems') throw new Error(loaded.problems.join('; '));
    const { value, source } = loaded.shown.find(({ key }) => key === 'actors.device.max_residents') ?? {};
    return [loaded.config.devices.residentsMax, value, source];
  };
  assert.equal(load({}), [200_000, '200000', 'DEFAULT']);
  assert.equal(load({ env: { WORKERS: '16' } }), [98_000, '98000', 'DEFAULT']);
  const env = { ACTORS_DEVICE_MAX_RESIDENTS: '1234567' };
  assert.equal(load({ env }), [1_234_567, '1234567', 'ENVIRONMENT']);
});

test('residents: a device at rest with an open window takes no more than the bound reckons', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const heapUsed = async (): Promise<number> => {
    for (let round = 0; round < 3; round += 1) {
      collect();
      await new Promise(setImmediate);
    }
    return process.memoryUsage().heapUsed;
  };
  const DEVICES = 5_000;
  const store = createMemoryStore();
  const sealedToken = (n: number) => `${'s'.repeat(60)}${n}`;
  const digest = (n: number) => String(n).padStart(43, 'd');
  await writeDevices(store, 0, DEVICES, (n) => ({
    credentials: { type: 'ACCESS_TOKEN', credentialsId: digest(n), sealedToken: sealedToken(n) },
  }));
  const root = startActorSystem(deviceEngine(store.journal));
  const devices = createDevices({
    root,
    journal: store.journal,
    policy: OPEN_POLICY,
    settings: {
      residentsMax: DEVICES,
      idleMs: 3_600_000,
      mailboxMax: 1,
      inFlightMax: DEVICES,
      askTimeoutMs: 600_000,
    },
    clock: systemClock,
    log: silentLog,
    onEvent: () => {},
  });
  for (let n = 0; n < DEVICES; n += 1) {
    const openedBy = { type: 'device', credentialsId: digest(n) } as const;
    const answer = await devices.ask(manyId(n), { ...initiate(3_600_000, `${n}`.padEnd(43, 'x')), openedBy });
    assert.is(answer.type, 'accepted');
  }
  assert.is(devices.stats().residents, DEVICES);
  const full = await heapUsed();
  await devices.stop(0);
  stop(root);
  const each = (full - (await heapUsed())) / DEVICES;
  assert.ok(each > RESIDENT_BYTES / 3 && each <= RESIDENT_BYTES, `${Math.round(each)} bytes`);
  await store.close();
});

test.run();
