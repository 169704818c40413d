/**
 * The API's description for machines: OpenAPI 3.1, made from the route definitions that also check requests, so it
 * cannot differ from them.
 */
import type { ResponseSpec, Route } from '../route.ts';
import { createSchemas, type Schema, type Schemas } from './schemas.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Media {
  readonly [type: string]: { readonly schema: Schema };
}

export interface Operation {
  readonly tags: readonly string[];
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly security: readonly object[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Media };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Media; readonly headers?: object }>
  >;
}

export interface Description {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly securitySchemes: object;
    readonly schemas: Readonly<Record<string, Schema>>;
  };
}

const PROBLEM: Schema = { $ref: '#/components/schemas/Problem' };
const PROBLEM_SCHEMA: Schema = {
  type: 'object',
  description: 'What went wrong',
  properties: {
    status: { type: 'integer' },
    message: { type: 'string' },
    errorCode: { type: 'integer' },
    timestamp: { type: 'integer' },
    reason: {
      type: 'string',
      description: 'Why, as a code that stays as it is: the table in http/README.md',
    },
  },
  required: ['status', 'message', 'errorCode', 'timestamp'],
};

/** Answers that any request of a kind can get, besides those its route lists. */
const COMMON: Readonly<Record<number, string>> = {
  400: 'Malformed',
  401: 'No token, or one that is worth nothing (errorCode 10), expired or outdated (11)',
  403: 'Not for this role',
  413: 'The body is too large',
  429: 'Too much is being sent from this address at a time',
  500: 'A fault of the server, which tells no more about it',
  503: 'The server cannot answer just now; asking again is safe',
};

export function describe(routes: readonly Route[], version: string): Description {
  const schemas = createSchemas({ Problem: PROBLEM_SCHEMA });
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'claimd',
      version,
      description: "Claiming devices, by ThingsBoard's REST API. Devices' own HTTP API is under v1.",
    },
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Authorization',
          description: '"Bearer " and the token of /api/auth/login. Authorization is understood as well.',
        },
        apiKey: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Authorization',
          description: '"ApiKey " and a key of /api/apiKey.',
        },
      },
      schemas: schemas.components,
    },
  };
}

