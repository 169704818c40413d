/**
 * All figures of one process, put together: what is counted (`claims.ts`, the store, the requests) and what is read when somebody
 * asks. Without `metrics.enabled` none of it is made, and nothing is counted.
 */

import { X509Certificate } from 'node:crypto';
import { ACK_SECONDS, type Family, Metrics } from '../../actors/base/metrics.ts';
import type { Append, AppendResult, Journal } from '../../actors/journal/journal.ts';
import { ifUnavailable } from '../../actors/journal/unavailable.ts';
import type { Certificate } from '../../actors/sockets/certificate.ts';
import type { ObserveCommit } from '../../actors/store/lmdb/writer.ts';
import type { Store } from '../../actors/store/store.ts';
import type { ObserveRequest } from '../../http/dispatch.ts';
import type { MqttEndpoint } from '../../transports/mqtt/endpoint/endpoint.ts';
import type { PacketFigures } from '../../transports/mqtt/endpoint/figures.ts';
import { type ClaimFigures, meterClaims } from './claims.ts';
import { meterCoap, meterPackets } from './packets.ts';
import { meterProcess } from './process.ts';

/** OpenTelemetry's for requests over HTTP. */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;
/** How long a scrape waits for the store to say how it is. */
export const CHECK_MS = 1_000;

export interface Meters {
  readonly claims: ClaimFigures;
  readonly onRequest: ObserveRequest;
  readonly packets: PacketFigures;
  /** Hears the code of each answer by CoAP. */
  onCoapAnswer(code: number): void;
  /** Commits of a store that makes them in this process. */
  readonly onCommit: ObserveCommit;
  /** The journal, with its appends measured. */
  journal(journal: Journal): Journal;
  /** What is read from the running server. */
  watch(running: Running): void;
  /** All figures as they are now. */
  read(): Promise<readonly Family[]>;
  stop(): void;
}

interface Running {
  readonly store: Pick<Store, 'check'>;
  readonly devices: { stats(): { readonly residents: number; readonly inFlight: number } };
  readonly mqtt: Pick<MqttEndpoint, 'connectionsByProtocol'> | undefined;
  /** The link to an MQTT broker in front; undefined: there is none. */
  readonly broker: { readonly connected: number } | undefined;
  /** How long the oldest event has waited that the audit trail has not written yet. Rejects with `StoreUnavailable`. */
  auditLagMs(): Promise<number>;
  /** What this process has sent to webhooks. */
  webhooks(): {
    readonly lagMs: number;
    readonly delivered: number;
    readonly failed: number;
    readonly steppedOver: number;
  };
  /** Records that the audit trail could not read. */
  auditSteppedOver(): number;
  /** What this process has made of mails. */
  mails(): { readonly sent: number; readonly deferred: number; readonly dropped: number };
  /** Those that are shown to clients, by the door that shows them. */
  certificates(): readonly (readonly [door: string, certificate: Certificate])[];
}

export function createMeters(about: { readonly version: string; readonly store: string }): Meters {
  const metrics = new Metrics();
  metrics.gauge(
    { name: 'claimd_build_info', help: 'Always 1; the labels say what runs.' },
    ['version', 'node', 'store'],
    () => [[[about.version, process.versions.node, about.store], 1]],
  );
  const claims = meterClaims(metrics);
  const journal = meterJournal(metrics);
  const onRequest = meterRequests(metrics);
  const packets = meterPackets(metrics);
  const onCoapAnswer = meterCoap(metrics);
  const onCommit = meterCommits(metrics, about.store);
  const stopProcess = meterProcess(metrics);
  const attempts = metrics.counter(
    { name: 'claimd_webhook_attempts_total', help: 'Requests to webhooks.' },
    { outcome: ['delivered', 'failed'] },
  );
  const mails = metrics.counter(
    { name: 'claimd_mails_total', help: 'Attempts to send a mail: sent, put off, or dropped for good.' },
    { outcome: ['sent', 'deferred', 'dropped'] },
  );
  const unreadable = metrics.counter(
    {
      name: 'claimd_unreadable_records_total',
      help: 'Stored records that could not be read and were stepped over, by who lacks them.',
    },
    { reader: ['audit', 'outbox'] },
  );
  let isUp = true;
  let auditLagMs = 0;
  let running: Running | undefined;

  return {
    claims,
    onRequest,
    packets,
    onCoapAnswer,
    onCommit,
    journal,
    watch(what) {
      running = what;
      metrics.gauge(
        { name: 'claimd_store_up', help: 'Whether the store could be used just now.' },
        [],
        () => [[[], isUp ? 1 : 0]],
      );
      metrics.gauge(
        {
          name: 'claimd_audit_lag_seconds',
          help: 'How long the oldest event has waited that is not in the audit trail yet; as it was while the store is away.',
        },
        [],
        () => [[[], auditLagMs / 1_000]],
      );
      watchRunning(metrics, what);
    },
    async read() {
      if (running !== undefined) {
        isUp = await answersInTime(running.store.check());
        if (isUp) auditLagMs = await running.auditLagMs().catch(ifUnavailable(() => auditLagMs));
        const { delivered, failed, steppedOver } = running.webhooks();
        attempts.of('delivered').value = delivered;
        attempts.of('failed').value = failed;
        const { sent, deferred, dropped } = running.mails();
        mails.of('sent').value = sent;
        mails.of('deferred').value = deferred;
        mails.of('dropped').value = dropped;
        unreadable.of('outbox').value = steppedOver;
        unreadable.of('audit').value = running.auditSteppedOver();
      }
      return metrics.read();
    },
    stop: stopProcess,
  };
}

