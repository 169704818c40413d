/**
 * The log read as the story of each device: which state it was in, from which append to which. Folded here from the
 * events by the checkers' own understanding of them, not by the code under test.
 */

import { unreachable } from '../../../actors/base/unreachable.ts';
import type { BeginsEpoch } from '../../../actors/device/credentials.ts';
import type { DeviceEvent } from '../../../actors/device/device.ts';
import type { GivenAttributes } from '../../../actors/device/messages.ts';
import { partyOf } from '../commands.ts';
import type { Durable, History } from '../history.ts';
import { exactly, type MaybeModel, type Model } from './rules.ts';

/** A device between two appends. Steps order it among operations; instants are true time. */
export interface Era {
  readonly device: MaybeModel;
  readonly fromStep: number;
  readonly untilStep: number;
  readonly fromAt: number;
  readonly untilAt: number;
  /** What ended it; undefined in the last era. */
  readonly endedBy: Durable | undefined;
}

/** The eras of every device that the history mentions, each beginning with its not being there. */
export function timelines(history: History): ReadonlyMap<string, readonly Era[]> {
  const devices = new Map<string, Durable[]>();
  for (const { device } of history.operations) devices.set(device, []);
  for (const durable of history.log) {
    const all = devices.get(durable.device) ?? [];
    devices.set(durable.device, all);
    all.push(durable);
  }
  return new Map([...devices].map(([device, log]) => [device, erasOf(history, log)]));
}

function erasOf(history: History, log: readonly Durable[]): Era[] {
  const eras: Era[] = [];
  let device: MaybeModel = null;
  let fromStep = Number.NEGATIVE_INFINITY;
  let fromAt = Number.NEGATIVE_INFINITY;
  for (const durable of log) {
    eras.push({ device, fromStep, fromAt, untilStep: durable.step, untilAt: durable.at, endedBy: durable });
    device = fold(history, device, durable.event);
    fromStep = durable.step;
    fromAt = durable.at;
  }
  const forEver = Number.POSITIVE_INFINITY;
  eras.push({ device, fromStep, fromAt, untilStep: forEver, untilAt: forEver, endedBy: undefined });
  return eras;
}

/** The eras that overlap with something that began and ended at these steps. */
export function during(eras: readonly Era[], fromStep: number, untilStep: number): Era[] {
  return eras.filter((era) => era.fromStep < untilStep && fromStep < era.untilStep);
}

/** What an event says about a device. One about a device that is not there says nothing. */
function fold(history: History, device: MaybeModel, event: DeviceEvent): MaybeModel {
  if (event.type === 'DeviceProvisioned') {
    return {
      tenant: event.tenantId,
      name: event.name,
      token: event.credentials.credentialsId,
      next: null,
      quarantined: false,
      known: false,
      owner:
        event.customerId === null
          ? null
          : { customer: event.customerId, since: exactly(event.at), by: 'assignment', transfer: null },
      epoch: 0,
      via: event.viaGateway ?? null,
      window: null,
      offer: null,
      pending: null,
      key: null,
      allowed: null,
      given: null,
      challenges: [],
      takeOver: null,
      lastReset: null,
    };
  }
  return device === null ? null : foldExisting(history, device, event);
}

