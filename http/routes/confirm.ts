/**
 * Confirming a claim. The device's actor decides; the caller is told less than the actor says (no window, an elapsed
 * window and a wrong secret are all FAILURE), and wrong secrets are counted against whoever sends them (rule C6).
 *
 * Where refusals are uniform, a claim is refused alike whether the device is unknown, another's, or the secret is wrong.
 */
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import { typedClaimKey } from '../../actors/base/claim-key.ts';
import type { Clock, Instant } from '../../actors/base/clock.ts';
import type { CustomerId, DeviceId, TenantId } from '../../actors/base/ids.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import type { Log } from '../../actors/base/log.ts';
import type { SecretDigest, Secrets } from '../../actors/base/secret.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { looksLikeProof, readProof } from '../../actors/claiming/proofs.ts';
import type { WindowGuesses } from '../../actors/cluster/window-guesses.ts';
import type { Refusal, RefusalReason } from '../../actors/device/messages.ts';
import { proofKeyOf, type ShownProof } from '../../actors/device/proof.ts';
import {
  type Device,
  type DeviceRecord,
  isOwnedBy,
  mayBeClaimed,
  type Owner,
  type TakeOver,
} from '../../actors/device/state.ts';
import type { DeviceAnswer, Devices, Directory } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import { attempt, attemptsLeft, createLimiter, type Party } from '../auth/attempts.ts';
import { type CustomerUser, impersonation } from '../auth/principal.ts';
import type { ApiSettings, Limit } from '../settings.ts';
import type { RequestTrace } from '../trace.ts';
import { viewDevice } from '../views/device.ts';
import { viewTakeOver } from '../views/take-over.ts';
import {
  ATTEMPTS_LEFT_HEADER,
  CLAIM_REFUSAL_HEADER,
  type ClaimRefusal,
  POLICY_MESSAGE_HEADER,
  POLICY_REASON_HEADER,
  PREFERENCE_HEADER,
  RESPOND_ASYNC,
} from '../wire/claim-refusal.ts';
import { notFound, refusedByDevice, tokenExpired, tooManyRequests, unavailable } from '../wire/errors.ts';
import { json, type Reply } from '../wire/reply.ts';
import { NAME_MAX } from '../wire/schemas.ts';
import { deviceIdByTypedName } from './access.ts';
import { unlessCustomerGone } from './tenure.ts';
import { impersonatorOf } from './user-notes.ts';
import { createWindowParties } from './window-guesses.ts';

export interface ConfirmNeeds {
  readonly audit: AuditTrail;
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly profiles: Profiles;
  readonly secrets: Secrets;
  readonly counters?: Counters | undefined;
  /** Without it this process counts for itself. */
  readonly windowGuesses?: WindowGuesses | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly settings: Pick<ApiSettings, 'limits' | 'uniformRefusals' | 'claimingByDefault' | 'proofAudience'>;
}

export interface Claim {
  readonly principal: CustomerUser;
  readonly deviceName: string;
  readonly secret: string;
  /** Where it comes from, for counting wrong secrets. */
  readonly address: string;
  /** Set if this very claim may have been carried out before, at this instant or later: its answer got lost. */
  readonly begunAt: Instant | undefined;
  /** Whether a pending take-over is answered by 202. */
  readonly prefersAsync: () => boolean;
  readonly trace: RequestTrace | undefined;
}

