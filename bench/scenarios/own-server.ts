/** For scenarios that watch the server's process, kill it or read its files: the bench must have started it. */
import type { Settings } from '../settings.ts';

export function ownServerOnly({ target, nodes }: Settings): string | undefined {
  if (target !== undefined) return 'needs a server that the bench starts itself';
  if (nodes > 1) return 'looks at one server';
  return undefined;
}

/** Its data must also survive a restart. */
export function ownDurableServer(settings: Settings): string | undefined {
  return ownServerOnly(settings) ?? (settings.store === 'memory' ? 'needs a store that survives' : undefined);
}

/** Numbers of devices, each ten times the one before. */
export function levels(smallest: number, largest: number): number[] {
  const all: number[] = [];
  for (let level = smallest; level < largest; level *= 10) all.push(level);
  return [...all, largest];
}

export const withDevices = (devices: number): string => `${devices.toLocaleString('en')} devices`;
