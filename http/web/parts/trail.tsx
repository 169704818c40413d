/** The audit trail in words: as a table of everything, and as the story of one device. */
import type { z } from 'zod';
import { NULL_UUID } from '../../../actors/base/ids.ts';
import { REASONS as CODES } from '../../../actors/claiming/reasons.ts';
import type { auditView } from '../../views/audit.ts';
import type { Locale } from '../locale.ts';
import { Time } from './elements.tsx';
import { type Column, Table } from './table.tsx';

type Entry = z.output<typeof auditView>;

export const ACTIONS: Readonly<Record<Entry['actionType'], string>> = {
  ADDED: 'Created',
  UPDATED: 'Changed',
  DELETED: 'Deleted',
  CREDENTIALS_UPDATED: 'Credentials changed',
  ASSIGNED_TO_CUSTOMER: 'Got an owner',
  UNASSIGNED_FROM_CUSTOMER: 'Lost its owner',
  ATTRIBUTES_UPDATED: 'Attributes saved',
  ATTRIBUTES_DELETED: 'Attributes deleted',
  LOGIN: 'Signed in',
  ACTIVATED: 'Activated',
  SUSPENDED: 'Forbidden to sign in',
  LOGOUT: 'Signed out',
  CLAIM_WINDOW_OPENED: 'Claim window opened',
  CLAIM_WINDOW_PENDING: 'Claim window waits for approval',
  CLAIM_WINDOW_APPROVED: 'Claim window approved',
  CREDENTIALS_READ: 'Credentials read',
  CLAIM_WINDOW_CLOSED: 'Claim window closed',
  CLAIM_WINDOW_EXPIRED: 'Claim window elapsed',
  CLAIM_REFUSED: 'Claim refused',
  TRANSFER_OFFERED: 'Offered to somebody',
  TRANSFER_DECLINED: 'Offer declined',
  TRANSFER_WITHDRAWN: 'Offer withdrawn',
  TRANSFER_EXPIRED: 'Offer elapsed',
  CLAIM_CHALLENGE_ISSUED: 'Challenge given to a customer',
  TRANSFER_REFUSED: 'Wrong code for an offer',
  TAKE_OVER_ASKED: 'Somebody asked to take it over',
  TAKE_OVER_ENDED: 'It was not taken over',
  RESET_NOTED: 'It was reset while nobody owned it',
  MAIL_DROPPED: 'A mail could not be delivered',
  TRAIL_PRUNED: 'Old entries of the trail were let go of',
};

/** By what a device got its owner, or lost it; entries of older records have `by` alone. */
const CAME_BY: Readonly<Record<string, string>> = {
  claim: 'Claimed',
  secret: 'Claimed with its key',
  'server-key': 'Claimed with the key on its label',
  proof: 'Claimed, with a proof of possession',
  kit: 'Claimed with the code of a kit',
  transfer: 'Handed over by its owner',
  'take-over': 'Taken over by who had it in hand',
};
const WENT_BY: Readonly<Record<string, string>> = {
  reclaim: 'Given back',
  'give-back': 'Given back',
  reset: 'Reset by who holds it, so it has no owner',
};

/** Why a take-over did not happen. */
const ENDS: Readonly<Record<string, string>> = {
  objected: 'its owner objected',
  cancelled: 'cancelled by the tenant',
  withdrawn: 'withdrawn by who asked',
  'not-allowed': 'not allowed any more',
  'newcomer-gone': 'who asked is gone',
};

/** In shorter words than the table of all reasons has. */
const REASONS: Readonly<Record<string, string>> = {
  'wrong-secret': 'wrong key',
  'no-window': 'no claim window was open',
  'window-elapsed': 'the claim window had elapsed',
  'already-claimed': 'it had an owner',
  'unknown-device': 'there is no such device',
  'proof-required': 'it wants a proof of possession',
  'wrong-proof': 'the proof of possession was wrong',
  'proof-outdated': 'the proof of possession was too old',
  'reset-not-allowed': 'a device of its profile is not reset',
  'claiming-not-allowed': 'claiming it is forbidden',
  'window-pending': 'its claim window waited for approval',
  'policy-refused': 'the operator’s own system said no',
  'secret-too-short': 'the key was too short',
  'of many devices': 'of many devices',
};

/** What an entry says, in a sentence without a subject: "Claimed with its key". */
export function whatHappened({ actionType, actionData, entityId, actionStatus }: Entry): string {
  const { by, evidence, setting } = actionData;
  if (actionType === 'ASSIGNED_TO_CUSTOMER')
    return CAME_BY[String(evidence)] ?? CAME_BY[String(by)] ?? 'Assigned to a customer';
  if (actionType === 'UNASSIGNED_FROM_CUSTOMER')
    return WENT_BY[String(evidence)] ?? WENT_BY[String(by)] ?? 'Taken from its owner';
  if (actionType === 'ADDED' && entityId.entityType === 'DEVICE') return createdBy(actionData);
  if (actionType === 'CREDENTIALS_UPDATED' && entityId.entityType === 'USER') return userSecret(actionData);
  if (actionType === 'LOGIN' && actionStatus === 'FAILURE') return 'Not let in';
  if (typeof setting === 'string') return `${ACTIONS[actionType]}: ${setting}`;
  for (const kind of ['kit', 'webhook', 'provider'] as const) {
    if (actionData[kind] !== undefined) return `${ACTIONS[actionType]}: a ${kind}`;
  }
  return ACTIONS[actionType];
}