export function createConfirm(needs: ConfirmNeeds): (claim: Claim) => Promise<Reply> {
  const { devices, directory, profiles, secrets, settings } = needs;
  const uniform = settings.uniformRefusals;
  const partiesOf = createParties(needs);
  const windows = createWindowParties(needs);

  return async (claim) => {
    const { principal, deviceName, secret, trace } = claim;
    const { tenantId, customerId, userId } = principal;
    const id = await deviceIdByTypedName(directory, tenantId, deviceName);

    const window = windows.enter(claim, id);
    const parties = partiesOf(claim, id, window.party);
    let owned: DeviceRecord | undefined;
    const outcome = await attempt(
      parties,
      async () => {
        const [secretDigest, ...olderDigests] = secrets.digests(id ?? userId, secret); // an unknown device costs as much
        if (id === undefined) {
          window.refused('unknown-device');
          return UNKNOWN_DEVICE;
        }
        const text = trace === undefined ? undefined : await inTraceOfWindow(devices, id, trace);
        const traced = text === undefined ? {} : { trace: text };
        const proof = looksLikeProof(secret) ? await proofOf(needs, tenantId, id, secret) : undefined;
        const typed = typedDigests(secrets, id, secret);
        const ask = (by: SecretDigest, typedKeyDigest: SecretDigest | undefined) =>
          devices.ask(id, {
            type: 'ConfirmClaim',
            tenantId,
            customerId,
            userId,
            secretDigest: by,
            ...traced,
            ...impersonation(principal),
            ...(typedKeyDigest === undefined ? {} : { typedKeyDigest }),
            ...(proof === undefined ? {} : { proof }),
          });
        let answer = await ask(secretDigest, typed[0]);
        for (const [at, older] of olderDigests.entries()) {
          if (reasonOf(answer) === 'wrong-secret') answer = await ask(older, typed[at + 1]);
        }
        if (answer.type === 'refused') window.refused(answer.refusal.reason);
        if (reasonOf(answer) === 'already-claimed') owned = ownedBy(customerId, await devices.read(id));
        return answer;
      },
      (answer, party) => {
        const isOfDevice = party === parties[0];
        const about = { isOwn: owned !== undefined, isOfDevice, isOfWindow: party === window.party };
        return failureOf(reasonOf(answer), about, settings);
      },
    ).finally(() => window.leave());
    if (outcome.type === 'blocked') {
      return tooManyRequests(
        'Too many wrong secrets, try again later',
        outcome.retryAfterMs,
        'too-many-wrong-secrets',
      );
    }
    if (id === undefined && !uniform) return notFound;
    if (outcome.type === 'refused') {
      window.tell();
      const reply = await refusedClaim(needs, claim, id, outcome.refusal, owned);
      if (reply !== undefined) return reply;
    }
    if (id === undefined) return notFound;
    const answer = await unlessCustomerGone(needs, id, { tenantId, customerId, userId }, outcome);
    if (answer === undefined) return tokenExpired;
    const pending = pendingTakeOver(answer, customerId);
    if (pending !== undefined) return pendingReply(pending, claim);
    const reply = await claimReply(profiles, id, answer);
    if (uniform || answer.type !== 'refused' || reply.type !== 'json') return reply;
    return {
      ...reply,
      headers: await whyNot(needs, answer.refusal, { id, parties, isOwn: owned !== undefined }),
    };
  };
}

/** A claim goes on in the trace in which its window was opened. */
async function inTraceOfWindow({ read }: Pick<Devices, 'read'>, id: DeviceId, trace: RequestTrace) {
  const device = await read(id);
  return trace.begin(device?.window?.trace ?? device?.pendingWindow?.trace);
}

/** C3: a key that claimd made is printed on a label, and people type it in their own way. */
function typedDigests(secrets: Secrets, id: DeviceId, secret: string): readonly SecretDigest[] {
  const typed = typedClaimKey(secret);
  return typed === undefined || typed === secret ? [] : secrets.digests(id, typed);
}

/** What a secret proves that is written as a proof is; nothing where the device could sign none, or takes none. */
async function proofOf(
  { devices, profiles, secrets, clock, settings }: ConfirmNeeds,
  tenantId: TenantId,
  id: DeviceId,
  secret: string,
): Promise<ShownProof | undefined> {
  const device = await devices.read(id);
  if (device === undefined || device.tenantId !== tenantId || proofKeyOf(device) === null) return undefined;
  if ((await profiles.ownershipOf(device)).claimProof === 'none') return undefined;
  const expected = { audience: settings.proofAudience, now: clock.now() };
  return readProof(secrets, device, secret, expected);
}

