/** A device's credentials, as ThingsBoard writes them. */
import { z } from 'zod';
import type { DeviceId } from '../../actors/base/ids.ts';
import { CREDENTIALS_TYPES, type Credentials, type Device } from '../../actors/device/state.ts';
import { entityId, instant, optional, uuid } from './parts.ts';

export const credentialsView = z
  .object({
    id: z.object({ id: uuid }),
    createdTime: instant,
    deviceId: entityId('DEVICE'),
    credentialsType: z.enum(CREDENTIALS_TYPES),
    /** Empty: a token whose key was given up, so that nobody can read it. */
    credentialsId: z.string(),
    /** MQTT_BASIC: its parts as JSON; X509_CERTIFICATE: base64 of the certificate. */
    credentialsValue: optional,
    version: z.null(),
  })
  .meta({ id: 'DeviceCredentials' });

export function viewCredentials(
  id: DeviceId,
  device: Device,
  type: Credentials['type'],
  { credentialsId, credentialsValue }: { credentialsId: string | null; credentialsValue: string | null },
): z.infer<typeof credentialsView> {
  return {
    id: { id: derivedId(id) },
    createdTime: device.createdAt,
    deviceId: { entityType: 'DEVICE', id },
    credentialsType: type,
    credentialsId: credentialsId ?? '',
    credentialsValue,
    version: null,
  };
}

function derivedId(id: string): string {
  const versionDigit = 14;
  return `${id.slice(0, versionDigit)}8${id.slice(versionDigit + 1)}`;
}
