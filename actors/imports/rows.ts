/** One row of an import: trying it out, and carrying it out, which may be done twice. */
import { randomClaimKey } from '../base/claim-key.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { DeviceId, TenantId } from '../base/ids.ts';
import { type Secrets, unsealedOrNull } from '../base/secret.ts';
import { composed } from '../base/spelling.ts';
import { hiddenIn, isCleanText } from '../base/text.ts';
import type { DeviceCommand } from '../device/device.ts';
import type { Refusal } from '../device/messages.ts';
import { secretLengthOf } from '../device/ownership-rules.ts';
import type { Credentials, ServerKey } from '../device/state.ts';
import type { DeviceAnswer, Devices, Directory } from '../fleet/devices.ts';
import type { Profiles } from '../fleet/profiles.ts';
import type { Kits, PackedDevice } from '../kits/model.ts';
import { createQuota, type Quota } from '../limits/quota.ts';
import { NOTHING_TOLD } from '../records/told.ts';
import { type ImportJob, type ImportRow, idOfKit, idOfRow, type NewRow } from './model.ts';
import { type AskedCredentials, askedBy, credentialsFor, sameAsked } from './row-credentials.ts';
import { type RowReason, told } from './row-reasons.ts';

export interface RowNeeds {
  readonly devices: Devices;
  readonly directory: Directory;
  readonly kits: Pick<Kits, 'fill'>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** What the profiles ask of secrets; without it, a trial does not say which are too short. */
  readonly profiles?: Pick<Profiles, 'ownershipOf'>;
  /** Shortest access token that a device may be given, so that a trial says which are too short. Default: any. */
  readonly minTokenLength?: number;
  /** Draws one for a device that came without. */
  readonly accessToken: () => string;
  /** Whether the process is about to end: then nothing is retried. */
  readonly stopping: () => boolean;
}

export interface Rows {
  /** @param seen names and tokens of the rows before, which would be taken by then */
  tryOut(job: ImportJob, nth: number, row: ImportRow, seen: Set<string>): Promise<ImportRow>;
  /** Creates the row's device, or finds that it is there. Throws when the process ends meanwhile. */
  carryOut(job: ImportJob, nth: number, row: ImportRow): Promise<ImportRow>;
  /** What `carryOut` does where the row's device is there by now; no other one is created. */
  leaveAlone(job: ImportJob, nth: number, row: ImportRow): Promise<ImportRow>;
  /**
   * A row that was begun and broken off. If its device is not there, nobody knows whether it was never created or was
   * deleted since. An id must never be used again, so the row gets another one.
   */
  afresh(job: ImportJob, nth: number, row: ImportRow): Promise<ImportRow>;
  /** Puts the devices of rows that name a kit into it. It may be done twice. */
  pack(job: ImportJob, first: number, rows: readonly ImportRow[]): Promise<readonly ImportRow[]>;
  /** Deletes the row's device. */
  takeBack(job: ImportJob, nth: number, row: ImportRow): Promise<void>;
  /** A key as it is stored: digested, and sealed for its device. */
  sealedKey(id: DeviceId, secret: string): NonNullable<ImportRow['key']>;
  /** Whether a row is stored of what is sent. */
  isOf(job: ImportJob, nth: number, row: ImportRow, sent: NewRow): boolean;
}

const ASK_AGAIN_MS = 500;
/** How many times dry runs tell a tenant that a device of another tenant has what a row asks for. */
const OTHERS_FOUND = { max: 20, windowMs: 3_600_000 };
/** UTF-16 units, as for every name. */
const TEXT_MAX = 255;

