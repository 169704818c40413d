/** What the bench and its generator processes say to each other. */
import type { Job } from '../contract.ts';

export type ToWorker =
  | { readonly type: 'prepare'; readonly job: Job; readonly seed: number }
  /** All begin at the same instant (epoch ms). */
  | { readonly type: 'go'; readonly at: number }
  /** Ends the load before its time. */
  | { readonly type: 'halt' }
  /** Lets go of connections that were held. */
  | { readonly type: 'release' };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'tick'; readonly tick: WorkerTick }
  /** The measured time is over; what is under way is still waited for. */
  | { readonly type: 'measured' }
  | { readonly type: 'done'; readonly result: WorkerResult }
  | { readonly type: 'failed'; readonly why: string };

export interface WorkerTick {
  /** Ms since the measured time began, at the end of this tick. */
  readonly at: number;
  readonly ms: number;
  readonly right: number;
  readonly refused: number;
  /** Encoded, two digits. */
  readonly latency: string;
  /** Share of all subjects, or of the time, that is behind us. */
  readonly progress: number;
}

export interface WorkerResult {
  readonly operations: number;
  readonly measuredMs: number;
  /** Encoded. */
  readonly total: string;
  readonly steps: readonly string[];
  readonly refused: { readonly [kind: string]: number };
  readonly wrong: { readonly [kind: string]: number };
  readonly kept: readonly number[];
  readonly cpuShare: number;
  /** How late the generator began what was due and had a free lane. Encoded. */
  readonly late: string;
}
