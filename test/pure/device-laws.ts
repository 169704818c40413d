/**
 * What must hold at every step of a device's life, whatever the step: each law looks at one transition. They are
 * checked after every step of the enumeration (`device-machine.test.ts`) and of random lives (`device-lives.test.ts`).
 */

import * as assert from 'node:assert/strict';
// For what is compared at every step: node's takes several times as long.
import { equal } from 'uvu/assert';
import type { Instant } from '../../actors/base/clock.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import { type DeviceCommand, type DeviceEvent, evolve } from '../../actors/device/device.ts';
import { indexChanges, indexEntries } from '../../actors/device/indexes.ts';
import type { Refusal } from '../../actors/device/messages.ts';
import { takeOverNeedsProof } from '../../actors/device/ownership-rules.ts';
import {
  decodeEvent,
  decodeHead,
  decodeState,
  devicePersistence,
  encodeDetails,
  encodeEvent,
  encodeState,
} from '../../actors/device/persistence.ts';
import type { Device, DeviceState } from '../../actors/device/state.ts';
import type { IndexEntries } from '../../actors/journal/journal.ts';
import type { Decision } from '../../actors/runtime/decider.ts';
import { DEVICE } from '../kit/given.ts';
import { look, prophesy, tenantOf } from './device-oracle.ts';

export interface Step {
  readonly policy: ClaimPolicy;
  readonly before: DeviceState;
  readonly command: DeviceCommand;
  readonly at: Instant;
  readonly decision: Decision<DeviceEvent, Refusal>;
  readonly after: DeviceState;
}

/** Named laws; a broken one throws. */
export interface Laws<Args extends unknown[]> {
  readonly [law: string]: (...args: Args) => void;
}

const alive = (state: DeviceState): Device | undefined => (state.status === 'absent' ? undefined : state);
const ownerOf = (state: DeviceState) => alive(state)?.owner?.customerId ?? null;
const windowOf = (state: DeviceState) => alive(state)?.window ?? null;
const givenBy = (event: DeviceEvent) =>
  event.type === 'DeviceClaimed' || event.type === 'DeviceTakenOver' ? (event.attributes ?? {}) : {};

