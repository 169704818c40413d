/**
 * Many clients claim many devices at once, over several protocols, and record every request and answer: windows are opened,
 * confirmed by rivals, given back, handed over, and elapse; every other device may be taken over, and reset.
 * `linearizability.ts` then judges the record of each device. The clients know only the servers' addresses; servers may come and
 * go.
 */

import { connectAsync, type MqttClient } from 'mqtt';
import { type Customer, cast } from './api.ts';
import {
  type Asked,
  type Claimable,
  claimOperation,
  epochOf,
  type OwnershipChoice,
  UNCLAIMED,
} from './claim-model.ts';
import { ConnectionBroken, type Reply, send } from './http.ts';
import { linearize, type Operation } from './linearizability.ts';
import { crowding } from './patience.ts';
import { pause } from './until.ts';

export interface Actors {
  readonly tenantToken: string;
  readonly customers: readonly Customer[];
  readonly devices: readonly StoryDevice[];
}

interface StoryDevice {
  readonly id: string;
  readonly name: string;
  readonly accessToken: string;
  /** Its profile lets it be lost without being given back: by a take-over at once (N1), and by a reset (N4). */
  readonly isLoose: boolean;
}

/** A tenant, its customers and devices for a story. On several nodes they are made through one, and known to all. */
export async function storyActors(
  url: string,
  sysadminPassword: string,
  count: {
    readonly customers: number;
    readonly devices: number;
    /** Whether every other device may be lost without being given back. Default: yes. */
    readonly someLoose?: boolean;
  },
): Promise<Actors> {
  const { someLoose = true } = count;
  const { api, tenant, customers } = await cast(url, sysadminPassword, count.customers);
  const claiming = { takeOver: 'at-once', deviceReset: 'release-and-open' };
  const loose = await api.post('/api/deviceProfile', tenant, { name: 'loose', claiming });
  const devices = await Promise.all(
    Array.from({ length: count.devices }, async (_, n): Promise<StoryDevice> => {
      const [name, accessToken, isLoose] = [`device ${n}`, `story-${n}`, someLoose && n % 2 === 1];
      const body = { name, ...(isLoose ? { deviceProfileId: loose.id } : { type: 'default' }) };
      const { id } = await api.post(`/api/device?accessToken=${accessToken}`, tenant, body);
      return { id: id.id, name, accessToken, isLoose };
    }),
  );
  return { tenantToken: tenant, customers, devices };
}

/** What opening a window came to; `none`: it certainly did not happen. */
type Opening = Extract<Asked, { type: 'open' }>['answer'] | 'none';
type Resetting = Extract<Asked, { type: 'reset' }>['answer'] | 'none';

/** One way for devices to open windows. */
export interface Door {
  readonly name: string;
  /** Whether a message can be delivered twice when something fails on its way (as through any broker). */
  readonly mayRepeat: boolean;
  open(accessToken: string, secret: string, durationMs: number): Promise<Opening>;
  /** Says that the device was reset, and opens a window; absent: devices do not do so here. */
  reset?(accessToken: string, secret: string, durationMs: number): Promise<Resetting>;
}

export interface StorySettings {
  /** Addresses of the nodes' REST API; one is drawn for each request. */
  readonly nodes: readonly string[];
  readonly doors: readonly Door[];
  readonly actors: Actors;
  /** A request is given up after this long without an answer. */
  readonly patienceMs: number;
}

export interface Story {
  /** Plays until told to stop; may be told to go on after that. */
  play(): void;
  /** Ends when the last request has its answer, or was given up. */
  stop(): Promise<void>;
  /** Marks the start of a fault; the returned function marks its end. Messages in flight may then be delivered twice. */
  trouble(): () => void;
  /** Operations with a clear answer so far. */
  readonly answered: number;
  readonly unanswered: number;
  /** Everybody looks at every device, in peace, as the last operation. */
  look(): Promise<void>;
  /** What no order of the operations explains, in words. Empty if there is nothing. */
  judge(): string[];
  /** Of the devices judged, how many configurations the hardest took. */
  readonly hardest: number;
  /** How often each thing happened. */
  readonly counts: ReadonlyMap<string, number>;
}

