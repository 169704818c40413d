/**
 * The rule book of claiming (actors/device/RULES.md): each rule by examples over the pure machine. Roles, counted attempts,
 * the audit trail and messages on the wire are tested where they are built.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CustomerId } from '../../actors/base/ids.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import { createDeviceDecider, type DeviceCommand, type DeviceEvent } from '../../actors/device/device.ts';
import { knownChanges } from '../../actors/device/evidence.ts';
import type { SteeringFault } from '../../actors/device/messages.ts';
import { LATE_MS } from '../../actors/device/opening.ts';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import { type DeviceState, ownerEpochOf } from '../../actors/device/state.ts';
import {
  ADMIN,
  assign,
  CUSTOMER,
  challenge,
  challenged,
  claimed,
  complete,
  confirm,
  deleteAttributes,
  expire,
  given,
  givenNothing,
  idOf,
  initiate,
  NOW,
  OPEN_POLICY,
  OTHER_CUSTOMER,
  OTHER_SECRET,
  OTHER_TENANT,
  OTHER_TOKEN,
  opened,
  PUBLIC_KEY,
  prove,
  provision,
  provisioned,
  reclaim,
  remove,
  reset,
  SECRET,
  SIGNED_BY_KEY,
  STRICT_POLICY,
  save,
  saved,
  saveServerKey,
  serverKeySaved,
  TENANT,
  TOKEN,
  USER,
  unassign,
} from '../kit/given.ts';

const POLICIES: readonly ClaimPolicy[] = [OPEN_POLICY, STRICT_POLICY];
const CLOSES = NOW + 60_000;

/** A test that is named after its rule. */
const law = (rule: string, words: string, check: () => void) => test(`device: ${rule}: ${words}`, check);

const steeringRefusal = (command: DeviceCommand) =>
  given(OPEN_POLICY).when(command).refused('steering-attribute-malformed');

const openedNow = (closesAt: number, secretDigest = SECRET): DeviceEvent => ({
  type: 'ClaimWindowOpened',
  at: NOW,
  secretDigest,
  closesAt,
  openedBy: 'device',
});

// -------------------------------------------------------------------------------------------------------- opening

law('O1', 'the window is open for as long as asked; 0 and less mean the default', () => {
  given(OPEN_POLICY)
    .when(initiate(5_000))
    .gives(openedNow(NOW + 5_000));
  for (const durationMs of [0, -0, -1, -1e18, Number.NEGATIVE_INFINITY]) {
    given(OPEN_POLICY)
      .when(initiate(durationMs))
      .gives(openedNow(NOW + OPEN_POLICY.defaultDurationMs));
  }
});

law('O2', 'a device that has an owner opens no window, however it came to be owned', () => {
  const owners: DeviceEvent[][] = [
    [opened(CLOSES), claimed()],
    [{ type: 'DeviceAssigned', at: NOW, customerId: CUSTOMER, previousCustomerId: null, userId: ADMIN }],
    [{ ...provisioned, customerId: CUSTOMER }],
  ];
  for (const facts of owners)
    given(OPEN_POLICY, ...facts)
      .when(initiate(1_000))
      .refused('already-claimed');
});

law('O3', 'claimed by default: any device may, unless the attribute is the boolean false', () => {
  given(OPEN_POLICY).when(initiate(1_000)).happened('ClaimWindowOpened');
  given(OPEN_POLICY, saved({ claimingAllowed: false }))
    .when(initiate(1_000))
    .refused('claiming-not-allowed');
  for (const value of [true, 'false', 0, null, 'no', {}]) {
    given(OPEN_POLICY, saved({ claimingAllowed: value }))
      .when(initiate(1_000))
      .happened('ClaimWindowOpened');
  }
});

law('O3', 'not claimed by default: only with the attribute being the boolean true', () => {
  given(STRICT_POLICY).when(initiate(1_000)).refused('claiming-not-allowed');
  given(STRICT_POLICY, saved({ claimingAllowed: true }))
    .when(initiate(1_000))
    .happened('ClaimWindowOpened');
  for (const value of [false, 'true', 1, null, [true], {}]) {
    given(STRICT_POLICY, saved({ claimingAllowed: value }))
      .when(initiate(1_000))
      .refused('claiming-not-allowed');
  }
});

law('O3', 'forbidden is forbidden: no window opened before, no server key, no secret claims it', () => {
  for (const policy of POLICIES) {
    const forbidden = given(
      policy,
      opened(CLOSES),
      serverKeySaved(CLOSES),
      saved({ claimingAllowed: false }),
    );
    for (const secret of [SECRET, OTHER_SECRET, 'wrong']) {
      const after = forbidden.when(confirm(CUSTOMER, secret));
      after.refused('claiming-not-allowed');
      assert.is(after.state, forbidden.state, 'window and key stay, for when it is allowed again');
    }
    given(policy, opened(CLOSES), saved({ claimingAllowed: false }), saved({ claimingAllowed: true }))
      .when(confirm())
      .happened('DeviceClaimed');
  }
});

law('O3', 'a text or a number stored by an older version says nothing', () => {
  given(OPEN_POLICY, opened(CLOSES), saved({ claimingAllowed: 'false' }))
    .when(confirm())
    .happened('DeviceClaimed');
});

