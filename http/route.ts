/**
 * A route as data: who may call it, what it takes, what it answers. From the same definitions the app is built
 * (`dispatch.ts`), the walk over all routes and roles is made (a test), and a description for machines can be.
 */
import { z } from 'zod';
import { type Grant, type Holder, holdsOneOf, type Principal, type Role } from './auth/principal.ts';
import type { Payload } from './wire/body.ts';
import { badRequest, unavailable } from './wire/errors.ts';
import type { Problem, Reply } from './wire/reply.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A request, checked against its route's definition. */
export interface Call<Caller, Params, Query, Body> {
  readonly principal: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Where it came from, for counting attempts. */
  readonly address: string;
  /** How this server was addressed, e.g. `http://localhost:8080`. */
  readonly origin: string;
  /** `Authorization: Bearer …`, for routes that programs ask with a secret of their own instead of a token. */
  readonly bearer: string | undefined;
  /** The header of this name: the client's name for the request, the same when it asks again. */
  readonly idempotencyKey: string | undefined;
  /** Reads the body of a route with a `payload`. */
  readonly readPayload: () => Promise<Payload>;
  /** Whether the caller, by the same token or key, would still be let in now: for answers that last. Never rejects. */
  readonly stillMay: () => Promise<boolean>;
}

export interface RouteSpec<R extends Role, Params, Query, Body> {
  readonly method: Method;
  /** Segments beginning with a colon are parameters. */
  readonly path: `/${string}`;
  readonly summary: string;
  /** Who it is for, in the API's description; without it, its roles. */
  readonly description?: string;
  readonly roles: readonly R[];
  /** Which grants suffice; without it reading does for a GET, and everything is needed for the rest. */
  readonly grants?: readonly Grant[];
  readonly params?: z.ZodType<Params>;
  /** A path that is not percent-encoded UTF-8 is refused, unless it is kept. */
  readonly undecodablePath?: 'keep';
  /** What repeats in a query arrives as an array. */
  readonly query?: z.ZodType<Query>;
  /** Sees undefined where there is no body. Without a schema the body is not read. */
  readonly body?: z.ZodType<Body>;
  /** Instead of `body`, for a handler that reads the bytes itself. A request that declares more is refused at once. */
  readonly payload?: PayloadSpec;
  readonly responses: Responses;
  /** Answered when the store is away; without it the answer of the REST API. */
  readonly unavailable?: Problem;
  /** Problems of input and entity are told as bare text, as ThingsBoard's attribute routes do. */
  readonly plainProblems?: true;
  /** Looks at `idempotencyKey`. */
  readonly idempotent?: true;
  handle(call: Call<Holder<R>, Params, Query, Body>): Reply | Promise<Reply>;
}

export interface PayloadSpec {
  readonly bytesMax: number;
  /** For the API's description. */
  readonly schema: z.ZodType;
}

export interface Responses {
  readonly [status: number]: ResponseSpec;
}

export interface ResponseSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Fields after those of the error envelope. */
  readonly more?: z.ZodType;
  /** There is no body, although the status is an error. */
  readonly isEmpty?: true;
}

/** What a route is given before anything was checked. */
export type RawCall = Call<
  Principal | undefined,
  Readonly<Record<string, string>>,
  Readonly<Record<string, string | readonly string[]>>,
  unknown
>;

export interface Route {
  readonly method: Method;
  readonly path: `/${string}`;
  readonly summary: string;
  readonly description: string | undefined;
  readonly roles: readonly Role[];
  readonly params: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
  readonly body: z.ZodType | undefined;
  readonly undecodablePath: 'refuse' | 'keep';
  readonly payload: PayloadSpec | undefined;
  readonly unavailable: Problem;
  readonly responses: Responses;
  readonly plainProblems: boolean;
  readonly idempotent: boolean;
  allows(principal: Principal | undefined): boolean;
  answer(call: RawCall): Promise<Reply>;
}

export function defineRoute<R extends Role, Params, Query, Body>(
  spec: RouteSpec<R, Params, Query, Body>,
): Route {
  const { roles, grants = spec.method === 'GET' ? READING : CHANGING } = spec;
  // A route without a schema for a part of the request does not look at that part.
  const params = spec.params ?? z.custom<Params>();
  const query = spec.query ?? z.custom<Query>();
  const body = spec.body ?? z.custom<Body>();

  return {
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    description: spec.description,
    roles,
    params: spec.params,
    query: spec.query,
    body: spec.body,
    undecodablePath: spec.undecodablePath ?? 'refuse',
    payload: spec.payload,
    unavailable: spec.unavailable ?? unavailable('store'),
    responses: spec.responses,
    plainProblems: spec.plainProblems ?? false,
    idempotent: spec.idempotent ?? false,
    allows: (principal) =>
      holdsOneOf(roles, principal) && (principal === undefined || grants.includes(principal.grant)),

    async answer(call) {
      const { principal } = call;
      if (!holdsOneOf(roles, principal)) throw new Error(`${spec.path} was reached without a role`);
      const inPath = params.safeParse(call.params);
      if (!inPath.success) return badRequest(complaint(inPath.error));
      const inQuery = query.safeParse(call.query);
      if (!inQuery.success) return badRequest(complaint(inQuery.error));
      const inBody = body.safeParse(call.body);
      if (!inBody.success) return badRequest(complaint(inBody.error));
      return spec.handle({
        ...call,
        principal,
        params: inPath.data,
        query: inQuery.data,
        body: inBody.data,
      });
    },
  };
}

const READING: readonly Grant[] = ['everything', 'reading'];
const CHANGING: readonly Grant[] = ['everything'];

/** The first thing wrong, with where it is. Zod's messages name expectations, never the value itself. */
function complaint(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'Malformed request';
  // Messages of ours are whole sentences; zod's own end without a mark, and need the place.
  const place = issue.path.join('.');
  return place === '' || /[.!]$/.test(issue.message) ? issue.message : `${place}: ${issue.message}`;
}
