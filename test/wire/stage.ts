/**
 * A running server with one tenant on it, its people, profiles and devices, all made over REST as a tenant makes them.
 * Only the store is reached from within, to take it away and to look at a window, which no protocol shows.
 */
import type { DeviceId } from '../../actors/base/ids.ts';
import { parseId } from '../../actors/base/ids.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { restApi } from '../kit/api.ts';
import {
  type LocalServer,
  type LocalServerOptions,
  SYSADMIN_PASSWORD,
  startLocalServer,
} from '../kit/local-server.ts';
import { pause } from '../kit/until.ts';
import type { Given, Profile } from './model.ts';

interface Customer {
  readonly id: string;
  readonly token: string;
}

export interface StagedDevice {
  readonly id: string;
  readonly name: string;
  readonly accessToken: string;
}

export interface Stage {
  readonly world: LocalServer;
  readonly api: ReturnType<typeof restApi>;
  readonly sysadmin: string;
  readonly admin: string;
  readonly customer: Customer;
  readonly otherCustomer: Customer;
  /** Another customer with its user: for who must not be known from before. */
  newCustomer(): Promise<Customer>;
  device(options?: DeviceOptions): Promise<StagedDevice>;
  /** Makes it so that this is given; the store is taken away by who plays the row, at the right moment. */
  bringAbout(device: StagedDevice, given: Given): Promise<void>;
  assign(device: Pick<StagedDevice, 'id'>, customer: Customer): Promise<void>;
  /** The window as it is stored: how long it is, or null. */
  windowOf(id: string): Promise<{ readonly durationMs: number } | null>;
  /** Whose it is, or null. */
  ownerOf(id: string): Promise<string | null>;
  /** The device of this name, or undefined. */
  find(name: string): Promise<{ readonly id: string } | undefined>;
  takeStoreAway(): Promise<void>;
  stop(): Promise<void>;
}

interface DeviceOptions {
  readonly name?: string;
  readonly profile?: Profile | undefined;
  readonly gateway?: boolean;
}

const RIGHT = { secretKey: 'right', durationMs: 600_000 };
const PASSING_MS = 1;
const NOBODY = '13814000-1dd2-11b2-8080-808080808080';

const payloadType = (transportPayloadType: string) => ({
  transportPayloadTypeConfiguration: { transportPayloadType },
});
const TRANSPORTS = {
  'MQTT JSON': { type: 'MQTT', ...payloadType('JSON') },
  'MQTT JSON ACK': { type: 'MQTT', ...payloadType('JSON'), sendAckOnValidationException: true },
  'MQTT OWN TOPICS': {
    type: 'MQTT',
    ...payloadType('JSON'),
    deviceTelemetryTopic: 'my/telemetry',
    deviceAttributesTopic: '#',
  },
  'MQTT PROTOBUF': { type: 'MQTT', ...payloadType('PROTOBUF') },
  'MQTT PROTOBUF OR JSON': {
    type: 'MQTT',
    transportPayloadTypeConfiguration: {
      transportPayloadType: 'PROTOBUF',
      enableCompatibilityWithJsonPayloadFormat: true,
    },
  },
  'COAP JSON': {
    type: 'COAP',
    coapDeviceTypeConfiguration: { coapDeviceType: 'DEFAULT', ...payloadType('JSON') },
  },
  'COAP PROTOBUF': {
    type: 'COAP',
    coapDeviceTypeConfiguration: { coapDeviceType: 'DEFAULT', ...payloadType('PROTOBUF') },
  },
} as const satisfies { readonly [name in Profile]?: object };

function settingsOf(profile: Exclude<Profile, 'DEFAULT'>): object {
  switch (profile) {
    case 'RESET RELEASES':
      return { claiming: { deviceReset: 'release-and-open' } };
    case 'TAKE-OVER AT ONCE':
      return { claiming: { takeOver: 'at-once' } };
    default:
      return { profileData: { transportConfiguration: TRANSPORTS[profile] } };
  }
}

