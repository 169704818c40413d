/**
 * The rule book a second time, for the enumeration in `device-machine.test.ts`: a table of rules over what matters, of which
 * the first that applies decides. It shares no line with the machine in `actors/device/` and knows nothing of events or
 * encodings, so a mistake would have to be made twice.
 */
import type { Instant } from '../../actors/base/clock.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import type { DeviceCommand } from '../../actors/device/device.ts';
import type { OpensWindow } from '../../actors/device/opening.ts';
import type { Credentials, DeviceState, OfferedTo, OwnedGateway } from '../../actors/device/state.ts';
import type { AcceptOffer } from '../../actors/device/transfer.ts';
import { freshAfter } from '../kit/given.ts';

/** What the rules speak of. Undefined: there is no device. */
export type World =
  | undefined
  | {
      readonly tenant: string;
      /** Its name, type and profile. */
      readonly called: string;
      readonly token: string;
      /** The token to come, and until when the present one fetches it. */
      readonly next: { readonly token: string; readonly until: Instant } | null;
      readonly quarantined: boolean;
      /** A customer has read the newest token. */
      readonly known: boolean;
      readonly owner: string | null;
      /** The owner claimed it when nobody owned it. */
      readonly claimed: boolean;
      readonly epoch: number;
      /** The gateway that brought it up. */
      readonly via: string | null;
      /** `gate`: the gateway that opened it, and that one's epoch, where a customer owned it. */
      /** `came`: when the message arrived that asked for it. */
      readonly window:
        | (Key & { readonly by: 'device' | 'gateway'; readonly gate: string | null; readonly came: Instant })
        | null;
      /** Waits for the tenant, who calls it by the instant at which it was asked for. */
      readonly pending:
        | (Key & {
            readonly by: 'device' | 'gateway';
            readonly name: Instant;
            readonly gate: string | null;
            readonly came: Instant;
          })
        | null;
      readonly serverKey: Key | null;
      /** By which transfer the owner came to it. */
      readonly came: string | null;
      /** `for`: one text per kind of party. */
      readonly offer: { readonly id: string; readonly for: string; readonly until: Instant } | null;
      readonly allowed: 'unset' | 'true' | 'false';
      /** `gives`: the attributes that it is to have. */
      readonly taker: {
        readonly who: string;
        readonly from: Instant;
        readonly epoch: number;
        readonly gives: readonly string[];
      } | null;
      readonly lastReset: Instant | null;
      /** The server attributes there are, without `claimingData`. */
      readonly names: readonly string[];
      /** Of these, what a customer wrote; and what the tenant had before a customer wrote or deleted it. */
      readonly theirs: readonly string[];
      readonly hidden: readonly string[];
      /** C11: the key of the attribute, else the certificate's; null: neither. */
      readonly jwk: string | null;
      readonly certificate: string | null;
      readonly challenges: readonly Challenge[];
    };

interface Challenge {
  readonly customer: string;
  readonly nonce: string;
  readonly until: Instant;
}

interface Key {
  readonly secret: string;
  readonly until: Instant;
}

/** `no: …` and `same` must leave the world as it is. */
type Verdict = 'yes' | 'same' | `no: ${string}`;

export interface Prophecy {
  readonly verdict: Verdict;
  readonly world: World;
}

