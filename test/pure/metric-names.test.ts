/**
 * The names, labels and buckets that the design of the metrics asked for, copied as data: each is told by the meters, or the document
 * says what is told instead and why. Nothing is told that the document does not name.
 */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createMeters } from '../../config/metrics/meters.ts';

const ACK_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** OpenTelemetry's for `http.server.request.duration`. */
const HTTP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

interface Asked {
  /** In any order; with the values that were asked for, where some were. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  readonly bounds?: readonly number[];
}

/** Told as it was asked for. */
const TOLD: Readonly<Record<string, Asked>> = {
  claimd_build_info: { labels: { version: [], node: [], store: [] } },
  claimd_claim_windows_opened_total: {
    labels: {
      transport: ['mqtt', 'http', 'coap', 'gateway', 'broker'],
      outcome: [
        'opened',
        'already-claimed',
        'claiming-not-allowed',
        'duration-too-long',
        'rate-limited',
        'unavailable',
      ],
    },
  },
  claimd_claims_confirmed_total: { labels: { outcome: ['success', 'unavailable', 'unknown-device'] } },
  claimd_reclaims_total: { labels: { outcome: ['success'] } },
  claimd_claim_window_open_duration_seconds: {},
  claimd_windows_expired_total: {},
  claimd_ack_duration_seconds: { labels: { transport: [] }, bounds: ACK_SECONDS },
  claimd_store_commit_duration_seconds: { bounds: ACK_SECONDS },
  claimd_store_commit_size: {},
  claimd_store_up: {},
  claimd_actors_resident: {},
  claimd_actor_asks_pending: {},
  claimd_asks_refused_total: { labels: { reason: ['overloaded'] } },
  claimd_mqtt_connections: { labels: { protocol: ['3.1', '3.1.1', '5'] } },
  claimd_mqtt_broker_connections: {},
  claimd_mqtt_connects_total: { labels: { code: [] } },
  claimd_mqtt_packets_received_total: { labels: { type: [] } },
  claimd_mqtt_packets_sent_total: { labels: { type: [] } },
  claimd_http_request_duration_seconds: {
    labels: { method: [], route: [], status: [] },
    bounds: HTTP_SECONDS,
  },
  claimd_coap_requests_total: { labels: { code: ['2.01', '4.01', '5.03'] } },
  claimd_expiry_lateness_seconds: {},
  claimd_audit_lag_seconds: {},
  claimd_webhook_lag_seconds: {},
  claimd_webhook_attempts_total: { labels: { outcome: [] } },
  claimd_tls_certificate_expiry_timestamp_seconds: { labels: { door: [] } },
  process_resident_memory_bytes: {},
  process_cpu_seconds_total: {},
  nodejs_eventloop_lag_p99_seconds: {},
  nodejs_gc_duration_seconds: { labels: { kind: [] } },
  nodejs_heap_size_used_bytes: {},
};

/** Asked for and not told by this name; the document has a row that names it and what is told instead. */
const INSTEAD: Readonly<Record<string, readonly string[]>> = {
  claimd_conflicts_total: ['claimd_store_appends_total'],
  claimd_failed_secrets_total: ['claimd_claims_confirmed_total'],
  claimd_windows_open: ['claimd_claim_windows_opened_total', 'claimd_windows_expired_total'],
  claimd_lease_holder: ['claimd_audit_lag_seconds', 'claimd_webhook_lag_seconds'],
};

/** Values of labels that were asked for and are told otherwise; the document has a row for each. */
const OTHERWISE = ['outcome="malformed"', 'outcome="claimed"', 'outcome="failure"', 'by="customer|tenant"'];

const readme = readFileSync(new URL('../../../config/README.md', import.meta.url), 'utf8');
const differences = readme.slice(readme.indexOf('### Where the names differ'), readme.indexOf('## Traces'));

async function families() {
  const meters = createMeters({ version: '1', store: 'lmdb' });
  const none = { lagMs: 0, delivered: 0, failed: 0, steppedOver: 0 };
  meters.watch({
    store: { check: async () => {} },
    devices: { stats: () => ({ residents: 0, inFlight: 0 }) },
    mqtt: { connectionsByProtocol: () => ({ none: 0, '3.1': 0, '3.1.1': 0, '5': 0 }) },
    broker: { connected: 1 },
    auditLagMs: async () => 0,
    webhooks: () => none,
    auditSteppedOver: () => 0,
    mails: () => ({ sent: 0, deferred: 0, dropped: 0 }),
    certificates: () => [],
  });
  try {
    return new Map((await meters.read()).map((family) => [family.name, family]));
  } finally {
    meters.stop();
  }
}

test('metric names: what was asked for is told by its name, with its labels, values and buckets', async () => {
  const told = await families();
  for (const [name, { labels = {}, bounds }] of Object.entries(TOLD)) {
    const family = told.get(name);
    assert.ok(family !== undefined, name);
    assert.equal([...family.labels].sort(), Object.keys(labels).sort(), name);
    if (bounds !== undefined) assert.equal(family.bounds, bounds, name);
    for (const [label, values] of Object.entries(labels)) {
      const at = family.labels.indexOf(label);
      const there = new Set(family.samples.map(({ of }) => of[at]));
      assert.equal(
        values.filter((value) => !there.has(value)),
        [],
        `${name} ${label}`,
      );
    }
  }
});

test('metric names: of what is told otherwise the document says what, and why', async () => {
  const told = await families();
  for (const [name, others] of Object.entries(INSTEAD)) {
    assert.not.ok(told.has(name), `${name} is told after all`);
    const row = differences.split('\n').find((line) => line.startsWith(`| \`${name}`));
    assert.ok(row !== undefined, `no row for ${name}`);
    for (const other of others) {
      assert.ok(told.has(other), other);
      assert.ok(row.includes(other), `${name}: ${other}`);
    }
  }
  for (const what of OTHERWISE) assert.ok(differences.includes(what.replaceAll('|', '\\|')), what);
});

test('metric names: nothing is told that the document does not name; counters end in _total, nothing else does', async () => {
  for (const [name, { type }] of await families()) {
    assert.is(name.endsWith('_total'), type === 'counter', name);
    if (name.startsWith('claimd_') && name !== 'claimd_build_info')
      assert.ok(readme.includes(`\`${name}`), name);
  }
});

test.run();
