/** Settings: their sources, which one wins, and that every mistake is reported. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDocument } from 'yaml';
import { newId, type TenantId } from '../../actors/base/ids.ts';
import { fromStandardInput, type Loaded, loadConfig, type Sources } from '../../config/options/load.ts';
import { expectation } from '../../config/options/option.ts';
import { ALL_OPTIONS, type Config } from '../../config/options/schema.ts';
import { temporaryFolder } from '../kit/folders.ts';

const yaml = (text: string) => ({ file: { name: 'claimd.yml', text, parseDocument } });
const load = (given: Partial<Sources>): Loaded => loadConfig({ env: {}, flags: [], ...given });

function good(given: Partial<Sources>): Config {
  const loaded = load(given);
  if (loaded.type === 'problems') throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

function bad(given: Partial<Sources>): readonly string[] {
  const loaded = load(given);
  assert.is(loaded.type, 'problems');
  return loaded.type === 'problems' ? loaded.problems : [];
}

const sources = suite('config: sources');

sources('without settings every option has its default, the same as ThingsBoard’s', () => {
  const config = good({});
  assert.is(config.claim.allowClaimingByDefault, true);
  assert.is(config.claim.defaultDurationMs, 86_400_000);
  assert.is(config.http.port, 8080);
  assert.is(config.mqtt.port, 1883);
  assert.is(config.accounts.jwtExpirationSeconds, 9000);
  assert.is(config.store.dataDir, './data');
});

sources('what is shown of an option: its value, the very place it comes from, and never a secret', () => {
  const loaded = load({
    ...yaml('server: {port: 8081}\nweb.name: Lamps'),
    env: {
      WEB_NAME: 'Pumps',
      SYSADMIN_PASSWORD: 'hush-hush-hush',
      STORE_URL: 'redis://me:hush-hush@redis.test',
      SECURITY_CLAIM_POLICY_HOOK_URL: 'https://hook.test/ask?code=hush-hush',
      SECURITY_CLAIM_POLICY_HOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
    },
    flags: [{ key: 'coap.bind_port', value: '5684' }],
  });
  if (loaded.type === 'problems') throw new Error(loaded.problems.join('\n'));
  const shown = (key: string) => {
    const { source, where, value, hidden } = loaded.shown.find((option) => option.key === key) ?? {};
    return { source, where, value, hidden };
  };
  assert.equal(shown('server.port'), {
    source: 'FILE',
    where: 'server.port in claimd.yml',
    value: '8081',
    hidden: false,
  });
  assert.equal(shown('web.name'), {
    source: 'ENVIRONMENT',
    where: 'WEB_NAME in the environment',
    value: 'Pumps',
    hidden: false,
  });
  assert.equal(shown('coap.bind_port'), {
    source: 'COMMAND_LINE',
    where: '--coap.bind_port',
    value: '5684',
    hidden: false,
  });
  assert.equal(shown('transport.mqtt.bind_port'), {
    source: 'DEFAULT',
    where: null,
    value: '1883',
    hidden: false,
  });
  assert.equal(shown('web.logo'), { source: 'DEFAULT', where: null, value: null, hidden: false });
  for (const key of ['install.sysadmin_password', 'store.url', 'security.claim.policyHook.url']) {
    const { source, value, hidden } = shown(key);
    assert.equal({ source, value, hidden }, { source: 'ENVIRONMENT', value: null, hidden: true }, key);
  }
  assert.is(loaded.shown.length, ALL_OPTIONS.length);
  assert.not.match(JSON.stringify(loaded.shown), 'hush');
});

sources('what the demo sets is shown as such', () => {
  const loaded = load({ env: { LOAD_DEMO: 'true' } });
  if (loaded.type === 'problems') throw new Error(loaded.problems.join('\n'));
  const ofDemo = loaded.shown.filter(({ source }) => source === 'DEMO').map(({ key }) => key);
  assert.ok(ofDemo.includes('server.address'), String(ofDemo));
});

sources('the demo listens on this machine alone, unless it is public or an address is given', () => {
  const addresses = (env: Record<string, string>) => {
    const { http, mqtt, coap } = good({ env });
    return [http.address, mqtt.bindAddress, mqtt.sslBindAddress, coap.bindAddress];
  };
  const [own, all] = ['127.0.0.1', '0.0.0.0'];
  assert.equal(addresses({}), [all, all, all, all]);
  assert.equal(addresses({ LOAD_DEMO: 'true' }), [own, own, own, own]);
  assert.equal(addresses({ LOAD_DEMO: 'true', LOAD_DEMO_PUBLIC: 'true' }), [all, all, all, all]);
  assert.equal(addresses({ LOAD_DEMO: 'true', HTTP_BIND_ADDRESS: '::1' }), ['::1', own, own, own]);
  const off = { LOAD_DEMO: 'true', MQTT_ENABLED: 'false', MQTT_BIND_ADDRESS: all };
  assert.is(good({ env: off }).mqtt.bindAddress, all, 'a door that is closed is none');
});

sources('nested and dotted YAML keys mean the same', () => {
  const nested = good(yaml('security:\n  claim:\n    duration: 1000\n    allowClaimingByDefault: false\n'));
  const dotted = good(yaml('security.claim.duration: 1000\nsecurity.claim.allowClaimingByDefault: false\n'));
  const mixed = good(
    yaml('security:\n  claim.duration: 1000\nsecurity.claim:\n  allowClaimingByDefault: false\n'),
  );
  assert.is(nested.claim.defaultDurationMs, 1000);
  assert.is(nested.claim.allowClaimingByDefault, false);
  assert.equal(dotted, nested);
  assert.equal(mixed, nested);
});

sources('the base URL is an origin and a path prefix, and links follow it without a second slash', () => {
  const base = (HTTP_BASE_URL: string) => good({ env: { HTTP_BASE_URL } }).http.baseUrl;
  assert.is(base('https://claim.example.org'), 'https://claim.example.org');
  assert.is(base('https://claim.example.org/'), 'https://claim.example.org');
  assert.is(base('https://Claim.example.org:443/things//'), 'https://claim.example.org/things');
  for (const wrong of [
    'https://a.example/?x=1',
    'https://a.example/#x',
    'https://u@a.example',
    'https://a:b',
    'a.example',
  ]) {
    assert.match(bad({ env: { HTTP_BASE_URL: wrong } })[0] ?? '', /without query and fragment/, wrong);
  }
});

sources('device.claim.duration is security.claim.duration', () => {
  assert.is(good(yaml('device.claim.duration: 5')).claim.defaultDurationMs, 5);
  assert.is(
    good(yaml('device: {claim: {duration: 5}}\nsecurity: {claim: {duration: 5}}')).claim.defaultDurationMs,
    5,
  );
});

sources('the command line wins over the environment, the environment over the file', () => {
  const file = yaml('server.port: 1');
  const env = { HTTP_BIND_PORT: '2' };
  const flags = [{ key: 'server.port', value: '3' }];
  assert.is(good(file).http.port, 1);
  assert.is(good({ ...file, env }).http.port, 2);
  assert.is(good({ ...file, env, flags }).http.port, 3);
});

sources('an empty environment variable counts as none', () => {
  assert.is(good({ env: { HTTP_BIND_PORT: '', SYSADMIN_PASSWORD: '' } }).http.port, 8080);
});

sources('a ThingsBoard placeholder gives the variable, or what follows the colon', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a YAML placeholder, not a template
  const file = yaml('security.claim.duration: "${WINDOW:7000}"\ndata.dir: "${BASE:/srv}/claimd"');
  assert.is(good(file).claim.defaultDurationMs, 7000);
  assert.is(good(file).store.dataDir, '/srv/claimd');
  assert.is(good({ ...file, env: { WINDOW: '8000' } }).claim.defaultDurationMs, 8000);
});

sources('an empty file and one with only comments are valid', () => {
  assert.equal(good(yaml('')), good({}));
  assert.equal(good(yaml('# nothing yet\nsecurity:\n  claim:\n')), good({}));
});

sources('keys are read from base64 and base64url', () => {
  const bytes = Buffer.alloc(64, 0xfb);
  for (const encoding of ['base64', 'base64url'] as const) {
    assert.equal(
      good({ env: { JWT_TOKEN_SIGNING_KEY: bytes.toString(encoding) } }).accounts.jwtSigningKey,
      bytes,
    );
  }
});

const refusals = suite('config: refusals');

refusals('all problems are reported at once', () => {
  const problems = bad({
    ...yaml('security.claim.duraton: 1\nserver.port: http\n'),
    env: { MQTT_BIND_PORT: '99999', LOG_LEVEL: 'loud' },
    flags: [{ key: 'server.prot', value: '1' }],
  });
  assert.is(problems.length, 5);
  const text = problems.join('\n');
  assert.match(text, 'no option security.claim.duraton in claimd.yml; did you mean security.claim.duration?');
  assert.match(text, 'server.port in claimd.yml must be a whole number from 0 to 65535, not "http"');
  assert.match(text, 'MQTT_BIND_PORT in the environment must be');
  assert.match(text, 'LOG_LEVEL in the environment must be one of trace, debug, info');
  assert.match(text, 'no option server.prot on the command line');
});

refusals('two names of one option with different values', () => {
  const [problem, ...more] = bad(yaml('device.claim.duration: 5\nsecurity.claim.duration: 6'));
  assert.match(problem ?? '', 'are the same option with different values (6 and 5)');
  assert.is(more.length, 0);
});

refusals('a nested and a dotted key with different values', () => {
  assert.match(bad(yaml('server: {port: 1}\nserver.port: 2'))[0] ?? '', 'server.port is given twice');
});

refusals('a bad value is a problem even if a later source overrides it', () => {
  assert.is(bad({ ...yaml('server.port: x'), env: { HTTP_BIND_PORT: '1' } }).length, 1);
});

refusals('YAML that cannot be parsed, or is not a map', () => {
  assert.match(bad(yaml('server: [1'))[0] ?? '', 'claimd.yml is not valid YAML');
  assert.match(bad(yaml('- a\n- b'))[0] ?? '', 'must be a YAML map');
  assert.match(bad(yaml('server.port: 1\nserver.port: 1'))[0] ?? '', 'not valid YAML');
});

refusals('values of the wrong kind, for every option', () => {
  for (const { option } of ALL_OPTIONS) {
    if (option.type === 'text' && option.pattern === undefined) continue; // any text is valid
    const given = option.type === 'text' ? '\u0000' : option.type === 'integer' ? '1.5' : 'no such thing';
    const [problem, ...more] = bad({ flags: [{ key: option.key, value: given }] });
    assert.match(problem ?? '', `--${option.key} must be ${expectation(option)}`);
    assert.is(more.length, 0, option.key);
  }
});

refusals('a default duration above the maximum', () => {
  assert.match(bad({ env: { SECURITY_CLAIM_MAX_DURATION: '1000' } })[0] ?? '', 'must not be above');
});

refusals('values that contradict each other', () => {
  const one = (env: Sources['env']) => bad({ env }).join('\n');
  assert.match(one({ SECURITY_PASSWORD_HASH_COST: '30000' }), 'power of two');
  assert.match(
    one({ SECURITY_PASSWORD_MIN_LENGTH: '20', SECURITY_PASSWORD_MAX_LENGTH: '10' }),
    'must not be above',
  );
  assert.match(
    one({ ACTORS_DEVICE_MAX_IN_FLIGHT: '10' }),
    'actors.alarm.max_fan_out (1000) must not be above',
  );
  assert.match(one({ SYSADMIN_PASSWORD: 'short' }), 'must have 12 to 72 characters, and be neither');
  assert.match(one({ SYSADMIN_PASSWORD: 'sysadmin-2026!' }), 'password-made-of-names');
  assert.match(one({ SYSADMIN_PASSWORD: 'Password2026!' }), 'password-well-known');
  assert.match(one({ SYSADMIN_PASSWORD: 'sysadmin' }), 'one that everybody knows');
  for (const address of ['HTTP_BIND_ADDRESS', 'MQTT_BIND_ADDRESS', 'COAP_BIND_ADDRESS']) {
    const env = { LOAD_DEMO: 'true', [address]: '0.0.0.0' };
    assert.match(one(env), 'others than this machine could reach them');
    assert.is(good({ env: { ...env, LOAD_DEMO_PUBLIC: 'true' } }).install.loadDemo, true);
  }
});

refusals('a secret value is never shown', () => {
  const secret = 'hunt2';
  const text = bad({
    ...yaml(`install.sysadmin_password: ${secret}\nsecurity.jwt.tokenSigningKey: ${secret}`),
    env: { SECURITY_CLAIM_SERVER_KEY: secret },
  }).join('\n');
  assert.not.match(text, secret);
  assert.match(text, 'SECURITY_CLAIM_SERVER_KEY in the environment must be base64 of at least 32 bytes');
});

refusals("ThingsBoard's well-known signing key is refused: it is too short to be one", () => {
  assert.is(bad({ env: { JWT_TOKEN_SIGNING_KEY: 'thingsboardDefaultSigningKey' } }).length, 1);
});

const warnings = suite('config: warnings');

const HERE = { HTTP_BIND_ADDRESS: '::1', MQTT_BIND_ADDRESS: '127.0.0.1', COAP_BIND_ADDRESS: 'localhost' };

warnings('other programs may keep their variables; a near-miss of ours is a warning', () => {
  const loaded = load({
    env: { PATH: '/bin', HTTP_BIND_PROT: '1', COAP_BIND_PORT: '5683', HOME: '/', ...HERE },
  });
  assert.is(loaded.type, 'config');
  if (loaded.type !== 'config') return;
  assert.equal(loaded.warnings.length, 1);
  assert.match(loaded.warnings[0] ?? '', 'HTTP_BIND_PROT means nothing here; did you mean HTTP_BIND_PORT?');
});

/** Of a server whose devices are on this machine, unless `env` says otherwise. */
const warningsOf = (env: Record<string, string>) => {
  const loaded = load({ env: { ...HERE, HTTP_BIND_ADDRESS: '0.0.0.0', ...env } });
  if (loaded.type !== 'config') throw new Error(loaded.problems.join('; '));
  return loaded.warnings;
};

