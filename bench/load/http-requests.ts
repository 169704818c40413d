/**
 * Callers of an HTTP API, each with one request in flight on a connection kept alive (closed loop). Requests are made
 * up beforehand and responses read by their Content-Length, so that the generator is cheaper than any server.
 *
 * Either the same request for a time (`durationMs`), or each of a list of requests once (`requestsFile`).
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { options, Recorder, report } from './result.ts';

export interface HttpRequestsOptions {
  readonly host: string;
  readonly port: number;
  readonly method: string;
  /** One path asked again and again for `durationMs`, … */
  readonly path?: string;
  readonly durationMs?: number;
  readonly warmUpMs?: number;
  /** … or a file with one request per line, each sent once: path, body and bearer token (or none), with tabs between. */
  readonly requestsFile?: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  readonly connections: number;
  /** The status that counts as right. */
  readonly expect: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');

class Caller {
  readonly #socket: Socket;
  readonly #next: () => Buffer | undefined;
  readonly #expect: Buffer;
  readonly #recorder: Recorder;
  readonly #onDone: () => void;
  #sentAt = 0;
  #pending: Buffer = Buffer.alloc(0);

  constructor(
    socket: Socket,
    next: () => Buffer | undefined,
    expect: number,
    recorder: Recorder,
    onDone: () => void,
  ) {
    this.#socket = socket;
    this.#next = next;
    this.#expect = Buffer.from(`HTTP/1.1 ${expect}`);
    this.#recorder = recorder;
    this.#onDone = onDone;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('close', () => recorder.wrong('connection closed'));
    this.#send();
  }

  #send(): void {
    const request = this.#next();
    if (request === undefined) {
      this.#onDone();
      return;
    }
    this.#sentAt = performance.now();
    this.#socket.write(request);
  }

  #read(chunk: Buffer): void {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    if (headEnd === -1) {
      this.#pending = bytes;
      return;
    }
    const head = bytes.toString('latin1', 0, headEnd);
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    const end = headEnd + HEAD_END.length + Number(length ?? 0);
    if (bytes.length < end) {
      this.#pending = bytes;
      return;
    }
    this.#pending = bytes.subarray(end);
    if (length === undefined && !head.includes(' 204 ')) this.#recorder.wrong('no content-length');
    if (bytes.subarray(0, this.#expect.length).equals(this.#expect)) this.#recorder.done(this.#sentAt);
    else this.#recorder.wrong(head.slice(9, 12));
    this.#send();
  }
}

function requestBytes(o: HttpRequestsOptions, path: string, body: string, token = ''): Buffer {
  const headers = {
    host: `${o.host}:${o.port}`,
    'content-type': 'application/json',
    ...o.headers,
    ...(token === '' ? {} : { 'x-authorization': `Bearer ${token}` }),
    'content-length': String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${o.method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

function open(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

async function main(): Promise<void> {
  const o = options<HttpRequestsOptions>();
  const recorder = new Recorder();
  const sockets = await Promise.all(Array.from({ length: o.connections }, () => open(o.host, o.port)));
  const finish = () => {
    report(recorder.end());
    process.exit(0);
  };

  if (o.requestsFile !== undefined) {
    const lines = readFileSync(o.requestsFile, 'utf8').split('\n').filter(Boolean);
    const requests = lines.map((line) => {
      const [path = '', body = '', token] = line.split('\t');
      return requestBytes(o, path, body, token);
    });
    let at = 0;
    let busy = sockets.length;
    recorder.begin();
    for (const socket of sockets) {
      new Caller(
        socket,
        () => requests[at++],
        o.expect,
        recorder,
        () => {
          busy -= 1;
          if (busy === 0) finish();
        },
      );
    }
    return;
  }

  const request = requestBytes(o, o.path ?? '/', o.body);
  for (const socket of sockets)
    new Caller(
      socket,
      () => request,
      o.expect,
      recorder,
      () => {},
    );
  setTimeout(() => recorder.begin(), o.warmUpMs ?? 0);
  setTimeout(finish, (o.warmUpMs ?? 0) + (o.durationMs ?? 0));
}

await main();
