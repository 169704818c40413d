/**
 * A request as routes read it. It comes through Hono, or straight from Node where that is all it needs
 * (`../direct.ts`): then nothing is built that no route looks at.
 */
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { bytesOf, createGrowingBuffer } from '../../actors/base/growing-buffer.ts';

/** Absent when the app is called without a socket. */
export type Env = { readonly Bindings: Partial<HttpBindings> };

export interface Asked {
  /** As it came over the wire, without the query. */
  readonly path: string;
  readonly url: string;
  /** Undefined when the app is called without a socket. */
  readonly incoming: IncomingMessage | undefined;
  /** Several of one name are joined by commas. @param name in lower case */
  header(name: string): string | undefined;
  /** The values of each parameter of the query. */
  queries(): Readonly<Record<string, readonly string[]>>;
  /** The whole body, whose length was declared and is within all limits. Rejects with `BrokenOff`. */
  bytes(declared: number): Promise<Buffer>;
  /** A body whose length nobody knows yet; what goes wrong in it is a `brokenOff`. */
  stream(): ReadableStream<Uint8Array> | null;
  /** An error that a body ended in, as a `BrokenOff` if the client has ended the connection. */
  brokenOff(error: unknown): unknown;
}

/** The client ended its connection before its body was complete. */
export class BrokenOff extends Error {
  constructor(cause?: unknown) {
    super('the request was broken off', { cause });
  }
}

export function askedThrough(c: Context<Env>): Asked {
  const { req } = c;
  return {
    path: req.path,
    get url() {
      return req.url;
    },
    incoming: c.env?.incoming,
    header: (name) => req.header(name),
    queries: () => req.queries(),
    bytes: (declared) => bytesOf(req.raw.body, declared),
    stream: () => req.raw.body,
    brokenOff: (error) => (req.raw.signal.aborted ? new BrokenOff(error) : error),
  };
}

/** A request straight from Node, with neither a query nor a body of unknown length. */
export class Direct implements Asked {
  readonly path: string;
  readonly incoming: IncomingMessage;

  constructor(incoming: IncomingMessage, path: string) {
    this.incoming = incoming;
    this.path = path;
  }

  get url(): string {
    return `http://${this.incoming.headers.host}${this.path}`;
  }

  header(name: string): string | undefined {
    return headerIn(this.incoming.rawHeaders, name);
  }

  queries(): Readonly<Record<string, readonly string[]>> {
    return {};
  }

  stream(): null {
    return null;
  }

  brokenOff(error: unknown): unknown {
    return error;
  }

  async bytes(declared: number): Promise<Buffer> {
    if (declared === 0) return NO_BYTES;
    // Node hands over what came with the headers right after them, within this turn.
    await undefined;
    const { incoming } = this;
    const bytes =
      incoming.readableLength === declared ? readAll(incoming) : await wholeBody(incoming, declared);
    // Nothing less is taken for the body: none at all is the empty secret.
    if (bytes?.length !== declared) throw new BrokenOff();
    return bytes;
  }
}

const NO_BYTES = Buffer.alloc(0);

function readAll(incoming: IncomingMessage): Buffer | null {
  const bytes: unknown = incoming.read();
  incoming.resume(); // to its end, which comes right after
  return Buffer.isBuffer(bytes) ? bytes : null;
}

/** Rejects with `BrokenOff`. */
function wholeBody(incoming: IncomingMessage, declared: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const gathered = createGrowingBuffer(declared);
    const broken = (error?: unknown) => reject(new BrokenOff(error));
    if (incoming.destroyed) broken(); // there will be no event any more
    incoming.on('data', (chunk: Buffer) => gathered.add(chunk));
    incoming.once('end', () => resolve(gathered.bytes()));
    incoming.once('error', broken);
    incoming.once('close', () => {
      if (!incoming.readableEnded) broken();
    });
  });
}

/** @param rawHeaders names and values in turn, as they came */
function headerIn(rawHeaders: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const key = rawHeaders[at];
    if (key?.length !== name.length || key.toLowerCase() !== name) continue;
    const more = rawHeaders[at + 1] ?? '';
    value = value === undefined ? more : `${value}, ${more}`;
  }
  return value;
}
