/** What becomes of a kit and of its devices, in words for people. */
import type { z } from 'zod';
import type { claimedKitView } from '../../views/kit.ts';
import type { Say } from '../texts/say.ts';

type Kit = z.output<typeof claimedKitView>;

const STATES = {
  OPEN: 'kit.stateOpen',
  EXPIRED: 'kit.stateExpired',
  REVOKED: 'kit.stateRevoked',
  CLAIMING: 'kit.stateClaiming',
  CLAIMED: 'kit.stateClaimed',
} as const satisfies Readonly<Record<Kit['state'], string>>;

export const kitState = (state: Kit['state'], say: Say): string => say(STATES[state]);

export function explainOutcome({ outcome, reason }: Kit['devices'][number], say: Say): string {
  switch (outcome) {
    case 'CLAIMED':
      return say('kit.stateClaimed');
    case 'WAITING':
      return say('kit.waiting');
    default:
      return say('kit.leftOut', { why: whyNot(reason, say) });
  }
}

function whyNot(reason: string | null, say: Say): string {
  if (reason === 'already-claimed') return say('kit.whyOwned');
  return reason === 'claiming-not-allowed' ? say('kit.whyNotAllowed') : say('kit.whyNot');
}
