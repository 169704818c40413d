/** The devices of this process: the port `devices.ts` on top of the registry of actors and the journal. */
import type { Clock } from '../base/clock.ts';
import { type DeviceId, storedId } from '../base/ids.ts';
import { type Log, logBounded } from '../base/log.ts';
import type { CredentialSecrets } from '../base/secret.ts';
import { slices } from '../base/slices.ts';
import type { ClaimPolicy } from '../device/claim-policy.ts';
import type { ClaimByKit, ConfirmClaim } from '../device/confirming.ts';
import type { ChangeCredentials, DeviceRules } from '../device/credentials.ts';
import { createDeviceDecider, type DeviceCommand } from '../device/device.ts';
import { givenIn } from '../device/messages.ts';
import type { OpensWindow } from '../device/opening.ts';
import type { OwnershipRules } from '../device/ownership-rules.ts';
import { decodeHead, devicePersistence } from '../device/persistence.ts';
import type { ProvisionDevice } from '../device/registration.ts';
import {
  type Credentials,
  type Device,
  type DeviceRecord,
  type DeviceState,
  ownerEpochOf,
} from '../device/state.ts';
import type { Head, Journal } from '../journal/journal.ts';
import { ifUnavailable } from '../journal/unavailable.ts';
import type { Quota } from '../limits/quota.ts';
import type { Parent } from '../runtime/nact.ts';
import { createRegistry, type RegistrySettings } from '../runtime/registry.ts';
import type { AskConsent, ConsentNeeded } from './consent.ts';
import { freshCredentials, tokenOf } from './credentials.ts';
import type { DeviceQuotas } from './device-quotas.ts';
import type { DeviceAnswer, DeviceListener, Devices } from './devices.ts';
import type { Profiles } from './profiles.ts';
import type { WriteQuotas } from './write-quotas.ts';

export interface DevicesOptions {
  /** An actor system started with `deviceEngine(journal)`. */
  readonly root: Parent;
  readonly journal: Journal;
  readonly policy: ClaimPolicy;
  /** The ownership rules of a device's profile. Default: those of the policy for all. */
  readonly ownershipOf?: Profiles['ownershipOf'];
  /** For credentials that rotate (O9), which are quarantined without it, and for the length of tokens. */
  readonly secrets?: CredentialSecrets;
  readonly settings: RegistrySettings;
  /** Asks the operator's policy before a claim is final (C12). Default: nobody is asked. */
  readonly askConsent?: AskConsent;
  readonly clock: Clock;
  readonly log: Log;
  readonly onEvent: DeviceListener;
  /** How often a device may be asked to open a window, over all transports. Default: no limit. */
  readonly windows?: Quota;
  /** Shortest access token that a device may be given, in characters; needs `secrets`. Default: any. */
  readonly minTokenLength?: number;
  /** How often the devices of a tenant may change. Default: no limit. */
  readonly writes?: WriteQuotas;
  /** How many devices there may be. Default: no limit. */
  readonly quotas?: DeviceQuotas;
  /** See `EventSourced`. Default: no. */
  readonly looksFirst?: 'always' | 'contended' | undefined;
}

export interface LiveDevices extends Devices {
  /** How many device actors are in memory, and how many commands are in flight. */
  stats(): { readonly residents: number; readonly inFlight: number };
  /** Answers new commands `stopping`, and waits at most `drainMs` for those in flight. */
  stop(drainMs: number): Promise<void>;
}

