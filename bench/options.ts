/** Reads the command line of a run into settings. An unknown or wrong option is `Misuse`. */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { PROFILES } from './contract.ts';
import { parseBound } from './find-max.ts';
import { PEERS } from './peers/peer.ts';
import { LAST, Misuse } from './results.ts';
import { GENTLE, type RemoteSettings, SCALES, type Settings, STORES } from './settings.ts';

export interface RunOptions {
  readonly settings: Settings;
  readonly label: string;
  readonly json: boolean;
  /** The settings for the record, without passwords. */
  readonly commandLine: { readonly [name: string]: string | number | boolean };
}

const WORKERS_MAX = 4;
const RIVALS = 8;
const PASSWORD = 'CLAIMD_BENCH_PASSWORD';

const OPTIONS = {
  profile: { type: 'string', default: 'standard' },
  duration: { type: 'string' },
  'warm-up': { type: 'string' },
  connections: { type: 'string' },
  'keep-alive': { type: 'string' },
  inflight: { type: 'string' },
  mqtt: { type: 'string', default: '3.1.1' },
  rate: { type: 'string' },
  arrivals: { type: 'string', default: 'poisson' },
  'find-max': { type: 'string' },
  devices: { type: 'string' },
  workers: { type: 'string' },
  repeat: { type: 'string' },
  store: { type: 'string', default: 'lmdb' },
  nodes: { type: 'string' },
  against: { type: 'string' },
  target: { type: 'string' },
  'mqtt-port': { type: 'string' },
  'coap-port': { type: 'string' },
  username: { type: 'string', default: 'sysadmin@thingsboard.org' },
  password: { type: 'string' },
  watch: { type: 'string' },
  'kill-command': { type: 'string' },
  'start-command': { type: 'string' },
  'set-up-connections': { type: 'string' },
  'deletes-at-once': { type: 'string' },
  rivals: { type: 'string' },
  at: { type: 'string' },
  peer: { type: 'string', multiple: true },
  'no-peers': { type: 'boolean', default: false },
  server: { type: 'string', multiple: true },
  'cpu-prof': { type: 'boolean', default: false },
  'heap-prof': { type: 'boolean', default: false },
  label: { type: 'string', default: LAST },
  json: { type: 'boolean', default: false },
} as const;

