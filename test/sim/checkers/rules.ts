/**
 * The rule book once more, as a tiny sequential device for the checkers: what a request does to it, and when a refusal
 * is true. Written from the rules (their numbers stand beside the lines), not from the code under test, and shared by the
 * checkers that need it.
 *
 * An observer does not always know when a request was decided, only between which instants. So instants are spans here,
 * "possible" means at some instant of the span, and what is seen later narrows them.
 *
 * An elapsed window may be there or not: recording its expiry is nobody's request and can come at any time after.
 */

import { isDeepStrictEqual } from 'node:util';
import { unreachable } from '../../../actors/base/unreachable.ts';
import type { RefusalReason } from '../../../actors/device/messages.ts';
import {
  type Allowed,
  CERTIFICATE,
  type Gate,
  type Party,
  type Request,
  type Rules,
  type Seen,
} from '../history.ts';

/** From the first possible instant to the last, both included, in ms since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Model {
  readonly tenant: string;
  readonly name: string;
  /** Null: the one that it had, or its next one. Whoever looks will know. */
  readonly token: string | null;
  /** O9: what the token will be (null: nobody has seen it), and until when the old one fetches it. */
  readonly next: { readonly token: string | null; readonly until: Span } | null;
  readonly quarantined: boolean;
  /** Whether a customer has read the newest credentials. */
  readonly known: boolean;
  readonly owner: {
    readonly customer: string;
    readonly since: Span;
    readonly by: string;
    readonly transfer: string | null;
  } | null;
  /** R5 */
  readonly epoch: number;
  /** The gateway that brought it up (O8). */
  readonly via: string | null;
  readonly window: Window | null;
  /** Waits for the tenant's approval. */
  readonly pending: (Window & { readonly opened: Span }) | null;
  readonly offer: { readonly transfer: string; readonly to: Party; readonly expires: Span } | null;
  readonly key: { readonly secret: string; readonly expiresAt: number } | null;
  readonly allowed: Allowed;
  /** C12: what the operator gave to this owner. */
  readonly given: number | null;
  /** C11, in the order in which they were made. */
  readonly challenges: readonly Challenge[];
  /** N2 */
  readonly takeOver: {
    readonly customer: string;
    readonly due: Span;
    readonly inEpoch: number;
    readonly gives: number | null;
  } | null;
  /** N5 */
  readonly lastReset: Span | null;
}

interface Challenge {
  readonly customer: string;
  readonly nonce: string;
  readonly expires: Span;
}

interface Window {
  readonly secret: string;
  readonly closes: Span;
  /** When the message that opened it came, which may have waited since (O5). */
  readonly came: Span;
  readonly by: 'device' | 'gateway';
  /** The gateway that opened it, where that one has or had an owner (O9). */
  readonly gate: Gate | null;
}

/** Null: there is no such device. */
export type MaybeModel = Model | null;

