/** The settings of a run, and the defaults of each profile. */
import type { Arrival, Pace, Profile } from './contract.ts';
import type { Bound } from './find-max.ts';

export const STORES = ['lmdb', 'memory', 'redis'] as const;
export type StoreName = (typeof STORES)[number];

/** Of servers that the bench starts. */
export const SYSADMIN = { username: 'sysadmin@thingsboard.org', password: 'bench-of-the-sysadmin' };

export interface Settings {
  readonly profile: Profile;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** The same if `--duration` was set; otherwise undefined. */
  readonly durationAsked: number | undefined;
  readonly connections: number;
  /** The same if `--connections` was set; otherwise undefined. */
  readonly connectionsAsked: number | undefined;
  /** Of connections that rest. 0: they are silent. */
  readonly keepAliveMs: number;
  readonly inflight: number;
  /** MQTT 3.1.1 or 5. */
  readonly mqttVersion: 4 | 5;
  /** Operations per second over all generators; undefined: as fast as answers come. */
  readonly rate: number | undefined;
  readonly arrivals: Arrival;
  readonly findMax: Bound | undefined;
  /** Number of devices; scenarios about growing numbers go up to it. */
  readonly devices: number;
  /** The same if `--devices` was set; otherwise undefined. */
  readonly devicesAsked: number | undefined;
  /** Generator processes. */
  readonly workers: number;
  readonly repeat: number;
  readonly store: StoreName;
  readonly nodes: number;
  /** The folder of another build, to be compared by turns; undefined: none. */
  readonly against: string | undefined;
  readonly target: RemoteSettings | undefined;
  /** Connections while devices are made and prepared. */
  readonly setUpConnections: number;
  /** Devices that are deleted at the same time afterwards. */
  readonly deletesAtOnce: number;
  /** Customers who claim each device at once in `contend`. */
  readonly rivals: number;
  /** Shares of the highest rate at which latencies are measured too, after `--find-max`. */
  readonly shares: readonly number[];
  /** Undefined: all peers of the scenario that the machine has. */
  readonly peers: readonly string[] | undefined;
  readonly serverEnv: { readonly [name: string]: string };
  readonly cpuProfile: boolean;
  readonly heapProfile: boolean;
  readonly tickMs: number;
  readonly timeoutMs: number;
}

export interface RemoteSettings {
  readonly host: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly coapPort: number;
  readonly username: string;
  readonly password: string;
  /** Its processes, if they run on this machine: CPU and memory of each, with its children. */
  readonly watch: readonly number[];
  /** Commands that end it at once and start it again; undefined: it is never ended. */
  readonly commands: { readonly kill: string; readonly start: string } | undefined;
}

/** What the bench's own server takes without a murmur, and what a small pool of connections does. */
export const GENTLE = { own: { setUp: 128, deletes: 100 }, theirs: { setUp: 16, deletes: 8 } } as const;

type Scale = Pick<Settings, 'warmUpMs' | 'durationMs' | 'connections' | 'devices' | 'tickMs' | 'timeoutMs'>;

export const SCALES: { readonly [profile in Profile]: Scale } = {
  smoke: { warmUpMs: 200, durationMs: 800, connections: 50, devices: 400, tickMs: 200, timeoutMs: 10_000 },
  standard: {
    warmUpMs: 3_000,
    durationMs: 10_000,
    connections: 1_000,
    devices: 20_000,
    tickMs: 500,
    timeoutMs: 10_000,
  },
  full: {
    warmUpMs: 5_000,
    durationMs: 30_000,
    connections: 1_000,
    devices: 1_000_000,
    tickMs: 500,
    timeoutMs: 10_000,
  },
};

export function paceOf({ rate, arrivals }: Settings): Pace {
  return rate === undefined ? { type: 'closed' } : { type: 'open', perSecond: rate, arrivals };
}

/** The number of devices that was asked for, else what the scenario needs in this profile. */
export function devicesFor(
  { profile, devicesAsked }: Settings,
  needed: { readonly [profile in Profile]: number },
): number {
  return devicesAsked ?? needed[profile];
}