warnings(
  'a variable of ThingsBoard that has no counterpart is told, unless it asks for what is so anyway',
  () => {
    const base = { HTTP_BASE_URL: 'https://claim.example.org' };
    const told = (env: Record<string, string>) => warningsOf({ ...base, ...env });
    for (const env of [
      { ACTORS_MAX_CONCURRENT_SESSION_PER_DEVICE: '3' },
      { MQTT_PROXY_PROTOCOL_ENABLED: 'true' },
      { COAP_DTLS_ENABLED: 'true' },
      { TB_SERVER_REST_LIMITS_TENANT_ENABLED: 'true' },
      { MQTT_SSL_CREDENTIALS_TYPE: 'KEYSTORE' },
    ] as Record<string, string>[]) {
      const [name = ''] = Object.keys(env);
      assert.match(told(env).join(), `${name} is set, and has no effect`);
    }
    for (const env of [
      { ACTORS_MAX_CONCURRENT_SESSION_PER_DEVICE: '1' },
      { MQTT_PROXY_PROTOCOL_ENABLED: 'false' },
      { MQTT_SSL_CREDENTIALS_TYPE: 'PEM' },
      { CACHE_TYPE: 'redis', NETTY_WORKER_GROUP_THREADS: '12' },
    ] as Record<string, string>[])
      assert.equal(told(env), [], JSON.stringify(env));
  },
);

