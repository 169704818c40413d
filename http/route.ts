/**
 * A route as data: who may call it, what it takes, what it answers. The app (`dispatch.ts`), the API's description
 * (`openapi/`) and the test that tries every route with every role are made from it.
 */
import { z } from 'zod';
import { type Grant, type Holder, holdsOneOf, type Principal, type Role } from './auth/principal.ts';
import type { RequestTrace } from './trace.ts';
import type { Payload } from './wire/body.ts';
import { badRequest, unavailable } from './wire/errors.ts';
import type { Parts, Problem, Reply } from './wire/reply.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Where somebody logs in from. */
export interface Origin {
  readonly address: string;
  /** What the program calls itself (`User-Agent`), shortened. */
  readonly device: string | null;
  /** The marks of a browser (`auth/browsers.ts`); undefined where it has none. */
  readonly browser: string | undefined;
}

/** A request that passed the checks of its route. */
interface Call<Caller, Params, Query, Body> {
  readonly principal: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The caller's address, for counting attempts. */
  readonly address: string;
  /** Where a login comes from. */
  readonly origin: () => Origin;
  /** What links to this server begin with, e.g. `https://claim.example.org`. */
  linkBase(): string;
  /** `Authorization: Bearer …`, for programs that have a shared secret instead of a token. */
  readonly bearer: () => string | undefined;
  /** Set where spans are made. */
  readonly trace: RequestTrace | undefined;
  /** The `Idempotency-Key` header: the client's name for the request, the same when it repeats it. */
  readonly idempotencyKey: string | undefined;
  /** The `If-Match` header of a conditional route. */
  readonly ifMatch: string | undefined;
  /** The `Last-Event-ID` header of a route that can be resumed. */
  readonly lastEventId: string | undefined;
  /** Whether `Prefer` asks for a 202 where the answer takes longer. */
  readonly prefersAsync: () => boolean;
  /** Reads the body of a route with a `payload`. */
  readonly readPayload: () => Promise<Payload>;
  /** Whether the same token or key would be let in now; for answers that last. Never rejects. */
  readonly stillMay: () => Promise<boolean>;
  /**
   * The parts of a long answer, for as long as the caller stands, however old its token gets meanwhile. Who is removed or logs out
   * hears no more of it: it breaks off, since an answer that is cut off must not look whole.
   */
  readonly whileStanding: <Part>(parts: Parts<Part>) => Parts<Part>;
}

export interface RouteSpec<R extends Role, Params, Query, Body> {
  readonly method: Method;
  /** Segments that begin with a colon are parameters. */
  readonly path: `/${string}`;
  readonly summary: string;
  /** Who it is for, in the API's description; without it, the roles. */
  readonly description?: string;
  readonly roles: readonly R[];
  /** Which grants suffice. Default: `everything` and `delegated`, and for a GET `reading` too. */
  readonly grants?: readonly Grant[];
  readonly params?: z.ZodType<Params>;
  /** By default a path that is not percent-encoded UTF-8 is refused; `keep` leaves such segments as they are. */
  readonly undecodablePath?: 'keep';
  /** A repeated parameter arrives as an array. */
  readonly query?: z.ZodType<Query>;
  /** Gets undefined if there is no body. Without a schema the body is not read. */
  readonly body?: z.ZodType<Body>;
  /** The answer to a body that is no JSON; default: 400. */
  readonly malformedBody?: Problem;
  /**
   * Instead of `body`, for a handler that reads the bytes itself. A request that declares more bytes is refused at
   * once.
   */
  readonly payload?: PayloadSpec;
  readonly responses: Responses;
  /** The answer while the store is away; default: that of the REST API. */
  readonly unavailable?: Problem;
  /** Problems are answered as plain text, as ThingsBoard's attribute routes do, but for a wrong path or query. */
  readonly plainProblems?: true;
  /** Asked all the time, so it is served directly (`direct.ts`). It must not answer by a stream. */
  readonly frequent?: true;
  /** The handler uses `idempotencyKey`. */
  readonly idempotent?: true;
  /** The handler uses `prefersAsync`. */
  readonly deferring?: true;
  /** The handler uses `lastEventId`. */
  readonly resumable?: true;
  /** The handler uses `ifMatch`, with owner epochs (rule R5). */
  readonly conditional?: true;
  /**
   * What it is sent is kept for ever: it counts against the bytes of the tenant or customer, and is refused where these are
   * used up. By a function of the body: unless that is small, and protects the devices.
   */
  readonly stores?: true | ((body: unknown) => boolean);
  handle(call: Call<Holder<R>, Params, Query, Body>): Reply | Promise<Reply>;
}