law('O3', 'claimingAllowed is saved as a boolean and in the server scope, or not at all', () => {
  for (const value of ['false', 'true', 0, 1, null, {}, [false]]) {
    assert.equal(steeringRefusal(save({ claimingAllowed: value, colour: 'red' })), {
      reason: 'steering-attribute-malformed',
      fault: 'allowed-not-boolean',
    });
  }
  for (const value of [true, false, 'false']) {
    assert.equal(steeringRefusal({ ...save({ claimingAllowed: value }), scope: 'SHARED_SCOPE' }), {
      reason: 'steering-attribute-malformed',
      fault: 'wrong-scope',
    });
  }
});

law('C3', 'a server key is set in the server scope and ends later than now, or is not set', () => {
  const says = (command: DeviceCommand, fault: SteeringFault) =>
    assert.equal(steeringRefusal(command), { reason: 'steering-attribute-malformed', fault });
  says({ ...save({ claimingData: {} }), scope: 'SHARED_SCOPE' }, 'wrong-scope');
  for (const past of [0, NOW - 1, NOW]) says(saveServerKey(past), 'expiry-past');
  says(saveServerKey(Math.floor(NOW / 1000) + 3600), 'expiry-in-seconds');
  given(OPEN_POLICY)
    .when(saveServerKey(NOW + 1))
    .happened('AttributesSaved');
});

law('O3', 'the attribute counts only in the server scope, where the device cannot set it', () => {
  const shared: DeviceEvent = {
    type: 'AttributesSaved',
    at: NOW,
    scope: 'SHARED_SCOPE',
    values: { claimingAllowed: true },
  };
  given(STRICT_POLICY, shared).when(initiate(1_000)).refused('claiming-not-allowed');
});

law('O4', 'windows may be open for years', () => {
  const tenYears = 10 * 365 * 24 * 3_600_000;
  given(OPEN_POLICY)
    .when(initiate(tenYears))
    .gives(openedNow(NOW + tenYears));
  const longest = Number.MAX_SAFE_INTEGER - NOW;
  given(OPEN_POLICY).when(initiate(longest)).gives(openedNow(Number.MAX_SAFE_INTEGER));
});

law('O4', 'an end beyond the safe integers is malformed, and so is a duration that is not whole', () => {
  const tooLong = [Number.MAX_SAFE_INTEGER - NOW + 1, Number.MAX_SAFE_INTEGER, 2 ** 63, 1e300, Infinity];
  for (const durationMs of [...tooLong, 1.5, 0.1, Number.NaN]) {
    given(OPEN_POLICY).when(initiate(durationMs)).refused('duration-out-of-range');
  }
});

law('O4', 'a longer duration than the limit is refused with the limit, never cut', () => {
  const limited = { ...OPEN_POLICY, maxDurationMs: 100_000 };
  given(limited)
    .when(initiate(100_000))
    .gives(openedNow(NOW + 100_000));
  assert.equal(given(limited).when(initiate(100_001)).refused('duration-too-long'), {
    reason: 'duration-too-long',
    maxDurationMs: 100_000,
  });
});

const OF_EIGHT = { ...OPEN_POLICY, ownership: { ...OPEN_POLICY.ownership, minSecretLength: 8 } };

law('O10', 'a window with a shorter secret than the rules ask for is refused with the length', () => {
  const device = given(OF_EIGHT, opened(CLOSES));
  for (const short of [{ secretLength: 0 }, { secretLength: 7 }]) {
    const refused = device.when({ ...initiate(1_000), ...short });
    assert.equal(refused.refused('secret-too-short'), { reason: 'secret-too-short', minSecretLength: 8 });
  }
  device.when({ ...initiate(1_000), secretLength: 8 }).gives(openedNow(NOW + 1_000));
});

law('O10', 'so is a window that a reset opens, and one for a take-over; nothing is reset by halves', () => {
  const rules = { ...OF_EIGHT.ownership, deviceReset: 'release-and-open', takeOver: 'at-once' } as const;
  const policy = { ...OF_EIGHT, ownership: rules };
  for (const device of [given(policy), given(policy, claimed())]) {
    const refusal = { reason: 'secret-too-short', minSecretLength: 8 };
    for (const command of [reset(1_000), initiate(1_000)]) {
      const refused = device.when({ ...command, secretLength: 7 });
      assert.equal(refused.refused('secret-too-short'), refusal);
      assert.is(refused.state, device.state);
    }
    device.when({ ...initiate(1_000), secretLength: 8 }).happened('ClaimWindowOpened');
  }
  given(policy, claimed())
    .when({ ...reset(1_000), secretLength: 8 })
    .happened('DeviceReset');
});

law('O10', 'so is a server key; other attributes are not concerned, and the length is in no event', () => {
  const device = given(OF_EIGHT);
  const key = saveServerKey(CLOSES);
  device.when(key).refused('secret-too-short');
  device.when({ ...key, secretLength: 7 }).refused('secret-too-short');
  device.when(save({ colour: 'red' })).happened('AttributesSaved');
  const saved = device.when({ ...key, secretLength: 8 });
  saved.happened('AttributesSaved');
  assert.not(JSON.stringify(saved).includes('secretLength'));
});

law('O5', 'a new request replaces an open window, and an elapsed one: secret and expiry', () => {
  for (const old of [CLOSES, NOW - 1]) {
    const device = given(OPEN_POLICY, opened(old))
      .when(initiate(1_000, OTHER_SECRET))
      .happened('ClaimWindowOpened');
    assert.equal(device.window, {
      secretDigest: OTHER_SECRET,
      openedAt: NOW,
      closesAt: NOW + 1_000,
      openedBy: 'device',
    });
  }
  const replaced = given(OPEN_POLICY, opened(CLOSES), opened(CLOSES, OTHER_SECRET));
  replaced.when(confirm(CUSTOMER, SECRET)).refused('wrong-secret');
  replaced.when(confirm(CUSTOMER, OTHER_SECRET)).happened('DeviceClaimed');
});

