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
import { count } from '../parts/list.tsx';

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

export const NAME_MISSING = correct('The name is missing', 'Type the name from the label.');

export function explain(answer: Answer, typed: Typed, locale: Locale): Explained {
  const { device } = typed;
  const { status, retryAfterSeconds } = refusalOf(answer);
  if (status === 429) {
    const wait = count(locale, retryAfterSeconds ?? 60, 'second');
    const text = `Too many wrong keys were tried. Please wait ${wait} and try again with the key from the label.`;
    return { status, kind: 'warn', title: 'Please wait a little', text };
  }
  if (status === 404) {
    return correct(
      'There is no such device',
      `Nothing here is called “${device}”. Check the name on the label, letter by letter.`,
    );
  }
  if (status !== 400) {
    const text = 'The server cannot answer just now. Your device is safe; please try again in a moment.';
    return { status: 503, kind: 'warn', title: 'Just a moment', text };
  }
  const reason =
    answer.headers.get(CLAIM_REFUSAL_HEADER) ?? (answer.json === 'CLAIMED' ? 'already-claimed' : '');
  if (isClaimRefusal(reason)) return explainReason(reason, answer, typed, locale);
  return correct(
    'This could not be claimed',
    'Name, key or moment do not fit. Check both on the label, press the button on the device again, and repeat.',
  );
}

function explainReason(reason: ClaimRefusal, answer: Answer, typed: Typed, locale: Locale): Explained {
  switch (reason) {
    case 'wrong-secret':
      return correct(
        'The key is wrong',
        `The device is waiting, but this is not its key. Check it on the label, letter by letter.${misread(typed)}${attemptsLeft(answer, locale)}`,
      );
    case 'no-window':
      return wait(
        'The device is not waiting for you',
        'Press the button on the device, so that it opens its claim window. If you pressed it before, its time was up: press it again.',
        typed,
      );
    case 'window-elapsed':
      return wait(
        'The time was up',
        'The device stopped waiting before you claimed it. Press the button on the device again.',
        typed,
      );
    case 'window-pending':
      return warn(
        'Your supplier has to approve it',
        'The key is right. The device had another owner before, so its supplier approves that it is claimed. Please ask there, then claim it here again.',
      );
    case 'claiming-not-allowed':
      return warn(
        'Not allowed yet',
        'The supplier of the device has not released it for claiming yet. Please ask there.',
      );
    case 'already-claimed':
      return bad(
        'It belongs to someone else',
        'Somebody else owns this device. They have to give it back before you can claim it.',
      );
    case 'already-yours':
      return warn(
        'It is yours already',
        'You own this device; there is nothing left to do. You find it under “My devices”.',
      );
    case 'take-over-pending':
      return warn(
        'You have asked for it',
        'Somebody else owns this device and has been told. Unless they object, it will be yours; claim it here again later to see.',
      );
    case 'proof-required':
      return warn(
        'The key alone is not enough',
        'This device has to be beside you when you claim it: use the app of its maker, which asks the device itself.',
      );
    case 'wrong-proof':
      return bad(
        'The device did not confirm it',
        `What was shown was not signed by this device for you. Start again with the device beside you.${attemptsLeft(answer, locale)}`,
      );
    case 'proof-outdated':
      return warn(
        'That took too long',
        'What the device signed is too old. Start again with the device beside you.',
      );
    case 'policy-refused':
      return warn('It is not released for you', policyMessage(answer));
    default:
      return unreachable(reason);
  }
}

/** Our keys have no letters and digits that look alike, so one of those was read wrong. */
function misread({ secretKey }: Typed): string {
  return looksMisread(secretKey)
    ? ' The keys that we print have no O and 0, and no I, L and 1: one of these is another letter, such as Q, D, J or 7.'
    : '';
}

/** What the operator's policy has to say to the customer. */
function policyMessage({ headers }: Answer): string {
  const message = headers.get(POLICY_MESSAGE_HEADER);
  return message === null
    ? 'Whoever runs this service does not allow this claim. Please ask there.'
    : decodeURIComponent(message);
}

function attemptsLeft({ headers }: Answer, locale: Locale): string {
  const left = headers.get(ATTEMPTS_LEFT_HEADER);
  if (left === null) return '';
  return Number(left) === 0
    ? ' That was the last attempt for now.'
    : ` You have ${count(locale, Number(left), 'attempt')} left.`;
}
