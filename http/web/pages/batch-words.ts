/**
 * Why a batch left a device as it was, in the reader's language. The result of a batch has the API's sentence and no code, as
 * it is kept for months; sentences that are not here are shown as they are.
 */
import type { TextKey } from '../texts/catalogues.ts';
import type { Say } from '../texts/say.ts';

const ROWS: Readonly<Record<string, Extract<TextKey, `batch.row.${string}`>>> = {
  'There is no such device': 'batch.row.gone',
  'It changed hands meanwhile, so it was left alone': 'batch.row.changedHands',
  'Its owner has described it, so it was left alone': 'batch.row.ownersWords',
  'It was changed since, so it was left alone': 'batch.row.changedSince',
  'The customer is not there any more': 'batch.row.customerGone',
  'Who asked for it may not do it any more': 'batch.row.notAllowed',
  'There was no answer': 'batch.row.noAnswer',
  'Its stored record cannot be read': 'batch.row.unreadable',
  'Somebody has asked to take the device over already!': 'batch.row.takeOver',
};

export function rowWords(message: string | null, say: Say): string | null {
  const key = message === null ? undefined : ROWS[message];
  return key === undefined ? message : say(key);
}