law('O5', 'the identical request delivered twice is harmless', () => {
  const once = given(OPEN_POLICY).when(initiate(1_000));
  const device = given(OPEN_POLICY, openedNow(NOW + 1_000))
    .when(initiate(1_000))
    .happened('ClaimWindowOpened');
  assert.equal(device, once.state);
});

law('O5', 'a late message does not replace the window of one that arrived after it', () => {
  const late = (arrivedAt: number) => ({ ...initiate(1_000, OTHER_SECRET), arrivedAt });
  const device = given(OPEN_POLICY, openedNow(NOW + 60_000));
  device.when(late(NOW - LATE_MS - 1)).refused('superseded');
  device.when(late(NOW - LATE_MS)).happened('ClaimWindowOpened'); // not late: clocks are not compared for less
  device.when(late(NOW + 1)).happened('ClaimWindowOpened'); // a clock that is ahead

  // What counts is when a message arrived, not when it was carried out.
  const early = given(OPEN_POLICY).when(late(NOW - 5_000));
  early.happened('ClaimWindowOpened');
  assert.is(early.state.status === 'provisioned' && early.state.window?.arrivedAt, NOW - 5_000);
  const windows = given(OPEN_POLICY, {
    type: 'ClaimWindowOpened',
    at: NOW,
    secretDigest: SECRET,
    closesAt: NOW + 60_000,
    openedBy: 'device',
    arrivedAt: NOW - 5_000,
  });
  windows.when(late(NOW - 5_001)).refused('superseded');
  windows.when(late(NOW - 5_000)).happened('ClaimWindowOpened'); // the same message once more
  windows.when(late(NOW - 4_999)).happened('ClaimWindowOpened');
  given(OPEN_POLICY)
    .when(late(NOW - 86_400_000))
    .happened('ClaimWindowOpened'); // nothing is newer
});

law('O6', 'a refused opening leaves an open window as it is', () => {
  const before = given(OPEN_POLICY, opened(CLOSES));
  assert.is(before.when(initiate(1.5)).state, before.state);
  const vetoed = given(OPEN_POLICY, opened(CLOSES), saved({ claimingAllowed: false }));
  assert.is(vetoed.when(initiate(1_000)).state, vetoed.state);
});

law('O7', 'a window stays open until its instant, whatever else happens to the device', () => {
  const device = given(OPEN_POLICY, opened(CLOSES), saved({ colour: 'red' }), {
    type: 'DeviceUpdated',
    at: NOW,
    name: 'Pump 2',
    deviceType: 'pump',
    label: 'the second',
    additionalInfo: { gateway: true },
  });
  device.when(confirm(), CLOSES - 1).happened('DeviceClaimed');
});

law('O', 'only the device’s own credentials or a gateway of its tenant open its window', () => {
  const byDevice = (credentialsId: string) =>
    ({ ...initiate(1_000), openedBy: { type: 'device', credentialsId } }) as const;
  const changed = given(OPEN_POLICY, { type: 'CredentialsChanged', at: NOW, credentials: OTHER_TOKEN });
  changed.when(byDevice(TOKEN.credentialsId)).refused('credentials-revoked');
  changed.when(byDevice(OTHER_TOKEN.credentialsId)).happened('ClaimWindowOpened');

  const byGateway = (tenantId: typeof TENANT) =>
    ({ ...initiate(1_000), openedBy: { type: 'gateway', tenantId, authority: { for: 'tenant' } } }) as const;
  given(OPEN_POLICY).when(byGateway(OTHER_TENANT)).refused('unknown-device');
  const device = given(OPEN_POLICY).when(byGateway(TENANT)).happened('ClaimWindowOpened');
  assert.is(device.window?.openedBy, 'gateway');
});

// ----------------------------------------------------------------------------------------------------- confirming

law('C1', 'a customer of another tenant finds no such device, and changes nothing', () => {
  for (const policy of POLICIES) {
    given(policy, opened(CLOSES), serverKeySaved(CLOSES))
      .when({ ...confirm(), tenantId: OTHER_TENANT })
      .refused('unknown-device');
  }
});

law('C2', 'an open window and the equal secret: the device is the customer’s, since now', () => {
  for (const policy of POLICIES) {
    const device = given(policy, opened(CLOSES)).when(confirm()).happened('DeviceClaimed');
    assert.equal(device.owner, { customerId: CUSTOMER, since: NOW, by: 'claim', evidence: 'secret' });
    assert.is(device.window, null);
  }
});

law('C2', 'the empty secret is a secret like any other: only digests are compared', () => {
  const empty = 'digest-of-the-empty-secret';
  const open = given(OPEN_POLICY, opened(CLOSES, empty));
  open.when(confirm(CUSTOMER, empty)).happened('DeviceClaimed');
  open.when(confirm(CUSTOMER, '')).refused('wrong-secret');
});

law('C3', 'a server-side key claims a device that was never online', () => {
  for (const policy of POLICIES) {
    const device = given(policy, serverKeySaved(CLOSES))
      .when(confirm(CUSTOMER, OTHER_SECRET))
      .happened('DeviceClaimed');
    assert.is(device.owner?.customerId, CUSTOMER);
  }
});