export function createDevices(options: DevicesOptions): LiveDevices {
  const { root, journal, policy, settings, clock, log, onEvent, windows, looksFirst } = options;
  const { ownershipOf, quotas, writes, askConsent, secrets, minTokenLength = 0 } = options;
  const registry = createRegistry(
    root,
    'devices',
    {
      decider: createDeviceDecider(askConsent === undefined ? policy : { ...policy, asksConsent: true }),
      persistence: devicePersistence,
      journal,
      clock,
      log,
      ...(looksFirst === undefined ? {} : { looksFirst: { decodeState: decodeHead, when: looksFirst } }),
      ...(ownershipOf === undefined
        ? {}
        : {
            rulesFor: (id: string, state: DeviceState) =>
              state.status === 'absent' ? undefined : rulesFor(id, state, ownershipOf(state)),
          }),
      onEvent: (id, event, state, before) => onEvent(storedId(id), event, state, before),
    },
    settings,
  );

  /** Where credentials rotate, what they rotate to is drawn here: `decide` knows no chance. */
  function rulesFor(
    id: string,
    device: Device,
    found: OwnershipRules | Promise<OwnershipRules>,
  ): DeviceRules | Promise<DeviceRules> {
    return found instanceof Promise
      ? found.then((rules) => withFresh(id, device, rules))
      : withFresh(id, device, found);
  }

  function withFresh(id: string, device: Device, rules: OwnershipRules): DeviceRules {
    if (rules.onOwnerChange !== 'rotate' || secrets === undefined) return rules;
    // Drawn when they are asked for, and once: most commands do not change the owner.
    let fresh: Credentials | undefined;
    return {
      ...rules,
      get freshCredentials() {
        fresh ??= freshCredentials(secrets, storedId(id), device.credentials);
        return fresh;
      },
    };
  }

  async function provision(id: DeviceId, command: ProvisionDevice): Promise<DeviceAnswer> {
    const refusal = await quotas?.take(command);
    // One that is there already is asked all the same: an import asks again to hear that it is there.
    if (refusal === undefined || (await readDevice(journal, id)) !== undefined)
      return registry.ask(id, command);
    const { tenantId, viaGateway } = command;
    logLimit(
      log,
      { tenantId, ...(viaGateway === undefined ? {} : { viaGateway }), ...refusal },
      TOO_MANY_DEVICES,
    );
    return { type: 'refused', refusal };
  }

  /**
   * Where the window was opened by a gateway that has or had an owner, the device asks for that gateway's present epoch
   * (O9). Nobody else pays for it.
   */
  function confirm(id: DeviceId, command: ConfirmClaim | ClaimByKit): Promise<DeviceAnswer> {
    return registry
      .ask(id, command)
      .then((answer) => (answer.type === 'refused' ? askedMore(id, command, answer) : answer));
  }

  async function askedMore(
    id: DeviceId,
    command: ConfirmClaim | ClaimByKit,
    answer: DeviceAnswer & { readonly type: 'refused' },
  ): Promise<DeviceAnswer> {
    const { refusal } = answer;
    if (refusal.reason === 'gateway-unchecked') {
      // Yet another gateway has opened another window meanwhile: nothing was done.
      if (command.type === 'ClaimByKit' || command.gateway !== undefined)
        return { type: 'unavailable', reason: 'overloaded' };
      const gateway = await readDevice(journal, refusal.gateway);
      // Of a gateway that is gone no epoch holds.
      const ownerEpoch = gateway === undefined ? Number.POSITIVE_INFINITY : ownerEpochOf(gateway);
      return confirm(id, { ...command, gateway: { id: refusal.gateway, ownerEpoch } });
    }
    return refusal.reason === 'consent-needed' ? consented(id, command, refusal) : answer;
  }

  /**
   * Asks the operator's policy, and the device once more (C12). The device goes on meanwhile, with whatever else comes to it:
   * if its owner epoch is another one by then, what the policy said does not hold, and nothing was done.
   */
  async function consented(
    id: DeviceId,
    command: ConfirmClaim | ClaimByKit,
    needed: ConsentNeeded,
  ): Promise<DeviceAnswer> {
    if (command.consentIn !== undefined || askConsent === undefined)
      return { type: 'unavailable', reason: 'policy' };
    const consent = await askConsent({ deviceId: id, command, needed });
    if (consent.type !== 'allowed') return consent;
    const given = { consentIn: needed.ownerEpoch, ...givenIn(consent) };
    const answer = await confirm(id, { ...withoutGateway(command), ...given });
    if (answer.type !== 'refused' || answer.refusal.reason !== 'attributes-too-large') return answer;
    // No fault of the customer's, who hears what it hears of every answer that cannot be followed.
    const { maxBytes } = answer.refusal;
    logBounded(log, 'warn', performance.now(), { deviceId: id, maxBytes }, TOO_MUCH_GIVEN);
    return { type: 'unavailable', reason: 'policy' };
  }

  /** Asked only while some tenant has to wait. */
  async function unlessWaiting(
    { waitOf }: WriteQuotas,
    id: DeviceId,
    command: DeviceCommand,
  ): Promise<DeviceAnswer> {
    const device = await readDevice(journal, id).catch(ifUnavailable(() => undefined));
    const retryAfterMs = device === undefined ? 0 : waitOf(device.tenantId);
    return retryAfterMs === 0 ? registry.ask(id, command) : rateLimited(retryAfterMs);
  }

  const tokenTooShort: DeviceAnswer = {
    type: 'refused',
    refusal: { reason: 'token-too-short', minTokenLength },
  };

  function isTokenTooShort(id: DeviceId, { credentials }: ProvisionDevice | ChangeCredentials): boolean {
    if (minTokenLength === 0 || secrets === undefined || credentials.type !== 'ACCESS_TOKEN') return false;
    return [...(tokenOf(secrets, id, credentials) ?? '')].length < minTokenLength;
  }

  /** Whatever door it came by: the log of a server that is asked for it has each refusal with its reason. */
  function logRefusal(deviceId: DeviceId, command: DeviceCommand, answer: DeviceAnswer): DeviceAnswer {
    if (answer.type === 'refused') {
      const { reason } = answer.refusal;
      log.debug({ deviceId, command: command.type, reason }, 'a device has refused what it was asked');
    }
    return answer;
  }

  function ask(id: DeviceId, command: DeviceCommand): Promise<DeviceAnswer> {
    switch (command.type) {
      case 'InitiateClaim':
      case 'ResetDevice': {
        // One device must not fill the disk: each window is an event that is kept.
        const retryAfterMs = windows === undefined ? 0 : windows.take(whoOpens(id, command));
        if (retryAfterMs > 0) {
          logLimit(log, { deviceId: id, openedBy: command.openedBy.type, retryAfterMs }, TOO_MANY_WINDOWS);
          return Promise.resolve(rateLimited(retryAfterMs));
        }
        return writes?.someWait === true ? unlessWaiting(writes, id, command) : registry.ask(id, command);
      }
      case 'SaveAttributes':
        return writes?.someWait === true ? unlessWaiting(writes, id, command) : registry.ask(id, command);
      case 'ConfirmClaim':
      case 'ClaimByKit':
        return confirm(id, command).catch(ifUnavailable(noAnswer));
      case 'ChangeCredentials':
        return isTokenTooShort(id, command) ? Promise.resolve(tokenTooShort) : registry.ask(id, command);
      case 'ProvisionDevice':
        if (isTokenTooShort(id, command)) return Promise.resolve(tokenTooShort);
        return provision(id, command).catch(ifUnavailable(noAnswer));
      default:
        return registry.ask(id, command);
    }
  }

  return {
    ask(id, command) {
      const answer = ask(id, command);
      return log.debugs === true ? answer.then((given) => logRefusal(id, command, given)) : answer;
    },
    read: (id) => readDevice(journal, id),
    stats: () => ({ residents: registry.residents, inFlight: registry.inFlight }),
    stop: (drainMs) => registry.stop(drainMs),
  };
}

