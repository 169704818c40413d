/**
 * The bench's load over real sockets, against servers that misbehave in known ways.
 */
import { createServer as createHttp, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import mqttPacket from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HttpStep, Job, MqttStep, Step } from '../../bench/contract.ts';
import { Flow } from '../../bench/load/flow.ts';
import type { WorkerResult } from '../../bench/load/messages.ts';
import { decode, describe } from '../../bench/measure/histogram.ts';
import { within } from '../kit/patience.ts';

const HOST = '127.0.0.1';
const NOTHING = (): void => {};

async function listening(server: Server): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  return {
    port: (server.address() as AddressInfo).port, // a TCP server's
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const post = (port: number, changes: Partial<HttpStep> = {}): HttpStep => ({
  type: 'http',
  name: 'confirm',
  host: HOST,
  ports: [port],
  method: 'POST',
  path: '/device/{n}',
  body: { type: 'text', text: '{}' },
  tokens: ['token-a', 'token-b'],
  reads: 'claim',
  right: ['200 SUCCESS'],
  refused: ['503', 'connection closed', 'timeout'],
  ...changes,
});

const publish = (port: number): MqttStep => ({
  type: 'mqtt',
  name: 'open',
  host: HOST,
  ports: [port],
  version: 4,
  userName: 'token-{n}',
  topic: 'v1/devices/me/claim',
  payload: { type: 'text', text: '{}' },
  right: ['PUBACK'],
  refused: ['connection closed', 'timeout'],
});

const job = (steps: readonly Step[], changes: Partial<Job> = {}): Job => ({
  title: '',
  steps,
  connections: 4,
  inflight: 1,
  subjects: { type: 'once', from: 0, count: 40 },
  pace: { type: 'closed' },
  warmUpMs: 0,
  durationMs: 20_000,
  timeoutMs: 10_000,
  tickMs: 100,
  weight: 1,
  ...changes,
});

/** Something that a server has seen at last, and whoever waits for it. */
function signal(): { readonly given: Promise<void>; give(): void } {
  let give = NOTHING;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}

/**
 * Runs a load in this process, and ends its connections.
 * @param enough ends the load before its time
 */
async function run(what: Job, enough?: Promise<void>, onMeasured = NOTHING): Promise<WorkerResult> {
  const flow = new Flow(what, 1);
  await flow.open();
  void enough?.then(() => flow.halt());
  const result = await flow.run(performance.now(), NOTHING, onMeasured);
  flow.close();
  return result;
}

async function withHttp<Result>(
  listener: RequestListener,
  task: (port: number) => Promise<Result>,
): Promise<Result> {
  const server = await listening(createHttp(listener));
  try {
    return await task(server.port);
  } finally {
    await server.close();
  }
}

/** An MQTT server with scripted answers. */
async function withMqtt<Result>(
  onPublish: (id: number, socket: Socket, number: number) => void,
  task: (port: number) => Promise<Result>,
  onConnect: (userName: string) => number = () => 0,
): Promise<Result> {
  let number = 0;
  const server = await listening(
    createServer((socket) => {
      const parser = mqttPacket.parser();
      parser.on('packet', (packet) => {
        if (packet.cmd === 'connect') {
          const returnCode = onConnect(packet.username ?? '');
          socket.write(mqttPacket.generate({ cmd: 'connack', returnCode, sessionPresent: false }));
        }
        if (packet.cmd === 'publish') onPublish(packet.messageId ?? 0, socket, number++);
      });
      socket.on('data', (bytes) => parser.parse(bytes));
      socket.on('error', () => {});
    }),
  );
  try {
    return await task(server.port);
  } finally {
    await server.close();
  }
}

const puback = (messageId: number): Buffer => mqttPacket.generate({ cmd: 'puback', messageId });
const latency = (result: WorkerResult) => describe(decode(result.total));

test('bench: each device is used once, its token names its user, and right answers are counted', async () => {
  const asked: string[] = [];
  const result = await withHttp(
    (request, response) => {
      asked.push(`${request.url} ${request.headers['x-authorization']}`);
      response.end('{"response":"SUCCESS","device":{}}');
    },
    (port) => run(job([post(port)], { keep: '200 SUCCESS' })),
  );
  assert.is(result.operations, 40);
  assert.equal(result.wrong, {});
  assert.is(new Set(asked).size, 40);
  assert.ok(asked.includes('/device/3 Bearer token-b'));
  assert.equal(
    [...result.kept].sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, n) => n),
  );
});

