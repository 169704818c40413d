/** The order in which the runner starts test files: the longest first, so that the end of a run is not one file alone. */
import { sep } from 'node:path';

/** Files that take more than some ten seconds, the longest first. A test holds that each exists. */
export const LONGEST: readonly string[] = [
  'programs/many-nodes',
  'programs/connected',
  'programs/web-languages',
  'programs/web-looks',
  'programs/web',
  'programs/webhooks-nodes',
  'programs/connected',
  'programs/web-people',
  'processes/race',
  'processes/workers',
  'programs/web-home',
  'pure/device-machine',
  'programs/web-fleet',
  'processes/crash',
  'sockets/provider-sign-in',
  'sockets/provider-sign-in-independent',
  'processes/mqtt-half-open',
  'processes/start',
  'processes/workers-start',
  'sim/sim',
  'pure/rest-access',
  'programs/redis-store',
  'processes/path-prefix',
  'processes/demo',
  'processes/operations',
  'processes/webhooks-crash',
  'sim/plants',
  'processes/bench-programs',
  'programs/node-faults',
  'processes/workers-health',
  'processes/backup',
  'programs/golden-redis',
  'processes/generated-client',
  'processes/tokens-at-rest',
  'processes/store-full-disk',
  'processes/damaged-file',
  'processes/store-lmdb',
  'programs/store-redis-cluster',
  'pure/alarms',
  'programs/store-redis-faults',
  'programs/mqtt-broker',
  'programs/mqtt-bridge',
  'programs/redis-counters',
  'programs/wire-facts',
  'programs/store-redis-nodes',
];

/** A copy in that order; files that are not listed come last, as they were. */
export function longestFirst(paths: readonly string[]): string[] {
  const rank = (path: string): number => {
    const at = LONGEST.indexOf(path.replaceAll(sep, '/').replace(/\.test\.[jt]s$/, ''));
    return at === -1 ? LONGEST.length : at;
  };
  return [...paths].sort((one, other) => rank(one) - rank(other));
}
