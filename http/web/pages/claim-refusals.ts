/** Every refusal of a claim in words for the customer: what happened, and what to do. */
import { looksMisread } from '../../../actors/base/claim-key.ts';
import { unreachable } from '../../../actors/base/unreachable.ts';
import {
  ATTEMPTS_LEFT_HEADER,
  CLAIM_REFUSAL_HEADER,
  type ClaimRefusal,
  isClaimRefusal,
  POLICY_MESSAGE_HEADER,
} from '../../wire/claim-refusal.ts';
import { type Answer, refusalOf } from '../api.ts';
import type { Locale } from '../locale.ts';
import type { Say } from '../texts/say.ts';

export interface Explained {
  readonly status: 400 | 429 | 503;
  readonly title: string;
  readonly text: string;
  /** `warn`: the key is not at fault, so trying it again at once is of no use. */
  readonly kind: 'bad' | 'warn';
  /** What helps: wait until the button is pressed, press it and claim again, or look at what was typed. */
  readonly next?: 'wait' | 'press' | 'correct';
}

const bad = (title: string, text: string): Explained => ({ status: 400, kind: 'bad', title, text });
const warn = (title: string, text: string): Explained => ({ status: 400, kind: 'warn', title, text });
const correct = (title: string, text: string): Explained => ({ ...bad(title, text), next: 'correct' });
/** Without a key nobody waits: see `routes/claim-wait.ts`. */
const wait = (title: string, text: string, { secretKey }: Typed): Explained => ({
  ...warn(title, text),
  next: secretKey === '' ? 'press' : 'wait',
});

/** What the person sent. */
interface Typed {
  readonly device: string;
  readonly secretKey: string;
}

export const nameMissing = (say: Say): Explained =>
  correct(say('refusal.nameMissing'), say('refusal.nameMissingText'));

export function explain(answer: Answer, typed: Typed, { say }: Locale): Explained {
  const { device } = typed;
  const { status, retryAfterSeconds } = refusalOf(answer);
  if (status === 429) {
    const text = say('refusal.tooManyText', { count: retryAfterSeconds ?? 60 });
    return { status, kind: 'warn', title: say('refusal.tooMany'), text };
  }
  if (status === 404) return correct(say('refusal.unknown'), say('refusal.unknownText', { name: device }));
  if (status !== 400)
    return { status: 503, kind: 'warn', title: say('refusal.away'), text: say('refusal.awayText') };
  const reason =
    answer.headers.get(CLAIM_REFUSAL_HEADER) ?? (answer.json === 'CLAIMED' ? 'already-claimed' : '');
  if (isClaimRefusal(reason)) return explainReason(reason, answer, typed, say);
  return correct(say('refusal.other'), say('refusal.otherText'));
}

function explainReason(reason: ClaimRefusal, answer: Answer, typed: Typed, say: Say): Explained {
  switch (reason) {
    case 'wrong-secret':
      return correct(
        say('refusal.wrongKey'),
        inOne(say('refusal.wrongKeyText'), misread(typed, say), attemptsLeft(answer, say)),
      );
    case 'no-window':
      return wait(say('refusal.noWindow'), say('refusal.noWindowText'), typed);
    case 'window-elapsed':
      return wait(say('refusal.elapsed'), say('refusal.elapsedText'), typed);
    case 'window-pending':
      return warn(say('refusal.pending'), say('refusal.pendingText'));
    case 'claiming-not-allowed':
      return warn(say('refusal.notAllowed'), say('refusal.notAllowedText'));
    case 'already-claimed':
      return bad(say('refusal.taken'), say('refusal.takenText'));
    case 'already-yours':
      return warn(say('refusal.yours'), say('refusal.yoursText'));
    case 'take-over-pending':
      return warn(say('refusal.asked'), say('refusal.askedText'));
    case 'proof-required':
      return warn(say('refusal.proof'), say('refusal.proofText'));
    case 'wrong-proof':
      return bad(say('refusal.wrongProof'), inOne(say('refusal.wrongProofText'), attemptsLeft(answer, say)));
    case 'proof-outdated':
      return warn(say('refusal.oldProof'), say('refusal.oldProofText'));
    case 'policy-refused':
      return warn(say('refusal.policy'), policyMessage(answer, say));
    default:
      return unreachable(reason);
  }
}

/** Sentences behind each other; those that are not said are undefined. */
const inOne = (...sentences: readonly (string | undefined)[]): string =>
  sentences.filter((sentence) => sentence !== undefined).join(' ');

/** Our keys have no letters and digits that look alike, so one of those was read wrong. */
const misread = ({ secretKey }: Typed, say: Say): string | undefined =>
  looksMisread(secretKey) ? say('refusal.misread') : undefined;

/** What the operator's policy has to say to the customer, in the operator's own words. */
function policyMessage({ headers }: Answer, say: Say): string {
  const message = headers.get(POLICY_MESSAGE_HEADER);
  return message === null ? say('refusal.policyText') : decodeURIComponent(message);
}

function attemptsLeft({ headers }: Answer, say: Say): string | undefined {
  const left = headers.get(ATTEMPTS_LEFT_HEADER);
  if (left === null) return undefined;
  return Number(left) === 0
    ? say('refusal.lastAttempt')
    : say('refusal.attemptsLeft', { count: Number(left) });
}
