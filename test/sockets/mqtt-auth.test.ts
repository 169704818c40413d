/** What a broker asks about its clients, as EMQX does, over real HTTP. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restApi } from '../kit/api.ts';
import { type LocalServer, SYSADMIN_PASSWORD, startLocalServer } from '../kit/local-server.ts';

const SECRET = 'a-secret-of-the-broker';
/** No levels of a topic, or more than that to a broker that fills in rules; or the level above all devices. */
const UNFIT = ['TO+KEN', 'TO/KEN', '#', '$' + '{clientid}', 'v1'];
const SELF = { username: 'claimd', password: 'password-of-claimd' };

let world: LocalServer;
let tenant: string;
const OPTIONS = {
  'transport.mqtt.auth.secret': SECRET,
  'transport.mqtt.broker.username': SELF.username,
  'transport.mqtt.broker.password': SELF.password,
};

interface Answer {
  readonly result: string;
  readonly is_superuser?: boolean;
  readonly client_attrs?: { readonly device: string };
  readonly acl?: readonly { readonly permission: string; readonly action: string; readonly topic: string }[];
}

/** As EMQX sends it: everything is text, and what a client did not say is empty. */
async function ask(said: object, headers: Record<string, string> = { authorization: `Bearer ${SECRET}` }) {
  const response = await fetch(`${world.url}/api/mqtt/auth`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ clientid: '', username: '', password: '', ...said }),
  });
  const text = await response.text();
  return { status: response.status, text, answer: (): Answer => JSON.parse(text) };
}

test.before(async () => {
  world = await startLocalServer({ options: OPTIONS });
  const api = restApi(world.url);
  const sysadmin = await api.login('sysadmin@thingsboard.org', SYSADMIN_PASSWORD);
  tenant = await api.createTenant(sysadmin, 'Auth');
  await api.createDevice(tenant, 'By token', 'TOKEN');
  for (const token of UNFIT) await api.createDevice(tenant, `By ${token}`, encodeURIComponent(token));
  await api.post('/api/device-with-credentials', tenant, {
    device: { name: 'Basic', type: 'default' },
    credentials: {
      credentialsType: 'MQTT_BASIC',
      credentialsValue: JSON.stringify({ clientId: 'c', userName: 'u', password: 'p' }),
    },
  });
});
test.after(() => world.stop());

/** What EMQX would decide by the rules: the first that fits. */
function decides({ acl = [] }: Answer, action: string, topic: string): string {
  const fits = (pattern: string) => {
    if (pattern.startsWith('eq ')) return pattern.slice(3) === topic;
    const filter = pattern.replaceAll('+', '[^/]+').replace('#', '.*');
    return new RegExp(`^${filter}$`).test(topic);
  };
  const rule = acl.find((one) => [action, 'all'].includes(one.action) && fits(one.topic));
  return rule?.permission ?? 'ask elsewhere';
}

test('mqtt auth: a device with its token is let in, named, and may claim for itself alone', async () => {
  const { status, answer } = await ask({ clientid: 'whatever', username: 'TOKEN' });
  assert.is(status, 200);
  const told = answer();
  assert.is(told.result, 'allow');
  assert.is(told.is_superuser, false);
  assert.equal(told.client_attrs, { device: 'TOKEN' });
  const may: readonly [string, string, string][] = [
    ['publish', 'v1/devices/TOKEN/claim', 'allow'],
    ['subscribe', 'v1/devices/TOKEN/claim/response', 'allow'],
    ['publish', 'v1/devices/me/claim', 'allow'], // where the broker prefixes
    ['subscribe', 'v1/devices/me/claim/response', 'allow'],
    ['publish', 'v2/c/p', 'allow'],
    ['publish', 'v1/devices/OTHER/claim', 'deny'],
    ['subscribe', 'v1/devices/OTHER/claim/response', 'deny'],
    ['subscribe', 'v1/devices/TOKEN/claim', 'deny'],
    ['publish', 'v1/devices/TOKEN/claim/response', 'deny'],
    ['publish', 'OTHER/v1/devices/me/claim', 'deny'],
    ['subscribe', 'anything/else', 'deny'],
  ];
  for (const [action, topic, expected] of may) {
    assert.is(decides(told, action, topic), expected, `${action} ${topic}`);
  }
});

test('mqtt auth: a password beside a token is tolerated, as at the endpoint; a wrong token is denied', async () => {
  assert.is((await ask({ username: 'TOKEN', password: 'pswd' })).answer().result, 'allow');
  assert.equal((await ask({ username: 'token' })).answer(), { result: 'deny' });
  assert.equal((await ask({})).answer(), { result: 'deny' });
  assert.equal((await ask({ username: 'undefined', clientid: 'undefined' })).answer(), { result: 'deny' });
});

test('mqtt auth: MQTT_BASIC credentials are checked whole', async () => {
  const told = (await ask({ clientid: 'c', username: 'u', password: 'p' })).answer();
  assert.is(told.result, 'allow');
  assert.match(told.client_attrs?.device ?? '', /^[0-9a-f]{64}$/);
  assert.is((await ask({ clientid: 'c', username: 'u', password: 'wrong' })).answer().result, 'deny');
  assert.is((await ask({ clientid: 'c', username: 'u' })).answer().result, 'deny');
});

test('mqtt auth: a token that cannot be one level of a topic is denied', async () => {
  for (const username of UNFIT) assert.equal((await ask({ username })).answer(), { result: 'deny' });
});

test('mqtt auth: this server itself may do everything, with its own password alone', async () => {
  assert.equal((await ask(SELF)).answer(), { result: 'allow', is_superuser: true });
  assert.is((await ask({ ...SELF, password: 'wrong' })).answer().result, 'deny');
});

test('mqtt auth: without the shared secret in the request there is no answer', async () => {
  for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${SECRET}` }]) {
    const { status, text } = await ask({ username: 'TOKEN' }, headers as Record<string, string>);
    assert.is(status, 401);
    assert.not.match(text, 'result');
  }
});

test('mqtt auth: wrong tokens are not held against the broker', async () => {
  const wrong = Array.from({ length: 400 }, (_, index) => ask({ username: `guess-${index}` }));
  assert.equal(new Set((await Promise.all(wrong)).map(({ text }) => text)), new Set(['{"result":"deny"}']));
  assert.is((await ask({ username: 'TOKEN' })).answer().result, 'allow');
});

test('mqtt auth: without a shared secret in the settings the route is not there', async () => {
  const other = await startLocalServer();
  try {
    const response = await fetch(`${other.url}/api/mqtt/auth`, {
      method: 'POST',
      headers: { authorization: 'Bearer ', 'content-type': 'application/json' },
      body: '{}',
    });
    assert.is(response.status, 404);
  } finally {
    await other.stop();
  }
});

test('mqtt auth: unknown clients and other topics can be left to the broker', async () => {
  const before = world;
  world = await startLocalServer({
    options: {
      ...OPTIONS,
      'install.load_demo': 'true',
      'transport.mqtt.auth.unknown': 'ignore',
      'transport.mqtt.auth.other_topics': 'broker',
    },
  });
  try {
    assert.equal((await ask({ username: 'NOBODY' })).answer(), { result: 'ignore' });
    const told = (await ask({ username: 'T1_TEST_TOKEN' })).answer();
    assert.is(decides(told, 'publish', 'anything/else'), 'ask elsewhere');
    assert.is(decides(told, 'publish', 'v1/devices/OTHER/claim'), 'deny');
  } finally {
    await world.stop();
    world = before;
  }
});

test.run();
