/** Says in the log where a device was given an access token that can be guessed, as ThingsBoard allows. */
import type { Log } from '../base/log.ts';
import type { CredentialSecrets } from '../base/secret.ts';
import { createQuota } from '../limits/quota.ts';
import { tokenOf } from './credentials.ts';
import type { DeviceListener } from './devices.ts';

/** A shorter one of letters and digits has less than 70 bits, and people choose worse ones. */
const GUESSABLE_BELOW = 12;
const LINES_A_MINUTE = 5;

export function shortTokens(log: Log, secrets: CredentialSecrets): DeviceListener {
  const lines = createQuota({ max: LINES_A_MINUTE, windowMs: 60_000 });
  return (deviceId, event) => {
    if (event.type !== 'DeviceProvisioned' && event.type !== 'CredentialsChanged') return;
    const { credentials } = event;
    if (credentials.type !== 'ACCESS_TOKEN') return;
    const length = tokenOf(secrets, deviceId, credentials)?.length;
    if (length === undefined || length >= GUESSABLE_BELOW || lines.take('') > 0) return;
    log.warn(
      { deviceId, length, option: 'security.credentials.min_token_length' },
      'a device has an access token that can be guessed',
    );
  };
}
