/** The order in which the runner starts test files: the longest first, so that the end of a run is not one file alone. */
import { sep } from 'node:path';

/** Files that take more than some ten seconds, the longest first. A test holds that each exists. */
export const LONGEST: readonly string[] = [
  'processes/race',
  'programs/many-nodes',
  'programs/web',
  'processes/workers',
  'programs/node-faults',
  'programs/redis-store',
  'pure/device-machine',
  'processes/crash',
  'programs/store-redis-cluster',
  'processes/start',
  'programs/store-redis-nodes',
  'programs/store-redis-faults',
  'sim/sim',
  'processes/operations',
  'programs/mqtt-bridge',
  'programs/mqtt-broker',
  'programs/store-redis-cuts',
  'programs/wire-facts',
];

/** A copy in that order; files that are not listed come last, as they were. */
export function longestFirst(paths: readonly string[]): string[] {
  const rank = (path: string): number => {
    const at = LONGEST.indexOf(path.replaceAll(sep, '/').replace(/\.test\.[jt]s$/, ''));
    return at === -1 ? LONGEST.length : at;
  };
  return [...paths].sort((one, other) => rank(one) - rank(other));
}
