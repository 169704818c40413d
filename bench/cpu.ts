/** How much processor time a process has used, all its threads together, in seconds. From /proc: Linux only. */
import { readFileSync } from 'node:fs';

/** Linux counts processor time in ticks of this many per second (`getconf CLK_TCK`), everywhere. */
const TICKS_PER_SECOND = 100;

export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may hold spaces; the times are fields 14 and 15 of the whole line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
