/** Between the words of the history and those of the code under test: requests to commands, states to what is seen. */

import type { CustomerId, DeviceId, TenantId, TransferId, UserId } from '../../actors/base/ids.ts';
import type { Json } from '../../actors/base/json.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { DeviceCommand } from '../../actors/device/device.ts';
import type { GatewayAuthority } from '../../actors/device/gateways.ts';
import type {
  Attribute,
  Credentials,
  DeviceState,
  OfferedTo,
  OwnedGateway,
} from '../../actors/device/state.ts';
import { type Allowed, CERTIFICATE, type Gate, type Party, type Request, type Seen } from './history.ts';

/** Digests secrets as the edges of the system do, and remembers what they were digests of. */
export interface Digests {
  of(device: string, secret: string): string;
  /** The secret behind a digest. Throws for one that was never made. */
  secretOf(digest: string): string;
}

export function createDigests(secrets: Secrets): Digests {
  const known = new Map<string, string>();
  return {
    of(device, secret) {
      const digest = secrets.digest(device as DeviceId, secret);
      known.set(digest, secret);
      return digest;
    },
    secretOf(digest) {
      const secret = known.get(digest);
      if (secret === undefined) throw new Error('a digest of no known secret');
      return secret;
    },
  };
}

/** The command that a request becomes at the edge of the system. */
export function commandFor(
  device: string,
  request: Exclude<Request, { type: 'read' }>,
  digests: Digests,
): DeviceCommand {
  const tenantId = ('tenant' in request ? request.tenant : '') as TenantId;
  const customerId = ('customer' in request ? request.customer : null) as CustomerId | null;
  const customer = customerId as CustomerId;
  const userId = ('user' in request ? request.user : '') as UserId;

  switch (request.type) {
    case 'provision':
      return {
        type: 'ProvisionDevice',
        tenantId,
        name: request.name,
        credentials: credentialsOf(request.token),
        customerId,
        ...(request.via === null ? {} : { viaGateway: request.via as DeviceId }),
        ...described,
      };
    case 'rename':
      return { type: 'UpdateDevice', tenantId, customerId, name: request.name, ...described };
    case 'change-credentials':
      return {
        type: 'ChangeCredentials',
        tenantId,
        credentials: credentialsOf(request.token),
      };
    case 'adopt':
      return { type: 'AdoptCredentials', credentialsId: request.token };
    case 'read-credentials':
      return { type: 'ReadCredentials', tenantId, customerId: customer, userId };
    case 'approve':
      return { type: 'ApproveWindow', tenantId, userId, openedAt: request.openedAt };
    case 'delete':
      return { type: 'DeleteDevice', tenantId };
    case 'initiate':
      return {
        type: 'InitiateClaim',
        openedBy:
          request.by.type === 'device'
            ? { type: 'device', credentialsId: request.by.token }
            : {
                type: 'gateway',
                tenantId: request.by.tenant as TenantId,
                authority: authorityOf(request.by.owned),
              },
        secretDigest: digests.of(device, request.secret),
        secretLength: request.secret.length,
        durationMs: request.durationMs,
        ...(request.arrivedAt === undefined ? {} : { arrivedAt: request.arrivedAt }),
      };
    case 'reset': {
      const { by, secret, durationMs, isRedelivery } = request;
      const opening = commandFor(device, { type: 'initiate', by, secret, durationMs }, digests);
      if (opening.type !== 'InitiateClaim') throw new Error('another command');
      return { ...opening, type: 'ResetDevice', isRedelivery };
    }
    case 'complete': {
      const { inEpoch, stands } = request;
      return { type: 'CompleteTakeOver', customerId: customer, inEpoch, newcomerStands: stands };
    }
    case 'end-take-over':
      return { type: 'EndTakeOver', tenantId, userId, customerId, ...inEpochs(request) };
    case 'confirm': {
      const secretDigest = digests.of(device, request.secret);
      const { consentIn, gives } = request;
      const command = {
        type: 'ConfirmClaim',
        tenantId,
        customerId: customer,
        userId,
        secretDigest,
        ...(consentIn === undefined ? {} : { consentIn }),
        ...(gives === undefined ? {} : { attributes: { plan: gives } }),
      } as const;
      if (request.proof === undefined) {
        return request.gate === null ? command : { ...command, gateway: gatewayOf(request.gate) };
      }
      const { nonce, token } = request.proof;
      return {
        ...command,
        proof: { type: 'signed', nonceDigests: [digests.of(device, nonce)], key: `x509 ${token}` },
      };
    }
    case 'challenge': {
      const nonceDigest = digests.of(device, request.nonce);
      const { validMs } = request;
      return { type: 'IssueChallenge', tenantId, customerId: customer, userId, nonceDigest, validMs };
    }
    case 'kit':
      return {
        type: 'ClaimByKit',
        tenantId,
        customerId: customer,
        userId,
        grantedIn: request.grantedIn,
        ...(request.consentIn === undefined ? {} : { consentIn: request.consentIn }),
        ...(request.gives === undefined ? {} : { attributes: { plan: request.gives } }),
      };
    case 'reclaim':
      return { type: 'ReclaimDevice', tenantId, userId, customerId, ...inEpochs(request) };
    case 'assign':
      return { type: 'AssignDevice', tenantId, userId, customerId: customer, ...inEpochs(request) };
    case 'unassign':
      return { type: 'UnassignDevice', tenantId, userId, customerId, ...inEpochs(request) };
    case 'offer': {
      const { durationMs } = request;
      const transferId = request.transfer as TransferId;
      const to = offeredTo(request.to, digests);
      const offer = { tenantId, userId, customerId: customer, transferId, to, durationMs };
      return { type: 'OfferDevice', ...offer, ...inEpochs(request) };
    }
    case 'accept':
    case 'decline': {
      const addressDigest = digests.of(NOBODY, `address of ${request.customer}`);
      const transferId = request.transfer as TransferId;
      const asks = { tenantId, userId, customerId: customer, transferId, addressDigest };
      if (request.type === 'decline') return { type: 'DeclineOffer', ...asks };
      const codeDigest = request.code === null ? null : digests.of(NOBODY, request.code);
      return { type: 'AcceptOffer', ...asks, codeDigest };
    }
    case 'withdraw':
      return { type: 'WithdrawOffer', tenantId, userId, customerId };
    case 'save': {
      const { mark, allowed, padding, key } = request;
      const values = {
        mark,
        ...(allowed === null ? {} : { claimingAllowed: allowed }),
        ...(padding === 0 ? {} : { padding: 'x'.repeat(padding) }),
      };
      const command = {
        type: 'SaveAttributes',
        tenantId,
        customerId,
        scope: 'SERVER_SCOPE',
        values,
      } as const;
      if (key === null) return command;
      const secretDigest = digests.of(device, key.secret);
      return { ...command, serverKey: { secretDigest, sealedSecret: 'sealed', expiresAt: key.expiresAt } };
    }
    case 'forget':
      return { type: 'DeleteAttributes', tenantId, customerId, scope: 'SERVER_SCOPE', keys: request.keys };
    default:
      return unreachable(request);
  }
}

