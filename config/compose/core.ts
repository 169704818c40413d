/**
 * Composes everything that listens on no socket: store, keys, device actors, directory, accounts, alarms. `system.ts`
 * adds the servers.
 */

import {
  type AccountSettings,
  type Accounts,
  createAccounts,
  defaultAccountSettings,
} from '../../actors/accounts/accounts.ts';
import { createStoredBytes, type StoredBytes } from '../../actors/accounts/stored-bytes.ts';
import { type AuditTrail, createAudit } from '../../actors/audit/audit.ts';
import { countingRefusals, createRefusals, type Refusals } from '../../actors/audit/refusals.ts';
import { boundRefusals } from '../../actors/audit/repeats.ts';
import { createRetention } from '../../actors/audit/retention.ts';
import type { Clock } from '../../actors/base/clock.ts';
import { cautiousTime } from '../../actors/base/clock-steps.ts';
import type { Log } from '../../actors/base/log.ts';
import { createSecrets, type Secrets } from '../../actors/base/secret.ts';
import { openTracing, type Tracing } from '../../actors/base/tracing.ts';
import { createPolicyHook } from '../../actors/claiming/policy-hook.ts';
import { completingTakeOvers, newcomersOf } from '../../actors/claiming/take-overs.ts';
import { type Bus, silentBus } from '../../actors/cluster/bus.ts';
import { sharedCounters } from '../../actors/cluster/shared-counters.ts';
import { createWindowGuesses, type WindowGuesses } from '../../actors/cluster/window-guesses.ts';
import { deviceEngine } from '../../actors/device/persistence.ts';
import { createAlarms } from '../../actors/fleet/alarms.ts';
import type { AskConsent } from '../../actors/fleet/consent.ts';
import { createDeviceQuotas } from '../../actors/fleet/device-quotas.ts';
import type { DeviceListener, Directory } from '../../actors/fleet/devices.ts';
import { createDirectory } from '../../actors/fleet/directory.ts';
import { JustRead } from '../../actors/fleet/just-read.ts';
import { createDevices, type LiveDevices } from '../../actors/fleet/live-devices.ts';
import { createProfiles, PROFILE_DEFAULTS, type Profiles } from '../../actors/fleet/profiles.ts';
import { shortTokens } from '../../actors/fleet/short-tokens.ts';
import { createWriteQuotas } from '../../actors/fleet/write-quotas.ts';
import { type Counters, memoryCounters } from '../../actors/limits/counters.ts';
import { createQuota } from '../../actors/limits/quota.ts';
import { createUserNewsRounds } from '../../actors/mail/user-news.ts';
import type { DispatcherFigures } from '../../actors/outbox/dispatcher.ts';
import type { Target } from '../../actors/outbox/message.ts';
import type { MessageReader } from '../../actors/outbox/reader.ts';
import type { Providers } from '../../actors/providers/model.ts';
import { createProviders } from '../../actors/providers/providers.ts';
import { createLease, LEASE_MS } from '../../actors/records/lease.ts';
import { type Parent, startActorSystem, stop } from '../../actors/runtime/nact.ts';
import type { Store } from '../../actors/store/store.ts';
import type { Webhooks } from '../../actors/webhooks/model.ts';
import type { ServerOption } from '../../http/routes/server-options.ts';
import type { Meters } from '../metrics/meters.ts';
import type { Config } from '../options/schema.ts';
import { hookKeysOf } from '../options/sections/outbound.ts';
import { createForgetting } from './forgetting.ts';
import { install } from './install.ts';
import {
  checkJwtKey,
  checkServerKey,
  credentialsKeyOf,
  installationOf,
  type Keys,
  loadKeys,
  tellOfNewStore,
} from './keys.ts';
import { composeMail, type MailParts } from './mail.ts';
import { type Outbound, openOutbound } from './outbound.ts';
import type { WorkerNeeds } from './readiness.ts';
import { composeRounds } from './rounds.ts';
import { type OpenedStore, openStore } from './store.ts';
import { composeWebhooks, trimmedUpTo } from './webhooks.ts';