function operation(route: Route, schemas: Schemas): Operation {
  const { method, path, roles, summary } = route;
  const operationId = `${method.toLowerCase()}${path.replace(/[/:]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
  const isPublic = roles.includes('PUBLIC');
  const base = {
    tags: [path.split('/')[2] ?? 'health'],
    operationId,
    summary,
    description: route.description ?? (isPublic ? 'For everybody.' : `For ${roles.join(', ')}.`),
    security: isPublic ? [] : [{ bearer: [] }, { apiKey: [] }],
    parameters: parametersOf(route, schemas),
    responses: responsesOf(route, typeName(operationId), schemas),
  };
  const body = route.body ?? route.payload?.schema;
  if (body === undefined) return base;
  const schema = schemas.named(`${typeName(operationId)}Body`, body, 'input');
  const required = route.body?.safeParse(undefined).success === false;
  return { ...base, requestBody: { required, content: { 'application/json': { schema } } } };
}

const typeName = (id: string) => `${id.charAt(0).toUpperCase()}${id.slice(1).replace(/\W/g, '')}`;

function responsesOf(route: Route, name: string, schemas: Schemas): Operation['responses'] {
  const { responses, roles, body, payload, params, query } = route;
  const isPublic = roles.includes('PUBLIC');
  const common = Object.entries(COMMON).filter(([status]) => {
    if (status === '401' || status === '403') return !isPublic;
    if (status === '413') return body !== undefined || payload !== undefined;
    if (status === '429') return body !== undefined && !isPublic;
    return status !== '400' || [body, params, query].some((part) => part !== undefined);
  });
  const all = new Map<string, ResponseSpec>(common.map(([status, description]) => [status, { description }]));
  for (const [status, spec] of Object.entries(responses)) all.set(status, spec);
  return Object.fromEntries(
    [...all].map(([status, spec]) => {
      const { description } = spec;
      const content = contentOf(Number(status), spec, route, name, schemas);
      return [status, content === undefined ? { description } : { description, content }];
    }),
  );
}

function contentOf(
  status: number,
  { schema, more, isEmpty }: ResponseSpec,
  route: Route,
  name: string,
  schemas: Schemas,
): Media | undefined {
  if (isEmpty) return undefined;
  if (schema !== undefined) {
    const described = schemas.named(`${name}${status === 200 ? 'Answer' : status}`, schema, 'output');
    // A route may answer a status in its own way, and malformed requests still get the envelope.
    return jsonOf(status >= 400 && status !== 503 ? { anyOf: [described, PROBLEM] } : described);
  }
  if (more !== undefined) return jsonOf({ allOf: [PROBLEM, schemas.of(more, 'output')] });
  if (status < 400) return undefined;
  if (status === 413) return jsonOf({ type: 'string' });
  return route.plainProblems ? { 'text/plain': { schema: { type: 'string' } }, ...ENVELOPE } : ENVELOPE;
}

function jsonOf(schema: Schema): Media {
  return { 'application/json': { schema } };
}

const ENVELOPE = jsonOf(PROBLEM);

function parametersOf(
  { path, params, query, idempotent, conditional, resumable }: Route,
  schemas: Schemas,
): Parameter[] {
  const inPath = params === undefined ? {} : propertiesOf(schemas, schemas.of(params, 'input'));
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const inQuery = query === undefined ? {} : propertiesOf(schemas, schemas.of(query, 'input'));
  const headers = [
    ...(idempotent ? [IDEMPOTENCY_KEY] : []),
    ...(conditional ? [IF_MATCH] : []),
    ...(resumable ? [LAST_EVENT_ID] : []),
  ];
  // Generators name parameters by their letters alone: a header that may be given in the query as well is told there.
  const asked = new Set([...names, ...Object.keys(inQuery)].map(lettersOf));
  return [
    ...names.map(
      (name): Parameter => ({
        name,
        in: 'path',
        required: true,
        schema: inPath[name]?.schema ?? { type: 'string' },
      }),
    ),
    ...Object.entries(inQuery).map(
      ([name, { schema, required }]): Parameter => ({
        name,
        in: 'query',
        required,
        schema,
      }),
    ),
    ...headers.filter(({ name }) => !asked.has(lettersOf(name))),
  ];
}

const lettersOf = (name: string) => name.replace(/\W/g, '').toLowerCase();

const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Of the requests with one key, one is carried out; the others get its answer, for a day.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const LAST_EVENT_ID: Parameter = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'The id of the event that was heard last: the stream goes on behind it.',
  schema: { type: 'string' },
};

const IF_MATCH: Parameter = {
  name: 'If-Match',
  in: 'header',
  required: false,
  description:
    'The owner epoch in which the request holds, such as "epoch-7" (ownerEpoch of the device). In another one: 412.',
  schema: { type: 'string' },
};

type Properties = Record<string, { readonly schema: Schema; readonly required: boolean }>;

/** The properties of an object, also from allOf, anyOf and oneOf. Those of alternatives are not required. */
function propertiesOf(schemas: Schemas, schema: Schema): Properties {
  const { properties = {}, required = [], allOf = [], anyOf = [], oneOf = [] } = schemas.resolve(schema);
  const own = Object.entries(properties).map(
    ([name, property]) => [name, { schema: property, required: required.includes(name) }] as const,
  );
  const all = allOf.flatMap((part) => Object.entries(propertiesOf(schemas, part)));
  const alternatives = [...anyOf, ...oneOf]
    .flatMap((part) => Object.entries(propertiesOf(schemas, part)))
    .map(([name, property]) => [name, { ...property, required: false }] as const);
  return Object.fromEntries([...alternatives, ...all, ...own]);
}
