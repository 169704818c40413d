/** The order in which the runner starts test files: the longest first, so that the end of a run is not one file alone. */
import { sep } from 'node:path';

/** Files that take more than some ten seconds, the longest first. A test holds that each exists. */
export const LONGEST: readonly string[] = [
  'programs/many-nodes',
  'programs/connected',
  'programs/web',
  'processes/workers',
  'pure/device-machine',
  'programs/webhooks-nodes',
  'programs/web-looks',
  'programs/web-languages',
  'processes/race',
  'sockets/provider-sign-in',
  'sim/sim',
  'processes/start',
  'pure/rest-access',
  'processes/crash',
  'programs/web-home',
  'programs/golden-redis',
  'programs/redis-store',
  'processes/path-prefix',
  'processes/workers-start',
  'processes/operations',
  'processes/bench-programs',
  'processes/demo',
  'programs/web-people',
  'programs/web-fleet',
  'processes/workers-health',
  'processes/metrics',
  'processes/backup',
  'sockets/provider-sign-in-independent',
  'programs/node-faults',
  'processes/webhooks-crash',
  'processes/damaged-file',
  'processes/verify',
  'processes/api-clients',
  'processes/tokens-at-rest',
  'processes/store-lmdb',
  'processes/store-full-disk',
  'programs/store-redis-cluster',
  'processes/generated-client',
  'sim/plants',
  'processes/login-flood',
  'processes/drop-second-factor',
  'pure/web-fleet',
  'processes/sign-up',
  'processes/live',
  'programs/mail-nodes',
  'pure/rest-sessions',
  'sockets/mail',
  'sockets/webhooks',
  'programs/store-redis-faults',
  'processes/key-rotation',
  'programs/mqtt-broker',
  'sockets/mqtt-half-open',
  'programs/mqtt-bridge',
  'processes/ownership-restart',
  'processes/store-lmdb-panic',
  'programs/wire-facts',
  'processes/log-stream',
  'processes/golden',
  'sockets/external-tokens',
  'processes/mqtt-half-open',
  'pure/rest-losses',
  'pure/alarms',
  'programs/redis-counters',
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
