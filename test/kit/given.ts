/**
 * Given these facts, when this command comes at this instant, then that happens: the device's rules as examples.
 * Also the names that all device tests share: two tenants, two customers, their people, two secrets (as digests).
 */

import * as assert from 'uvu/assert';
import type { Instant } from '../../actors/base/clock.ts';
import {
  type CustomerId,
  type DeviceId,
  type ProfileId,
  parseId,
  type TenantId,
  type TransferId,
  type UserId,
} from '../../actors/base/ids.ts';
import type { Json } from '../../actors/base/json.ts';
import type { AssignDevice, UnassignDevice } from '../../actors/device/assignment.ts';
import type { DeleteAttributes, SaveAttributes } from '../../actors/device/attributes.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import type { ConfirmClaim } from '../../actors/device/confirming.ts';
import {
  createDeviceDecider,
  type DeviceCommand,
  type DeviceDecider,
  type DeviceEvent,
} from '../../actors/device/device.ts';
import type { ReclaimDevice } from '../../actors/device/giving-back.ts';
import type { Refusal, RefusalReason } from '../../actors/device/messages.ts';
import type { InitiateClaim } from '../../actors/device/opening.ts';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import type { DeviceProvisioned, ProvisionDevice } from '../../actors/device/registration.ts';
import type { ResetDevice } from '../../actors/device/reset.ts';
import type { Credentials, Device, DeviceState, OfferedTo } from '../../actors/device/state.ts';
import type { CompleteTakeOver, EndTakeOver } from '../../actors/device/take-over.ts';
import type { AcceptOffer, DeclineOffer, OfferDevice, WithdrawOffer } from '../../actors/device/transfer.ts';

type KnownId = TenantId | CustomerId | UserId | DeviceId | ProfileId | TransferId;

/** A fixed id, the same in every run: `00000000-0000-7000-8000-` and the number. */
export function idOf<Id extends KnownId>(number: number): Id {
  const id = parseId<Id>(`00000000-0000-7000-8000-${String(number).padStart(12, '0')}`);
  if (id === undefined) throw new RangeError(`no id has the number ${number}`);
  return id;
}

/** The instant of most commands. */
export const NOW: Instant = 1_700_000_000_000;

export const DEVICE = idOf<DeviceId>(1);
export const TENANT = idOf<TenantId>(11);
export const OTHER_TENANT = idOf<TenantId>(12);
export const CUSTOMER = idOf<CustomerId>(21);
export const OTHER_CUSTOMER = idOf<CustomerId>(22);
export const USER = idOf<UserId>(31);
export const ADMIN = idOf<UserId>(32);

export const TOKEN: Credentials = { type: 'ACCESS_TOKEN', credentialsId: 'token-1', sealedToken: '***' };
export const OTHER_TOKEN: Credentials = {
  type: 'ACCESS_TOKEN',
  credentialsId: 'token-2',
  sealedToken: '***',
};

/** What a device's credentials rotate to: there are two, so that the one that is drawn is never the one that it has. */
export const freshAfter = (credentialsId: string) => (credentialsId === 'fresh-1' ? 'fresh-2' : 'fresh-1');

/** The decider with its rules completed by chance: what the actor of a device does before it decides. */
export function withFreshCredentials(policy: ClaimPolicy): DeviceDecider {
  const decider = createDeviceDecider(policy);
  return {
    ...decider,
    decide(state, command, at) {
      if (state.status === 'absent') return decider.decide(state, command, at);
      const credentialsId = freshAfter(state.credentials.credentialsId);
      const freshCredentials = { type: 'ACCESS_TOKEN', credentialsId, sealedToken: '***' } as const;
      return decider.decide(state, command, at, { ...policy.ownership, freshCredentials });
    },
  };
}

/** Digests stand for secrets here: the machine never sees anything else. */
export const SECRET = 'digest-of-the-secret';
export const OTHER_SECRET = 'digest-of-another';

export const OPEN_POLICY: ClaimPolicy = {
  allowClaimingByDefault: true,
  defaultDurationMs: 60_000,
  maxDurationMs: 0,
  maxAttributeBytes: 10_000,
  ownership: DEFAULT_OWNERSHIP_RULES,
};
export const STRICT_POLICY: ClaimPolicy = { ...OPEN_POLICY, allowClaimingByDefault: false };

// ------------------------------------------------------------------------------------------------------- commands

export const provision = (customerId: CustomerId | null = null): ProvisionDevice => ({
  type: 'ProvisionDevice',
  tenantId: TENANT,
  name: 'Pump 1',
  deviceType: 'default',
  label: null,
  additionalInfo: null,
  credentials: TOKEN,
  customerId,
});

