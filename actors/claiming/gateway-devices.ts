/**
 * The devices behind a gateway, by name: found in the gateway's tenant, or created with the gateway's owner, durably. Two
 * gateways that bring up one name at once: the name is unique, one creates the device, the other finds it.
 */
import { randomAccessToken } from '../base/access-token.ts';
import type { Clock } from '../base/clock.ts';
import { type DeviceId, newId } from '../base/ids.ts';
import type { CredentialSecrets } from '../base/secret.ts';
import { hiddenIn, isCleanText } from '../base/text.ts';
import { unreachable } from '../base/unreachable.ts';
import type { DeviceRecord } from '../device/state.ts';
import { accessToken } from '../fleet/credentials.ts';
import type { Devices, Directory } from '../fleet/devices.ts';
import type { EntryOutcome } from './outcome.ts';

/**
 * Returns the id of the device of this name, or why there is none. Rejects with `StoreUnavailable`.
 * @param deviceType of a device that is created; empty: the default
 */
export type BringUp = (
  gateway: DeviceRecord,
  name: string,
  deviceType: string,
) => Promise<DeviceId | EntryOutcome>;

export interface BringUpNeeds {
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: CredentialSecrets;
  readonly clock: Clock;
  /** Whether names that the tenant does not have are created. */
  readonly autoCreateDevices: boolean;
}

const NAME_CHARS_MAX = 255;
const DEFAULT_TYPE = 'default';

export function createBringUp(needs: BringUpNeeds): BringUp {
  const { devices, directory, secrets, clock, autoCreateDevices } = needs;

  async function create(
    gateway: DeviceRecord,
    name: string,
    deviceType: string,
  ): Promise<DeviceId | EntryOutcome> {
    const id = newId<DeviceId>(clock.now());
    const answer = await devices.ask(id, {
      type: 'ProvisionDevice',
      tenantId: gateway.tenantId,
      name,
      deviceType: deviceType || DEFAULT_TYPE,
      label: null,
      additionalInfo: { lastConnectedGateway: gateway.id },
      credentials: accessToken(secrets, id, randomAccessToken()),
      customerId: gateway.owner?.customerId ?? null,
      viaGateway: gateway.id,
    });
    switch (answer.type) {
      case 'accepted':
        if (await ownerIsTheSame(gateway)) return id;
        await devices.ask(id, { type: 'DeleteDevice', tenantId: gateway.tenantId });
        return { type: 'unavailable', reason: 'overloaded' }; // nothing was done, and asking again is right
      case 'unavailable':
        return { type: 'unavailable', reason: answer.reason };
      case 'refused': {
        const { reason } = answer.refusal;
        // Another gateway was first, at this very moment.
        const other = reason === 'name-taken' ? await directory.idOf(gateway.tenantId, name) : undefined;
        return other ?? { type: 'not-created', why: reason };
      }
      default:
        return unreachable(answer);
    }
  }

  /**
   * Whether a device that was just created for this gateway is in no danger of being left over. A deletion of a customer or
   * a tenant deletes from its list of devices until the list is empty, and the gateway is on that list. While the gateway
   * is as it was, the deletion will find the new device too; once it is not, the deletion may be past it.
   */
  async function ownerIsTheSame(gateway: DeviceRecord): Promise<boolean> {
    const now = await devices.read(gateway.id);
    return now !== undefined && now.owner?.customerId === gateway.owner?.customerId;
  }

  return async (gateway, name, deviceType) => {
    const existing = await directory.idOf(gateway.tenantId, name);
    if (existing !== undefined) return existing;
    if (!autoCreateDevices) return { type: 'not-created', why: 'unknown-device' };
    if (!isFit(name) || !isFit(deviceType) || name.trim() === '') {
      const why = `names have 1 to ${NAME_CHARS_MAX} characters, and no control characters`;
      return { type: 'malformed', why };
    }
    if (hiddenIn(name) !== undefined || hiddenIn(deviceType) !== undefined)
      return { type: 'not-created', why: 'name-not-visible' };
    return create(gateway, name, deviceType);
  };
}

function isFit(text: string): boolean {
  return text.length <= NAME_CHARS_MAX && isCleanText(text);
}
