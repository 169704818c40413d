/**
 * node:cluster hands a connection to a worker and keeps it until the worker says that it has it. A worker that is
 * killed in between never says so, and Node (20 to 24) then keeps the connection for ever: its client would wait until
 * it loses patience. So what was handed over and not confirmed is closed when the worker is gone; its client then
 * connects again.
 *
 * What is watched for this (`newconn`, `seq`, `ack`) is how cluster speaks to its workers, not documented. Should it
 * change, nothing is recognised any more, and all is as it was without this file.
 */
import type { Worker } from 'node:cluster';

interface Handle {
  close(): void;
}

/** @returns closes what the worker has not confirmed: to be called when it is gone */
export function watchHandedOver({ process: child }: Worker): () => void {
  const unconfirmed = new Map<unknown, Handle>();
  const send = child.send.bind(child) as (...all: unknown[]) => boolean; // cluster's own use of it
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