function watchRunning(metrics: Metrics, running: Running): void {
  const { devices, mqtt, broker, webhooks, certificates } = running;
  metrics.gauge(
    {
      name: 'claimd_webhook_lag_seconds',
      help: 'How long something has waited that some webhook is to have; 0 on nodes that do not send.',
    },
    [],
    () => [[[], webhooks().lagMs / 1_000]],
  );
  metrics.gauge({ name: 'claimd_actors_resident', help: 'Device actors in memory.' }, [], () => [
    [[], devices.stats().residents],
  ]);
  metrics.gauge({ name: 'claimd_actor_asks_pending', help: 'Commands to devices in flight.' }, [], () => [
    [[], devices.stats().inFlight],
  ]);
  if (mqtt !== undefined) {
    metrics.gauge(
      {
        name: 'claimd_mqtt_connections',
        help: 'MQTT connections by version; `none` has not been let in yet.',
      },
      ['protocol'],
      () => Object.entries(mqtt.connectionsByProtocol()).map(([protocol, count]) => [[protocol], count]),
    );
  }
  if (broker !== undefined) {
    const name = 'claimd_mqtt_broker_connections';
    const help = 'Connections to the MQTT broker in front that stand.';
    metrics.gauge({ name, help }, [], () => [[[], broker.connected]]);
  }
  metrics.gauge(
    {
      name: 'claimd_tls_certificate_expiry_timestamp_seconds',
      help: 'When the certificate that is shown to clients ends, in seconds since 1970.',
    },
    ['door'],
    () =>
      certificates().map(([door, { cert }]) => [
        [door],
        Date.parse(new X509Certificate(cert).validTo) / 1_000,
      ]),
  );
}

function meterJournal(metrics: Metrics): (journal: Journal) => Journal {
  const appends = metrics.counter(
    { name: 'claimd_store_appends_total', help: 'Events that were to become durable.' },
    { outcome: ['appended', 'conflict', 'taken', 'unavailable'] },
  );
  const seconds = metrics.histogram(
    {
      name: 'claimd_store_append_duration_seconds',
      help: 'From the decision of a device to its durable event, with the wait for the commit that it shares.',
    },
    ACK_SECONDS,
  );
  const failed = appends.of('unavailable');
  return (journal) => {
    const append = (entry: Append): Promise<AppendResult> => {
      const startedAt = performance.now();
      const appended = journal.append(entry);
      appended.then(
        ({ type }) => {
          appends.of(type).value += 1;
          seconds.observe((performance.now() - startedAt) / 1_000);
        },
        () => {
          failed.value += 1;
        },
      );
      return appended;
    };
    return {
      logs: journal.logs,
      append,
      load: (stream) => journal.load(stream),
      loadMany: (streams, part) => journal.loadMany(streams, part),
      alarms: (after, limit) => journal.alarms(after, limit),
      ...(journal.sequenceOf && { sequenceOf: journal.sequenceOf.bind(journal) }),
      ...(journal.detailsFrom && { detailsFrom: journal.detailsFrom.bind(journal) }),
      due: (now, after, limit) => journal.due(now, after, limit),
      log: (which, from, limit) => journal.log(which, from, limit),
      trim: (which, upTo) => journal.trim(which, upTo),
      forget: (which, stretch, limit, verdict) => journal.forget(which, stretch, limit, verdict),
    };
  };
}

/** Operations that share a commit. */
const COMMIT_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000] as const;

/** Of LMDB alone: what Redis commits is seen there. */
function meterCommits(metrics: Metrics, store: string): ObserveCommit {
  if (store !== 'lmdb') return () => {};
  const sizes = metrics.histogram(
    { name: 'claimd_store_commit_size', help: 'Writes that became durable with one commit.' },
    COMMIT_SIZES,
  );
  const seconds = metrics.histogram(
    {
      name: 'claimd_store_commit_duration_seconds',
      help: 'How long a commit took, with its flush to the disk.',
    },
    ACK_SECONDS,
  );
  return (size, ms) => {
    sizes.observe(size);
    seconds.observe(ms / 1_000);
  };
}

/** @returns counts a request: by the pattern of its route, never by its path, which has names and tokens in it */
function meterRequests(metrics: Metrics): ObserveRequest {
  const histogramOf = metrics.histogramsOf(
    { name: 'claimd_http_request_duration_seconds', help: 'Requests over HTTP, by route and status.' },
    REQUEST_SECONDS,
    ['method', 'route', 'status'],
  );
  const known = new Map<string, Map<number, ReturnType<typeof histogramOf>>>();
  return ({ method, path }, status, seconds) => {
    const route = `${method} ${path}`;
    const ofRoute = known.get(route) ?? new Map<number, ReturnType<typeof histogramOf>>();
    known.set(route, ofRoute);
    const histogram = ofRoute.get(status) ?? histogramOf([method, path, String(status)]);
    ofRoute.set(status, histogram);
    histogram.observe(seconds);
  };
}

async function answersInTime(check: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_MS);
  });
  const checked = check.then(
    () => true,
    () => false,
  );
  return Promise.race([checked, late]).finally(() => clearTimeout(timer));
}