law('C3', 'with a window and a server-side key either works, also when the other has elapsed', () => {
  const both = given(OPEN_POLICY, opened(CLOSES), serverKeySaved(CLOSES));
  both.when(confirm(CUSTOMER, SECRET)).happened('DeviceClaimed');
  both.when(confirm(CUSTOMER, OTHER_SECRET)).happened('DeviceClaimed');
  both.when(confirm(CUSTOMER, 'neither')).refused('wrong-secret');

  const keyOnly = given(OPEN_POLICY, opened(NOW), serverKeySaved(CLOSES));
  keyOnly.when(confirm(CUSTOMER, SECRET)).refused('wrong-secret');
  keyOnly.when(confirm(CUSTOMER, OTHER_SECRET)).happened('DeviceClaimed');

  const windowOnly = given(OPEN_POLICY, opened(CLOSES), serverKeySaved(NOW));
  windowOnly.when(confirm(CUSTOMER, OTHER_SECRET)).refused('wrong-secret');
  windowOnly.when(confirm(CUSTOMER, SECRET)).happened('DeviceClaimed');
});

law('C3', 'a new key replaces the old one, and a deleted key no longer works', () => {
  given(OPEN_POLICY, serverKeySaved(CLOSES, SECRET), serverKeySaved(CLOSES, OTHER_SECRET))
    .when(confirm(CUSTOMER, SECRET))
    .refused('wrong-secret');
  const without = given(OPEN_POLICY, serverKeySaved(CLOSES), {
    type: 'AttributesDeleted',
    at: NOW,
    scope: 'SERVER_SCOPE',
    keys: ['claimingData'],
  });
  without.when(confirm(CUSTOMER, OTHER_SECRET)).refused('no-window');
});

law('C4', 'a claim uses up the window and the server-side key', () => {
  for (const policy of POLICIES) {
    for (const secret of [SECRET, OTHER_SECRET]) {
      const device = given(policy, opened(CLOSES), serverKeySaved(CLOSES))
        .when(confirm(CUSTOMER, secret))
        .happened('DeviceClaimed');
      assert.is(device.window, null);
      assert.is(device.serverKey, null);
    }
  }
});

law('C4', 'claimingAllowed is deleted by a claim when claiming is not allowed by default, else kept', () => {
  const facts = [saved({ claimingAllowed: true, colour: 'red' }), opened(CLOSES)];
  const strict = given(STRICT_POLICY, ...facts).when(confirm());
  strict.gives({
    type: 'DeviceClaimed',
    at: NOW,
    customerId: CUSTOMER,
    userId: USER,
    claimingAllowedDeleted: true,
    ownerEpoch: 1,
    evidence: 'secret',
    windowOpenedAt: NOW - 500,
  });
  assert.equal(Object.keys(strict.happened('DeviceClaimed').attributes.SERVER_SCOPE), ['colour']);

  const open = given(OPEN_POLICY, ...facts)
    .when(confirm())
    .happened('DeviceClaimed');
  assert.is(open.attributes.SERVER_SCOPE.claimingAllowed?.value, true);
});

law('C5', 'a device with an owner is claimed already, for its owner too, with the right secret too', () => {
  const owned = given(OPEN_POLICY, opened(CLOSES), claimed(), serverKeySaved(CLOSES));
  for (const customer of [CUSTOMER, OTHER_CUSTOMER]) {
    for (const secret of [SECRET, OTHER_SECRET, 'wrong']) {
      owned.when(confirm(customer, secret)).refused('already-claimed');
    }
  }
});

law('C5', 'without an owner and without a match: no window, elapsed, or the wrong secret', () => {
  given(OPEN_POLICY).when(confirm()).refused('no-window');
  given(OPEN_POLICY, opened(NOW)).when(confirm()).refused('window-elapsed');
  given(OPEN_POLICY, serverKeySaved(NOW)).when(confirm(CUSTOMER, OTHER_SECRET)).refused('window-elapsed');
  given(OPEN_POLICY, opened(CLOSES)).when(confirm(CUSTOMER, 'wrong')).refused('wrong-secret');
  givenNothing(OPEN_POLICY).when(confirm()).refused('unknown-device');
});

law('C6', 'a wrong secret closes nothing: the owner can still claim', () => {
  const open = given(OPEN_POLICY, opened(CLOSES), serverKeySaved(CLOSES));
  const afterwards = open.when(confirm(OTHER_CUSTOMER, 'wrong'));
  afterwards.refused('wrong-secret');
  assert.is(afterwards.state, open.state);
});

law('C11', 'what the device signed claims it without a window, to the last instant of the challenge', () => {
  const asked = given(OPEN_POLICY, saved({ claimPublicKey: PUBLIC_KEY }), challenged());
  assert.is(asked.when(prove(), CLOSES - 1).happened('DeviceClaimed').challenges, undefined);
  asked.when(prove(), CLOSES).refused('proof-outdated');
  const nonceDigests = ['of another key', 'nonce-1'];
  const changing: DeviceCommand = { ...prove(), proof: { type: 'signed', nonceDigests, key: SIGNED_BY_KEY } };
  asked.when(changing).happened('DeviceClaimed'); // while the server's keys are changed
  asked.when(prove(OTHER_CUSTOMER)).refused('wrong-proof');
  asked.when(prove(CUSTOMER, 'another nonce')).refused('wrong-proof');
  asked.when(prove(CUSTOMER, 'nonce-1', 'jwk of another device')).refused('wrong-proof');
});

