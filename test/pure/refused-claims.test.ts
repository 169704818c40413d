/**
 * Refused claims as events: one for each device and minute, with counts that are right and nothing of what was shown; bounded whatever
 * customers do, told once or not at all, and no claim waits for it or fails by it.
 */
import * as assert from 'uvu/assert';
import { createRefusals, type RefusedClaim } from '../../actors/audit/refusals.ts';
import type { CustomerId, DeviceId, TenantId } from '../../actors/base/ids.ts';
import type { DeviceCommand, DeviceEvent } from '../../actors/device/device.ts';
import { eventIfReadable } from '../../actors/device/readable-log.ts';
import type { DeviceAnswer } from '../../actors/fleet/devices.ts';
import { isForAll, messageOf, typesNamed } from '../../actors/outbox/event-types.ts';
import { createSimClock } from '../kit/clock.ts';
import { claimPath, openWindow, provision, type RestWorld, restLaws, settle } from '../kit/rest-client.ts';
import { until } from '../kit/until.ts';
import { settle as turns } from './registry-world.ts';

const { law, run } = restLaws('refused claims');

type Told = Extract<DeviceEvent, { type: 'ClaimsRefused' }>;
type Asked = Extract<DeviceCommand, { type: 'NoteRefusedClaims' }>;

/** All events of a device, by what is in the log. */
async function eventsOf({ store }: Pick<RestWorld, 'store'>, id: DeviceId): Promise<readonly DeviceEvent[]> {
  const { events } = await store.journal.log(0, 0, 10_000);
  return events
    .filter(({ stream }) => stream === id)
    .map(({ event }) => eventIfReadable(event))
    .filter((event) => event !== undefined);
}

async function toldOf(world: RestWorld, id: DeviceId): Promise<readonly Told[]> {
  return (await eventsOf(world, id)).filter((event) => event.type === 'ClaimsRefused');
}

law('a minute of refused claims of a device is one event, with the reasons and no secret', async (scene) => {
  const { world, home } = scene;
  const id = await provision(world, home.tenantId, 'lamp');
  await openWindow(world, id, 'printed');
  const since = world.clock.now();
  for (const guess of ['guess-1', 'guess-2', 'guess-3'])
    assert.is((await home.alice.post(claimPath('lamp'), { secretKey: guess })).status, 400);
  world.clock.advance(20_000);
  assert.is((await home.bob.post(claimPath('lamp'), { secretKey: 'printed' })).status, 200);
  assert.is((await home.alice.post(claimPath('lamp'), { secretKey: 'printed' })).status, 400);
  assert.equal(await toldOf(world, id), [], 'nothing is written beside a claim');
  world.clock.advance(40_000);
  await until('it is told', async () => (await toldOf(world, id)).length > 0);
  const reasons = { 'wrong-secret': 3, 'already-claimed': 1 };
  const at = since + 60_000;
  const event = {
    type: 'ClaimsRefused',
    at,
    since,
    reasons,
    by: { secret: 4 },
    ownerId: home.bob.customerId,
  };
  assert.equal(await toldOf(world, id), [event]);
  const types = (await eventsOf(world, id)).map(({ type }) => type);
  assert.equal(
    types,
    ['DeviceProvisioned', 'ClaimWindowOpened', 'DeviceClaimed', 'ClaimsRefused'],
    'in order',
  );
  assert.not.match(JSON.stringify(event), /guess|printed/);

  await home.alice.post(claimPath('lamp'), { secretKey: 'again' });
  world.clock.advance(60_000);
  await until('the next minute is told', async () => (await toldOf(world, id)).length === 2);
  assert.equal((await toldOf(world, id))[1]?.reasons, { 'already-claimed': 1 });
  world.clock.advance(600_000);
  await turns();
  assert.is((await toldOf(world, id)).length, 2, 'where nobody is refused nothing is told');
  assert.is((await home.bob.delete(claimPath('lamp'))).status, 200, 'and all goes on');
});

