/**
 * Why a row of an import is refused, or is not in its kit: a code with what belongs to it. A row is stored with its sentence in English,
 * for the API and the file of results, and with the code beside it; pages say it in the reader's language
 * (`http/web/pages/import-row-words.ts`).
 *
 * What is stored stays as it is: codes are added, none is changed or taken away, and no sentence either (`test/pure/row-reasons`).
 */
import { unreachable } from '../base/unreachable.ts';
import type { Credentials } from '../device/state.ts';
import type { ToldReason } from '../records/told.ts';

/** What a reason speaks of: a column of the row. */
export const ROW_COLUMNS = [
  'name',
  'type',
  'label',
  'kit',
  'accessToken',
  'mqttClientId',
  'mqttUserName',
  'mqttPassword',
] as const;
export type RowColumn = (typeof ROW_COLUMNS)[number];

/** Reasons that are said by themselves. */
export const BARE_REASONS = [
  /** Who started the import may not do it any more. */
  'not-allowed',
  'name-missing',
  'name-twice',
  'kinds-mixed',
  'password-alone',
  'certificate-malformed',
  /** What was sealed cannot be read: under another server key. */
  'unreadable',
] as const;

export type RowReason =
  | { readonly code: (typeof BARE_REASONS)[number] }
  /** Whoever has a gateway can take names that are printed on boxes: then the tenant has to know. */
  | { readonly code: 'name-taken'; readonly viaGateway: boolean }
  | { readonly code: 'credentials-twice'; readonly kind: Credentials['type'] }
  | { readonly code: 'credentials-taken'; readonly kind: Credentials['type'] }
  /** In characters, as are the lengths below. */
  | { readonly code: 'token-too-short'; readonly min: number }
  | { readonly code: 'secret-too-short'; readonly min: number }
  | { readonly code: 'too-many-devices'; readonly max: number }
  | { readonly code: 'too-long'; readonly column: RowColumn; readonly max: number }
  | { readonly code: 'not-shown'; readonly column: RowColumn }
  /** @see `hiddenIn`: `which` is its code point, `U+200B`. */
  | { readonly code: 'hidden'; readonly column: RowColumn; readonly which: string }
  /** The device is there, and in no kit. `why`, here and below: a code of `REASONS`, or one of a newer version. */
  | { readonly code: 'no-kit'; readonly why: string }
  /** Refused by the device, for a reason that has no code of its own here. */
  | { readonly code: 'device-refused'; readonly why: string }
  /** A sentence of another version that is none of the above. No row is stored with this. */
  | { readonly code: 'sentence'; readonly sentence: string };

/** What a row is stored with. */
export const told = (reason: RowReason): ToldReason => ({ message: reasonInEnglish(reason), reason });

export const COLUMNS: Readonly<Record<RowColumn, string>> = {
  name: 'name',
  type: 'type',
  label: 'label',
  kit: 'kit',
  accessToken: 'access token',
  mqttClientId: 'MQTT client id',
  mqttUserName: 'MQTT user name',
  mqttPassword: 'MQTT password',
};

const KINDS: Readonly<Record<Credentials['type'], string>> = {
  ACCESS_TOKEN: 'access token',
  MQTT_BASIC: 'MQTT client id or user name',
  X509_CERTIFICATE: 'certificate',
};

/** In English, as the API and the file of results say it. It quotes no secret. */
export function reasonInEnglish(reason: RowReason): string {
  switch (reason.code) {
    case 'not-allowed':
      return 'Who started the import may not do it any more';
    case 'name-missing':
      return 'The name is missing';
    case 'name-twice':
      return 'The name is in the list twice';
    case 'name-taken':
      return `There is a device of this name already${reason.viaGateway ? ': a gateway brought it up' : ''}`;
    case 'credentials-twice':
      return `The ${KINDS[reason.kind]} is in the list twice`;
    case 'credentials-taken':
      return `Another device has this ${KINDS[reason.kind]}`;
    case 'kinds-mixed':
      return 'It has credentials of two kinds: an access token, MQTT client id and user name, or a certificate';
    case 'password-alone':
      return 'A password needs an MQTT user name, and without one there must be a client id';
    case 'certificate-malformed':
      return 'The certificate is not one in PEM';
    case 'unreadable':
      return 'The secret was sealed under a server key that is no longer there. Import the row again';
    case 'token-too-short':
      return `The access token has fewer than ${reason.min} characters`;
    case 'secret-too-short':
      return `The secret has fewer than ${reason.min} characters`;
    case 'too-many-devices':
      return `There may not be more than ${reason.max} devices`;
    case 'too-long':
      return `The ${COLUMNS[reason.column]} is longer than ${reason.max} characters`;
    case 'not-shown':
      return `The ${COLUMNS[reason.column]} has characters that cannot be shown`;
    case 'hidden':
      return `The ${COLUMNS[reason.column]} has a character that nobody can see (${reason.which})`;
    case 'no-kit':
      return `It is in no kit: ${reason.why}`;
    case 'device-refused':
      return reason.why;
    case 'sentence':
      return reason.sentence;
    default:
      return unreachable(reason);
  }
}
