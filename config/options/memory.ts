/** How much memory there is, and how many device actors may be kept in it where nobody says. */
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** All in bytes. */
export interface Memory {
  readonly machine: number;
  /** What the process and its like may use together (a container's limit); 0, or more than the machine has: there is no limit. */
  readonly allowed: number;
  /** How large V8 lets the heap of one process grow. */
  readonly heap: number;
}

export function memoryOfProcess(): Memory {
  return {
    machine: totalmem(),
    allowed: process.constrainedMemory(),
    heap: getHeapStatistics().heap_size_limit,
  };
}

/** What a device actor at rest takes, rounded up: 824 to 900 were measured, with a name and a token of usual length. */
export const RESIDENT_BYTES = 1024;
/** So much of what a process may use is for them. */
const SHARE = 1 / 16;
/** No fewer: as many as there may be commands in flight, each for another device. They take 20 MB. */
const LEAST = 20_000;
/**
 * No more, though each that is there saves coming up. A large collection of garbage goes through all of them, and the process
 * stands still meanwhile: with so many for up to twice as long as with a fourth of them.
 */
const GREATEST = 200_000;

/** @param workers processes that share the memory; each has a heap of its own */
export function residentsFor({ machine, allowed, heap }: Memory, workers: number): number {
  const forAll = allowed > 0 ? Math.min(machine, allowed) : machine;
  const forThem = Math.min(forAll / workers, heap) * SHARE;
  return Math.min(GREATEST, Math.max(LEAST, Math.floor(forThem / RESIDENT_BYTES / 1000) * 1000));
}