law('C11', 'a proof opens what a window would open: a device that must not open one is not claimed', () => {
  const asked = [saved({ claimPublicKey: PUBLIC_KEY }), challenged()];
  given(STRICT_POLICY, ...asked)
    .when(prove())
    .refused('claiming-not-allowed');
  given(STRICT_POLICY, ...asked, saved({ claimingAllowed: true }))
    .when(prove())
    .happened('DeviceClaimed');
  given(STRICT_POLICY, saved({ claimPublicKey: PUBLIC_KEY }))
    .when(challenge())
    .refused('claiming-not-allowed');
});

law('C11', 'a device keeps sixteen challenges, and the oldest makes room', () => {
  const customers = Array.from({ length: 20 }, (_, nth) => idOf<CustomerId>(100 + nth));
  const asked = customers.map((customerId) => challenged(customerId));
  const { state } = given(OPEN_POLICY, saved({ claimPublicKey: PUBLIC_KEY }), ...asked);
  const kept = state.status === 'provisioned' ? (state.challenges ?? []) : [];
  assert.equal(
    kept.map(({ customerId }) => customerId),
    customers.slice(-16),
  );
});

law('C8', 'a confirm at closesAt or after fails, one millisecond before succeeds; no expiry needed', () => {
  const open = given(OPEN_POLICY, opened(CLOSES));
  open.when(confirm(), CLOSES - 1).happened('DeviceClaimed');
  open.when(confirm(), CLOSES).refused('window-elapsed');
  open.when(confirm(), CLOSES + 1).refused('window-elapsed');

  const keyed = given(OPEN_POLICY, serverKeySaved(CLOSES));
  keyed.when(confirm(CUSTOMER, OTHER_SECRET), CLOSES - 1).happened('DeviceClaimed');
  keyed.when(confirm(CUSTOMER, OTHER_SECRET), CLOSES).refused('window-elapsed');
});

law('C8', 'the alarm closes a window at its instant, never before, and only once', () => {
  const open = given(OPEN_POLICY, opened(CLOSES));
  open.when(expire, CLOSES - 1).ignored();
  const closed = open.when(expire, CLOSES).gives({ type: 'ClaimWindowExpired', at: CLOSES });
  assert.is(JSON.stringify(closed.state).includes(SECRET), false, 'the digest is wiped');
  given(OPEN_POLICY, opened(CLOSES), { type: 'ClaimWindowExpired', at: CLOSES })
    .when(expire, CLOSES + 1)
    .ignored();
  given(OPEN_POLICY, opened(CLOSES), claimed()).when(expire, CLOSES).ignored();
  givenNothing(OPEN_POLICY).when(expire, CLOSES).ignored();
});

law('C8', 'the alarm of a window that was replaced leaves the new one alone', () => {
  given(OPEN_POLICY, opened(CLOSES), opened(CLOSES + 5_000))
    .when(expire, CLOSES)
    .ignored();
});

// ----------------------------------------------------------------------------------------------------- giving back

law('R1', 'a customer gives back only what is its own; the tenant’s administrator takes back any', () => {
  for (const policy of POLICIES) {
    const owned = given(policy, opened(CLOSES), claimed());
    owned.when(reclaim(OTHER_CUSTOMER)).refused('not-owner');
    assert.is(owned.when(reclaim(CUSTOMER)).happened('DeviceReclaimed').owner, null);
    assert.is(owned.when(reclaim(null)).happened('DeviceReclaimed').owner, null);
  }
});

law('R1', 'nobody of another tenant takes anything back', () => {
  const owned = given(OPEN_POLICY, opened(CLOSES), claimed());
  for (const customerId of [CUSTOMER, null]) {
    owned
      .when({ type: 'ReclaimDevice', tenantId: OTHER_TENANT, userId: USER, customerId })
      .refused('unknown-device');
  }
});

law('R2', 'claimingAllowed appears again as true when claiming is not allowed by default, else not', () => {
  const strict = given(STRICT_POLICY, claimed()).when(reclaim(CUSTOMER));
  assert.equal(strict.happened('DeviceReclaimed').attributes.SERVER_SCOPE, {
    claimingAllowed: { value: true, savedAt: NOW },
  });
  const open = given(OPEN_POLICY, claimed()).when(reclaim(CUSTOMER));
  assert.equal(open.happened('DeviceReclaimed').attributes.SERVER_SCOPE, {});
});

law('R2', 'a device that was forbidden while somebody owned it stays forbidden when it comes back', () => {
  for (const policy of POLICIES) {
    const owned = given(policy, claimed(), saved({ claimingAllowed: false }));
    for (const command of [reclaim(CUSTOMER), reclaim(null), unassign()]) {
      const { state } = owned.when(command);
      assert.is(
        state.status === 'provisioned' && state.attributes.SERVER_SCOPE.claimingAllowed?.value,
        false,
      );
    }
  }
});