/** Reads a state as the rules see it. */
export function look(state: DeviceState): World {
  if (state.status === 'absent') return undefined;
  const { window, pendingWindow: pending, nextCredentials: next, serverKey } = state;
  const attribute = state.attributes.SERVER_SCOPE.claimingAllowed?.value;
  return {
    tenant: state.tenantId,
    called: `${state.name}/${state.type}/${state.profileId ?? ''}`,
    token: state.credentials.credentialsId,
    next: next ? { token: next.credentials.credentialsId, until: next.until } : null,
    quarantined: state.quarantined === true,
    known: state.credentialsRead === true,
    owner: state.owner?.customerId ?? null,
    claimed: state.owner?.by === 'claim',
    epoch: state.ownerEpoch ?? 0,
    via: state.viaGateway ?? null,
    window: window && {
      secret: window.secretDigest,
      until: window.closesAt,
      by: window.openedBy,
      gate: gateOf(window.gateway),
      came: window.arrivedAt ?? window.openedAt,
    },
    pending: pending
      ? {
          secret: pending.secretDigest,
          until: pending.closesAt,
          by: pending.openedBy,
          name: pending.openedAt,
          gate: gateOf(pending.gateway),
          came: pending.arrivedAt ?? pending.openedAt,
        }
      : null,
    came: state.owner?.transferId ?? null,
    offer: state.offer
      ? { id: state.offer.transferId, for: whom(state.offer.to), until: state.offer.expiresAt }
      : null,
    serverKey: serverKey && { secret: serverKey.secretDigest, until: serverKey.expiresAt },
    allowed: attribute === true ? 'true' : attribute === false ? 'false' : 'unset',
    taker: state.takeOver
      ? {
          who: state.takeOver.customerId,
          from: state.takeOver.dueAt,
          epoch: state.takeOver.inEpoch,
          gives: Object.keys(state.takeOver.attributes ?? {}),
        }
      : null,
    lastReset: state.lastResetAt ?? null,
    names: Object.keys(state.attributes.SERVER_SCOPE).sort(),
    theirs: Object.entries(state.attributes.SERVER_SCOPE)
      .flatMap(([name, { byCustomer }]) => (byCustomer ? [name] : []))
      .sort(),
    hidden: Object.keys(state.tenantAttributes?.SERVER_SCOPE ?? {}).sort(),
    jwk: jwkOf(state.attributes.SERVER_SCOPE.claimPublicKey?.value),
    certificate: state.credentials.type === 'X509_CERTIFICATE' ? state.credentials.credentialsId : null,
    challenges: (state.challenges ?? []).map(
      ({ customerId: customer, nonceDigest: nonce, expiresAt: until }) => ({
        customer,
        nonce,
        until,
      }),
    ),
  };
}

/** The keys in the enumeration are as long as keys are, or end in `-`. */
function jwkOf(value: unknown): string | null {
  const { crv, x } = (value ?? {}) as { readonly crv?: string; readonly x?: string };
  return crv === undefined || x === undefined || x.endsWith('-') ? null : `jwk ${crv} ${x}`;
}