function foldExisting(
  history: History,
  device: Model,
  event: Exclude<DeviceEvent, { type: 'DeviceProvisioned' }>,
): MaybeModel {
  switch (event.type) {
    case 'ClaimWindowOpened': {
      const { gateway } = event;
      const gate = gateway === undefined ? null : { gateway: gateway.id, epoch: gateway.ownerEpoch };
      const secret = history.secretOf(event.secretDigest);
      const window = {
        secret,
        opened: exactly(event.at),
        closes: exactly(event.closesAt),
        came: exactly(event.arrivedAt ?? event.at),
        by: event.openedBy,
        gate,
      };
      const opened = { ...device, [event.pending ? 'pending' : 'window']: window };
      return event.byReset ? { ...opened, lastReset: window.opened } : opened;
    }
    case 'ResetNoted':
      return { ...device, lastReset: exactly(event.at) };
    case 'TakeOverAsked': {
      const { customerId: customer, inEpoch } = event;
      return {
        ...device,
        window: null,
        challenges: [],
        takeOver: { customer, due: exactly(event.dueAt), inEpoch, gives: planIn(event) },
      };
    }
    case 'TakeOverEnded':
      return { ...device, takeOver: null };
    case 'DeviceTakenOver': {
      const owner = { customer: event.customerId, since: exactly(event.at), by: 'take-over', transfer: null };
      const allowed = event.claimingAllowedDeleted ? null : device.allowed;
      return { ...begun(device, event), owner, key: null, allowed, given: planIn(event) };
    }
    case 'DeviceReset': {
      const { window: opened, at } = event;
      const allowed = event.claimingAllowedRestored ? true : device.allowed;
      const window =
        opened === undefined
          ? null
          : {
              secret: history.secretOf(opened.secretDigest),
              opened: exactly(at),
              closes: exactly(opened.closesAt),
              came: exactly(at),
              by: 'device' as const,
              gate: null,
            };
      return { ...begun(device, event), owner: null, allowed, window, lastReset: exactly(at) };
    }
    case 'ChallengeIssued': {
      const { customerId: customer, at } = event;
      const others = device.challenges.filter((open) => open.customer !== customer && at < open.expires.from);
      const nonce = history.secretOf(event.nonceDigest);
      return { ...device, challenges: [...others, { customer, nonce, expires: exactly(event.expiresAt) }] };
    }
    case 'ClaimWindowApproved':
      return { ...device, window: device.pending, pending: null };
    case 'ClaimWindowClosed':
      return { ...device, window: null, pending: null };
    case 'ClaimWindowExpired':
      return { ...device, [event.pending ? 'pending' : 'window']: null };
    case 'CredentialsRotated':
      return { ...device, token: device.next?.token ?? null, next: null };
    case 'ClaimsRefused':
      return device;
    case 'CredentialsRead':
      return { ...device, known: true };
    case 'DeviceClaimed': {
      const { customerId: customer, at } = event;
      const owner = { customer, since: exactly(at), by: 'claim', transfer: null };
      const allowed = event.claimingAllowedDeleted ? null : device.allowed;
      return { ...begun(device, event), owner, key: null, allowed, given: planIn(event) };
    }
    case 'DeviceAssigned': {
      const { customerId: customer, at } = event;
      const owner = { customer, since: exactly(at), by: 'assignment', transfer: null };
      return { ...begun(device, event), owner };
    }
    case 'DeviceOffered': {
      const to = partyOf(event.to, history.secretOf);
      return { ...device, offer: { transfer: event.transferId, to, expires: exactly(event.expiresAt) } };
    }
    case 'DeviceTransferred': {
      const { customerId: customer, at, transferId: transfer } = event;
      const owner = { customer, since: exactly(at), by: 'transfer', transfer };
      return { ...begun(device, event), owner };
    }
    case 'OfferDeclined':
    case 'OfferWithdrawn':
    case 'OfferExpired':
      return { ...device, offer: null };
    case 'DeviceReclaimed':
    case 'DeviceUnassigned': {
      const allowed = event.claimingAllowedRestored ? true : device.allowed;
      return { ...begun(device, event), owner: null, allowed };
    }
    case 'DeviceUpdated':
      return { ...device, name: event.name };
    case 'CredentialsChanged':
      return {
        ...device,
        token: event.credentials.credentialsId,
        next: null,
        quarantined: false,
        known: false,
        pending: null,
      };
    case 'DeviceDeleted':
      return null;
    case 'AttributesSaved': {
      const { claimingAllowed } = event.values;
      const allowed =
        typeof claimingAllowed === 'boolean' || typeof claimingAllowed === 'string'
          ? claimingAllowed
          : device.allowed;
      const key =
        event.serverKey === undefined
          ? device.key
          : { secret: history.secretOf(event.serverKey.secretDigest), expiresAt: event.serverKey.expiresAt };
      return { ...device, allowed, key };
    }
    case 'AttributesDeleted':
      return {
        ...device,
        allowed: event.keys.includes('claimingAllowed') ? null : device.allowed,
        key: event.keys.includes('claimingData') ? null : device.key,
      };
    default:
      return unreachable(event);
  }
}

/** What the operator gave with a claim (C12). */
function planIn({ attributes }: GivenAttributes): number | null {
  return typeof attributes?.plan === 'number' ? attributes.plan : null;
}

/** Every change of owner begins an epoch: what was open is closed, and the credentials become what the event says. */
function begun(device: Model, { nextCredentials, quarantined }: BeginsEpoch): Model {
  const next =
    nextCredentials === undefined
      ? device.next
      : { token: nextCredentials.credentials.credentialsId, until: exactly(nextCredentials.until) };
  return {
    ...device,
    epoch: device.epoch + 1,
    window: null,
    pending: null,
    offer: null,
    challenges: [],
    takeOver: null,
    given: null,
    next,
    quarantined: device.quarantined || quarantined === true,
    known: nextCredentials === undefined && device.known,
  };
}