/** The gateway may have changed hands while somebody else was asked: its epoch is to be looked up again (O9). */
function withoutGateway(command: ConfirmClaim | ClaimByKit): ConfirmClaim | ClaimByKit {
  if (command.type === 'ClaimByKit') return command;
  const { gateway: _before, ...rest } = command;
  return rest;
}

/**
 * Whose quota of windows an opening takes from: that of the credentials shown, so that who has a device's old ones cannot
 * use up what the device may do with its new ones (O9).
 */
function whoOpens(id: DeviceId, { openedBy }: OpensWindow): string {
  return openedBy.type === 'device' ? openedBy.credentialsId : id;
}

const TOO_MANY_WINDOWS = 'a limit was reached: a device opens claim windows too often and has to wait';
const TOO_MUCH_GIVEN =
  'the policy hook gave attributes that the device has no room for, so the claim is not carried out';
const TOO_MANY_DEVICES = 'a limit was reached: there are as many devices as there may be';

/** Whatever transport it comes by. */
function logLimit(log: Log, fields: object, message: string): void {
  logBounded(log, 'warn', performance.now(), fields, message);
}

function rateLimited(retryAfterMs: number): DeviceAnswer {
  return { type: 'refused', refusal: { reason: 'rate-limited', retryAfterMs } };
}

function noAnswer(): DeviceAnswer {
  return { type: 'unavailable', reason: 'store' };
}

/** The newest durable record of a device, or undefined where there is none. Rejects with `StoreUnavailable`. */
export async function readDevice(
  journal: Pick<Journal, 'load'>,
  id: DeviceId,
): Promise<DeviceRecord | undefined> {
  return deviceIn(id, await journal.load(id));
}

/** Reads devices in slices, in the order of their ids; undefined for one that is not there. */
export type ReadDevices = (ids: readonly DeviceId[]) => Promise<readonly (DeviceRecord | undefined)[]>;

export function createReadDevices(journal: Pick<Journal, 'loadMany'>): ReadDevices {
  return async (ids) => {
    const devices: (DeviceRecord | undefined)[] = [];
    for await (const some of slices(ids)) {
      const heads = await journal.loadMany(some);
      for (const [nth, id] of some.entries()) devices.push(deviceIn(id, heads[nth]));
    }
    return devices;
  };
}

/** Undefined: it is not there. Throws `UnreadableRecord`. */
function deviceIn(id: DeviceId, head: Head | undefined): DeviceRecord | undefined {
  if (head?.state === undefined) return undefined;
  const state = decodeHead(head.state, head.details);
  return state.status === 'absent' ? undefined : Object.assign(state, { id }); // just read, and nobody else's
}
