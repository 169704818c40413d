/** The feed that can be resumed (`http/event-log.ts`): many streams that read from the beginning share what one may take. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../actors/base/clock.ts';
import type { DeviceId, ProfileId, TenantId } from '../../actors/base/ids.ts';
import type { Message } from '../../actors/outbox/message.ts';
import type { MessageReader } from '../../actors/outbox/reader.ts';
import { createEventLog } from '../../http/event-log.ts';
import { idOf, TENANT } from '../kit/given.ts';

const PAGES = 8;
const STREAMS = 50;
const BEGINNING = { positions: [0], isBeginning: true, isBeyond: false };
const DEVICE = idOf<DeviceId>(7);

const message = (number: number, tenantId: TenantId = TENANT): Message => ({
  id: `evt_${DEVICE}_${number}`,
  tenantId,
  deviceId: DEVICE,
  number,
  type: 'device.claimed',
  at: 1_000 + number,
  data: {},
  customerIds: [],
  profileId: idOf<ProfileId>(8),
});

/** A log with a message on each page, which notes how many pages are read at once. */
function countedReader() {
  const seen = { atOnce: 0, most: 0, pages: 0 };
  const turn = () => new Promise<void>((done) => setImmediate(done));
  const reader: MessageReader = {
    logs: 1,
    async page({ from }) {
      seen.pages += 1;
      seen.atOnce += 1;
      seen.most = Math.max(seen.most, seen.atOnce);
      await turn();
      seen.atOnce -= 1;
      const isGap = false;
      if (from >= PAGES) return { messages: [], next: from, isFull: false, isGap };
      return { messages: [message(from + 1)], next: from + 1, isFull: true, isGap };
    },
    ends: async () => [PAGES],
    positionsAt: async () => [PAGES],
    find: async () => undefined,
  };
  return { reader, seen };
}

/** All that a stream tells until it has told the last message. */
async function toldBy(stream: AsyncGenerator<string, void>): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const text of stream) {
    ids.push(...[...text.matchAll(/"id":"([^"]+)"/g)].map(([, id = '']) => id));
    if (ids.at(-1) === message(PAGES).id) break;
  }
  return ids;
}

// Timers of the clock do not keep a process alive.
const awake = setInterval(() => {}, 1_000);
test.after(() => clearInterval(awake));

test('event log: however many streams read from the beginning, one page is read at a time, and each hears all', async () => {
  const { reader, seen } = countedReader();
  const eventLog = createEventLog(reader, systemClock);
  const streams = Array.from({ length: STREAMS }, () =>
    toldBy(eventLog.read(TENANT, BEGINNING, () => false)),
  );
  const all = Array.from({ length: PAGES }, (_, at) => message(at + 1).id);
  for (const told of await Promise.all(streams)) assert.equal(told, all);
  assert.is(seen.most, 1);
});

test('event log: of a stream that has ended while it waited for its turn nothing is read', async () => {
  const { reader, seen } = countedReader();
  const eventLog = createEventLog(reader, systemClock);
  const first = toldBy(eventLog.read(TENANT, BEGINNING, () => false));
  let isEnded = false;
  const others = Array.from({ length: STREAMS }, () =>
    toldBy(eventLog.read(TENANT, BEGINNING, () => isEnded)),
  );
  isEnded = true;
  assert.is((await first).length, PAGES);
  for (const told of await Promise.all(others)) assert.equal(told, []);
  assert.is(seen.pages, PAGES);
});

test('event log: on a busy server a stream that is at the end waits for nobody who reads from the beginning', async () => {
  const { reader } = countedReader();
  /** Pages of those that read from the beginning, which never end. */
  const stuck = new Promise<never>(() => {});
  let end = PAGES;
  const busy: MessageReader = {
    ...reader,
    page: async ({ from }) => {
      if (from < PAGES) return stuck;
      // Something has happened at each look.
      end += 1;
      return { messages: [message(end)], next: end, isFull: false, isGap: false };
    },
  };
  const eventLog = createEventLog(busy, systemClock);
  const live = eventLog.read(TENANT, await eventLog.start(undefined), () => false);
  await live.next(); // it was its turn once
  void eventLog.read(TENANT, BEGINNING, () => false).next();
  for (let turn = 0; turn < 3; turn += 1) assert.match((await live.next()).value ?? '', /^id: /);
});

test('event log: what is gone is told, unless the beginning was asked for; so is a place behind the end', async () => {
  const { reader } = countedReader();
  const gone: MessageReader = {
    ...reader,
    page: async (at) => {
      const page = await reader.page({ ...at, from: Math.max(at.from, 3) });
      return { ...page, isGap: at.from < 3 && page.messages.length > 0 };
    },
  };
  const eventLog = createEventLog(gone, systemClock);
  const first = async (after: string) =>
    (await eventLog.read(TENANT, await eventLog.start(after), () => false).next()).value ?? '';
  const resync = /^event: resync\ndata: \{"reason":"[^"]+"\}\n\n/;
  assert.match(await first('1'), resync);
  assert.not.match(await first('0'), 'resync');
  assert.not.match(await first('3'), 'resync');
  assert.match(await first('999'), resync);
});

test.run();