/** What the rule book answers to a command. */
export function prophesy(policy: ClaimPolicy, world: World, command: DeviceCommand, at: Instant): Prophecy {
  const no = (why: string): Prophecy => ({ verdict: `no: ${why}`, world });
  const same: Prophecy = { verdict: 'same', world };
  const yes = (after: World): Prophecy => ({ verdict: 'yes', world: after });
  const strict = !policy.allowClaimingByDefault;

  if (world === undefined) {
    if (command.type === 'ExpireDue') return same;
    if (command.type !== 'ProvisionDevice') return no('unknown-device');
    return yes({
      tenant: command.tenantId,
      called: `${command.name}/${command.deviceType}/${command.profileId ?? ''}`,
      token: command.credentials.credentialsId,
      next: null,
      quarantined: false,
      known: false,
      owner: command.customerId,
      claimed: false,
      epoch: 0,
      via: command.viaGateway ?? null,
      window: null,
      pending: null,
      serverKey: null,
      came: null,
      offer: null,
      taker: null,
      lastReset: null,
      allowed: 'unset',
      names: [],
      theirs: [],
      hidden: [],
      jwk: null,
      certificate: certificateOf(command.credentials),
      challenges: [],
    });
  }

  const asTenant = tenantOf(command);
  if (command.type === 'ProvisionDevice') return no('already-provisioned');
  if (asTenant !== undefined && asTenant !== world.tenant) return no('unknown-device');

  const { onOwnerChange, rotationGraceMs } = policy.ownership;
  const begun = {
    ...world,
    came: null,
    claimed: false,
    epoch: world.epoch + 1,
    window: null,
    pending: null,
    offer: null,
    taker: null,
    challenges: [],
    names: union(minus(world.names, world.theirs), world.hidden),
    theirs: [],
    hidden: [],
    quarantined: world.quarantined || onOwnerChange === 'quarantine',
    ...(onOwnerChange === 'rotate' && world.certificate === null
      ? {
          next: { token: world.next?.token ?? freshAfter(world.token), until: at + rotationGraceMs },
          quarantined: world.quarantined || world.known,
          known: false,
        }
      : {}),
  };
  const free = {
    ...begun,
    owner: null,
    allowed: strict && world.allowed !== 'false' ? ('true' as const) : world.allowed,
    names: strict ? union(begun.names, [ALLOWED]) : begun.names,
  };
  const { claimProof } = policy.ownership;
  const key = world.jwk ?? (world.certificate && `x509 ${world.certificate}`);
  const mayOpen = world.allowed === 'true' || (!strict && world.allowed === 'unset');
  const { takeOver, takeOverNoticeMs, takeOverRequires, deviceReset } = policy.ownership;
  const provesTakeOver = takeOverRequires === 'proof' || claimProof === 'required';
  const isLate = 'inEpochs' in command && !command.inEpochs?.some((epoch) => epoch === world.epoch);
  /** After a claim, but for the owner. */
  const usedUp = {
    ...begun,
    serverKey: null,
    ...(strict ? { allowed: 'unset' as const, names: minus(begun.names, [ALLOWED]) } : {}),
  };
  const isOwner = 'customerId' in command && command.customerId === world.owner;
  const mayWrite = isOwner || ('customerId' in command && command.customerId === null);

  switch (command.type) {
    case 'InitiateClaim': {
      const { openedBy, durationMs } = command;
      const lasts = durationMs <= 0 ? policy.defaultDurationMs : durationMs;
      if (openedBy.type === 'device' && openedBy.credentialsId !== world.token)
        return no('credentials-revoked');
      if (openedBy.type === 'device' && world.next !== null)
        return no(at < world.next.until ? 'credentials-superseded' : 'credentials-revoked');
      if (isSilent(world, openedBy)) return no('not-behind-gateway');
      const invites = takeOver !== 'never' && !provesTakeOver;
      if (world.owner !== null && !(invites && openedBy.type === 'device' && !world.quarantined))
        return no('already-claimed');
      if (world.taker !== null) return no('take-over-pending');
      if (world.allowed === 'false' || (strict && world.allowed === 'unset'))
        return no('claiming-not-allowed');
      const came = Math.min(command.arrivedAt ?? at, at);
      const newest = Math.max(world.window?.came ?? 0, world.pending?.came ?? 0);
      if (at > came + 1_000 && newest > came) return no('superseded');
      if (lasts % 1 !== 0 || at + lasts >= 2 ** 53) return no('duration-out-of-range');
      if (world.owner !== null && !command.secretLength) return no('secret-too-short');
      const owned = openedBy.type === 'gateway' && openedBy.authority.for === 'owner' && openedBy.authority;
      const gate = owned ? gateOf(owned.gateway) : null;
      const asked = { secret: command.secretDigest, until: at + lasts, gate, came };
      const waits = world.quarantined && (openedBy.type === 'device' || owned);
      return yes(
        waits
          ? { ...world, pending: { ...asked, by: openedBy.type, name: at } }
          : { ...world, window: { ...asked, by: openedBy.type } },
      );
    }
    case 'ResetDevice': {
      const { openedBy } = command;
      const opens = { ...command, type: 'InitiateClaim' as const };
      if (openedBy.type === 'device' && openedBy.credentialsId !== world.token)
        return no('credentials-revoked');
      if (openedBy.type === 'device' && world.next !== null)
        return no(at < world.next.until ? 'credentials-superseded' : 'credentials-revoked');
      if (isSilent(world, openedBy)) return no('not-behind-gateway');
      const byDevice = openedBy.type === 'device';
      const { verdict, world: told } = prophesy(policy, world, opens, at);
      const tellsReset = byDevice && deviceReset !== 'off';
      const isNoted = told && verdict === 'yes' && tellsReset;
      const asOpening = { verdict, world: isNoted ? { ...told, lastReset: at } : told };
      if (world.owner === null)
        return tellsReset && deviceReset === 'release' ? yes({ ...world, lastReset: at }) : asOpening;
      if (!byDevice || deviceReset === 'off' || world.quarantined) return no('reset-not-allowed');
      if (world.allowed === 'false') return no('claiming-not-allowed');
      if (command.isRedelivery) return no('reset-repeated');
      if (world.lastReset !== null && Math.abs(at - world.lastReset) < 3_600_000) return no('rate-limited');
      const released = { ...free, lastReset: at };
      if (deviceReset === 'release') return yes(released);
      // As if the credentials were as before: it is one message.
      const opened = prophesy(policy, { ...released, next: null }, opens, at);
      const after = opened.world && { ...opened.world, next: released.next };
      return opened.verdict === 'yes' ? yes(after) : { ...opened, world };
    }
    case 'ConfirmClaim': {
      const gives = Object.keys(command.attributes ?? {});
      const used = withGiven({ ...usedUp, owner: command.customerId, claimed: world.owner === null }, gives);
      if (world.owner !== null) {
        const deaf = takeOver === 'never' || isOwner || world.allowed === 'false';
        if (!deaf && world.taker?.who === command.customerId) return same;
        if (deaf || world.taker !== null) return no('already-claimed');
        const asked = { who: command.customerId, from: at + takeOverNoticeMs, epoch: world.epoch, gives };
        const unasked = policy.asksConsent && command.consentIn !== world.epoch;
        const taken = unasked
          ? no('consent-needed')
          : takeOver === 'at-once'
            ? yes(used)
            : yes({ ...world, window: null, challenges: [], taker: asked });
        if (provesTakeOver) {
          const { proof, customerId: customer } = command;
          if (!proof || key === null || claimProof === 'none') return no('already-claimed');
          if (proof.type === 'outdated') return no('proof-outdated');
          const signed = proof.type === 'signed' && proof.key === key ? proof.nonceDigests[0] : null;
          const mine = world.challenges.find((open) => open.nonce === signed && open.customer === customer);
          if (mine === undefined) return no('wrong-proof');
          return mine.until > at ? taken : no('proof-outdated');
        }
        const open = world.window?.by === 'device' && world.window.until > at;
        if (!open) return no('already-claimed');
        return world.window?.secret === command.secretDigest ? taken : no('wrong-secret');
      }
      if (world.allowed === 'false') return no('claiming-not-allowed');
      const { proof, customerId: customer } = command;
      const lacksConsent = policy.asksConsent && command.consentIn !== world.epoch;
      if (proof && key !== null && claimProof !== 'none') {
        if (!mayOpen) return no('claiming-not-allowed');
        if (proof.type === 'outdated') return no('proof-outdated');
        const signed = proof.type === 'signed' && proof.key === key ? proof.nonceDigests[0] : null;
        const mine = world.challenges.find((open) => open.nonce === signed && open.customer === customer);
        if (mine === undefined) return no('wrong-proof');
        if (mine.until <= at) return no('proof-outdated');
        return lacksConsent ? no('consent-needed') : yes(used);
      }
      if (claimProof === 'required') return no('proof-required');
      const keys = [world.window, world.serverKey].filter((key) => key !== null);
      const alive = keys.filter(({ until }) => until > at);
      const waits = world.pending !== null && world.pending.until > at;
      const fitting = alive.filter(({ secret }) => secret === command.secretDigest);
      if (fitting.length === 0) {
        if (waits && world.pending?.secret === command.secretDigest) return no('window-pending');
        if (waits || alive.length > 0) return no('wrong-secret');
        return no(keys.length === 0 && world.pending === null ? 'no-window' : 'window-elapsed');
      }
      const gate = fitting.includes(world.serverKey ?? NO_KEY) ? null : (world.window?.gate ?? null);
      if (gate !== null && gate !== gateOf(command.gateway)) {
        const asked = command.gateway !== undefined && gate.startsWith(command.gateway.id);
        return no(asked ? 'window-elapsed' : 'gateway-unchecked');
      }
      return lacksConsent ? no('consent-needed') : yes(used);
    }
    case 'ClaimByKit': {
      const wasInTime = world.epoch - (world.owner === null ? 0 : 1) === command.grantedIn;
      if (world.owner !== null) return isOwner && wasInTime ? same : no('already-claimed');
      if (!wasInTime) return no('epoch-changed');
      if (world.allowed === 'false') return no('claiming-not-allowed');
      if (claimProof === 'required') return no('proof-required');
      const consents = !policy.asksConsent || command.consentIn === world.epoch;
      const used = { ...usedUp, owner: command.customerId, claimed: true };
      const gives = Object.keys(command.attributes ?? {});
      return consents ? yes(withGiven(used, gives)) : no('consent-needed');
    }
    case 'IssueChallenge': {
      if (claimProof === 'none' || key === null) return no('proof-not-possible');
      const takesOver = takeOver !== 'never' && provesTakeOver;
      if (world.owner !== null && !takesOver) return no('already-claimed');
      if (world.owner === null ? !mayOpen : world.allowed === 'false') return no('claiming-not-allowed');
      const { customerId: customer, nonceDigest: nonce, validMs } = command;
      const others = world.challenges.filter((open) => open.customer !== customer && open.until > at);
      return yes({ ...world, challenges: [...others, { customer, nonce, until: at + validMs }] });
    }
    case 'CompleteTakeOver': {
      const { taker } = world;
      const meant = taker?.who === command.customerId && taker.epoch === command.inEpoch;
      if (taker === null || !meant || taker.from > at) return same;
      const may = takeOver !== 'never' && world.allowed !== 'false' && command.newcomerStands;
      if (!may || world.owner === null || taker.epoch !== world.epoch) return yes({ ...world, taker: null });
      return yes(withGiven({ ...usedUp, owner: taker.who }, taker.gives));
    }
    case 'EndTakeOver':
      if (!mayWrite && world.taker?.who !== command.customerId) return no('not-owner');
      if (isLate) return no('epoch-changed');
      if (world.taker !== null) return yes({ ...world, taker: null });
      return world.owner !== null && world.window !== null ? yes({ ...world, window: null }) : same;
    case 'ReclaimDevice':
      if (world.owner === null) {
        if (command.customerId !== null) return command.inEpochs ? no('epoch-changed') : same;
        if (isLate) return no('epoch-changed');
        const closes = world.window !== null || world.pending !== null;
        return closes ? yes({ ...world, window: null, pending: null }) : same;
      }
      if (command.customerId !== null && !isOwner) return no('not-owner');
      return isLate ? no('epoch-changed') : yes(free);
    case 'AssignDevice':
      if (isLate) return no('epoch-changed');
      return isOwner ? same : yes({ ...begun, owner: command.customerId, came: null });
    case 'UnassignDevice':
      if (isLate) return no('epoch-changed');
      if (world.owner === null) return no('not-assigned');
      return command.customerId === null || isOwner ? yes(free) : no('not-assigned');
    case 'ExpireDue':
      if (world.offer !== null && world.offer.until <= at) return yes({ ...world, offer: null });
      if (world.window !== null && world.window.until <= at) return yes({ ...world, window: null });
      if (world.pending !== null && world.pending.until <= at) return yes({ ...world, pending: null });
      if (world.next !== null && world.next.until <= at) {
        return yes({ ...world, token: world.next.token, next: null });
      }
      return same;
    case 'OfferDevice': {
      if (!isOwner) return no('not-owner');
      if (isLate) return no('epoch-changed');
      if (world.allowed === 'false' || policy.ownership.transfer === 'never')
        return no('claiming-not-allowed');
      const until = at + command.durationMs;
      if (until <= at || until % 1 !== 0) return no('duration-out-of-range');
      return yes({ ...world, offer: { id: command.transferId, for: whom(command.to), until } });
    }
    case 'AcceptOffer':
      if (isOwner && world.came === command.transferId) return same;
      if (world.owner === null || !isMeant(world.offer, command, command.codeDigest)) return no('no-offer');
      if ((world.offer?.until ?? 0) <= at) return no('offer-elapsed');
      if (isOwner) return no('already-claimed');
      if (world.allowed === 'false' || policy.ownership.transfer === 'never')
        return no('claiming-not-allowed');
      return yes({ ...begun, owner: command.customerId, came: command.transferId });
    case 'DeclineOffer':
      return isMeant(world.offer, command, null) ? yes({ ...world, offer: null }) : no('no-offer');
    case 'WithdrawOffer':
      if (!mayWrite) return no('not-owner');
      return world.offer === null ? same : yes({ ...world, offer: null });
    case 'DeleteDevice':
      return isLate ? no('epoch-changed') : yes(undefined);
    case 'ChangeCredentials':
      return yes({
        ...world,
        token: command.credentials.credentialsId,
        certificate: certificateOf(command.credentials),
        next: null,
        quarantined: false,
        known: false,
        pending: null,
      });
    case 'FetchCredentials':
      if (command.credentialsId !== world.token) return no('credentials-revoked');
      return world.next !== null && world.next.until <= at ? no('credentials-revoked') : same;
    case 'AdoptCredentials':
      if (world.next !== null && command.credentialsId === world.next.token) {
        return yes({ ...world, token: world.next.token, next: null });
      }
      return command.credentialsId === world.token ? same : no('credentials-revoked');
    case 'NoteRefusedClaims':
      return yes(world);
    case 'ReadCredentials':
      if (!isOwner) return no('not-owner');
      return world.known || world.certificate !== null ? same : yes({ ...world, known: true });
    case 'ApproveWindow': {
      const { pending } = world;
      if (world.owner !== null) return no('already-claimed');
      if (pending === null) return no('no-window');
      if (pending.name !== command.openedAt) return no('window-replaced');
      if (pending.until <= at) return no('window-elapsed');
      return yes({
        ...world,
        window: {
          secret: pending.secret,
          until: pending.until,
          by: pending.by,
          gate: pending.gate,
          came: pending.came,
        },
        pending: null,
      });
    }
    case 'UpdateDevice': {
      const profile = command.profileId === undefined ? world.called.split('/').at(-1) : command.profileId;
      const called = `${command.name}/${command.deviceType}/${profile ?? ''}`;
      if (!mayWrite || (command.customerId !== null && called !== world.called)) return no('not-owner');
      return yes({ ...world, called });
    }
    case 'SaveAttributes': {
      if (!mayWrite) return no('not-owner');
      const { serverKey, values, scope } = command;
      const names = Object.keys(values);
      const isCustomer = command.customerId !== null;
      if (isCustomer && (serverKey || names.some((name) => STEERING.includes(name)))) return no('not-owner');
      const misplaced =
        names.includes('claimingData') ||
        (scope !== 'SERVER_SCOPE' && [ALLOWED, PUBLIC_KEY].some((name) => names.includes(name)));
      const jwk = jwkOf(values[PUBLIC_KEY]);
      const unusable = names.includes(PUBLIC_KEY) && jwk === null;
      const unclear = names.includes(ALLOWED) && ![true, false].some((clear) => clear === values[ALLOWED]);
      const stale = serverKey !== undefined && serverKey.expiresAt <= at;
      if (misplaced || unclear || stale || unusable) return no('steering-attribute-malformed');
      const { claimingAllowed } = values;
      const allowed = typeof claimingAllowed === 'boolean' ? (`${claimingAllowed}` as const) : 'unset';
      return yes({
        ...world,
        serverKey: serverKey
          ? { secret: serverKey.secretDigest, until: serverKey.expiresAt }
          : world.serverKey,
        jwk: jwk ?? world.jwk,
        allowed: Object.hasOwn(values, ALLOWED) ? allowed : world.allowed,
        names: scope === 'SERVER_SCOPE' ? union(world.names, names) : world.names,
        ...(scope === 'SERVER_SCOPE' ? touched(world, names, names, isCustomer) : {}),
      });
    }
    case 'DeleteAttributes': {
      if (!mayWrite) return no('not-owner');
      const clearsKey = command.keys.includes('claimingData') && world.serverKey !== null;
      const names = minus(world.names, command.keys);
      const isCustomer = command.customerId !== null;
      if (isCustomer && command.keys.some((name) => STEERING.includes(name))) return no('not-owner');
      const reveals = !isCustomer && world.hidden.some((name) => command.keys.includes(name));
      if (!clearsKey && !reveals && names.length === world.names.length) return same;
      return yes({
        ...world,
        serverKey: clearsKey ? null : world.serverKey,
        jwk: names.includes(PUBLIC_KEY) ? world.jwk : null,
        allowed: names.includes(ALLOWED) ? world.allowed : 'unset',
        names,
        ...touched(world, command.keys, [], isCustomer),
      });
    }
    default:
      return unreachable(command);
  }
}

