/** MQTT over WebSocket with the client of another project, at the server's HTTP port, with TLS and without. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DeviceId, newId, type TenantId } from '../../actors/base/ids.ts';
import { accessToken } from '../../actors/fleet/credentials.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { type LocalServer, startLocalServer } from '../kit/local-server.ts';
import { CLAIM_TOPIC } from '../kit/mqtt-client.ts';
import { within } from '../kit/patience.ts';
import { needing } from '../kit/programs.ts';
import { handshake, openRaw } from '../kit/websocket.ts';

const PROTOCOLS = [
  { name: '3.1', protocolId: 'MQIsdp', protocolVersion: 3 },
  { name: '3.1.1', protocolId: 'MQTT', protocolVersion: 4 },
  { name: '5', protocolId: 'MQTT', protocolVersion: 5 },
] as const;

async function provision({ core }: LocalServer, token: string): Promise<DeviceId> {
  const id = newId<DeviceId>(Date.now());
  const answer = await core.devices.ask(id, {
    type: 'ProvisionDevice',
    tenantId: newId<TenantId>(1),
    name: `device ${token}`,
    deviceType: 'default',
    label: null,
    additionalInfo: null,
    credentials: accessToken(core.secrets, id, token),
    customerId: null,
  });
  assert.is(answer.type, 'accepted');
  return id;
}

function connect(scheme: 'ws' | 'wss', port: number, options: IClientOptions): Promise<MqttClient> {
  return connectAsync(`${scheme}://127.0.0.1:${port}/mqtt`, {
    rejectUnauthorized: false, // the server's certificate names no host
    reconnectPeriod: 0,
    ...options,
  });
}

/** The reason code with which the server sends a client away. */
function dismissal(client: MqttClient): Promise<number | undefined> {
  return new Promise((resolve) => client.once('disconnect', ({ reasonCode }) => resolve(reasonCode)));
}

/** Status of a GET that offers h2c, as Java's client does. */
async function statusOffering(port: number, path: string): Promise<number | undefined> {
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAEAAEAA' };
  const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }).end();
  const [answer] = await once(asked, 'response');
  answer.resume();
  return answer.statusCode;
}

for (const { name, ...protocol } of PROTOCOLS) {
  test(`mqtt over websocket: mqtt.js: ${name}: the window is open`, async () => {
    const world = await startLocalServer();
    try {
      const id = await provision(world, 'T');
      const client = await connect('ws', world.httpPort, { ...protocol, username: 'T', clientId: 'device' });
      await client.publishAsync(CLAIM_TOPIC, '{"secretKey":"s","durationMs":60000}', { qos: 1 });
      assert.is(
        (await world.core.devices.read(id))?.window?.secretDigest,
        world.core.secrets.digest(id, 's'),
      );
      const large = JSON.stringify({ secretKey: 'x'.repeat(60_000) });
      await client.publishAsync(CLAIM_TOPIC, large, { qos: 2 });
      // The rest of the port goes on as if nothing had left it.
      assert.is(await statusOffering(world.httpPort, '/livez'), 200);
      assert.is(await statusOffering(world.httpPort, '/mqtt'), 404);
      await client.endAsync();
      await connect('ws', world.httpPort, { ...protocol, username: 'nobody', clientId: 'device' }).then(
        () => assert.unreachable('a stranger got in'),
        () => {},
      );
    } finally {
      await world.stop();
    }
  });
}

test('mqtt over websocket: stopping tells devices, waits for them, and ends in time', async () => {
  const world = await startLocalServer();
  try {
    await provision(world, 'T');
    const client = await connect('ws', world.httpPort, { protocolVersion: 5, username: 'T' });
    const told = dismissal(client);
    await within('it stops', world.stop());
    assert.is(await told, 0x8b);
    await client.endAsync(true);
  } finally {
    await world.stop();
  }
});

for (const options of [{ 'transport.mqtt.ws.enabled': 'false' }, { 'transport.mqtt.enabled': 'false' }]) {
  test(`mqtt over websocket: with ${Object.keys(options)} false nobody is there`, async () => {
    const world = await startLocalServer({ options });
    try {
      const { until, socket } = openRaw(world.httpPort, handshake());
      await until((text) => text.startsWith('HTTP/1.1 404 '));
      socket.destroy();
    } finally {
      await world.stop();
    }
  });
}

needing(['openssl'], test)('mqtt over websocket: over TLS, and a new certificate ends nobody', async () => {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  for (const name of ['first', 'second']) {
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
    const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
    execFileSync('openssl', ['req', '-x509', ...what, '-subj', `/CN=${name}`, ...files], { stdio: 'ignore' });
  }
  const use = (name: string) => {
    for (const kind of ['pem', 'key']) copyFileSync(at(`${name}.${kind}`), at(`server.${kind}`));
  };
  use('first');
  const world = await startLocalServer({
    options: {
      'server.ssl.enabled': 'true',
      'server.ssl.credentials.pem.cert_file': at('server.pem'),
      'server.ssl.credentials.pem.key_file': at('server.key'),
    },
  });
  try {
    const { httpPort: port } = world;
    const id = await provision(world, 'T');
    const client = await connect('wss', port, { protocolVersion: 5, username: 'T' });
    use('second');
    world.system.reloadCertificates();
    const looking = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    await once(looking, 'secureConnect');
    assert.is(looking.getPeerCertificate().subject.CN, 'second');
    looking.destroy();
    await client.publishAsync(CLAIM_TOPIC, '{"secretKey":"s"}', { qos: 1 });
    assert.ok((await world.core.devices.read(id))?.window);
    const told = dismissal(client);
    await world.stop();
    assert.is(await told, 0x8b);
    await client.endAsync(true);
  } finally {
    await world.stop();
  }
});

test.run();
