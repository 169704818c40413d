/** The real process behind a real Mosquitto, with the example configuration of this repository. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Test, test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectPublisher } from '../contract/transport-bridge.ts';
import { type Api, restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { type Mosquitto, startMosquitto } from '../kit/mosquitto.ts';
import { RawMqttClient } from '../kit/mqtt-client.ts';
import { freePort } from '../kit/ports.ts';
import { cleanUp, launch, type ServerProcess, startServer } from '../kit/process.ts';
import { findProgram, needing } from '../kit/programs.ts';
import { until } from '../kit/until.ts';

const EXAMPLES = fileURLToPath(new URL('../../../config/examples', import.meta.url));
const PASSWORD = 'password-of-the-nodes';
const law = needing(['mosquitto', 'mosquitto_passwd'], test as Test);
const topicOf = (token: string) => `v1/devices/${token}/claim`;

test.after(cleanUp);

interface Example {
  readonly broker: Mosquitto;
  /** Where the nodes of claimd connect. */
  readonly nodesUrl: string;
}

/** Mosquitto with the example, its ports and folders replaced. */
async function startExample(): Promise<Example> {
  const nodesPort = await freePort();
  const broker = await startMosquitto((port, folder) => {
    chmodSync(folder, 0o755); // Mosquitto gives up root's rights
    for (const name of ['devices.acl', 'nodes.acl']) {
      copyFileSync(join(EXAMPLES, 'mosquitto', name), join(folder, name));
      chmodSync(join(folder, name), 0o644);
    }
    const passwords = join(folder, 'claimd.passwd');
    execFileSync(findProgram('mosquitto_passwd') ?? '', ['-c', '-b', passwords, 'claimd', PASSWORD]);
    chmodSync(passwords, 0o644);
    const text = readFileSync(join(EXAMPLES, 'mosquitto', 'mosquitto.conf'), 'utf8');
    const replaced = text
      .replace(/^listener 1883$/m, `listener ${port} 127.0.0.1`)
      .replace(/^listener 1884$/m, `listener ${nodesPort} 127.0.0.1`)
      .replaceAll('/etc/mosquitto/claimd/', `${folder}/`)
      .replaceAll('/etc/mosquitto/', `${folder}/`);
    assert.not.match(replaced, /listener 188|\/etc\/mosquitto/);
    return replaced;
  });
  return { broker, nodesUrl: `mqtt://127.0.0.1:${nodesPort}` };
}

const nodeEnv = (url: string) => ({
  LOAD_DEMO: 'true',
  MQTT_BROKER_URL: url,
  MQTT_BROKER_USERNAME: 'claimd',
  MQTT_BROKER_PASSWORD: PASSWORD,
  MQTT_BROKER_CLAIM_TOPICS: 'v1/devices/{token}/claim',
  MQTT_BROKER_GATEWAY_TOPICS: 'v1/gateways/{token}/claim',
});

async function linkOf(api: Api): Promise<unknown> {
  const { status, body } = await api.send('GET', '/readyz');
  assert.is(status, 200);
  return JSON.parse(body).mqttBroker;
}

const linked = (api: Api) =>
  until('the node has its link to the broker', async () => (await linkOf(api)) === 'connected');

law('broker: with the Mosquitto example a device claims for itself, and cannot for another', async () => {
  const { broker, nodesUrl } = await startExample();
  const server = await startServer({ env: nodeEnv(nodesUrl) });
  const api = restApi(server.url);
  await linked(api);
  const device = await connectPublisher(broker.url, [`${topicOf('T1_TEST_TOKEN')}/response`], {
    username: 'T1_TEST_TOKEN',
  });

  const published = (topic: string, payload: string) =>
    device.publish(topic, payload).then(
      () => 'taken',
      (error) => `refused: ${error.code}`,
    );
  assert.is(await published(topicOf('DHT11_TOKEN'), '{"secretKey":"s"}'), `refused: ${0x87}`);
  assert.is(await published(`${topicOf('T1_TEST_TOKEN')}/response`, '{}'), `refused: ${0x87}`);
  assert.is(await published(topicOf('T1_TEST_TOKEN'), '{"secretKey":"s"}'), 'taken');
  assert.is(JSON.parse(await device.hears(`${topicOf('T1_TEST_TOKEN')}/response`)).status, 'opened');
  const customer = await api.login('customerA@thingsboard.org', 'customer');
  const claimed = await api.confirm(customer, 'Thermostat T1', 's');
  assert.is(claimed.status, 200);

  // Who connects in the name of the nodes at the devices' door is a device of that name, and no more.
  const impostor = await connectPublisher(broker.url, ['v1/devices/+/claim'], { username: 'claimd' });
  const before = device.heard.length;
  await device.publish(topicOf('T1_TEST_TOKEN'), '{}');
  await until('the device hears that it is owned', () => device.heard.length > before);
  assert.equal(impostor.heard, []);

  await Promise.all([device.close(), impostor.close()]);
  const { code, output } = await server.stop();
  assert.is(code, 0);
  assert.not.match(output, /T1_TEST_TOKEN|password-of-the-nodes/);
  await broker.stop();
});

