/** R4: what a customer wrote goes with it, and what the tenant wrote stays. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json } from '../../actors/base/json.ts';
import { gatewayAnswer } from '../../actors/claiming/attributes.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import { createDeviceDecider, type DeviceCommand, evolve } from '../../actors/device/device.ts';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import { decodeState, encodeState } from '../../actors/device/persistence.ts';
import type { Device } from '../../actors/device/state.ts';
import { processorMs } from '../kit/cost.ts';
import {
  acceptOffer,
  assign,
  CUSTOMER,
  complete,
  confirm,
  DEVICE,
  deleteAttributes,
  given,
  initiate,
  NOW,
  OPEN_POLICY,
  OTHER_CUSTOMER,
  offer,
  reclaim,
  reset,
  save,
  saved,
  saveServerKey,
  TENANT,
  TO_OTHER,
  USER,
  unassign,
} from '../kit/given.ts';

type Values = { readonly [key: string]: Json };

/** A device that the customer owns, and what becomes of it. */
function owned(policy = OPEN_POLICY) {
  const decider = createDeviceDecider(policy);
  let { state } = given(policy);
  const home = {
    get device(): Device {
      if (state.status === 'absent') throw new Error('there is no device');
      return state;
    },
    get attributes(): Values {
      const entries = Object.entries(home.device.attributes.SERVER_SCOPE);
      return Object.fromEntries(entries.map(([key, { value }]) => [key, value]));
    },
    when(command: DeviceCommand): string {
      const decision = decider.decide(state, command, NOW);
      if (decision.type !== 'accept') return decision.type === 'ignore' ? 'same' : decision.refusal.reason;
      state = decodeState(encodeState(evolve(state, decision.event)));
      return decision.event.type;
    },
  };
  return home;
}

const byOwner = (values: Values): DeviceCommand => ({ ...save(values), customerId: CUSTOMER, userId: USER });
const describe = (customerId: typeof CUSTOMER | null, more: object): DeviceCommand => ({
  type: 'UpdateDevice',
  tenantId: TENANT,
  customerId,
  userId: USER,
  name: 'Pump 1',
  deviceType: 'default',
  label: null,
  additionalInfo: null,
  ...more,
});

const TAKE_OVERS: ClaimPolicy = {
  ...OPEN_POLICY,
  ownership: { ...DEFAULT_OWNERSHIP_RULES, takeOver: 'at-once', deviceReset: 'release' },
};
const NOTICED: ClaimPolicy = {
  ...TAKE_OVERS,
  ownership: { ...TAKE_OVERS.ownership, takeOver: 'after-notice', takeOverNoticeMs: 0 },
};
const NEEDS_PERMISSION: ClaimPolicy = { ...TAKE_OVERS, allowClaimingByDefault: false };

const ENDINGS: readonly (readonly [string, ...DeviceCommand[]])[] = [
  ['given back', reclaim(CUSTOMER)],
  ['taken back', reclaim(null)],
  ['unassigned', unassign()],
  ['assigned to another', assign(OTHER_CUSTOMER)],
  ['transferred', offer(TO_OTHER), acceptOffer()],
  ['reset', reset(1_000)],
];
const TAKEN: readonly DeviceCommand[] = [initiate(1_000), confirm(OTHER_CUSTOMER)];

for (const [words, policy, ...end] of [
  ...ENDINGS.map(([words, ...end]) => [words, TAKE_OVERS, ...end] as const),
  ['taken over', TAKE_OVERS, ...TAKEN] as const,
  ['taken over after notice', NOTICED, ...TAKEN, complete(OTHER_CUSTOMER, 1)] as const,
  [
    'taken over, the permission used up',
    NEEDS_PERMISSION,
    save({ claimingAllowed: true }),
    ...TAKEN,
  ] as const,
]) {
  test(`device writings: ${words}: what the owner wrote is gone, what the tenant wrote is as it was`, () => {
    const home = owned(policy);
    home.when(save({ site: 'A', colour: 'red', model: 1 }));
    home.when(describe(null, { label: 'the tenant’s', additionalInfo: { shelf: 1 } }));
    home.when(assign(CUSTOMER));
    home.when(byOwner({ colour: 'blue', wifi: 'home' }));
    home.when({ ...deleteAttributes('model'), customerId: CUSTOMER });
    home.when(describe(CUSTOMER, { label: 'kitchen', additionalInfo: { address: 'here' } }));
    assert.equal(home.attributes, { site: 'A', colour: 'blue', wifi: 'home' });
    assert.is(home.device.label, 'kitchen');
    const before = home.device.ownerEpoch;
    for (const command of end) home.when(command);
    assert.is.not(home.device.ownerEpoch, before);
    assert.equal(home.attributes, { site: 'A', colour: 'red', model: 1 });
    assert.equal([home.device.label, home.device.additionalInfo], ['the tenant’s', { shelf: 1 }]);
    assert.not.match(encodeState(home.device), /kitchen|blue|byCustomer|tenantA|tenantD/);
  });
}