/** The device after a request was accepted during `at`; undefined when it cannot have been. */
export function accept(rules: Rules, device: MaybeModel, request: Request, at: Span): MaybeModel | undefined {
  if (request.type === 'read') return device;
  if (request.type === 'provision') {
    if (device !== null) return undefined;
    const { tenant, name, token, customer, via } = request;
    const owner = customer === null ? null : { customer, since: at, by: 'assignment', transfer: null };
    return { ...UNTOUCHED, tenant, name, token, via, owner };
  }
  if (device === null || !isVisible(device, request)) return undefined;
  const { owner } = device;
  if (isLate(device, request)) return undefined; // R5

  switch (request.type) {
    case 'initiate': {
      const acting =
        request.by.type === 'device' ? shownBy(rules, device, request.by.token, at).acting : device;
      if (acting === undefined || initiateTroubles(rules, device, request, at).length > 0) return undefined;
      if (isOvertaken(rules, device, request, at)) return undefined; // O5
      const durationMs = effectiveDuration(rules, request.durationMs);
      const closes = { from: at.from + durationMs, to: at.to + durationMs }; // O4
      const gate = request.by.type === 'gateway' ? (request.by.owned ?? null) : null;
      const waits = device.quarantined && (request.by.type === 'device' || gate !== null); // O9
      const { arrivedAt = at.to } = request;
      const came = { from: Math.min(arrivedAt, at.from), to: Math.min(arrivedAt, at.to) };
      const asked = { secret: request.secret, opened: at, closes, came, by: request.by.type, gate };
      return { ...acting, [waits ? 'pending' : 'window']: asked }; // O5: replaces its like
    }
    case 'reset':
      return reset(rules, device, request, at);
    case 'complete':
      return complete(rules, device, request, at);
    case 'end-take-over':
      if (!mayEnd(device, request.customer)) return undefined;
      if (device.takeOver !== null) return { ...device, takeOver: null };
      return owner === null ? device : { ...device, window: null };
    case 'confirm': {
      if (owner !== null) return takeOver(rules, device, owner.customer, request, at);
      if (device.allowed === false) return undefined; // O3
      if (!opens(rules, device, request, at)) return undefined; // C2, C3, C8, C11
      if (lacksConsent(rules, device, request)) return undefined; // C12
      const since = { customer: request.customer, since: at, by: 'claim', transfer: null };
      return owned(rules, device, at, since, request.gives);
    }
    case 'challenge': {
      if (challengeTrouble(rules, device) !== undefined) return undefined; // C11
      const { customer, nonce, validMs } = request;
      const expires = { from: at.from + validMs, to: at.to + validMs };
      return {
        ...device,
        challenges: [
          ...device.challenges.filter((other) => other.customer !== customer),
          { customer, nonce, expires },
        ],
      };
    }
    case 'kit': {
      if (owner !== null) return isByKit(device, request) ? device : undefined; // K3
      if (device.allowed === false || device.epoch !== request.grantedIn) return undefined;
      if (rules.ownership.claimProof === 'required') return undefined; // C11
      if (lacksConsent(rules, device, request)) return undefined; // C12
      const since = { customer: request.customer, since: at, by: 'claim', transfer: null };
      return owned(rules, device, at, since, request.gives);
    }
    case 'reclaim': {
      if (owner === null)
        return request.customer === null ? { ...device, window: null, pending: null } : device; // R2
      if (request.customer !== null && request.customer !== owner.customer) return undefined; // R1
      return givenBack(rules, device, at);
    }
    case 'assign': {
      if (owner?.customer === request.customer) return device;
      return {
        ...newEpoch(rules, device, at), // R3, H4
        owner: { customer: request.customer, since: at, by: 'assignment', transfer: null },
      };
    }
    case 'unassign':
      if (owner === null || (request.customer !== null && request.customer !== owner.customer)) {
        return undefined;
      }
      return givenBack(rules, device, at); // R3
    case 'offer': {
      if (offerTroubles(device, request, at).length > 0) return undefined;
      const expires = { from: at.from + request.durationMs, to: at.to + request.durationMs };
      return { ...device, offer: { transfer: request.transfer, to: request.to, expires } }; // H1
    }
    case 'accept': {
      if (hasAccepted(device, request)) return device; // H2
      if (owner === null || !isMeant(device, request) || owner.customer === request.customer)
        return undefined;
      if (device.allowed === false) return undefined; // H5
      if (device.offer === null || at.from >= device.offer.expires.to) return undefined; // H4
      const { customer, transfer } = request;
      const next = { customer, since: at, by: 'transfer', transfer };
      return { ...newEpoch(rules, device, at), owner: next };
    }
    case 'decline':
      return isMeant(device, request) ? { ...device, offer: null } : undefined; // H4
    case 'withdraw':
      return mayWrite(device, request.customer) ? { ...device, offer: null } : undefined; // H4
    case 'rename':
      return mayRename(device, request) ? { ...device, name: request.name } : undefined;
    case 'change-credentials':
      return { ...device, token: request.token, next: null, quarantined: false, known: false, pending: null };
    case 'adopt':
      return shownBy(rules, device, request.token, at).adopted;
    case 'read-credentials':
      if (owner?.customer !== request.customer) return undefined;
      return device.token?.startsWith(CERTIFICATE) ? device : { ...device, known: true };
    case 'approve': {
      const { pending } = device;
      if (owner !== null || pending === null) return undefined;
      if (!contains(pending.opened, request.openedAt) || at.from >= pending.closes.to) return undefined;
      return { ...device, window: pending, pending: null };
    }
    case 'delete':
      return null;
    case 'save':
      if (!maySave(device, request) || request.padding >= rules.maxAttributeBytes) return undefined;
      if (typeof request.allowed === 'string') return undefined; // O3
      if (request.key !== null && request.key.expiresAt <= at.from) return undefined; // C3
      return {
        ...device,
        allowed: request.allowed ?? device.allowed,
        key: request.key ?? device.key,
      };
    case 'forget':
      if (!mayForget(device, request)) return undefined;
      return {
        ...device,
        allowed: request.keys.includes('claimingAllowed') ? null : device.allowed,
        key: request.keys.includes('claimingData') ? null : device.key,
      };
    default:
      return unreachable(request);
  }
}

