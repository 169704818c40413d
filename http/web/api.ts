/**
 * The REST API as pages use it: the same routes, called inside the process with the token of the person who is signed
 * in. So a page cannot do what the API would refuse, and no rule is written twice.
 */
import type { z } from 'zod';
import { parsedJson } from '../../actors/base/json.ts';
import { REASON_HEADER } from '../wire/reply.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The body as JSON; undefined when it is not JSON. */
  readonly json: unknown;
  readonly headers: Headers;
}

/** A refusal, in the API's words. */
export interface Refused {
  readonly type: 'refused';
  readonly status: number;
  readonly message: string;
  readonly retryAfterSeconds: number | undefined;
  /** The code of the reason (`actors/claiming/reasons.ts`). */
  readonly reason: string | undefined;
}

export type Result<Value> = { readonly type: 'ok'; readonly value: Value } | Refused;

/** The API refused what a page cannot be shown without. `serve.tsx` shows a page that says why. */
export class Unanswered extends Error {
  readonly refusal: Refused;
  constructor(refusal: Refused) {
    super(refusal.message);
    this.name = 'Unanswered';
    this.refusal = refusal;
  }
}

export interface Api {
  /** Any request; any answer is a value. */
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  /** Reads what a page cannot be shown without. Throws `Unanswered`. */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>>;
  /** Reads a body too long for memory, or without an end. Throws `Unanswered`. */
  open(path: string): Promise<Response>;
  /** A change whose answer is read. */
  post<Schema extends z.ZodType>(
    path: string,
    body: unknown,
    schema: Schema,
  ): Promise<Result<z.output<Schema>>>;
  /** A change whose answer is not read. */
  act(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Result<undefined>>;
}

/** Calls the app with a path and its query, and what `fetch` takes. */
export type Ask = (path: string, init: RequestInit) => Response | Promise<Response>;

/** @param token the access token; undefined: the API as anybody has it */
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

  return {
    send,

    async get(path, schema) {
      const answer = await send('GET', path);
      if (answer.status !== 200) throw new Unanswered(refusalOf(answer));
      return schema.parse(answer.json);
    },

    async open(path) {
      const response = await ask(path, { method: 'GET', headers: identity });
      if (response.status !== 200) throw new Unanswered(refusalOf(await read(response)));
      return response;
    },

    async post(path, body, schema) {
      const answer = await send('POST', path, body);
      return answer.status === 200 ? { type: 'ok', value: schema.parse(answer.json) } : refusalOf(answer);
    },

    async act(method, path, body) {
      const answer = await send(method, path, body);
      return answer.status === 200 ? { type: 'ok', value: undefined } : refusalOf(answer);
    },
  };
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, text, json: parsedJson(text), headers: response.headers };
}

const MESSAGE_MAX = 300;

/** What the API said against it: the `message` of its error body, or the body itself. */
export function refusalOf({ status, text, json, headers }: Answer): Refused {
  const message = typeof json === 'object' && json !== null && 'message' in json ? json.message : json;
  const retryAfter = headers.get('retry-after');
  return {
    type: 'refused',
    status,
    message: typeof message === 'string' ? message : text.slice(0, MESSAGE_MAX),
    retryAfterSeconds: retryAfter === null ? undefined : Number(retryAfter),
    reason: headers.get(REASON_HEADER) ?? undefined,
  };
}

/** A query string of the values that are neither undefined nor empty. */
export function toQuery(values: Readonly<Record<string, string | number | undefined>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') params.set(name, String(value));
  }
  return params.toString();
}

/** One segment of a path. */
export const segment = encodeURIComponent;
