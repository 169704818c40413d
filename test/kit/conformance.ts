/**
 * Checks answers against the API's OpenAPI description: the status must be described, and the body must fit its
 * schema. The kit checks every answer of every test.
 */
import { z } from 'zod';
import { type Description, describe, type Operation } from '../../http/openapi/openapi.ts';
import type { Route } from '../../http/route.ts';

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly type: string | null;
}

/** Throws when an answer is not as described. What the description does not know (other paths, HEAD) passes. */
export type Conformance = (method: string, target: string, answered: Answered) => void;

interface Described {
  readonly pattern: RegExp;
  readonly operations: Readonly<Record<string, Operation>>;
}

export function conformanceTo(routes: readonly Route[]): Conformance {
  // Through JSON, as a client gets it.
  const description = JSON.parse(JSON.stringify(describe(routes, '1.0.0'))) as Description;
  const known: Described[] = Object.entries(description.paths).map(([path, operations]) => ({
    pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
    operations,
  }));
  const schemas = new Map<object, z.ZodType>();
  const { schemas: components } = description.components;

  function schemaOf(schema: object): z.ZodType {
    const made = schemas.get(schema) ?? z.fromJSONSchema(resolved(schema, components) as never);
    schemas.set(schema, made);
    return made;
  }

  return (method, target, { status, text, type }) => {
    const [path = ''] = target.split(/[?#]/);
    const verb = method.toLowerCase();
    // As in the app: the first that fits.
    const operation = known.find(({ pattern, operations }) => pattern.test(path) && operations[verb])
      ?.operations[verb];
    if (operation === undefined) return;
    const what = `${operation.operationId}: ${status}`;
    const response = operation.responses[String(status)];
    if (response === undefined) throw new Error(`${what} is not described: ${text}`);
    if (response.content === undefined) return;
    const media = Object.entries(response.content).find(([name]) => type?.startsWith(name));
    if (media === undefined) throw new Error(`${what}: ${type} is not described: ${text}`);
    if (media[0] !== 'application/json') return;
    const read = schemaOf(media[1].schema).safeParse(JSON.parse(text));
    if (!read.success) throw new Error(`${what} is not as described: ${read.error.message}\n${text}`);
  };
}

/** A schema with what it refers to in its place. */
function resolved(schema: unknown, components: Readonly<Record<string, object>>): unknown {
  if (Array.isArray(schema)) return schema.map((part) => resolved(part, components));
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('$ref' in schema && typeof schema.$ref === 'string') {
    const component = components[schema.$ref.replace('#/components/schemas/', '')];
    if (component === undefined) throw new Error(`nothing is behind ${schema.$ref}`);
    return resolved(component, components);
  }
  return Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, resolved(part, components)]));
}