/** What happens often in any story that is one. */
export const STORY_ESSENTIALS = [
  'open opened',
  'open claimed',
  'confirm success',
  'confirm claimed',
  'reclaim done',
  'offer offered',
  'accept accepted',
  'accept none',
] as const;

/** What happens in it to devices that may be lost without being given back: a reset once an hour, so once in a story. */
export const STORY_LOSSES = [
  'reset opened',
  'reset too-soon',
  'changed hands by take-over',
  'changed hands by reset',
];

/**
 * Plays until so many requests were answered and all that a story is made of has come often enough, which chance tells: now and then
 * some part of it takes longer. Then everybody looks.
 *
 * @param enough how often each essential answer is given at least
 * @param meanwhile is called again and again while it plays
 */
export async function playOut(
  story: Story,
  operations: number,
  enough: number,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  const most = TIMES_AS_MANY * operations;
  const isMissing = () =>
    STORY_ESSENTIALS.some((what) => (story.counts.get(what) ?? 0) <= enough) ||
    STORY_LOSSES.some((what) => !story.counts.has(what));
  for (let least = operations; ; least = story.answered + operations / TIMES_AS_MANY) {
    story.play();
    while (story.answered < least) {
      await pause(LOOK_MS);
      await meanwhile();
    }
    await story.stop();
    await story.look(); // which sees some of it only
    if (!isMissing() || story.answered >= most) return;
  }
}

/** Settings of the server under test: the customers guess wrong on purpose, all from one address. */
export const STORY_ENVIRONMENT = {
  SECURITY_CLAIM_WRONG_SECRETS_PER_CUSTOMER_AND_DEVICE: '0',
  SECURITY_CLAIM_WRONG_SECRETS_PER_CUSTOMER: '0',
  SECURITY_CLAIM_WRONG_SECRETS_PER_ADDRESS: '0',
  SECURITY_CLAIM_WRONG_SECRETS_PER_WINDOW: '0',
  SECURITY_CLAIM_OFFERS_PER_CUSTOMER: '0',
};

/** An acknowledgement sent to the broker less than this before a fault may be lost; on a quiet machine, in ms. */
const ON_ITS_WAY_MS = 500;
const TIMES_AS_MANY = 10;
const LOOK_MS = 50;
const SHORT_MS = [80, 200] as const;
const LONG_MS = 600_000;
/** Clients back off after a request without an answer. */
const BACKOFF_MS = 300;

/** The story's own time, which nobody sets. */
const now = (): number => performance.timeOrigin + performance.now();
/** An instant of the machine's clock that was told just now, in the story's time: the clock may have been set meanwhile, or be set all the time. */
const inStory = (instant: number): number => instant + now() - Date.now();

interface Noted {
  readonly asked: Asked;
  readonly calledAt: number;
  readonly endedAt: number;
  readonly door: Door | undefined;
}

