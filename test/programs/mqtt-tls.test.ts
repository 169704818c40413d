/** MQTT over TLS: tokens and client certificates over real handshakes, and a certificate that changes while it runs. */

import { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { test as plain } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../actors/base/clock.ts';
import { type DeviceId, newId, type TenantId } from '../../actors/base/ids.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import type { Credentials } from '../../actors/device/state.ts';
import { accessToken, x509 } from '../../actors/fleet/credentials.ts';
import { StartRefused } from '../../config/compose/refusal.ts';
import { makeCertificate } from '../kit/certificates.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { type LocalServer, type LocalServerOptions, startLocalServer } from '../kit/local-server.ts';
import { findProgram, needing } from '../kit/programs.ts';

const test = needing(['openssl'], plain);
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const NAMES = ['first', 'second', 'device', 'stranger'];

plain.before(() => {
  if (findProgram('openssl') === undefined) return;
  for (const name of NAMES) makeCertificate(folder, name);
});

interface Scene {
  readonly world: LocalServer;
  readonly port: number;
  provision(credentials: Made): Promise<DeviceId>;
  connect(options: IClientOptions): Promise<MqttClient>;
  /** Which certificate the server shows, and the raw connection. */
  look(): Promise<{ subject: string; socket: TLSSocket }>;
}

async function withTls(play: (scene: Scene) => Promise<void>, more: LocalServerOptions = {}): Promise<void> {
  for (const kind of ['pem', 'key']) copyFileSync(at(`first.${kind}`), at(`server.${kind}`));
  const world = await startLocalServer({
    ...more,
    options: {
      'transport.mqtt.ssl.enabled': 'true',
      'transport.mqtt.ssl.bind_address': '127.0.0.1',
      'transport.mqtt.ssl.bind_port': '0',
      'transport.mqtt.ssl.credentials.pem.cert_file': at('server.pem'),
      'transport.mqtt.ssl.credentials.pem.key_file': at('server.key'),
      ...more.options,
    },
  });
  const port = world.system.addresses.mqttTls?.port ?? 0;
  const clients: MqttClient[] = [];
  const sockets: TLSSocket[] = [];
  try {
    await play({
      world,
      port,
      async provision(credentials) {
        const id = newId<DeviceId>(Date.now());
        const answer = await world.core.devices.ask(id, {
          type: 'ProvisionDevice',
          tenantId: newId<TenantId>(1),
          name: `device ${id}`,
          deviceType: 'default',
          label: null,
          additionalInfo: null,
          credentials: credentials(world.core.secrets, id),
          customerId: null,
        });
        assert.is(answer.type, 'accepted');
        return id;
      },
      async connect(options) {
        const client = await connectAsync(`mqtts://127.0.0.1:${port}`, {
          rejectUnauthorized: false, // the server's certificate names no host
          reconnectPeriod: 0,
          ...options,
        });
        clients.push(client);
        return client;
      },
      async look() {
        const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
        sockets.push(socket);
        await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
        return { subject: String(socket.getPeerCertificate().subject.CN), socket };
      },
    });
  } finally {
    await Promise.all(clients.map((client) => client.endAsync(true)));
    for (const socket of sockets) socket.destroy();
    await world.stop();
  }
}

/** Credentials for the device of this id. */
type Made = (secrets: Secrets, id: DeviceId) => Credentials;

const withToken =
  (token: string): Made =>
  (secrets, id) =>
    accessToken(secrets, id, token);

function certificate(name: string): { readonly credentials: Made; readonly options: IClientOptions } {
  const cert = readFileSync(at(`${name}.pem`));
  const credentials: Made = (secrets) => {
    const made = x509(secrets, cert.toString());
    if (made === undefined) throw new Error('no certificate');
    return made;
  };
  return { credentials, options: { cert, key: readFileSync(at(`${name}.key`)) } };
}

async function refusal(connecting: Promise<MqttClient>): Promise<number> {
  try {
    await connecting;
  } catch (error) {
    return (error as { code: number }).code;
  }
  throw new Error('was not refused');
}

test('mqtt over tls: a device with a token opens its window over TLS', () =>
  withTls(async ({ world, provision, connect }) => {
    const id = await provision(withToken('T'));
    const client = await connect({ username: 'T' });
    await client.publishAsync('v1/devices/me/claim', '{}', { qos: 1 });
    assert.ok((await world.core.devices.read(id))?.window);
  }));

test('mqtt over tls: a device is authenticated by its certificate alone, and opens its window', () =>
  withTls(async ({ world, provision, connect }) => {
    const { credentials, options } = certificate('device');
    const id = await provision(credentials);
    const client = await connect({ ...options, protocolVersion: 5 });
    await client.publishAsync('v1/devices/me/claim', '{}', { qos: 1 });
    assert.ok((await world.core.devices.read(id))?.window);
  }));

test('mqtt over tls: a certificate of no device is refused, also with a good token: 5, in version 5 0x87', () =>
  withTls(async ({ provision, connect }) => {
    await provision(withToken('T'));
    const { options } = certificate('stranger');
    assert.is(await refusal(connect({ ...options, protocolVersion: 4 })), 5);
    assert.is(await refusal(connect({ ...options, protocolVersion: 5 })), 0x87);
    assert.is(await refusal(connect({ ...options, username: 'T', protocolVersion: 5 })), 0x87);
  }));

test('mqtt over tls: a certificate outside its validity is refused, unless that check is off', async () => {
  const { credentials, options } = certificate('device');
  const later = Date.parse(new X509Certificate(readFileSync(at('device.pem'))).validTo) + 1_000 - Date.now();
  const clock = { ...systemClock, now: () => Date.now() + later };
  const meet = (skip: string, play: (scene: Scene) => Promise<void>) =>
    withTls(play, {
      clock,
      options: { 'transport.mqtt.ssl.skip_validity_check_for_client_cert': skip },
    });
  await meet('false', async ({ provision, connect }) => {
    await provision(credentials);
    assert.is(await refusal(connect({ ...options, protocolVersion: 5 })), 0x87);
  });
  await meet('true', async ({ provision, connect }) => {
    await provision(credentials);
    await connect(options);
  });
});

test('mqtt over tls: new connections see a new certificate, and open ones go on', () =>
  withTls(async ({ world, provision, connect, look }) => {
    const id = await provision(withToken('T'));
    const client = await connect({ username: 'T' });
    assert.is((await look()).subject, 'first');
    for (const kind of ['pem', 'key']) copyFileSync(at(`second.${kind}`), at(`server.${kind}`));
    world.system.reloadCertificates();
    assert.is((await look()).subject, 'second');
    await client.publishAsync('v1/devices/me/claim', '{}', { qos: 1 });
    assert.ok((await world.core.devices.read(id))?.window);

    writeFileSync(at('server.key'), 'no key');
    assert.throws(
      () => world.system.reloadCertificates(),
      (error: unknown) => error instanceof StartRefused && !error.message.includes('no key'),
    );
    assert.is((await look()).subject, 'second', 'the old one goes on');
  }));

test('mqtt over tls: a key that is not the certificate’s refuses the start', async () => {
  const options = { 'transport.mqtt.ssl.credentials.pem.key_file': at('second.key') };
  try {
    await withTls(async () => {}, { options });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, StartRefused);
  }
});

test('mqtt over tls: bytes that are no TLS, and a handshake that never ends, do not hold up a stop', () =>
  withTls(async ({ port }) => {
    const noise = connectTcp(port, '127.0.0.1', () => noise.write('GET / HTTP/1.1\r\n\r\n'));
    noise.on('error', () => {});
    await new Promise((resolve) => noise.once('close', resolve).resume());
    const silent = connectTcp(port, '127.0.0.1');
    silent.on('error', () => {});
    await new Promise((resolve) => silent.once('connect', resolve));
  }));

plain.run();