/** Throws `Misuse`. */
export function parseRun(args: readonly string[], env: NodeJS.ProcessEnv = process.env): RunOptions {
  const values = parse(args);
  const profile = oneOf('profile', values.profile, PROFILES);
  const scale = SCALES[profile];
  const rate = values.rate === undefined ? undefined : wholeNumber('rate', values.rate);
  const findMax = values['find-max'] === undefined ? undefined : parseBound(values['find-max']);
  if (values['find-max'] !== undefined && findMax === undefined) {
    throw new Misuse(
      `--find-max takes a percentile and a bound, such as p99=50ms, not ${values['find-max']}`,
    );
  }
  if (findMax !== undefined && rate !== undefined)
    throw new Misuse('--find-max finds a rate: leave --rate out');
  if (values['cpu-prof'] && values['heap-prof']) {
    throw new Misuse('--cpu-prof and --heap-prof disturb each other: one at a time');
  }
  const nodes = wholeNumber('nodes', values.nodes ?? '1');
  const gentle = values.target === undefined ? GENTLE.own : GENTLE.theirs;
  if (values.at !== undefined && findMax === undefined)
    throw new Misuse('--at takes shares of the highest rate: --find-max must find it');
  const settings: Settings = {
    profile,
    warmUpMs: duration('warm-up', values['warm-up']) ?? scale.warmUpMs,
    durationMs: duration('duration', values.duration) ?? scale.durationMs,
    durationAsked: duration('duration', values.duration),
    connections: numberOr('connections', values.connections, scale.connections),
    connectionsAsked:
      values.connections === undefined ? undefined : wholeNumber('connections', values.connections),
    keepAliveMs: duration('keep-alive', values['keep-alive']) ?? 0,
    inflight: numberOr('inflight', values.inflight, 1),
    mqttVersion: oneOf('mqtt', values.mqtt, ['3.1.1', '5']) === '5' ? 5 : 4,
    rate,
    arrivals: oneOf('arrivals', values.arrivals, ['even', 'poisson']),
    findMax,
    devices: numberOr('devices', values.devices, scale.devices),
    devicesAsked: values.devices === undefined ? undefined : wholeNumber('devices', values.devices),
    workers: numberOr('workers', values.workers, Math.min(WORKERS_MAX, Math.max(1, cpus().length >> 1))),
    repeat: numberOr('repeat', values.repeat, 1),
    store: oneOf('store', values.store, STORES),
    nodes,
    against: values.against,
    target: remote(values, env),
    setUpConnections: numberOr('set-up-connections', values['set-up-connections'], gentle.setUp),
    deletesAtOnce: numberOr('deletes-at-once', values['deletes-at-once'], gentle.deletes),
    rivals: numberOr('rivals', values.rivals, RIVALS),
    shares: values.at === undefined ? [] : shares(values.at),
    peers: peers(values),
    serverEnv: serverEnv(values.server ?? []),
    cpuProfile: values['cpu-prof'],
    heapProfile: values['heap-prof'],
    tickMs: scale.tickMs,
    timeoutMs: scale.timeoutMs,
  };
  if (nodes > 1 && settings.store !== 'redis')
    throw new Misuse('--nodes needs a store that nodes share: --store redis');
  return { settings, label: values.label, json: values.json, commandLine: recorded(settings) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

type Values = ReturnType<typeof parse>;

function remote(values: Values, env: NodeJS.ProcessEnv): RemoteSettings | undefined {
  if (values.target === undefined) {
    const without = (['watch', 'kill-command', 'start-command'] as const).find(
      (name) => values[name] !== undefined,
    );
    if (without !== undefined) throw new Misuse(`--${without} is about a server that --target names`);
    return undefined;
  }
  const match = /^(?:http:\/\/)?([^:/\s]+)(?::(\d+))?\/?$/.exec(values.target);
  const host = match?.[1];
  if (host === undefined) throw new Misuse(`--target takes host or host:port, not ${values.target}`);
  const password = values.password ?? env[PASSWORD];
  if (password === undefined)
    throw new Misuse(`--target needs --password, or ${PASSWORD} in the environment`);
  return {
    host,
    httpPort: wholeNumber('target', match?.[2] ?? '8080'),
    mqttPort: wholeNumber('mqtt-port', values['mqtt-port'] ?? '1883'),
    coapPort: wholeNumber('coap-port', values['coap-port'] ?? '5683'),
    username: values.username,
    password,
    watch: values.watch === undefined ? [] : values.watch.split(',').map((pid) => wholeNumber('watch', pid)),
    commands: commands(values),
  };
}

function commands({ 'kill-command': kill, 'start-command': start }: Values): RemoteSettings['commands'] {
  if (kill === undefined && start === undefined) return undefined;
  if (kill === undefined || start === undefined)
    throw new Misuse('--kill-command and --start-command belong together');
  return { kill, start };
}

/** `10%,50%,90%` as shares of one. */
function shares(text: string): readonly number[] {
  return text.split(',').map((one) => {
    const share = /^(\d{1,2})%$/.exec(one)?.[1];
    if (share === undefined || share === '0')
      throw new Misuse(`--at takes shares below the whole, such as 10%,50%,90%, not ${text}`);
    return Number(share) / 100;
  });
}

function peers(values: Values): readonly string[] | undefined {
  if (values['no-peers']) return [];
  return values.peer?.flatMap((list) => list.split(',')).map((name) => oneOf('peer', name, PEERS));
}

function serverEnv(pairs: readonly string[]): { [name: string]: string } {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1)
        throw new Misuse(`--server takes an option by its environment name, NAME=value, not ${pair}`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function oneOf<Name extends string>(option: string, value: string, names: readonly Name[]): Name {
  const name = names.find((one) => one === value);
  if (name === undefined) throw new Misuse(`--${option} is one of ${names.join(', ')}, not ${value}`);
  return name;
}

function wholeNumber(option: string, value: string): number {
  const number = /^\d{1,3}(_?\d{3})*$|^\d+$/.test(value) ? Number(value.replaceAll('_', '')) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new Misuse(`--${option} takes a whole number from 1, not ${value}`);
  }
  return number;
}

function numberOr(option: string, value: string | undefined, otherwise: number): number {
  return value === undefined ? otherwise : wholeNumber(option, value);
}

const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000 };

/** `500ms`, `10s`, `2m`; a number alone is seconds. In ms. */
function duration(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(value);
  if (match === null) throw new Misuse(`--${option} takes a time such as 10s, not ${value}`);
  return Math.round(Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1000));
}

function recorded(settings: Settings): RunOptions['commandLine'] {
  const { target, findMax, peers: names, serverEnv: env, shares: at, ...others } = settings;
  const { devicesAsked: _, connectionsAsked: __, durationAsked: ___, ...plain } = others;
  const defined = Object.entries(plain).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(defined) as { [name: string]: string | number | boolean }),
    ...(target === undefined ? {} : { target: `${target.host}:${target.httpPort}` }),
    ...(findMax === undefined ? {} : { findMax: `p${findMax.percentile}=${findMax.ms}ms` }),
    ...(at.length === 0 ? {} : { at: at.join(',') }),
    ...(names === undefined ? {} : { peers: names.join(',') }),
    ...(Object.keys(env).length === 0 ? {} : { server: Object.keys(env).join(',') }),
  };
}