test('device writings: what the tenant writes or deletes meanwhile stays so', () => {
  const home = owned();
  home.when(save({ colour: 'red', model: 1 }));
  home.when(assign(CUSTOMER));
  home.when(byOwner({ colour: 'blue' }));
  home.when({ ...deleteAttributes('model'), customerId: CUSTOMER });
  home.when(save({ colour: 'green' }));
  assert.is(home.when(deleteAttributes('model')), 'AttributesDeleted');
  home.when(describe(CUSTOMER, { label: 'kitchen' }));
  home.when(describe(null, { label: 'kitchen', additionalInfo: { shelf: 2 } })); // sends back what it read
  home.when(reclaim(CUSTOMER));
  assert.equal(home.attributes, { colour: 'green' });
  assert.equal([home.device.label, home.device.additionalInfo], [null, { shelf: 2 }]);
});

test('device writings: only the tenant says what a device is called, of which type and profile it is', () => {
  const home = owned();
  home.when(assign(CUSTOMER));
  for (const more of [
    { name: 'Mine' },
    { deviceType: 'mine' },
    { profileId: '00000000-0000-7000-8000-000000000041' },
  ]) {
    assert.is(home.when(describe(CUSTOMER, more)), 'not-owner');
  }
  assert.is(home.when(describe(CUSTOMER, { label: 'mine' })), 'DeviceUpdated');
  assert.is(home.when(describe(null, { name: 'Ours' })), 'DeviceUpdated');
});

test('device writings: an owner steers nothing of how the device is claimed', () => {
  const home = owned();
  home.when(assign(CUSTOMER));
  assert.is(home.when(byOwner({ claimingAllowed: true })), 'not-owner');
  assert.is(home.when({ ...saveServerKey(NOW + 1000), customerId: CUSTOMER }), 'not-owner');
  assert.is(home.when({ ...deleteAttributes('claimingData'), customerId: CUSTOMER }), 'not-owner');
});

test('device writings: an owner that fills the device leaves room for claimingData', () => {
  const home = owned();
  home.when(assign(CUSTOMER));
  let bytes = OPEN_POLICY.maxAttributeBytes;
  while (home.when(byOwner({ filler: 'x'.repeat(bytes) })) === 'attributes-too-large') bytes -= 1;
  assert.ok(bytes > OPEN_POLICY.maxAttributeBytes / 2);
  assert.is(home.when(saveServerKey(NOW + 1000)), 'AttributesSaved');
  assert.is(home.when(save({ claimingAllowed: false })), 'AttributesSaved');
});

// --------------------------------------------------------------- what the operator's policy gave with a claim (C12)

const ASKING: ClaimPolicy = {
  ...OPEN_POLICY,
  asksConsent: true,
  ownership: { ...DEFAULT_OWNERSHIP_RULES, takeOver: 'after-notice', takeOverNoticeMs: 0 },
};
const allowed = (attributes: Values, customerId = CUSTOMER, consentIn = 0) => ({
  ...confirm(customerId),
  consentIn,
  attributes,
});

test('device writings: C12: what was given with a claim goes with the owner, and what the tenant had is back', () => {
  const home = owned(ASKING);
  home.when(save({ plan: 'none', model: 'P-100' }));
  home.when(initiate(10));
  const site = { rooms: [1, 2] };
  assert.is(home.when(allowed({ plan: 'gold', seats: 3, site })), 'DeviceClaimed');
  assert.equal(home.attributes, { model: 'P-100', plan: 'gold', seats: 3, site });
  assert.is(home.when(reclaim(CUSTOMER)), 'DeviceReclaimed');
  assert.equal(home.attributes, { plan: 'none', model: 'P-100' });
  assert.is(home.device.tenantAttributes, undefined);
});

