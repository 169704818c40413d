/** Why a row of an import was refused, in the reader's language: by the code with which it is stored. */
import type { z } from 'zod';
import { unreachable } from '../../../actors/base/unreachable.ts';
import type { rowView } from '../../views/import.ts';
import { reasonInWords } from '../parts/trail.tsx';
import type { Say } from '../texts/say.ts';

type RowReason = NonNullable<z.output<typeof rowView>['reason']>;

const TWICE = {
  ACCESS_TOKEN: 'row.tokenTwice',
  MQTT_BASIC: 'row.mqttTwice',
  X509_CERTIFICATE: 'row.certificateTwice',
} as const;
const TAKEN = {
  ACCESS_TOKEN: 'row.tokenTaken',
  MQTT_BASIC: 'row.mqttTaken',
  X509_CERTIFICATE: 'row.certificateTaken',
} as const;
/** Texts without places. */
const BARE = {
  'not-allowed': 'row.stopped',
  'name-missing': 'row.nameMissing',
  'name-twice': 'row.nameTwice',
  'kinds-mixed': 'row.twoKinds',
  'password-alone': 'row.passwordAlone',
  'certificate-malformed': 'row.noCertificate',
  unreadable: 'row.unreadable',
} as const;

export function rowWords(reason: RowReason, say: Say): string {
  switch (reason.code) {
    case 'name-taken':
      return say(reason.viaGateway ? 'row.nameOfGateway' : 'row.nameTaken');
    case 'credentials-twice':
      return say(TWICE[reason.kind]);
    case 'credentials-taken':
      return say(TAKEN[reason.kind]);
    case 'token-too-short':
      return say('row.tokenShort', { min: reason.min });
    case 'secret-too-short':
      return say('row.keyShort', { min: reason.min });
    case 'too-many-devices':
      return say('row.tooMany', { max: reason.max });
    case 'too-long':
      return say('row.long', { column: reason.column, max: reason.max });
    case 'not-shown':
      return say('row.unshown', { column: reason.column });
    case 'hidden':
      return say('row.hidden', { column: reason.column, which: reason.which });
    case 'no-kit':
      return say('row.noKit', { code: reasonInWords(reason.why, say) });
    case 'device-refused':
      return say('problem.notDoneWhy', { why: reasonInWords(reason.why, say) });
    case 'sentence':
      return reasonInWords(reason.sentence, say); // where it is a code
    case 'not-allowed':
    case 'name-missing':
    case 'name-twice':
    case 'kinds-mixed':
    case 'password-alone':
    case 'certificate-malformed':
    case 'unreadable':
      return say(BARE[reason.code]);
    default:
      return unreachable(reason);
  }
}
