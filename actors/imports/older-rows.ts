/**
 * Rows of imports that another version stored: without a code, or with one that does not go with the sentence or is not known here. Then
 * the English sentence is read back into its reason. One of which that fails is said as it is in every language.
 */
import { CREDENTIALS_TYPES } from '../device/state.ts';
import { KIT_REASONS } from '../kits/model.ts';
import {
  BARE_REASONS,
  COLUMNS,
  ROW_COLUMNS,
  type RowColumn,
  type RowReason,
  reasonInEnglish,
} from './row-reasons.ts';

/** Reasons whose sentence is always the same. */
const WHOLE: ReadonlyMap<string, RowReason> = new Map(
  [
    ...BARE_REASONS.map((code): RowReason => ({ code })),
    ...[true, false].map((viaGateway): RowReason => ({ code: 'name-taken', viaGateway })),
    ...CREDENTIALS_TYPES.map((kind): RowReason => ({ code: 'credentials-twice', kind })),
    ...CREDENTIALS_TYPES.map((kind): RowReason => ({ code: 'credentials-taken', kind })),
    ...KIT_REASONS.map((why): RowReason => ({ code: 'no-kit', why })),
  ].map((reason) => [reasonInEnglish(reason), reason]),
);

type Made = (place: string, other: string) => RowReason | undefined;

/** Sentences that say how long, how many, or which column. */
const WITH_PLACES: readonly (readonly [sentence: RegExp, made: Made])[] = [
  [/^The access token has fewer than (\d+) characters$/, (min) => ({ code: 'token-too-short', min: +min })],
  [/^The secret has fewer than (\d+) characters$/, (min) => ({ code: 'secret-too-short', min: +min })],
  [/^There may not be more than (\d+) devices$/, (max) => ({ code: 'too-many-devices', max: +max })],
  [
    /^The (.+) is longer than (\d+) characters$/,
    (words, max) => withColumn(words, (column) => ({ code: 'too-long', column, max: +max })),
  ],
  [
    /^The (.+) has characters that cannot be shown$/,
    (words) => withColumn(words, (column) => ({ code: 'not-shown', column })),
  ],
  [
    /^The (.+) has a character that nobody can see \((.+)\)$/,
    (words, which) => withColumn(words, (column) => ({ code: 'hidden', column, which })),
  ],
];

function withColumn(words: string, made: (column: RowColumn) => RowReason): RowReason | undefined {
  const column = ROW_COLUMNS.find((name) => COLUMNS[name] === words);
  return column === undefined ? undefined : made(column);
}

export function reasonOfSentence(sentence: string): RowReason {
  const reason = WHOLE.get(sentence) ?? withPlaces(sentence);
  // What the API answers stays what it was, whatever was stored.
  if (reason !== undefined && reasonInEnglish(reason) === sentence) return reason;
  return { code: 'sentence', sentence };
}

function withPlaces(sentence: string): RowReason | undefined {
  for (const [pattern, made] of WITH_PLACES) {
    const found = pattern.exec(sentence);
    if (found !== null) return made(found[1] ?? '', found[2] ?? '');
  }
  return undefined;
}