/** Whether refusing the request for this reason was right at some instant of `at`. */
export function isTrue(
  rules: Rules,
  device: MaybeModel,
  request: Request,
  at: Span,
  reason: RefusalReason,
): boolean {
  if (reason === 'unknown-device') return device === null || !isVisible(device, request);
  // Whether a name or token is taken is not one device's matter; the refusals checker looks at all of them.
  if (reason === 'name-taken') return request.type === 'provision' || request.type === 'rename';
  if (reason === 'transfer-taken') return request.type === 'offer';
  if (reason === 'credentials-taken') {
    return request.type === 'provision' || request.type === 'change-credentials';
  }
  if (device === null || !isVisible(device, request)) return false;

  switch (request.type) {
    case 'provision':
      return reason === 'already-provisioned';
    case 'initiate':
      if (request.by.type === 'device' && shownBy(rules, device, request.by.token, at).why.has(reason))
        return true;
      if (reason === 'superseded') return mayBeOvertaken(device, request, at);
      return initiateTroubles(rules, device, request, at).includes(reason);
    case 'confirm':
      if (device.owner !== null) {
        if (reason === 'consent-needed') {
          const asked = takeOver(
            { ...rules, asksConsent: false },
            device,
            device.owner.customer,
            request,
            at,
          );
          return lacksConsent(rules, device, request) && asked !== undefined && asked !== device; // C12
        }
        return takeOverTroubles(rules, device, device.owner.customer, request, at).has(reason);
      }
      // O3: a forbidden device is refused whatever the secret, and without a proof only a forbidden one.
      if (device.allowed === false) return reason === 'claiming-not-allowed';
      if (reason === 'consent-needed') {
        return lacksConsent(rules, device, request) && opens(rules, device, request, at); // C12
      }
      if (request.proof !== undefined) return proofTroubles(rules, device, request, at).has(reason); // C11
      if (rules.ownership.claimProof === 'required') return reason === 'proof-required';
      return confirmTroubles(rules, device, request, at).has(reason);
    case 'challenge':
      return reason === challengeTrouble(rules, device);
    case 'reset':
      if (request.by.type === 'device' && shownBy(rules, device, request.by.token, at).why.has(reason))
        return true;
      return resetTroubles(rules, device, request, at).includes(reason);
    case 'end-take-over':
      if (reason === 'epoch-changed') return isLate(device, request);
      return reason === 'not-owner' && !mayEnd(device, request.customer);
    case 'kit':
      if (device.owner !== null) return reason === 'already-claimed' && !isByKit(device, request);
      if (device.epoch !== request.grantedIn) return reason === 'epoch-changed';
      if (device.allowed === false) return reason === 'claiming-not-allowed';
      if (rules.ownership.claimProof === 'required') return reason === 'proof-required';
      return reason === 'consent-needed' && lacksConsent(rules, device, request);
    case 'reclaim':
      if (reason === 'epoch-changed') return isLate(device, request);
      return (
        reason === 'not-owner' &&
        request.customer !== null &&
        device.owner !== null &&
        device.owner.customer !== request.customer
      );
    case 'unassign':
      if (reason === 'epoch-changed') return isLate(device, request);
      return (
        reason === 'not-assigned' &&
        (device.owner === null || (request.customer !== null && request.customer !== device.owner.customer))
      );
    case 'save':
      if (reason === 'attributes-too-large') return request.padding >= rules.maxAttributeBytes / 2;
      if (reason === 'steering-attribute-malformed') {
        const stale = request.key !== null && request.key.expiresAt <= at.to;
        return typeof request.allowed === 'string' || stale;
      }
      return reason === 'not-owner' && !maySave(device, request);
    case 'offer':
      return offerTroubles(device, request, at).includes(reason);
    case 'accept':
      if (hasAccepted(device, request)) return false;
      if (reason === 'no-offer')
        return device.owner === null || !isMeant(device, request) || mayBeOver(rules, device, at);
      if (device.offer === null || !isMeant(device, request)) return false;
      if (reason === 'offer-elapsed') return at.to >= device.offer.expires.from;
      if (reason === 'already-claimed') return device.owner?.customer === request.customer;
      return reason === 'claiming-not-allowed' && device.allowed === false;
    case 'decline':
      return reason === 'no-offer' && (!isMeant(device, request) || mayBeOver(rules, device, at));
    case 'rename':
      return reason === 'not-owner' && !mayRename(device, request);
    case 'forget':
      return reason === 'not-owner' && !mayForget(device, request);
    case 'withdraw':
      return reason === 'not-owner' && !mayWrite(device, request.customer);
    case 'assign':
      return reason === 'epoch-changed' && isLate(device, request);
    case 'adopt':
      return reason === 'credentials-revoked' && isOther(rules, device, request.token, at);
    case 'read-credentials':
      return reason === 'not-owner' && device.owner?.customer !== request.customer;
    case 'approve':
      return approveTroubles(rules, device, request.openedAt, at).has(reason);
    case 'complete':
    case 'change-credentials':
    case 'delete':
    case 'read':
      return false;
    default:
      return unreachable(request);
  }
}

/**
 * The model as it must be if it looked like `seen` during `at`; undefined when it cannot have. Instants that were spans
 * become known, and a window that is gone although nobody closed it must have elapsed.
 */
