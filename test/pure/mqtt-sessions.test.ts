/** One session per device over several processes: which session takes over, and which devices are known to be connected. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { SharedNews } from '../../actors/claiming/attributes.ts';
import { BehindGateways } from '../../transports/mqtt/endpoint/behind-gateways.ts';
import { Reason } from '../../transports/mqtt/endpoint/reasons.ts';
import { SessionTable } from '../../transports/mqtt/endpoint/session-table.ts';
import { createParties } from '../kit/bus.ts';
import { createSimClock } from '../kit/clock.ts';
import { idOf } from '../kit/given.ts';

const START = 1_700_000_000_000;
const DEVICE = idOf<DeviceId>(1);

class FakeSession {
  readonly ends: number[] = [];
  readonly #table: SessionTable;
  readonly #id: DeviceId;

  constructor(table: SessionTable, id: DeviceId = DEVICE) {
    this.#table = table;
    this.#id = id;
    table.enter(id, this);
  }

  notice(): void {}

  readonly shared: SharedNews[] = [];

  share(news: SharedNews): void {
    this.shared.push(news);
  }

  rotations = 0;

  requestCredentials(): void {
    this.rotations += 1;
  }

  requestEnd(reasonCode: number): void {
    this.ends.push(reasonCode);
    this.leave();
  }

  leave(): void {
    this.#table.leave(this.#id, this);
  }
}

/** Processes whose clocks are as far off as told, in ms. */
function scene(...offsets: number[]) {
  const parties = createParties(offsets.length);
  const nodes = offsets.map((offset, at) => {
    const clock = createSimClock(START + offset);
    const party = parties[at];
    if (party === undefined) throw new Error('no party');
    const table = new SessionTable(clock, party.bus);
    return { clock, table, party };
  });
  const [a, b] = nodes;
  if (a === undefined || b === undefined) throw new Error('two at least');
  const pass = (ms: number) => {
    for (const { clock } of nodes) clock.advance(ms);
  };
  return { a, b, nodes, pass };
}

async function heard(): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

for (const [words, offset] of [
  ['of one time', 0],
  ['of which the second is behind', -60_000],
  ['of which the second is ahead', 60_000],
] as const) {
  test(`mqtt sessions: a device that connects to another process is taken over, with clocks ${words}`, async () => {
    const { a, b, nodes, pass } = scene(0, offset);
    for (const { table } of nodes) table.start();
    await heard();
    for (const waitMs of [0, 500, 10_000]) {
      const first = new FakeSession(a.table);
      await heard();
      pass(waitMs);
      const second = new FakeSession(b.table);
      await heard();
      assert.equal(first.ends, [Reason.sessionTakenOver]);
      assert.equal(second.ends, []);
      assert.is(a.table.has(DEVICE), true, 'it is known to be elsewhere');

      pass(waitMs);
      const back = new FakeSession(a.table);
      await heard();
      assert.equal(second.ends, [Reason.sessionTakenOver]);
      assert.equal(back.ends, []);
      back.leave();
      await heard();
      assert.is(a.table.has(DEVICE) || b.table.has(DEVICE), false);
    }
  });
}

test('mqtt sessions: the newer of two stays although its process started later and has not heard of the older', async () => {
  for (const [first, second] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const earlier = createSimClock(START);
    earlier.advance(5_000);
    const later = createSimClock(START + 5_000);
    const clocks = [earlier, later];
    const party = createParties(2);
    const tables = clocks.map((clock, at) => new SessionTable(clock, party[at]?.bus));
    for (const table of tables) table.start();
    await heard();
    const [older, newer] = [tables[first], tables[second]];
    if (older === undefined || newer === undefined) throw new Error('two tables');
    const old = new FakeSession(older);
    for (const clock of clocks) clock.advance(1);
    const fresh = new FakeSession(newer); // in the same turn: the news of the older is still under way
    await heard();
    assert.equal(old.ends, [Reason.sessionTakenOver]);
    assert.equal(fresh.ends, []);
  }
});

test('mqtt sessions: of two that begin at the same moment exactly one stays, every time', async () => {
  for (let n = 0; n < 30; n += 1) {
    const { a, b, nodes, pass } = scene(0, 0);
    for (const { table } of nodes) table.start();
    await heard();
    const both = [new FakeSession(a.table), new FakeSession(b.table)];
    await heard();
    pass(10_000);
    await heard();
    assert.is(both.filter(({ ends }) => ends.length === 0).length, 1);
    for (const { table } of nodes) assert.is(table.has(DEVICE), true);
  }
});

test('mqtt sessions: a process that starts late hears of all sessions, and ends none', async () => {
  const { a, b } = scene(0, 0);
  a.table.start();
  const there = Array.from({ length: 2_500 }, (_, n) => new FakeSession(a.table, idOf<DeviceId>(n)));
  await heard();
  b.table.start();
  await heard();
  for (let n = 0; n < 2_500; n += 1) assert.ok(b.table.has(idOf<DeviceId>(n)));
  assert.is(b.table.has(idOf<DeviceId>(2_500)), false);
  assert.ok(there.every(({ ends }) => ends.length === 0));
});