function authorityOf(owned: (Gate & { readonly customer: string }) | undefined): GatewayAuthority {
  if (owned === undefined) return { for: 'tenant' };
  const customerId = owned.customer as CustomerId;
  return { for: 'owner', gateway: gatewayOf(owned), customerId, everyDevice: false };
}

function gatewayOf({ gateway, epoch }: Gate): OwnedGateway {
  return { id: gateway as DeviceId, ownerEpoch: epoch };
}

/** A certificate is a key to sign with; it is another one with each change. */
function credentialsOf(token: string): Credentials {
  if (!token.startsWith(CERTIFICATE))
    return { type: 'ACCESS_TOKEN', credentialsId: token, sealedToken: '***' };
  return { type: 'X509_CERTIFICATE', credentialsId: token, certificate: token };
}

/** Customers that were deleted while their take-overs were pending. */
const GONE: ReadonlySet<string> = new Set(['carl', 'emil']);

export function stands(customer: string): boolean {
  return !GONE.has(customer);
}

function inEpochs({ inEpochs: epochs }: { readonly inEpochs?: readonly number[] }) {
  return epochs === undefined ? {} : { inEpochs: epochs };
}

/** Codes and addresses are digested whichever device they are about. */
const NOBODY = '';

function offeredTo(to: Party, digests: Digests): OfferedTo {
  switch (to.type) {
    case 'customer':
      return { type: 'customer', customerId: to.customer as CustomerId };
    case 'address':
      return {
        type: 'address',
        addressDigest: digests.of(NOBODY, `address of ${to.customer}`),
        sealedAddress: 'sealed',
      };
    case 'code':
      return { type: 'code', codeDigest: digests.of(NOBODY, to.code) };
    default:
      return unreachable(to);
  }
}