export function createStory({ nodes, doors, actors, patienceMs }: StorySettings): Story {
  const histories = new Map<string, Noted[]>(actors.devices.map(({ name }) => [name, []]));
  const counts = new Map<string, number>();
  const troubles: { from: number; to: number }[] = [];
  /** What somebody was last told of each device. */
  const codes = new Map<string, string>();
  const epochs = new Map<string, number>();
  let players: Promise<void>[] = [];
  let over = false;
  let answered = 0;
  let unanswered = 0;
  let secrets = 0;
  let mostCrowded = 1;
  let hardest = 0;

  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(Math.random() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };

  function count(what: string): void {
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }

  /** @param lost whether there was no answer, so that it may happen late, or never */
  function note(
    device: string,
    asked: Asked,
    calledAt: number,
    door?: Door,
    lost = 'answer' in asked && asked.answer === 'unknown',
  ): boolean {
    const outcome =
      'answer' in asked ? (typeof asked.answer === 'string' ? asked.answer : asked.answer.type) : 'looked';
    count(`${asked.type} ${outcome}`);
    if (lost) unanswered += 1;
    else answered += 1;
    const endedAt = lost ? Number.POSITIVE_INFINITY : now();
    mostCrowded = Math.max(mostCrowded, crowding());
    histories.get(device)?.push({ asked, calledAt, endedAt, door });
    return !lost;
  }

  /** An answer, `none` when the request cannot have reached anybody, or `unknown`. */
  async function request(
    method: string,
    path: string,
    token: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ) {
    try {
      const reply = await send(`${pick(nodes)}${path}`, {
        method,
        token,
        body,
        headers,
        limitMs: patienceMs,
      });
      return reply.status === 503 ? 'unknown' : reply;
    } catch (error) {
      if (!(error instanceof ConnectionBroken)) throw error;
      return error.refused ? 'none' : 'unknown';
    }
  }

  /** Opens one window and returns its secret. */
  async function open(device: StoryDevice): Promise<{ clear: boolean; secret: string }> {
    const door = pick(doors);
    secrets += 1;
    const secret = `secret ${secrets}`;
    const durationMs = Math.random() < 0.1 ? pick(SHORT_MS) : LONG_MS;
    const calledAt = now();
    const answer = await door.open(device.accessToken, secret, durationMs);
    if (answer === 'none') return { clear: false, secret };
    return { clear: note(device.name, { type: 'open', secret, durationMs, answer }, calledAt, door), secret };
  }

  /** The device says that it was reset. Returns the secret of the window that it then has. */
  async function reset(device: StoryDevice): Promise<{ clear: boolean; secret: string }> {
    const door = doors.find((one) => one.reset !== undefined);
    secrets += 1;
    const secret = `secret ${secrets}`;
    const calledAt = now();
    const answer = (await door?.reset?.(device.accessToken, secret, LONG_MS)) ?? 'none';
    if (answer === 'none') return { clear: false, secret };
    const asked = { type: 'reset', secret, durationMs: LONG_MS, answer } as const;
    return { clear: note(device.name, asked, calledAt), secret };
  }

  async function confirm(
    name: string,
    customer: Actors['customers'][number],
    secret: string,
  ): Promise<boolean> {
    const calledAt = now();
    const path = `/api/customer/device/${encodeURIComponent(name)}/claim`;
    const reply = await request('POST', path, customer.token, { secretKey: secret });
    if (reply === 'none') return false;
    const answer = reply === 'unknown' ? 'unknown' : confirmed(reply);
    return note(name, { type: 'confirm', customer: customer.id, secret, answer }, calledAt);
  }

  /** Offers the device to whoever has the code, and tells it to all customers. */
  async function offer(name: string, customer: Actors['customers'][number]): Promise<boolean> {
    const calledAt = now();
    const durationMs = Math.random() < 0.1 ? pick(SHORT_MS) : LONG_MS;
    const reply = await request('POST', transferPath(name), customer.token, { expiresInMs: durationMs });
    if (reply === 'none') return false;
    const asked = { type: 'offer', customer: customer.id, durationMs } as const;
    if (reply === 'unknown') return note(name, { ...asked, answer: 'unknown' }, calledAt);
    if (reply.status === 403) return note(name, { ...asked, answer: 'not-owner' }, calledAt);
    // It stood, and was accepted or replaced before its own answer was written: nobody was told its code.
    if (reply.status === 404) return note(name, { ...asked, answer: 'unknown' }, calledAt, undefined, false);
    if (reply.status !== 200) throw new Error(`nobody expects ${reply.status} ${reply.body}`);
    const told = JSON.parse(reply.body) as { code: string; expiresAt: number };
    codes.set(name, told.code);
    const answer = { type: 'offered', by: told.code, endsAt: inStory(told.expiresAt) } as const;
    return note(name, { ...asked, answer }, calledAt);
  }

  async function accept(name: string, customer: Actors['customers'][number]): Promise<boolean> {
    const calledAt = now();
    const code = codes.get(name);
    if (code === undefined) return true;
    const reply = await request('POST', '/api/transfer/accept', customer.token, { code });
    if (reply === 'none') return false;
    const answer = reply === 'unknown' ? 'unknown' : accepted(reply);
    return note(name, { type: 'accept', customer: customer.id, by: code, answer }, calledAt);
  }

  async function withdraw(name: string, customer: Actors['customers'][number]): Promise<boolean> {
    const calledAt = now();
    const reply = await request('DELETE', transferPath(name), customer.token);
    if (reply === 'none') return false;
    const answer = reply === 'unknown' ? 'unknown' : reply.status === 403 ? 'not-owner' : 'done';
    return note(name, { type: 'withdraw', customer: customer.id, answer }, calledAt);
  }

  async function reclaim(name: string, customer: Actors['customers'][number]): Promise<boolean> {
    const calledAt = now();
    const path = `/api/customer/device/${encodeURIComponent(name)}/claim`;
    // Now and then in the epoch that was last seen, which may be over.
    const inEpoch = Math.random() < 0.3 ? epochs.get(name) : undefined;
    const headers = inEpoch === undefined ? {} : { 'if-match': `"epoch-${inEpoch}"` };
    const reply = await request('DELETE', path, customer.token, undefined, headers);
    if (reply === 'none') return false;
    const answer = reply === 'unknown' ? 'unknown' : reclaimed(reply);
    const named = inEpoch === undefined ? {} : { inEpoch };
    return note(name, { type: 'reclaim', customer: customer.id, ...named, answer }, calledAt);
  }

  async function look(name: string): Promise<boolean> {
    const calledAt = now();
    const path = `/api/tenant/devices?deviceName=${encodeURIComponent(name)}`;
    const reply = await request('GET', path, actors.tenantToken);
    if (typeof reply === 'string') return false;
    if (reply.status !== 200) throw new Error(`nobody expects ${reply.status} ${reply.body}`);
    const { customerId, ownerEpoch: epoch } = JSON.parse(reply.body) as {
      customerId: { id: string };
      ownerEpoch: number;
    };
    const owner = actors.customers.find(({ id }) => id === customerId.id)?.id ?? null;
    epochs.set(name, epoch);
    note(name, { type: 'look', owner, epoch }, calledAt);
    return true;
  }

  /** One device and its customers: windows open while rivals try to claim, all at the same time. */
  async function playDevice(device: StoryDevice): Promise<void> {
    const { name } = device;
    let secret = 'none yet';
    while (!over) {
      const customer = pick(actors.customers);
      const rival = pick(actors.customers);
      const openNext = async () => {
        const opening = open(device);
        const { clear, secret: fresh } = await opening;
        secret = fresh;
        return clear;
      };
      const resetNext = async () => {
        const { clear, secret: fresh } = await reset(device);
        secret = fresh;
        return clear;
      };
      const steps: (() => Promise<boolean>)[] = pick([
        ...(device.isLoose
          ? [
              [resetNext, () => confirm(name, customer, secret), () => look(name)],
              [openNext, () => confirm(name, customer, secret), () => confirm(name, rival, secret)],
            ]
          : []),
        [openNext],
        [openNext, () => confirm(name, customer, secret)],
        [() => confirm(name, customer, secret), () => confirm(name, rival, secret)],
        [() => confirm(name, customer, secret), () => confirm(name, rival, 'wrong'), () => look(name)],
        [() => reclaim(name, customer), () => reclaim(name, rival)],
        [() => offer(name, customer), () => offer(name, rival)],
        [() => offer(name, customer), () => accept(name, rival), () => look(name)],
        [() => accept(name, customer), () => accept(name, rival), () => look(name)],
        [() => accept(name, customer), () => reclaim(name, rival)],
        [() => accept(name, customer), () => withdraw(name, rival)],
        [() => reclaim(name, customer), openNext],
        [() => reclaim(name, customer), () => confirm(name, rival, secret), () => look(name)],
      ]);
      const clear = await Promise.all(steps.map((step) => step()));
      if (clear.includes(false)) await settle(name);
    }
  }

  /**
   * After a request without an answer the clients of a device only look at it until it answers again. So a fault costs
   * each device no more answers than were under way, however long it lasts and however quickly it refuses.
   */
  async function settle(name: string): Promise<void> {
    do await pause(BACKOFF_MS);
    while (!over && !(await look(name)));
  }

  /**
   * A broker may deliver a message of the time of a fault once more, at any time after. One whose answer got lost as well: it
   * may have opened a window that was claimed and given back since, and then it opens one again.
   */
  function repeated(
    { asked, calledAt, endedAt, door }: Noted,
    choice: OwnershipChoice,
  ): Operation<Claimable>[] {
    if (asked.type !== 'open' || door?.mayRepeat !== true) return [];
    const onItsWayMs = ON_ITS_WAY_MS * mostCrowded;
    const touched = troubles.some(({ from, to }) => calledAt <= to && endedAt >= from - onItsWayMs);
    if (!touched) return [];
    const again: Asked = { ...asked, answer: 'unknown' };
    return [claimOperation(again, { calledAt, endedAt: Number.POSITIVE_INFINITY }, choice)];
  }

  return {
    play() {
      over = false;
      players = actors.devices.map((device) => playDevice(device));
    },
    async stop() {
      over = true;
      await Promise.all(players);
    },
    trouble() {
      const span = { from: now(), to: Number.POSITIVE_INFINITY };
      troubles.push(span);
      return () => {
        span.to = now();
      };
    },
    get answered() {
      return answered;
    },
    get unanswered() {
      return unanswered;
    },
    async look() {
      for (const { id, name, isLoose } of actors.devices) {
        if (!(await look(name))) throw new Error(`${name} could not be looked at in peace`);
        const reply = isLoose && (await request('GET', `/api/device/${id}/ownership`, actors.tenantToken));
        if (typeof reply !== 'object') continue;
        const { changes } = JSON.parse(reply.body) as { changes: readonly { by: string }[] };
        for (const { by } of changes) count(`changed hands by ${by}`);
      }
    },
    judge() {
      return actors.devices.flatMap(({ name, isLoose }) => {
        const choice = { takesOver: isLoose };
        const operations = (histories.get(name) ?? []).flatMap((entry) => [
          claimOperation(entry.asked, entry, choice),
          ...repeated(entry, choice),
        ]);
        const verdict = linearize(UNCLAIMED, operations, epochOf);
        hardest = Math.max(hardest, verdict.configurations);
        if (verdict.type === 'linearizable') return [];
        const told = [...operations]
          .sort((a, b) => a.calledAt - b.calledAt)
          .map(({ what, calledAt, endedAt }) => `${calledAt.toFixed(1)} to ${endedAt.toFixed(1)}: ${what}`);
        return [`${name}, ${operations.length} operations: ${JSON.stringify(verdict)}\n${told.join('\n')}`];
      });
    },
    get hardest() {
      return hardest;
    },
    counts,
  };
}

