/** HTTPS on the HTTP port: the same API, a certificate that changes while it runs, and a stop that waits for nobody silent. */
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { test as plain } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { StartRefused } from '../../config/compose/refusal.ts';
import { tellOfInvalidCertificates } from '../../config/compose/tls.ts';
import { makeCertificate } from '../kit/certificates.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { type LocalServer, startLocalServer } from '../kit/local-server.ts';
import { within } from '../kit/patience.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { findProgram, needing } from '../kit/programs.ts';
import { until } from '../kit/until.ts';

const test = needing(['openssl'], plain);
const folder = temporaryFolder();
const DOCKERFILE = fileURLToPath(new URL('../../../config/docker/Dockerfile', import.meta.url));
const at = (name: string) => join(folder, name);

plain.before(() => {
  if (findProgram('openssl') === undefined) return;
  for (const name of ['first', 'second']) makeCertificate(folder, name);
});

function use(name: string): void {
  for (const kind of ['pem', 'key']) copyFileSync(at(`${name}.${kind}`), at(`server.${kind}`));
}

function start(): Promise<LocalServer> {
  return startLocalServer({
    options: {
      'server.ssl.enabled': 'true',
      'server.ssl.credentials.pem.cert_file': at('server.pem'),
      'server.ssl.credentials.pem.key_file': at('server.key'),
    },
  });
}

/** Status of a GET over a connection of its own. */
function get(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false };
    request(options, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode));
    })
      .once('error', reject)
      .end();
  });
}

function handshake(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(socket)).once('error', reject);
  });
}

test('https: the API over TLS, nothing without it, and a new certificate without a restart', async () => {
  use('first');
  const world = await start();
  const { httpPort: port } = world;
  try {
    assert.is(await get(port, '/livez'), 200);
    assert.is(await get(port, '/api/auth/user'), 401);
    await fetch(`http://127.0.0.1:${port}/livez`).then(
      () => assert.unreachable('answered without TLS'),
      () => {},
    );
    const old = await handshake(port);
    assert.is(old.getPeerCertificate().subject.CN, 'first');

    use('second');
    world.system.reloadCertificates();
    const fresh = await handshake(port);
    assert.is(fresh.getPeerCertificate().subject.CN, 'second');
    fresh.destroy();

    writeFileSync(at('server.pem'), 'no certificate');
    assert.throws(
      () => world.system.reloadCertificates(),
      (error: unknown) => error instanceof StartRefused,
    );
    assert.is(await get(port, '/livez'), 200);

    // A connection that asked nothing holds up no stop.
    await within('it stops', world.stop());
    old.destroy();
  } finally {
    await world.stop();
  }
});

test('https: the health check of the image finds the server with and without TLS, and finds none', async () => {
  use('first');
  const [, code = ''] = /-e", "(.*)"\]$/m.exec(readFileSync(DOCKERFILE, 'utf8')) ?? [];
  const checked = (port: number, SSL_ENABLED: string) =>
    new Promise<number | null>((resolve) => {
      const env = { ...process.env, HTTP_BIND_PORT: String(port), SSL_ENABLED };
      spawn(process.execPath, ['-e', code], { env, stdio: 'ignore' }).once('close', resolve);
    });
  const [over, plainly] = [await start(), await startLocalServer({})];
  try {
    assert.is(await checked(over.httpPort, 'true'), 0);
    assert.is(await checked(plainly.httpPort, ''), 0);
    assert.is(await checked(over.httpPort, ''), 1);
  } finally {
    await Promise.all([over.stop(), plainly.stop()]);
  }
});

test('https: a start without a good certificate is refused', async () => {
  use('first');
  copyFileSync(at('second.key'), at('server.key'));
  await start().then(
    () => assert.unreachable(),
    (error: unknown) => assert.instance(error, StartRefused),
  );
});

test('https: a certificate that has ended, or has not begun, is told with its door', () => {
  const told: object[] = [];
  const log = { ...silentLog, error: (fields: object) => void told.push(fields) };
  const certificate = { cert: readFileSync(at('first.pem')), key: readFileSync(at('first.key')) };
  const now = Date.now();
  for (const days of [1, 31, -1])
    tellOfInvalidCertificates({ http: certificate }, now + days * 86_400_000, log);
  const { validFrom, validTo } = new X509Certificate(certificate.cert);
  const one = { door: 'http', validFrom, validTo };
  assert.equal(told, [one, one]);
});

test('https: kill -HUP has HTTP and MQTT show the new certificate; a bad one ends nothing', async () => {
  use('first');
  const server = await startServer({
    env: {
      SSL_ENABLED: 'true',
      SSL_PEM_CERT: at('server.pem'),
      SSL_PEM_KEY: at('server.key'),
      MQTT_SSL_ENABLED: 'true',
      MQTT_SSL_BIND_ADDRESS: '127.0.0.1',
      MQTT_SSL_BIND_PORT: '0',
      MQTT_SSL_PEM_CERT: at('server.pem'),
      MQTT_SSL_PEM_KEY: at('server.key'),
    },
  });
  try {
    const ready = server.log().find(({ msg }) => msg === 'ready') ?? {};
    const { port: mqttTls } = ready.mqttTls as { port: number };
    const shown = async () =>
      Promise.all(
        [server.httpPort, mqttTls].map(async (port) => {
          const socket = await handshake(port);
          const { CN } = socket.getPeerCertificate().subject;
          socket.destroy();
          return CN;
        }),
      );
    assert.equal(await shown(), ['first', 'first']);
    const said = (text: string) => async () => server.log().some(({ msg }) => String(msg).includes(text));

    use('second');
    server.signal('SIGHUP');
    await until('they were read', said('certificates were read again'));
    assert.equal(await shown(), ['second', 'second']);

    writeFileSync(at('server.pem'), 'no certificate');
    server.signal('SIGHUP');
    await until('they were refused', said('the old ones stay in use'));
    assert.equal(await shown(), ['second', 'second']);
    assert.is((await server.stop()).code, 0);
  } finally {
    await cleanUp();
  }
});

plain.run();
