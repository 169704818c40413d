/**
 * Devices behind a gateway: found by name in the gateway's tenant, or created, and asked to open their windows.
 *
 * A gateway speaks for any device of its tenant, as in ThingsBoard (facts 1.7); one that does not exist yet is created
 * with the gateway's owner (so behind an owned gateway nothing can be claimed), durably, before its claim. Two gateways
 * that bring up one name at once: the name is unique, one creates the device, the other finds it.
 */
import { randomAccessToken } from '../base/access-token.ts';
import type { Clock } from '../base/clock.ts';
import { type DeviceId, newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secret.ts';
import { isCleanText } from '../base/text.ts';
import { unreachable } from '../base/unreachable.ts';
import { type DeviceRecord, isGateway } from '../device/state.ts';
import { accessToken } from '../fleet/credentials.ts';
import type { Devices, Directory } from '../fleet/devices.ts';
import { ifUnavailable, type StoreUnavailable } from '../journal/unavailable.ts';
import type { AuthenticatedDevice } from './authentication.ts';
import { type EntryOutcome, outcomeOf } from './outcome.ts';
import type { ClaimPayload } from './payload.ts';

export interface GatewaySettings {
  /** Whether names that the tenant does not have are created. */
  readonly autoCreateDevices: boolean;
  /** Devices of one message that are asked at the same time. */
  readonly gatewayFanOutMax: number;
}

export const GATEWAY_DEFAULTS: GatewaySettings = { autoCreateDevices: true, gatewayFanOutMax: 256 };

/** `revoked`: the gateway itself is gone, has other credentials, or is no gateway any more. */
export type GatewayAnswer<Value> =
  | { readonly type: 'done'; readonly value: Value }
  | { readonly type: 'revoked' }
  | { readonly type: 'unavailable' };

/** All of it rejects for bugs only. */
export interface Gateways {
  /** Opens windows; resolves when every one is durable or refused. */
  claim(
    gateway: AuthenticatedDevice,
    entries: ReadonlyMap<string, ClaimPayload>,
  ): Promise<GatewayAnswer<ReadonlyMap<string, EntryOutcome>>>;
  /** Makes sure that the device exists. */
  connect(
    gateway: AuthenticatedDevice,
    name: string,
    deviceType: string,
  ): Promise<GatewayAnswer<EntryOutcome | undefined>>;
}

export interface GatewayNeeds {
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: GatewaySettings;
}

const NAME_CHARS_MAX = 255;
const DEFAULT_TYPE = 'default';

function isFit(text: string): boolean {
  return text.length <= NAME_CHARS_MAX && isCleanText(text);
}

export function createGateways(needs: GatewayNeeds): Gateways {
  const { devices, directory, secrets, clock, log, settings } = needs;

  /** The id of the device of this name, which may have been created for it. */
  async function bringUp(
    gateway: DeviceRecord,
    name: string,
    deviceType: string,
  ): Promise<DeviceId | EntryOutcome> {
    const known = await directory.idOf(gateway.tenantId, name);
    if (known !== undefined) return known;
    if (!settings.autoCreateDevices) return { type: 'not-created', why: 'unknown-device' };
    if (![name, deviceType].every(isFit) || name.trim() === '') {
      return {
        type: 'malformed',
        why: `names have 1 to ${NAME_CHARS_MAX} characters, and no control characters`,
      };
    }
    const created = newId<DeviceId>(clock.now());
    const answer = await devices.ask(created, {
      type: 'ProvisionDevice',
      tenantId: gateway.tenantId,
      name,
      deviceType: deviceType || DEFAULT_TYPE,
      label: null,
      additionalInfo: { lastConnectedGateway: gateway.id },
      credentials: accessToken(randomAccessToken()),
      customerId: gateway.owner?.customerId ?? null,
    });
    switch (answer.type) {
      case 'accepted':
        if (await standsAsBefore(gateway)) return created;
        await devices.ask(created, { type: 'DeleteDevice', tenantId: gateway.tenantId });
        return { type: 'unavailable', reason: 'overloaded' }; // nothing was done, and asking again is right
      case 'unavailable':
        return { type: 'unavailable', reason: answer.reason };
      case 'refused': {
        const { reason } = answer.refusal;
        // Another was first, at this very moment.
        const other = reason === 'name-taken' ? await directory.idOf(gateway.tenantId, name) : undefined;
        return other ?? { type: 'not-created', why: reason };
      }
      default:
        return unreachable(answer);
    }
  }

  /**
   * Whether nothing was taken from under a device that was just made for this gateway. A deletion of its customer or its
   * tenant clears the list of devices until it is empty, and the gateway is on that list: while it is as it was, the
   * deletion will come upon the new device too; once it is not, it may be past it, and the device would be left over.
   */
  async function standsAsBefore(gateway: DeviceRecord): Promise<boolean> {
    const now = await devices.read(gateway.id);
    return now !== undefined && now.owner?.customerId === gateway.owner?.customerId;
  }

  async function claimOne(gateway: DeviceRecord, name: string, request: ClaimPayload): Promise<EntryOutcome> {
    if (request.type === 'malformed') return request;
    const id = await bringUp(gateway, name, DEFAULT_TYPE);
    if (typeof id !== 'string') return id;
    const answer = await devices.ask(id, {
      type: 'InitiateClaim',
      openedBy: { type: 'gateway', tenantId: gateway.tenantId },
      secretDigest: secrets.digest(id, request.secretKey),
      durationMs: request.durationMs,
    });
    return outcomeOf(answer);
  }

  /** The gateway as it is now: who owns it, and whether it may speak for others at all. */
  async function present(gateway: AuthenticatedDevice): Promise<DeviceRecord | undefined> {
    const record = await devices.read(gateway.id);
    const stands =
      record !== undefined && record.credentials.credentialsId === gateway.credentialsId && isGateway(record);
    return stands ? record : undefined;
  }

  async function as<Value>(
    gateway: AuthenticatedDevice,
    task: (record: DeviceRecord) => Promise<Value>,
  ): Promise<GatewayAnswer<Value>> {
    const record = await present(gateway);
    return record === undefined ? { type: 'revoked' } : { type: 'done', value: await task(record) };
  }

  function noAnswer(error: StoreUnavailable): { readonly type: 'unavailable'; readonly reason: 'store' } {
    log.debug({ err: error }, 'gateway: a device could not be looked up');
    return { type: 'unavailable', reason: 'store' };
  }

  return {
    claim: (gateway, entries) =>
      as(gateway, async (record) => {
        const outcomes = new Map<string, EntryOutcome>();
        const waiting = entries.entries();
        const work = async () => {
          // All workers take from one iterator: each entry is taken once.
          for (const [name, request] of waiting) {
            // Caught for each entry: the message is done with only when all of them are.
            const outcome = await claimOne(record, name, request).catch(ifUnavailable(noAnswer));
            outcomes.set(name, outcome);
          }
        };
        await Promise.all(Array.from({ length: Math.min(settings.gatewayFanOutMax, entries.size) }, work));
        return outcomes;
      }).catch(ifUnavailable(noAnswer)),

    connect: (gateway, name, deviceType) =>
      as(gateway, async (record) => {
        const id = await bringUp(record, name, deviceType);
        return typeof id === 'string' ? undefined : id;
      }).catch(ifUnavailable(noAnswer)),
  };
}