/** Laws over any transition. They are cheap and run for every one. */
export const stepLaws: Laws<[Step]> = {
  'the rule book, read a second time, says the same'({ policy, before, command, at, decision, after }) {
    const { verdict, world } = prophesy(policy, sight(before), command, at);
    const said =
      decision.type === 'accept'
        ? 'yes'
        : decision.type === 'ignore'
          ? 'same'
          : `no: ${decision.refusal.reason}`;
    assert.equal(said, verdict);
    if (sight(after) !== world) equal(sight(after), world);
  },

  'a refusal and a success that changes nothing carry no event'({ decision, before, after }) {
    if (decision.type === 'accept') return;
    assert.ok(!('event' in decision));
    assert.equal(after, before);
  },

  'an event tells the instant of its decision'({ decision, at }) {
    if (decision.type === 'accept') assert.equal(decision.event.at, at);
  },

  'nobody becomes owner without a claim, an assignment, a transfer, a take-over or a birth'({
    decision,
    before,
    after,
  }) {
    const owner = ownerOf(after);
    if (owner === null || owner === ownerOf(before)) return;
    const event = decision.type === 'accept' ? decision.event : undefined;
    const makes = [
      'DeviceClaimed',
      'DeviceTakenOver',
      'DeviceAssigned',
      'DeviceTransferred',
      'DeviceProvisioned',
    ];
    assert.ok(event !== undefined && makes.includes(event.type), `${event?.type} made an owner`);
    assert.ok('customerId' in event && event.customerId === owner);
  },

  'the owner changes by claim, take-over, assign, transfer, reclaim, unassign, reset, birth and death alone'({
    decision,
    before,
    after,
  }) {
    if (ownerOf(before) === ownerOf(after)) return;
    const event = decision.type === 'accept' ? decision.event.type : 'nothing';
    const changes = [
      'DeviceClaimed',
      'DeviceTakenOver',
      'DeviceReset',
      'DeviceAssigned',
      'DeviceTransferred',
      'DeviceReclaimed',
      'DeviceUnassigned',
      'DeviceProvisioned',
      'DeviceDeleted',
    ];
    assert.ok(changes.includes(event), `${event} changed the owner`);
  },

  'an owned device is claimed by a take-over alone, and by none where there is none'({
    policy,
    command,
    before,
    decision,
  }) {
    if (command.type !== 'ConfirmClaim' || ownerOf(before) === null) return;
    if (policy.ownership.takeOver === 'never') assert.equal(decision.type, 'refuse');
    if (decision.type === 'accept') {
      assert.ok(['TakeOverAsked', 'DeviceTakenOver'].includes(decision.event.type));
      const isProven = command.proof !== undefined;
      // Neither a server key nor a gateway.
      if (!isProven) assert.equal(windowOf(before)?.openedBy, 'device');
      if (takeOverNeedsProof(policy.ownership)) assert.ok(isProven);
    }
  },

  'a take-over after notice happens to who asked, at its instant or later, in the epoch it was asked in'({
    policy,
    command,
    before,
    at,
    decision,
  }) {
    if (decision.type !== 'accept' || decision.event.type !== 'DeviceTakenOver') return;
    if (command.type === 'ConfirmClaim') return assert.equal(policy.ownership.takeOver, 'at-once');
    const device = alive(before);
    const pending = device?.takeOver;
    assert.ok(device !== undefined && pending !== undefined && at >= pending.dueAt);
    assert.equal(decision.event.customerId, pending.customerId);
    assert.equal(pending.inEpoch, device.ownerEpoch ?? 0);
    assert.notEqual(device.attributes.SERVER_SCOPE.claimingAllowed?.value, false);
  },

  'a reset is told by the device itself, allowed by its profile, and happens once an hour'({
    policy,
    command,
    before,
    at,
    decision,
  }) {
    if (decision.type !== 'accept' || decision.event.type !== 'DeviceReset') return;
    assert.ok(command.type === 'ResetDevice' && command.openedBy.type === 'device');
    assert.notEqual(policy.ownership.deviceReset, 'off');
    const last = alive(before)?.lastResetAt;
    assert.ok(last === undefined || Math.abs(at - last) >= 3_600_000);
    assert.ok(!command.isRedelivery);
  },

  'every reset that a device tells and is not refused counts, also where nobody owns it'({
    policy,
    command,
    at,
    decision,
    after,
  }) {
    if (command.type !== 'ResetDevice' || command.openedBy.type !== 'device') return;
    if (policy.ownership.deviceReset === 'off' || decision.type === 'refuse') return;
    assert.equal(alive(after)?.lastResetAt, at);
  },

  'no claim at or after the end of what opened it'({ command, before, decision, at }) {
    if (command.type !== 'ConfirmClaim' || decision.type !== 'accept') return;
    const device = alive(before);
    const { proof, customerId } = command;
    const byProof = device?.challenges?.some(
      (open) =>
        proof?.type === 'signed' &&
        proof.nonceDigests.includes(open.nonceDigest) &&
        open.customerId === customerId &&
        at < open.expiresAt,
    );
    const { window = null, serverKey = null } = device ?? {};
    // What waits for the tenant's approval opens nothing.
    const byWindow = window !== null && at < window.closesAt && window.secretDigest === command.secretDigest;
    const byKey =
      serverKey !== null && at < serverKey.expiresAt && serverKey.secretDigest === command.secretDigest;
    assert.ok(byWindow || byKey || byProof);
  },

  'where the operator is asked, its consent to this very epoch is needed'({
    policy,
    before,
    command,
    decision,
  }) {
    const claims = command.type === 'ConfirmClaim' || command.type === 'ClaimByKit';
    if (!claims || decision.type !== 'accept' || !policy.asksConsent) return;
    assert.equal(command.consentIn, alive(before)?.ownerEpoch ?? 0);
  },

  'what the operator gives is there with the owner that it was given for, by the same event, and goes with that owner'({
    command,
    before,
    decision,
    after,
  }) {
    if (decision.type !== 'accept' || !('ownerEpoch' in decision.event)) return;
    const asked = command.type === 'ConfirmClaim' || command.type === 'ClaimByKit' ? command : undefined;
    const meant = asked === undefined ? alive(before)?.takeOver?.attributes : asked.attributes;
    const isClaim = ['DeviceClaimed', 'DeviceTakenOver'].includes(decision.event.type);
    const given = givenBy(decision.event);
    equal(given, (isClaim ? meant : undefined) ?? {});
    const kept = Object.entries(alive(after)?.attributes.SERVER_SCOPE ?? {});
    const owners = kept.flatMap(([key, { value, byCustomer }]) => (byCustomer ? [[key, value]] : []));
    equal(Object.fromEntries(owners), given);
  },

  'where a proof is required nothing else claims'({ policy, command, decision }) {
    if (command.type !== 'ConfirmClaim' || decision.type !== 'accept') return;
    assert.ok(policy.ownership.claimProof !== 'required' || command.proof?.type === 'signed');
  },

  'no challenge of an owner epoch is there in the next'({ before, after }) {
    const [old, young] = [alive(before), alive(after)];
    if (old === undefined || young === undefined || old.ownerEpoch === young.ownerEpoch) return;
    assert.equal(young.challenges, undefined);
  },

  'what a gateway opened is good in that epoch of the gateway alone'({ command, before, decision, at }) {
    if (command.type !== 'ConfirmClaim' || decision.type !== 'accept') return;
    const { window = null, serverKey = null } = alive(before) ?? {};
    if (serverKey !== null && serverKey.secretDigest === command.secretDigest && at < serverKey.expiresAt)
      return;
    const byWindow = window?.secretDigest === command.secretDigest; // else by a proof
    if (byWindow && window?.gateway !== undefined) assert.deepEqual(command.gateway, window.gateway);
  },

  'a kit claims in the owner epoch in which it was made alone'({ command, before, decision }) {
    if (command.type !== 'ClaimByKit' || decision.type !== 'accept') return;
    assert.equal(alive(before)?.ownerEpoch ?? 0, command.grantedIn);
    assert.equal(ownerOf(before), null);
  },

  'a forbidden device is claimed by nothing'({ command, before, decision }) {
    const forbidden = alive(before)?.attributes.SERVER_SCOPE.claimingAllowed?.value === false;
    if (forbidden && command.type === 'ConfirmClaim') assert.equal(decision.type, 'refuse');
    if (forbidden && command.type === 'ClaimByKit') assert.notEqual(decision.type, 'accept');
  },

  'the owner epoch grows by one when the owner changes, and else never'({ before, after, decision }) {
    const [old, young] = [alive(before), alive(after)];
    if (old === undefined || young === undefined) return;
    const grows = ownerOf(before) === ownerOf(after) ? 0 : 1;
    assert.equal((young.ownerEpoch ?? 0) - (old.ownerEpoch ?? 0), grows);
    const began = decision.type === 'accept' && 'ownerEpoch' in decision.event && decision.event.ownerEpoch;
    assert.equal(began, grows === 1 && young.ownerEpoch);
  },

  'a command for another epoch has no effect'({ command, before, after }) {
    const device = alive(before);
    if (device === undefined || !('inEpochs' in command)) return;
    if (command.inEpochs?.includes(device.ownerEpoch ?? 0) !== true) assert.equal(after, before);
  },

  'no authority of epoch n has any effect at epoch n+1'({ before, after, decision, at }) {
    const [old, young] = [alive(before), alive(after)];
    if (old === undefined || young === undefined || young.ownerEpoch === old.ownerEpoch) return;
    // What lies in the record and was granted under the epoch that ended: whoever grants more, adds it here.
    const { offer, challenges, takeOver } = young;
    assert.deepEqual([offer, challenges, takeOver], [undefined, undefined, undefined]);
    // A reset may open a window, in the epoch that it begins.
    const byReset = decision.type === 'accept' && decision.event.type === 'DeviceReset';
    for (const window of [young.window ?? undefined, young.pendingWindow]) {
      assert.ok(window === undefined || (byReset && window.openedAt === at));
    }
  },

  'nothing that the owner of epoch n wrote is there at epoch n+1, nor kept for it'({
    decision,
    before,
    after,
  }) {
    const [old, young] = [alive(before), alive(after)];
    if (old === undefined || young === undefined || young.ownerEpoch === old.ownerEpoch) return;
    const given = decision.type === 'accept' ? givenBy(decision.event) : {};
    const { SERVER_SCOPE, SHARED_SCOPE } = young.attributes;
    for (const [key, { byCustomer }] of Object.entries(SERVER_SCOPE)) {
      if (byCustomer) assert.ok(Object.hasOwn(given, key));
    }
    assert.ok(!Object.values(SHARED_SCOPE).some(({ byCustomer }) => byCustomer));
    const { SERVER_SCOPE: server = {}, SHARED_SCOPE: shared = {} } = young.tenantAttributes ?? {};
    assert.ok(Object.keys(server).every((key) => Object.hasOwn(given, key)));
    assert.deepEqual([shared, young.tenantDescription], [{}, undefined]);
  },

  'credentials of epoch n are superseded or quarantined at epoch n+1, unless they are kept'(step) {
    const [old, young] = [alive(step.before), alive(step.after)];
    if (old === undefined || young === undefined || old.ownerEpoch === young.ownerEpoch) return;
    const { onOwnerChange, rotationGraceMs } = step.policy.ownership;
    if (onOwnerChange === 'quarantine') assert.equal(young.quarantined, true);
    if (onOwnerChange !== 'rotate' || old.credentials.type === 'X509_CERTIFICATE') return;
    const { credentials, until } = young.nextCredentials ?? {};
    assert.notEqual(
      credentials?.credentialsId ?? old.credentials.credentialsId,
      old.credentials.credentialsId,
    );
    assert.equal(until, step.at + rotationGraceMs);
    if (old.credentialsRead) assert.equal(young.quarantined, true);
  },

  'superseded credentials open nothing, quarantined ones only what waits for approval'(step) {
    const { command, before, decision } = step;
    const device = alive(before);
    if (device === undefined || command.type !== 'InitiateClaim' || decision.type !== 'accept') return;
    const { openedBy } = command;
    if (openedBy.type === 'device') assert.equal(device.nextCredentials, undefined);
    if (openedBy.type === 'gateway' && openedBy.authority.for === 'tenant') return;
    const pending = decision.event.type === 'ClaimWindowOpened' && decision.event.pending;
    assert.equal(pending, device.quarantined);
    if (device.quarantined) assert.equal(windowOf(step.after), windowOf(before));
  },

  'a quarantine ends by other credentials from the tenant alone'({ before, after, decision }) {
    if (alive(before)?.quarantined !== true || alive(after) === undefined) return;
    const event = decision.type === 'accept' ? decision.event.type : 'nothing';
    if (event !== 'CredentialsChanged') assert.equal(alive(after)?.quarantined, true);
  },

  'a device goes from owner to owner by assignment, by take-over, or because the one offered and the other accepted'({
    command,
    before,
    at,
    decision,
    after,
  }) {
    const [from, to] = [ownerOf(before), ownerOf(after)];
    if (from === null || to === null || from === to) return;
    if (['AssignDevice', 'ConfirmClaim', 'CompleteTakeOver'].includes(command.type)) return; // laws of their own
    const offer = alive(before)?.offer;
    assert.ok(command.type === 'AcceptOffer' && decision.type === 'accept' && offer !== undefined);
    assert.deepEqual([offer.transferId, to], [command.transferId, command.customerId]);
    assert.ok(at < offer.expiresAt);
  },

  'a stranger learns nothing of an offer'({ command, before, decision }) {
    if (command.type !== 'AcceptOffer' && command.type !== 'DeclineOffer') return;
    const device = alive(before);
    if (device?.tenantId !== command.tenantId || device.owner?.customerId === command.customerId) return;
    const { to } = device.offer ?? {};
    const code = command.type === 'AcceptOffer' ? command.codeDigest : null;
    const known = [command.customerId, command.addressDigest, code];
    if (to !== undefined && known.some((what) => what !== null && Object.values(to).includes(what))) return;
    assert.deepEqual(decision, { type: 'refuse', refusal: { reason: 'no-offer' } });
  },

  'a window ends after it opens'({ decision }) {
    if (decision.type === 'accept' && decision.event.type === 'ClaimWindowOpened') {
      assert.ok(decision.event.closesAt > decision.event.at);
    }
  },

  'a customer takes nothing from another customer where there is no take-over'({
    policy,
    command,
    before,
    after,
  }) {
    if (!('customerId' in command) || command.customerId === null || !('userId' in command)) return;
    const takes = ['ReclaimDevice', 'ConfirmClaim', 'ClaimByKit'];
    if (!takes.includes(command.type)) return;
    if (command.type === 'ConfirmClaim' && policy.ownership.takeOver !== 'never') return;
    const owner = ownerOf(before);
    if (owner !== null && owner !== command.customerId) assert.equal(after, before);
  },

  'who names another tenant changes nothing and learns nothing'({ command, before, decision, after }) {
    const tenant = tenantOf(command);
    const device = alive(before);
    if (device === undefined || tenant === undefined || tenant === device.tenantId) return;
    assert.equal(after, before);
    if (command.type !== 'ProvisionDevice') {
      assert.deepEqual(decision, { type: 'refuse', refusal: { reason: 'unknown-device' } });
    }
  },
};