law('a device of a kit that somebody else has is told as refused by its kit', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, 'one');
  const made = await home.admin.post('/api/kit', { label: 'K', devices: ['one'] });
  const kit = made.json as { id: string; code: string };
  assert.is((await home.admin.post(`/api/customer/${home.bob.customerId}/device/${id}`)).status, 200);
  assert.is((await home.alice.post('/api/customer/claim/kit', { code: kit.code })).status, 200);
  const state = async () => ((await home.admin.get(`/api/kit/${kit.id}`)).json as { state: string }).state;
  await until('all its devices were asked', async () => (await state()) === 'CLAIMED');
  // Once: while it is written, a clock that goes on would be a device that gives no answer, and nobody tries such a write again.
  world.clock.advance(60_000);
  await until('it is told', async () => (await toldOf(world, id)).length > 0);
  const [told] = await toldOf(world, id);
  assert.equal([told?.by, told?.ownerId], [{ kit: 1 }, home.bob.customerId]);
});

law('attack: what a limit stops is counted by nobody; whoever guesses leaves one event', async (scene) => {
  const { world, home } = scene;
  const id = await provision(world, home.tenantId, 'lamp');
  await openWindow(world, id, 'printed');
  let refused = 0;
  for (let nth = 0; nth < 40; nth += 1) {
    const { status } = await home.alice.post(claimPath('lamp'), { secretKey: `guess-${nth}` });
    if (status === 400) refused += 1;
  }
  assert.ok(refused < 40, 'the limit was met');
  world.clock.advance(60_000);
  await until('it is told', async () => (await toldOf(world, id)).length > 0);
  const told = await toldOf(world, id);
  assert.equal(
    told.map(({ reasons }) => reasons),
    [{ 'wrong-secret': refused }],
  );
});

law(
  'of a device that is deleted meanwhile, or of one that there never was, nothing is told',
  async (scene) => {
    const { world, home } = scene;
    const id = await provision(world, home.tenantId, 'lamp');
    await home.alice.post(claimPath('lamp'), { secretKey: 'guess' });
    await home.alice.post(claimPath('no such lamp'), { secretKey: 'guess' });
    assert.is((await home.admin.delete(`/api/device/${id}`)).status, 200);
    world.clock.advance(60_000);
    await turns();
    const { events } = await world.store.journal.log(0, 0, 10_000);
    assert.not.ok(events.some(({ event }) => event.includes('ClaimsRefused')));
  },
);

law('the trail has each refusal once, whatever is told of it', async ({ world, home }) => {
  const other = await settle(world, 'other');
  const id = await provision(world, home.tenantId, 'lamp');
  for (let nth = 0; nth < 3; nth += 1) await home.alice.post(claimPath('lamp'), { secretKey: 'guess' });
  world.clock.advance(60_000);
  await until('it is told', async () => (await toldOf(world, id)).length > 0);
  await world.audit.catchUp();
  const entries = async (caller: typeof home.admin) =>
    (await caller.get('/api/audit/logs?page=0&pageSize=100&actionTypes=CLAIM_REFUSED')).json as {
      totalElements: number;
    };
  assert.is((await entries(home.admin)).totalElements, 3);
  assert.is((await entries(other.admin)).totalElements, 0);
});

law('what is told outside: the counts, by a type that has to be named', async () => {
  assert.equal(typesNamed('claim.*'), ['claim.refused']);
  assert.not(isForAll('claim.refused'));
  assert.ok(isForAll('device.claimed'));
  const id = idOf('d', 1) as DeviceId;
  const reasons = { 'wrong-secret': 2, 'no-window': 1 };
  const event = { type: 'ClaimsRefused', at: 60, since: 1, reasons, by: { secret: 3 } } as const;
  const holder = { tenantId: TENANT, name: 'lamp', type: 'default', profileId: undefined };
  const message = messageOf(event, id, 7, holder);
  assert.equal([message?.type, message?.id, message?.customerIds], ['claim.refused', `evt_${id}_7`, []]);
  const named = { deviceId: id, deviceName: 'lamp', deviceType: 'default', customerId: null, userId: null };
  assert.equal(message?.data, { ...named, count: 3, since: 1, reasons, by: { secret: 3 } });
});

// ------------------------------------------------------------------------------------------- counting, by itself

