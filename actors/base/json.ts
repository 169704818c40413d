/** JSON as a type: what a payload, an attribute or a journal record may hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. It comes from parsed text, so it never holds functions, dates or `undefined`. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** The JSON in a text; undefined where it is none. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** True for `{…}`, false for arrays, `null` and primitives. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