export function agree(rules: Rules, device: MaybeModel, seen: Seen | null, at: Span): MaybeModel | undefined {
  if (device === null || seen === null) return device === seen ? null : undefined;
  if (device.tenant !== seen.tenant || device.name !== seen.name) return undefined;
  const credentials = agreeOnCredentials(rules, device, seen, at);
  if (credentials === undefined || device.quarantined !== seen.quarantined) return undefined;
  if (device.allowed !== seen.allowed || device.epoch !== seen.epoch) return undefined;
  if (device.given !== seen.given || device.takeOver?.gives !== seen.takeOver?.gives) return undefined; // C12
  const challenges = agreeOnChallenges(rules, device.challenges, seen.challenges, at);
  if (challenges === undefined) return undefined;
  if (device.key?.secret !== seen.key?.secret || device.key?.expiresAt !== seen.key?.expiresAt)
    return undefined;

  if (device.owner?.customer !== seen.owner?.customer || device.owner?.by !== seen.owner?.by)
    return undefined;
  if (device.owner?.transfer !== seen.owner?.transfer) return undefined;
  const offer = agreeOnOffer(rules, device, seen, at);
  if (offer === undefined) return undefined;
  let { owner, window, pending } = device;
  if (owner !== null && seen.owner !== null) {
    if (!contains(owner.since, seen.owner.since)) return undefined; // C10
    owner = { ...owner, since: exactly(seen.owner.since) };
  }

  if (seen.window !== null) {
    if (window === null || window.secret !== seen.window.secret) return undefined;
    if (!contains(window.closes, seen.window.closesAt)) return undefined;
    window = { ...window, closes: exactly(seen.window.closesAt) };
  } else if (window !== null) {
    if (window.closes.from > at.to + rules.clockSlackMs) return undefined;
    window = null;
  }
  if (seen.pending !== null) {
    if (pending === null || pending.secret !== seen.pending.secret) return undefined;
    const { openedAt, closesAt } = seen.pending;
    if (!contains(pending.closes, closesAt) || !contains(pending.opened, openedAt)) return undefined;
    pending = { ...pending, opened: exactly(openedAt), closes: exactly(closesAt) };
  } else if (pending !== null) {
    if (pending.closes.from > at.to + rules.clockSlackMs) return undefined;
    pending = null;
  }

  let { takeOver, lastReset } = device;
  if (takeOver?.customer !== seen.takeOver?.customer || takeOver?.inEpoch !== seen.takeOver?.inEpoch)
    return undefined;
  if (takeOver !== null && seen.takeOver !== null) {
    if (!contains(takeOver.due, seen.takeOver.dueAt)) return undefined;
    takeOver = { ...takeOver, due: exactly(seen.takeOver.dueAt) };
  }
  if ((lastReset === null) !== (seen.lastResetAt === null)) return undefined;
  if (lastReset !== null && seen.lastResetAt !== null) {
    if (!contains(lastReset, seen.lastResetAt)) return undefined;
    lastReset = exactly(seen.lastResetAt);
  }
  return { ...device, ...credentials, owner, window, pending, offer, challenges, takeOver, lastReset };
}

/** The offer as it must be if it looked like that; an offer that is gone although nobody ended it must have elapsed. */
function agreeOnOffer(
  rules: Rules,
  device: Model,
  { offer: seen }: Seen,
  at: Span,
): Model['offer'] | undefined {
  const { offer } = device;
  if (seen === null) return mayBeOver(rules, device, at) ? null : undefined;
  if (offer === null || offer.transfer !== seen.transfer || !isDeepStrictEqual(offer.to, seen.to)) {
    return undefined;
  }
  return contains(offer.expires, seen.expiresAt) ? { ...offer, expires: exactly(seen.expiresAt) } : undefined;
}

/** Every challenge that is seen was made, in this order; one that is not seen any more must have elapsed. */
function agreeOnChallenges(
  rules: Rules,
  challenges: Model['challenges'],
  seen: Seen['challenges'],
  at: Span,
): Model['challenges'] | undefined {
  const agreed: Challenge[] = [];
  let next = 0;
  for (const challenge of challenges) {
    const shown = seen[next];
    if (shown?.nonce === challenge.nonce && shown.customer === challenge.customer) {
      if (!contains(challenge.expires, shown.expiresAt)) return undefined;
      agreed.push({ ...challenge, expires: exactly(shown.expiresAt) });
      next += 1;
    } else if (challenge.expires.from > at.to + rules.clockSlackMs) return undefined;
  }
  return next === seen.length ? agreed : undefined;
}

/** What is known of the credentials once they have been seen; undefined when they cannot look so. */
function agreeOnCredentials(
  rules: Rules,
  device: Model,
  seen: Seen,
  at: Span,
): Pick<Model, 'token' | 'next' | 'known'> | undefined {
  const { token, next, known } = seen;
  const { next: expected } = device;
  const fits = (whose: string | null) => whose === null || whose === token;
  if (next !== null) {
    if (expected === null || !fits(device.token) || known !== device.known) return undefined;
    if (expected.token !== null && expected.token !== next.token) return undefined;
    if (!contains(expected.until, next.until)) return undefined;
    return { token, next: { token: next.token, until: exactly(next.until) }, known };
  }
  if (known !== device.known) return undefined;
  if (expected === null) return fits(device.token) ? { token, next, known } : undefined;
  // The old one's time was up.
  return isOver(rules, device, at) && fits(expected.token) ? { token, next, known } : undefined;
}

export function exactly(instant: number): Span {
  return { from: instant, to: instant };
}

/** A device whose instants are known, as a read would show it. */
export function seenOf(device: MaybeModel): Seen | null {
  if (device === null) return null;
  const { tenant, name, token, next, quarantined, known, owner, epoch } = device;
  const { window, pending, offer, key, allowed, given, challenges } = device;
  const { takeOver, lastReset } = device;
  return {
    tenant,
    name,
    token: token ?? '',
    next: next === null ? null : { token: next.token ?? '', until: next.until.from },
    quarantined,
    known,
    owner: owner === null ? null : { ...owner, since: owner.since.from },
    epoch,
    window: window === null ? null : { secret: window.secret, closesAt: window.closes.from },
    pending:
      pending === null
        ? null
        : { secret: pending.secret, openedAt: pending.opened.from, closesAt: pending.closes.from },
    offer: offer === null ? null : { transfer: offer.transfer, to: offer.to, expiresAt: offer.expires.from },
    key,
    allowed,
    given,
    challenges: challenges.map(({ customer, nonce, expires }) => ({
      customer,
      nonce,
      expiresAt: expires.from,
    })),
    takeOver:
      takeOver === null
        ? null
        : {
            customer: takeOver.customer,
            dueAt: takeOver.due.from,
            inEpoch: takeOver.inEpoch,
            gives: takeOver.gives,
          },
    lastResetAt: lastReset?.from ?? null,
  };
}