const TENANT = idOf('t', 1) as TenantId;

function idOf(kind: string, nth: number): string {
  return `${kind.charCodeAt(0).toString(16)}000000-0000-7000-8000-${String(nth).padStart(12, '0')}`;
}

const refusal = (nth: number, customer = 1, tenant = 1): RefusedClaim => ({
  tenantId: idOf('t', tenant) as TenantId,
  customerId: idOf('c', customer) as CustomerId,
  deviceId: idOf('d', nth) as DeviceId,
  reason: 'wrong-secret',
  by: 'secret',
});

function counting(answers: readonly DeviceAnswer[] = []) {
  const clock = createSimClock(1_700_000_000_000);
  const asked: { readonly id: DeviceId; readonly command: Asked }[] = [];
  const lines: string[] = [];
  const line = (_fields: object, message: string) => {
    lines.push(message);
  };
  const waiting = [...answers];
  const refusals = createRefusals({
    clock,
    log: { debug: line, info: line, warn: line, error: line },
    devices: {
      async ask(id, command) {
        assert.is(command.type, 'NoteRefusedClaims');
        if (command.type === 'NoteRefusedClaims') asked.push({ id, command });
        return waiting.shift() ?? { type: 'refused', refusal: { reason: 'unknown-device' } };
      },
    },
  });
  return { clock, asked, lines, refusals };
}

law('attack: however many devices, customers and claims there are, what is written is bounded', async () => {
  const { clock, asked, lines, refusals } = counting();
  for (let nth = 0; nth < 5_000; nth += 1) refusals.count(refusal(nth));
  clock.advance(60_000);
  await until('they are told', async () => asked.length >= 20);
  await turns();
  assert.is(asked.length, 20, 'of one customer');
  for (let nth = 0; nth < 5_000; nth += 1) refusals.count(refusal(nth, nth));
  clock.advance(60_000);
  await until('they are told', async () => asked.length >= 120);
  await turns();
  assert.is(asked.length, 120, 'of one tenant');
  assert.is(new Set(lines).size, 1, 'and the log says so');
  assert.match(lines[0] ?? '', /^a limit was reached/);
  for (let nth = 0; nth < 1_000_000; nth += 1) refusals.count(refusal(1, 2));
  for (let nth = 10_000; nth < 10_200; nth += 1) refusals.count(refusal(nth, 3, 2));
  clock.advance(60_000);
  await until('they are told', async () => asked.length >= 141);
  await turns();
  assert.is(asked.length, 141, 'the next minute, and another tenant');
  assert.equal(asked[120]?.command.reasons, { 'wrong-secret': 1_000_000 });
});

law(
  'where nobody knows whether it is written it is not written again; where nothing was done it is',
  async () => {
    for (const [reason, times] of [
      ['store', 1],
      ['timeout', 1],
      ['stopping', 1],
      ['overloaded', 2],
    ] as const) {
      const { clock, asked, lines, refusals } = counting([{ type: 'unavailable', reason }]);
      refusals.count(refusal(1));
      clock.advance(60_000);
      await turns();
      for (let second = 0; second < 300; second += 1) {
        clock.advance(1_000);
        await turns();
      }
      assert.is(asked.length, times, reason);
      assert.is(lines.length, 2 - times, reason);
      await refusals.stop();
    }
  },
);

law('an orderly stop writes what is counted, and waits no longer than it has to', async () => {
  const { clock, asked, refusals } = counting();
  refusals.count(refusal(1));
  refusals.count(refusal(2));
  clock.advance(1_000);
  await refusals.stop();
  assert.equal(
    asked.map(({ id }) => id),
    [idOf('d', 1), idOf('d', 2)],
  );
  refusals.count(refusal(3));
  clock.advance(60_000);
  await turns();
  assert.is(asked.length, 2);

  const hanging = createSimClock(0);
  const never = createRefusals({
    clock: hanging,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    devices: { ask: () => new Promise(() => {}) },
  });
  never.count(refusal(1));
  const stopped = never.stop();
  await turns();
  hanging.advance(1_000);
  await stopped;
});

run();
