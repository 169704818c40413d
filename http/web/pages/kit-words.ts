/** What becomes of a kit and of its devices, in words for people. */
import type { z } from 'zod';
import { REASONS } from '../../../actors/claiming/reasons.ts';
import type { claimedKitView } from '../../views/kit.ts';

type Kit = z.output<typeof claimedKitView>;

export const KIT_STATES: Readonly<Record<Kit['state'], string>> = {
  OPEN: 'Nobody has claimed it yet',
  EXPIRED: 'Expired: nobody claimed it in time',
  REVOKED: 'Revoked',
  CLAIMING: 'Being claimed…',
  CLAIMED: 'Claimed',
};

export function explainOutcome({ outcome, reason }: Kit['devices'][number]): string {
  switch (outcome) {
    case 'CLAIMED':
      return 'Claimed';
    case 'WAITING':
      return 'Waiting';
    default:
      return `Left out: ${wordsOf(reason)}`;
  }
}

function wordsOf(reason: string | null): string {
  const known = Object.entries(REASONS).find(([code]) => code === reason);
  return known === undefined ? 'it cannot be claimed' : known[1].words;
}
