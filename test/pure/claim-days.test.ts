/** Figures by day: every entry of the trail is counted once, whoever counts, however often, and wherever counting broke off. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Blocks, createBlocks } from '../../actors/audit/blocks.ts';
import type { TimeToClaim } from '../../actors/audit/claim-times.ts';
import {
  createDayRounds,
  createDays,
  DAYS,
  type Day,
  type Days,
  daysOfStanding,
  forgetDays,
} from '../../actors/audit/days.ts';
import type { Action } from '../../actors/audit/entry.ts';
import type { Line } from '../../actors/audit/line.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import { openRecords } from '../../actors/records/records.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { createSimClock } from '../kit/clock.ts';
import { createDice, type Dice } from '../kit/dice.ts';
import { TENANT } from '../kit/given.ts';
import { turnsDuring } from '../kit/turns.ts';

const DAY_MS = 86_400_000;
/** Noon of a day. */
const START = Date.UTC(2026, 0, 10, 12);
/** So many lines of a trail may be counted in one turn of the event loop. */
const LINES_PER_TURN = 1_000;
const always = async () => true;

const EVENTS: readonly (readonly [Action, JsonObject, string | 0, keyof Day | undefined])[] = [
  ['CLAIM_WINDOW_OPENED', { closesAt: 1 }, 0, 'windowsOpened'],
  ['ASSIGNED_TO_CUSTOMER', { by: 'claim' }, 0, 'claimed'],
  ['ASSIGNED_TO_CUSTOMER', { by: 'assignment' }, 0, undefined],
  ['UNASSIGNED_FROM_CUSTOMER', { by: 'reclaim' }, 0, 'givenBack'],
  ['CLAIM_REFUSED', {}, 'wrong-secret', 'refused'],
  ['CLAIM_REFUSED', { repeated: 4 }, 'no-window', 'refused'],
  ['LOGIN', {}, 0, undefined],
];

interface Written {
  readonly line: Line;
  readonly figure: keyof Day | undefined;
  readonly times: number;
  /** From the opening of its window to a claim. */
  readonly tookMs: number | undefined;
}

let ids = 0;
function anyEntry(dice: Dice, at: number): Written {
  const [action, data, failure, figure] = dice.pick(EVENTS);
  ids += 1;
  const times = typeof data.repeated === 'number' ? data.repeated : 1;
  const isInWindow = data.by === 'claim' && dice.chance(0.8);
  const tookMs = isInWindow ? Math.floor(10 ** (dice.between(0, 800) / 100)) : undefined;
  const told = tookMs === undefined ? data : { ...data, windowOpenedAt: at - tookMs };
  return { line: [at, action, `note-${ids}`, 0, 0, 0, 0, told, failure], figure, times, tookMs };
}

function sumOf(written: readonly Written[], startTime: number, figure: keyof Day): number {
  return written
    .filter(({ line: [at], figure: its }) => its === figure && at - (at % DAY_MS) === startTime)
    .reduce((sum, { times }) => sum + times, 0);
}

const FIGURES = ['windowsOpened', 'claimed', 'givenBack', 'refused'] as const;

function isRight(days: readonly Day[], written: readonly Written[], what: string): void {
  for (const day of days) {
    for (const figure of FIGURES)
      assert.is(day[figure], sumOf(written, day.startTime, figure), `${what}: ${figure} of ${day.startTime}`);
    assert.is(
      Object.values(day.reasons).reduce((sum, times) => sum + times, 0),
      day.refused,
      `${what}: reasons`,
    );
    const ofDay = written.filter(({ line: [at] }) => at - (at % DAY_MS) === day.startTime);
    isAbout(day.timeToClaim, ofDay, what);
  }
}

/** As many as there were; what is told of them is near what it is, as far as classes of times can say. */
function isAbout(told: TimeToClaim, written: readonly Written[], what: string): void {
  const times = written.flatMap(({ tookMs }) => tookMs ?? []).sort((one, other) => one - other);
  assert.is(told.count, times.length, `${what}: claims in windows`);
  for (const [ms, part] of [
    [told.medianMs, 0.5],
    [told.p90Ms, 0.9],
  ] as const) {
    const real = times[Math.ceil(times.length * part) - 1];
    if (real === undefined) assert.is(ms, null);
    else
      assert.ok(
        ms !== null && ms >= real / 3 - 1_000 && ms <= real * 3 + 1_000,
        `${what}: ${ms}, not ${real}`,
      );
  }
}

