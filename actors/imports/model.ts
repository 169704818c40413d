/** What an import is, what can be asked of it, and the device's id that follows from a row. */
import { createHash } from 'node:crypto';
import type { BegunIn } from '../accounts/model.ts';
import type { Instant } from '../base/clock.ts';
import {
  type ApiKeyId,
  type DeviceId,
  type ImportId,
  type KitId,
  type TenantId,
  timedId,
  type UserId,
} from '../base/ids.ts';
import type { SecretDigest } from '../base/secret.ts';
import type { DeviceRecord } from '../device/state.ts';
import type { ToldReason } from '../records/told.ts';
import type { AskedCredentials, SealedCredentials } from './row-credentials.ts';

export interface NewRow extends AskedCredentials {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  /** The server-side key; empty: none, or one that is made. */
  readonly secretKey: string;
  /** Rows of one text here make one kit; empty: none. */
  readonly kit: string;
}

interface ImportOptions {
  /** Rows without a key get one. */
  readonly generateKeys: boolean;
  readonly keysExpireAt: Instant;
}

/** Who started a run. It goes on only while all of them may do it. */
export interface StartedBy {
  readonly userId: UserId;
  /** The administrator who looked in as that user. */
  readonly impersonatorId?: UserId;
  /** The API key that was shown. */
  readonly apiKeyId?: ApiKeyId;
  /** Absent with an API key, and in records of older versions. */
  readonly begunIn?: BegunIn;
}

export interface ImportJob extends ImportOptions {
  readonly id: ImportId;
  /** Counts the changes, from 1. */
  readonly version: number;
  readonly tenantId: TenantId;
  readonly createdBy: UserId;
  /** Absent before the first run, and in records of older versions: then who created the job is asked about. */
  readonly startedBy?: StartedBy;
  readonly createdAt: Instant;
  /**
   * `tried`: a dry run is through, nothing was changed; the job can be carried out. `cancelling`: it ends with the block that is
   * under way. `cancelled`: what was created stays, and it never goes on. `stopped`: the same, because who started it may not
   * do it any more; a dry run of which this is so is `receiving` again.
   */
  readonly state:
    | 'receiving'
    | 'trying'
    | 'tried'
    | 'running'
    | 'cancelling'
    | 'done'
    | 'cancelled'
    | 'stopped';
  /** Rows received. */
  readonly rows: number;
  /** Rows that the present run is through with. */
  readonly through: number;
  /** Rows that were begun to be carried out; the outcomes of those after `through` are not written yet. */
  readonly begun: number;
  readonly good: number;
  readonly refused: number;
}

/** Whether it never goes on. */
export const isEnded = ({ state }: Pick<ImportJob, 'state'>) =>
  state === 'done' || state === 'cancelled' || state === 'stopped';

/** `good`: a dry run found nothing against it. */
type RowOutcome = 'waiting' | 'good' | 'created' | 'refused';

export interface RowResult extends ToldReason {
  /** Counted from 1. */
  readonly row: number;
  readonly name: string;
  readonly outcome: RowOutcome;
  readonly deviceId: DeviceId;
  /** The kit that it is in; undefined: none. */
  readonly kitId: KitId | undefined;
}

export type ImportAnswer =
  | { readonly type: 'done'; readonly job: ImportJob }
  | {
      readonly type: 'refused';
      readonly reason:
        | 'not-found'
        | 'not-in-this-state'
        | 'too-many'
        | 'too-many-under-way'
        | 'gap'
        /** There are others in their place already: two send rows of one import. */
        | 'other-rows'
        /** Others send rows in the same moment, again and again. */
        | 'raced';
    };

export interface Imports {
  create(tenantId: TenantId, userId: UserId, options: ImportOptions): Promise<ImportJob>;
  find(tenantId: TenantId, id: string): Promise<ImportJob | undefined>;
  /** The newest first. */
  list(tenantId: TenantId): Promise<readonly ImportJob[]>;
  /**
   * All of the rows or none. Of two who send different ones for one place, in whichever processes, one is refused.
   *
   * @param from how many rows were sent before; rows that are there already are left alone, so a part can be repeated
   */
  add(tenantId: TenantId, id: string, from: number, rows: readonly NewRow[]): Promise<ImportAnswer>;
  /** Begins a run in the background. */
  start(tenantId: TenantId, id: string, dryRun: boolean, by: StartedBy): Promise<ImportAnswer>;
  /** Ends a job that is not done, soon. What it created stays. */
  cancel(tenantId: TenantId, id: string): Promise<ImportAnswer>;
  /** The outcomes of rows; with `refusedOnly` of those that were refused. */
  results(
    job: ImportJob,
    query: { readonly page: number; readonly pageSize: number; readonly refusedOnly: boolean },
  ): Promise<{ readonly items: readonly RowResult[]; readonly total: number }>;
  /** Every row with its device as it is now, in order. @param from how many rows are left out at the beginning */
  everything(job: ImportJob, from?: number): AsyncIterable<readonly [RowResult, DeviceRecord | undefined]>;
  /** Goes on with what was under way when the process ended. */
  resume(): Promise<void>;
  /** Goes on with what no process works at: its run failed, or its process died. To be called from time to time. */
  takeOver(): Promise<void>;
  /** Ends runs at the next row; they go on with `resume`. */
  stop(): Promise<void>;
}

/** Rows of one job. */
export const IMPORT_ROWS_MAX = 100_000;

/** Imports of one tenant that are tried or run at a time; others of it wait to be started. */
export const IMPORTS_UNDER_WAY_MAX = 5;

/** A row as it is stored. */
export interface ImportRow extends SealedCredentials, ToldReason {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly key: { readonly secretDigest: SecretDigest; readonly sealedSecret: string } | null;
  /** How often the row was broken off and took another device id, since none is used twice. */
  readonly again?: number;
  /** The label of its kit. */
  readonly kit?: string;
  readonly outcome: RowOutcome;
}

/** The kit of an import with this label: always the same one. */
export function idOfKit(job: string, createdAt: Instant, label: string): KitId {
  const bytes = createHash('sha256').update(`${job}/kit/${label}`).digest().subarray(0, 16);
  return timedId(bytes, createdAt, 0);
}

const PER_MS = 4096;

/**
 * A row's device: an id of version 7 like others, in the order of the rows, whose random part follows from job and row,
 * and from how often the row was begun again.
 */
export function idOfRow(job: string, createdAt: Instant, nth: number, again = 0): DeviceId {
  const seed = again === 0 ? `${job}/${nth}` : `${job}/${nth}/${again}`;
  const bytes = createHash('sha256').update(seed).digest().subarray(0, 16);
  return timedId(bytes, createdAt + Math.floor(nth / PER_MS), nth % PER_MS);
}