/** O1: absent, 0 and negative mean the default. */
export function effectiveDuration(rules: Rules, durationMs: number): number {
  return durationMs > 0 ? durationMs : rules.defaultDurationMs;
}

function contains(span: Span, instant: number): boolean {
  return span.from <= instant && instant <= span.to;
}

/** Nobody learns of, or touches, another tenant's device. */
function isVisible(device: Model, request: Request): boolean {
  switch (request.type) {
    case 'initiate':
    case 'reset':
      return request.by.type === 'device' || request.by.tenant === device.tenant;
    case 'provision':
    case 'adopt':
    case 'complete':
    case 'read':
      return true;
    default:
      return request.tenant === device.tenant;
  }
}

/** K3: this kit has made the customer its owner already. */
function isByKit({ owner, epoch }: Model, request: Extract<Request, { type: 'kit' }>): boolean {
  return owner?.customer === request.customer && epoch === request.grantedIn + 1;
}

/** R5: it names other owner epochs; a customer's giving back names none that holds while nobody owns the device. */
function isLate(device: Model, request: Request): boolean {
  if (!('inEpochs' in request) || request.inEpochs === undefined) return false;
  const isStranger = request.type === 'reclaim' && request.customer !== null && device.owner === null;
  return isStranger || !request.inEpochs.includes(device.epoch);
}

export function needsProof({ ownership }: Rules): boolean {
  return ownership.takeOverRequires === 'proof' || ownership.claimProof === 'required';
}

/** Whether the device opens windows for a take-over (O2). */
function invites(rules: Rules): boolean {
  return rules.ownership.takeOver !== 'never' && !needsProof(rules);
}

/** C11; while somebody owns it, for a take-over that needs a proof (N1). */
function challengeTrouble(rules: Rules, device: Model): RefusalReason | undefined {
  const takesOver = rules.ownership.takeOver !== 'never' && needsProof(rules);
  if (device.owner !== null && !takesOver) return 'already-claimed';
  const may = device.owner === null ? mayOpenWindow(rules, device) : device.allowed !== false;
  return may ? undefined : 'claiming-not-allowed';
}

function initiateTroubles(
  rules: Rules,
  device: Model,
  request: Request & { readonly type: 'initiate' | 'reset' },
  at: Span,
): RefusalReason[] {
  const troubles: RefusalReason[] = [];
  if (request.by.type === 'gateway' && !isBehind(device, request.by.owned))
    troubles.push('not-behind-gateway');
  if (device.owner !== null) {
    const mayOpen = invites(rules) && request.by.type === 'device';
    if (!mayOpen)
      troubles.push('already-claimed'); // O2
    else if (device.takeOver !== null) troubles.push('take-over-pending');
  }
  if (!mayOpenWindow(rules, device)) troubles.push('claiming-not-allowed');
  const durationMs = effectiveDuration(rules, request.durationMs);
  if (device.owner !== null && request.secret === '') troubles.push('secret-too-short'); // N1
  if (at.to + durationMs > Number.MAX_SAFE_INTEGER) troubles.push('duration-out-of-range'); // O4
  if (rules.maxDurationMs > 0 && durationMs > rules.maxDurationMs) troubles.push('duration-too-long'); // O4
  return troubles;
}

type Initiate = Extract<Request, { type: 'initiate' }>;

/** O5: a message that waited for longer is late. */
export const LATE_MS = 1_000;

/** O5: it may be late, and there may be a window that a message opened which came after it. */
function mayBeOvertaken({ window, pending }: Model, { arrivedAt }: Initiate, at: Span): boolean {
  if (arrivedAt === undefined || at.to - arrivedAt <= LATE_MS) return false;
  return [window, pending].some((other) => other !== null && other.came.to > arrivedAt);
}

/** O5: it is late, and such a window is there, whoever looks. */
function isOvertaken(rules: Rules, { window, pending }: Model, { arrivedAt }: Initiate, at: Span): boolean {
  if (arrivedAt === undefined || at.from - arrivedAt <= LATE_MS) return false;
  return [window, pending].some(
    (other) =>
      other !== null && other.came.from > arrivedAt && at.to + rules.clockSlackMs < other.closes.from,
  );
}

/** O8: brought up by it and nobody's, or of the one who claimed it from nobody; or of the same owner. */
function isBehind(
  { owner, epoch, via }: Model,
  gateway: (Gate & { readonly customer: string }) | undefined,
): boolean {
  if (gateway === undefined || owner?.customer === gateway.customer) return true;
  if (via !== gateway.gateway) return false;
  return owner === null ? epoch === 0 : epoch === 1 && owner.by === 'claim';
}

type Confirm = Extract<Request, { type: 'confirm' }>;

/** O9: a window that such a gateway opened is good while the gateway is in that epoch. */
function fits(window: NonNullable<Model['window']>, { secret, gate }: Confirm): boolean {
  if (window.secret !== secret) return false;
  return window.gate === null || (gate?.gateway === window.gate.gateway && gate.epoch === window.gate.epoch);
}