test('device writings: C12: what the tenant writes over what was given stays with the device', () => {
  const home = owned(ASKING);
  home.when(initiate(10));
  home.when(allowed({ plan: 'gold' }));
  home.when(save({ plan: 'silver' }));
  home.when(reclaim(CUSTOMER));
  assert.equal(home.attributes, { plan: 'silver' });
});

test('device writings: C12: a claim with more than the device has room for is refused, and leaves room for what steers', () => {
  const home = owned(ASKING);
  home.when(initiate(10));
  let bytes = ASKING.maxAttributeBytes;
  while (home.when(allowed({ filler: 'x'.repeat(bytes) })) === 'attributes-too-large') bytes -= 1;
  assert.is(home.device.owner?.customerId, CUSTOMER);
  assert.ok(bytes > ASKING.maxAttributeBytes / 2);
  assert.is(home.when(saveServerKey(NOW + 1000)), 'AttributesSaved');
});

test('device writings: C12: what a take-over is to have is nobody’s until it happens, and its room is kept free', () => {
  const home = owned(ASKING);
  home.when(assign(CUSTOMER));
  home.when(byOwner({ mine: true }));
  home.when(initiate(10));
  const most = ASKING.maxAttributeBytes;
  assert.is(home.when(allowed({ filler: 'x'.repeat(most) }, OTHER_CUSTOMER, 1)), 'attributes-too-large');
  const filler = 'x'.repeat(most / 2);
  assert.is(home.when(allowed({ filler }, OTHER_CUSTOMER, 1)), 'TakeOverAsked');
  assert.equal(home.attributes, { mine: true });
  assert.is(home.when(save({ tenants: filler })), 'attributes-too-large');
  assert.is(home.when(byOwner({ mine: filler })), 'attributes-too-large');
  // Whatever else was done meanwhile: nobody is left who could be refused.
  assert.is(home.when(save({ filler: 'x'.repeat(most / 4) })), 'AttributesSaved');
  assert.is(home.when(complete(OTHER_CUSTOMER, 1)), 'DeviceTakenOver');
  assert.equal(home.attributes, { filler });
});

test('device writings: C12: with the take-over that is ended goes what it was to have', () => {
  const home = owned(ASKING);
  home.when(assign(CUSTOMER));
  home.when(initiate(10));
  home.when(allowed({ plan: 'gold' }, OTHER_CUSTOMER, 1));
  home.when(assign(OTHER_CUSTOMER));
  assert.equal(home.attributes, {});
  assert.is(home.device.takeOver, undefined);
});

test('attack: an owner names a hundred thousand attributes where there are thousands, and each is looked for once', async () => {
  const many = (count: number, mark: string): Values =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`${mark}${n.toString(36)}`, 1]));
  const home = owned({ ...OPEN_POLICY, maxAttributeBytes: 3_000_000 });
  home.when(save(many(30_000, 'there')));
  home.when({ ...save(many(10_000, 'shared')), scope: 'SHARED_SCOPE' });
  home.when(assign(CUSTOMER));
  const named = many(100_000, 'none');
  const keys = Object.keys(named);
  const tookMs = await processorMs(() => {
    assert.is(home.when(byOwner(named)), 'attributes-too-large');
    assert.is(home.when(deleteAttributes('there1', ...keys)), 'AttributesDeleted');
    const asked = { id: 1, device: 'Pump 1', client: false, keys, single: false };
    assert.equal(gatewayAnswer(asked, { ...home.device, id: DEVICE }).values, {});
  });
  assert.ok(tookMs < 3_000, `${tookMs} ms`);
});

test('device writings: an attribute that is named twice is deleted once', () => {
  given(OPEN_POLICY, saved({ colour: 'red' }))
    .when(deleteAttributes('colour', 'colour'))
    .gives({ type: 'AttributesDeleted', at: NOW, scope: 'SERVER_SCOPE', keys: ['colour'] });
});

test('device writings: a device that no customer has written on is no larger for it', () => {
  const home = owned();
  home.when(save({ colour: 'red' }));
  home.when(assign(CUSTOMER));
  const before = encodeState(home.device);
  assert.not.match(before, /byCustomer|tenantAttributes|tenantDescription/);
});

test.run();
