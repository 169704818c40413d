/**
 * What a batch does with one device: the same as the request for one does. A device that changed hands after the batch
 * looked at it is left alone, and doing it twice does no more than doing it once.
 */
import type { Accounts } from '../../actors/accounts/accounts.ts';
import { randomClaimKey } from '../../actors/base/claim-key.ts';
import type { CustomerId } from '../../actors/base/ids.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Batch, BatchRow, Before } from '../../actors/batches/model.ts';
import { type BatchCode, told, toldByDevice } from '../../actors/batches/reasons.ts';
import { secretLengthOf } from '../../actors/device/ownership-rules.ts';
import { CLAIMING_ALLOWED, type DeviceRecord, ownerEpochOf } from '../../actors/device/state.ts';
import type { DeviceAnswer, Devices } from '../../actors/fleet/devices.ts';
import { NOTHING_TOLD } from '../../actors/records/told.ts';
import { impersonation } from '../auth/principal.ts';
import { refusedByDevice } from '../wire/errors.ts';
import { assign, deleteAs, type Who } from './tenure.ts';
import type { NotesChanges } from './user-notes.ts';

export interface BatchActNeeds {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly secrets: Secrets;
  readonly audit: NotesChanges;
}

/** What became of a device; undefined: there is no answer yet. */
type Become = Pick<BatchRow, 'outcome' | 'message' | 'reason'> | undefined;

const DONE = { outcome: 'done', ...NOTHING_TOLD } as const;
const UNCHANGED = { outcome: 'unchanged', ...NOTHING_TOLD } as const;
const refused = (code: BatchCode): Become => ({ outcome: 'refused', ...told(code) });
const GONE = refused('no-device');
const CHANGED_HANDS = refused('changed-hands');
const OWNERS_WORDS = refused('described-by-owner');
const CHANGED_SINCE = refused('changed-since');

export function createBatchAct(needs: BatchActNeeds) {
  return async (batch: Batch, row: BatchRow): Promise<BatchRow | undefined> => {
    const become = row.before ? await becomeOf(needs, batch, row, row.before) : GONE;
    return become === undefined ? undefined : { ...row, ...become };
  };
}

function becomeOf(needs: BatchActNeeds, batch: Batch, row: BatchRow, before: Before): Promise<Become> {
  const { change } = batch;
  const { restore } = row;
  switch (change.type) {
    case 'assign':
      if (restore === undefined) return handTo(needs, batch, row, change.customerId, before.epoch);
      return handTo(needs, batch, row, restore.customerId, restore.epoch + 1);
    case 'take-back':
      return handTo(needs, batch, row, null, before.epoch);
    case 'allow':
    case 'forbid': {
      const wanted = change.type === 'allow';
      if (restore === undefined) return allow(needs, batch, row, before.allowed, wanted);
      if (before.allowed !== wanted) return Promise.resolve(CHANGED_SINCE);
      return allow(needs, batch, row, before.allowed, restore.allowed);
    }
    case 'label':
      if (restore === undefined) return relabel(needs, batch, row, before.label, change.label);
      if (before.label !== change.label) return Promise.resolve(CHANGED_SINCE);
      return relabel(needs, batch, row, before.label, restore.label ?? null);
    case 'keys':
      return setKey(needs, batch, row, change.expiresAt);
    case 'delete':
      return remove(needs, batch, row, before);
    default:
      return unreachable(change);
  }
}

const whoOf = ({ tenantId, createdBy: userId, impersonatorId }: Batch): Who => ({
  tenantId,
  userId,
  ...(impersonatorId === undefined ? {} : { impersonatorId }),
});

/** Undefined where it may be asked again; else the refusal. */
function refusal(answer: Exclude<DeviceAnswer, { type: 'accepted' }>): Become {
  if (answer.type === 'unavailable' || answer.refusal.reason === 'rate-limited') return undefined;
  if (answer.refusal.reason === 'unknown-device') return GONE;
  return { outcome: 'refused', ...toldByDevice(answer.refusal, refusedByDevice(answer.refusal).message) };
}

/** Gives a device to a customer, or takes it back (null), if it is in that owner epoch still. */
async function handTo(
  needs: BatchActNeeds,
  batch: Batch,
  { id }: BatchRow,
  to: CustomerId | null,
  epoch: number,
): Promise<Become> {
  const who = whoOf(batch);
  const { tenantId, userId } = who;
  const by = { inEpochs: [epoch], ...impersonation(who) };
  const isTheirs = (device: Pick<DeviceRecord, 'owner'>) => (device.owner?.customerId ?? null) === to;
  const now = await needs.devices.read(id);
  if (now?.tenantId !== tenantId) return GONE;
  // Done by this batch before it was broken off, or by somebody else: either way the device is where it should be.
  if (isTheirs(now)) return ownerEpochOf(now) === epoch ? UNCHANGED : DONE;
  if (to === null) {
    const taken = await needs.devices.ask(id, {
      type: 'UnassignDevice',
      tenantId,
      userId,
      customerId: null,
      ...by,
    });
    return becameOf(taken);
  }
  const given = await assign(needs, who, id, to, { inEpochs: [epoch] });
  return given === undefined ? refused('customer-gone') : becameOf(given);
}

