/**
 * The REST API as pages use it: the same routes, asked inside the process, with the token of whoever is signed in. So
 * pages can not do anything that the API would refuse, and no rule is written twice.
 */
import type { z } from 'zod';

export interface Sent {
  readonly status: number;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
  readonly headers: Headers;
}

/** A refusal, in the API's words. */
export interface Failed {
  readonly type: 'failed';
  readonly status: number;
  readonly message: string;
  readonly retryAfterSeconds: number | undefined;
}

export type Result<Value> = { readonly type: 'ok'; readonly value: Value } | Failed;

/** What a page needs to be shown at all could not be had; the dispatch shows a page that says why. */
export class Unanswered extends Error {
  readonly failed: Failed;
  constructor(failed: Failed) {
    super(failed.message);
    this.name = 'Unanswered';
    this.failed = failed;
  }
}

export interface Api {
  /** Asks, and takes whatever comes. */
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Sent>;
  /** Reads what a page can not do without. Throws `Unanswered`. */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>>;
  /** Reads what is too long to be held, or does not end. Throws `Unanswered`. */
  open(path: string): Promise<Response>;
  /** Changes something; a refusal is a value. */
  post<Schema extends z.ZodType>(
    path: string,
    body: unknown,
    schema: Schema,
  ): Promise<Result<z.output<Schema>>>;
  /** Changes something that answers nothing worth reading. */
  act(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<Result<undefined>>;
}

/** Asks the app: a path with its query, and what `fetch` takes. */
export type Ask = (path: string, init: RequestInit) => Response | Promise<Response>;

export function createApi(ask: Ask, token: string | undefined): Api {
  const identity = token === undefined ? {} : { 'X-Authorization': `Bearer ${token}` };

  const send: Api['send'] = async (method, path, body, headers = {}) =>
    read(
      await ask(path, {
        method,
        headers: { ...identity, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );

  async function read(response: Response): Promise<Sent> {
    const text = await response.text();
    return { status: response.status, text, json: parsed(text), headers: response.headers };
  }

  return {
    send,

    async get(path, schema) {
      const sent = await send('GET', path);
      if (sent.status !== 200) throw new Unanswered(failedOf(sent));
      return schema.parse(sent.json);
    },

    async open(path) {
      const response = await ask(path, { method: 'GET', headers: identity });
      if (response.status !== 200) throw new Unanswered(failedOf(await read(response)));
      return response;
    },

    async post(path, body, schema) {
      const sent = await send('POST', path, body);
      return sent.status === 200 ? { type: 'ok', value: schema.parse(sent.json) } : failedOf(sent);
    },

    async act(method, path, body) {
      const sent = await send(method, path, body);
      return sent.status === 200 ? { type: 'ok', value: undefined } : failedOf(sent);
    },
  };
}

export function failedOf({ status, text, json, headers }: Sent): Failed {
  const told = typeof json === 'object' && json !== null && 'message' in json ? json.message : json;
  const retryAfter = headers.get('retry-after');
  return {
    type: 'failed',
    status,
    message: typeof told === 'string' ? told : text.slice(0, MESSAGE_MAX),
    retryAfterSeconds: retryAfter === null ? undefined : Number(retryAfter),
  };
}

const MESSAGE_MAX = 300;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A query from those values that are there. */
export function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') given.set(name, String(value));
  }
  return given.toString();
}

/** A part of a path. */
export const part = encodeURIComponent;
