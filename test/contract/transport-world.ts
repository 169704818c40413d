/**
 * What a transport needs: real device actors over a memory store, a directory, secrets, and a few provisioned devices.
 * Tests may intercept commands to delay or replace the answers.
 */

import type { Clock } from '../../actors/base/clock.ts';
import { type CustomerId, type DeviceId, newId, type TenantId, type UserId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { createSecrets, type Secrets } from '../../actors/base/secret.ts';
import { createTokenGuard, type TokenGuard } from '../../actors/claiming/wrong-tokens.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import type { DeviceCommand } from '../../actors/device/device.ts';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import { deviceEngine } from '../../actors/device/persistence.ts';
import type { ProvisionDevice } from '../../actors/device/registration.ts';
import { accessToken as tokenCredentials } from '../../actors/fleet/credentials.ts';
import type {
  CredentialsHolder,
  DeviceAnswer,
  DeviceListener,
  Devices,
  Directory,
} from '../../actors/fleet/devices.ts';
import { createDirectory } from '../../actors/fleet/directory.ts';
import { createDevices } from '../../actors/fleet/live-devices.ts';
import { createProfiles, type Profiles } from '../../actors/fleet/profiles.ts';
import { createQuota, type QuotaSettings } from '../../actors/limits/quota.ts';
import { type Parent, startActorSystem } from '../../actors/runtime/nact.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { awakeClock } from '../kit/awake-clock.ts';

export interface TransportWorld {
  readonly parent: Parent;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  readonly profiles: Profiles;
  /** Counts wrong credentials, where the world was asked for it. */
  readonly guard?: TokenGuard;
  readonly clock: Clock;
  /** Set it to intercept commands; `pass` hands the command to the actor. */
  intercept:
    | ((command: DeviceCommand, pass: () => Promise<DeviceAnswer>) => Promise<DeviceAnswer>)
    | undefined;
  /** Set it to make look-ups by credentials fail, wait, or the like. */
  interceptLookup:
    | ((pass: () => Promise<CredentialsHolder | undefined>) => Promise<CredentialsHolder | undefined>)
    | undefined;
  /** Told of every event; set it to the transport's listener. */
  onEvent: DeviceListener;
  /** Creates a device whose access token is `accessToken`. */
  provision(accessToken: string, more?: Partial<ProvisionDevice>): Promise<DeviceId>;
  /** Makes a customer own the device, as its tenant would. */
  assign(id: DeviceId): Promise<void>;
  /** Commands that the transport sent, without those of the set-up. */
  readonly commands: DeviceCommand[];
  stop(): Promise<void>;
}

export const TENANT = newId<TenantId>(1);
const CUSTOMER = newId<CustomerId>(1);
export const USER = newId<UserId>(1);

const DAY_MS = 86_400_000;

export async function createTransportWorld(
  policy: Partial<ClaimPolicy> = {},
  windows: QuotaSettings = { max: 0, windowMs: 60_000 },
  wrongTokensMax = 0,
): Promise<TransportWorld> {
  const store = createMemoryStore();
  const parent = startActorSystem(deviceEngine(store.journal));
  const real = createDevices({
    root: parent,
    windows: createQuota(windows),
    journal: store.journal,
    policy: {
      allowClaimingByDefault: true,
      defaultDurationMs: DAY_MS,
      maxDurationMs: 0,
      maxAttributeBytes: 10_000,
      ownership: DEFAULT_OWNERSHIP_RULES,
      ...policy,
    },
    settings: {
      residentsMax: 1_000,
      idleMs: 60_000,
      mailboxMax: 1_000,
      inFlightMax: 10_000,
      askTimeoutMs: 60_000,
    },
    clock: awakeClock,
    log: silentLog,
    onEvent: (id, event, state, before) => world.onEvent(id, event, state, before),
  });
  const directory = createDirectory(store.journal, store.index);
  const commands: DeviceCommand[] = [];

  const must = async (id: DeviceId, command: DeviceCommand): Promise<void> => {
    const answer = await real.ask(id, command);
    if (answer.type !== 'accepted') throw new Error(JSON.stringify(answer));
  };

  const world: TransportWorld = {
    parent,
    secrets: createSecrets(Buffer.alloc(32, 7)),
    profiles: createProfiles(store, awakeClock),
    guard: createTokenGuard('test', { max: wrongTokensMax, windowMs: 60_000 }),
    clock: awakeClock,
    intercept: undefined,
    interceptLookup: undefined,
    onEvent: () => {},
    commands,
    devices: {
      ask(id, command) {
        commands.push(command);
        const pass = () => real.ask(id, command);
        return world.intercept === undefined ? pass() : world.intercept(command, pass);
      },
      read: (id) => real.read(id),
    },
    directory: {
      ...directory,
      holderOf(credentialsId) {
        const pass = async () => directory.holderOf(credentialsId);
        return world.interceptLookup === undefined ? pass() : world.interceptLookup(pass);
      },
    },
    async provision(accessToken, more = {}) {
      const id = newId<DeviceId>(Date.now());
      await must(id, {
        type: 'ProvisionDevice',
        tenantId: TENANT,
        name: `device ${accessToken}`,
        deviceType: 'default',
        label: null,
        additionalInfo: null,
        credentials: tokenCredentials(world.secrets, id, accessToken),
        customerId: null,
        ...more,
      });
      return id;
    },
    assign: (id) => must(id, { type: 'AssignDevice', tenantId: TENANT, userId: USER, customerId: CUSTOMER }),
    async stop() {
      await real.stop(1_000);
      await store.close();
    },
  };
  return world;
}
