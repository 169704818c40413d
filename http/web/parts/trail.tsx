/** The audit trail of a device in words. */
import type { z } from 'zod';
import type { auditView } from '../../views/audit.ts';
import type { Locale } from '../locale.ts';
import { Time } from './elements.tsx';

type Entry = z.output<typeof auditView>;

const ACTIONS: Readonly<Record<Entry['actionType'], string>> = {
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
  SUSPENDED: 'Forbidden to log in',
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
  TRAIL_PRUNED: 'Old entries of the trail were let go of',
};

const GOT: Readonly<Record<string, string>> = {
  claim: 'Claimed',
  transfer: 'Handed over',
  'take-over': 'Taken over',
};
const LOST: Readonly<Record<string, string>> = { reclaim: 'Given back', reset: 'Reset by who holds it' };

/** Why a take-over did not happen. */
const ENDS: Readonly<Record<string, string>> = {
  objected: 'its owner objected',
  cancelled: 'cancelled by the tenant',
  withdrawn: 'withdrawn by who asked',
  'not-allowed': 'not allowed any more',
  'newcomer-gone': 'who asked is gone',
};

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
};

function textOf({ actionType, actionData }: Entry): string {
  const { by } = actionData;
  if (actionType === 'ASSIGNED_TO_CUSTOMER') return GOT[String(by)] ?? 'Assigned';
  if (actionType === 'UNASSIGNED_FROM_CUSTOMER') return LOST[String(by)] ?? 'Unassigned';
  return ACTIONS[actionType];
}

function detailOf({ actionData, actionFailureDetails }: Entry): string {
  if (actionFailureDetails !== null) return REASONS[actionFailureDetails] ?? actionFailureDetails;
  const { keys, why } = actionData;
  if (typeof why === 'string') return ENDS[why] ?? why;
  return Array.isArray(keys) ? keys.join(', ') : '';
}

export function Trail({ entries, locale }: { entries: readonly Entry[]; locale: Locale }) {
  return (
    <div class="card tablecard">
      <table class="cards">
        <caption class="sr">What happened, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col">By whom</th>
            <th scope="col">More</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr>
              <td>
                <Time at={entry.createdTime} locale={locale} />
              </td>
              <th scope="row">{textOf(entry)}</th>
              <td>{entry.userName}</td>
              <td>{detailOf(entry)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
