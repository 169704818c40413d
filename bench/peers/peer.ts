/** Another program that does part of the same work, measured in the same run to compare with. */
import type { Step } from '../contract.ts';
import type { Watched } from '../measure/watch.ts';
import { unprobed } from '../targets/target.ts';

export interface Peer {
  readonly name: PeerName;
  /** What its acknowledgement promises, for people. */
  readonly durability: string;
  /** Its processes; the first one answers. */
  readonly watched: Watched;
  /** The same step for the peer; undefined if it has nothing comparable. */
  translate(step: Step): Step | undefined;
  /** Whether its steps change state, so that the steps before and after are needed too. */
  readonly keepsState: boolean;
  stop(): Promise<void>;
}

export const PEERS = ['mosquitto', 'hono', 'redis'] as const;
export type PeerName = (typeof PEERS)[number];

/** A process without a probe, to watch from outside. */
export function withoutProbe(pid: number, beside: Watched['beside'] = []): Watched {
  return { nodes: [unprobed(pid)], beside, commits: () => Promise.resolve(undefined) };
}