warnings('where others than this machine can reach the server, links need a base URL', () => {
  for (const env of [{ HTTP_BIND_ADDRESS: '0.0.0.0' }, { HTTP_BIND_ADDRESS: '::' }, {}]) {
    assert.match(warningsOf(env).join(), 'no HTTP_BASE_URL is set');
  }
  for (const address of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', '::ffff:127.0.0.1']) {
    assert.equal(warningsOf({ HTTP_BIND_ADDRESS: address }), [], address);
  }
  assert.equal(warningsOf({ HTTP_BASE_URL: 'https://claim.example.org' }), []);
});

warnings('where devices may come from anywhere, what has no TLS is told', () => {
  const told = (env: Record<string, string>) =>
    warningsOf({
      HTTP_BIND_ADDRESS: '::1',
      MQTT_BIND_ADDRESS: '0.0.0.0',
      COAP_BIND_ADDRESS: '::',
      ...env,
    }).join();
  assert.match(told({}), /^MQTT on 0\.0\.0\.0, CoAP on :: may be reached from anywhere and has no TLS/);
  assert.match(told({ MQTT_ENABLED: 'false' }), /^CoAP on :: may/);
  assert.match(told({ COAP_ENABLED: 'false' }), /^MQTT on 0\.0\.0\.0 may/);
  for (const address of ['203.0.114.7', '2a00::1', 'claim.example.org'])
    assert.match(told({ COAP_ENABLED: 'false', MQTT_BIND_ADDRESS: address }), `MQTT on ${address} may`);
  for (const address of ['127.0.0.1', 'localhost', '10.1.2.3', '192.168.1.2', 'fd00::1', '::ffff:10.0.0.1'])
    assert.is(told({ COAP_ENABLED: 'false', MQTT_BIND_ADDRESS: address }), '', address);
  assert.is(told({ MQTT_ENABLED: 'false', COAP_ENABLED: 'false' }), '');
});

