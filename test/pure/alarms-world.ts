/** Devices with their alarms over a store, as in the server, and nothing else: for the tests of alarms. */

import { type Clock, systemClock } from '../../actors/base/clock.ts';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import type { DeviceEvent } from '../../actors/device/device.ts';
import { deviceEngine } from '../../actors/device/persistence.ts';
import { type AlarmSettings, createAlarms } from '../../actors/fleet/alarms.ts';
import { createDevices, type LiveDevices } from '../../actors/fleet/live-devices.ts';
import { startActorSystem, stop } from '../../actors/runtime/nact.ts';
import type { RegistrySettings } from '../../actors/runtime/registry.ts';
import type { Store } from '../../actors/store/store.ts';
import { createFaultyJournal, type FaultyJournal } from '../kit/faulty-store.ts';
import { idOf, initiate, OPEN_POLICY, provision } from '../kit/given.ts';

export const deviceId = (n: number): DeviceId => idOf(1_000_000 + n);

interface Closing {
  readonly id: DeviceId;
  readonly at: number;
}

export interface AlarmWorld {
  readonly devices: LiveDevices;
  readonly journal: FaultyJournal;
  /** The windows that expired, in the order in which their events became durable. */
  readonly closings: readonly Closing[];
  readonly complaints: readonly string[];
  startAlarms(): void;
  stop(): Promise<void>;
}

const REGISTRY: RegistrySettings = {
  residentsMax: 100_000,
  idleMs: 60_000,
  mailboxMax: 100,
  inFlightMax: 10_000,
  askTimeoutMs: 5_000,
};

export interface AlarmWorldOptions {
  readonly clock?: Clock;
  readonly alarms?: Partial<AlarmSettings>;
  readonly registry?: Partial<RegistrySettings>;
}

export function alarmWorld(store: Store, options: AlarmWorldOptions = {}): AlarmWorld {
  const { clock = systemClock } = options;
  const journal = createFaultyJournal(store.journal);
  const closings: Closing[] = [];
  const complaints: string[] = [];
  const complain = (_fields: object, message: string) => complaints.push(message);
  const log: Log = { debug() {}, info() {}, warn: complain, error: complain };
  const root = startActorSystem(deviceEngine(journal));
  const devices = createDevices({
    root,
    journal,
    policy: OPEN_POLICY,
    settings: { ...REGISTRY, ...options.registry },
    clock,
    log,
    onEvent(id: DeviceId, event: DeviceEvent) {
      if (event.type === 'ClaimWindowExpired') closings.push({ id, at: event.at });
    },
  });
  const alarms = createAlarms({
    journal,
    devices,
    settings: { pollMs: 100, fanOutMax: 500, ...options.alarms },
    clock,
    log,
  });
  return {
    devices,
    journal,
    closings,
    complaints,
    startAlarms: () => alarms.start(),
    async stop() {
      await alarms.stop();
      await devices.stop(1_000);
      stop(root);
    },
  };
}

const tokenOf = (n: number) =>
  ({ type: 'ACCESS_TOKEN', credentialsId: `token-${n}`, sealedToken: '***' }) as const;

export async function provisionDevice({ devices }: AlarmWorld, n: number): Promise<void> {
  await devices.ask(deviceId(n), { ...provision(), name: `Pump ${n}`, credentials: tokenOf(n) });
}

/** Opens the window of a device, provisioning it if need be. Resolves to the instant at which it closes. */
export async function openWindow(world: AlarmWorld, n: number, durationMs: number): Promise<number> {
  const openedBy = { type: 'device', credentialsId: tokenOf(n).credentialsId } as const;
  const open = () => world.devices.ask(deviceId(n), { ...initiate(durationMs), openedBy });
  let answer = await open();
  if (answer.type === 'refused' && answer.refusal.reason === 'unknown-device') {
    await provisionDevice(world, n);
    answer = await open();
  }
  if (answer.type !== 'accepted' || answer.state.status === 'absent') throw new Error(JSON.stringify(answer));
  return answer.state.window?.closesAt ?? Number.NaN;
}
