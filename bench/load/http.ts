/**
 * Callers of an HTTP API, one kept-alive connection per lane. Requests are put together from prepared texts, and answers
 * are read no further than needed (status, length, the claim's response), so that the generator stays cheap.
 */
import { connect, type Socket } from 'node:net';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { HttpStep, Job } from '../contract.ts';
import { OPEN_WITHIN_MS, openAll, portOf, REOPEN_MS, within } from './connecting.ts';
import { type Answered, CLOSED, type Driver, type Read } from './driver.ts';
import { AnswerReader, type HttpAnswer } from './http-answer.ts';
import type { Subject } from './subjects.ts';
import { filler, payloads } from './text.ts';

export class HttpDriver implements Driver {
  readonly #callers: Caller[];
  readonly #request: (subject: Subject) => string;

  constructor(step: HttpStep, job: Job, answered: Answered) {
    this.#request = requests(step);
    this.#callers = Array.from(
      { length: job.connections * job.inflight },
      (_, lane) =>
        new Caller(step, portOf(step.ports, lane), (outcome, read) => answered(lane, outcome, read)),
    );
  }

  open(): Promise<void> {
    return openAll(this.#callers.map((caller) => () => caller.open()));
  }

  send(lane: number, subject: Subject): void {
    this.#callers[lane]?.send(this.#request(subject));
  }

  abandon(lane: number): void {
    this.#callers[lane]?.abandon();
  }

  close(): void {
    for (const caller of this.#callers) caller.close();
  }
}

function requests({ method, path, host, body, tokens }: HttpStep): (subject: Subject) => string {
  const pathOf = filler(path);
  const bodyOf = payloads(body);
  const middle = ` HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n`;
  const heads = (tokens.length === 0 ? [''] : tokens).map((token) =>
    token === '' ? middle : `${middle}x-authorization: Bearer ${token}\r\n`,
  );
  return ({ n, rival, code, token }) => {
    const text = code === undefined ? bodyOf(n) : bodyOf(n).replace('{code}', code);
    const head = heads[(n + rival) % heads.length];
    return `${method} ${pathOf(n, token)}${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
  };
}

class Caller {
  readonly #step: HttpStep;
  readonly #port: number;
  readonly #answered: (outcome: string, read?: Read) => void;
  #socket: Socket | undefined;
  #up = false;
  #closing = false;
  /** Waits for the connection or for its answer. */
  #request: string | undefined;
  #onUp: (() => void) | undefined;

  constructor(step: HttpStep, port: number, answered: (outcome: string, read?: Read) => void) {
    this.#step = step;
    this.#port = port;
    this.#answered = answered;
  }

  open(): Promise<void> {
    const opened = new Promise<void>((resolve) => {
      this.#onUp = resolve;
    });
    this.#connect();
    return within(OPEN_WITHIN_MS, 'an HTTP connection', opened);
  }

  send(request: string): void {
    this.#request = request;
    if (this.#up) this.#socket?.write(request);
  }

  abandon(): void {
    this.#request = undefined;
    this.#socket?.destroy();
  }

  close(): void {
    this.#closing = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    const socket = connect({ host: this.#step.host, port: this.#port, noDelay: true });
    const reader = new AnswerReader();
    this.#socket = socket;
    socket.on('connect', () => {
      this.#up = true;
      this.#onUp?.();
      if (this.#request !== undefined) socket.write(this.#request);
    });
    socket.on('data', (chunk) => this.#read(reader.read(chunk)));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      if (socket !== this.#socket) return;
      const last = reader.end();
      if (last === undefined) this.#lost();
      else this.#read(last);
    });
  }

  #lost(): void {
    const sent = this.#up && this.#request !== undefined;
    this.#up = false;
    if (this.#closing) return;
    setTimeout(() => {
      if (!this.#closing) this.#connect();
    }, REOPEN_MS);
    if (sent) this.#answer(CLOSED);
  }

  #read(answer: HttpAnswer | undefined): void {
    if (answer === undefined) return;
    if (answer.closes) this.#openAnew();
    if (this.#request === undefined) return; // it was given up
    const { outcome, read } = readAnswer(this.#step.reads, answer.status, answer.body);
    this.#answer(outcome, read);
  }

  /** The server keeps this connection no longer, which is its right and no loss. */
  #openAnew(): void {
    const old = this.#socket;
    this.#up = false;
    if (!this.#closing) this.#connect();
    old?.destroy();
  }

  #answer(outcome: string, read?: Read): void {
    this.#request = undefined;
    this.#answered(outcome, read);
  }
}

function readAnswer(
  reads: HttpStep['reads'],
  status: string,
  body: string,
): { readonly outcome: string; readonly read?: Read } {
  switch (reads) {
    case 'status':
      return { outcome: status };
    case 'claim':
      return { outcome: claimOutcome(status, body) };
    case 'code':
    case 'token': {
      const value = new RegExp(`"${reads}":"([^"]+)"`).exec(body)?.[1];
      if (value !== undefined) return { outcome: status, read: { [reads]: value } };
      return { outcome: status === '200' ? `200 without ${reads}` : status };
    }
    default:
      return unreachable(reads);
  }
}

function claimOutcome(status: string, body: string): string {
  const response = /"response":"(\w+)"|^"(\w+)"$/.exec(body);
  const word = response?.[1] ?? response?.[2];
  return word === undefined ? status : `${status} ${word}`;
}