/** Laws over a state, once per distinct state. */
export const stateLaws: Laws<[DeviceState]> = {
  'a window of a device that somebody owns was opened by the device itself'(state) {
    assert.ok(ownerOf(state) === null || (windowOf(state)?.openedBy ?? 'device') === 'device');
    assert.ok(ownerOf(state) === null || alive(state)?.pendingWindow === undefined);
  },

  'a pending take-over is of an owned device, by another, in the present epoch, and its window is used up'(
    state,
  ) {
    const device = alive(state);
    if (device?.takeOver === undefined) return;
    assert.ok(device.owner !== null && device.owner.customerId !== device.takeOver.customerId);
    assert.equal(device.takeOver.inEpoch, device.ownerEpoch ?? 0);
    assert.equal(device.window, null);
  },

  'the state read back is the state written'(state) {
    assert.deepEqual(decodeState(encodeState(state)), state);
  },

  'the state read back from both parts of its head is the state written'(state) {
    const standing = devicePersistence.encodeState(state);
    assert.equal(standing === undefined, state.status === 'absent');
    if (standing !== undefined)
      assert.deepEqual(decodeHead(standing, encodeDetails(state, undefined)), state);
  },

  'a record is one line'(state) {
    const { encodeState: encodePart } = devicePersistence;
    for (const text of [encodeState(state), encodePart(state), encodeDetails(state, undefined)])
      assert.ok(!/[\r\n]/.test(text ?? ''));
  },

  'only what somebody owns is offered'(state) {
    assert.ok(alive(state)?.offer === undefined || ownerOf(state) !== null);
  },

  'the alarm is set for the first end of a window, an offer, a notice or old credentials, and only then'(
    state,
  ) {
    const { pendingWindow, nextCredentials, offer, takeOver } = alive(state) ?? {};
    const ends = [
      windowOf(state)?.closesAt,
      pendingWindow?.closesAt,
      nextCredentials?.until,
      offer?.expiresAt,
      takeOver?.dueAt,
    ].filter((end) => end !== undefined);
    assert.equal(devicePersistence.alarmAt(state), ends.length === 0 ? null : Math.min(...ends));
  },
};

