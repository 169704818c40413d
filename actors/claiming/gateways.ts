/**
 * What a gateway asks for the devices behind it: to open their windows, and to bring them up. For which devices it may speak
 * is rule O8 (`../device/gateways.ts`). One that does not exist is created with the gateway's owner, as in ThingsBoard
 * (facts 1.7), so what an owned gateway brings up cannot be claimed.
 */
import type { Clock, Instant } from '../base/clock.ts';
import type { DeviceId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secret.ts';
import { adaptiveSize, nextTurn } from '../base/slices.ts';
import type { TraceText } from '../base/tracing.ts';
import { whyCredentialsFail } from '../device/credentials.ts';
import { type GatewayAuthority, gatewayAuthority, isGateway, speaksFor } from '../device/gateways.ts';
import { secretLengthOf } from '../device/ownership-rules.ts';
import type { DeviceRecord } from '../device/state.ts';
import type { Devices, Directory } from '../fleet/devices.ts';
import type { Profiles } from '../fleet/profiles.ts';
import { ifUnavailable, type StoreUnavailable } from '../journal/unavailable.ts';
import type { AuthenticatedDevice } from './device-authentication.ts';
import { createBringUp } from './gateway-devices.ts';
import { type EntryOutcome, outcomeOf, resetOutcomeOf } from './outcome.ts';
import type { ClaimPayload } from './payload.ts';

export interface GatewaySettings {
  /** Whether names that the tenant does not have are created. */
  readonly autoCreateDevices: boolean;
  /** Devices that are asked at the same time, of all messages together. One message has eight at least. */
  readonly gatewayFanOutMax: number;
}

export const GATEWAY_DEFAULTS: GatewaySettings = { autoCreateDevices: true, gatewayFanOutMax: 256 };

/**
 * Devices of one message that are asked in one turn of the event loop, so that a large message stalls nobody: so many, and
 * fewer where turns take too long, as when devices are created or the disk is slow and many answers come at once.
 */
export const ENTRIES_PER_TURN = 32;
const ENTRIES_PER_TURN_MIN = 4;
/** Answers to devices of one message that are waited for, however many messages there are. */
const FAN_OUT_MIN = 8;

/** `revoked`: the gateway itself is gone, has other credentials, or is no gateway any more. */
export type GatewayAnswer<Value> =
  | { readonly type: 'done'; readonly value: Value }
  | { readonly type: 'revoked' }
  | { readonly type: 'unavailable' };

/** All of it rejects for bugs only. */
export interface Gateways {
  /**
   * Opens windows; resolves when every one is durable or refused.
   *
   * @param arrivedAt of the message, where it may have waited since (O5)
   * @param trace what the message is a part of, where that is recorded: each window is a part of it
   */
  claim(
    gateway: AuthenticatedDevice,
    entries: ReadonlyMap<string, ClaimPayload>,
    arrivedAt?: Instant,
    trace?: TraceText,
  ): Promise<GatewayAnswer<ReadonlyMap<string, EntryOutcome>>>;
  /** A device that the gateway speaks for, as it is now; undefined: there is none of this name, or it does not (O8). */
  read(gateway: AuthenticatedDevice, name: string): Promise<GatewayAnswer<DeviceRecord | undefined>>;
  /** Makes sure that the device exists; its id, or why the gateway cannot have it connected. */
  connect(
    gateway: AuthenticatedDevice,
    name: string,
    deviceType: string,
  ): Promise<GatewayAnswer<DeviceId | EntryOutcome>>;
}

export interface GatewayNeeds {
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly profiles: Pick<Profiles, 'ownershipOf'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: GatewaySettings;
}

/** What holds for all entries of a message. */
interface About {
  readonly arrivedAt: Instant | undefined;
  readonly trace: TraceText | undefined;
}

/** A gateway, and for whom it speaks. */
interface Speaker {
  readonly gateway: DeviceRecord;
  readonly authority: GatewayAuthority;
  /** Why it speaks for nobody: its credentials are quarantined (O9). */
  readonly silenced: EntryOutcome | undefined;
}

const NOT_BEHIND: EntryOutcome = { type: 'refused', reason: 'not-behind-gateway' };

export function createGateways(needs: GatewayNeeds): Gateways {
  const { devices, directory, secrets, profiles, clock, log, settings } = needs;
  const { autoCreateDevices, gatewayFanOutMax } = settings;
  const bringUp = createBringUp({ devices, directory, secrets, clock, autoCreateDevices });
  const entriesPerTurn = adaptiveSize(ENTRIES_PER_TURN_MIN, ENTRIES_PER_TURN);
  /** Messages that are carried out. What one commit answers is answered in one turn, so they share how much that may be. */
  let messages = 0;
  const fanOut = (): number => Math.max(FAN_OUT_MIN, Math.floor(gatewayFanOutMax / messages));

  async function claimOne(
    { gateway, authority, silenced }: Speaker,
    name: string,
    request: ClaimPayload,
    { arrivedAt, trace }: About,
  ): Promise<EntryOutcome> {
    if (request.type === 'malformed') return request;
    if (silenced !== undefined) return silenced;
    const id = await bringUp(gateway, name, '');
    if (typeof id !== 'string') return id;
    // The device decides, and once more: else the question alone would use up what windows the device may open.
    if (!(await isItsOwn(authority, id))) return NOT_BEHIND;
    const opening = {
      type: 'InitiateClaim',
      openedBy: { type: 'gateway', tenantId: gateway.tenantId, authority },
      secretDigest: secrets.digest(id, request.secretKey),
      secretLength: secretLengthOf(request.secretKey),
      durationMs: request.durationMs,
      ...(arrivedAt === undefined ? {} : { arrivedAt }),
      ...(trace === undefined ? {} : { trace }),
    } as const;
    if (!request.reset) return outcomeOf(await devices.ask(id, opening));
    return resetOutcomeOf(await devices.ask(id, { ...opening, type: 'ResetDevice', isRedelivery: false }));
  }

  async function claimAll(
    speaker: Speaker,
    entries: ReadonlyMap<string, ClaimPayload>,
    about: About,
  ): Promise<ReadonlyMap<string, EntryOutcome>> {
    const outcomes = new Map<string, EntryOutcome>();
    const waiting = entries.entries();
    /** How many may still begin with the gate. */
    let room = entriesPerTurn();
    /** Those of the turn before have begun. */
    let gate: Promise<void> | undefined;
    const work = async (_: unknown, worker: number) => {
      // All workers take from one iterator: each entry is taken once.
      for (const [name, request] of waiting) {
        if (room === 0) {
          room = entriesPerTurn();
          gate = gate === undefined ? nextTurn() : gate.then(nextTurn);
        }
        room -= 1;
        if (gate !== undefined) await gate;
        // Caught for each entry: the message is done with only when all of them are.
        const outcome = await claimOne(speaker, name, request, about).catch(ifUnavailable(noAnswer));
        outcomes.set(name, outcome);
        if (worker >= fanOut()) return; // other messages have come; those that are left go on
      }
    };
    messages += 1;
    try {
      await Promise.all(Array.from({ length: Math.min(fanOut(), entries.size) }, work));
    } finally {
      messages -= 1;
    }
    return outcomes;
  }

  /** O8. A look at the device, for gateways that do not speak for all alone. */
  async function isItsOwn(authority: GatewayAuthority, id: DeviceId): Promise<boolean> {
    if (authority.for === 'tenant' || authority.everyDevice) return true;
    const device = await devices.read(id);
    return device === undefined || speaksFor(authority, device);
  }

  /** The gateway as it is now: who owns it, and whether it may speak for others at all. */
  async function present(gateway: AuthenticatedDevice): Promise<Speaker | undefined> {
    const record = await devices.read(gateway.id);
    const stands =
      record !== undefined &&
      whyCredentialsFail(record, gateway.credentialsId, clock.now()) === undefined &&
      isGateway(record);
    if (!stands) return undefined;
    const { gatewayScope } = await profiles.ownershipOf(record);
    const silenced = record.quarantined ? NOT_BEHIND : undefined;
    return { gateway: record, authority: gatewayAuthority(record, gatewayScope), silenced };
  }

  async function as<Value>(
    gateway: AuthenticatedDevice,
    task: (speaker: Speaker) => Promise<Value>,
  ): Promise<GatewayAnswer<Value>> {
    const speaker = await present(gateway);
    return speaker === undefined ? { type: 'revoked' } : { type: 'done', value: await task(speaker) };
  }

  function noAnswer(error: StoreUnavailable): { readonly type: 'unavailable'; readonly reason: 'store' } {
    log.debug({ err: error }, 'gateway: a device could not be looked up');
    return { type: 'unavailable', reason: 'store' };
  }

  return {
    claim: (gateway, entries, arrivedAt, trace) =>
      as(gateway, (speaker) => claimAll(speaker, entries, { arrivedAt, trace })).catch(
        ifUnavailable(noAnswer),
      ),

    read: (gateway, name) =>
      as(gateway, async ({ authority, silenced }) => {
        if (silenced !== undefined) return undefined;
        const device = await directory.byName(gateway.tenantId, name);
        return device !== undefined && speaksFor(authority, device) ? device : undefined;
      }).catch(ifUnavailable(noAnswer)),

    connect: (gateway, name, deviceType) =>
      as(gateway, async (speaker) => {
        if (speaker.silenced !== undefined) return speaker.silenced;
        const id = await bringUp(speaker.gateway, name, deviceType);
        if (typeof id !== 'string') return id;
        return (await isItsOwn(speaker.authority, id)) ? id : NOT_BEHIND;
      }).catch(ifUnavailable(noAnswer)),
  };
}
