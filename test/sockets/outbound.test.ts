/** Requests to other people's servers, over real connections: servers that lie, hang, send without end, or lead back inside. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TenantId } from '../../actors/base/ids.ts';
import { createAddressFilter } from '../../actors/outbound/addresses.ts';
import type { Resolve } from '../../actors/outbound/look-ups.ts';
import { createOutbound, type OutboundAnswer, type OutboundRequest } from '../../actors/outbound/request.ts';
import { awakeClock } from '../kit/awake-clock.ts';
import { createSimClock } from '../kit/clock.ts';
import { PATIENCE_MS } from '../kit/patience.ts';

const test = suite('outbound over sockets');

const inside = createAddressFilter({ allowedNetworks: ['127.0.0.1'], allowHttp: true });
const KIB = 1024;

/** Where no socket is open, only timers that let the process end are left. */
let alive: NodeJS.Timeout;
test.before(() => {
  alive = setInterval(() => {}, 1000);
});
test.after(() => clearInterval(alive));

/** Starts a server, asks it, and stops it. */
async function asked(
  serve: (request: IncomingMessage, response: ServerResponse) => void,
  more: Partial<OutboundRequest> = {},
): Promise<{ readonly answer: OutboundAnswer; readonly hits: number; readonly headers: object }> {
  let hits = 0;
  let headers = {};
  const server = createServer((request, response) => {
    hits += 1;
    headers = request.headers;
    serve(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  try {
    const answer = await createOutbound(
      inside,
      awakeClock,
    )({
      method: 'POST',
      url: new URL(`http://127.0.0.1:${port}/hook`),
      tenantId: null,
      headers: { 'content-type': 'application/json' },
      body: '{"a":"ä"}',
      timeoutMs: PATIENCE_MS,
      answerBytesMax: 16 * KIB,
      ...more,
    });
    return { answer, hits, headers };
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}

const failed = (why: 'blocked' | 'unreachable' | 'timeout') => ({ type: 'failed', why });

test('the body arrives as it was signed, and the answer comes back', async () => {
  let body = '';
  const { answer, headers } = await asked((request, response) => {
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => response.writeHead(201, { 'x-a': 'b' }).end('fine'));
  });
  assert.is(body, '{"a":"ä"}');
  assert.is((headers as IncomingMessage['headers'])['content-length'], '10');
  assert.is((headers as IncomingMessage['headers']).connection, 'close');
  assert.ok(answer.type === 'answered');
  assert.equal(
    [answer.status, answer.headers['x-a'], answer.body.toString(), answer.isCut],
    [201, 'b', 'fine', false],
  );
});

test('an answer of a gigabyte is read to its limit, and the connection closed', async () => {
  let sent = 0;
  const { answer } = await asked((_request, response) => {
    response.writeHead(200);
    const more = () => {
      while (sent < KIB * KIB * KIB && response.writable) {
        sent += 64 * KIB;
        if (!response.write(Buffer.alloc(64 * KIB))) return;
      }
      response.end();
    };
    response.on('drain', more);
    response.on('error', () => {});
    more();
  });
  assert.ok(answer.type === 'answered');
  assert.equal([answer.body.length, answer.isCut], [16 * KIB, true]);
  assert.ok(sent < 100 * KIB * KIB, `${sent} bytes were sent`);
});

test('a server that never answers, or byte by byte, is given up at the limit', async () => {
  assert.equal((await asked(() => {}, { timeoutMs: 100 })).answer, failed('timeout'));
  const timers: NodeJS.Timeout[] = [];
  const { answer } = await asked(
    (_request, response) => {
      response.writeHead(200);
      timers.push(setInterval(() => response.write('x'), 10));
    },
    { timeoutMs: 300 },
  );
  for (const timer of timers) clearInterval(timer);
  assert.equal(answer, failed('timeout'));
});

test('a name that is never resolved is given up at the limit too', async () => {
  const send = createOutbound(inside, awakeClock, () => {});
  assert.equal(await send(toName('slow.example.com', 200)), failed('timeout'));
});

test('a redirect is an answer and is not followed', async () => {
  let followed = false;
  const { answer, hits } = await asked((request, response) => {
    followed ||= request.url !== '/hook';
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  assert.ok(answer.type === 'answered');
  assert.equal([answer.status, hits, followed], [307, 1, false]);
});

function toName(host: string, timeoutMs = PATIENCE_MS, tenantId: TenantId | null = null): OutboundRequest {
  return {
    method: 'POST',
    url: new URL(`http://${host}:9/`),
    tenantId,
    headers: {},
    body: '',
    timeoutMs,
    answerBytesMax: KIB,
  };
}

const leadsTo =
  (...addresses: string[]): Resolve =>
  (_name, answer) =>
    answer(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

test('a name that leads inside is blocked, also if one of its addresses is public', async () => {
  const strict = createAddressFilter({ allowedNetworks: [], allowHttp: true });
  for (const addresses of [
    ['127.0.0.1'],
    ['93.184.216.34', '10.0.0.1'],
    ['::ffff:127.0.0.1'],
    ['::1'],
    ['169.254.169.254'],
    ['not an address'],
  ]) {
    const send = createOutbound(strict, awakeClock, leadsTo(...addresses));
    assert.equal(await send(toName('example.com')), failed('blocked'), addresses.join());
  }
});

test('a name that leads elsewhere when the connection is made is blocked then', async () => {
  let asked = 0;
  const flips: Resolve = (name, answer) => leadsTo(asked++ === 0 ? '127.0.0.1' : '10.0.0.1')(name, answer);
  const send = createOutbound(inside, awakeClock, flips);
  assert.equal(await send(toName('flip.example.com')), failed('unreachable')); // port 9 of this machine
  assert.equal(await send(toName('flip.example.com')), failed('blocked'));
});

test('an open port and a closed one inside look the same', async () => {
  const open = createTcpServer();
  let connected = 0;
  open.on('connection', () => {
    connected += 1;
  });
  await new Promise<void>((listening) => open.listen(0, '127.0.0.1', listening));
  const { port } = open.address() as AddressInfo;
  const send = createOutbound(createAddressFilter({ allowedNetworks: [], allowHttp: true }), awakeClock);
  try {
    for (const at of [port, 9]) {
      const request = { ...toName('127.0.0.1'), url: new URL(`http://127.0.0.1:${at}/`) };
      assert.equal(await send(request), failed('blocked'));
    }
  } finally {
    await new Promise((closed) => open.close(closed));
  }
  assert.is(connected, 0);
});

test('a name without addresses, and a server that closes, are out of reach', async () => {
  const none = createOutbound(inside, awakeClock, (_name, answer) => answer(new Error('ENOTFOUND'), []));
  assert.equal(await none(toName('nothing.example.com')), failed('unreachable'));
  const { answer } = await asked((request) => request.socket.destroy());
  assert.equal(answer, failed('unreachable'));
});

test('attack: names of a tenant for which nobody answers hold up its own requests, and nobody else', async () => {
  const lookedUp: string[] = [];
  const answers: (() => void)[] = [];
  const send = createOutbound(inside, awakeClock, (name, answer) => {
    lookedUp.push(name);
    answers.push(() => answer(new Error('EAI_AGAIN'), []));
  });
  const ask = (name: string, whose: string | null, ms?: number) =>
    send(toName(name, ms, whose as TenantId | null)); // only a key here
  const dead = ['dead.example', 'dead.example', 'second.example', 'third.example'];
  const sent = dead.map((name) => ask(name, 'a', name === 'second.example' ? 50 : undefined));
  const others = [ask('good.example', 'b'), ask('operator.example', null), ask('dead.example', 'b')];
  assert.equal(lookedUp, ['dead.example', 'good.example', 'operator.example'], 'one name of each tenant');
  assert.equal(await sent[2], failed('timeout'));
  answers[0]?.();
  for (const hears of [sent[0], sent[1], others[2]]) assert.equal(await hears, failed('unreachable'));
  assert.equal(lookedUp.slice(3), ['third.example'], 'in turn, without those that nobody waits for any more');
  for (const answer of answers) answer();
  for (const hears of [...sent.slice(3), ...others]) assert.equal(await hears, failed('unreachable'));
  const again = ask('again.example', 'a');
  assert.is(lookedUp.at(-1), 'again.example');
  answers.at(-1)?.();
  assert.equal(await again, failed('unreachable'));
});

test('attack: tenants whose names took long share one thread, and a name of anybody else finds the other', async () => {
  const clock = createSimClock(0);
  const held = new Map<string, () => void>();
  const lookedUp: string[] = [];
  const send = createOutbound(inside, clock, (name, answer) => {
    lookedUp.push(name);
    held.set(name, () => answer(new Error('EAI_AGAIN'), []));
  });
  const ask = (name: string, whose: string) => send(toName(name, 60_000, whose as TenantId)); // only a key here
  const sent = [
    ask('dead-1.a', 'a'),
    ask('dead-2.a', 'a'),
    ask('dead-1.b', 'b'),
    ask('dead-2.b', 'b'),
    ask('good.c', 'c'),
  ];
  assert.equal(lookedUp, ['dead-1.a', 'dead-1.b'], 'there are two threads');
  clock.advance(20_000);
  held.get('dead-1.a')?.();
  held.get('dead-1.b')?.();
  assert.equal(lookedUp.slice(2), ['good.c', 'dead-2.a'], 'in turn');
  held.get('good.c')?.();
  sent.push(ask('again.c', 'c'));
  assert.equal(lookedUp.slice(4), ['again.c'], 'not the second one that took long');
  held.get('again.c')?.();
  held.get('dead-2.a')?.();
  assert.equal(lookedUp.slice(5), ['dead-2.b']);
  held.get('dead-2.b')?.();
  for (const hears of sent.splice(0)) assert.equal(await hears, failed('unreachable'));
  // Ten minutes later they are as others again.
  clock.advance(600_000);
  sent.push(ask('later.a', 'a'), ask('later.b', 'b'));
  assert.equal(lookedUp.slice(6), ['later.a', 'later.b']);
  for (const answer of held.values()) answer();
  for (const hears of sent) assert.equal(await hears, failed('unreachable'));
});

test.run();
