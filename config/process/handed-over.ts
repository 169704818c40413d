/**
 * Closes connections that a dead worker never took. node:cluster keeps a connection open until the worker confirms it.
 * If the worker is killed before that, Node (20 to 24) keeps the connection for ever and its client waits for nothing.
 * Once closed, the client connects again.
 *
 * This watches messages that Node does not document (`newconn`, `seq`, `ack`). Should they change, this file does
 * nothing any more, and test/processes/canary.test.ts fails.
 */
import type { Worker } from 'node:cluster';

interface Handle {
  close(): void;
}

/** @returns closes the connections that the worker has not confirmed; to be called when it has exited */
export function watchHandedOver({ process: child }: Worker): () => void {
  const unconfirmed = new Map<unknown, Handle>();
  const send = child.send.bind(child) as (...all: unknown[]) => boolean; // with the arguments that cluster passes
  child.send = (...all: unknown[]) => {
    const [message, handle] = all;
    if (isHandle(handle) && fieldOf(message, 'act') === 'newconn') {
      unconfirmed.set(fieldOf(message, 'seq'), handle);
    }
    return send(...all);
  };
  child.on('internalMessage', (message: unknown) => {
    const confirmed = fieldOf(message, 'ack');
    if (confirmed !== undefined) unconfirmed.delete(confirmed);
  });
  return () => {
    for (const handle of unconfirmed.values()) handle.close();
    unconfirmed.clear();
  };
}

function fieldOf(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null ? Reflect.get(message, name) : undefined;
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';
}
