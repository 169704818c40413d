/** Divides a load between generator processes, and chooses the device of each operation. */
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Job, Subjects } from '../contract.ts';

/** Part `index` of `parts` of a job. */
export function share(job: Job, index: number, parts: number): Job {
  const cut = (total: number, at: number) => Math.floor((total * at) / parts);
  const firstConnection = cut(job.connections, index);
  const connections = cut(job.connections, index + 1) - firstConnection;
  const { subjects, pace } = job;
  const first = subjects.type === 'lane' ? firstConnection : cut(subjects.count, index);
  const count = subjects.type === 'lane' ? connections : cut(subjects.count, index + 1) - first;
  return {
    ...job,
    connections,
    subjects: { ...subjects, from: subjects.from + first * (subjects.stride ?? 1), count },
    pace: pace.type === 'open' ? { ...pace, perSecond: pace.perSecond / parts } : pace,
  };
}

export interface Subject {
  readonly n: number;
  readonly rival: number;
  /** What a step before read from its answer. */
  readonly code?: string;
  /** The device's token by now, where its job says the first one. */
  readonly token?: string;
}

/** Returns a function for the next device on a lane; it returns undefined when all had their turn. */
export function turns(subjects: Subjects, inflight: number): (lane: number) => Subject | undefined {
  const { type, from, count, rivals = 1, stride = 1, times = Number.POSITIVE_INFINITY } = subjects;
  let next = 0;
  switch (type) {
    case 'lane': {
      const had = new Map<number, number>();
      return (lane) => {
        if (times !== Number.POSITIVE_INFINITY) {
          const before = had.get(lane) ?? 0;
          if (before === times) return undefined;
          had.set(lane, before + 1);
        }
        return { n: from + Math.floor(lane / inflight), rival: 0 };
      };
    }
    case 'once':
      return () => {
        if (next === count * rivals) return undefined;
        const turn = next++;
        return { n: from + Math.floor(turn / rivals) * stride, rival: turn % rivals };
      };
    case 'cycle':
      return () => {
        const turn = next++;
        return { n: from + (Math.floor(turn / rivals) % count) * stride, rival: turn % rivals };
      };
    default:
      return unreachable(type);
  }
}
