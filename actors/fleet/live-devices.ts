/** The devices of this process: the port `devices.ts` on top of the registry of actors and the journal. */
import type { Clock } from '../base/clock.ts';
import { type DeviceId, storedId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { ChangeCredentials } from '../device/credentials.ts';
import {
  type ClaimPolicy,
  type ConfirmClaim,
  createDeviceDecider,
  type DeviceCommand,
} from '../device/device.ts';
import { decodeState, devicePersistence } from '../device/persistence.ts';
import type { ProvisionDevice } from '../device/registration.ts';
import { type DeviceRecord, type DeviceState, ownerEpochOf } from '../device/state.ts';
import type { Journal } from '../journal/journal.ts';
import { ifUnavailable } from '../journal/unavailable.ts';
import type { Quota } from '../limits/quota.ts';
import type { Parent } from '../runtime/nact.ts';
import { createRegistry, type RegistrySettings } from '../runtime/registry.ts';
import type { DeviceQuotas } from './device-quotas.ts';
import type { DeviceAnswer, DeviceListener, Devices } from './devices.ts';
import type { Profiles } from './profiles.ts';

export interface DevicesOptions {
  /** An actor system started with `deviceEngine(journal)`. */
  readonly root: Parent;
  readonly journal: Journal;
  readonly policy: ClaimPolicy;
  /** The ownership rules of a device's profile. Default: those of the policy for all. */
  readonly ownershipOf?: Profiles['ownershipOf'];
  readonly settings: RegistrySettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly onEvent: DeviceListener;
  /** How often a device may be asked to open a window, over all transports. Default: no limit. */
  readonly windows?: Quota;
  /** Shortest access token that a device may be given, in characters. Default: any. */
  readonly minTokenLength?: number;
  /** How many devices there may be. Default: no limit. */
  readonly quotas?: DeviceQuotas;
  /** See `EventSourced`. Default: no. */
  readonly looksFirst?: boolean;
}

export interface LiveDevices extends Devices {
  /** How many device actors are in memory, and how many commands are in flight. */
  stats(): { readonly residents: number; readonly inFlight: number };
  /** Answers new commands `stopping`, and waits at most `drainMs` for those in flight. */
  stop(drainMs: number): Promise<void>;
}

export function createDevices(options: DevicesOptions): LiveDevices {
  const { root, journal, policy, settings, clock, log, onEvent, windows, looksFirst = false } = options;
  const { ownershipOf, quotas, minTokenLength = 0 } = options;
  const registry = createRegistry(
    root,
    'devices',
    {
      decider: createDeviceDecider(policy),
      persistence: devicePersistence,
      journal,
      clock,
      log,
      ...(looksFirst ? { looksFirst: { decodeState } } : {}),
      ...(ownershipOf === undefined
        ? {}
        : {
            rulesFor: (_id: string, state: DeviceState) =>
              state.status === 'absent' ? undefined : ownershipOf(state),
          }),
      onEvent: (id, event, state) => onEvent(storedId(id), event, state),
    },
    settings,
  );

  async function provision(id: DeviceId, command: ProvisionDevice): Promise<DeviceAnswer> {
    const refusal = await quotas?.take(command);
    // One that is there already is asked all the same: an import asks again to hear that it is there.
    if (refusal === undefined || (await readDevice(journal, id)) !== undefined)
      return registry.ask(id, command);
    return { type: 'refused', refusal };
  }

  /**
   * Where the window was opened by a gateway that has or had an owner, the device asks for that gateway's present epoch
   * (O9). Nobody else pays for it.
   */
  async function confirm(id: DeviceId, command: ConfirmClaim): Promise<DeviceAnswer> {
    const answer = await registry.ask(id, command);
    if (answer.type !== 'refused' || answer.refusal.reason !== 'gateway-unchecked') return answer;
    const gateway = await readDevice(journal, answer.refusal.gateway);
    // Of a gateway that is gone no epoch holds.
    const ownerEpoch = gateway === undefined ? Number.POSITIVE_INFINITY : ownerEpochOf(gateway);
    const again = await registry.ask(id, { ...command, gateway: { id: answer.refusal.gateway, ownerEpoch } });
    // Yet another gateway has opened another window meanwhile: nothing was done.
    const moved = again.type === 'refused' && again.refusal.reason === 'gateway-unchecked';
    return moved ? { type: 'unavailable', reason: 'overloaded' } : again;
  }

  const tokenTooShort: DeviceAnswer = {
    type: 'refused',
    refusal: { reason: 'token-too-short', minTokenLength },
  };

  function isTokenTooShort({ credentials }: ProvisionDevice | ChangeCredentials): boolean {
    return credentials.type === 'ACCESS_TOKEN' && [...credentials.credentialsId].length < minTokenLength;
  }

  return {
    ask(id: DeviceId, command: DeviceCommand): Promise<DeviceAnswer> {
      switch (command.type) {
        case 'InitiateClaim': {
          // One device must not fill the disk: each window is an event that is kept.
          const retryAfterMs = windows === undefined ? 0 : windows.take(id);
          if (retryAfterMs === 0) return registry.ask(id, command);
          return Promise.resolve({ type: 'refused', refusal: { reason: 'rate-limited', retryAfterMs } });
        }
        case 'ConfirmClaim':
          return confirm(id, command).catch(ifUnavailable(noAnswer));
        case 'ChangeCredentials':
          return isTokenTooShort(command) ? Promise.resolve(tokenTooShort) : registry.ask(id, command);
        case 'ProvisionDevice':
          if (isTokenTooShort(command)) return Promise.resolve(tokenTooShort);
          return provision(id, command).catch(ifUnavailable(noAnswer));
        default:
          return registry.ask(id, command);
      }
    },
    read: (id) => readDevice(journal, id),
    stats: () => ({ residents: registry.residents, inFlight: registry.inFlight }),
    stop: (drainMs) => registry.stop(drainMs),
  };
}

function noAnswer(): DeviceAnswer {
  return { type: 'unavailable', reason: 'store' };
}

/** The newest durable record of a device, or undefined where there is none. Rejects with `StoreUnavailable`. */
export async function readDevice(journal: Journal, id: DeviceId): Promise<DeviceRecord | undefined> {
  const head = await journal.load(id);
  if (head.state === undefined) return undefined;
  const state = decodeState(head.state);
  return state.status === 'absent' ? undefined : { ...state, id };
}
