/**
 * What the server tells whoever watches it: the truth about what happened, no name of anybody, one sum over all workers that
 * never falls; and Debian's Prometheus reads it all, with every figure that the dashboard and the alerts name.
 */
import { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import { equal, is, match, ok } from 'uvu/assert';
import { cast, claimPath } from '../kit/api.ts';
import { makeCertificate } from '../kit/certificates.ts';
import { RawCoapClient, show } from '../kit/coap-client.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { send } from '../kit/http.ts';
import { claimPacket, connectPacket, RawMqttClient } from '../kit/mqtt-client.ts';
import { cleanUp, launch, type ServerProcess, startServer } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { metricsPortOf, PROMETHEUS, PROMETHEUS_EXAMPLES, startPrometheus } from '../kit/prometheus.ts';
import { until } from '../kit/until.ts';

const PASSWORD = 'a-long-password';
const METRICS = { METRICS_ENABLED: 'true', METRICS_BIND_PORT: '0', SYSADMIN_PASSWORD: PASSWORD };

test.after(cleanUp);

async function scrape(server: ServerProcess, headers: { readonly [name: string]: string } = {}) {
  const url = `http://127.0.0.1:${metricsPortOf(server)}/metrics`;
  const answer = await fetch(url, { headers });
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
}

/** The number of one line, by what is before the space. */
function figure(text: string, name: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

/** A life with one of everything. */
async function live(server: ServerProcess) {
  const { api, tenant } = await cast(server.url, PASSWORD);
  const customer = await api.createCustomer(tenant, 'A very private customer');
  await api.createDevice(tenant, 'A very private device', 'a-very-private-token');
  const device = await RawMqttClient.connect(server.mqttPort, 4, 'a-very-private-token');
  device.send(claimPacket(1, 1, { secretKey: 'secret' }));
  await device.next('puback');
  const claim = (secretKey: string) =>
    send(`${server.url}${claimPath('A very private device')}`, {
      method: 'POST',
      token: customer.token,
      body: { secretKey },
    });
  is((await claim('wrong')).status, 400);
  is((await claim('secret')).status, 200);
  const opening = await send(`${server.url}/api/v1/a-very-private-token/claim`, { method: 'POST', body: {} });
  is(opening.status, 409, 'it has an owner');
  const back = await send(`${server.url}${claimPath('A very private device')}`, {
    method: 'DELETE',
    token: customer.token,
  });
  is(back.status, 200);
  device.socket.destroy();
  const stranger = await RawMqttClient.open(server.mqttPort, 4);
  stranger.send(connectPacket(4, 'a-very-private-guess'));
  await stranger.next('connack');
  stranger.socket.destroy();
  const other = await RawCoapClient.open(server.coapPort);
  is(show(await other.claim('a-very-private-guess', '{}')), 'ACK 4.01');
  await other.close();
}

test('metrics: what happened is counted, and nobody is named', async () => {
  const server = await startServer({ env: METRICS });
  const before = (await scrape(server)).text;
  is(
    figure(before, 'claimd_claims_confirmed_total{outcome="success"}'),
    0,
    'so that the first one is a rise',
  );
  await live(server);
  const { status, type, text } = await scrape(server);
  is(status, 200);
  is(type, 'text/plain; version=0.0.4; charset=utf-8');
  const counts = {
    'claimd_claim_windows_opened_total{transport="mqtt",outcome="opened"}': 1,
    'claimd_claim_windows_opened_total{transport="http",outcome="already-claimed"}': 1,
    'claimd_ack_duration_seconds_count{transport="mqtt"}': 1,
    'claimd_claims_confirmed_total{outcome="wrong-secret"}': 1,
    'claimd_claims_confirmed_total{outcome="success"}': 1,
    'claimd_reclaims_total{outcome="success"}': 1,
    'claimd_ownership_changes_total{change="claimed"}': 1,
    'claimd_ownership_changes_total{change="given-back"}': 1,
    claimd_claim_window_open_duration_seconds_count: 1,
    claimd_store_up: 1,
    'claimd_asks_refused_total{reason="overloaded"}': 0,
    'claimd_mqtt_connections{protocol="5"}': 0,
    'claimd_coap_requests_total{code="2.01"}': 0,
    'claimd_coap_requests_total{code="4.01"}': 1,
    'claimd_webhook_attempts_total{outcome="delivered"}': 0,
    'claimd_unreadable_records_total{reader="audit"}': 0,
    'claimd_mqtt_packets_received_total{type="connect"}': 2,
    'claimd_mqtt_packets_received_total{type="publish"}': 1,
    'claimd_mqtt_packets_received_total{type="fault"}': 0,
    'claimd_mqtt_packets_sent_total{type="connack"}': 2,
    'claimd_mqtt_packets_sent_total{type="puback"}': 1,
    'claimd_mqtt_connects_total{code="0"}': 1,
    'claimd_mqtt_connects_total{code="5"}': 1,
    claimd_webhook_lag_seconds: 0,
  };
  for (const [name, count] of Object.entries(counts)) is(figure(text, name), count, name);
  ok((figure(text, 'claimd_store_append_duration_seconds_bucket{le="+Inf"}') ?? 0) >= 4);
  const commits = figure(text, 'claimd_store_commit_size_count') ?? 0;
  ok(commits >= 4, 'each answer waited for one');
  is(figure(text, 'claimd_store_commit_duration_seconds_count'), commits);
  ok((figure(text, 'claimd_store_commit_size_sum') ?? 0) >= commits);
  await until(
    'the trail has it all',
    async () => figure((await scrape(server)).text, 'claimd_audit_lag_seconds') === 0,
  );
  match(
    text,
    /claimd_http_request_duration_seconds_count\{method="POST",route="\/api\/v1\/:[a-zA-Z]+\/claim",status="409"\} 1\n/,
  );
  is(/private|secret"/.test(text.replaceAll('wrong-secret"', '')), false, 'a name of somebody is in it');

  const open = await scrape(server, { accept: 'application/openmetrics-text; version=1.0.0' });
  match(open.type ?? '', /^application\/openmetrics-text; version=1\.0\.0/);
  match(open.text, /# EOF\n$/);
  match(open.text, /# TYPE claimd_reclaims counter\n/);
  is((await fetch(`http://127.0.0.1:${metricsPortOf(server)}/other`)).status, 404);
  is((await fetch(`${server.url}/metrics`)).status, 404, 'customers do not see it');
  is((await server.stop()).code, 0);
});

test('metrics: with a token only who shows it may read; a port in use refuses the start', async () => {
  const token = 'a-token-for-prometheus';
  const server = await startServer({ env: { ...METRICS, METRICS_TOKEN: token } });
  is((await scrape(server)).status, 401);
  is((await scrape(server, { authorization: 'Bearer a-token-for-somebody' })).status, 401);
  is((await scrape(server, { authorization: `Bearer ${token}` })).status, 200);
  for (const WORKERS of ['1', '2']) {
    const again = launch({ env: { ...METRICS, METRICS_BIND_PORT: String(metricsPortOf(server)), WORKERS } });
    const { code, output } = await again.ended;
    is(code, 3, output);
    match(output, /Metrics cannot listen on 127\.0\.0\.1:\d+: the port is taken/);
  }
});

test('metrics: workers are told as one, and a sum does not fall when one of them dies', async () => {
  const server = await startServer({ env: { ...METRICS, WORKERS: '2' } });
  await live(server);
  const sum = (text: string) => figure(text, 'claimd_ownership_changes_total{change="claimed"}') ?? 0;
  const connections = (text: string) =>
    text.match(/^claimd_mqtt_connections\{protocol="5",worker="\d"\}/gm)?.length;
  // One that does not answer within a second counts with its last numbers, and is not told apart.
  await until('each has its own, and the sum is there', async () => {
    const { text } = await scrape(server);
    return connections(text) === 2 && sum(text) === 1;
  });
  const pids = server.log().flatMap(({ msg, pid }) => (msg === 'worker ready' ? [Number(pid)] : []));
  is(pids.length, 2);
  for (const pid of pids) {
    const ready = server.log().filter(({ msg }) => msg === 'worker ready').length;
    const died = server.log().filter(({ msg }) => msg === 'a worker died; it is restarted').length;
    process.kill(pid, 'SIGKILL');
    await until(
      'it is dead',
      async () => server.log().filter(({ msg }) => msg === 'a worker died; it is restarted').length > died,
    );
    is(sum((await scrape(server)).text), 1);
    await until(
      'it is started again',
      async () => server.log().filter(({ msg }) => msg === 'worker ready').length > ready,
    );
  }
  const { text: after } = await scrape(server);
  is(sum(after), 1);
  is((await server.stop()).code, 0);
});

test('metrics: a certificate ends when the one ends that is shown, whatever lies in its files meanwhile', async () => {
  const folder = temporaryFolder();
  const [{ cert, key }, renewed] = [makeCertificate(folder, 'shown'), makeCertificate(folder, 'renewed', 60)];
  const server = await startServer({
    env: {
      ...METRICS,
      WORKERS: '2',
      MQTT_SSL_ENABLED: 'true',
      MQTT_SSL_BIND_ADDRESS: '127.0.0.1',
      MQTT_SSL_BIND_PORT: '0',
      MQTT_SSL_PEM_CERT: cert,
      MQTT_SSL_PEM_KEY: key,
    },
  });
  const endOf = (file: string) => Date.parse(new X509Certificate(readFileSync(file)).validTo) / 1_000;
  const told = async () => {
    const { text } = await scrape(server);
    return [1, 2].map((worker) =>
      figure(text, `claimd_tls_certificate_expiry_timestamp_seconds{door="mqtt",worker="${worker}"}`),
    );
  };
  const [first, second] = [endOf(cert), endOf(renewed.cert)];
  const untilTold = (what: string, ends: number) =>
    until(what, async () => (await told()).every((end) => end === ends));
  await untilTold('both tell what they show', first);
  copyFileSync(renewed.cert, cert);
  copyFileSync(renewed.key, key);
  await untilTold('nobody has told them of the new files', first);
  server.signal('SIGHUP');
  await untilTold('they show the new one', second);
  writeFileSync(cert, 'in the middle of being written');
  await untilTold('they go on', second);
  is(server.log().filter(({ msg }) => msg === 'a worker died; it is restarted').length, 0);
  is((await server.stop()).code, 0);
});

const withPrometheus = needing([PROMETHEUS], test);

withPrometheus(
  'metrics: Prometheus reads them, and knows every figure of the dashboard and the alerts',
  async () => {
    const folder = temporaryFolder();
    const keys = makeCertificate(folder, 'server');
    const server = await startServer({
      env: {
        ...METRICS,
        MQTT_SSL_ENABLED: 'true',
        MQTT_SSL_BIND_ADDRESS: '127.0.0.1',
        MQTT_SSL_BIND_PORT: '0',
        MQTT_SSL_PEM_CERT: keys.cert,
        MQTT_SSL_PEM_KEY: keys.key,
        // Nobody is there, which is what its figure tells.
        MQTT_BROKER_URL: 'mqtt://127.0.0.1:1',
        MQTT_BROKER_CLAIM_TOPICS: 'v1/devices/{token}/claim',
      },
    });
    is(figure((await scrape(server)).text, 'claimd_mqtt_broker_connections'), 0);
    await live(server);
    const alerts = readFileSync(join(PROMETHEUS_EXAMPLES, 'alerts.yml'), 'utf8');
    const prometheus = await startPrometheus(metricsPortOf(server));
    try {
      const { ask, query } = prometheus;
      await until(
        'it has read claimd',
        async () => (await query('claimd_build_info')).data?.result?.length > 0,
      );
      const known: readonly string[] = (await ask('label/__name__/values')).data;
      const expressions = [...dashboardExpressions(), ...alertExpressions(alerts)];
      ok(expressions.length > 30);
      const named = new Set(expressions.flatMap((one) => one.match(/\b(claimd|nodejs|process)_\w+/g) ?? []));
      equal(
        [...named].filter((name) => !known.includes(name)),
        [],
        'nobody tells them',
      );
      for (const expression of expressions) {
        is((await query(expression)).status, 'success', expression);
      }
      const rules = (await ask('rules')).data.groups.flatMap((group: { rules: unknown[] }) => group.rules);
      is(rules.length, alertExpressions(alerts).length, 'it has the alerts');
    } finally {
      await prometheus.stop();
    }
  },
);

/** The expressions of the dashboard, with its variables filled in as Grafana does. */
function dashboardExpressions(): readonly string[] {
  const { panels } = JSON.parse(readFileSync(join(PROMETHEUS_EXAMPLES, 'grafana-dashboard.json'), 'utf8'));
  return panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) =>
      expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', 'claimd').replaceAll('$instance', '.+'),
    ),
  );
}

function alertExpressions(alerts: string): readonly string[] {
  return [...alerts.matchAll(/^ +expr: (.+)$/gm)].map(([, expression]) => expression ?? '');
}

test.run();
