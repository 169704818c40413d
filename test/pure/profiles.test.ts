/** Device profiles: every tenant has a default one; a device's payloads are read as its profile says. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../actors/base/clock.ts';
import type { ProfileId } from '../../actors/base/ids.ts';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import {
  createProfiles,
  firstProfileOf,
  type ProfileFields,
  type Profiles,
} from '../../actors/fleet/profiles.ts';
import { openRecords } from '../../actors/records/records.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { idOf, OTHER_TENANT, TENANT } from '../kit/given.ts';

const fields = (
  name: string,
  transport: ProfileFields['transport'] = { type: 'DEFAULT' },
): ProfileFields => ({
  name,
  description: null,
  transport,
  more: { alarms: [] },
});
const PROTOBUF = {
  type: 'MQTT',
  payloadType: 'PROTOBUF',
  jsonCompatible: false,
  ackMalformed: false,
} as const;

async function created(profiles: Profiles, given: ProfileFields) {
  const answer = await profiles.create(TENANT, given);
  if (answer.type !== 'done') throw new Error(answer.reason);
  return answer.value;
}

const fresh = () => createProfiles(createMemoryStore(), systemClock);

test('profiles: a tenant has a default profile from the start, and always the same one', async () => {
  const profiles = fresh();
  const first = await profiles.default(TENANT);
  assert.is(first.id, firstProfileOf(TENANT));
  assert.is(first.name, 'default');
  assert.equal(first.transport, { type: 'DEFAULT' });
  assert.equal(await profiles.default(TENANT), first);
  assert.equal(await profiles.find(TENANT, first.id), first);
  assert.equal((await profiles.list(TENANT, { page: 0, pageSize: 10 })).items, [first]);
  const [a, b] = await Promise.all([profiles.default(OTHER_TENANT), profiles.default(OTHER_TENANT)]);
  assert.is(a.id, b.id);
});

test('profiles: a device follows the server’s ownership rules, except where its profile says otherwise', async () => {
  const rules = { ...DEFAULT_OWNERSHIP_RULES, takeOver: 'at-once' } as const;
  const profiles = createProfiles(createMemoryStore(), systemClock, undefined, undefined, rules);
  const { id } = await created(profiles, { ...fields('strict'), ownership: { onOwnerChange: 'rotate' } });
  assert.equal(await profiles.ownershipOf({ tenantId: TENANT }), rules);
  assert.equal(await profiles.ownershipOf({ tenantId: TENANT, profileId: id }), {
    ...rules,
    onOwnerChange: 'rotate',
  });
  await profiles.makeDefault(TENANT, id);
  assert.is((await profiles.ownershipOf({ tenantId: TENANT, profileId: null })).onOwnerChange, 'rotate');
  await profiles.update(TENANT, id, { ...fields('strict'), ownership: { takeOver: 'never' } });
  assert.equal(await profiles.ownershipOf({ tenantId: TENANT, profileId: id }), {
    ...rules,
    takeOver: 'never',
  });
});

test('profiles: a fleet that connects all at once asks the store once', async () => {
  const store = createMemoryStore();
  let asked = 0;
  const commit = store.entities.commit.bind(store.entities);
  store.entities.commit = (entry) => {
    asked += 1;
    return commit(entry);
  };
  const profiles = createProfiles(store, systemClock);
  const all = await Promise.all(
    Array.from({ length: 1_000 }, () => profiles.payloadRules({ tenantId: TENANT }, 'MQTT')),
  );
  assert.ok(all.every((payloadRules) => payloadRules?.format === 'JSON'));
  assert.is(asked, 1);
});

test('profiles: a look-up that was under way when a profile changed is not remembered', async () => {
  const profiles = fresh();
  const { id } = await created(profiles, fields('pumps'));
  const device = { tenantId: TENANT, profileId: id };
  const early = profiles.payloadRules(device, 'MQTT');
  await profiles.update(TENANT, id, fields('pumps', PROTOBUF));
  await early;
  assert.is((await profiles.payloadRules(device, 'MQTT'))?.format, 'PROTOBUF');
});

test('profiles: created, found, changed and removed; a name is taken once per tenant', async () => {
  const profiles = fresh();
  const profile = await created(profiles, fields('pumps', PROTOBUF));
  assert.equal(await profiles.find(TENANT, profile.id), profile);
  assert.equal(await profiles.findByName(TENANT, 'pumps'), profile);
  for (const name of ['pumps', 'default']) {
    assert.equal(await profiles.create(TENANT, fields(name)), { type: 'refused', reason: 'name-taken' });
  }
  assert.is((await profiles.create(OTHER_TENANT, fields('pumps'))).type, 'done');

  const update = await profiles.update(TENANT, profile.id, fields('valves'), 1);
  assert.equal(update, { type: 'done', value: { ...profile, ...fields('valves'), version: 2 } });
  const late = await profiles.update(TENANT, profile.id, fields('valves'), 1);
  assert.equal(late, { type: 'refused', reason: 'version-conflict' });
  assert.is((await profiles.remove(TENANT, profile.id)).type, 'done');
  assert.is(await profiles.find(TENANT, profile.id), undefined);
});

test('attack: profiles: their names are read in order without what is kept in them, which may be 64 KiB each', async () => {
  const profiles = fresh();
  const ids = [];
  for (const name of ['b', 'C', 'a']) ids.push((await created(profiles, fields(name))).id);
  const [b, c, a] = ids;
  assert.equal(await profiles.names(TENANT), [
    { id: a, name: 'a' },
    { id: b, name: 'b' },
    { id: c, name: 'C' },
    { id: firstProfileOf(TENANT), name: 'default' },
  ]);
});

test('profiles: all profiles of a deleted tenant go, and no others', async () => {
  const store = createMemoryStore();
  const profiles = createProfiles(store, systemClock);
  for (let n = 0; n < 150; n += 1) await created(profiles, fields(`p${n}`));
  const last = await created(profiles, fields('last'));
  await profiles.makeDefault(TENANT, last.id);
  const others = await profiles.default(OTHER_TENANT);
  await profiles.forgetTenant(TENANT);
  assert.is(await store.index.count(`device-profiles/${TENANT}`), 0);
  assert.is(await profiles.find(TENANT, last.id), undefined);
  assert.equal(await profiles.find(OTHER_TENANT, others.id), others);
  await profiles.forgetTenant(TENANT); // once more, as after a crash
});

test('profiles: another tenant’s profile does not exist', async () => {
  const profiles = fresh();
  const { id } = await created(profiles, fields('pumps'));
  const notFound = { type: 'refused', reason: 'not-found' };
  assert.is(await profiles.find(OTHER_TENANT, id), undefined);
  assert.equal(await profiles.update(OTHER_TENANT, id, fields('x')), notFound);
  assert.equal(await profiles.makeDefault(OTHER_TENANT, id), notFound);
  assert.equal(await profiles.remove(OTHER_TENANT, id), notFound);
});

test('profiles: another profile can become the default, and the default cannot be removed', async () => {
  const profiles = fresh();
  const { id } = await created(profiles, fields('pumps', PROTOBUF));
  assert.is((await profiles.makeDefault(TENANT, id)).type, 'done');
  assert.is((await profiles.default(TENANT)).id, id);
  assert.equal(await profiles.remove(TENANT, id), { type: 'refused', reason: 'is-default' });
  assert.is((await profiles.remove(TENANT, firstProfileOf(TENANT))).type, 'done');
});

test('profiles: a profile that devices name is not removed', async () => {
  const store = createMemoryStore();
  const profiles = createProfiles(store, systemClock);
  const { id } = await created(profiles, fields('pumps'));
  await store.index.add(`profile-devices/${id}`, 'a device');
  assert.equal(await profiles.remove(TENANT, id), { type: 'refused', reason: 'in-use' });
});

test('profiles: a default that is gone gives way to the profile that has the first one’s name', async () => {
  const store = createMemoryStore();
  const profiles = createProfiles(store, systemClock);
  const first = await profiles.default(TENANT);
  const { id: chosen } = await created(profiles, fields('chosen'));
  await profiles.makeDefault(TENANT, chosen);
  assert.is((await profiles.remove(TENANT, first.id)).type, 'done');
  const { id: named } = await created(profiles, fields('default'));
  // Removed by one process at the moment at which another one made it the default.
  await openRecords<{ id: ProfileId }>(store, 'default-device-profile').put(TENANT, {
    id: idOf<ProfileId>(99),
  });
  const again = createProfiles(store, systemClock);
  const all = await Promise.all([again.default(TENANT), profiles.default(TENANT), again.default(TENANT)]);
  assert.equal(
    all.map(({ id }) => id),
    [named, named, named],
  );
  assert.equal(await again.remove(TENANT, named), { type: 'refused', reason: 'is-default' });
});

test('profiles: payloads are read as the device’s profile says, and without one as the tenant’s default says', async () => {
  const profiles = fresh();
  const payloadRules = async (transport: ProfileFields['transport'], by: 'MQTT' | 'COAP') => {
    const { id } = await created(profiles, fields(JSON.stringify([transport, by]), transport));
    return (await profiles.payloadRules({ tenantId: TENANT, profileId: id }, by))?.format;
  };
  assert.is(await payloadRules({ type: 'DEFAULT' }, 'MQTT'), 'JSON');
  assert.is(await payloadRules(PROTOBUF, 'MQTT'), 'PROTOBUF');
  assert.is(await payloadRules({ ...PROTOBUF, jsonCompatible: true }, 'MQTT'), 'PROTOBUF_OR_JSON');
  assert.is(await payloadRules({ ...PROTOBUF, payloadType: 'JSON', jsonCompatible: true }, 'MQTT'), 'JSON');
  assert.is(await payloadRules(PROTOBUF, 'COAP'), undefined);
  assert.is(await payloadRules({ type: 'COAP', payloadType: 'PROTOBUF' }, 'COAP'), 'PROTOBUF');
  assert.is(await payloadRules({ type: 'COAP', payloadType: 'PROTOBUF' }, 'MQTT'), undefined);

  const format = async (holder: object) =>
    (await profiles.payloadRules({ tenantId: TENANT, ...holder }, 'MQTT'))?.format;
  assert.is(await format({}), 'JSON');
  assert.is(await format({ profileId: idOf<ProfileId>(99) }), 'JSON'); // one that is gone
  const { id } = await created(profiles, fields('another', PROTOBUF));
  await profiles.makeDefault(TENANT, id);
  assert.is(await format({ profileId: null }), 'PROTOBUF'); // at once, in this process
});

test.run();
