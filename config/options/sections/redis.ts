/** Redis as the store of several nodes. Read only with a `store.url` that names one. */
import { count, flag, millis, section, text } from './declare.ts';

const path = { default: undefined, pattern: /^[^\0]+$/u, expected: 'a path' } as const;

export const redis = section('Redis', {
  username: text({
    key: 'redis.username',
    env: 'REDIS_USERNAME',
    default: undefined,
    why: 'Redis user, if it is not in store.url.',
  }),
  password: text({
    key: 'redis.password',
    env: 'REDIS_PASSWORD',
    default: undefined,
    secret: true,
    why: 'Its password, if it is not in store.url.',
  }),
  caFile: text({
    key: 'redis.ssl.ca_file',
    env: 'REDIS_SSL_CA',
    ...path,
    why: 'PEM file of the authorities that may sign the certificate of Redis (rediss://). By default those that Node.js trusts.',
  }),
  certFile: text({
    key: 'redis.ssl.cert_file',
    env: 'REDIS_SSL_CERT',
    ...path,
    why: 'PEM file of the client certificate, if Redis asks for one.',
  }),
  keyFile: text({
    key: 'redis.ssl.key_file',
    env: 'REDIS_SSL_KEY',
    ...path,
    why: 'PEM file of its private key.',
  }),
  verify: flag({
    key: 'redis.ssl.verify',
    env: 'REDIS_SSL_VERIFY',
    default: true,
    why: 'Whether the certificate of Redis must be valid. If false, anybody between can read and change everything.',
  }),
  prefix: text({
    key: 'redis.prefix',
    env: 'REDIS_PREFIX',
    default: 'claimd',
    pattern: /^[A-Za-z0-9_.-]{1,64}$/,
    expected: '1 to 64 letters, digits, or . _ -',
    why: 'Prefix of all keys, so that several installations can share a Redis. Do not change it once there are devices.',
  }),
  partitions: count({
    key: 'redis.partitions',
    env: 'REDIS_PARTITIONS',
    default: 32,
    min: 1,
    max: 1024,
    why: 'Number of cluster slots over which the devices are spread, several per master. Only the first start reads it.',
  }),
  connectTimeoutMs: millis({
    key: 'redis.connect_timeout',
    env: 'REDIS_CONNECT_TIMEOUT',
    default: 10_000,
    min: 100,
    why: 'How long the start waits for Redis.',
  }),
  commandTimeoutMs: millis({
    key: 'redis.command_timeout',
    env: 'REDIS_COMMAND_TIMEOUT',
    default: 2_000,
    min: 10,
    why: 'How long Redis may take to answer. After that a request is answered "unavailable" (503).',
  }),
  waitingMax: count({
    key: 'redis.max_waiting',
    env: 'REDIS_MAX_WAITING',
    default: 50_000,
    min: 100,
    max: 1_000_000,
    why: 'Commands that may wait for an answer of Redis. Beyond that a request is answered "unavailable" (503) at once.',
  }),
});