export interface CoreNeeds {
  readonly clock: Clock;
  readonly log: Log;
  /** Shows a line to a person that must not go into the log. */
  readonly announce: (line: string) => void;
  /** Set in a worker, whose supervisor holds the folder's lock. */
  readonly worker?: WorkerNeeds;
  /** What the system administrator is shown of the options. */
  readonly shown?: readonly ServerOption[];
  /** Counts what happens; without it nothing is counted. */
  readonly meters?: Meters;
}

export interface Core {
  readonly store: Store;
  readonly keys: Keys;
  /** The name of this installation. */
  readonly installation: string;
  readonly secrets: Secrets;
  readonly devices: LiveDevices;
  readonly directory: Directory;
  readonly accounts: Accounts;
  readonly audit: AuditTrail;
  /** Counts refused claims that the trail has no notes of. */
  readonly refusals: Pick<Refusals, 'count'>;
  readonly stored: StoredBytes;
  readonly profiles: Profiles;
  /** Where failed attempts are counted. */
  readonly counters: Counters;
  /** For what is counted on the way of a claim: in memory, told over the bus, never in the store. */
  readonly quickCounters: Counters;
  readonly windowGuesses: WindowGuesses;
  /** Undefined: no OpenTelemetry SDK is loaded. */
  readonly tracing: Tracing | undefined;
  /** To the other processes on the same store. */
  readonly bus: Bus;
  /** The actor system, for transports that spawn actors. */
  readonly root: Parent;
  /** Calls the listener with every durable event of this process. */
  listen(listener: DeviceListener): void;
  /** Wakes devices whose windows elapse and whose take-overs are due, until `stopAlarms`. */
  startAlarms(): void;
  readonly webhooks: Webhooks;
  /** The log as it is told outside. */
  readonly reader: MessageReader;
  /** Somebody besides webhooks to whom events go; before `startWebhooks`. */
  addTarget(target: Target): Promise<void>;
  readonly providers: Providers;
  readonly mail: MailParts;
  readonly outbound: Outbound;
  /** Sends to webhooks, if this node is to. */
  startWebhooks(): void;
  webhookFigures(): DispatcherFigures;
  /** How long the oldest event has waited for the audit trail. Rejects with `StoreUnavailable`. */
  auditLagMs(): Promise<number>;
  /** Records that the audit trail could not read. */
  auditSteppedOver(): number;
  stopAlarms(): Promise<void>;
  /** Waits for commands in flight, at most `drainMs`, then closes the store. */
  close(drainMs: number): Promise<void>;
}

