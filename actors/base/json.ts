/** JSON as a type: what may travel in a payload, an attribute or a journal record. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. Built from parsed text only, so it never carries functions, dates or `undefined`. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for `{…}`, false for arrays, `null` and primitives. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