/** On whose behalf an attempt is counted: the customer at this device, which comes first; the customer; the address. */
function createParties({ settings, counters }: ConfirmNeeds) {
  const { wrongSecretsPerCustomerAndDevice, wrongSecretsPerCustomer, wrongSecretsPerAddress } =
    settings.limits;
  const parts = settings.limits.vainClaimsPerWrongSecret;
  const limiter = (name: string, limit: Limit) => createLimiter(name, limit, counters, parts);
  const perDevice = limiter('customer-and-device', wrongSecretsPerCustomerAndDevice);
  const perCustomer = limiter('customer', wrongSecretsPerCustomer);
  const perAddress = limiter('address', wrongSecretsPerAddress);

  return (
    { principal: { customerId }, deviceName, address }: Claim,
    id: DeviceId | undefined,
    window: Party,
  ) => [
    // A text too long for a name is no device, and is not kept whole.
    { limiter: perDevice, key: `${customerId}/${id ?? deviceName.slice(0, NAME_MAX)}` },
    { limiter: perCustomer, key: customerId },
    { limiter: perAddress, key: address },
    window,
  ];
}

/**
 * Notes a refusal in the audit trail. Attempts over the limit never come here: a flood must not fill the trail.
 * @param owned the device, if the customer owns it already
 * @returns the reply, where it is not the usual one for this refusal
 */
async function refusedClaim(
  { audit, profiles, settings }: ConfirmNeeds,
  { principal, deviceName, begunAt }: Claim,
  id: DeviceId | undefined,
  refusal: Refusal,
  owned: DeviceRecord | undefined,
): Promise<Reply | undefined> {
  const { tenantId, customerId, userId } = principal;
  const failure = refusal.reason;
  const uniform = settings.uniformRefusals;
  const owner = owned?.owner;
  // Claimed by this very request, before its answer got lost.
  if (owned && begunAt !== undefined && owner && BY_CLAIM.has(owner.by) && owner.since >= begunAt) {
    return claimed(profiles, owned.id, owned);
  }
  audit.note({
    tenantId,
    action: 'CLAIM_REFUSED',
    deviceId: id,
    deviceName,
    customerId,
    userId,
    data: { ...policyOf(refusal), ...impersonatorOf(principal) },
    failure,
  });
  return uniform && owned === undefined ? json('FAILURE', 400) : undefined;
}

/** What the operator's policy said, for the tenant. */
function policyOf(refusal: Refusal): JsonObject | undefined {
  if (refusal.reason !== 'policy-refused') return undefined;
  const { policyReason, policyMessage } = refusal;
  return { policyReason, policyMessage };
}

/** How a customer becomes the owner by its own claim. */
const BY_CLAIM: ReadonlySet<Owner['by']> = new Set(['claim', 'take-over']);

/** The take-over that the claim has asked for (N2): it was accepted, and the device is still another's. */
function pendingTakeOver(answer: DeviceAnswer, customerId: CustomerId): TakeOver | undefined {
  if (answer.type !== 'accepted' || answer.state.status === 'absent') return undefined;
  return isOwnedBy(answer.state, customerId) ? undefined : answer.state.takeOver;
}

/** N3: not yet, in the words of ThingsBoard; and in plain words for clients that ask for them. */
function pendingReply(pending: TakeOver, { principal, prefersAsync }: Claim): Reply {
  if (!prefersAsync()) {
    return { ...json('FAILURE', 400), headers: { [CLAIM_REFUSAL_HEADER]: 'take-over-pending' } };
  }
  const takeOver = viewTakeOver(pending, principal.customerId);
  return { ...json({ response: 'PENDING', takeOver }, 202), headers: { [PREFERENCE_HEADER]: RESPOND_ASYNC } };
}

