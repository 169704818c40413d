/** Redis as the store of many nodes; only with a `store.url` that names one. */
import { count, flag, millis, section, text } from './declare.ts';

const path = { default: undefined, pattern: /^[^\0]+$/u, expected: 'a path' } as const;

export const redis = section('Redis', {
  username: text({
    key: 'redis.username',
    env: 'REDIS_USERNAME',
    default: undefined,
    why: 'User of Redis, where it is not in store.url.',
  }),
  password: text({
    key: 'redis.password',
    env: 'REDIS_PASSWORD',
    default: undefined,
    secret: true,
    why: 'Its password, where it is not in store.url.',
  }),
  caFile: text({
    key: 'redis.ssl.ca_file',
    env: 'REDIS_SSL_CA',
    ...path,
    why: 'PEM file of the authorities that a Redis reached by rediss:// may be certified by. Without it those that Node knows.',
  }),
  certFile: text({
    key: 'redis.ssl.cert_file',
    env: 'REDIS_SSL_CERT',
    ...path,
    why: 'PEM file of the certificate that is shown to Redis, where it asks for one.',
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
    why: 'Whether the certificate of Redis must be good; false lets anybody between read and change everything.',
  }),
  prefix: text({
    key: 'redis.prefix',
    env: 'REDIS_PREFIX',
    default: 'claimd',
    pattern: /^[A-Za-z0-9_.-]{1,64}$/,
    expected: '1 to 64 letters, digits, or . _ -',
    why: 'What all keys begin with: several installations can share a Redis. Do not change it once there are devices.',
  }),
  partitions: count({
    key: 'redis.partitions',
    env: 'REDIS_PARTITIONS',
    default: 32,
    min: 1,
    max: 1024,
    why: 'Into how many slots of a cluster the devices are spread; counts at the first start only. Several per master.',
  }),
  connectTimeoutMs: millis({
    key: 'redis.connect_timeout',
    env: 'REDIS_CONNECT_TIMEOUT',
    default: 10_000,
    min: 100,
    why: 'How long the start waits for Redis before it gives up.',
  }),
  commandTimeoutMs: millis({
    key: 'redis.command_timeout',
    env: 'REDIS_COMMAND_TIMEOUT',
    default: 2_000,
    min: 10,
    why: 'After so long without an answer of Redis a request is answered "unavailable" (503).',
  }),
  waitingMax: count({
    key: 'redis.max_waiting',
    env: 'REDIS_MAX_WAITING',
    default: 50_000,
    min: 100,
    max: 1_000_000,
    why: 'Commands that may wait for an answer of Redis; beyond it the answer is "unavailable" (503) at once.',
  }),
});