for (const deviceReset of ['release', 'release-and-open'] as const) {
  const policy: ClaimPolicy = { ...OPEN_POLICY, ownership: { ...OPEN_POLICY.ownership, deviceReset } };

  law('N5', `${deviceReset}: a reset told while nobody owned the device takes it from nobody later`, () => {
    const told = given(policy).when(reset(1_000)).state;
    const decider = createDeviceDecider(policy);
    const owned = decider.evolve(told, claimed());
    const decide = (command: DeviceCommand, at: number) => decider.decide(owned, command, at);
    // Delivered again, by a transport that says so and by one that does not.
    for (const at of [NOW, NOW + 7_200_000]) {
      const refusal = { reason: 'reset-repeated' } as const;
      assert.equal(decide({ ...reset(1_000), isRedelivery: true }, at), { type: 'refuse', refusal });
    }
    const retryAfterMs = 3_599_999;
    const refusal = { reason: 'rate-limited', retryAfterMs } as const;
    assert.equal(decide(reset(1_000), NOW + 1), { type: 'refuse', refusal });
    assert.is(decide(reset(1_000), NOW + 3_600_000).type, 'accept');
  });

  law(
    'N5',
    `${deviceReset}: a message that may be an old one resets no owned device, not even the first`,
    () => {
      given(policy, claimed())
        .when({ ...reset(1_000), isRedelivery: true })
        .refused('reset-repeated');
    },
  );
}

law('R2', 'a device that was given back can be claimed again, with a new window', () => {
  for (const policy of POLICIES) {
    const back: DeviceEvent = {
      type: 'DeviceReclaimed',
      at: NOW,
      previousCustomerId: CUSTOMER,
      userId: USER,
      claimingAllowedRestored: !policy.allowClaimingByDefault,
    };
    const device = given(policy, opened(CLOSES), claimed(), back);
    device.when(confirm()).refused('no-window'); // the old window does not come back
    device.when(initiate(1_000)).happened('ClaimWindowOpened');
  }
});

law(
  'R2',
  'reclaiming what nobody owns: a customer’s changes nothing, an administrator’s closes the window',
  () => {
    const open = given(OPEN_POLICY, opened(CLOSES));
    open.when(reclaim(CUSTOMER)).ignored();
    const closed = open.when(reclaim(null)).gives({ type: 'ClaimWindowClosed', at: NOW, userId: ADMIN });
    assert.is(JSON.stringify(closed.state).includes(SECRET), false, 'the digest is wiped');
    given(OPEN_POLICY).when(reclaim(CUSTOMER)).ignored();
    given(OPEN_POLICY).when(reclaim(null)).ignored();
  },
);

law('R3', 'assigning closes a window, whoever it is assigned to owns it', () => {
  const device = given(OPEN_POLICY, opened(CLOSES)).when(assign()).happened('DeviceAssigned');
  assert.is(device.window, null);
  assert.equal(device.owner, { customerId: CUSTOMER, since: NOW, by: 'assignment' });
});

law('R3', 'assigning to its owner is success and changes nothing; to another one moves it', () => {
  const owned = given(OPEN_POLICY, opened(CLOSES), claimed());
  owned.when(assign(CUSTOMER)).ignored();
  owned.when(assign(OTHER_CUSTOMER)).gives({
    type: 'DeviceAssigned',
    at: NOW,
    customerId: OTHER_CUSTOMER,
    previousCustomerId: CUSTOMER,
    userId: ADMIN,
    ownerEpoch: 2,
  });
});

law('R3', 'unassigning follows the rules of giving back', () => {
  for (const policy of POLICIES) {
    const restored = !policy.allowClaimingByDefault;
    given(policy, claimed()).when(unassign()).gives({
      type: 'DeviceUnassigned',
      at: NOW,
      previousCustomerId: CUSTOMER,
      userId: ADMIN,
      claimingAllowedRestored: restored,
      ownerEpoch: 2,
    });
  }
  given(OPEN_POLICY, claimed()).when(unassign(CUSTOMER)).happened('DeviceUnassigned');
  given(OPEN_POLICY, claimed()).when(unassign(OTHER_CUSTOMER)).refused('not-assigned');
  given(OPEN_POLICY, opened(CLOSES)).when(unassign()).refused('not-assigned');
});

law('R5', 'each change of owner begins an epoch, and nothing else does', () => {
  const facts: DeviceEvent[] = [];
  const epochAfter = (command: DeviceCommand) => {
    const { state } = given(OPEN_POLICY, ...facts).when(command);
    return state.status === 'provisioned' ? ownerEpochOf(state) : undefined;
  };
  for (const command of [initiate(1_000), save({ colour: 'red' }), reclaim(null)]) {
    assert.is(epochAfter(command), 0);
  }
  assert.is(epochAfter(assign(CUSTOMER)), 1);
  facts.push(opened(CLOSES));
  assert.is(epochAfter(confirm()), 1);
  facts.push(claimed());
  for (const command of [reclaim(CUSTOMER), reclaim(null), unassign(), assign(OTHER_CUSTOMER)]) {
    assert.is(epochAfter(command), 2);
  }
  assert.is(epochAfter(assign(CUSTOMER)), 1, 'its owner already');
});

law('R6', 'a claim says by what it came about: a secret, a server key, a proof', () => {
  const key = serverKeySaved(CLOSES, OTHER_SECRET);
  const asked = given(OPEN_POLICY, opened(CLOSES), key, saved({ claimPublicKey: PUBLIC_KEY }), challenged());
  const evidence = [confirm(), confirm(CUSTOMER, OTHER_SECRET), prove()].map(
    (command) => asked.when(command).happened('DeviceClaimed').owner?.evidence,
  );
  assert.equal(evidence, ['secret', 'server-key', 'proof']);
});

law('R6', 'a device that was claimed and is still owned keeps no list of owners before', () => {
  const owned = given(OPEN_POLICY, opened(CLOSES)).when(confirm()).happened('DeviceClaimed');
  assert.is(owned.handovers, undefined);
  assert.equal(knownChanges(owned), [{ epoch: 1, at: NOW, by: 'secret' }]);
});

