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

/** JSON that can be stored unchanged: every number is finite (1e999 is not). Nesting was limited when it was read. */
export function isKeepable(value: unknown): value is Json {
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isKeepable);
  if (isJsonObject(value)) return Object.values(value).every(isKeepable);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

/** Nobody needs deeper structures, and recursive writers overflow the stack on them. */
export const JSON_DEPTH_MAX = 64;

/** Whether a JSON text is nested deeper than that, without parsing it. */
export function isTooDeep(text: string): boolean {
  // A short text has no room for it.
  return text.length > JSON_DEPTH_MAX && depthOf(text) > JSON_DEPTH_MAX;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (OPENING.includes(code)) deepest = Math.max(deepest, ++depth);
    else if (CLOSING.includes(code)) depth -= 1;
  }
  return deepest;
}