/** Opens everything and installs what a first start needs. Leaves nothing open when it rejects. */
export async function openCore(config: Config, needs: CoreNeeds): Promise<Core> {
  const { clock } = needs;
  const role = needs.worker === undefined ? 'alone' : 'worker';
  const opened = await openStore(config, role, needs.log, needs.meters?.onCommit);
  const { store } = opened;
  const bus = opened.bus ?? needs.worker?.bus ?? silentBus;
  let close: (drainMs: number) => Promise<void> = () => opened.close();
  let stopRounds = async () => {};
  let stopMail = async () => {};
  let stopNews = async () => {};
  try {
    const keys = await checkedKeys(config, opened, needs.log);
    const credentialsKey = await credentialsKeyOf(store, keys, config.claim.acceptNewServerKey, needs.log);
    const secrets = createSecrets(keys.serverKey, keys.otherServerKey, credentialsKey);
    const profiles = createProfiles(store, clock, PROFILE_DEFAULTS, bus, config.ownership);
    const outbound = openOutbound(config.outbound, clock);
    const { root, devices, justRead, audit, trail, refusals, retention, listeners } = startActors(
      config,
      { ...needs, profiles, secrets, outbound },
      opened,
    );
    const installation = await installationOf(store);
    const server = serverName(config, installation);
    const tracing = openTraces(config, needs);
    const { webhooks, dispatcher, reader, addTarget } = composeWebhooks(config.webhooks, {
      ...needs,
      ...outbound,
      store,
      secrets,
      profiles,
      server,
      tracing,
    });
    close = async (drainMs) => {
      await refusals.stop();
      await Promise.all([devices.stop(drainMs), dispatcher.stop(), stopMail()]);
      stop(root);
      trail.stop();
      await retention.stop();
      await Promise.all([stopRounds(), stopNews()]);
      await audit.stop();
      await opened.close();
      await tracing?.flush();
    };
    const directory = createDirectory(store.journal, store.index, undefined, justRead);
    const stored = createStoredBytes(store, config.quotas.bytesPerTenant, needs.log);
    const accounts = createAccounts({
      store,
      devices,
      directory,
      clock,
      bus,
      secrets,
      settings: accountSettings(config),
      ...createForgetting(store, profiles, stored, webhooks, clock),
    });

    const lease = createLease(store, clock, 'alarms', LEASE_MS);
    const woken = completingTakeOvers(devices, newcomersOf(accounts), cautiousTime(clock), needs.log);
    const alarms = createAlarms({
      journal: store.journal,
      devices: woken,
      settings: config.alarms,
      clock,
      log: needs.log,
      lease,
    });
    const rounds = composeRounds(config.system, { ...needs, store, accounts, audit });
    stopRounds = rounds.stop;
    await install({ ...needs, store, accounts, devices, directory, secrets }, config.install);
    audit.start();
    retention.start();
    rounds.start();

    const quickCounters = bus === silentBus ? memoryCounters : sharedCounters(bus);
    const counters = opened.counters ?? quickCounters;
    const mail = await composeMail(config, {
      ...needs,
      store,
      accounts,
      directory,
      secrets,
      counters,
      audit: trail,
    });
    stopMail = () => mail.stop();
    const news = createUserNewsRounds(store, { ...needs, accounts, audit: trail, mails: mail.mails }, clock);
    stopNews = () => news.stop();
    news.start();
    const { filter } = outbound;
    const { allowSignUp } = config.accounts;
    return {
      store,
      keys,
      installation,
      secrets,
      devices,
      directory,
      accounts,
      audit: { ...trail, days: rounds.days },
      refusals,
      stored,
      windowGuesses: createWindowGuesses(
        { max: config.limits.wrongSecretsPerWindow, firstWaitMs: config.limits.firstWaitMs },
        bus,
      ),
      counters,
      providers: createProviders({
        store,
        accounts,
        directory,
        secrets,
        filter,
        counters,
        clock,
        allowSignUp,
      }),
      mail,
      outbound,
      quickCounters,
      profiles,
      tracing,
      bus,
      root,
      listen: (listener) => listeners.push(listener),
      webhooks,
      reader,
      addTarget,
      startWebhooks: () => (config.webhooks.enabled ? dispatcher.start() : undefined),
      webhookFigures: dispatcher.figures,
      auditLagMs: audit.lagMs,
      auditSteppedOver: () => audit.steppedOver,
      startAlarms: () => alarms.start(),
      stopAlarms: () => alarms.stop(),
      close: (drainMs) => close(drainMs),
    };
  } catch (error) {
    await close(0);
    throw error;
  }
}

function openTraces({ tracing: { sampleRatio, ...rest } }: Config, { clock, log }: CoreNeeds) {
  const settings = { ...rest, sampleRatio: Number(sampleRatio) };
  const tracing = openTracing(settings, clock);
  if (tracing !== undefined) log.info(settings, 'traces: an OpenTelemetry SDK is loaded');
  return tracing;
}

