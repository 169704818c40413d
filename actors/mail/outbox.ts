/**
 * Mails that wait to be sent: each an entity, so that what was accepted outlives a crash. Whom it goes to is sealed. A mail is in
 * one of two lists: of those that were not tried yet, or of those that are tried again later.
 */
import type { Clock, Instant } from '../base/clock.ts';
import { type MailId, newId, type TenantId } from '../base/ids.ts';
import type { Secrets } from '../base/secret.ts';
import { type Collection, createCollection, type Kind } from '../records/collection.ts';
import type { Store } from '../store/store.ts';
import type { Letter } from './model.ts';

export interface Waiting {
  readonly id: MailId;
  readonly version: number;
  readonly createdAt: Instant;
  /** On whose behalf; null: nobody's. */
  readonly tenantId: TenantId | null;
  readonly type: Letter['type'];
  /** The letter. */
  readonly sealed: string;
  /** How many have failed. */
  readonly attempts: number;
  /** When it is tried again. */
  readonly nextAt: Instant;
}

export const FRESH = 'mail/fresh';
export const LATER = 'mail/later';

/** All that wait, whoever asked for them: about 500 bytes each. */
const WAITING_MAX = 10_000;

const kind: Kind<Waiting> = {
  name: 'mail',
  keys: () => [],
  lists: ({ attempts }) => [attempts === 0 ? FRESH : LATER],
  title: ({ type }) => type,
};

export interface MailOutbox {
  readonly mails: Collection<Waiting>;
  /** Resolves to false when too many wait already. */
  keep(letter: Letter, tenantId: TenantId | null, id?: MailId): Promise<boolean>;
  isFull(): Promise<boolean>;
  letterOf(waiting: Waiting): Letter;
  waiting(): Promise<number>;
}

export function openMailOutbox(store: Store, secrets: Secrets, clock: Clock): MailOutbox {
  const mails = createCollection(store, kind);
  const { index } = store;
  const waiting = async () => (await index.count(FRESH)) + (await index.count(LATER));
  const isFull = async () => (await waiting()) >= WAITING_MAX;
  return {
    mails,
    waiting,
    isFull,

    async keep(letter, tenantId, id = newId<MailId>(clock.now())) {
      if (await isFull()) return false;
      const now = clock.now();
      // Where it is there already, the same was asked for before, and the answer got lost.
      await mails.create({
        id,
        version: 1,
        createdAt: now,
        tenantId,
        type: letter.type,
        sealed: secrets.sealCredential(id, JSON.stringify(letter)),
        attempts: 0,
        nextAt: now,
      });
      return true;
    },

    letterOf: ({ id, sealed }) =>
      // The seam to the store: what `keep` has sealed, which nobody else can.
      JSON.parse(secrets.unsealCredential(id, sealed)) as Letter,
  };
}
