/**
 * Measures single parts without sockets and other processes: the rules, an actor's turn, an append on each store, parsing
 * a payload, a digest, a token. It shows which part a change made slower; what users notice is in the scenarios.
 *
 *   npm run bench -- micro [--time 500ms] [WORD …]     only parts whose name contains one of the words
 *
 * Actors and stores get a hundred operations at a time, as on a busy server; the time shown is that of one.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import type { User } from '../actors/accounts/accounts.ts';
import { systemClock } from '../actors/base/clock.ts';
import { type DeviceId, newId } from '../actors/base/ids.ts';
import { silentLog } from '../actors/base/log.ts';
import { createSecrets } from '../actors/base/secret.ts';
import { parseClaimPayload } from '../actors/claiming/payload.ts';
import { createDeviceDecider } from '../actors/device/device.ts';
import { deviceEngine } from '../actors/device/persistence.ts';
import type { DeviceState } from '../actors/device/state.ts';
import { createDevices } from '../actors/fleet/live-devices.ts';
import { startActorSystem, stop } from '../actors/runtime/nact.ts';
import { createMemoryStore } from '../actors/store/memory.ts';
import type { Store } from '../actors/store/store.ts';
import { openStore } from '../config/compose/store.ts';
import { loadConfig } from '../config/options/load.ts';
import { createTokens } from '../http/auth/tokens.ts';
import { defaultTokenSettings } from '../http/settings.ts';
import { temporaryFolder } from '../test/kit/folders.ts';
import {
  CUSTOMER,
  confirm,
  DEVICE,
  initiate,
  OPEN_POLICY,
  provision,
  reclaim,
  TENANT,
  USER,
} from '../test/kit/given.ts';
import { columns } from './report/format.ts';
import { Misuse } from './results.ts';
import { NotInstalled } from './targets/program.ts';
import { startRedis } from './targets/redis.ts';

const AT_ONCE = 100;
const TIME_MS = 500;
const WINDOW_MS = 3_600_000;
/** More than the cache holds, so that each is seen as if for the first time. */
const TOKENS = 21_000;
const PAYLOAD = Buffer.from('{"secretKey": "printed-on-the-box", "durationMs": 600000}');

const SOMEBODY: User = {
  id: USER,
  createdAt: 0,
  membership: { authority: 'CUSTOMER_USER', tenantId: TENANT, customerId: CUSTOMER },
  email: 'somebody@example.org',
  firstName: null,
  lastName: null,
  phone: null,
  additionalInfo: null,
  version: 1,
  enabled: true,
  activated: true,
  credentialsVersion: 1,
};

interface Part {
  readonly name: string;
  /** Operations in one run of `run`. */
  readonly count: number;
  run(): unknown;
  close?(): Promise<unknown>;
}

type Opening = () => Promise<Part>;

const PARTS: { readonly [name: string]: Opening } = {
  'decide + evolve': async () => ({ name: 'decide + evolve', count: 3, run: lifeOf() }),
  'actor ask': actorAsk,
  'append, memory': () => append('memory'),
  'append, lmdb': () => append('lmdb'),
  'append, redis': () => append('redis'),
  'payload parse': async () => ({ name: 'payload parse', count: 1, run: () => parseClaimPayload(PAYLOAD) }),
  'secret digest': async () => {
    const secrets = createSecrets(randomBytes(32));
    return { name: 'secret digest', count: 1, run: () => secrets.digest(DEVICE, 'printed-on-the-box') };
  },
  'token, cached': async () => {
    const { tokens, all } = issued(1);
    const [token = ''] = all;
    return { name: 'token, cached', count: 1, run: () => tokens.readAccess(token) };
  },
  'token, first time': async () => {
    const { tokens, all } = issued(TOKENS);
    let next = 0;
    return { name: 'token, first time', count: 1, run: () => tokens.readAccess(all[next++ % TOKENS] ?? '') };
  },
};

export async function microCommand(args: readonly string[], say: (text: string) => void): Promise<number> {
  const { time, words } = parse(args);
  const wanted = Object.keys(PARTS).filter(
    (name) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  if (wanted.length === 0)
    throw new Misuse(`none of ${Object.keys(PARTS).join('; ')} contains ${words.join(' or ')}`);
  const rows: string[][] = [['', 'each', '±', 'per second']];
  for (const name of wanted) {
    const row = await measured(name, time);
    if (row !== undefined) rows.push(row);
  }
  say(`${columns(rows).join('\n')}\n`);
  return 0;
}

async function measured(name: string, time: number): Promise<string[] | undefined> {
  let part: Part | undefined;
  try {
    part = await PARTS[name]?.();
  } catch (error) {
    if (error instanceof NotInstalled) return [name, error.message, '', ''];
    throw error;
  }
  if (part === undefined) return undefined;
  const { run, count, close } = part;
  const bench = new Bench({ time, warmupTime: time / 2, throws: true });
  const first = run();
  if (first instanceof Promise) {
    await first;
    bench.add(name, async () => void (await run()));
  } else {
    // Not awaited: awaiting alone would take most of the time.
    bench.add(name, () => void run());
  }
  await bench.run();
  await close?.();
  const result = bench.tasks[0]?.result;
  if (result === undefined || !('latency' in result)) throw new Error(`${name} was not measured`);
  const eachUs = (result.latency.mean * 1000) / count;
  const error = `${result.latency.rme.toFixed(1)} %`;
  return [
    name,
    `${eachUs.toFixed(eachUs < 10 ? 2 : 1)} µs`,
    error,
    Math.round(1e6 / eachUs).toLocaleString('en'),
  ];
}

function parse(args: readonly string[]): { time: number; words: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { time: { type: 'string', default: `${TIME_MS}ms` } },
      allowPositionals: true,
    });
    const time = /^(\d+)(?:ms)?$/.exec(values.time)?.[1];
    if (time === undefined) throw new Misuse(`--time takes a time such as 500ms, not ${values.time}`);
    return { time: Number(time), words: positionals };
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

