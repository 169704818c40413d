/**
 * Clients of the HTTP port that do not read, that write slowly, or that are gone: what they hold is bounded, and ends. By raw
 * sockets; time limits are short, and what moves is never cut off.
 */
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Hono } from 'hono';
import { test } from 'uvu';
import { is, match, ok } from 'uvu/assert';
import type { TenantId } from '../../actors/base/ids.ts';
import { createLargeReads } from '../../http/routes/large-reads.ts';
import { createHttpServer, type HttpServer, type HttpServerNeeds } from '../../http/server.ts';
import { defaultHttpServerSettings, type HttpServerSettings } from '../../http/settings.ts';
import { askedThrough, type Env } from '../../http/wire/asked.ts';
import { readBytes } from '../../http/wire/body.ts';
import { type Reply, streamOf, toResponse } from '../../http/wire/reply.ts';
import { SERVER_CERTIFICATE } from '../kit/certificate.ts';
import { timerAtServer } from '../kit/kernel-timers.ts';
import { within } from '../kit/patience.ts';
import { pause, until } from '../kit/until.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const MIB = 1024 * 1024;
const LOCAL = '127.0.0.1';
const LARGE = 'x'.repeat(8 * MIB);
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

interface Scene {
  readonly server: HttpServer;
  readonly port: number;
  /** What the log said. */
  readonly lines: readonly string[];
}

function law(
  name: string,
  answer: HttpServerNeeds['app']['fetch'],
  settings: Partial<HttpServerSettings>,
  play: (scene: Scene) => Promise<void>,
  isSecure = false,
): void {
  test(`slow readers: ${name}`, async () => {
    const lines: string[] = [];
    const say = (_: object, message: string) => lines.push(message);
    const server = createHttpServer({
      app: { fetch: answer },
      settings: { ...defaultHttpServerSettings, address: LOCAL, port: 0, ...settings },
      log: { debug: say, info: say, warn: say, error: say },
      ...(isSecure ? { certificate: SERVER_CERTIFICATE } : {}),
    });
    const { port } = await server.start();
    try {
      await play({ server, port, lines });
    } finally {
      await server.stop(0);
    }
  });
}

/** Asks, and reads nothing until told to. */
function ask(port: number, what = GET, from = LOCAL): { socket: Socket; closed: Promise<void> } {
  const socket = connect({ port, host: LOCAL, localAddress: from });
  socket.pause();
  socket.on('error', () => {}); // a reset ends in 'close' as well
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(what);
  return { socket, closed };
}

async function readAll(socket: Socket, everyMs = 0): Promise<number> {
  let bytes = 0;
  for (;;) {
    const chunk: unknown = socket.read(Math.min(MIB, socket.readableLength || 1));
    if (chunk instanceof Buffer) bytes += chunk.length;
    if (bytes > LARGE.length || socket.destroyed) return bytes;
    if (everyMs > 0 || chunk === null) await pause(Math.max(1, everyMs));
  }
}

const large = () => new Response(LARGE);

for (const isSecure of [false, true]) {
  const open = (port: number) => {
    if (!isSecure) return ask(port);
    const socket = connectTls({ port, host: LOCAL, rejectUnauthorized: false });
    socket.pause();
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(GET);
    return { socket, closed };
  };
  law(
    `who reads nothing is cut off, who reads slowly gets all${isSecure ? ', over TLS' : ''}`,
    large,
    { writeTimeoutMs: 1_000 },
    async ({ port, lines }) => {
      const silent = open(port);
      const slow = open(port);
      const reading = readAll(slow.socket, 40);
      await until('it is told', () =>
        lines.includes('an HTTP connection is ended: its client does not read'),
      );
      ok((await within('all is read', reading)) > LARGE.length, 'the slow one has all');
      silent.socket.resume();
      await within('it is closed', silent.closed);
      ok(silent.socket.bytesRead < LARGE.length);
      slow.socket.destroy();
    },
    isSecure,
  );
}

law(
  'of many who read nothing, memory holds a bounded part, and others are served',
  large,
  { maxWaitingBytes: 32 * MIB, writeTimeoutMs: 3_600_000 },
  async ({ port, lines }) => {
    const before = process.memoryUsage().rss;
    const silent = Array.from({ length: 80 }, () => ask(port)); // 640 MiB, of which the kernel takes up to half
    await until('it is told', () =>
      lines.includes('an HTTP connection is ended: too much waits for those who do not read'),
    );
    const honest = ask(port, GET, '127.0.0.2');
    ok((await within('it is served', readAll(honest.socket))) > LARGE.length);
    // What was let go is garbage first.
    const grown = () => {
      collectGarbage();
      return process.memoryUsage().rss - before;
    };
    await until('memory holds little of it', () => grown() < 240 * MIB);
    for (const { socket } of [...silent, honest]) socket.destroy();
  },
);

