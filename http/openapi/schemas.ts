/**
 * JSON Schemas from the schemas that check requests and answers, in a form that generators of clients understand: types
 * that are used more than once have names, null stands beside another type and never alone, and nothing is "anything or".
 */
import { z } from 'zod';

/** JSON Schema, as far as this folder reads it. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
  readonly [keyword: string]: unknown;
}

export interface Schemas {
  /** The schema of what clients send (input) or get (output). What it names is added to `components`. */
  of(schema: z.ZodType, io: 'input' | 'output'): Schema;
  /** The same, as a component of this name, unless it is a simple type or has a name already. */
  named(name: string, schema: z.ZodType, io: 'input' | 'output'): Schema;
  /** The schema behind a reference; any other schema is itself. */
  resolve(schema: Schema): Schema;
  readonly components: Readonly<Record<string, Schema>>;
}

const COMPONENTS = '#/components/schemas/';

export function createSchemas(given: Readonly<Record<string, Schema>>): Schemas {
  const components: Record<string, Schema> = { ...given };

  function of(schema: z.ZodType, io: 'input' | 'output'): Schema {
    // In an object, so that a schema with a name becomes a reference too.
    const wrapped = z.toJSONSchema(z.object({ it: schema }), { io, unrepresentable: 'any', override });
    const { properties, $defs = {} } = wrapped as Schema & { $defs?: Record<string, Schema> };
    for (const [name, definition] of Object.entries($defs)) components[name] = tidy(definition, components);
    return tidy(properties?.it ?? {}, components);
  }

  return {
    of,
    named(name, schema, io) {
      const described = of(schema, io);
      if (described.properties === undefined && described.items === undefined) return described;
      components[name] = described;
      return { $ref: `${COMPONENTS}${name}` };
    },
    resolve(schema) {
      return schema.$ref === undefined ? schema : (components[schema.$ref.slice(COMPONENTS.length)] ?? {});
    },
    components,
  };
}

/** Puts in what a schema says of itself (`documentedAs`), where its checks are code that JSON Schema cannot show. */
function override({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: object }): void {
  const meta = z.globalRegistry.get(zodSchema);
  if (meta?.documentedAs === undefined) return;
  for (const keyword of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, keyword);
  Object.assign(jsonSchema, meta.documentedAs);
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNull = ({ type }: Schema): boolean => type === 'null';
const isAnything = (schema: Schema): boolean =>
  Object.keys(schema).every((keyword) => keyword === 'description');

/** The same schema, in the form that this file promises. */
function tidy(schema: Schema, components: Record<string, Schema>): Schema {
  if (isNull(schema)) return { ...schema, type: ['string', 'null'] }; // ThingsBoard has a text there, we never do
  const { $schema: _, id: __, pattern, ...rest } = withoutConstantSwitch(schema);
  // A format says it already, and generators that check both write code that does not run.
  const parts: Record<string, unknown> =
    pattern === undefined || rest.format !== undefined ? {} : { pattern };
  for (const [keyword, value] of Object.entries(rest)) parts[keyword] = tidied(keyword, value, components);
  return asComponent(withWidth(withoutIdleChoices(parts)), components);
}

/** A switch that is always on is a switch: generated Java compares it with the text "true", and does not compile. */
function withoutConstantSwitch({ const: only, ...schema }: Schema): Schema {
  return only === undefined || typeof only === 'boolean' ? schema : { ...schema, const: only };
}

function tidied(keyword: string, value: unknown, components: Record<string, Schema>): unknown {
  if (keyword === '$ref' && typeof value === 'string') return value.replace('#/$defs/', COMPONENTS);
  if (keyword === 'properties' || keyword === 'patternProperties') {
    return Object.fromEntries(
      Object.entries(value as object).map(([name, part]) => [name, tidy(part, components)]),
    );
  }
  if (keyword === 'anyOf' || keyword === 'oneOf' || keyword === 'allOf') {
    return (value as readonly Schema[]).map((part) => (isNull(part) ? part : tidy(part, components)));
  }
  if (keyword === 'items' || keyword === 'additionalProperties' || keyword === 'propertyNames') {
    return isSchema(value) ? tidy(value, components) : value;
  }
  return value;
}

/** Whole numbers beyond 32 bits say so: an instant would overflow in generated Java or Go. */
function withWidth(schema: Schema): Schema {
  const { minimum, maximum, ...around } = schema;
  if (!String(schema.type).includes('integer') || maximum !== Number.MAX_SAFE_INTEGER) return schema;
  const least = minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum };
  return { ...around, format: 'int64', ...least };
}

/** References to entities and pages of a named type look alike everywhere: each is a component. */
function asComponent(schema: Schema, components: Record<string, Schema>): Schema {
  const { entityType, id, data, totalPages } = schema.properties ?? {};
  const items = data?.items as Schema | undefined;
  const name =
    id !== undefined && typeof entityType?.const === 'string'
      ? `${entityType.const.toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}Id`
      : totalPages !== undefined && items?.$ref !== undefined
        ? `PageData${items.$ref.slice(COMPONENTS.length)}`
        : undefined;
  if (name === undefined) return schema;
  components[name] = schema;
  return { $ref: `${COMPONENTS}${name}` };
}

/** "One of these, or anything" is these; "this or null" is one type that may be null, where there is a type. */
function withoutIdleChoices(schema: Schema): Schema {
  if (schema.anyOf === undefined) return schema;
  const { anyOf, ...around } = schema;
  const choices = anyOf.flatMap((part) =>
    Object.keys(part).join() === 'anyOf' ? (part.anyOf ?? []) : [part],
  );
  const told = choices.filter((part) => !isAnything(part) && !isNull(part));
  const [only] = told;
  if (only === undefined) return around;
  const nullable = choices.some(isNull) ? [{ type: 'null' }] : [];
  if (told.length > 1) return { ...around, anyOf: [...told, ...nullable] };
  if (nullable.length === 0) return { ...only, ...around };
  if (typeof only.type !== 'string') return { ...around, anyOf: [only, ...nullable] };
  const values = Array.isArray(only.enum) ? { enum: [...only.enum, null] } : {};
  return { ...only, ...values, ...around, type: [only.type, 'null'] };
}
