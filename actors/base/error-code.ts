/** What Node and libraries call a fault by, as `ENOENT` or a number; undefined where they gave it no code. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
