/** Opens many connections, some at a time. */

/** Connections opened at the same time. More than a server's backlog would wait for repeated SYNs. */
const OPENING_MAX = 100;
/** A lost connection is opened again after this time. */
export const REOPEN_MS = 50;
/** How long opening a connection for the first time may take. */
export const OPEN_WITHIN_MS = 15_000;

export async function openAll(openings: readonly (() => Promise<void>)[]): Promise<void> {
  let next = 0;
  const opener = async (): Promise<void> => {
    for (let open = openings[next++]; open !== undefined; open = openings[next++]) await open();
  };
  await Promise.all(Array.from({ length: Math.min(OPENING_MAX, openings.length) }, opener));
}

/** The node for connection number `at`. */
export function portOf(ports: readonly number[], at: number): number {
  return ports[at % ports.length] ?? 0;
}

/** Rejects if the promise takes longer. */
export function within<Result>(ms: number, what: string, promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