export function createRows(needs: RowNeeds): Rows {
  const { devices, directory, secrets, clock, accessToken, stopping } = needs;
  const othersFound = createQuota(OTHERS_FOUND);

  async function carryOut(job: ImportJob, nth: number, row: ImportRow): Promise<ImportRow> {
    const refused = (reason: RowReason): ImportRow => ({ ...row, outcome: 'refused', ...told(reason) });
    const asked = askedBy(secrets, job.id, row);
    if (asked === null) return refused(UNREADABLE);
    const problem = problemOf(row);
    if (problem !== undefined) return refused(problem);
    const { tenantId } = job;
    const id = idOfRow(job.id, job.createdAt, nth, row.again);
    const credentials = credentialsFor(secrets, id, asked, accessToken);
    if ('code' in credentials) return refused(credentials);
    if (row.key !== null && unsealedOrNull(secrets, id, row.key.sealedSecret) === null)
      return refused(UNREADABLE);
    const answer = await ask(id, provisionFor(job, row, credentials));
    // There already: this very row was carried out before the process ended.
    if (answer.type === 'refused' && answer.refusal.reason !== 'already-provisioned') {
      return refused(await reasonOf(directory, tenantId, row, answer.refusal, credentials));
    }
    const key = row.key ?? (job.generateKeys ? sealedKey(id, randomClaimKey()) : null);
    if (key !== null) {
      const answer = await setKey(id, tenantId, { ...key, expiresAt: job.keysExpireAt });
      if (answer?.type === 'refused' && answer.refusal.reason === 'secret-too-short') {
        await ask(id, { type: 'DeleteDevice', tenantId }); // without its key it could be claimed by nobody
        return refused({ code: 'secret-too-short', min: answer.refusal.minSecretLength });
      }
    }
    return { ...row, outcome: 'created', ...NOTHING_TOLD };
  }

  /** Unless the device has a key or an owner already. */
  async function setKey(
    id: DeviceId,
    tenantId: TenantId,
    serverKey: Omit<ServerKey, 'savedAt'>,
  ): Promise<DeviceAnswer | undefined> {
    const device = await devices.read(id);
    if (device?.owner !== null || device.serverKey !== null) return undefined;
    const secretLength = secretLengthOf(secrets.unseal(id, serverKey.sealedSecret));
    const whose = { tenantId, customerId: null, scope: 'SERVER_SCOPE', values: {} } as const;
    return ask(id, { type: 'SaveAttributes', ...whose, serverKey, secretLength });
  }

  /** Retries until there is an answer or the process stops: an import has time. */
  async function ask(
    id: DeviceId,
    command: DeviceCommand,
  ): Promise<Exclude<DeviceAnswer, { type: 'unavailable' }>> {
    for (;;) {
      const answer = await devices.ask(id, command);
      const isLimited = answer.type === 'refused' && answer.refusal.reason === 'rate-limited';
      if (answer.type !== 'unavailable' && !isLimited) return answer;
      if (stopping()) throw new Error('broken off: there is no answer');
      await sleep(clock, ASK_AGAIN_MS);
    }
  }

  const sealedKey = (id: DeviceId, secret: string) => ({
    secretDigest: secrets.digest(id, secret),
    sealedSecret: secrets.seal(id, secret),
  });

  return {
    tryOut: (job, nth, row, seen) => tryOut({ ...needs, othersFound }, job, nth, row, seen),
    pack: (job, first, rows) => pack(needs.kits, job, first, rows),
    carryOut,
    sealedKey,
    isOf(job, nth, { name, type, label, kit = '', key, again, ...sealed }, sent) {
      if (name !== sent.name || type !== sent.type || label !== sent.label || kit !== sent.kit) return false;
      const id = idOfRow(job.id, job.createdAt, nth, again);
      const secret = key === null ? '' : unsealedOrNull(secrets, id, key.sealedSecret);
      const asked = askedBy(secrets, job.id, sealed);
      return secret === sent.secretKey && asked !== null && sameAsked(asked, sent);
    },
    async leaveAlone(job, nth, row) {
      const id = idOfRow(job.id, job.createdAt, nth, row.again);
      if ((await devices.read(id)) !== undefined) return carryOut(job, nth, row);
      return { ...row, outcome: 'refused', ...told({ code: 'not-allowed' }) };
    },
    async afresh({ id: job, createdAt }, nth, row) {
      const id = idOfRow(job, createdAt, nth, row.again);
      if ((await devices.read(id)) !== undefined) return row;
      const again = (row.again ?? 0) + 1;
      const { key } = row;
      if (key === null) return { ...row, again };
      const next = idOfRow(job, createdAt, nth, again);
      const secret = unsealedOrNull(secrets, id, key.sealedSecret);
      return secret === null ? { ...row, again } : { ...row, again, key: sealedKey(next, secret) };
    },
    async takeBack({ id, tenantId, createdAt }, nth, row) {
      await ask(idOfRow(id, createdAt, nth, row.again), { type: 'DeleteDevice', tenantId });
    },
  };
}

interface TrialNeeds extends RowNeeds {
  readonly othersFound: Quota;
}

async function tryOut(
  needs: TrialNeeds,
  job: ImportJob,
  nth: number,
  row: ImportRow,
  seen: Set<string>,
): Promise<ImportRow> {
  const { directory, secrets, profiles, minTokenLength = 0 } = needs;
  const { tenantId } = job;
  const refused = (reason: RowReason): ImportRow => ({ ...row, outcome: 'refused', ...told(reason) });
  const asked = askedBy(secrets, job.id, row);
  if (asked === null) return refused(UNREADABLE);
  const problem = problemOf(row);
  if (problem !== undefined) return refused(problem);
  const compared = composed(`name ${row.name}`);
  if (seen.has(compared)) return refused({ code: 'name-twice' });
  seen.add(compared);
  if ((await directory.idOf(tenantId, row.name)) !== undefined) {
    return refused(await reasonOf(directory, tenantId, row, { reason: 'name-taken' }));
  }
  if (asked.accessToken !== '' && [...asked.accessToken].length < minTokenLength)
    return refused({ code: 'token-too-short', min: minTokenLength });
  const isAsked = row.sealedToken !== undefined || row.sealedOther !== undefined;
  const trouble = isAsked ? await credentialsTrouble(needs, job, nth, row, asked, seen) : undefined;
  if (trouble !== undefined) return refused(trouble);
  const rules = row.key === null ? undefined : await profiles?.ownershipOf({ tenantId });
  if (row.key !== null && rules !== undefined && rules.minSecretLength > 0) {
    const id = idOfRow(job.id, job.createdAt, nth, row.again);
    const secret = unsealedOrNull(secrets, id, row.key.sealedSecret);
    if (secret === null) return refused(UNREADABLE);
    if (secretLengthOf(secret) < rules.minSecretLength)
      return refused({ code: 'secret-too-short', min: rules.minSecretLength });
  }
  return { ...row, outcome: 'good', ...NOTHING_TOLD };
}