const transferPath = (name: string) => `/api/customer/device/${encodeURIComponent(name)}/transfer`;

function accepted({ status, body }: Reply) {
  if (status === 200) {
    return { type: 'accepted', epoch: (JSON.parse(body) as { ownerEpoch: number }).ownerEpoch } as const;
  }
  if (status === 404) return 'none';
  if (status === 410) return 'none';
  if (status === 400) return 'own';
  throw new Error(`nobody expects ${status} ${body}`);
}

function confirmed({ status, body }: Reply) {
  if (status === 200) {
    const { device } = JSON.parse(body) as { device: { ownerEpoch: number } };
    return { type: 'success', epoch: device.ownerEpoch } as const;
  }
  if (status === 400 && body === '"CLAIMED"') return 'claimed';
  if (status === 400 && body === '"FAILURE"') return 'failure';
  throw new Error(`nobody expects ${status} ${body}`);
}

function reclaimed({ status, body }: Reply) {
  if (status === 200) return 'done';
  if (status === 403) return 'not-owner';
  if (status === 412) return 'epoch-changed';
  throw new Error(`nobody expects ${status} ${body}`);
}

/** Devices that speak HTTP to any of the nodes. */
export function httpDoor(nodes: readonly string[], patienceMs: number): Door {
  return {
    name: 'http',
    mayRepeat: false,
    open: (accessToken, secretKey, durationMs) =>
      post(accessToken, { secretKey, durationMs }, 409, 'claimed'),
    reset: (accessToken, secretKey, durationMs) =>
      post(accessToken, { secretKey, durationMs, reset: true }, 429, 'too-soon'),
  };

  /** @param refusal what the server may answer with this status */
  async function post<Refusal>(accessToken: string, body: object, status: number, refusal: Refusal) {
    const node = nodes[Math.floor(Math.random() * nodes.length)];
    try {
      const url = `${node}/api/v1/${accessToken}/claim`;
      const reply = await send(url, { method: 'POST', body, limitMs: patienceMs });
      if (reply.status === 503) return 'unknown';
      if (reply.status === status) return refusal;
      if (reply.status !== 200) throw new Error(`nobody expects ${reply.status} ${reply.body}`);
      return { type: 'opened', closesAt: null } as const;
    } catch (error) {
      if (!(error instanceof ConnectionBroken)) throw error;
      return error.refused ? 'none' : 'unknown';
    }
  }
}

