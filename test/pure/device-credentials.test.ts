/** O9: what becomes of a device's credentials when its owner changes, as examples. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createDeviceDecider, type DeviceCommand, evolve } from '../../actors/device/device.ts';
import type { OwnershipRules } from '../../actors/device/ownership-rules.ts';
import type { Credentials, Device } from '../../actors/device/state.ts';
import {
  ADMIN,
  assign,
  CUSTOMER,
  confirm,
  given,
  initiate,
  NOW,
  OPEN_POLICY,
  OTHER_CUSTOMER,
  OTHER_SECRET,
  OTHER_TOKEN,
  reclaim,
  TENANT,
  TOKEN,
  USER,
  withFreshCredentials,
} from '../kit/given.ts';

const GRACE_MS = 1000;

/** A device under a rule, and what becomes of it, command by command. */
function life(onOwnerChange: OwnershipRules['onOwnerChange'], credentials: Credentials = TOKEN) {
  const rules = { ...OPEN_POLICY.ownership, onOwnerChange, rotationGraceMs: GRACE_MS };
  const decider = withFreshCredentials({ ...OPEN_POLICY, ownership: rules });
  let { state } = given(OPEN_POLICY, { type: 'CredentialsChanged', at: NOW, credentials });
  return {
    get device(): Device {
      if (state.status === 'absent') throw new Error('there is no device');
      return state;
    },
    /** What came of a command: the event, `same`, or why not. */
    when(command: DeviceCommand, at = NOW): string {
      const decision = decider.decide(state, command, at);
      if (decision.type !== 'accept') return decision.type === 'ignore' ? 'same' : decision.refusal.reason;
      state = evolve(state, decision.event);
      return decision.event.type;
    },
  };
}

const open = ({ credentialsId }: { credentialsId: string }, secret?: string): DeviceCommand => ({
  ...initiate(60_000, secret),
  openedBy: { type: 'device', credentialsId },
});
const fetching = ({ credentialsId }: Credentials): DeviceCommand => ({
  type: 'FetchCredentials',
  credentialsId,
});
const adopt = ({ credentialsId }: Credentials): DeviceCommand => ({
  type: 'AdoptCredentials',
  credentialsId,
});
const reads: DeviceCommand = {
  type: 'ReadCredentials',
  tenantId: TENANT,
  customerId: CUSTOMER,
  userId: USER,
};
const approve = (openedAt: number): DeviceCommand => ({
  type: 'ApproveWindow',
  tenantId: TENANT,
  userId: ADMIN,
  openedAt,
});
const renew: DeviceCommand = { type: 'ChangeCredentials', tenantId: TENANT, credentials: OTHER_TOKEN };

function nextOf({ nextCredentials }: Device): Credentials {
  if (nextCredentials === undefined) throw new Error('there are no next credentials');
  return nextCredentials.credentials;
}

test('device credentials: keep: every change of owner leaves them as they are', () => {
  const kept = life('keep');
  assert.is(kept.when(assign(CUSTOMER)), 'DeviceAssigned');
  assert.is(kept.when(reads), 'CredentialsRead');
  assert.is(kept.when(reclaim(CUSTOMER)), 'DeviceReclaimed');
  assert.is(kept.when(open(TOKEN)), 'ClaimWindowOpened');
  assert.is(kept.when(confirm(OTHER_CUSTOMER)), 'DeviceClaimed');
});

test('device credentials: rotate: the old ones fetch the new ones, do nothing else, and end when those are used', () => {
  const rotated = life('rotate');
  rotated.when(assign(CUSTOMER));
  rotated.when(reclaim(CUSTOMER));
  const next = nextOf(rotated.device);
  assert.is(rotated.when(open(TOKEN)), 'credentials-superseded');
  assert.is(rotated.when(fetching(TOKEN)), 'same');
  assert.is(rotated.when(open(next)), 'credentials-revoked', 'not before they are adopted');
  assert.is(rotated.when(adopt(next)), 'CredentialsRotated');
  assert.is(rotated.when(adopt(next)), 'same', 'again, because the answer was lost');
  assert.equal(rotated.device.credentials, next);
  assert.is(rotated.when(fetching(TOKEN)), 'credentials-revoked');
  assert.is(rotated.when(open(next)), 'ClaimWindowOpened');
  assert.is(rotated.when(confirm(OTHER_CUSTOMER)), 'DeviceClaimed');
  assert.is.not(nextOf(rotated.device).credentialsId, next.credentialsId, 'and each change rotates');
});

test('device credentials: rotate: what was not used yet stays the next, for the device may have stored it', () => {
  const rotated = life('rotate');
  rotated.when(assign(CUSTOMER));
  const next = nextOf(rotated.device);
  rotated.when(reclaim(CUSTOMER), NOW + 10);
  assert.equal(rotated.device.nextCredentials, { credentials: next, until: NOW + 10 + GRACE_MS });
});

test('device credentials: rotate: after its time the old token fetches nothing; the instant decides, not the timer', () => {
  const rotated = life('rotate');
  rotated.when(assign(CUSTOMER));
  const next = nextOf(rotated.device);
  assert.is(rotated.when(fetching(TOKEN), NOW + GRACE_MS - 1), 'same');
  assert.is(rotated.when(fetching(TOKEN), NOW + GRACE_MS), 'credentials-revoked');
  assert.is(rotated.when(open(TOKEN), NOW + GRACE_MS), 'credentials-revoked');
  assert.is(rotated.when({ type: 'ExpireDue' }, NOW + GRACE_MS - 1), 'same');
  assert.is(rotated.when({ type: 'ExpireDue' }, NOW + GRACE_MS), 'CredentialsRotated');
  assert.equal(rotated.device.credentials, next, 'which the tenant can read and bring to the device');
});