warnings('where a device can be taken over by a window, credentials that stay with it are told', () => {
  const told = (env: Record<string, string>) =>
    warningsOf({ HTTP_BIND_ADDRESS: '::1', SECURITY_CLAIM_TAKE_OVER: 'at-once', ...env }).join();
  assert.match(told({}), /^devices can be taken over by a window .* a former owner who has copied them/);
  assert.match(told({ SECURITY_CLAIM_TAKE_OVER: 'after-notice' }), 'devices can be taken over by a window');
  for (const env of [
    { SECURITY_CLAIM_TAKE_OVER: 'never' },
    { SECURITY_CLAIM_ON_OWNER_CHANGE: 'rotate' },
    { SECURITY_CLAIM_ON_OWNER_CHANGE: 'quarantine' },
    { SECURITY_CLAIM_TAKE_OVER_REQUIRES: 'proof' },
    { SECURITY_CLAIM_PROOF: 'required' },
  ] as Record<string, string>[])
    assert.is(told(env), '', JSON.stringify(env));
});

warnings('what does nothing because something else is not set is told', () => {
  const told = (env: Record<string, string>) => warningsOf({ HTTP_BIND_ADDRESS: '::1', ...env });
  const secret = `whsec_${Buffer.alloc(24, 'k').toString('base64')}`;
  const tenant = newId<TenantId>(1);
  const idle: readonly [string, Record<string, string>, Record<string, string>][] = [
    [
      'server.ssl.enabled',
      { SSL_PEM_CERT: 'c', SSL_PEM_KEY: 'k', SSL_PEM_KEY_PASSWORD: 'p' },
      { SSL_ENABLED: 'true' },
    ],
    [
      'transport.mqtt.ssl.enabled',
      { MQTT_SSL_PEM_CERT: 'c', MQTT_SSL_PEM_KEY: 'k', MQTT_SSL_PEM_KEY_PASSWORD: 'p' },
      { MQTT_SSL_ENABLED: 'true', MQTT_SSL_BIND_ADDRESS: '::1' },
    ],
    [
      'transport.mqtt.broker.url',
      {
        MQTT_BROKER_USERNAME: 'u',
        MQTT_BROKER_PASSWORD: 'p',
        MQTT_BROKER_SSL_CA: 'a',
        MQTT_BROKER_SSL_CERT: 'c',
        MQTT_BROKER_SSL_KEY: 'k',
        MQTT_BROKER_SSL_KEY_PASSWORD: 'p',
        MQTT_BROKER_EVENT_TOPIC: 'events/{tenant}',
      },
      { MQTT_BROKER_URL: 'mqtt://localhost' },
    ],
    [
      'mail.host',
      { MAIL_CA: 'a', MAIL_USER: 'u', MAIL_PASSWORD: 'p', MAIL_FROM: 'a@example.org' },
      { MAIL_HOST: 'localhost', HTTP_BASE_URL: 'https://claim.example.org' },
    ],
    ['Redis', { REDIS_USERNAME: 'u', REDIS_PASSWORD: 'p' }, { STORE_URL: 'redis://localhost' }],
    [
      'Redis with TLS',
      { REDIS_SSL_CA: 'a', REDIS_SSL_CERT: 'c', REDIS_SSL_KEY: 'k' },
      { STORE_URL: 'rediss://localhost' },
    ],
    [
      'security.claim.policyHook.url',
      { SECURITY_CLAIM_POLICY_HOOK_SECRET: secret },
      { SECURITY_CLAIM_POLICY_HOOK_URL: 'https://example.org/hook' },
    ],
    [
      'security.sign_up.tenants',
      { SECURITY_SIGN_UP_DOMAINS: 'example.org' },
      { SECURITY_SIGN_UP_TENANTS: tenant },
    ],
    [
      'web.afterClaim.text',
      { WEB_AFTER_CLAIM_LINK: 'https://example.org' },
      { WEB_AFTER_CLAIM_TEXT: 'Done.' },
    ],
    ['metrics.enabled', { METRICS_TOKEN: '0123456789abcdef' }, { METRICS_ENABLED: 'true' }],
  ];
  for (const [needed, env, more] of idle) {
    const keys = Object.keys(env).map(
      (name) => ALL_OPTIONS.find(({ option }) => option.env === name)?.option.key,
    );
    const [only = '', ...others] = told(env);
    assert.equal(others, []);
    assert.ok(only.startsWith(`without ${needed} `), only);
    assert.is(only.split(' nothing is done with ')[1], keys.join(', '));
    assert.equal(told({ ...env, ...more }), [], needed);
  }
});