/** O3 */
function mayOpenWindow(rules: Rules, { allowed }: Model): boolean {
  return rules.allowClaimingByDefault ? allowed !== false : allowed === true;
}

/** C11: the challenges that a proof may be about: of this customer, signed by the device as it is now. */
function provable({ token, challenges }: Model, { customer, proof }: Confirm): readonly Challenge[] {
  if (proof?.token !== token) return [];
  return challenges.filter((open) => open.customer === customer && open.nonce === proof.nonce);
}

/** What is shown claims the device, as far as the device is concerned. */
function opens(rules: Rules, device: Model, request: Confirm, at: Span): boolean {
  if (request.proof !== undefined) return isProved(rules, device, request, at);
  return rules.ownership.claimProof !== 'required' && mayOpen(device, request, at);
}

/** C12: the operator's policy is asked, and has not allowed it in this epoch. */
function lacksConsent(rules: Rules, { epoch }: Model, { consentIn }: Pick<Confirm, 'consentIn'>): boolean {
  return rules.asksConsent && consentIn !== epoch;
}

function isProved(rules: Rules, device: Model, request: Confirm, at: Span): boolean {
  return (
    mayOpenWindow(rules, device) && provable(device, request).some(({ expires }) => at.from < expires.to)
  );
}

function proofTroubles(rules: Rules, device: Model, request: Confirm, at: Span): Set<RefusalReason> {
  if (!mayOpenWindow(rules, device)) return new Set(['claiming-not-allowed']);
  return signatureTroubles(rules, device, request, at);
}

function signatureTroubles(rules: Rules, device: Model, request: Confirm, at: Span): Set<RefusalReason> {
  const [open] = provable(device, request);
  const wrong = new Set<RefusalReason>(['wrong-proof']);
  if (open === undefined) return wrong;
  // One that has elapsed goes with the next challenge that is made, by the clock of whoever makes it.
  if (at.to + rules.clockSlackMs < open.expires.from) return new Set();
  return wrong.add('proof-outdated');
}

function mayOpen({ window, key }: Model, request: Confirm, at: Span): boolean {
  const { secret } = request;
  return (
    (window !== null && fits(window, request) && at.from < window.closes.to) || // C2
    (key !== null && key.secret === secret && at.from < key.expiresAt) // C3
  );
}

/** C5: the reasons for which a confirm of a device that nobody owns may fail, at one instant or another. */
function confirmTroubles(
  rules: Rules,
  { window, key, pending }: Model,
  request: Confirm,
  at: Span,
): Set<RefusalReason> {
  const { secret, gate } = request;
  const troubles = new Set<RefusalReason>();
  const edges = window === null ? [] : [window.closes.from, window.closes.to - 1];
  if (key !== null) edges.push(key.expiresAt - 1, key.expiresAt);
  if (pending !== null) edges.push(pending.closes.from, pending.closes.to - 1);
  const instants = [at.from, at.to, ...edges.filter((edge) => contains(at, edge))];

  for (const instant of instants) {
    const keyOpen = key !== null && instant < key.expiresAt;
    const windowStates = [
      ...(window !== null && instant < window.closes.to ? [true] : []),
      // Another node whose clock is ahead may have recorded the expiry already.
      ...(window === null || instant + rules.clockSlackMs >= window.closes.from ? [false] : []),
    ];
    for (const windowOpen of windowStates) {
      if (keyOpen && key.secret === secret) continue; // it would have opened
      if (windowOpen && window?.secret === secret) {
        if (fits(window, request)) continue;
        troubles.add(gate?.gateway === window.gate?.gateway ? 'window-elapsed' : 'gateway-unchecked');
        continue;
      }
      if (pending !== null && instant < pending.closes.to) {
        troubles.add(pending.secret === secret ? 'window-pending' : 'wrong-secret'); // O9
      }
      if (pending !== null && instant + rules.clockSlackMs < pending.closes.from) continue;
      if (windowOpen || keyOpen) troubles.add('wrong-secret');
      else {
        if (window !== null || key !== null || pending !== null) troubles.add('window-elapsed');
        if (key === null) troubles.add('no-window'); // none, or its expiry is recorded already
      }
    }
  }
  return troubles;
}

/** After a claim of either kind. */
function owned(
  rules: Rules,
  device: Model,
  at: Span,
  owner: NonNullable<Model['owner']>,
  given: number | null = null,
): Model {
  const allowed = rules.allowClaimingByDefault ? device.allowed : null; // C4
  return { ...newEpoch(rules, device, at), owner, key: null, allowed, given }; // C12
}

function givenBack(rules: Rules, device: Model, at: Span): Model {
  const allowed = rules.allowClaimingByDefault || device.allowed === false ? device.allowed : true; // R2
  return { ...newEpoch(rules, device, at), owner: null, allowed };
}

/** What a device is born with. */
const UNTOUCHED = {
  next: null,
  quarantined: false,
  known: false,
  epoch: 0,
  window: null,
  pending: null,
  offer: null,
  key: null,
  allowed: null,
  given: null,
  challenges: [],
  takeOver: null,
  lastReset: null,
} as const;