test('mqtt sessions: a process that stops or falls silent has none', async () => {
  const { a, b, nodes, pass } = scene(0, 0, 0);
  for (const { table } of nodes) table.start();
  await heard();
  new FakeSession(b.table, idOf<DeviceId>(2));
  new FakeSession(nodes[2]?.table ?? b.table, idOf<DeviceId>(3));
  await heard();
  assert.ok(a.table.has(idOf<DeviceId>(2)) && a.table.has(idOf<DeviceId>(3)));
  b.table.stop();
  await heard();
  assert.is(a.table.has(idOf<DeviceId>(2)), false);
  assert.is(a.table.has(idOf<DeviceId>(3)), true);
  nodes[2]?.party.cut();
  for (let n = 0; n < 5; n += 1) {
    pass(5_000);
    await heard();
  }
  assert.is(a.table.has(idOf<DeviceId>(3)), false);
});

test('mqtt sessions: when credentials change, the session ends wherever it is', async () => {
  const { a, b, nodes } = scene(0, 0);
  for (const { table } of nodes) table.start();
  await heard();
  const session = new FakeSession(b.table);
  const other = new FakeSession(b.table, idOf<DeviceId>(2));
  await heard();
  a.table.revoke(DEVICE);
  await heard();
  assert.equal(session.ends, [Reason.administrativeAction]);
  assert.equal(other.ends, []);
  assert.is(a.table.has(DEVICE), false);
});

test('mqtt sessions: a single process publishes nothing', () => {
  const table = new SessionTable(createSimClock(START));
  table.start();
  const first = new FakeSession(table);
  const second = new FakeSession(table);
  assert.equal([first.ends, second.ends], [[Reason.sessionTakenOver], []]);
  assert.is(table.has(DEVICE), true);
  table.revoke(DEVICE);
  assert.equal(second.ends, [Reason.administrativeAction]);
  table.stop();
});

test('mqtt sessions: O9: a device that gets other credentials is told on its session, in whatever process that is', async () => {
  const { a, b, nodes } = scene(0, 0);
  for (const { table } of nodes) table.start();
  await heard();
  const session = new FakeSession(b.table);
  await heard();
  a.table.rotate(DEVICE);
  await heard();
  assert.is(session.rotations, 1);
  a.table.revoke(DEVICE);
  await heard();
  assert.equal(session.ends, [Reason.administrativeAction], 'and it ends when they are used');
});

test('mqtt sessions: shared attributes reach a device and a gateway in whatever process they are connected to', async () => {
  const { a, b, nodes } = scene(0, 0);
  for (const { table } of nodes) table.start();
  await heard();
  const session = new FakeSession(b.table);
  await heard();
  const own: SharedNews = { type: 'shared', news: { mode: 'eco' } };
  const behind: SharedNews = { type: 'shared', behind: 'Meter', news: { deleted: ['mode'] } };
  for (const news of [own, behind]) a.table.share(DEVICE, news);
  await heard();
  assert.equal(session.shared, [own, behind]);
  b.table.share(DEVICE, own);
  await heard();
  assert.is(session.shared.length, 3, 'once, where it is connected');
  for (const { table } of nodes) table.stop();
});

test('mqtt sessions: shared attributes reach the gateways that have connected the device, once, in whatever process', async () => {
  const { a, b, nodes } = scene(0, 0);
  const device = { id: idOf<DeviceId>(9), name: 'Meter', viaGateway: idOf<DeviceId>(2) };
  const before = new FakeSession(b.table, idOf<DeviceId>(3));
  b.table.connectBehind(before, 'Meter', device.id); // before the processes know of each other
  for (const { table } of nodes) table.start();
  const creator = new FakeSession(b.table, idOf<DeviceId>(2));
  const here = new FakeSession(a.table, idOf<DeviceId>(4));
  const idle = new FakeSession(b.table, idOf<DeviceId>(5));
  for (const session of [creator, idle]) b.table.connectBehind(session, 'Meter', device.id);
  b.table.disconnectBehind(idle, 'Meter');
  a.table.connectBehind(here, 'Meter', device.id);
  await heard();
  a.table.shareBehind(device, { mode: 'eco' });
  await heard();
  const told: SharedNews = { type: 'shared', behind: 'Meter', news: { mode: 'eco' } };
  for (const session of [before, creator, here]) assert.equal(session.shared, [told]);
  assert.equal(idle.shared, []);
  before.leave();
  b.table.shareBehind(device, { mode: 'off' });
  await heard();
  assert.equal(
    [before, creator, here].map(({ shared }) => shared.length),
    [1, 2, 2],
  );
  for (const { table } of nodes) table.stop();
});

test('mqtt sessions: what gateways have connected is bounded, and ends with them', () => {
  const behind = new BehindGateways<string>();
  for (let n = 0; n <= 10_000; n += 1) behind.connect('gateway', `device ${n}`, idOf<DeviceId>(n));
  assert.equal([...behind.sessionsOf(idOf<DeviceId>(0))], [], 'the one connected longest ago');
  for (const n of [1, 10_000]) assert.equal([...behind.sessionsOf(idOf<DeviceId>(n))], ['gateway']);
  behind.connect('gateway', 'another name', idOf<DeviceId>(1));
  behind.disconnect('gateway', 'device 1');
  assert.equal([...behind.sessionsOf(idOf<DeviceId>(1))], ['gateway'], 'its name is another one now');
  behind.connect('gateway', 'another name', idOf<DeviceId>(2));
  assert.equal([...behind.sessionsOf(idOf<DeviceId>(1))], [], 'the name is another device now');
  behind.end('gateway');
  assert.equal([...behind.sessionsOf(idOf<DeviceId>(10_000))], []);
  assert.ok(behind.empty);
});

test.run();