refusals('a client certificate for Redis and its key belong together', () => {
  for (const name of ['REDIS_SSL_CERT', 'REDIS_SSL_KEY'])
    assert.match(
      bad({ env: { STORE_URL: 'rediss://localhost', [name]: 'file.pem' } }).join(),
      'belong together',
    );
});

sources('origins of pages are a list, as browsers send them', () => {
  const origins = (text: string) => good({ env: { HTTP_CORS_ORIGINS: text } }).http.corsOrigins;
  assert.is(
    origins('https://App.Example, http://localhost:3000/'),
    'https://app.example,http://localhost:3000',
  );
  assert.is(origins('*'), '*');
  for (const text of [
    'app.example',
    'https://a.example/path',
    'https://*.example',
    'null',
    'https://a.example,',
  ])
    assert.match(bad({ env: { HTTP_CORS_ORIGINS: text } }).join(), 'must be origins such as', text);
});

warnings('Redis beyond this machine needs a password and TLS', () => {
  const told = (STORE_URL: string, more = {}) =>
    warningsOf({ HTTP_BIND_ADDRESS: '::1', STORE_URL, ...more }).join();
  assert.match(told('redis://redis.example:6379'), 'without a password and TLS');
  assert.match(told('redis://:hush@redis.example'), /without TLS/);
  assert.not.match(told('redis://:hush@redis.example'), 'hush');
  assert.match(told('rediss-cluster://10.0.0.1:1,10.0.0.2:2'), 'without a password:');
  for (const url of [
    'redis://localhost:6379',
    'redis://127.0.0.1',
    'redis://[::1]:6379',
    'rediss://u:p@far.example',
  ])
    assert.is(told(url), '', url);
  assert.is(told('rediss://far.example', { REDIS_PASSWORD: 'hush' }), '');
});

