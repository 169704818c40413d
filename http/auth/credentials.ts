/** Credentials of devices: from ThingsBoard's JSON to how they are stored (`actors/fleet/credentials.ts`), and back. */

import { z } from 'zod';
import { randomAccessToken } from '../../actors/base/access-token.ts';
import type { DeviceId } from '../../actors/base/ids.ts';
import { parsedJson } from '../../actors/base/json.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import { isCleanText } from '../../actors/base/text.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { CREDENTIALS_TYPES, type Credentials } from '../../actors/device/state.ts';
import {
  accessToken as deviceToken,
  mqttBasic,
  mqttBasicParts,
  x509,
} from '../../actors/fleet/credentials.ts';
import { badRequest } from '../wire/errors.ts';
import type { Problem } from '../wire/reply.ts';
import { NAME_MAX } from '../wire/schemas.ts';

/** Enough for a chain of certificates as PEM, or a large key. */
const VALUE_MAX = 32_768;

/** An access token has to fit into an MQTT user name and a URL. Spaces around it are always a mistake. */
export const accessToken = z
  .string()
  .max(NAME_MAX, `The access token should have at most ${NAME_MAX} characters!`)
  .refine((token) => isCleanText(token) && token.trim() === token, 'The access token is malformed!');

export const credentialsFields = {
  credentialsType: z.enum(CREDENTIALS_TYPES, {
    error: 'Only ACCESS_TOKEN, MQTT_BASIC and X509_CERTIFICATE credentials are supported!',
  }),
  /** Only for access tokens; the other types derive it from the value. */
  credentialsId: accessToken.nullish(),
  credentialsValue: z.string().max(VALUE_MAX, 'The credentials are too long!').nullish(),
};

const credentialsInput = z.object(credentialsFields);

const part = z.string().max(NAME_MAX).refine(isCleanText).nullish();
const basicParts = z.object({ clientId: part, userName: part, password: part });

/** @param device whose credentials they are: secrets in them are sealed for it */
export function credentialsOf(
  secrets: Secrets,
  device: DeviceId,
  { credentialsType, credentialsId, credentialsValue }: z.output<typeof credentialsInput>,
): Credentials | Problem {
  switch (credentialsType) {
    case 'ACCESS_TOKEN':
      return deviceToken(secrets, device, credentialsId || randomAccessToken());
    case 'MQTT_BASIC': {
      // The input is not quoted, because a password is in it.
      const parts = basicParts.safeParse(parsedJson(credentialsValue ?? ''));
      if (!parts.success) {
        return badRequest(
          'credentialsValue should be a text of {"clientId": …, "userName": …, "password": …}!',
        );
      }
      const made = mqttBasic(secrets, device, parts.data);
      return (
        made ??
        badRequest('Client id or user name should be specified, and a password only with a user name!')
      );
    }
    case 'X509_CERTIFICATE':
      return (
        x509(secrets, credentialsValue ?? '') ??
        badRequest('credentialsValue should be a certificate as PEM!')
      );
    default:
      return unreachable(credentialsType);
  }
}

/**
 * The credentialsValue, for a caller who may read credentials. Of MQTT_BASIC it is null where nobody can read the password any
 * more: with the other parts alone, a client that sends them back would take the password away.
 */
export function credentialsValueOf(
  secrets: Secrets,
  device: DeviceId,
  credentials: Credentials,
): string | null {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return null;
    case 'MQTT_BASIC':
      return readableValue(mqttBasicParts(secrets, device, credentials));
    case 'X509_CERTIFICATE':
      return credentials.certificate;
    default:
      return unreachable(credentials);
  }
}

const readableValue = (parts: object | undefined) => (parts === undefined ? null : JSON.stringify(parts));