law(
  'broker: the MQTT port and an external broker serve together, and HTTP while the broker is away',
  async () => {
    const { broker, nodesUrl } = await startExample();
    await broker.stop();
    const server = await startServer({ env: nodeEnv(nodesUrl) });
    const api = restApi(server.url);
    assert.is(await linkOf(api), 'not-connected');
    const direct = await RawMqttClient.connect(server.mqttPort, 4, 'T1_TEST_TOKEN');
    direct.send({ cmd: 'publish', topic: 'v1/devices/me/claim', qos: 1, messageId: 1, payload: '{}' });
    await direct.next('puback');
    await broker.restart();
    await linked(api);
    const device = await connectPublisher(broker.url, [`${topicOf('T1_TEST_TOKEN')}/response`], {
      username: 'T1_TEST_TOKEN',
    });
    await device.publish(topicOf('T1_TEST_TOKEN'), '{"secretKey":"over the broker"}');
    await device.hears(`${topicOf('T1_TEST_TOKEN')}/response`);
    const customer = await api.login('customerB@thingsboard.org', 'customer');
    assert.is((await api.confirm(customer, 'Thermostat T1', 'over the broker')).status, 200);
    await Promise.all([device.close(), direct.close()]);
    await server.stop();
    await broker.stop();
  },
);

law('broker: TLS, and only to a broker that can prove who it is', async () => {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  const file = (name: string) => join(folder, name);
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-keyout', file('key.pem'), '-out', file('cert.pem'), '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ],
    { stdio: 'ignore' },
  );
  chmodSync(file('key.pem'), 0o644);
  const tlsPort = await freePort();
  const broker = await startMosquitto([
    'allow_anonymous true',
    `listener ${tlsPort} 127.0.0.1`,
    `certfile ${file('cert.pem')}`,
    `keyfile ${file('key.pem')}`,
  ]);
  const env = { MQTT_BROKER_URL: `mqtts://localhost:${tlsPort}`, LOAD_DEMO: 'true' };
  const distrusting = await startServer({ env });
  const trusting = await startServer({ env: { ...env, MQTT_BROKER_SSL_CA: file('cert.pem') } });
  await linked(restApi(trusting.url));
  // The first trouble may be another one, as that a connection takes too long.
  await until('the other has tried, and says why not', () =>
    distrusting
      .log()
      .some(
        (line) =>
          /trouble with the broker/.test(String(line.msg)) &&
          /SELF_SIGNED|self.signed/i.test(JSON.stringify(line)),
      ),
  );
  assert.is(await linkOf(restApi(distrusting.url)), 'not-connected');
  await Promise.all([trusting.stop(), distrusting.stop()]);
  await broker.stop();
});

law('broker: MQTT over WebSocket, with a wrong password no link and nothing of it in the log', async () => {
  const wsPort = await freePort();
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  const passwords = join(folder, 'passwords');
  execFileSync(findProgram('mosquitto_passwd') ?? '', ['-c', '-b', passwords, 'claimd', PASSWORD]);
  chmodSync(passwords, 0o644);
  const broker = await startMosquitto([
    'allow_anonymous false',
    `password_file ${passwords}`,
    `listener ${wsPort} 127.0.0.1`,
    'protocol websockets',
  ]);
  const env = { ...nodeEnv(`ws://127.0.0.1:${wsPort}/mqtt`) };
  const servers: ServerProcess[] = [
    await startServer({ env }),
    await startServer({ env: { ...env, MQTT_BROKER_PASSWORD: 'wrong-password-here' } }),
  ];
  const [good, bad] = servers;
  if (good === undefined || bad === undefined) throw new Error('no servers');
  await linked(restApi(good.url));
  await until('the other is refused', () => /Not authorized|Bad User Name/i.test(bad.output()));
  assert.is(await linkOf(restApi(bad.url)), 'not-connected');
  assert.not.match(bad.output(), 'wrong-password-here');
  await Promise.all(servers.map((server) => server.stop()));
  await broker.stop();
});

test('broker: wrong settings refuse the start, with what is wrong', async () => {
  const env = { MQTT_BROKER_URL: 'mqtt://user:secret@host', MQTT_BROKER_CLAIM_TOPICS: 'v1/devices/+/claim' };
  const { code, output } = await launch({ env }).ended;
  assert.is(code, 2);
  assert.match(output, 'MQTT_BROKER_URL in the environment must be mqtt://HOST:PORT');
  assert.not.match(output, 'secret@');
  const ca = { MQTT_BROKER_URL: 'mqtts://localhost', MQTT_BROKER_SSL_CA: join(EXAMPLES, 'README.md') };
  const noPem = await launch({ env: ca }).ended;
  assert.is(noPem.code, 3);
  assert.match(noPem.output, 'are no PEM that fits together');
  const topics = await launch({ env: { MQTT_BROKER_CLAIM_TOPICS: 'v1/devices/+/claim' } }).ended;
  assert.is(topics.code, 2);
  assert.match(topics.output, 'must have exactly one level that is {token}');
});

test('broker: the EMQX example asks the existing route, in its format', () => {
  const text = readFileSync(join(EXAMPLES, 'emqx', 'emqx.conf'), 'utf8');
  assert.match(text, 'http://claimd:8080/api/mqtt/auth');
  for (const name of ['clientid', 'username', 'password']) {
    assert.match(text, `${name} = "\${${name}}"`);
  }
  assert.match(text, /mountpoint = "\$\{client_attrs\.device\}\/"/);
  assert.match(
    text,
    /^mqtt \{[^}]*^ {2}shared_subscription_strategy = hash_topic$/m,
    "a device's messages keep their order",
  );
});

test.run();
