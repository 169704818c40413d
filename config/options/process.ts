/** The first start, the store, and the process itself. */
import { choice, count, flag, millis, section, text } from './declare.ts';

export const install = section('First start', {
  sysadminPassword: text({
    key: 'install.sysadmin_password',
    env: 'SYSADMIN_PASSWORD',
    default: undefined,
    secret: true,
    why: 'Password of sysadmin@thingsboard.org when it is created. Without it a random one is printed once.',
  }),
  loadDemo: flag({
    key: 'install.load_demo',
    env: 'LOAD_DEMO',
    default: false,
    why: "Adds ThingsBoard's demo tenant, customers, users and devices, with their well-known passwords: never in production. Also --demo.",
  }),
});

export const store = section('Store', {
  dataDir: text({
    key: 'data.dir',
    env: 'DATA_DIR',
    default: './data',
    pattern: /^[^\0]+$/u,
    expected: 'a path',
    why: 'Folder of the database and of the keys made here; back it up as a whole. One server at a time may use it.',
  }),
  url: text({
    key: 'store.url',
    env: 'STORE_URL',
    default: undefined,
    pattern: /^(memory:|lmdb:.+|rediss?(-cluster)?:\/\/.+)$/u,
    expected: 'memory:, lmdb:PATH, redis://HOST:PORT or redis-cluster://HOST:PORT,HOST:PORT',
    secret: true,
    why: 'Where records are kept: lmdb:PATH, redis://[user:password@]host[:port][/database], redis-cluster://host:port,host:port (with TLS rediss:// and rediss-cluster://), or memory: (nothing survives the process). Without it LMDB in the data folder.',
  }),
});

export const system = section('Process', {
  workers: count({
    key: 'system.workers',
    env: 'WORKERS',
    default: 1,
    min: 1,
    max: 256,
    why: 'Processes that share the work and the ports: one per core at most. Limits on connections and device actors are for each of them.',
  }),
  drainMs: millis({
    key: 'system.drain_timeout',
    env: 'DRAIN_TIMEOUT',
    default: 8000,
    min: 0,
    why: 'After SIGTERM, how long claims under way may take before connections are closed on them.',
  }),
  auditLogEnabled: flag({
    key: 'audit-log.enabled',
    env: 'AUDIT_LOG_ENABLED',
    default: true,
    why: 'Whether an audit trail is written. What devices did while it was off is made up for when it is on again; logins and refused claims are not.',
  }),
  logLevel: choice({
    key: 'log.level',
    env: 'LOG_LEVEL',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    why: 'The least severe level that is logged.',
  }),
});
