/**
 * Claiming the devices of a kit, in the background, some at a time, one kit of a tenant after the other. What a crash makes a
 * run do twice is harmless: a device that the kit has claimed already says so.
 */
import type { Customers } from '../accounts/model.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { DeviceId, KitId, TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { DeviceAnswer, Devices } from '../fleet/devices.ts';
import type { Collection } from '../records/collection.ts';
import { createLease } from '../records/lease.ts';
import { createAbandoned } from '../records/runs.ts';
import { createSerial } from '../records/serial.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { Claimant, Kit, KitDevice } from './model.ts';

/** A device of a kit was refused to who has shown its code. @param reason a code of ours */
export type OnRefused = (who: Claimant, deviceId: DeviceId, reason: string) => void;

interface RunNeeds {
  readonly store: Store;
  readonly rows: Collection<Kit>;
  readonly devices: Devices;
  readonly customers: Pick<Customers, 'find'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRefused?: OnRefused;
}

type Begun = Pick<Kit, 'id' | 'tenantId'>;

export interface KitRuns {
  begin(kit: Begun): void;
  /** Begins those that no process works at. To be called from time to time with all that are being claimed. */
  takeOver(claiming: readonly Begun[]): Promise<void>;
  /** Ends runs after the devices that are being asked; they go on with `begin`. */
  stop(): Promise<void>;
}

/** Devices asked at the same time: claims go on beside it. */
const AT_ONCE = 16;
/** After so many the outcomes are written. */
const BATCH = 64;
const ASK_AGAIN_MS = 500;
/** A device that gives no answer so often is left for later: others do not wait for it. */
const TRIES = 3;
/** After so long without a sign of life a process that ran a kit is taken for dead. */
const LEASE_MS = 30_000;

export function createKitRuns(needs: RunNeeds): KitRuns {
  const { store, rows, devices, customers, clock, log, onRefused } = needs;
  const oneOfATenant = createSerial();
  const runs = new Map<KitId, Promise<void>>();
  const leaseOf = (id: string) => createLease(store, clock, `kit ${id}`, LEASE_MS);
  const abandoned = createAbandoned<Begun>(leaseOf);
  let stopping = false;

  /** A kit of which devices gave no answer comes back, behind the other kits of its tenant. */
  async function toTheEnd(id: KitId, tenantId: TenantId): Promise<void> {
    while (await oneOfATenant(tenantId, () => untilThrough(id))) {
      if (stopping) return;
      log.warn({ kit: id }, 'some devices of a kit give no answer; it comes back');
      await sleep(clock, ASK_AGAIN_MS);
    }
  }

  /** Resolves to whether devices are left that gave no answer. */
  async function untilThrough(id: KitId): Promise<boolean> {
    for (;;) {
      try {
        return await alone(id);
      } catch (error) {
        const comesBack = error instanceof StoreUnavailable && !stopping;
        log.warn(
          { err: error, kit: id },
          comesBack ? 'a kit waits' : 'a kit stopped; it is tried again in a minute',
        );
        if (!comesBack) return false;
        await sleep(clock, ASK_AGAIN_MS);
        if (stopping) return false;
      }
    }
  }

  async function alone(id: KitId): Promise<boolean> {
    const lease = leaseOf(id);
    while (!(await lease.hold())) {
      if (stopping) return false;
      await sleep(clock, ASK_AGAIN_MS);
    }
    const silent = new Set<DeviceId>();
    try {
      while (!stopping && (await lease.hold()) && (await claimSome(id, silent)));
      return silent.size > 0;
    } finally {
      await lease.release();
    }
  }

  /** Resolves to whether there is more to do. @param silent those that gave no answer, which are left for later */
  async function claimSome(id: KitId, silent: Set<DeviceId>): Promise<boolean> {
    const kit = await rows.find(id);
    if (kit?.claim == null || kit.state !== 'claiming') return false;
    const who = { tenantId: kit.tenantId, ...kit.claim };
    const open = kit.devices.filter((device) => device.outcome === 'waiting' && !silent.has(device.id));
    const some = open.slice(0, BATCH);
    const results = new Map<string, KitDevice>();
    for (let at = 0; at < some.length; at += AT_ONCE) {
      if (stopping) break;
      const asked = some.slice(at, at + AT_ONCE);
      const claimed = await Promise.all(asked.map((device) => claimOne(who, device)));
      for (const [nth, { id: device }] of asked.entries()) {
        const outcome = claimed[nth];
        if (outcome === undefined) silent.add(device);
        else results.set(device, outcome);
      }
    }
    if (some.length > 0 && results.size === 0) return some.length === BATCH; // nothing to write
    await rows.change(id, (now) => {
      const all = now.devices.map((device) => results.get(device.id) ?? device);
      const isThrough = all.every(({ outcome }) => outcome !== 'waiting');
      return { ...now, devices: all, state: isThrough ? 'claimed' : now.state };
    });
    return some.length === BATCH;
  }

  /** Undefined: there is no answer by now. */
  async function claimOne(who: Claimant, device: KitDevice): Promise<KitDevice | undefined> {
    const { tenantId, customerId, userId, impersonatorId } = who;
    const by = impersonatorId === undefined ? {} : { impersonatorId };
    const ids = { tenantId, customerId, userId, ...by };
    const answer = await ask(() =>
      devices.ask(device.id, { type: 'ClaimByKit', ...ids, grantedIn: device.epoch }),
    );
    if (answer === undefined) return undefined;
    if (answer.type === 'refused') {
      const { reason } = answer.refusal;
      onRefused?.(who, device.id, reason);
      return { ...device, outcome: 'refused', reason };
    }
    if ((await customers.find(tenantId, customerId)) !== undefined) return { ...device, outcome: 'claimed' };
    // Deleted meanwhile, and maybe cleared before this one came.
    await ask(() => devices.ask(device.id, { type: 'UnassignDevice', ...ids }));
    return { ...device, outcome: 'refused', reason: 'not-owner' };
  }

  /** Asks some times, for devices move between nodes; undefined when there is no answer. */
  async function ask(
    once: () => Promise<DeviceAnswer>,
  ): Promise<Exclude<DeviceAnswer, { type: 'unavailable' }> | undefined> {
    for (let tries = 1; ; tries += 1) {
      const answer = await once();
      if (answer.type !== 'unavailable') return answer;
      if (stopping || tries === TRIES) return undefined;
      await sleep(clock, ASK_AGAIN_MS);
    }
  }

  function begin({ id, tenantId }: Begun): void {
    if (runs.has(id) || stopping) return;
    const running = toTheEnd(id, tenantId).finally(() => runs.delete(id));
    runs.set(id, running);
  }

  return {
    begin,
    async takeOver(claiming) {
      for (const kit of await abandoned(claiming.filter(({ id }) => !runs.has(id)))) begin(kit);
    },
    async stop() {
      stopping = true;
      await Promise.all(runs.values());
    },
  };
}