/** Laws over an event that happened, once per distinct (state, event). */
export const eventLaws: Laws<[before: DeviceState, event: DeviceEvent, after: DeviceState]> = {
  // With the law that a state read back is the state written, the same text means the same state.
  'the journal, replayed through its text, gives the live state'(before, event, after) {
    const line = encodeEvent(event);
    assert.equal(encodeState(evolve(reread(before), decodeEvent(line))), textOf(after));
    assert.ok(!line.includes('\n') && !line.includes('\r'));
  },

  'details that an event does not write are the details after it'(before, event, after) {
    if (after.status === 'absent') return;
    const written = encodeDetails(after, before);
    equal(decodeHead(devicePersistence.encodeState(after) ?? '', written ?? detailsOf(before)), after);
    const leavesThem = event.type === 'ClaimWindowOpened' && !event.pending && !event.byReset;
    if (leavesThem) assert.equal(written, undefined);
  },

  'the digest of a window is nowhere once it is closed, expired or used'(_before, event, after) {
    const claims = ['DeviceClaimed', 'DeviceTakenOver'];
    const ends = [
      'ClaimWindowExpired',
      'ClaimWindowClosed',
      'TakeOverAsked',
      'DeviceAssigned',
      'DeviceTransferred',
      ...claims,
    ];
    if (!ends.includes(event.type)) return;
    const device = alive(after);
    assert.ok(device !== undefined);
    const { serverKey, ...without } = device;
    // The other one, which has not expired.
    const other =
      event.type !== 'ClaimWindowExpired' ? undefined : event.pending ? 'window' : 'pendingWindow';
    const kept = Object.entries(without).filter(([member]) => member !== other);
    assert.ok(!JSON.stringify(kept).includes('digest-of'));
    if (claims.includes(event.type)) assert.equal(serverKey, null);
    assert.ok(!JSON.stringify(event).includes('digest-of'));
  },

  'the code and the address of an offer are nowhere once it has ended'(before, event, after) {
    const [old, young] = [alive(before), alive(after)];
    if (old?.offer === undefined || young === undefined || young.offer !== undefined) return;
    for (const secret of ['digest-of-the-code', 'digest-of-the-address', '"sealed"']) {
      const { serverKey: _, ...rest } = young;
      assert.ok(!JSON.stringify([rest, event]).includes(secret));
    }
  },

  'what the indexes hold follows from the state, kept event by event'(before, event, after) {
    const changes = indexChanges(DEVICE, before, event, after);
    const held = entriesOf(before);
    const wanted = entriesOf(after);
    if (changes === undefined) return assert.equal(JSON.stringify(wanted), JSON.stringify(held));
    const kept = texts(held);
    for (const text of texts(changes.release)) {
      assert.ok(kept.delete(text), `${text} is let go of, but was not held`);
    }
    for (const text of texts(changes.take)) {
      assert.ok(!kept.has(text), `${text} is taken twice`);
      kept.add(text);
    }
    equal(kept, texts(wanted));
  },
};