/** What this server is called in what devices sign for it, in what it signs itself, and in what it tells others. */
export function serverName({ http }: Pick<Config, 'http'>, installation: string): string {
  return http.baseUrl ?? `claimd:${installation}`;
}

function accountSettings({ accounts, install: { loadDemo }, web }: Config): AccountSettings {
  const passwordNames = [...defaultAccountSettings.passwordNames, web.name];
  return { ...accounts, passwordNames, demoPasswordsWork: loadDemo };
}

/** Throws `StartRefused` if the keys are not those of the store. */
async function checkedKeys(config: Config, opened: OpenedStore, log: Log): Promise<Keys> {
  const { store, volatile, readsLocally } = opened;
  if (!volatile) await tellOfNewStore(store, config.store.dataDir, log);
  const keys = loadKeys(config, volatile);
  const { claim, accounts } = config;
  await checkServerKey(store, keys.serverKey, claim.acceptNewServerKey, keys.otherServerKey);
  // Processes on one machine share a data folder and its key.
  if (!readsLocally) {
    await checkJwtKey(store, keys.jwtSigningKey, accounts.acceptNewJwtSigningKey, keys.otherJwtSigningKey);
  }
  return keys;
}

/** Who is asked before a claim is final, if somebody is. */
function policyHookOf(
  { policyHook: { url, secrets, timeoutMs } }: Config,
  { send }: Outbound,
  clock: Clock,
  log: Log,
): { readonly askConsent?: AskConsent } {
  if (url === undefined) return {};
  const keys = hookKeysOf(secrets ?? '') ?? [];
  return { askConsent: createPolicyHook({ url: new URL(url), keys, timeoutMs }, { send, clock, log }) };
}

interface ActorNeeds extends CoreNeeds {
  readonly profiles: Profiles;
  readonly secrets: Secrets;
  readonly outbound: Outbound;
}

/** The device actors, and the audit trail of what they did. */
function startActors(
  config: Config,
  { clock, log, meters, profiles, secrets, outbound }: ActorNeeds,
  { store, readsLocally }: OpenedStore,
) {
  const listeners: DeviceListener[] = [];
  const journal = meters?.journal(store.journal) ?? store.journal;
  const justRead = new JustRead();
  const root = startActorSystem(deviceEngine(journal, justRead));
  const { windowsPerDevice: max, windowsPerDeviceWindowMs: windowMs } = config.claim;
  const writes = createWriteQuotas(config.quotas.writesPerTenant, log);
  const devices = createDevices({
    root,
    journal,
    policy: { ...config.claim, ownership: config.ownership },
    ownershipOf: profiles.ownershipOf,
    secrets,
    settings: config.devices,
    ...policyHookOf(config, outbound, clock, log),
    windows: createQuota({ max, windowMs }),
    minTokenLength: config.limits.minTokenLength,
    writes,
    quotas: createDeviceQuotas(config.quotas, store.index, clock),
    clock,
    log,
    looksFirst: store.shared ? (readsLocally ? 'always' : 'contended') : undefined,
    onEvent: (id, event, state, before) => {
      for (const listener of listeners) listener(id, event, state, before);
    },
  });
  const { auditLogEnabled: auditReads, windowEventsMs } = config.system;
  const trim = trimmedUpTo(store, config.webhooks.logEventsMax, clock, log);
  const audit = createAudit(store, auditReads, clock, log, trim);
  const retention = createRetention(store, { windowEventsMs, auditReads }, clock, log);
  listeners.push(
    (id) => justRead.drop(id),
    audit.onDeviceEvent,
    shortTokens(log, secrets),
    writes.onDeviceEvent,
  );
  if (meters !== undefined) listeners.push(meters.claims.onDeviceEvent);
  const refusals = createRefusals({ devices, clock, log });
  const trail = countingRefusals(boundRefusals(audit, clock), refusals);
  return { root, devices, justRead, audit, trail, refusals, retention, listeners };
}