test('device credentials: rotate: where a customer has read them, what replaces them is quarantined', () => {
  const rotated = life('rotate');
  rotated.when(assign(CUSTOMER));
  rotated.when(adopt(nextOf(rotated.device)));
  assert.is(rotated.when(reads), 'CredentialsRead');
  assert.is(rotated.when(reads), 'same');
  rotated.when(reclaim(CUSTOMER));
  const next = nextOf(rotated.device);
  // Who has the old token fetches the new one, as the device does.
  rotated.when(adopt(next));
  assert.is(rotated.when(open(next)), 'ClaimWindowOpened');
  assert.is(rotated.when(confirm(CUSTOMER)), 'window-pending');
});

test('device credentials: rotate: a certificate stays; what a customer reads of it is public', () => {
  const certificate = { type: 'X509_CERTIFICATE', credentialsId: 'digest', certificate: 'MIIB' } as const;
  const kept = life('rotate', certificate);
  kept.when(assign(CUSTOMER));
  assert.is(kept.when(reads), 'same');
  kept.when(reclaim(CUSTOMER));
  assert.is(kept.device.nextCredentials, undefined);
  assert.is(kept.when(open(certificate)), 'ClaimWindowOpened');
  assert.is(kept.when(confirm(OTHER_CUSTOMER)), 'DeviceClaimed');
});

test('device credentials: rotate: without anything to rotate to they are quarantined', () => {
  const rules = { ...OPEN_POLICY.ownership, onOwnerChange: 'rotate' } as const;
  const decider = createDeviceDecider({ ...OPEN_POLICY, ownership: rules });
  const decision = decider.decide(given(OPEN_POLICY).state, assign(CUSTOMER), NOW);
  assert.is(decision.type === 'accept' && 'quarantined' in decision.event, true);
});

test('device credentials: only the owner reads them', () => {
  const device = life('keep');
  assert.is(device.when(reads), 'not-owner');
  device.when(assign(OTHER_CUSTOMER));
  assert.is(device.when(reads), 'not-owner');
});

test('device credentials: quarantine: a window waits for the tenant, and the right secret is no claim before', () => {
  const quarantined = life('quarantine');
  quarantined.when(assign(CUSTOMER));
  quarantined.when(reclaim(CUSTOMER));
  assert.is(quarantined.when(open(TOKEN), NOW), 'ClaimWindowOpened');
  assert.is(quarantined.when(confirm(OTHER_CUSTOMER)), 'window-pending');
  assert.is(quarantined.when(confirm(OTHER_CUSTOMER, OTHER_SECRET)), 'wrong-secret', 'a guess counts');
  assert.is(quarantined.when(approve(NOW)), 'ClaimWindowApproved');
  assert.is(quarantined.when(confirm(OTHER_CUSTOMER)), 'DeviceClaimed');
  assert.is(quarantined.when(reclaim(OTHER_CUSTOMER)), 'DeviceReclaimed');
  assert.is(quarantined.when(open(TOKEN)), 'ClaimWindowOpened');
  assert.is(quarantined.when(confirm(CUSTOMER)), 'window-pending', 'an approval is for one window');
});

test('device credentials: quarantine: the tenant approves the window that it saw, and no other', () => {
  const quarantined = life('quarantine');
  quarantined.when(assign(CUSTOMER));
  quarantined.when(reclaim(CUSTOMER));
  assert.is(quarantined.when(approve(NOW)), 'no-window');
  quarantined.when(open(TOKEN), NOW);
  quarantined.when(open(TOKEN, OTHER_SECRET), NOW + 1);
  assert.is(quarantined.when(approve(NOW)), 'window-replaced');
  assert.is(quarantined.when(approve(NOW + 1), NOW + 60_001), 'window-elapsed');
});

test('device credentials: quarantine: what waits does not replace what was approved', () => {
  const quarantined = life('quarantine');
  quarantined.when(assign(CUSTOMER));
  quarantined.when(reclaim(CUSTOMER));
  quarantined.when(open(TOKEN), NOW);
  quarantined.when(approve(NOW));
  assert.is(quarantined.when(open(TOKEN, OTHER_SECRET), NOW + 1), 'ClaimWindowOpened', 'from afar');
  assert.is(quarantined.when(confirm(CUSTOMER, OTHER_SECRET)), 'window-pending');
  assert.is(quarantined.when(confirm(OTHER_CUSTOMER)), 'DeviceClaimed');
});

test('device credentials: quarantine: ends when the tenant gives the device other credentials', () => {
  const quarantined = life('quarantine');
  quarantined.when(assign(CUSTOMER));
  quarantined.when(reclaim(CUSTOMER));
  quarantined.when(open(TOKEN), NOW);
  assert.is(quarantined.when(renew), 'CredentialsChanged');
  assert.is(quarantined.when(confirm(CUSTOMER)), 'no-window', 'what waited is gone');
  assert.is(quarantined.when(open(TOKEN)), 'credentials-revoked');
  assert.is(quarantined.when(open(OTHER_TOKEN)), 'ClaimWindowOpened');
  assert.is(quarantined.when(confirm(OTHER_CUSTOMER)), 'DeviceClaimed');
});

test.run();
