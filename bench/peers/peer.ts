/** Somebody else who does part of the same work, measured in the same run: how far is it to what it could cost? */
import type { Step } from '../contract.ts';
import type { Watched } from '../measure/watch.ts';

export interface Peer {
  readonly name: PeerName;
  /** Its processes; the one that answers first. */
  readonly watched: Watched;
  /** The same step at the peer's; undefined where it has nothing to compare. */
  translate(step: Step): Step | undefined;
  /** Whether a step changes something there, so that steps before and after are needed too. */
  readonly keepsState: boolean;
  stop(): Promise<void>;
}

export const PEERS = ['mosquitto', 'hono', 'redis'] as const;
export type PeerName = (typeof PEERS)[number];

/** What is seen of a process that has no probe. */
export function seen(pid: number, beside: Watched['beside'] = []): Watched {
  const probe = { ask: () => Promise.resolve(undefined) };
  return { nodes: [{ pid, probe }], beside, commits: () => Promise.resolve(undefined) };
}