/** Nobody is slowed down by what others do in the same table; one customer and one device still are. */
const NO_COMMON_LIMITS = {
  'security.claim.wrongSecrets.perCustomer': '0',
  'security.claim.wrongSecrets.perAddress': '0',
  'security.claim.wrongSecrets.perWindow': '0',
};

export async function createStage({ options, ...more }: LocalServerOptions = {}): Promise<Stage> {
  const world = await startLocalServer({ ...more, options: { ...NO_COMMON_LIMITS, ...options } });
  const api = restApi(world.url);
  const sysadmin = await api.login('sysadmin@thingsboard.org', SYSADMIN_PASSWORD);
  const admin = await api.createTenant(sysadmin, 'home');
  let count = 0;
  const next = (what: string) => `${what} ${++count}`;
  const newCustomer = () => api.createCustomer(admin, next('customer'));
  const customer = await newCustomer();
  const otherCustomer = await newCustomer();
  const profiles = new Map<Profile, Promise<{ id: object }>>();

  function profileNamed(profile: Exclude<Profile, 'DEFAULT'>): Promise<{ id: object }> {
    const made =
      profiles.get(profile) ??
      api.post('/api/deviceProfile', admin, { name: profile, ...settingsOf(profile) });
    profiles.set(profile, made);
    return made;
  }

  async function recordOf(id: string) {
    const deviceId = parseId<DeviceId>(id);
    return deviceId === undefined ? undefined : world.core.devices.read(deviceId);
  }

  const stage: Stage = {
    world,
    api,
    sysadmin,
    admin,
    customer,
    otherCustomer,
    newCustomer,

    async device({ name = next('device'), profile = 'DEFAULT', gateway = false } = {}) {
      const accessToken = next('token').replace(' ', '');
      const { id } = await api.post(`/api/device?accessToken=${accessToken}`, admin, {
        name,
        ...(profile === 'DEFAULT' ? {} : { deviceProfileId: (await profileNamed(profile)).id }),
        ...(gateway ? { additionalInfo: { gateway: true } } : {}),
      });
      return { id: id.id, name, accessToken };
    },

    async bringAbout(device, given) {
      switch (given) {
        case 'nobody owns it':
        case 'the store is gone':
          return;
        case 'a customer owns it':
          await stage.assign(device, customer);
          return;
        case 'another customer owns it':
          await stage.assign(device, otherCustomer);
          return;
        case 'its window is open':
        case 'its quota of windows is used up': // where it is 1
          await must(api.initiate(device.accessToken, RIGHT));
          return;
        case 'its window has elapsed':
          await must(api.initiate(device.accessToken, { ...RIGHT, durationMs: PASSING_MS }));
          await pause(10 * PASSING_MS);
          return;
        case 'it may not be claimed':
          await api.must('POST', `/api/plugins/telemetry/${device.id}/SERVER_SCOPE`, admin, {
            claimingAllowed: false,
          });
          return;
        default:
          unreachable(given);
      }
    },

    async assign(device, to) {
      await api.must('POST', `/api/customer/${to.id}/device/${device.id}`, admin);
    },

    async windowOf(id) {
      const window = (await recordOf(id))?.window ?? null;
      return window === null ? null : { durationMs: window.closesAt - window.openedAt };
    },

    async ownerOf(id) {
      const { customerId } = await api.get(`/api/device/${id}`, admin);
      return customerId.id === NOBODY ? null : customerId.id;
    },

    async find(name) {
      const path = `/api/tenant/devices?deviceName=${encodeURIComponent(name)}`;
      const reply = await api.send('GET', path, admin);
      if (reply.status === 404) return undefined;
      return (JSON.parse(reply.body) as { id: { id: string } }).id; // the shape is a test of its own
    },

    takeStoreAway: () => world.core.store.close(),
    stop: () => world.stop(),
  };
  return stage;
}

async function must(reply: Promise<{ readonly status: number; readonly body: string }>): Promise<void> {
  const { status, body } = await reply;
  if (status !== 200) throw new Error(`${status} ${body}`);
}