/** Headers with what FAILURE and CLAIMED do not say; see `../wire/claim-refusal.ts`. */
async function whyNot(
  { devices, settings }: ConfirmNeeds,
  refusal: Refusal,
  {
    id,
    parties,
    isOwn,
  }: { readonly id: DeviceId; readonly parties: readonly Party[]; readonly isOwn: boolean },
): Promise<Record<string, string>> {
  const because = (why: ClaimRefusal) => ({ [CLAIM_REFUSAL_HEADER]: why });
  switch (refusal.reason) {
    case 'claiming-not-allowed':
    case 'window-pending':
    case 'proof-required':
    case 'proof-outdated':
      return because(refusal.reason);
    case 'wrong-secret':
    case 'wrong-proof': {
      const left = await attemptsLeft(parties);
      const more = left === undefined ? {} : { [ATTEMPTS_LEFT_HEADER]: String(left) };
      return { ...because(refusal.reason), ...more };
    }
    case 'already-claimed':
      return because(isOwn ? 'already-yours' : 'already-claimed');
    case 'policy-refused': {
      const { policyReason, policyMessage } = refusal;
      const message =
        policyMessage === null ? {} : { [POLICY_MESSAGE_HEADER]: encodeURIComponent(policyMessage) };
      return { ...because('policy-refused'), [POLICY_REASON_HEADER]: policyReason, ...message };
    }
    case 'no-window':
    case 'window-elapsed': {
      const device = await devices.read(id);
      const allowed = device === undefined || mayBeClaimed(device, settings.claimingByDefault);
      return because(allowed ? refusal.reason : 'claiming-not-allowed');
    }
    default:
      return {};
  }
}

const UNKNOWN_DEVICE: DeviceAnswer = { type: 'refused', refusal: { reason: 'unknown-device' } };

function reasonOf(answer: DeviceAnswer): RefusalReason | undefined {
  return answer.type === 'refused' ? answer.refusal.reason : undefined;
}

function ownedBy(customerId: CustomerId, device: DeviceRecord | undefined): DeviceRecord | undefined {
  return device !== undefined && isOwnedBy(device, customerId) ? device : undefined;
}

/**
 * How much of a wrong secret a refusal counts as (C6). A claim in vain guesses nothing, yet whoever repeats it without end
 * is there first when a window opens; an honest customer presses the button late, and asks again what is its own. Whoever
 * comes second in a race for many devices is no guesser: that a device is taken counts at this device alone.
 */
function failureOf(
  reason: RefusalReason | undefined,
  {
    isOwn,
    isOfDevice,
    isOfWindow,
  }: { readonly isOwn: boolean; readonly isOfDevice: boolean; readonly isOfWindow: boolean },
  { uniformRefusals, limits }: ConfirmNeeds['settings'],
): number {
  if (reason === undefined) return 0;
  if (reason === 'wrong-secret' || uniformRefusals) return 1;
  // All together are held to account for guesses alone; a signature cannot be guessed.
  if (isOfWindow) return 0;
  if (reason === 'wrong-proof') return 1;
  if (isOwn || (reason === 'already-claimed' && !isOfDevice)) return 0;
  return 1 / limits.vainClaimsPerWrongSecret;
}

async function claimed(profiles: Profiles, id: DeviceId, device: Device): Promise<Reply> {
  const view = viewDevice(id, device, await profiles.defaultIdOf(device.tenantId));
  return json({ device: view, response: 'SUCCESS' });
}

async function claimReply(profiles: Profiles, id: DeviceId, answer: DeviceAnswer): Promise<Reply> {
  switch (answer.type) {
    case 'accepted':
      return answer.state.status === 'provisioned' ? claimed(profiles, id, answer.state) : notFound;
    case 'unavailable':
      return unavailable(answer.reason);
    case 'refused':
      break;
    default:
      return unreachable(answer);
  }
  switch (answer.refusal.reason) {
    case 'already-claimed':
      return json('CLAIMED', 400);
    case 'no-window':
    case 'window-pending':
    case 'window-elapsed':
    case 'wrong-secret':
    case 'claiming-not-allowed':
    case 'proof-required':
    case 'wrong-proof':
    case 'proof-outdated':
    case 'policy-refused':
      return json('FAILURE', 400);
    default:
      return refusedByDevice(answer.refusal);
  }
}