/** Whom an offer is for, in the words of the history. */
export function partyOf(to: OfferedTo, secretOf: Digests['secretOf']): Party {
  switch (to.type) {
    case 'customer':
      return { type: 'customer', customer: to.customerId };
    case 'address':
      return { type: 'address', customer: secretOf(to.addressDigest).replace('address of ', '') };
    case 'code':
      return { type: 'code', code: secretOf(to.codeDigest) };
    default:
      return unreachable(to);
  }
}

const described = { deviceType: 'default', label: null, additionalInfo: null } as const;

const numberIn = (value: Json | undefined) => (typeof value === 'number' ? value : null);

/** What a state looks like to a caller. */
export function seenIn(state: DeviceState, digests: Digests): Seen | null {
  if (state.status === 'absent') return null;
  const { tenantId, name, credentials, nextCredentials, owner, attributes, offer } = state;
  const { window, pendingWindow, serverKey } = state;
  const { takeOver, lastResetAt } = state;
  return {
    tenant: tenantId,
    name,
    token: credentials.credentialsId,
    next:
      nextCredentials === undefined
        ? null
        : { token: nextCredentials.credentials.credentialsId, until: nextCredentials.until },
    quarantined: state.quarantined ?? false,
    known: state.credentialsRead ?? false,
    owner:
      owner === null
        ? null
        : {
            customer: owner.customerId,
            since: owner.since,
            by: owner.by,
            transfer: owner.transferId ?? null,
          },
    epoch: state.ownerEpoch ?? 0,
    window:
      window === null ? null : { secret: digests.secretOf(window.secretDigest), closesAt: window.closesAt },
    pending:
      pendingWindow === undefined
        ? null
        : {
            secret: digests.secretOf(pendingWindow.secretDigest),
            openedAt: pendingWindow.openedAt,
            closesAt: pendingWindow.closesAt,
          },
    offer:
      offer === undefined
        ? null
        : {
            transfer: offer.transferId,
            to: partyOf(offer.to, digests.secretOf),
            expiresAt: offer.expiresAt,
          },
    key:
      serverKey === null
        ? null
        : { secret: digests.secretOf(serverKey.secretDigest), expiresAt: serverKey.expiresAt },
    allowed: allowedIn(attributes.SERVER_SCOPE.claimingAllowed),
    given: numberIn(attributes.SERVER_SCOPE.plan?.value),
    challenges: (state.challenges ?? []).map(({ customerId, nonceDigest, expiresAt }) => ({
      customer: customerId,
      nonce: digests.secretOf(nonceDigest),
      expiresAt,
    })),
    takeOver:
      takeOver === undefined
        ? null
        : {
            customer: takeOver.customerId,
            dueAt: takeOver.dueAt,
            inEpoch: takeOver.inEpoch,
            gives: numberIn(takeOver.attributes?.plan),
          },
    lastResetAt: lastResetAt ?? null,
  };
}

function allowedIn(attribute: Attribute | undefined): Allowed {
  const value = attribute?.value;
  return typeof value === 'boolean' || typeof value === 'string' ? value : null;
}