/** A window, a claim and a give-back of one device, over and over. */
function lifeOf(): () => DeviceState {
  const decider = createDeviceDecider(OPEN_POLICY);
  const commands = [initiate(WINDOW_MS), confirm(), reclaim(CUSTOMER)];
  const play = (state: DeviceState, command: Parameters<typeof decider.decide>[1]): DeviceState => {
    const decision = decider.decide(state, command, Date.now());
    if (decision.type !== 'accept') throw new Error(`not accepted: ${decision.type}`);
    return decider.evolve(state, decision.event);
  };
  const start = play(decider.initial, provision());
  return () => commands.reduce(play, start);
}

/** A window on each of a hundred devices whose actors are in memory, on the memory store. */
async function actorAsk(): Promise<Part> {
  const store = createMemoryStore();
  const root = startActorSystem(deviceEngine(store.journal));
  const devices = createDevices({
    root,
    journal: store.journal,
    policy: OPEN_POLICY,
    settings: {
      residentsMax: 10 * AT_ONCE,
      idleMs: WINDOW_MS,
      mailboxMax: AT_ONCE,
      inFlightMax: AT_ONCE,
      askTimeoutMs: 5_000,
    },
    clock: systemClock,
    log: silentLog,
    onEvent: () => {},
  });
  const ids = Array.from({ length: AT_ONCE }, () => newId<DeviceId>(Date.now()));
  const credentials = (n: number) =>
    ({ type: 'ACCESS_TOKEN', credentialsId: `token-${n}`, sealedToken: '***' }) as const;
  await Promise.all(
    ids.map((id, n) => devices.ask(id, { ...provision(), name: `Pump ${n}`, credentials: credentials(n) })),
  );
  const ask = async (id: DeviceId, n: number): Promise<void> => {
    const openedBy = { type: 'device', credentialsId: credentials(n).credentialsId } as const;
    const answer = await devices.ask(id, { ...initiate(WINDOW_MS), openedBy });
    if (answer.type !== 'accepted') throw new Error(`not accepted: ${answer.type}`);
  };
  return {
    name: 'actor ask',
    count: AT_ONCE,
    run: () => Promise.all(ids.map(ask)),
    async close() {
      await devices.stop(0);
      stop(root);
      await store.close();
    },
  };
}

async function append(kind: 'memory' | 'lmdb' | 'redis'): Promise<Part> {
  const { store, close } = await opened(kind);
  const state = JSON.stringify({ v: 1, status: 'provisioned', filler: 'x'.repeat(400) });
  const event = JSON.stringify({ v: 1, type: 'ClaimWindowOpened', filler: 'x'.repeat(120) });
  const streams = Array.from({ length: AT_ONCE }, (_, n) => ({ stream: `stream-${n}`, expected: 0 }));
  const one = async (at: (typeof streams)[number]): Promise<void> => {
    const alarmAt = Date.now() + WINDOW_MS;
    const { type } = await store.journal.append({ ...at, event, state, alarmAt, index: undefined });
    if (type !== 'appended') throw new Error(`not appended: ${type}`);
    at.expected += 1;
  };
  return { name: `append, ${kind}`, count: AT_ONCE, run: () => Promise.all(streams.map(one)), close };
}

async function opened(kind: 'memory' | 'lmdb' | 'redis'): Promise<{ store: Store; close(): Promise<void> }> {
  const redis = kind === 'redis' ? await startRedis() : undefined;
  const url = { memory: 'memory:', lmdb: undefined, redis: `redis://127.0.0.1:${redis?.port}` }[kind];
  const env = { DATA_DIR: temporaryFolder(), ...(url === undefined ? {} : { STORE_URL: url }) };
  const loaded = loadConfig({ env, flags: [] });
  if (loaded.type === 'problems') throw new Error(loaded.problems.join('; '));
  const { store, close } = await openStore(loaded.config, 'alone', silentLog);
  return {
    store,
    async close() {
      await close();
      await redis?.stop();
    },
  };
}

const SESSION = { id: randomUUID(), endsAt: Number.POSITIVE_INFINITY, rotation: 0 };

function issued(count: number) {
  const tokens = createTokens({ ...defaultTokenSettings, signingKey: randomBytes(64) }, systemClock);
  return { tokens, all: Array.from({ length: count }, () => tokens.issue(SOMEBODY, SESSION).token) };
}
