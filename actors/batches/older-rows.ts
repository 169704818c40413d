/**
 * Rows of batches as older versions stored them (blocks of version 1): why a device was left alone was an English sentence. One that is
 * not known here is kept, and said as it is in every language.
 */
import type { BatchReason, BatchRow } from './model.ts';

export type OlderBatchRow = Omit<BatchRow, 'reason'> & { readonly message: string | null };

export function liftedRow({ message, ...row }: OlderBatchRow): BatchRow {
  return { ...row, reason: message === null ? null : reasonOf(message) };
}

/** The API's sentences stay these (`http/views/batch.ts`). */
const SENTENCES: ReadonlyMap<string, BatchReason> = new Map([
  ['There is no such device', { code: 'no-device' }],
  ['It changed hands meanwhile, so it was left alone', { code: 'changed-hands' }],
  ['Its owner has described it, so it was left alone', { code: 'described-by-owner' }],
  ['It was changed since, so it was left alone', { code: 'changed-since' }],
  ['The customer is not there any more', { code: 'customer-gone' }],
  ['Who asked for it may not do it any more', { code: 'not-allowed' }],
  ['There was no answer', { code: 'no-answer' }],
  ['Its stored record cannot be read', { code: 'unreadable' }],
  [
    'Somebody has asked to take the device over already!',
    { code: 'device-refused', refusal: { reason: 'take-over-pending' } },
  ],
]);

const reasonOf = (sentence: string): BatchReason => SENTENCES.get(sentence) ?? { code: 'sentence', sentence };