law('R6', 'of what an older version wrote only the present owner is known, and that there were more', () => {
  const old = given(OPEN_POLICY, { ...claimed(), ownerEpoch: 7 } as DeviceEvent).state;
  assert.ok(old.status === 'provisioned');
  assert.equal(knownChanges(old), [{ epoch: 7, at: NOW - 100, by: 'claim' }]);
  const freed = given(OPEN_POLICY, { ...claimed(), ownerEpoch: 7 } as DeviceEvent)
    .when(reclaim(CUSTOMER))
    .happened('DeviceReclaimed');
  assert.equal(
    knownChanges(freed).map(({ epoch, by }) => [epoch, by]),
    [
      [7, 'claim'],
      [8, 'give-back'],
    ],
  );
});

law(
  'R6',
  'an event names the administrator who looked in as the user, a take-over him who asked for it',
  () => {
    const ownership = { ...DEFAULT_OWNERSHIP_RULES, takeOver: 'after-notice', takeOverNoticeMs: 10 } as const;
    const decider = createDeviceDecider({ ...OPEN_POLICY, ownership });
    const after = (...commands: readonly DeviceCommand[]) => {
      let [state, event]: [DeviceState, DeviceEvent | undefined] = [given(OPEN_POLICY).state, undefined];
      for (const command of commands) {
        const decision = decider.decide(state, command, command.type === 'CompleteTakeOver' ? NOW + 10 : NOW);
        if (decision.type !== 'accept') throw new Error(JSON.stringify(decision));
        event = decision.event;
        state = decider.evolve(state, event);
      }
      return [event?.type, event?.impersonatorId];
    };
    const inPerson = [assign(CUSTOMER), initiate(1_000), confirm(OTHER_CUSTOMER)] as const;
    const [first, second, claim] = inPerson;
    const lookedIn = [first, second, { ...claim, impersonatorId: ADMIN }] as const;
    assert.equal(after({ ...first, impersonatorId: ADMIN }), ['DeviceAssigned', ADMIN]);
    assert.equal(after(...inPerson), ['TakeOverAsked', undefined]);
    assert.equal(after(...lookedIn), ['TakeOverAsked', ADMIN]);
    assert.equal(after(...lookedIn, save({ colour: 'red' })), ['AttributesSaved', undefined]);
    assert.equal(after(...lookedIn, complete(OTHER_CUSTOMER, 1)), ['DeviceTakenOver', ADMIN]);
    assert.equal(after(...lookedIn, complete(OTHER_CUSTOMER, 1, false)), ['TakeOverEnded', undefined]);
    assert.equal(after(...inPerson, complete(OTHER_CUSTOMER, 1)), ['DeviceTakenOver', undefined]);
  },
);

law('R5', 'a command for another epoch is refused, whoever asks', () => {
  const owned = given(OPEN_POLICY, opened(CLOSES), claimed());
  for (const command of [
    reclaim(CUSTOMER),
    reclaim(null),
    unassign(),
    assign(OTHER_CUSTOMER),
    assign(CUSTOMER),
  ]) {
    for (const inEpochs of [[], [0], [2], [0, 2]]) {
      owned.when({ ...command, inEpochs }).refused('epoch-changed');
    }
  }
  owned.when({ ...reclaim(OTHER_CUSTOMER), inEpochs: [0] }).refused('not-owner');
  owned.when({ ...reclaim(CUSTOMER), inEpochs: [0, 1] }).happened('DeviceReclaimed');
  owned.when({ ...assign(OTHER_CUSTOMER), inEpochs: [1] }).happened('DeviceAssigned');
  const remove = { type: 'DeleteDevice', tenantId: TENANT } as const;
  owned.when({ ...remove, inEpochs: [0] }).refused('epoch-changed');
});

law('R5', 'a customer cannot find out the epoch of a device that nobody owns', () => {
  const open = given(OPEN_POLICY, opened(CLOSES));
  for (const inEpochs of [[0], [1]]) open.when({ ...reclaim(CUSTOMER), inEpochs }).refused('epoch-changed');
  open.when({ ...reclaim(null), inEpochs: [0] }).happened('ClaimWindowClosed');
  open.when({ ...reclaim(null), inEpochs: [1] }).refused('epoch-changed');
});

law('R3', 'assign and unassign of another tenant find no such device', () => {
  given(OPEN_POLICY)
    .when({ type: 'AssignDevice', tenantId: OTHER_TENANT, userId: ADMIN, customerId: CUSTOMER })
    .refused('unknown-device');
  given(OPEN_POLICY, claimed())
    .when({ type: 'UnassignDevice', tenantId: OTHER_TENANT, userId: ADMIN, customerId: null })
    .refused('unknown-device');
});

// -------------------------------------------------------------------------------------- the rest of a device's life

law('life', 'a device is provisioned once; one provisioned with a customer is owned by assignment', () => {
  given(OPEN_POLICY).when(provision()).refused('already-provisioned');
  const born = givenNothing(OPEN_POLICY).when(provision(CUSTOMER)).happened('DeviceProvisioned');
  assert.equal(born.owner, { customerId: CUSTOMER, since: NOW, by: 'assignment' });
});

law('life', 'a deleted device is gone, with window, owner and keys', () => {
  const gone = given(OPEN_POLICY, opened(CLOSES), serverKeySaved(CLOSES)).when(remove).state;
  assert.equal(gone, { status: 'absent' });
  for (const command of [initiate(1_000), confirm(), reclaim(null), assign(), unassign(), remove, save({})]) {
    givenNothing(OPEN_POLICY).when(command).refused('unknown-device');
  }
});