const world = () => {
  const store = createMemoryStore();
  const clock = createSimClock(START);
  const blocks = createBlocks(store);
  const counter = () => createDays(store, createBlocks(store), clock);
  return { store, clock, blocks, counter };
};

const append = (blocks: Blocks, some: readonly Written[]) =>
  blocks.append(
    TENANT,
    some.map(({ line }) => line),
    undefined,
  );

test('days: two who count at any time, at once or in turns, and ask in between, count every entry once', async () => {
  for (const seed of [1, 2, 3]) {
    const dice = createDice(seed);
    const { store, clock, blocks, counter } = world();
    const counters: readonly [Days, Days] = [counter(), counter()];
    const written: Written[] = [];
    for (let step = 0; step < 60; step += 1) {
      const some = Array.from({ length: dice.between(0, 150) }, () => anyEntry(dice, clock.now()));
      written.push(...some);
      await append(blocks, some);
      clock.advance(dice.between(0, 10 * 3_600_000));
      if (dice.chance(0.3)) await dice.pick(counters).count(TENANT, always);
      if (dice.chance(0.2)) await Promise.all(counters.map((one) => one.count(TENANT, always)));
      if (dice.chance(0.3)) {
        const { days, complete } = await dice.pick(counters).of(TENANT);
        assert.ok(complete);
        isRight(days, written, `seed ${seed}, step ${step}`);
      }
    }
    const { days, timeToClaim } = await counters[0].of(TENANT);
    assert.is(days.length, DAYS);
    isRight(days, written, 'in the end');
    const [first] = days;
    isAbout(
      timeToClaim,
      written.filter(({ line: [at] }) => at >= (first?.startTime ?? 0)),
      'of the month',
    );
    await forgetDays(store, TENANT);
    isRight((await counters[1].of(TENANT)).days, written, 'counted anew');
    await store.close();
  }
});

test('days: what is older than the days goes; a long trail that nobody counted is begun where the days begin', async () => {
  const dice = createDice(4);
  const { store, clock, blocks, counter } = world();
  const old = Array.from({ length: 3_000 }, () => anyEntry(dice, clock.now()));
  await append(blocks, old);
  clock.advance(40 * DAY_MS);
  const young = Array.from({ length: 700 }, () => anyEntry(dice, clock.now()));
  await append(blocks, young);
  let read = 0;
  const days = createDays(
    store,
    {
      async since(...asked) {
        const found = await blocks.since(...asked);
        read += found.lines.length;
        return found;
      },
    },
    clock,
  );
  isRight((await days.of(TENANT)).days, young, 'of the young alone');
  assert.ok(read < 1_200, `${read} lines are read`);
  await days.of(TENANT);
  assert.ok(read < 1_200, 'and once');
  clock.advance(40 * DAY_MS);
  isRight((await counter().of(TENANT)).days, [], 'all is old');
  await store.close();
});

test('days: what the trail let go of before it was counted is missing, and nothing is counted twice for that', async () => {
  const dice = createDice(5);
  const { store, clock, blocks, counter } = world();
  const first = Array.from({ length: 900 }, () => anyEntry(dice, clock.now()));
  await append(blocks, first);
  const days = counter();
  isRight((await days.of(TENANT)).days, first, 'before');
  clock.advance(DAY_MS);
  const more = Array.from({ length: 900 }, () => anyEntry(dice, clock.now()));
  await append(blocks, more);
  while ((await blocks.prune(TENANT, { forMs: 0, entries: 400 }, clock.now())) > 0);
  const kept = (await days.of(TENANT)).days;
  isRight(
    kept.filter(({ startTime }) => startTime < clock.now() - DAY_MS),
    first,
    'what was counted stays',
  );
  const today = kept.at(-1);
  assert.ok((today?.claimed ?? 0) <= sumOf(more, today?.startTime ?? 0, 'claimed'));
  assert.equal((await days.of(TENANT)).days, kept);
  await store.close();
});

