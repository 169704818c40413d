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
      if (from >= PAGES) return { messages: [], next: from };
      return { messages: [message(from + 1)], next: from + 1 };
    },
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
  const streams = Array.from({ length: STREAMS }, () => toldBy(eventLog.read(TENANT, '0', () => false)));
  const all = Array.from({ length: PAGES }, (_, at) => message(at + 1).id);
  for (const told of await Promise.all(streams)) assert.equal(told, all);
  assert.is(seen.most, 1);
});

test('event log: of a stream that has ended while it waited for its turn nothing is read', async () => {
  const { reader, seen } = countedReader();
  const eventLog = createEventLog(reader, systemClock);
  const first = toldBy(eventLog.read(TENANT, '0', () => false));
  let isEnded = false;
  const others = Array.from({ length: STREAMS }, () => toldBy(eventLog.read(TENANT, '0', () => isEnded)));
  isEnded = true;
  assert.is((await first).length, PAGES);
  for (const told of await Promise.all(others)) assert.equal(told, []);
  assert.is(seen.pages, PAGES);
});

test.run();
