/** The messages between the bench and its generator processes. */
import type { Job } from '../contract.ts';

export type ToWorker =
  | { readonly type: 'prepare'; readonly job: Job; readonly seed: number }
  /** All begin at the same instant (epoch ms). */
  | { readonly type: 'go'; readonly at: number }
  /** Ends the load early. */
  | { readonly type: 'halt' }
  /** Closes held connections. */
  | { readonly type: 'release' };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'tick'; readonly tick: WorkerTick }
  /** The measured time is over; operations in flight are still awaited. */
  | { readonly type: 'measured' }
  | { readonly type: 'done'; readonly result: WorkerResult }
  | { readonly type: 'failed'; readonly why: string };

export interface WorkerTick {
  /** Ms since the measured time began, at the end of this tick. */
  readonly at: number;
  readonly ms: number;
  readonly right: number;
  readonly refused: number;
  /** An encoded histogram of two digits. */
  readonly latency: string;
  /** The share of the subjects, or of the time, that is done. */
  readonly progress: number;
}

export interface WorkerResult {
  readonly operations: number;
  readonly measuredMs: number;
  /** An encoded histogram. */
  readonly total: string;
  readonly steps: readonly string[];
  readonly refused: { readonly [kind: string]: number };
  readonly wrong: { readonly [kind: string]: number };
  readonly findings: { readonly [kind: string]: number };
  readonly kept: readonly number[];
  readonly cpuShare: number;
  /** How late the generator began operations that had a free lane. An encoded histogram. */
  readonly late: string;
}