law(
  'who asks again and again and reads nothing is not answered beyond what the kernel takes, and is cut off',
  () => new Response('y'.repeat(8 * 1024)),
  { writeTimeoutMs: 1_000 },
  async ({ port, lines }) => {
    const { socket, closed } = ask(port, GET.repeat(10_000));
    await until('it is cut off', () => lines.length > 0);
    socket.resume();
    await within('it is closed', closed);
    ok(socket.bytesRead < 10_000 * 8 * 1024);
  },
);

let cancelled = 0;
law(
  'a stream whose reader does not read is ended although more is written to it',
  () => {
    const chunk = Buffer.alloc(64 * 1024);
    let timer: NodeJS.Timeout | undefined;
    return new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          timer = setInterval(() => {
            if ((controller.desiredSize ?? 0) > 0) controller.enqueue(chunk);
          }, 1);
        },
        cancel() {
          cancelled += 1;
          clearInterval(timer);
        },
      }),
    );
  },
  { writeTimeoutMs: 1_000 },
  async ({ port }) => {
    const { socket } = ask(port);
    await until('the stream is told', () => cancelled === 1);
    socket.destroy();
  },
);

law(
  'who writes a body slowly is cut off after the time for a request',
  async (request) => new Response(await request.text()),
  { headersTimeoutMs: 300, requestTimeoutMs: 600 },
  async ({ port }) => {
    const { socket, closed } = ask(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.resume();
    const drip = setInterval(() => socket.write('z'), 20);
    await within('it is closed', closed);
    clearInterval(drip);
    match(answer, /^(HTTP\/1\.1 408 |$)/);
  },
);

law(
  'a TLS connection that never shakes hands is closed',
  large,
  { headersTimeoutMs: 300 },
  async ({ port }) => {
    const { socket, closed } = ask(port, '\x16');
    socket.resume();
    await within('it is closed', closed);
  },
  true,
);

if (process.platform === 'linux') {
  law(
    'the kernel asks whether an idle peer is still there',
    () => new Response('ok'),
    {},
    async ({ port }) => {
      const { socket } = ask(port);
      await new Promise((resolve) => socket.once('readable', resolve));
      const timer = () => timerAtServer(socket)?.split(':')[0];
      await until('its timer runs', () => timer() === '02'); // keep-alive (proc_net_tcp)
      is(socket.destroyed, false);
      socket.destroy();
    },
  );
}

const reads = createLargeReads({ elapsed: () => performance.now() });
const TENANT = '00000000-0000-7000-8000-000000000001' as TenantId;

async function* endless(): AsyncGenerator<string> {
  for (;;) yield 'x'.repeat(64 * 1024);
}

law(
  'a tenant whose two large reads are under way has the next when a client goes away',
  async () => {
    const list = async (): Promise<Reply> => {
      return { type: 'stream', contentType: 'text/csv', body: streamOf(endless()) };
    };
    return toResponse(await reads.run(TENANT, list), {}, 0);
  },
  {},
  async ({ port }) => {
    const status = async () => {
      const answer = await fetch(`http://${LOCAL}:${port}/`);
      await answer.body?.cancel();
      return answer.status;
    };
    const [one, two] = [ask(port), ask(port)];
    await until('both are under way', async () => (await status()) === 429);
    one.socket.destroy();
    await until('its place is free', async () => (await status()) === 200);
    two.socket.destroy();
    await within('both are closed', Promise.all([one.closed, two.closed]));
  },
);

/** What this process holds, in bytes. */
function held(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

for (const framing of ['Transfer-Encoding: chunked', 'Content-Length: 20001']) {
  const PIECES = 20_000;
  const piece = framing.endsWith('chunked') ? '1\r\nx\r\n' : 'x';
  const end = framing.endsWith('chunked') ? '0\r\n\r\n' : '';
  let incoming: IncomingMessage | undefined;
  const app = new Hono<Env>();
  app.post('/', async (c) => {
    incoming = c.env.incoming;
    const bytes = await readBytes(askedThrough(c), MIB);
    return c.text(Buffer.isBuffer(bytes) ? String(bytes.length) : 'refused');
  });
  law(
    `a body that comes byte by byte takes a few times as much as it is long (${framing})`,
    app.fetch,
    {},
    async ({ port }) => {
      const socket = connect({ port, host: LOCAL, noDelay: true });
      let answer = '';
      socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
      const send = (text: string) => new Promise((resolve) => socket.write(text, resolve));
      await send(`POST / HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`);
      await until('it is being received', () => incoming !== undefined);
      const before = held();
      for (let n = 0; n < PIECES; n += 1) await send(piece);
      const arrived = () => incoming?.socket.bytesRead ?? 0;
      await until('all has come', () => arrived() >= socket.bytesWritten && incoming?.readableLength === 0);
      const perPiece = (held() - before) / PIECES;
      ok(perPiece < 100, `${Math.round(perPiece)} bytes for each`);
      await send(piece + end);
      await until('it is answered', () => answer.includes(`\r\n\r\n${PIECES + 1}`));
      socket.destroy();
    },
  );
}

test.run();