function becameOf(answer: DeviceAnswer): Become {
  if (answer.type === 'accepted') return DONE;
  const isElsewhere = answer.type === 'refused' && answer.refusal.reason === 'epoch-changed';
  return isElsewhere ? CHANGED_HANDS : refusal(answer);
}

/** Sets or deletes (null) `claimingAllowed`. */
async function allow(
  { devices }: BatchActNeeds,
  batch: Batch,
  { id }: BatchRow,
  now: boolean | null,
  wanted: boolean | null,
): Promise<Become> {
  if (now === wanted) return UNCHANGED;
  const who = whoOf(batch);
  const { tenantId, userId } = who;
  const whose = { tenantId, userId, customerId: null, scope: 'SERVER_SCOPE', ...impersonation(who) } as const;
  const answer =
    wanted === null
      ? await devices.ask(id, { type: 'DeleteAttributes', ...whose, keys: [CLAIMING_ALLOWED] })
      : await devices.ask(id, { type: 'SaveAttributes', ...whose, values: { [CLAIMING_ALLOWED]: wanted } });
  return answer.type === 'accepted' ? DONE : refusal(answer);
}

/**
 * Changes the label alone, and only while it is what the batch found: a name, a label or whatever else is saved in the same
 * moment is not written over, and undoing gives back what was there.
 * @param now its label as the batch found it; undefined in records of older versions: as it is
 */
async function relabel(
  { devices }: BatchActNeeds,
  batch: Batch,
  { id }: BatchRow,
  now: string | null | undefined,
  label: string | null,
): Promise<Become> {
  if (now === label) return UNCHANGED;
  const device = await devices.read(id);
  if (device?.tenantId !== batch.tenantId) return GONE;
  if (device.label === label) return DONE; // by this batch before it was broken off
  const ifLabel = now === undefined ? device.label : now;
  if (isDescribedByOwner(device)) return OWNERS_WORDS;
  const who = whoOf(batch);
  const answer = await devices.ask(id, {
    type: 'UpdateDevice',
    tenantId: who.tenantId,
    userId: who.userId,
    customerId: null,
    ...impersonation(who),
    label,
    ifLabel,
  });
  if (answer.type === 'accepted') return DONE;
  if (answer.type !== 'refused' || answer.refusal.reason !== 'description-changed') return refusal(answer);
  const since = await devices.read(id);
  if (since === undefined) return GONE;
  return isDescribedByOwner(since) ? OWNERS_WORDS : CHANGED_SINCE;
}

/** R4: the name that its owner gave it is not to be lost, and none of it is to come to the next owner by undoing. */
const isDescribedByOwner = ({ tenantDescription }: DeviceRecord) => tenantDescription !== undefined;

async function setKey(
  { devices, secrets }: BatchActNeeds,
  batch: Batch,
  { id }: BatchRow,
  expiresAt: number,
): Promise<Become> {
  const now = await devices.read(id);
  if (now?.tenantId !== batch.tenantId) return GONE;
  // By this batch before it was broken off, or by somebody else since: a key that may be printed by now is left alone.
  if (now.serverKey !== null && now.serverKey.savedAt > batch.createdAt) return DONE;
  const who = whoOf(batch);
  const secretKey = randomClaimKey();
  const answer = await devices.ask(id, {
    type: 'SaveAttributes',
    tenantId: who.tenantId,
    userId: who.userId,
    customerId: null,
    ...impersonation(who),
    scope: 'SERVER_SCOPE',
    values: {},
    serverKey: {
      secretDigest: secrets.digest(id, secretKey),
      sealedSecret: secrets.seal(id, secretKey),
      expiresAt,
    },
    secretLength: secretLengthOf(secretKey),
  });
  return answer.type === 'accepted' ? DONE : refusal(answer);
}

async function remove(needs: BatchActNeeds, batch: Batch, { id }: BatchRow, before: Before): Promise<Become> {
  const now = await needs.devices.read(id);
  if (now === undefined) return DONE; // it was there when the batch looked
  if (ownerEpochOf(now) !== before.epoch) return CHANGED_HANDS;
  return becameOf(await deleteAs(needs, whoOf(batch), id, { inEpochs: [before.epoch] }));
}