test('bench: refusals are counted by kind, and other answers are wrong', async () => {
  let number = 0;
  const result = await withHttp(
    (_, response) => {
      number += 1;
      if (number % 10 === 0) response.writeHead(503).end();
      else if (number % 10 === 1) response.writeHead(400).end('{"response":"FAILURE"}');
      else response.end('{"response":"SUCCESS"}');
    },
    (port) => run(job([post(port)])),
  );
  assert.is(result.operations, 32);
  assert.equal(result.refused, { '503': 4 });
  assert.equal(result.wrong, { '400 FAILURE': 4 });
});

test('bench: answers in chunks are read like those with a length', async () => {
  const result = await withHttp(
    (_, response) => {
      response.write('{"response":');
      setTimeout(() => response.end('"SUCCESS"}'), 2);
    },
    (port) => run(job([post(port, { reads: 'status', right: ['200'] })])),
  );
  assert.is(result.operations, 40);
});

test('bench: a refusal in chunks is told by its name, as ThingsBoard sends it', async () => {
  const result = await withHttp(
    (_, response) => {
      response.writeHead(400);
      response.write('"FAIL');
      response.end('URE"');
    },
    (port) => run(job([post(port)])),
  );
  assert.equal(result.wrong, { '400 FAILURE': 40 });
});

test('bench: a server that closes after its answer loses nothing', async () => {
  let connections = 0;
  const server = createHttp((_, response) => {
    response.setHeader('connection', 'close');
    response.end('{"response":"SUCCESS"}');
  });
  server.on('connection', () => {
    connections += 1;
  });
  const { port, close } = await listening(server);
  const result = await run(job([post(port)]));
  await close();
  assert.is(result.operations, 40);
  assert.equal(result.refused, {});
  assert.ok(connections >= 40, `${connections}`);
});

test('bench: an answer without a length ends with its connection', async () => {
  const server = await listening(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n{"response":"SUCCESS"}'));
    }),
  );
  const result = await run(job([post(server.port)]));
  await server.close();
  assert.is(result.operations, 40);
  assert.equal(result.refused, {});
});

test('bench: a set-up asks again for an answer that was lost, and takes "it is there" for one', async () => {
  const made = new Set<string>();
  let lost = 0;
  const listener: RequestListener = (request, response) => {
    const isThere = made.has(request.url ?? '');
    made.add(request.url ?? '');
    if (isThere) response.writeHead(400).end();
    else if (made.size % 4 === 0) {
      lost += 1;
      request.socket.destroy();
    } else response.end();
  };
  const step = { reads: 'status', right: ['200'], rightAgain: ['400'] } as const;
  const result = await withHttp(listener, (port) => run(job([post(port, step)], { retries: 3 })));
  assert.is(result.operations, 40);
  assert.equal(result.refused, {});
  assert.equal(result.wrong, {});
  assert.is(lost, 10);
  assert.is(made.size, 40);

  made.clear();
  const once = await withHttp(listener, (port) => run(job([post(port, step)])));
  assert.is(once.refused['connection closed'], 10, 'a measured load does not hide what was lost');
});

test('bench: what was acknowledged and is not there yet is a finding, waited for, and wrong where it never comes', async () => {
  const asked = new Map<string, number>();
  const listener: RequestListener = (request, response) => {
    const device = request.url ?? '';
    const times = (asked.get(device) ?? 0) + 1;
    asked.set(device, times);
    const isThere = device !== '/device/9' && times > Number(device.slice(-1)) % 3;
    if (isThere) response.end('{"response":"SUCCESS"}');
    else response.writeHead(400).end('"FAILURE"');
  };
  const early = { early: ['400 FAILURE'] };
  const load = (from: number, count: number, timeoutMs: number) =>
    withHttp(listener, (port) =>
      run(job([post(port, early)], { subjects: { type: 'once', from, count }, timeoutMs })),
    );
  const there = await load(0, 9, 20_000);
  assert.equal([there.operations, there.wrong], [9, {}]);
  assert.is(there.findings['400 FAILURE'], 9);
  const never = await load(9, 1, 500);
  assert.equal([never.operations, never.wrong], [0, { '400 FAILURE': 1 }]);
  assert.ok((never.findings['400 FAILURE'] ?? 0) >= 1, JSON.stringify(never.findings));
});

