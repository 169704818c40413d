/** The index entries of devices. That changes follow from states is checked with `device-laws.ts`. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProfileId, TransferId } from '../../actors/base/ids.ts';
import type { DeviceEvent } from '../../actors/device/device.ts';
import {
  deviceOf,
  indexChanges,
  indexEntries,
  keys,
  lists,
  memberByName,
  refusalOfTaken,
} from '../../actors/device/indexes.ts';
import type { DeviceState, OfferedTo } from '../../actors/device/state.ts';
import {
  CUSTOMER,
  claimed,
  DEVICE,
  given,
  idOf,
  OPEN_POLICY,
  OTHER_CUSTOMER,
  OTHER_TENANT,
  opened,
  provisioned,
  TENANT,
  USER,
} from '../kit/given.ts';

const bare = given(OPEN_POLICY).state;
const owned = given(OPEN_POLICY, claimed()).state;

test('indexes: a device holds its name and its credentials, and is in its tenant’s lists', () => {
  assert.equal(indexEntries(DEVICE, bare), {
    unique: ['credentials/token-1', `device-name/${TENANT}/Pump 1`],
    members: [
      { list: `devices/${TENANT}`, member: DEVICE },
      { list: `devices-by-name/${TENANT}`, member: `pump 1\0${DEVICE}` },
      { list: `devices-by-type/${TENANT}`, member: `default\0${DEVICE}` },
      { list: lists.withoutProfile(TENANT), member: DEVICE },
      { list: `free-devices/${TENANT}`, member: DEVICE },
    ],
  });
});

test('indexes: an owned device is in its owner’s list, and in no other customer’s', () => {
  const { members } = indexEntries(DEVICE, owned);
  const ofCustomers = members.filter(({ list }) => list.startsWith('customer-devices/'));
  assert.equal(ofCustomers, [{ list: `customer-devices/${CUSTOMER}`, member: `pump 1\0${DEVICE}` }]);
});

test('indexes: a device is in the list of the profile that it names, or of those that name none, and leaves it with another one', () => {
  const profileId = idOf<ProfileId>(41);
  const update = {
    type: 'DeviceUpdated',
    at: 1,
    deviceType: 'default',
    label: null,
    additionalInfo: null,
  } as const;
  const named: DeviceEvent = { ...update, name: 'Pump 1', profileId };
  const member = { list: lists.ofProfile(profileId), member: DEVICE };
  const unnamed = { list: lists.withoutProfile(TENANT), member: DEVICE };

  const after = given(OPEN_POLICY, named).state;
  assert.equal(indexChanges(DEVICE, bare, named, after), {
    take: { unique: [], members: [member] },
    release: { unique: [], members: [unnamed] },
  });
  const without: DeviceEvent = { ...update, name: 'Pump 1', profileId: null };
  assert.equal(indexChanges(DEVICE, after, without, given(OPEN_POLICY, named, without).state), {
    take: { unique: [], members: [unnamed] },
    release: { unique: [], members: [member] },
  });
  // An update without a profile leaves it.
  assert.ok(
    indexEntries(DEVICE, given(OPEN_POLICY, named, { ...update, name: 'Pump 1' }).state).members.some(
      ({ list }) => list === member.list,
    ),
  );
});

test('indexes: a device is listed by its type, and by its label while it has one', () => {
  const update = { type: 'DeviceUpdated', at: 1, name: 'Pump 1', additionalInfo: null } as const;
  const labelled: DeviceEvent = { ...update, deviceType: 'Valve', label: 'The ÄRGER' };
  const after = given(OPEN_POLICY, labelled).state;
  const ofType = (type: string) => ({ list: lists.byType(TENANT), member: `${type}\0${DEVICE}` });
  const ofLabel = { list: lists.byLabel(TENANT), member: `the ärger\0${DEVICE}` };
  assert.equal(indexChanges(DEVICE, bare, labelled, after), {
    take: { unique: [], members: [ofType('Valve'), ofLabel] },
    release: { unique: [], members: [ofType('default')] },
  });
  const bereft: DeviceEvent = { ...update, deviceType: 'Valve', label: null };
  assert.equal(indexChanges(DEVICE, after, bereft, given(OPEN_POLICY, labelled, bereft).state)?.release, {
    unique: [],
    members: [ofLabel],
  });
});

test('indexes: a device that does not exist holds nothing', () => {
  assert.equal(indexEntries(DEVICE, { status: 'absent' }), { unique: [], members: [] });
});

test('indexes: a new owner changes only the customers’ lists', () => {
  const event: DeviceEvent = {
    type: 'DeviceAssigned',
    at: 1,
    customerId: OTHER_CUSTOMER,
    previousCustomerId: CUSTOMER,
    userId: '' as never,
  };
  const after = given(OPEN_POLICY, claimed(), event).state;
  const member = memberByName('Pump 1', DEVICE);
  assert.equal(indexChanges(DEVICE, owned, event, after), {
    take: { unique: [], members: [{ list: lists.ofCustomer(OTHER_CUSTOMER), member }] },
    release: { unique: [], members: [{ list: lists.ofCustomer(CUSTOMER), member }] },
  });
});

test('indexes: a name that changes only in case frees the old key and keeps its place', () => {
  const event: DeviceEvent = {
    type: 'DeviceUpdated',
    at: 1,
    name: 'PUMP 1',
    deviceType: 'default',
    label: null,
    additionalInfo: null,
  };
  assert.equal(indexChanges(DEVICE, bare, event, given(OPEN_POLICY, event).state), {
    take: { unique: [keys.name(TENANT, 'PUMP 1')], members: [] },
    release: { unique: [keys.name(TENANT, 'Pump 1')], members: [] },
  });
});

test('indexes: the frequent events change nothing', () => {
  const event = opened(5);
  assert.is(indexChanges(DEVICE, bare, event, given(OPEN_POLICY, event).state), undefined);
});

test('indexes: keys of different meaning, tenant or text are never the same', () => {
  const texts = ['a', 'A', 'a/b', 'a b', '', '\0', `${TENANT}/a`, 'device-name/a'];
  const all = texts.flatMap((text) => [
    keys.credentials(text),
    keys.name(TENANT, text),
    keys.name(OTHER_TENANT, text),
  ]);
  assert.is(new Set(all).size, all.length);
});

test('indexes: a taken key is recognised as a name, as credentials, or as a transfer', () => {
  assert.equal(refusalOfTaken(keys.name(TENANT, 'x')), { reason: 'name-taken' });
  assert.equal(refusalOfTaken(keys.credentials('x')), { reason: 'credentials-taken' });
  assert.equal(refusalOfTaken(keys.credentials('device-name/x')), { reason: 'credentials-taken' });
  assert.equal(refusalOfTaken(keys.transfer(idOf<TransferId>(1))), { reason: 'transfer-taken' });
});

test('indexes: an offer is found by its id and in the list of whom it is for; after it, its id leads to the device', () => {
  const TRANSFER = idOf<TransferId>(51);
  const key = keys.transfer(TRANSFER);
  const listed = (state: DeviceState) =>
    indexEntries(DEVICE, state).members.flatMap(({ list }) => (list.startsWith('offered') ? [list] : []));
  const offered = (to: OfferedTo) =>
    given(OPEN_POLICY, claimed(), {
      type: 'DeviceOffered',
      at: 1,
      transferId: TRANSFER,
      to,
      expiresAt: 2,
      customerId: CUSTOMER,
      userId: USER,
    });
  const toCustomer = offered({ type: 'customer', customerId: OTHER_CUSTOMER });
  const toAddress = offered({ type: 'address', addressDigest: 'digest', sealedAddress: 'sealed' });
  const byCode = offered({ type: 'code', codeDigest: 'digest' });
  assert.equal(listed(toCustomer.state), [lists.offeredTo(OTHER_CUSTOMER)]);
  assert.equal(listed(toAddress.state), [lists.offeredToAddress('digest')]);
  assert.equal(listed(byCode.state), []);
  for (const { state } of [toCustomer, toAddress, byCode]) {
    assert.ok(indexEntries(DEVICE, state).unique.includes(key));
  }
  const ids = { tenantId: TENANT, userId: USER, transferId: TRANSFER };
  const taken = { type: 'AcceptOffer', ...ids, customerId: OTHER_CUSTOMER, addressDigest: null } as const;
  const accepted = byCode.when({ ...taken, codeDigest: 'digest' }, 1).state;
  assert.ok(indexEntries(DEVICE, accepted).unique.includes(key));
  const returned = given(OPEN_POLICY, claimed());
  assert.not.ok(indexEntries(DEVICE, returned.state).unique.includes(key));
});

test('indexes: a member leads back to its device, whatever the name', () => {
  for (const name of ['Pump', '', '\0', 'a\0b', '\u{1f600}', 'İ', 'ﬀ'.repeat(200)]) {
    const state: DeviceState = given(OPEN_POLICY, { ...provisioned, name }).state;
    for (const { member } of indexEntries(DEVICE, state).members) assert.is(deviceOf(member), DEVICE);
  }
});

test.run();
