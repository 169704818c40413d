/** The first start, the store, and the process itself. */
import { choice, count, flag, integer, millis, section, text } from './declare.ts';

export const install = section('First start', {
  sysadminPassword: text({
    key: 'install.sysadmin_password',
    env: 'SYSADMIN_PASSWORD',
    default: undefined,
    secret: true,
    why: 'Password for sysadmin@thingsboard.org at its creation. By default a random one is printed once.',
  }),
  loadDemo: flag({
    key: 'install.load_demo',
    env: 'LOAD_DEMO',
    default: false,
    why: "Adds ThingsBoard's demo tenant, customers, users and devices with their well-known passwords, and lets these passwords work. Then the server listens on 127.0.0.1 unless an address is given. Never use it in production. Also --demo.",
  }),
  demoPublic: flag({
    key: 'install.demo_public',
    env: 'LOAD_DEMO_PUBLIC',
    default: false,
    why: 'Whether a server that holds accounts of the demo may listen beyond its own machine, where everybody can log in as administrator. Also --demo-public.',
  }),
});

export const store = section('Store', {
  dataDir: text({
    key: 'data.dir',
    env: 'DATA_DIR',
    default: './data',
    pattern: /^[^\0]+$/u,
    expected: 'a path',
    why: 'Folder of the database and the generated keys. Back it up with the command backup. Only one server at a time may use it.',
  }),
  url: text({
    key: 'store.url',
    env: 'STORE_URL',
    default: undefined,
    pattern: /^(memory:|lmdb:.+|rediss?(-cluster)?:\/\/.+)$/u,
    expected: 'memory:, lmdb:PATH, redis://HOST:PORT or redis-cluster://HOST:PORT,HOST:PORT',
    secret: 'in-url',
    why: 'Where data is kept: lmdb:PATH, redis://[user:password@]host[:port][/database], redis-cluster://host:port,host:port (with TLS rediss:// and rediss-cluster://), or memory: (lost when the process ends). By default LMDB in the data folder.',
  }),
});

export const system = section('Process', {
  workers: count({
    key: 'system.workers',
    env: 'WORKERS',
    default: 1,
    min: 1,
    max: 256,
    why: 'Processes that share the work and the ports, at most one per core. Limits on connections and device actors apply to each of them.',
  }),
  drainMs: millis({
    key: 'system.drain_timeout',
    env: 'DRAIN_TIMEOUT',
    default: 8000,
    min: 0,
    why: 'After SIGTERM, how long claims in flight may take before their connections are closed.',
  }),
  windowEventsMs: millis({
    key: 'store.windowEvents.keep',
    env: 'STORE_WINDOW_EVENTS_KEEP',
    default: 7 * 86_400_000,
    min: 0,
    why: 'How long events of claim windows and of refused claims stay in the event log; the audit trail has them before they go. Events that change a device or its owner stay for ever.',
  }),
  auditLogEnabled: flag({
    key: 'audit-log.enabled',
    env: 'AUDIT_LOG_ENABLED',
    default: true,
    why: 'Whether an audit trail is written. What devices did while it was off is added when it is on again. Logins and refused claims are not.',
  }),
  auditKeepMs: integer({
    key: 'audit-log.keep',
    env: 'AUDIT_LOG_KEEP',
    unit: 'ms',
    default: 0,
    min: 0,
    max: 3_153_600_000_000,
    why: 'How long entries of the audit trail are kept, at least; older ones are let go of once an hour, 200 at a time. What is left is still a hash chain. 0: for ever.',
  }),
  auditKeepEntries: count({
    key: 'audit-log.keepEntries',
    env: 'AUDIT_LOG_KEEP_ENTRIES',
    default: 0,
    min: 0,
    max: 1_000_000_000,
    why: 'Entries that are kept of each tenant, at least; an entry takes some 300 bytes. Of older ones up to as many again are kept (20000 at most), shared out among users, customers and devices by what they did: whoever does the same all day pushes out only what is its own. 0: all.',
  }),
  logLevel: choice({
    key: 'log.level',
    env: 'LOG_LEVEL',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    why: 'Least severe level that is logged.',
  }),
  logFormat: choice({
    key: 'log.format',
    env: 'LOG_FORMAT',
    choices: ['json', 'ecs'],
    default: 'json',
    why: 'How a log line looks: `json`, or `ecs` for the Elastic Common Schema. `config/LOG.md` has the fields of both.',
  }),
});