/** What follows from a state, kept because the enumeration asks for the same state many times. */
function kept<Value>(make: (state: DeviceState) => Value): (state: DeviceState) => Value {
  const known = new WeakMap<DeviceState, { readonly value: Value }>();
  return (state) => {
    let entry = known.get(state);
    if (entry === undefined) {
      entry = { value: make(state) };
      known.set(state, entry);
    }
    return entry.value;
  };
}

/** A state as the journal keeps it. */
export const textOf = kept(encodeState);
const detailsOf = kept((state) => encodeDetails(state, undefined));
/** The state as it comes back from the journal. */
const reread = kept((state) => decodeState(textOf(state)));
/** The state as the rules see it. */
const sight = kept(look);
const entriesOf = kept((state) => indexEntries(DEVICE, state));

function texts({ unique, members }: IndexEntries): Set<string> {
  return new Set([...unique, ...members.map(({ list, member }) => `${list} > ${member}`)]);
}

/** Checks all of these laws; a broken one is named together with its input. */
export function check<Args extends unknown[]>(laws: Laws<Args>, ...args: Args): void {
  for (const law in laws) {
    try {
      laws[law]?.(...args);
    } catch (cause) {
      throw new Error(`broken: ${law}\n${cause}\nin ${JSON.stringify(args, undefined, 1)}`, { cause });
    }
  }
}

/** Freezes a value, so that changing it throws. */
export function freeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