/** O9, R5: the epoch, no window of any kind, and the credentials as the rules have it. */
function newEpoch(rules: Rules, device: Model, at: Span): Model {
  const ended = { window: null, pending: null, offer: null, challenges: [], takeOver: null, given: null };
  const begun = { ...device, epoch: device.epoch + 1, ...ended };
  if (rules.onOwnerChange === 'keep') return begun;
  if (rules.onOwnerChange === 'quarantine') return { ...begun, quarantined: true };
  const until = { from: at.from + rules.rotationGraceMs, to: at.to + rules.rotationGraceMs };
  const quarantined = device.quarantined || device.known;
  // What nobody has used yet stays the next one; unless its time was up, and then it is the present one.
  const unclear = isOver(rules, device, at);
  const token = unclear ? null : (device.next?.token ?? null);
  return {
    ...begun,
    token: unclear ? null : device.token,
    next: { token, until },
    quarantined,
    known: false,
  };
}

/** Whether the old token's time may be up, and that may be recorded. */
function isOver(rules: Rules, { next }: Model, at: Span): boolean {
  return next !== null && at.to + rules.clockSlackMs >= next.until.from;
}

/**
 * What showing a token can come to: the device acts by it (and is then known to have it); it is adopted; or it is refused.
 */
function shownBy(rules: Rules, device: Model, shown: string, at: Span) {
  const { token, next } = device;
  const why = new Set<RefusalReason>();
  let acting: Model | undefined;
  let adopted: Model | undefined;
  if (token === null || token === shown) {
    if (next === null) acting = { ...device, token: shown };
    else {
      if (at.from < next.until.to) why.add('credentials-superseded');
      if (at.to >= next.until.from) why.add('credentials-revoked');
    }
    adopted = { ...device, token: shown };
  } else why.add('credentials-revoked');
  if (token !== shown && next !== null && (next.token === null || next.token === shown)) {
    const used = { ...device, token: shown, next: null };
    // Where the present one is not known it may be the one that is shown; then nothing was used, and there is a next one yet.
    const unclear = {
      ...used,
      next: { ...next, until: { from: Math.min(at.from, next.until.from), to: next.until.to } },
    };
    adopted = token === null ? unclear : used;
    if (isOver(rules, device, at)) acting = used;
    why.add('credentials-revoked');
  }
  return { acting, adopted, why };
}

function isOther(rules: Rules, device: Model, shown: string, at: Span): boolean {
  const { token, next } = device;
  if (token === shown && !isOver(rules, device, at)) return false;
  return next?.token === null || next?.token !== shown;
}

function approveTroubles(rules: Rules, device: Model, openedAt: number, at: Span): Set<RefusalReason> {
  const troubles = new Set<RefusalReason>();
  const { owner, pending } = device;
  if (owner !== null) troubles.add('already-claimed');
  if (pending === null || at.to + rules.clockSlackMs >= pending.closes.from) troubles.add('no-window');
  if (pending === null) return troubles;
  if (pending.opened.from !== openedAt || pending.opened.to !== openedAt) troubles.add('window-replaced');
  if (at.to >= pending.closes.from) troubles.add('window-elapsed');
  return troubles;
}

/** There is no offer, or there may be none any more because it has elapsed. */
function mayBeOver(rules: Rules, { offer }: Model, at: Span): boolean {
  return offer === null || offer.expires.from <= at.to + rules.clockSlackMs;
}

/** H2: the transfer by which the customer became the owner. */
function hasAccepted(
  { owner }: Model,
  { customer, transfer }: Request & { readonly type: 'accept' },
): boolean {
  return owner?.customer === customer && owner.transfer === transfer;
}

/** H3 */
function isMeant({ offer }: Model, request: Request & { readonly type: 'accept' | 'decline' }): boolean {
  if (offer?.transfer !== request.transfer) return false;
  if (offer.to.type === 'code') return request.type === 'accept' && request.code === offer.to.code;
  return offer.to.customer === request.customer;
}

function offerTroubles(
  device: Model,
  request: Request & { readonly type: 'offer' },
  at: Span,
): RefusalReason[] {
  if (device.owner?.customer !== request.customer) return ['not-owner']; // H1
  if (isLate(device, request)) return ['epoch-changed']; // R5
  if (device.allowed === false) return ['claiming-not-allowed']; // H5
  return at.to + request.durationMs > Number.MAX_SAFE_INTEGER ? ['duration-out-of-range'] : [];
}

function mayWrite(device: Model, customer: string | null): boolean {
  return customer === null || device.owner?.customer === customer;
}

// ------------------------------------------------------------------------------- take-over (N1 to N3), reset (N4, N5)

