/**
 * What a gateway asks for the devices behind it: to open their windows, and to bring them up. It speaks for any device of
 * its tenant, as in ThingsBoard (facts 1.7). One that does not exist is created with the gateway's owner, so behind an owned
 * gateway nothing can be claimed.
 */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secret.ts';
import { type DeviceRecord, isGateway } from '../device/state.ts';
import type { Devices, Directory } from '../fleet/devices.ts';
import { ifUnavailable, type StoreUnavailable } from '../journal/unavailable.ts';
import type { AuthenticatedDevice } from './authentication.ts';
import { createBringUp } from './gateway-devices.ts';
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

export function createGateways(needs: GatewayNeeds): Gateways {
  const { devices, directory, secrets, clock, log, settings } = needs;
  const { autoCreateDevices, gatewayFanOutMax } = settings;
  const bringUp = createBringUp({ devices, directory, clock, autoCreateDevices });

  async function claimOne(gateway: DeviceRecord, name: string, request: ClaimPayload): Promise<EntryOutcome> {
    if (request.type === 'malformed') return request;
    const id = await bringUp(gateway, name, '');
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
        await Promise.all(Array.from({ length: Math.min(gatewayFanOutMax, entries.size) }, work));
        return outcomes;
      }).catch(ifUnavailable(noAnswer)),

    connect: (gateway, name, deviceType) =>
      as(gateway, async (record) => {
        const id = await bringUp(record, name, deviceType);
        return typeof id === 'string' ? undefined : id;
      }).catch(ifUnavailable(noAnswer)),
  };
}
