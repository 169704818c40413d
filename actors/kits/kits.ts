/**
 * The kits of a tenant: made, split, revoked, and claimed by whoever shows the code.
 *
 * A code has 79 bits and is stored as a keyed digest; it is looked up within the tenant of who shows it. Guesses are counted
 * where they come in (`http/routes/kit-claims.ts`).
 */

import type { Customers } from '../accounts/model.ts';
import { randomClaimKey } from '../base/claim-key.ts';
import type { Clock, Instant } from '../base/clock.ts';
import { type DeviceId, type KitId, newId, type TenantId, type UserId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { type Secrets, unsealedOrNull } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Devices } from '../fleet/devices.ts';
import { eachMember } from '../records/pages.ts';
import type { Store } from '../store/store.ts';
import {
  type Claimant,
  KIT_DEVICES_MAX,
  KITS_MAX,
  type Kit,
  type KitAnswer,
  type KitDevice,
  type KitReason,
  type Kits,
  type NewKit,
  OVER_KEPT_MS,
  type PackedDevice,
} from './model.ts';
import { codeKey, kitsOf, openKits, UNDER_WAY } from './records.ts';
import { createKitRuns, type OnRefused } from './runs.ts';

export interface KitNeeds {
  readonly store: Store;
  readonly devices: Devices;
  readonly customers: Pick<Customers, 'find'>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  /** Hears of devices of a kit that whoever shows its code does not get; absent: nobody does. */
  readonly onRefused?: OnRefused;
  /** Kits of one tenant. */
  readonly kitsMax?: number;
}

const ID_MAX = 64;
/** The oldest kits, which are over if any are. */
const LOOKED_AT_FOR_ROOM = 20;
/** Kits that are looked for at once after a start. */
const RESUMED_AT_ONCE = 100;