interface PayloadSpec {
  readonly bytesMax: number;
  /** For the API's description. */
  readonly schema: z.ZodType;
}

interface Responses {
  readonly [status: number]: ResponseSpec;
}

export interface ResponseSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Fields after those of the error envelope. */
  readonly more?: z.ZodType;
  /** The answer has no body, although its status is an error. */
  readonly isEmpty?: true;
}

/** A request before the checks. */
type RawCall = Call<
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
  readonly malformedBody: Problem | undefined;
  readonly undecodablePath: 'refuse' | 'keep';
  readonly payload: PayloadSpec | undefined;
  readonly unavailable: Problem;
  readonly responses: Responses;
  readonly plainProblems: boolean;
  readonly idempotent: boolean;
  readonly resumable: boolean;
  readonly conditional: boolean;
  readonly deferring: boolean;
  readonly stores: false | ((body: unknown) => boolean);
  readonly isFrequent: boolean;
  allows(principal: Principal | undefined): boolean;
  answer(call: RawCall): Reply | Promise<Reply>;
}

/** What is read of a part of a request that has no schema, since the handler does not use it: nothing. */
const UNREAD: z.ZodSafeParseResult<never> = z.custom<never>().safeParse(undefined);
const STORE_AWAY = unavailable('store');

export function defineRoute<R extends Role, Params, Query, Body>(
  spec: RouteSpec<R, Params, Query, Body>,
): Route {
  const { roles, grants = spec.method === 'GET' ? READING : CHANGING } = spec;
  const { params, query, body } = spec;
  return {
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    description: spec.description,
    roles,
    params: spec.params,
    query: spec.query,
    body: spec.body,
    malformedBody: spec.malformedBody,
    undecodablePath: spec.undecodablePath ?? 'refuse',
    payload: spec.payload,
    unavailable: spec.unavailable ?? STORE_AWAY,
    responses: spec.responses,
    plainProblems: spec.plainProblems ?? false,
    idempotent: spec.idempotent ?? false,
    deferring: spec.deferring ?? false,
    isFrequent: spec.frequent ?? false,
    resumable: spec.resumable ?? false,
    conditional: spec.conditional ?? false,
    stores: spec.stores === true ? () => true : (spec.stores ?? false),
    allows: (principal) =>
      holdsOneOf(roles, principal) && (principal === undefined || grants.includes(principal.grant)),

    answer(call) {
      const { principal } = call;
      if (!holdsOneOf(roles, principal)) throw new Error(`${spec.path} was reached without a role`);
      const inPath = params?.safeParse(call.params) ?? UNREAD;
      if (!inPath.success) return { ...badRequest(complaint(inPath.error)), enveloped: true };
      const inQuery = query?.safeParse(call.query) ?? UNREAD;
      if (!inQuery.success) return { ...badRequest(complaint(inQuery.error)), enveloped: true };
      const inBody = body?.safeParse(call.body) ?? UNREAD;
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

const READING: readonly Grant[] = ['everything', 'delegated', 'reading'];
const CHANGING: readonly Grant[] = ['everything', 'delegated'];

/** The first problem, with its place. Zod's messages name what was expected, never the value. */
function complaint(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'Malformed request';
  // Our own messages are whole sentences; zod's end without a mark and need the place.
  const place = issue.path.join('.');
  return place === '' || /[.!]$/.test(issue.message) ? issue.message : `${place}: ${issue.message}`;
}
