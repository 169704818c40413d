/**
 * Why a batch left a device as it was. A row is stored with its sentence in English, which every version reads, and with a code beside it;
 * pages say that in the reader's language (`http/web/pages/batch-words.ts`).
 *
 * What is stored stays as it is: codes are added, none is changed or taken away, and no sentence either (`test/pure/row-reasons`).
 */
import type { Refusal } from '../device/messages.ts';
import type { ToldReason } from '../records/told.ts';

/** Reasons that are said by themselves. */
export type BatchCode = (typeof BATCH_REASONS)[number];
export const BATCH_REASONS = [
  'no-device',
  'changed-hands',
  'described-by-owner',
  'changed-since',
  'customer-gone',
  /** Who asked for it may not do it any more. */
  'not-allowed',
  'no-answer',
  'unreadable',
] as const;

export type BatchReason =
  | { readonly code: BatchCode }
  /** The device refused it, for a reason that has no code of its own here. */
  | { readonly code: 'device-refused'; readonly refusal: Refusal };

export const BATCH_SENTENCES: Readonly<Record<BatchCode, string>> = {
  'no-device': 'There is no such device',
  'changed-hands': 'It changed hands meanwhile, so it was left alone',
  'described-by-owner': 'Its owner has described it, so it was left alone',
  'changed-since': 'It was changed since, so it was left alone',
  'customer-gone': 'The customer is not there any more',
  'not-allowed': 'Who asked for it may not do it any more',
  'no-answer': 'There was no answer',
  unreadable: 'Its stored record cannot be read',
};

/** What a row is stored with. */
export const told = (code: BatchCode): ToldReason => ({ message: BATCH_SENTENCES[code], reason: { code } });
/** @param message what the API says of that refusal */
export function toldByDevice(refusal: Refusal, message: string): ToldReason {
  const reason: BatchReason = { code: 'device-refused', refusal };
  return { message, reason };
}

const OF_SENTENCES: ReadonlyMap<string, BatchReason> = new Map<string, BatchReason>([
  ...BATCH_REASONS.map((code) => [BATCH_SENTENCES[code], { code }] as const),
  [
    'Somebody has asked to take the device over already!',
    { code: 'device-refused', refusal: { reason: 'take-over-pending' } },
  ],
]);

/**
 * Of a row that another version stored: without a code, or with one that does not go with the sentence or is not known here.
 * Undefined: a sentence that no text knows.
 */
export const reasonOfSentence = (sentence: string): BatchReason | undefined => OF_SENTENCES.get(sentence);