export function createKits(needs: KitNeeds): Kits {
  const { store, secrets, clock, kitsMax = KITS_MAX } = needs;
  const rows = openKits(store);
  const runs = createKitRuns({ ...needs, rows });

  async function find(tenantId: TenantId, id: string): Promise<Kit | undefined> {
    const kit = id.length > ID_MAX ? undefined : await rows.find(id);
    return kit?.tenantId === tenantId ? kit : undefined;
  }

  /** A fresh code, as it is stored. */
  function coded(tenantId: TenantId, id: KitId): Pick<Kit, 'codeDigest' | 'sealedCode'> {
    const code = randomClaimKey();
    return { codeDigest: digestOf(tenantId, code), sealedCode: secrets.seal(id, code) };
  }

  const digestOf = (tenantId: TenantId, code: string) => secrets.digest(tenantId, plain(code));

  /** While keys are changed, a code was digested by the one or the other. */
  async function byCode(tenantId: TenantId, code: string): Promise<Kit | undefined> {
    for (const digest of secrets.digests(tenantId, plain(code))) {
      const kit = await rows.findByKey(codeKey(tenantId, digest));
      if (kit !== undefined) return kit;
    }
    return undefined;
  }

  function made(
    tenantId: TenantId,
    createdBy: UserId,
    { id = newId<KitId>(clock.now()), label, expiresAt }: NewKit,
    devices: readonly PackedDevice[],
  ): Kit {
    return {
      id,
      version: 1,
      tenantId,
      createdBy,
      createdAt: clock.now(),
      label,
      ...coded(tenantId, id),
      expiresAt,
      state: 'open',
      claim: null,
      devices: devices.map(waiting),
    };
  }

  /** Where there are as many as there may be, the oldest make room, if they have been over for long enough. */
  async function isFull(tenantId: TenantId): Promise<boolean> {
    const list = kitsOf(tenantId);
    if ((await store.index.count(list)) < kitsMax) return false;
    const now = clock.now();
    for (const kit of await rows.first(list, LOOKED_AT_FOR_ROOM)) {
      if (now - overSince(kit) >= OVER_KEPT_MS) await forget(tenantId, kit.id);
    }
    return (await store.index.count(list)) >= kitsMax;
  }

  async function forget(tenantId: TenantId, id: string): Promise<KitAnswer> {
    const kit = await find(tenantId, id);
    if (kit === undefined) return refused('kit-unknown');
    if (overSince(kit) > clock.now()) return refused('kit-not-over');
    // So nobody splits it meanwhile: what was split off is kept nowhere else.
    const revoked = kit.state === 'open' ? await revoke(tenantId, id) : undefined;
    if (revoked?.type === 'refused' && revoked.reason === 'kit-claimed') return refused('kit-not-over');
    await rows.remove(kit.id);
    return { type: 'done', kit };
  }

  const revoke = (tenantId: TenantId, id: string) =>
    changeOpen(tenantId, id, (kit) => ({ ...kit, state: 'revoked' }));

  async function create(kit: Kit): Promise<KitAnswer> {
    if (kit.devices.length === 0) return refused('kit-empty');
    if (kit.devices.length > KIT_DEVICES_MAX) return refused('kit-too-large');
    if (await isFull(kit.tenantId)) return refused('too-many-kits');
    if (!(await rows.create(kit))) throw new Error('a new kit id or code was taken');
    return { type: 'done', kit };
  }

  /** Writes the kit that was split off, which may be there already, and forgets that it was to be written. */
  async function finishSplit(kit: Kit): Promise<void> {
    const { part, expiresAt, tenantId } = kit;
    if (part === undefined) return;
    await rows.create({ ...part, version: 1, tenantId, expiresAt, state: 'open', claim: null });
    await rows.change(kit.id, (now) => (now.part?.id === part.id ? withoutPart(now) : now));
  }

  /** Changes a kit of the tenant while it is open; `next` says what it becomes, or why not. */
  async function changeOpen(
    tenantId: TenantId,
    id: string,
    next: (kit: Kit) => Kit | KitReason,
  ): Promise<KitAnswer> {
    const kit = await find(tenantId, id);
    if (kit === undefined) return refused('kit-unknown');
    await finishSplit(kit);
    let reason: KitReason | undefined;
    let isParted = false;
    const change = await rows.change(kit.id, (now) => {
      isParted = now.part !== undefined;
      if (isParted) return now;
      const after = reasonAgainst(now) ?? next(now);
      reason = typeof after === 'string' ? after : undefined;
      return typeof after === 'string' ? now : after;
    });
    // Somebody has split it since: what was split off is written first, for it is kept nowhere else.
    if (isParted) return changeOpen(tenantId, id, next);
    switch (change.type) {
      case 'done':
        return reason === undefined ? { type: 'done', kit: change.entity } : refused(reason);
      case 'not-found':
        return refused('kit-unknown');
      case 'conflict':
      case 'taken':
        throw new Error(`a kit could not be changed: ${change.type}`);
      default:
        return unreachable(change);
    }
  }

  async function fill(tenantId: TenantId, id: KitId, devices: readonly PackedDevice[]): Promise<KitAnswer> {
    return changeOpen(tenantId, id, (kit) => {
      const there = new Set(kit.devices.map((device) => device.id));
      const fresh = devices.filter((device) => !there.has(device.id)).map(waiting);
      if (fresh.length === 0) return kit;
      const all = [...kit.devices, ...fresh];
      return all.length > KIT_DEVICES_MAX ? 'kit-too-large' : { ...kit, devices: all };
    });
  }

  async function claim(who: Claimant, code: string): Promise<KitAnswer> {
    const { tenantId, ...claimant } = who;
    const { customerId } = claimant;
    const found = await byCode(tenantId, code);
    if (found === undefined) return refused('kit-unknown');
    if (found.claim?.customerId === customerId) {
      if (found.state === 'claiming') runs.begin(found); // its run may have ended with the process that answered first
      return { type: 'done', kit: found };
    }
    const answer = await changeOpen(tenantId, found.id, (kit) =>
      clock.now() >= kit.expiresAt
        ? 'kit-expired'
        : { ...kit, state: 'claiming', claim: { ...claimant, at: clock.now() } },
    );
    if (answer.type === 'done') runs.begin(answer.kit);
    return answer;
  }

  /** Those that are being claimed; splits that were broken off are finished on the way. */
  async function* claiming(): AsyncGenerator<Pick<Kit, 'id' | 'tenantId'>> {
    for await (const id of eachMember(store.index, UNDER_WAY, RESUMED_AT_ONCE)) {
      const kit = await rows.find(id); // one at a time: each is read with its devices
      if (kit !== undefined) await finishSplit(kit);
      if (kit?.state === 'claiming') yield { id: kit.id, tenantId: kit.tenantId };
    }
  }

  return {
    find,
    claim,
    create: (tenantId, userId, kit, devices) => create(made(tenantId, userId, kit, devices)),

    async fill(tenantId, userId, kit, devices) {
      if ((await find(tenantId, kit.id)) !== undefined) return fill(tenantId, kit.id, devices);
      const fresh = made(tenantId, userId, kit, devices);
      if (devices.length > KIT_DEVICES_MAX) return refused('kit-too-large');
      if (await isFull(tenantId)) return refused('too-many-kits');
      return (await rows.create(fresh)) ? { type: 'done', kit: fresh } : fill(tenantId, kit.id, devices);
    },

    list: (tenantId, query) => rows.page(kitsOf(tenantId), query),
    codeOf: ({ id, sealedCode }) => unsealedOrNull(secrets, id, sealedCode),

    async split(tenantId, userId, id, devices: ReadonlySet<DeviceId>, label) {
      if (await isFull(tenantId)) return refused('too-many-kits');
      const partId = newId<KitId>(clock.now());
      const code = coded(tenantId, partId);
      const about = { id: partId, label, ...code, createdAt: clock.now(), createdBy: userId };
      const answer = await changeOpen(tenantId, id, (kit) => {
        const [taken, left] = parted(kit.devices, ({ id: device }) => devices.has(device));
        if (taken.length === 0 || left.length === 0) return 'kit-empty';
        return { ...kit, devices: left, part: { ...about, devices: taken } };
      });
      if (answer.type === 'refused') return answer;
      await finishSplit(answer.kit);
      const part = await find(tenantId, partId);
      return part === undefined ? refused('kit-unknown') : { type: 'done', kit: part };
    },

    revoke,
    forget,

    async resume() {
      for await (const kit of claiming()) runs.begin(kit);
    },

    async takeOver() {
      const all: Pick<Kit, 'id' | 'tenantId'>[] = [];
      for await (const kit of claiming()) all.push(kit);
      await runs.takeOver(all);
    },

    stop: runs.stop,
  };
}

/** When it was over, or will be: it opens nothing more, and nothing of it is under way. */
function overSince({ state, claim, createdAt, expiresAt }: Kit): Instant {
  switch (state) {
    case 'open':
      return expiresAt;
    case 'revoked':
      return createdAt;
    case 'claiming':
      return Number.POSITIVE_INFINITY;
    case 'claimed':
      return claim?.at ?? createdAt;
    default:
      return unreachable(state);
  }
}

/** As people read it aloud and type it: case, spaces and dashes do not matter. */
function plain(code: string): string {
  return code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}

const waiting = ({ id, name, epoch }: PackedDevice): KitDevice => ({ id, name, epoch, outcome: 'waiting' });

function withoutPart({ part: _, ...kit }: Kit): Kit {
  return kit;
}

/** Why nothing about it can be changed any more. An expired one can still be split and revoked. */
function reasonAgainst({ state }: Kit): KitReason | undefined {
  switch (state) {
    case 'open':
      return undefined;
    case 'revoked':
      return 'kit-revoked';
    case 'claiming':
    case 'claimed':
      return 'kit-claimed';
    default:
      return unreachable(state);
  }
}

function parted<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function refused(reason: KitReason): KitAnswer {
  return { type: 'refused', reason };
}