/** A claim of what somebody owns. */
function takeOver(
  rules: Rules,
  device: Model,
  owner: string,
  request: Confirm,
  at: Span,
): MaybeModel | undefined {
  const { ownership } = rules;
  const { window } = device;
  const { customer, secret } = request;
  if (ownership.takeOver === 'never' || owner === customer || device.allowed === false) return undefined;
  if (device.takeOver !== null) return device.takeOver.customer === customer ? device : undefined;
  if (needsProof(rules)) {
    if (!provable(device, request).some(({ expires }) => at.from < expires.to)) return undefined;
  } else {
    if (window === null || window.by !== 'device') return undefined;
    if (window.secret !== secret || at.from >= window.closes.to) return undefined;
  }
  if (lacksConsent(rules, device, request)) return undefined; // C12
  if (ownership.takeOver === 'at-once')
    return owned(rules, device, at, { customer, since: at, by: 'take-over', transfer: null }, request.gives);
  const { takeOverNoticeMs: ms } = ownership;
  const due = { from: at.from + ms, to: at.to + ms };
  const asked = { customer, due, inEpoch: device.epoch, gives: request.gives ?? null };
  return { ...device, window: null, challenges: [], takeOver: asked };
}

function takeOverTroubles(
  rules: Rules,
  device: Model,
  owner: string,
  request: Confirm,
  at: Span,
): Set<RefusalReason> {
  const { customer, secret } = request;
  const { window, takeOver: pending } = device;
  const never = rules.ownership.takeOver === 'never' || owner === customer || device.allowed === false;
  if (never) return new Set(['already-claimed']);
  if (pending !== null) return new Set(pending.customer === customer ? [] : ['already-claimed']);
  if (needsProof(rules)) {
    return request.proof === undefined
      ? new Set(['already-claimed'])
      : signatureTroubles(rules, device, request, at);
  }
  const troubles = new Set<RefusalReason>();
  const invited = window !== null && window.by === 'device';
  if (!invited || at.to + rules.clockSlackMs >= window.closes.from) troubles.add('already-claimed');
  if (invited && at.from < window.closes.to && window.secret !== secret) troubles.add('wrong-secret');
  return troubles;
}

/** One that is not pending, or not yet due, is left alone. */
function complete(
  rules: Rules,
  device: Model,
  { customer, inEpoch, stands }: Extract<Request, { type: 'complete' }>,
  at: Span,
): Model {
  const { takeOver: pending, owner, allowed } = device;
  const isMeant = pending?.customer === customer && pending.inEpoch === inEpoch;
  if (pending === null || !isMeant || at.to < pending.due.from) return device;
  const isAllowed = rules.ownership.takeOver !== 'never' && allowed !== false && stands;
  if (!isAllowed || owner === null || inEpoch !== device.epoch) return { ...device, takeOver: null };
  const newcomer = { customer, since: at, by: 'take-over', transfer: null };
  return owned(rules, device, at, newcomer, pending.gives);
}

function mayEnd({ owner, takeOver: pending }: Model, customer: string | null): boolean {
  return customer === null || customer === owner?.customer || customer === pending?.customer;
}

type Reset = Extract<Request, { type: 'reset' }>;
export const HOUR_MS = 3_600_000;

function reset(rules: Rules, model: Model, request: Reset, at: Span): MaybeModel | undefined {
  const { deviceReset } = rules.ownership;
  const byDevice = request.by.type === 'device';
  const device = request.by.type === 'device' ? shownBy(rules, model, request.by.token, at).acting : model;
  if (device === undefined) return undefined;
  const opening = { ...request, type: 'initiate' } as const;
  if (resetTroubles(rules, device, request, at).some((trouble) => trouble !== 'duration-out-of-range')) {
    return undefined;
  }
  if (device.owner === null) {
    if (byDevice && deviceReset === 'release') return { ...device, lastReset: at };
    const opened = accept(rules, device, opening, at);
    return opened && byDevice && deviceReset !== 'off' ? { ...opened, lastReset: at } : opened;
  }
  const released = { ...givenBack(rules, device, at), lastReset: at };
  return deviceReset === 'release' ? released : accept(rules, released, opening, at);
}

function resetTroubles(rules: Rules, device: Model, request: Reset, at: Span): RefusalReason[] {
  const { deviceReset } = rules.ownership;
  const byDevice = request.by.type === 'device';
  const { owner, lastReset, allowed } = device;
  if (owner === null) {
    if (byDevice && deviceReset === 'release') return [];
    return initiateTroubles(rules, device, request, at);
  }
  if (request.by.type === 'gateway' && !isBehind(device, request.by.owned)) return ['not-behind-gateway'];
  if (!byDevice || deviceReset === 'off') return ['reset-not-allowed'];
  if (allowed === false) return ['claiming-not-allowed'];
  if (request.isRedelivery) return ['reset-repeated'];
  // Whoever is near the end of the hour may hear either; no run is that long.
  if (lastReset !== null && at.from < lastReset.to + HOUR_MS) return ['rate-limited'];
  return deviceReset === 'release' ? [] : initiateTroubles(rules, givenBack(rules, device, at), request, at);
}

/** R4: what a device is called, and what steers claiming it, is the tenant's. */
function mayRename(device: Model, { customer, name }: Request & { readonly type: 'rename' }): boolean {
  return mayWrite(device, customer) && (customer === null || name === device.name);
}

function maySave(device: Model, { customer, allowed, key }: Request & { readonly type: 'save' }): boolean {
  return mayWrite(device, customer) && (customer === null || (allowed === null && key === null));
}

function mayForget(device: Model, { customer, keys }: Request & { readonly type: 'forget' }): boolean {
  const steers = keys.includes('claimingAllowed') || keys.includes('claimingData');
  return mayWrite(device, customer) && (customer === null || !steers);
}
