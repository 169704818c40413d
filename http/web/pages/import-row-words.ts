/**
 * Why a row of an import was refused, in the reader's language. The import keeps it in English, with the row and for the
 * file of results (`actors/imports/rows.ts`, `row-credentials.ts`); the same sentence is in the catalogues.
 */
import { reasonInWords } from '../parts/trail.tsx';
import type { Say } from '../texts/say.ts';

/** The columns that a sentence names, as the catalogues know them. */
const COLUMNS: Readonly<Record<string, string>> = {
  name: 'name',
  type: 'type',
  label: 'label',
  kit: 'kit',
  'access token': 'accessToken',
  'MQTT client id': 'mqttClientId',
  'MQTT user name': 'mqttUserName',
  'MQTT password': 'mqttPassword',
};
const columnOf = (words: string): string => COLUMNS[words] ?? words;

/** Sentences that are always the same. */
const WHOLE = [
  ['Who started the import may not do it any more', 'row.stopped'],
  ['The name is missing', 'row.nameMissing'],
  ['The name is in the list twice', 'row.nameTwice'],
  ['There is a device of this name already', 'row.nameTaken'],
  ['There is a device of this name already: a gateway brought it up', 'row.nameOfGateway'],
  ['The access token is in the list twice', 'row.tokenTwice'],
  ['The MQTT client id or user name is in the list twice', 'row.mqttTwice'],
  ['The certificate is in the list twice', 'row.certificateTwice'],
  ['Another device has this access token', 'row.tokenTaken'],
  ['Another device has this MQTT client id or user name', 'row.mqttTaken'],
  ['Another device has this certificate', 'row.certificateTaken'],
  ['The certificate is not one in PEM', 'row.noCertificate'],
  [
    'It has credentials of two kinds: an access token, MQTT client id and user name, or a certificate',
    'row.twoKinds',
  ],
  ['A password needs an MQTT user name, and without one there must be a client id', 'row.passwordAlone'],
  [
    'The secret was sealed under a server key that is no longer there. Import the row again',
    'row.unreadable',
  ],
] as const;

type WithPlaces = readonly [sentence: RegExp, words: (say: Say, place: string, other: string) => string];

/** Sentences that say which column, how long, or what. */
const WITH_PLACES: readonly WithPlaces[] = [
  [
    /^The access token has fewer than (\d+) characters$/,
    (say, min) => say('row.tokenShort', { min: Number(min) }),
  ],
  [/^The secret has fewer than (\d+) characters$/, (say, min) => say('row.keyShort', { min: Number(min) })],
  [/^There may not be more than (\d+) devices$/, (say, max) => say('row.tooMany', { max: Number(max) })],
  [/^It is in no kit: (.+)$/, (say, code) => say('row.noKit', { code: reasonInWords(code, say) })],
  [
    /^The (.+) is longer than (\d+) characters$/,
    (say, column, max) => say('row.long', { column: columnOf(column), max: Number(max) }),
  ],
  [
    /^The (.+) has characters that cannot be shown$/,
    (say, column) => say('row.unshown', { column: columnOf(column) }),
  ],
  [
    /^The (.+) has a character that nobody can see \((.+)\)$/,
    (say, column, which) => say('row.hidden', { column: columnOf(column), which }),
  ],
];

/** @returns the sentence itself where no catalogue has it, such as the code of a reason */
export function rowWords(sentence: string, say: Say): string {
  const whole = WHOLE.find(([english]) => english === sentence);
  if (whole !== undefined) return say(whole[1]);
  for (const [pattern, words] of WITH_PLACES) {
    const found = pattern.exec(sentence);
    if (found !== null) return words(say, found[1] ?? '', found[2] ?? '');
  }
  return sentence;
}