export const initiate = (durationMs: number, secretDigest = SECRET): InitiateClaim => ({
  type: 'InitiateClaim',
  openedBy: { type: 'device', credentialsId: TOKEN.credentialsId },
  secretDigest,
  secretLength: 6,
  durationMs,
});

/** A factory reset by the device itself. */
export const reset = (durationMs: number, secretDigest = SECRET): ResetDevice => ({
  ...initiate(durationMs, secretDigest),
  type: 'ResetDevice',
  isRedelivery: false,
});

export const complete = (
  customerId = OTHER_CUSTOMER,
  inEpoch = 0,
  newcomerStands = true,
): CompleteTakeOver => ({
  type: 'CompleteTakeOver',
  customerId,
  inEpoch,
  newcomerStands,
});

/** @param customerId null: the tenant's administrator asks */
export const endTakeOver = (customerId: CustomerId | null): EndTakeOver => ({
  type: 'EndTakeOver',
  tenantId: TENANT,
  userId: customerId === null ? ADMIN : USER,
  customerId,
});

export const confirm = (customerId = CUSTOMER, secretDigest = SECRET): ConfirmClaim => ({
  type: 'ConfirmClaim',
  tenantId: TENANT,
  customerId,
  userId: USER,
  secretDigest,
});

/** @param customerId null: the tenant's administrator asks */
export const reclaim = (customerId: CustomerId | null): ReclaimDevice => ({
  type: 'ReclaimDevice',
  tenantId: TENANT,
  userId: customerId === null ? ADMIN : USER,
  customerId,
});

export const assign = (customerId = CUSTOMER): AssignDevice => ({
  type: 'AssignDevice',
  tenantId: TENANT,
  userId: ADMIN,
  customerId,
});

export const unassign = (customerId: CustomerId | null = null): UnassignDevice => ({
  type: 'UnassignDevice',
  tenantId: TENANT,
  userId: ADMIN,
  customerId,
});

export const TRANSFER = idOf<TransferId>(51);
export const OTHER_TRANSFER = idOf<TransferId>(52);
export const CODE = 'digest-of-the-code';
export const ADDRESS = 'digest-of-the-address';
export const TO_CODE: OfferedTo = { type: 'code', codeDigest: CODE };
export const TO_ADDRESS: OfferedTo = { type: 'address', addressDigest: ADDRESS, sealedAddress: 'sealed' };
export const TO_OTHER: OfferedTo = { type: 'customer', customerId: OTHER_CUSTOMER };

export const offer = (to: OfferedTo, durationMs = 10, customerId = CUSTOMER): OfferDevice => ({
  type: 'OfferDevice',
  tenantId: TENANT,
  userId: USER,
  customerId,
  transferId: TRANSFER,
  to,
  durationMs,
});

/** By a user without a known address, who shows no code unless it is given. */
export const acceptOffer = (customerId = OTHER_CUSTOMER, codeDigest: string | null = null): AcceptOffer => ({
  type: 'AcceptOffer',
  tenantId: TENANT,
  userId: USER,
  customerId,
  transferId: TRANSFER,
  addressDigest: null,
  codeDigest,
});

export const declineOffer = (customerId = OTHER_CUSTOMER): DeclineOffer => ({
  type: 'DeclineOffer',
  tenantId: TENANT,
  userId: USER,
  customerId,
  transferId: TRANSFER,
  addressDigest: null,
});

export const withdrawOffer = (customerId: CustomerId | null = CUSTOMER): WithdrawOffer => ({
  type: 'WithdrawOffer',
  tenantId: TENANT,
  userId: customerId === null ? ADMIN : USER,
  customerId,
});

export const save = (values: { readonly [key: string]: Json }): SaveAttributes => ({
  type: 'SaveAttributes',
  tenantId: TENANT,
  customerId: null,
  scope: 'SERVER_SCOPE',
  values,
});

export const saveServerKey = (expiresAt: Instant, secretDigest = OTHER_SECRET): SaveAttributes => ({
  ...save({}),
  serverKey: { secretDigest, sealedSecret: `sealed(${secretDigest})`, expiresAt },
});

export const deleteAttributes = (...keys: string[]): DeleteAttributes => ({
  type: 'DeleteAttributes',
  tenantId: TENANT,
  customerId: null,
  scope: 'SERVER_SCOPE',
  keys,
});

export const PUBLIC_KEY = { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) } as const;
/** What `ShownProof.key` is for that key. */
export const SIGNED_BY_KEY = `jwk Ed25519 ${PUBLIC_KEY.x}`;

export const challenge = (customerId = CUSTOMER, nonceDigest = 'nonce-1', validMs = 10): DeviceCommand => ({
  type: 'IssueChallenge',
  tenantId: TENANT,
  customerId,
  userId: USER,
  nonceDigest,
  validMs,
});