test('bench: a lane whose device comes once has no second turn', async () => {
  const asked: string[] = [];
  const result = await withHttp(
    (request, response) => {
      asked.push(request.url ?? '');
      response.end('{"response":"SUCCESS"}');
    },
    (port) => run(job([post(port)], { subjects: { type: 'lane', from: 3, count: 0, times: 1 } })),
  );
  assert.is(result.operations, 4);
  assert.equal(asked.sort(), ['/device/3', '/device/4', '/device/5', '/device/6']);
});

test('bench: an operation ends with the first step that is not right', async () => {
  const asked: string[] = [];
  const result = await withHttp(
    (request, response) => {
      asked.push(request.method ?? '');
      response.writeHead(request.url === '/device/7' ? 503 : 200).end();
    },
    (port) => {
      const first = post(port, { name: 'open', reads: 'status', right: ['200'] });
      return run(job([first, { ...first, name: 'reclaim', method: 'DELETE' }]));
    },
  );
  assert.is(result.operations, 39);
  assert.equal(result.refused, { 'open: 503': 1 });
  assert.is(asked.filter((method) => method === 'DELETE').length, 39);
  assert.equal(
    result.steps.map((text) => decode(text).totalCount),
    [39, 39],
  );
});

test('bench: in an open loop latencies include what a stalled server kept from being sent', async () => {
  const STALL_MS = 600;
  let stalled = false;
  let until = 0;
  const result = await withHttp(
    (_, response) => {
      if (!stalled) {
        stalled = true;
        until = performance.now() + STALL_MS;
      }
      const wait = until - performance.now();
      // A timer may be a millisecond early.
      setTimeout(() => response.end('{"response":"SUCCESS"}'), wait > 0 ? wait + 2 : 0);
    },
    (port) =>
      run(
        job([post(port)], {
          connections: 1,
          subjects: { type: 'cycle', from: 0, count: 10 },
          pace: { type: 'open', perSecond: 100, arrivals: 'even' },
          durationMs: 1_500,
        }),
      ),
  );
  // One connection: only the first was in flight during the stall, but sixty were due.
  const { count, max } = latency(result);
  const refused = Object.values(result.refused).reduce((sum, one) => sum + one, 0);
  assert.ok(max >= STALL_MS, `${max}`);
  const all = decode(result.total);
  const long = Array.from({ length: 99 }, (_, at) => all.getValueAtPercentile(at + 1) > 50_000).filter(
    Boolean,
  );
  assert.ok(long.length >= 20, `${long.length} % waited more than 50 ms`);
  assert.ok(count + refused >= 140, `${count}`);
});

test('bench: operations that were due and never begun are in the latencies, and counted', async () => {
  const over = signal();
  const result = await withHttp(
    // The first is under way for as long as the load lasts, and lost then.
    (request) => void over.given.then(() => request.socket.destroy()),
    (port) =>
      run(
        job([post(port)], {
          connections: 1,
          subjects: { type: 'cycle', from: 0, count: 10 },
          pace: { type: 'open', perSecond: 50, arrivals: 'even' },
          durationMs: 600,
        }),
        undefined,
        over.give,
      ),
  );
  assert.is(result.operations, 0);
  assert.ok((result.refused['not begun in time'] ?? 0) >= 25, JSON.stringify(result.refused));
  assert.is(result.refused['connection closed'], 1);
  assert.ok(latency(result).max >= 500);
});

test('bench: an acknowledgement of another packet is a wrong answer', async () => {
  const enough = signal();
  const result = await withMqtt(
    (id, socket, number) => {
      socket.write(puback(number === 5 ? id + 1 : id));
      if (number === 50) enough.give();
    },
    (port) =>
      run(
        job([publish(port)], { subjects: { type: 'lane', from: 0, count: 0 }, connections: 1 }),
        enough.given,
      ),
  );
  assert.equal(result.wrong, { 'PUBACK of another packet': 1 });
  assert.ok(result.operations > 5);
});

