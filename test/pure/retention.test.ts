/** What is let go of from the event log, when, and that the audit trail has it before. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openCursors } from '../../actors/audit/cursors.ts';
import { createRetention } from '../../actors/audit/retention.ts';
import { DOUBTED_MS } from '../../actors/base/clock-steps.ts';
import { silentLog } from '../../actors/base/log.ts';
import type { DeviceEvent } from '../../actors/device/device.ts';
import { encodeEvent } from '../../actors/device/persistence.ts';
import { packedLine, unpackedLine } from '../../actors/store/log-line.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { wholeLog } from '../contract/store.ts';
import { createSimClock } from '../kit/clock.ts';
import { idOf, SECRET } from '../kit/given.ts';
import { gatewayEvents } from './golden/gateway-samples.ts';
import * as samples from './golden/samples.ts';

const retention = suite('retention');
const DAY_MS = 86_400_000;
const START = 1_700_000_000_000;

const opened = (at: number): DeviceEvent => ({
  type: 'ClaimWindowOpened',
  at,
  secretDigest: SECRET,
  closesAt: at + 60_000,
  openedBy: 'device',
});

async function world(events: readonly DeviceEvent[]) {
  const store = createMemoryStore();
  for (const [expected, event] of events.entries()) {
    const text = encodeEvent(event);
    await store.journal.append({
      stream: 's',
      expected,
      event: text,
      state: 'x',
      alarmAt: null,
      index: undefined,
    });
  }
  return store;
}

const ALL: readonly DeviceEvent[] = [
  opened(START),
  { type: 'ClaimWindowExpired', at: START + 60_000 },
  ...samples.events
    .filter(({ type }) => type === 'DeviceClaimed')
    .map((event) => ({ ...event, at: START + 70_000 })),
  opened(START + 2 * DAY_MS),
];

retention('old windows go, changes of the owner stay, young windows stay', async () => {
  const store = await world(ALL);
  const clock = createSimClock(START + 2 * DAY_MS + 1);
  const { round } = createRetention(store, { windowEventsMs: DAY_MS, auditReads: false }, clock, silentLog);
  await round();
  const left = (await wholeLog(store.journal)).map(({ sequence }) => sequence);
  assert.equal(left, ALL.map((_, at) => at + 1).slice(2));
});

retention('a clock that is a year ahead lets nothing go, unless it stays there', async () => {
  const store = await world(ALL);
  const clock = createSimClock(START + 70_000);
  const { round } = createRetention(store, { windowEventsMs: DAY_MS, auditReads: false }, clock, silentLog);
  clock.step(365 * DAY_MS);
  await round();
  assert.is((await wholeLog(store.journal)).length, ALL.length);
  clock.advance(DOUBTED_MS);
  await round();
  const left = (await wholeLog(store.journal)).map(({ sequence }) => sequence);
  assert.equal(left, ALL.map((_, at) => at + 1).slice(2, -1));
});

retention('what the audit trail has not read stays, however old', async () => {
  const store = await world(ALL);
  const clock = createSimClock(START + 100 * DAY_MS);
  const { round } = createRetention(store, { windowEventsMs: DAY_MS, auditReads: true }, clock, silentLog);
  await round();
  assert.is((await wholeLog(store.journal)).length, ALL.length);
  await openCursors(store).raise(0, 1);
  await round();
  assert.is((await wholeLog(store.journal)).length, ALL.length - 1);
});

retention('a packed line is read back as it was, and old lines too', () => {
  const texts = [
    ...[...samples.events, ...gatewayEvents, ...samples.epochEvents].map(encodeEvent),
    '',
    'no JSON \u0001 at all',
    '{"at":2999999999999,"to":1000000000000}',
    '{"v":1,"type":"ClaimWindowOpened","at":1,"secretDigest":"\\u0002"}',
  ];
  for (const stream of [idOf(7), 's0', 'XYZ']) {
    for (const [n, event] of texts.entries()) {
      const line = packedLine(stream, n, event);
      assert.not.match(line, /\n/);
      assert.equal(unpackedLine(line), { stream, sequence: n, event });
      if (event.startsWith('{'))
        assert.equal(unpackedLine(`${stream} ${n} ${event}`), { stream, sequence: n, event });
    }
  }
});

retention('an instant is packed where it is a whole value of 13 digits, and nowhere else', () => {
  for (const [event, packed] of [
    ['{"a":1700000000000}', '{"a":\u0007loyw3v28}'],
    ['{"a":2821109907455,"b":2821109907456}', '{"a":\u0007zzzzzzzz,"b":2821109907456}'],
    ['{"a":170000000000,"b":17000000000000,"c":3700000000000}', undefined],
    ['{"a":17000000000x0,"b":"1700000000000","c":[1700000000000]}', undefined],
    ['{"a":1700000000000', undefined],
    [':1700000000000,1700000000000}', ':\u0007loyw3v28,1700000000000}'],
  ] as const) {
    const line = packedLine('XYZ', 1, event);
    assert.is(line, `XYZ 1 ${packed ?? event}`);
    assert.is(unpackedLine(line).event, event);
  }
});

retention('a window that a device opened is packed as any other event is', () => {
  const digest = 'n3c0mPZy0sZkT2s9wq2C0bY3mB3xFh0y5m3v6p8y1-_';
  const event = encodeEvent(opened(START)).replace(SECRET, digest);
  const [at, closesAt] = [START, START + 60_000].map((instant) => instant.toString(36));
  const packed = `\u0001\u0007${at}\u0002${digest}\u0003\u0007${closesAt}\u0004`;
  assert.is(packedLine('XYZ', 1, event), `XYZ 1 ${packed}`);
  assert.is(unpackedLine(`XYZ 1 ${packed}`).event, event);
  // One member more, or anything else in a member's place, and it is packed piece by piece; it says the same.
  const others = [
    event.replace('}', ',"arrivedAt":1700000000001}'),
    event.replace(digest, `${digest.slice(1)}\\`),
    event.replace(String(START), '170000000000x'),
    event.replace('"device"', '"DEVICE"'),
    event.replace('"closesAt"', '"closesIn"'),
    event.replace(digest, `${digest.slice(1)}\u0001`),
  ];
  for (const other of others) assert.is(unpackedLine(packedLine('XYZ', 1, other)).event, other);
});

retention('a stream that is a UUID is packed as its bytes, and any other name is left as it is', () => {
  const uuid = '00112233-4455-7677-8899-aabbccddeeff';
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');
  assert.is(packedLine(uuid, 1, '{}'), `\u001e${bytes} 1 {}`);
  const others = [
    uuid.slice(1),
    `${uuid}0`,
    uuid.toUpperCase(),
    uuid.replace('-', '0'),
    uuid.replace('0', '-'),
    uuid.replace('0', 'g'),
    uuid.replace('0', '\u0130'),
    `${uuid.slice(1)}\u{e000}`,
    '001122334-455-7677-8899-aabbccddeeff',
    '-'.repeat(36),
  ];
  for (const other of others) {
    assert.is(packedLine(other, 1, '{}'), `${other} 1 {}`);
    assert.is(unpackedLine(packedLine(other, 1, '{}')).stream, other);
  }
});

retention('the name of a stream that is damaged is not completed from the one that was read before', () => {
  const stream = '00112233-4455-7677-8899-aabbccddeeff';
  const line = packedLine(stream, 1, '{}');
  for (const damaged of [line.slice(1), line.replace(/(?<=^.{5})./, ''), line.replace(/(?<=^.{5})./, '!')]) {
    assert.is(unpackedLine(line).stream, stream);
    const found = unpackedLine(damaged).stream;
    assert.is.not(found, stream);
    assert.not.ok(found.endsWith('aabbccddeeff') && found.startsWith('0011'), found);
  }
});

retention('an instant is packed the same over all that 13 digits reach', () => {
  for (const instant of [1_000_000_000_000, 1_679_616_000_000, 1_999_999_999_999, 36 ** 8 - 1]) {
    const line = packedLine('XYZ', 1, `{"a":${instant}}`);
    assert.is(line, `XYZ 1 {"a":\u0007${instant.toString(36)}}`);
  }
});

retention('a window takes less than half of what it took', () => {
  const life = [opened(START), { type: 'ClaimWindowExpired', at: START + 60_000 } as const].map(encodeEvent);
  const digest = 'n3c0mPZy0sZkT2s9wq2C0bY3mB3xFh0y5m3v6p8y1aA';
  const texts = life.map((text) => text.replace(SECRET, digest));
  const plain = texts.map((text) => `${idOf(7)} 12 ${text}`).join('\n').length;
  const packed = texts.map((text) => packedLine(idOf(7), 12, text)).join('\n').length;
  assert.ok(packed * 2 < plain, `${packed} of ${plain}`);
});

retention.run();