/** C12: what the operator gave is the new owner's, as what that one writes. */
function withGiven(world: NonNullable<World>, names: readonly string[]): World {
  return { ...world, names: union(world.names, names), ...touched(world, names, names, true) };
}

/** O8: whether it is a gateway that may not speak for the device. */
function isSilent(world: NonNullable<World>, openedBy: OpensWindow['openedBy']): boolean {
  const owned = openedBy.type === 'gateway' && openedBy.authority.for === 'owner' && openedBy.authority;
  if (!owned || owned.everyDevice) return false;
  const sameOwner = world.owner !== null && world.owner === owned.customerId;
  const hadAnother = world.epoch > (world.claimed ? 1 : 0);
  const isNobodys = world.owner === null || world.claimed;
  return !sameOwner && (world.via !== owned.gateway.id || hadAnother || !isNobodys);
}

/** The tenant that a command names; undefined for commands of the device and the alarm. */
export function tenantOf(command: DeviceCommand): string | undefined {
  if (command.type === 'InitiateClaim' || command.type === 'ResetDevice') {
    return command.openedBy.type === 'gateway' ? command.openedBy.tenantId : undefined;
  }
  return 'tenantId' in command ? command.tenantId : undefined;
}

function gateOf(gateway: OwnedGateway | undefined): string | null {
  return gateway === undefined ? null : `${gateway.id} in epoch ${gateway.ownerEpoch}`;
}