test('bench: a lost connection is counted and opened again, and the load goes on', async () => {
  const goesOn = signal();
  const result = await withMqtt(
    (id, socket, number) => {
      if (number === 20) socket.destroy();
      else socket.write(puback(id));
      if (number === 30) goesOn.give();
    },
    (port) =>
      run(
        job([publish(port)], { subjects: { type: 'lane', from: 0, count: 0 }, connections: 1 }),
        goesOn.given,
      ),
  );
  assert.equal(result.refused, { 'connection closed': 1 });
  assert.equal(result.wrong, {});
  assert.ok(result.operations > 20, String(result.operations));
});

test('bench: answers are read the same however they are split', async () => {
  const held: Buffer[] = [];
  const enough = signal();
  const result = await withMqtt(
    (id, socket, number) => {
      held.push(puback(id));
      if (held.length < 4) return;
      const bytes = Buffer.concat(held.splice(0));
      if (number >= 40) enough.give();
      socket.write(bytes.subarray(0, 7));
      setTimeout(() => socket.write(bytes.subarray(7)), 5);
    },
    (port) =>
      run(
        job([publish(port)], {
          subjects: { type: 'lane', from: 0, count: 0 },
          connections: 1,
          inflight: 4,
        }),
        enough.given,
      ),
  );
  assert.equal(result.wrong, {});
  assert.ok(result.operations >= 8);
});

/** A device that opens its window and then learns its next token, over and over. */
async function rotating(lives: number, isGood: (token: string) => boolean) {
  const shown: string[] = [];
  const asked: string[] = [];
  let learnt = 0;
  let refused = 0;
  const enough = signal();
  const result = await withHttp(
    (request, response) => {
      asked.push(request.url ?? '');
      if (learnt === lives) {
        enough.give();
        void enough.given.then(() => request.socket.destroy());
        return;
      }
      learnt += 1;
      response.end(JSON.stringify({ credentials: { token: `next-${learnt}` } }));
    },
    (http) =>
      withMqtt(
        (id, socket) => socket.write(puback(id)),
        (mqtt) => {
          const learn = post(http, { name: 'learn', reads: 'token', right: ['200'] });
          const opens = { ...publish(mqtt), userName: '{token}' };
          return run(
            job([opens, { ...learn, path: '/{token}/credentials', method: 'GET' }], {
              token: 'first-{n}',
              subjects: { type: 'lane', from: 7, count: 1 },
              connections: 1,
            }),
            enough.given,
          );
        },
        (userName) => {
          shown.push(userName);
          if (isGood(userName)) return 0;
          refused += 1;
          if (refused === 3) enough.give();
          return 4;
        },
      ),
  );
  return { result, shown, asked };
}

test('bench: a device that learns a token connects with it, and asks for the next one with it', async () => {
  const { result, shown, asked } = await rotating(3, () => true);
  assert.is(result.operations, 3);
  assert.equal(result.wrong, {});
  assert.equal(shown.slice(0, 4), ['first-7', 'next-1', 'next-2', 'next-3']);
  assert.equal(asked.slice(0, 4), [
    '/first-7/credentials',
    '/next-1/credentials',
    '/next-2/credentials',
    '/next-3/credentials',
  ]);
});

test('bench: a new token that the server does not know is a wrong answer', async () => {
  const { result } = await rotating(3, (token) => token !== 'next-2');
  assert.is(result.operations, 2);
  assert.ok((result.wrong['open: CONNACK 4'] ?? 0) > 0, JSON.stringify(result.wrong));
});

test('bench: a load that is halted before it has begun ends at once, and does nothing', async () => {
  const server = await listening(createHttp((_, response) => response.end('{"response":"SUCCESS"}')));
  const flow = new Flow(job([post(server.port)], { subjects: { type: 'cycle', from: 0, count: 4 } }), 1);
  await flow.open();
  flow.halt();
  const result = await within('the load ends', flow.run(performance.now(), NOTHING, NOTHING));
  assert.is(result.operations, 0);
  flow.close();
  await server.close();
});

test.run();