test('days: one answer counts a bounded part and says so; the next goes on', async () => {
  const dice = createDice(6);
  const { store, blocks, clock, counter } = world();
  const all = Array.from({ length: 21_000 }, () => anyEntry(dice, clock.now()));
  await append(blocks, all);
  const days = counter();
  assert.not((await days.of(TENANT)).complete);
  const whole = await days.of(TENANT);
  assert.ok(whole.complete);
  isRight(whole.days, all, 'after two');
  await store.close();
});

for (const ahead of [31, -31, 400]) {
  test(`days: a clock that was wrong by ${ahead} days for a moment, while somebody wrote and counted, costs no day`, async () => {
    const dice = createDice(8);
    const { store, clock, blocks, counter } = world();
    const written: Written[] = [];
    const write = async (count: number) => {
      const some = Array.from({ length: count }, () => anyEntry(dice, clock.now()));
      written.push(...some);
      await append(blocks, some);
    };
    for (let day = 0; day < DAYS; day += 1) {
      await write(20);
      await counter().count(TENANT, always);
      clock.advance(DAY_MS);
    }
    await write(20);
    clock.step(ahead * DAY_MS);
    await write(5);
    await counter().count(TENANT, always);
    await counter().of(TENANT);
    clock.step(-ahead * DAY_MS);
    await write(20);
    isRight((await counter().of(TENANT)).days, written, 'the clock is right again');
    clock.advance(31 * DAY_MS);
    isRight((await counter().of(TENANT)).days, written, 'a month later');
    await store.close();
  });
}

test('days: an entry of a node whose clock is ahead is counted before its day has come, and is shown on it', async () => {
  const dice = createDice(9);
  const { store, clock, blocks, counter } = world();
  const tomorrows = Array.from({ length: 30 }, () => anyEntry(dice, clock.now() + DAY_MS));
  await append(blocks, tomorrows);
  isRight((await counter().of(TENANT)).days, [], 'today');
  clock.advance(DAY_MS);
  isRight((await counter().of(TENANT)).days, tomorrows, 'tomorrow');
  await store.close();
});

test('days: of a tenant that is deleted while its days are counted nothing is left', async () => {
  for (const isDeletedMeanwhile of [false, true]) {
    const dice = createDice(10);
    const { store, clock, blocks, counter } = world();
    await append(
      blocks,
      Array.from({ length: 30 }, () => anyEntry(dice, clock.now())),
    );
    const count: Days['count'] = async (tenantId, mayGoOn) => {
      // All of the deletion falls before the record is written.
      if (isDeletedMeanwhile) await forgetDays(store, tenantId);
      await counter().count(tenantId, mayGoOn);
    };
    const tenants = async function* () {
      yield TENANT;
    };
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const askedBy: Days['of'] = async (tenantId) => {
      if (isDeletedMeanwhile) await forgetDays(store, tenantId);
      return counter().of(tenantId);
    };
    const isKept = async () => (await openRecords<object>(store, 'claim-days').read(TENANT)) !== undefined;
    const tenantStands = async () => !isDeletedMeanwhile;
    await daysOfStanding(askedBy, store, tenantStands)(TENANT);
    assert.is(await isKept(), !isDeletedMeanwhile, 'who asks counts, too');
    await forgetDays(store, TENANT);
    await createDayRounds(store, { count }, tenants, clock, log, tenantStands).round();
    assert.is(await isKept(), !isDeletedMeanwhile);
    await store.close();
  }
});

test('days: however much is counted at once, others have their turns of the event loop meanwhile', async () => {
  const dice = createDice(7);
  const lines = Array.from({ length: 20_000 }, () => anyEntry(dice, START).line);
  const since: Blocks['since'] = async (_tenant, place) => ({
    lines: lines.slice(place),
    place: lines.length,
    isAll: true,
  });
  const days = createDays(createMemoryStore(), { since }, createSimClock(START));
  const { turns } = await turnsDuring(() => days.count(TENANT, always));
  assert.ok(turns >= lines.length / LINES_PER_TURN - 2, `${turns} turns`);
});

test.run();
