/** Processor time and memory of processes, from Linux's /proc. On other systems: undefined. */
import { readdirSync, readFileSync } from 'node:fs';

/** Processor time is in ticks of this many per second (`getconf CLK_TCK`) on every Linux. */
const TICKS_PER_SECOND = 100;

export interface Usage {
  readonly cpuSeconds: number;
  readonly rssMb: number;
  /** Private memory (RssAnon): without mapped files, which are page cache. */
  readonly privateMb: number;
}

/** Of a process and its children, also of those that have ended. Undefined if it is gone. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const own = usage(pid);
    return childrenOf(pid).reduce((sum, child) => add(sum, usageOf(child)), own);
  } catch {
    return undefined; // gone, or there is no /proc
  }
}

export interface ThreadTimes {
  /** Processor time of all threads that live, and of the first one, in ns. */
  readonly allNs: number;
  readonly mainNs: number;
}

/** Finer than `usageOf`, for bursts of some ms. Undefined if it is gone, or the kernel keeps no such account. */
export function threadTimes(pid: number): ThreadTimes | undefined {
  try {
    const times = readdirSync(`/proc/${pid}/task`).map((task) => ({ task, ns: nsOf(pid, task) }));
    const mainNs = times.find(({ task }) => task === String(pid))?.ns ?? Number.NaN;
    return { allNs: times.reduce((sum, { ns }) => sum + ns, 0), mainNs };
  } catch {
    return undefined;
  }
}

function nsOf(pid: number, task: string): number {
  return Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
}

/** How many files a process that is started from here may open; Node raises the soft limit to the hard one. */
export function filesMax(): number | undefined {
  try {
    const limit = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined; // there is no /proc
  }
}

/** Files and sockets that a process and its children have open; 0 if they cannot be seen. */
export function openFiles(pid: number): number {
  try {
    return childrenOf(pid).reduce(
      (sum, child) => sum + openFiles(child),
      readdirSync(`/proc/${pid}/fd`).length,
    );
  } catch {
    return 0; // gone, or there is no /proc
  }
}

export function add(a: Usage, b: Usage | undefined): Usage {
  if (b === undefined) return a;
  return {
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    rssMb: a.rssMb + b.rssMb,
    privateMb: a.privateMb + b.privateMb,
  };
}

function usage(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may hold spaces. The times are fields 14 and 15 of the whole line, and those of children that
  // have ended 16 and 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return {
    cpuSeconds: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND,
    rssMb: mb('VmRSS'),
    privateMb: mb('RssAnon'),
  };
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}