sources('a secret may stand in a file that a variable names, or come by standard input', () => {
  const file = join(temporaryFolder(), 'secret');
  writeFileSync(file, 'a long pass phrase\n');
  assert.is(good({ env: { SYSADMIN_PASSWORD_FILE: file } }).install.sysadminPassword, 'a long pass phrase');
  writeFileSync(file, `${Buffer.alloc(64, 'k').toString('base64')}\r\n`);
  assert.is(good({ env: { JWT_TOKEN_SIGNING_KEY_FILE: file } }).accounts.jwtSigningKey?.length, 64);
  const both = { SYSADMIN_PASSWORD_FILE: file, SYSADMIN_PASSWORD: 'another pass phrase' };
  assert.match(bad({ env: both }).join(), 'different values: give one');
  assert.match(
    bad({ env: { REDIS_PASSWORD_FILE: '/no/such/file' } }).join(),
    'REDIS_PASSWORD_FILE names cannot be read',
  );
  // Not for what is no secret.
  assert.is(good({ env: { HTTP_BIND_PORT_FILE: file } }).http.port, 8080);

  const env = { SYSADMIN_PASSWORD_FILE: '-', PATH: '/bin' };
  const changes = fromStandardInput(env, () => 'from the pipe\n');
  assert.equal(changes, { SYSADMIN_PASSWORD_FILE: '', SYSADMIN_PASSWORD: 'from the pipe' });
  assert.is(good({ env: { ...env, ...changes } }).install.sysadminPassword, 'from the pipe');
  assert.equal(
    fromStandardInput({}, () => {
      throw new Error('nobody asked');
    }),
    {},
  );
});