export const prove = (customerId = CUSTOMER, nonceDigest = 'nonce-1', key = SIGNED_BY_KEY): ConfirmClaim => ({
  ...confirm(customerId, 'digest-of-proof'),
  proof: { type: 'signed', nonceDigests: [nonceDigest], key },
});

export const expire: DeviceCommand = { type: 'ExpireDue' };
export const remove: DeviceCommand = { type: 'DeleteDevice', tenantId: TENANT };

// --------------------------------------------------------------------------------------------------------- events

export const provisioned: DeviceProvisioned = {
  type: 'DeviceProvisioned',
  at: NOW - 1_000,
  tenantId: TENANT,
  name: 'Pump 1',
  deviceType: 'default',
  label: null,
  additionalInfo: null,
  credentials: TOKEN,
  customerId: null,
};

export const opened = (closesAt: Instant, secretDigest = SECRET): DeviceEvent => ({
  type: 'ClaimWindowOpened',
  at: NOW - 500,
  secretDigest,
  closesAt,
  openedBy: 'device',
});

export const claimed = (customerId = CUSTOMER): DeviceEvent => ({
  type: 'DeviceClaimed',
  at: NOW - 100,
  customerId,
  userId: USER,
  claimingAllowedDeleted: false,
});

export const offered = (to: OfferedTo, expiresAt: Instant): DeviceEvent => ({
  type: 'DeviceOffered',
  at: NOW - 50,
  transferId: TRANSFER,
  to,
  expiresAt,
  customerId: CUSTOMER,
  userId: USER,
});

export const saved = (values: { readonly [key: string]: Json }): DeviceEvent => ({
  type: 'AttributesSaved',
  at: NOW - 400,
  scope: 'SERVER_SCOPE',
  values,
});

export const serverKeySaved = (expiresAt: Instant, secretDigest = OTHER_SECRET): DeviceEvent => ({
  type: 'AttributesSaved',
  at: NOW - 400,
  scope: 'SERVER_SCOPE',
  values: {},
  serverKey: { secretDigest, sealedSecret: `sealed(${secretDigest})`, expiresAt },
});

export const challenged = (customerId = CUSTOMER, nonceDigest = 'nonce-1'): DeviceEvent => ({
  type: 'ChallengeIssued',
  at: NOW - 300,
  customerId,
  userId: USER,
  nonceDigest,
  expiresAt: NOW + 60_000,
});

// ------------------------------------------------------------------------------------------------ given, when, then

export interface Then {
  /** The state afterwards. */
  readonly state: DeviceState;
  /** Exactly this event happened. */
  gives(event: DeviceEvent): Then;
  /** One event of this type happened; returns the device after it. */
  happened(type: DeviceEvent['type']): Device;
  /** Success without an event: nothing had to change, and nothing is written. */
  ignored(): Then;
  /** Refused for this reason, and nothing is written. */
  refused(reason: RefusalReason): Refusal;
}

/** A device with these facts behind it (after its provisioning, unless the first fact is that). */
export function given(policy: ClaimPolicy, ...facts: readonly DeviceEvent[]) {
  const decider = createDeviceDecider(policy);
  const history = facts[0]?.type === 'DeviceProvisioned' ? facts : [provisioned, ...facts];
  return from(history.reduce((state, fact) => decider.evolve(state, fact), decider.initial));

  function from(state: DeviceState) {
    return {
      state,
      when(command: DeviceCommand, at: Instant = NOW): Then {
        const decision = decider.decide(state, command, at);
        const after = decision.type === 'accept' ? decider.evolve(state, decision.event) : state;
        const outcome: Then = {
          state: after,
          gives(event) {
            assert.equal(decision, { type: 'accept', event });
            return outcome;
          },
          happened(type) {
            assert.is(decision.type === 'accept' ? decision.event.type : JSON.stringify(decision), type);
            return provisionedDevice(after);
          },
          ignored() {
            assert.equal(decision, { type: 'ignore' });
            return outcome;
          },
          refused(reason) {
            if (decision.type !== 'refuse')
              throw new Error(`not refused (${reason}) but ${JSON.stringify(decision)}`);
            assert.is(decision.refusal.reason, reason);
            return decision.refusal;
          },
        };
        return outcome;
      },
    };
  }
}

/** A device that nobody has provisioned, or that was deleted. */
export function givenNothing(policy: ClaimPolicy) {
  return given(policy, provisioned, { type: 'DeviceDeleted', at: NOW - 10 });
}

function provisionedDevice(state: DeviceState): Device {
  if (state.status !== 'provisioned') throw new Error('the device does not exist');
  return state;
}