/** Devices behind an external broker; outcomes come back by response topic and correlation data (MQTT 5). */
export async function brokerDoor(
  url: string,
  topicOf: (accessToken: string) => string,
  patienceMs: number,
): Promise<Door & { close(): void }> {
  const responseTopic = `story/${process.pid}/${Math.random().toString(36).slice(2)}`;
  const waiting = new Map<string, (answer: Opening) => void>();
  let asked = 0;
  const client: MqttClient = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 200 });
  client.on('error', () => {});
  client.on('message', (_topic, payload, { properties }) => {
    const told = JSON.parse(payload.toString()) as { status: string; closesAt?: number; reason?: string };
    const answer = waiting.get(properties?.correlationData?.toString() ?? '');
    const closesAt = told.closesAt === undefined ? null : inStory(told.closesAt);
    if (told.status === 'opened') answer?.({ type: 'opened', closesAt });
    else if (told.reason === 'already-claimed') answer?.('claimed');
    // O5: the message was late. It may have been carried out before, and its answer lost.
    else if (told.reason === 'superseded') answer?.('unknown');
    else throw new Error(`nobody expects ${payload}`);
  });
  await client.subscribeAsync(responseTopic, { qos: 1 });
  return {
    name: 'broker',
    mayRepeat: true,
    open(accessToken, secretKey, durationMs) {
      asked += 1;
      const correlation = String(asked);
      return new Promise((resolve) => {
        const settle = (answer: Opening) => {
          clearTimeout(limit);
          waiting.delete(correlation);
          resolve(answer);
        };
        const limit = setTimeout(() => settle('unknown'), patienceMs);
        waiting.set(correlation, settle);
        const payload = JSON.stringify({ secretKey, durationMs });
        const properties = { responseTopic, correlationData: Buffer.from(correlation) };
        client.publish(topicOf(accessToken), payload, { qos: 1, properties }, (error) => {
          if (error) settle('unknown');
        });
      });
    },
    close: () => {
      client.end(true);
    },
  };
}