/** Why a row cannot have the credentials that it asks for; undefined: it can, as far as one sees. */
async function credentialsTrouble(
  { directory, secrets, accessToken, othersFound }: TrialNeeds,
  { id: job, tenantId, createdAt }: ImportJob,
  nth: number,
  row: ImportRow,
  asked: AskedCredentials,
  seen: Set<string>,
): Promise<RowReason | undefined> {
  const credentials = credentialsFor(secrets, idOfRow(job, createdAt, nth, row.again), asked, accessToken);
  if ('code' in credentials) return credentials;
  const shown = `credentials ${credentials.credentialsId}`;
  if (seen.has(shown)) return { code: 'credentials-twice', kind: credentials.type };
  seen.add(shown);
  const holder = await directory.byCredentials(credentials.credentialsId);
  if (holder === undefined) return undefined;
  // Else long lists of guesses would find tokens of other tenants, and leave no trace. Carrying the row out refuses it.
  if (holder.tenantId !== tenantId && othersFound.take(tenantId) > 0) return undefined;
  return takenBy(credentials);
}

const UNREADABLE: RowReason = { code: 'unreadable' };

function provisionFor(job: ImportJob, row: ImportRow, credentials: Credentials): DeviceCommand {
  return {
    type: 'ProvisionDevice',
    tenantId: job.tenantId,
    name: row.name,
    deviceType: row.type === '' ? 'default' : row.type,
    label: row.label === '' ? null : row.label,
    additionalInfo: null,
    credentials,
    customerId: null,
    userId: startedBy(job),
    importId: job.id,
  };
}

async function pack(
  kits: Pick<Kits, 'fill'>,
  started: ImportJob,
  first: number,
  rows: readonly ImportRow[],
): Promise<readonly ImportRow[]> {
  const { id: job, tenantId, createdAt, keysExpireAt } = started;
  const byLabel = new Map<string, PackedDevice[]>();
  for (const [nth, { kit, name, outcome, again }] of rows.entries()) {
    if (kit === undefined || outcome !== 'created') continue;
    const devices = byLabel.get(kit) ?? [];
    byLabel.set(kit, devices);
    devices.push({ id: idOfRow(job, createdAt, first + nth, again), name, epoch: 0 }); // as they are born
  }
  const troubles = new Map<string, RowReason>();
  for (const [label, devices] of byLabel) {
    const kit = { id: idOfKit(job, createdAt, label), label, expiresAt: keysExpireAt };
    const answer = await kits.fill(tenantId, startedBy(started), kit, devices);
    if (answer.type === 'refused') troubles.set(label, { code: 'no-kit', why: answer.reason });
  }
  return rows.map((row) => {
    const trouble = row.kit === undefined ? undefined : troubles.get(row.kit);
    return trouble === undefined || row.outcome !== 'created' ? row : { ...row, ...told(trouble) };
  });
}

async function reasonOf(
  directory: Directory,
  tenantId: TenantId,
  { name }: ImportRow,
  refusal: Refusal,
  credentials?: Credentials,
): Promise<RowReason> {
  switch (refusal.reason) {
    case 'name-taken': {
      // Whoever has a gateway can take names that are printed on boxes: then the tenant has to know.
      const viaGateway = (await directory.byName(tenantId, name))?.viaGateway;
      return { code: 'name-taken', viaGateway: viaGateway !== undefined };
    }
    case 'credentials-taken':
      return credentials === undefined
        ? { code: 'device-refused', why: refusal.reason }
        : takenBy(credentials);
    case 'too-many-devices':
      return { code: 'too-many-devices', max: refusal.max };
    case 'token-too-short':
      return { code: 'token-too-short', min: refusal.minTokenLength };
    default:
      return { code: 'device-refused', why: refusal.reason };
  }
}

/** Whose work a run is: a job that one administrator created, another may start. */
const startedBy = ({ startedBy, createdBy }: ImportJob) => startedBy?.userId ?? createdBy;

const takenBy = ({ type }: Credentials): RowReason => ({ code: 'credentials-taken', kind: type });

function problemOf({ name, type, label, kit = '' }: ImportRow): RowReason | undefined {
  if (name.trim() === '') return { code: 'name-missing' };
  const parts = { name, type, label, kit };
  for (const column of ['name', 'type', 'label', 'kit'] as const) {
    const text = parts[column];
    if (text.length > TEXT_MAX) return { code: 'too-long', column, max: TEXT_MAX };
    if (!isCleanText(text)) return { code: 'not-shown', column };
    const which = hiddenIn(text);
    if (which !== undefined) return { code: 'hidden', column, which };
  }
  return undefined;
}