function createdBy({ viaGateway, importId }: Entry['actionData']): string {
  if (viaGateway !== undefined) return 'Created by its gateway';
  return importId === undefined ? 'Created' : 'Created by an import';
}

function userSecret({ apiKey, secondFactor, activationLink }: Entry['actionData']): string {
  if (typeof apiKey === 'string') return `API key ${apiKey}`;
  if (activationLink !== undefined) return 'Another activation link made';
  if (secondFactor !== undefined) return 'Second factor changed';
  return 'Password changed';
}

const ALL_REASONS = new Map(Object.entries(CODES).map(([code, { words }]) => [code, words] as const));

/** Why something was refused, by its code. */
export const reasonInWords = (code: string): string => REASONS[code] ?? ALL_REASONS.get(code) ?? code;

/** What else there is to know: why it was refused, how often, what it was about. */
function whatElse({ actionData, actionFailureDetails, entityId }: Entry, { number }: Locale): string {
  const { keys, why, repeated, title, name, openedBy, label } = actionData;
  const parts: string[] = [];
  if (actionFailureDetails !== null) parts.push(reasonInWords(actionFailureDetails));
  if (typeof repeated === 'number') parts.push(`${number(repeated)} more times within a minute`);
  if (typeof why === 'string') parts.push(ENDS[why] ?? why);
  if (Array.isArray(keys)) parts.push(keys.join(', '));
  if (openedBy === 'gateway') parts.push('by its gateway');
  // A device is named beside it.
  const names = entityId.entityType === 'USER' ? [title, name, label] : [];
  const named = names.find((text) => typeof text === 'string' && text !== '');
  if (typeof named === 'string') parts.push(named);
  return parts.join('; ');
}

interface TrailProps {
  readonly entries: readonly Entry[];
  readonly locale: Locale;
}

/** The newest first, of all devices and people. */
export function Trail({ entries, locale }: TrailProps) {
  const columns: readonly Column<Entry>[] = [
    {
      title: 'When',
      kind: 'bare',
      cell: ({ createdTime }) => <Time at={createdTime} locale={locale} exact />,
    },
    { title: 'What', kind: 'row', cell: whatHappened },
    { title: 'Device or person', cell: (entry) => <Subject entry={entry} /> },
    {
      title: 'By',
      cell: ({ entityId, userName }) => (entityId.entityType === 'USER' ? null : userName),
    },
    { title: 'More', kind: 'bare', cell: (entry) => whatElse(entry, locale) },
  ];
  return <Table caption="What happened, the newest first" columns={columns} rows={entries} />;
}

function Subject({ entry: { entityId, entityName, actionType } }: { entry: Entry }) {
  if (entityName === null) return null;
  if (entityId.entityType === 'USER' || actionType === 'DELETED') return <>{entityName}</>;
  return <a href={`/devices/${entityId.id}`}>{entityName}</a>;
}

/** The story of one device, the newest first. */
export function Story({ entries, locale }: TrailProps) {
  return (
    <ol class="story" reversed>
      {entries.map((entry) => {
        const more = whatElse(entry, locale);
        const { customerId } = entry;
        return (
          <li>
            <Time at={entry.createdTime} locale={locale} exact />
            <b>{whatHappened(entry)}</b>
            {entry.userName === null ? null : ` by ${entry.userName} `}
            {more === '' ? null : <small class="muted">{more}</small>}
            <Whereto
              entry={entry}
              customer={CHANGES_OWNER.has(entry.actionType) ? customerId.id : NULL_UUID}
            />
          </li>
        );
      })}
    </ol>
  );
}

const CHANGES_OWNER: ReadonlySet<Entry['actionType']> = new Set([
  'ASSIGNED_TO_CUSTOMER',
  'UNASSIGNED_FROM_CUSTOMER',
]);

/** To the customer, gateway or import that an entry is about. A deleted one is told by its own page. */
function Whereto({ entry: { actionData }, customer }: { entry: Entry; customer: string }) {
  const { viaGateway, importId } = actionData;
  return (
    <>
      {customer === NULL_UUID ? null : <a href={`/customers/${customer}`}>The customer</a>}
      {typeof viaGateway === 'string' ? <a href={`/devices/${viaGateway}`}>The gateway</a> : null}
      {typeof importId === 'string' ? <a href={`/devices/import/${importId}`}>The import</a> : null}
    </>
  );
}
