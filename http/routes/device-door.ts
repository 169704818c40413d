/** What every route of the device HTTP API begins with: the token in the path says which device asks. */
import { z } from 'zod';
import type { Clock } from '../../actors/base/clock.ts';
import type { Log } from '../../actors/base/log.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { AttributeNews } from '../../actors/claiming/attribute-news.ts';
import { type Claiming, createClaiming } from '../../actors/claiming/claiming.ts';
import type { AuthenticatedDevice } from '../../actors/claiming/device-authentication.ts';
import { openGuard, type TokenGuard } from '../../actors/claiming/wrong-tokens.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import { type DeviceApiSettings, defaultDeviceApiSettings } from '../settings.ts';
import { tooManyRequests, unavailableForDevice } from '../wire/errors.ts';
import { type EmptyReply, empty, type Problem, type Reply } from '../wire/reply.ts';

export interface DeviceApiNeeds {
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells of shared attributes that have changed; without it, nobody hears. */
  readonly news?: Pick<AttributeNews, 'watch'>;
  /** Counts wrong tokens; without it, nobody does. */
  readonly tokenGuard?: TokenGuard;
  readonly deviceApi?: DeviceApiSettings;
}

/** Made once for all routes. */
export interface DeviceDoor {
  readonly claiming: Claiming;
  readonly settings: DeviceApiSettings;
  /** The answer while the store or this process cannot serve. */
  readonly unavailable: Problem;
  /** The device of a token, or the answer where there is none. */
  admit(address: string, token: string): Promise<Admitted>;
  /** Serves the device whose token the request shows; whoever shows none gets the answer of `admit`. */
  asDevice(call: DeviceCall, serve: (device: AuthenticatedDevice) => Promise<Reply>): Promise<Reply>;
}

interface DeviceCall {
  readonly address: string;
  readonly params: { readonly deviceToken: string };
}

type Admitted =
  | { readonly type: 'device'; readonly device: AuthenticatedDevice }
  | { readonly type: 'refused'; readonly reply: Reply };

export const unauthorized: EmptyReply = { ...empty, status: 401 };

/** Any text in the path is looked up as a token, also one that cannot be decoded. */
export const deviceInPath = {
  roles: ['PUBLIC'],
  params: z.object({ deviceToken: z.string() }),
  undecodablePath: 'keep',
} as const;

/** What every route may answer besides its own. */
export const tokenResponses = {
  401: { description: 'No device has this token', isEmpty: true },
  429: { description: 'Too many wrong tokens of its address' },
} as const;

export const FOR_DEVICES = 'For devices: the access token is in the path.';

export function createDeviceDoor(needs: DeviceApiNeeds): DeviceDoor {
  const { devices, directory, secrets, tokenGuard = openGuard, deviceApi = defaultDeviceApiSettings } = needs;
  const claiming = createClaiming(devices, directory, secrets, needs.log);
  async function admit(address: string, token: string): Promise<Admitted> {
    const admission = await tokenGuard.admit(address, () => claiming.authenticate(token));
    switch (admission.type) {
      case 'unknown':
        return { type: 'refused', reply: unauthorized };
      case 'blocked': {
        const { retryAfterMs } = admission;
        const reply = tooManyRequests('Too many wrong tokens', retryAfterMs, 'too-many-wrong-tokens');
        return { type: 'refused', reply };
      }
      case 'admitted':
        return { type: 'device', device: admission.device };
      default:
        return unreachable(admission);
    }
  }

  return {
    claiming,
    settings: deviceApi,
    unavailable: unavailableForDevice(deviceApi.retryAfterSeconds),
    admit,
    async asDevice({ address, params }, serve) {
      const admitted = await admit(address, params.deviceToken);
      return admitted.type === 'device' ? serve(admitted.device) : admitted.reply;
    },
  };
}
