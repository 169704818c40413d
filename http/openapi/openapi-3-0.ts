/**
 * The description as OpenAPI 3.0.3, for generators that do not read 3.1. It says the same, in the words of 3.0: null is a
 * keyword instead of a type, and bounds that exclude are flags.
 */
import type { Description } from './openapi.ts';

interface Loose {
  readonly [keyword: string]: unknown;
}

export function asOpenApi30(description: Description): Loose {
  return { ...(converted(description) as Loose), openapi: '3.0.3' };
}

function converted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(converted);
  if (typeof value !== 'object' || value === null) return value;
  const parts: Loose = Object.fromEntries(
    Object.entries(value)
      .filter(([keyword, part]) => keyword !== 'propertyNames' || typeof part !== 'object')
      .map(([keyword, part]) => [keyword, converted(part)]),
  );
  return withFlags(withNullable(withEnum(parts)));
}

function withEnum({ const: only, ...schema }: Loose): Loose {
  return only === undefined || typeof only === 'object'
    ? { ...schema, ...(only === undefined ? {} : { const: only }) }
    : { ...schema, enum: [only] };
}

const isNull = (part: unknown): boolean =>
  typeof part === 'object' && part !== null && 'type' in part && part.type === 'null';

function withNullable(schema: Loose): Loose {
  const { type, anyOf, ...rest } = schema;
  if (Array.isArray(type)) {
    const [first, ...others] = type.filter((name) => name !== 'null');
    const nullable = type.includes('null') ? { nullable: true } : {};
    if (others.length === 0)
      return { ...rest, ...(anyOf === undefined ? {} : { anyOf }), type: first, ...nullable };
    return { ...rest, anyOf: [first, ...others].map((name) => ({ type: name })), ...nullable };
  }
  if (!Array.isArray(anyOf) || !anyOf.some(isNull)) return schema;
  const others = anyOf.filter((part) => !isNull(part));
  const choice = others.length === 1 ? { allOf: others } : { anyOf: others };
  return { ...rest, ...(type === undefined ? {} : { type }), ...choice, nullable: true };
}

function withFlags({ exclusiveMinimum, exclusiveMaximum, ...schema }: Loose): Loose {
  return {
    ...schema,
    ...(typeof exclusiveMinimum === 'number' ? { minimum: exclusiveMinimum, exclusiveMinimum: true } : {}),
    ...(typeof exclusiveMaximum === 'number' ? { maximum: exclusiveMaximum, exclusiveMaximum: true } : {}),
  };
}
