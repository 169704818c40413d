/** Why a batch left a device as it was, in the reader's language: by the code with which it is stored. */
import type { z } from 'zod';
import type { batchRowView } from '../../views/batch.ts';
import { whyInWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';

type Row = z.output<typeof batchRowView>;
type Code = NonNullable<Row['reason']>['code'];

const ROWS = {
  'no-device': 'batch.row.gone',
  'changed-hands': 'batch.row.changedHands',
  'described-by-owner': 'batch.row.ownersWords',
  'changed-since': 'batch.row.changedSince',
  'customer-gone': 'batch.row.customerGone',
  'not-allowed': 'batch.row.notAllowed',
  'no-answer': 'batch.row.noAnswer',
  unreadable: 'batch.row.unreadable',
} as const satisfies Readonly<Record<Exclude<Code, 'device-refused' | 'sentence'>, string>>;

/** The API's own sentence where no text says it, and in English where it knows more. */
export function rowWords({ message, reason }: Pick<Row, 'message' | 'reason'>, say: Say): string | null {
  if (!reason || reason.code === 'sentence') return message;
  if (reason.code !== 'device-refused') return say(ROWS[reason.code]);
  const why = say.language === 'en' || reason.why === undefined ? undefined : whyInWords(reason.why, say);
  return why === undefined ? message : say('problem.notDoneWhy', { why });
}
