/** For scenarios that look into the server's process, end it or look at its files: it must be one of our own. */
import type { Settings } from '../settings.ts';

export function ownServerOnly({ target, nodes }: Settings): string | undefined {
  if (target !== undefined) return 'needs a server that the bench starts itself';
  if (nodes > 1) return 'looks at one server';
  return undefined;
}

/** And what it keeps must be there when it is started again. */
export function ownDurableServer(settings: Settings): string | undefined {
  return ownServerOnly(settings) ?? (settings.store === 'memory' ? 'needs a store that survives' : undefined);
}

/** Numbers of devices to look at, a tenfold from one to the next. */
export function levels(smallest: number, largest: number): number[] {
  const all: number[] = [];
  for (let level = smallest; level < largest; level *= 10) all.push(level);
  return [...all, largest];
}

export const withDevices = (devices: number): string => `${devices.toLocaleString('en')} devices`;