law('attributes', 'a customer writes only on its own device', () => {
  const byCustomer = { ...save({ colour: 'red' }), customerId: CUSTOMER };
  given(OPEN_POLICY).when(byCustomer).refused('not-owner');
  given(OPEN_POLICY, claimed(OTHER_CUSTOMER)).when(byCustomer).refused('not-owner');
  given(OPEN_POLICY, claimed()).when(byCustomer).happened('AttributesSaved');
});

law('attributes', 'attributes above the limit are refused whole', () => {
  const before = given(OPEN_POLICY, saved({ colour: 'red' }));
  const after = before.when(save({ big: 'x'.repeat(OPEN_POLICY.maxAttributeBytes) }));
  after.refused('attributes-too-large');
  assert.is(after.state, before.state);
});

law('attributes', 'deleting what is not there is success and writes nothing', () => {
  given(OPEN_POLICY).when(deleteAttributes('colour', 'claimingData')).ignored();
  const device = given(OPEN_POLICY, saved({ colour: 'red' }), serverKeySaved(CLOSES));
  device.when(deleteAttributes('colour', 'size')).gives({
    type: 'AttributesDeleted',
    at: NOW,
    scope: 'SERVER_SCOPE',
    keys: ['colour'],
  });
  assert.is(device.when(deleteAttributes('claimingData')).happened('AttributesDeleted').serverKey, null);
});

law('attributes', 'keys that mean something to JavaScript are data like any other', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  for (const name of names) {
    given(OPEN_POLICY).when(deleteAttributes(name)).ignored();
    const values = Object.fromEntries([[name, 1]]);
    const device = given(OPEN_POLICY).when(save(values)).happened('AttributesSaved');
    assert.equal(Object.keys(device.attributes.SERVER_SCOPE), [name]);
    assert.equal(Object.getPrototypeOf(device.attributes.SERVER_SCOPE), Object.prototype);
    given(OPEN_POLICY, saved(values)).when(deleteAttributes(name)).happened('AttributesDeleted');
  }
});

law('R4', 'a label for as long as the device has another one leaves all else as it is', () => {
  const relabel = (label: string | null, ifLabel: string | null): DeviceCommand => ({
    type: 'UpdateDevice',
    tenantId: TENANT,
    customerId: null,
    label,
    ifLabel,
  });
  const described = { label: 'Hall 1', additionalInfo: { hall: 1 } };
  const device = given(OPEN_POLICY, {
    type: 'DeviceUpdated',
    at: NOW,
    name: 'Pump 2',
    deviceType: 'pump',
    ...described,
  });
  const { name, type, label, additionalInfo } = device
    .when(relabel('Hall 2', 'Hall 1'))
    .happened('DeviceUpdated');
  assert.equal(
    { name, type, label, additionalInfo },
    { ...described, name: 'Pump 2', type: 'pump', label: 'Hall 2' },
  );
  device.when(relabel('Hall 2', null)).refused('description-changed');
  device.when(relabel('Hall 2', 'Hall 3')).refused('description-changed');
  // Also where the owner has written the same words: they are the owner's.
  const owners = given(OPEN_POLICY, opened(CLOSES), claimed(), {
    type: 'DeviceUpdated',
    at: NOW,
    customerId: CUSTOMER,
    name: 'Pump 1',
    deviceType: 'default',
    ...described,
  });
  owners.when(relabel('Hall 2', 'Hall 1')).refused('description-changed');
});

law('gateway', 'an owner may not make its device a gateway, the tenant may; a gateway may stay one', () => {
  const update = (customerId: CustomerId | null, additionalInfo: JsonObject | null): DeviceCommand => ({
    type: 'UpdateDevice',
    tenantId: TENANT,
    customerId,
    name: 'Pump 1',
    deviceType: 'default',
    label: null,
    additionalInfo,
  });
  const owned = given(OPEN_POLICY, opened(CLOSES), claimed());
  owned.when(update(CUSTOMER, { gateway: true })).refused('not-owner');
  for (const yes of ['true', ' true\n', 1, -1])
    owned.when(update(CUSTOMER, { gateway: yes })).refused('not-owner');
  for (const no of ['True', 'yes', '1', 0, 0.5, null, [true], {}]) {
    owned.when(update(CUSTOMER, { gateway: no, colour: 'red' })).happened('DeviceUpdated');
  }
  owned.when(update(null, { gateway: true })).happened('DeviceUpdated');

  const madeByTenant: DeviceEvent = {
    type: 'DeviceUpdated',
    at: NOW,
    name: 'Pump 1',
    deviceType: 'default',
    label: null,
    additionalInfo: { gateway: true },
  };
  const gateway = given(OPEN_POLICY, opened(CLOSES), claimed(), madeByTenant);
  gateway.when(update(CUSTOMER, { gateway: true, colour: 'red' })).happened('DeviceUpdated');
  gateway.when(update(CUSTOMER, null)).happened('DeviceUpdated');
});

law('server key', 'saving one keeps the instant of saving, as for any attribute', () => {
  const device = given(OPEN_POLICY).when(saveServerKey(CLOSES)).happened('AttributesSaved');
  assert.equal(device.serverKey, {
    secretDigest: OTHER_SECRET,
    sealedSecret: `sealed(${OTHER_SECRET})`,
    expiresAt: CLOSES,
    savedAt: NOW,
  });
});

test.run();