const NO_KEY: Key = { secret: '', until: 0 };
/** Whom an offer is for, as one text. */
function whom(to: OfferedTo): string {
  if (to.type === 'customer') return `customer ${to.customerId}`;
  return to.type === 'code' ? `code ${to.codeDigest}` : `address ${to.addressDigest}`;
}

function isMeant(
  offer: NonNullable<World>['offer'],
  asks: Pick<AcceptOffer, 'transferId' | 'customerId' | 'addressDigest'>,
  code: string | null,
): boolean {
  if (offer?.id !== asks.transferId) return false;
  return [`customer ${asks.customerId}`, `address ${asks.addressDigest}`, `code ${code}`].includes(offer.for);
}

const STEERING: readonly string[] = ['claimingAllowed', 'claimingData', 'claimPublicKey'];
const ALLOWED = 'claimingAllowed';
const PUBLIC_KEY = 'claimPublicKey';

function certificateOf({ type, credentialsId }: Credentials): string | null {
  return type === 'X509_CERTIFICATE' ? credentialsId : null;
}

/** R4: what is a customer's, and what the tenant had, after these names were written or deleted. */
function touched(
  world: NonNullable<World>,
  names: readonly string[],
  written: readonly string[],
  byCustomer: boolean,
): Pick<NonNullable<World>, 'theirs' | 'hidden'> {
  const theirs = minus(world.theirs, names);
  if (!byCustomer) return { theirs, hidden: minus(world.hidden, names) };
  const tenants = names.filter((name) => world.names.includes(name) && !world.theirs.includes(name));
  return { theirs: union(theirs, written), hidden: union(world.hidden, tenants) };
}

function union(names: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...names, ...more])].sort();
}

function minus(names: readonly string[], less: readonly string[]): readonly string[] {
  return names.filter((name) => !less.includes(name));
}
