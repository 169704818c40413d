/** A webhook's counterpart for tests: it keeps what it heard, and answers as it is told. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Heard {
  readonly path: string;
  readonly id: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  /** What it was answered; undefined: it waits. */
  status: number | undefined;
}

type Answerer = (heard: Heard, response: ServerResponse) => void;

export interface Receiver {
  readonly url: string;
  readonly heard: readonly Heard[];
  /** From now on. */
  answer(answerer: Answerer): void;
  stop(): Promise<void>;
}

export const withStatus =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answerer =>
  (heard, response) => {
    heard.status = status;
    response.writeHead(status, headers).end(body);
  };

export async function startReceiver(port = 0): Promise<Receiver> {
  const heard: Heard[] = [];
  let answerer: Answerer = withStatus(204);
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const { headers, url: path = '' } = request;
      const one: Heard = { path, id: String(headers['webhook-id']), body, headers, status: undefined };
      heard.push(one);
      answerer(one, response);
    });
  });
  server.keepAliveTimeout = 0; // or it might close a connection on which something is just being asked
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  const { port: listeningOn } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${listeningOn}`,
    heard,
    answer(next) {
      answerer = next;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** The first time that each message was heard and answered well, in that order. */
export function firstHeard(heard: readonly Heard[]): readonly string[] {
  return [...new Set(heard.filter(({ status }) => status === 204).map(({ id }) => id))];
}