const schema = suite('config: schema');

schema('keys, aliases and environment names are distinct, defaults are valid', () => {
  const keys = ALL_OPTIONS.flatMap(({ option }) => [option.key, ...(option.aliases ?? [])]);
  const names = ALL_OPTIONS.map(({ option }) => option.env);
  assert.is(new Set(keys).size, keys.length);
  assert.is(new Set(names).size, names.length);
  for (const { option } of ALL_OPTIONS) {
    if (option.type === 'integer')
      assert.ok(option.default >= option.min && option.default <= option.max, option.key);
    if (option.type === 'choice') assert.ok(option.choices.includes(option.default), option.key);
    assert.match(option.why, /\.$/, option.key);
  }
});

refusals('a policy hook needs a secret and a URL that may be asked', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const inside = 'http://10.1.2.3/claim';
  const problems = (url: string, hookSecret: string | undefined, more: Record<string, string> = {}) => {
    const env = {
      SECURITY_CLAIM_POLICY_HOOK_URL: url,
      SECURITY_CLAIM_POLICY_HOOK_SECRET: hookSecret,
      ...more,
    };
    const loaded = load({ env });
    return loaded.type === 'problems' ? loaded.problems.join() : '';
  };
  const url = 'https://policy.example.org/claim';
  assert.is(problems(url, secret), '');
  assert.is(problems(url, `${secret},${secret}`), '');
  assert.match(problems(url, undefined), 'needs security.claim.policyHook.secret');
  assert.match(problems(url, 'whsec_c2hvcnQ='), 'must be whsec_');
  assert.not.match(problems(url, 'whsec_c2hvcnQ='), 'c2hvcnQ');
  assert.match(problems(inside, secret), 'it should begin with https:');
  assert.match(problems(inside, secret, { OUTBOUND_ALLOW_HTTP: 'true' }), 'not public');
  const lan = { OUTBOUND_ALLOW_HTTP: 'true', OUTBOUND_ALLOWED_NETWORKS: '10.1.0.0/16' };
  assert.is(problems(inside, secret, lan), '');
  assert.match(problems(url, secret, { OUTBOUND_ALLOWED_NETWORKS: 'lan' }), 'lan is no network');
});

for (const each of [sources, refusals, warnings, schema]) each.run();
