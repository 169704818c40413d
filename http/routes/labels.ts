/** A device's label: its claim link, also as a QR code. */

import { renderSVG } from 'uqr';
import { z } from 'zod';
import type { Clock } from '../../actors/base/clock.ts';
import { type Secrets, unsealedOrNull } from '../../actors/base/secret.ts';
import type { DeviceRecord } from '../../actors/device/state.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import { TENANT } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { notFound } from '../wire/errors.ts';
import { claimLink } from '../wire/links.ts';
import { json } from '../wire/reply.ts';
import { deviceId } from '../wire/schemas.ts';
import { visibleDevice } from './access.ts';

export interface LabelNeeds {
  readonly devices: Devices;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/** Survives 15 % of damage: labels are on boxes. */
const ERROR_CORRECTION = 'M';

/** The key that a label of the device has; undefined: none that works. */
export function workingKeyOf(
  { id, serverKey }: Pick<DeviceRecord, 'id' | 'serverKey'>,
  secrets: Secrets,
  nowMs: number,
): string | undefined {
  if (serverKey === null || serverKey.expiresAt <= nowMs) return undefined;
  return unsealedOrNull(secrets, id, serverKey.sealedSecret) ?? undefined; // null: dropped, so it does not work
}

const labelView = z
  .object({
    deviceName: z.string(),
    url: z.string(),
    /** The same as a QR code. */
    svg: z.string(),
    secretKey: z.string(),
    expirationTime: z.int(),
  })
  .meta({ id: 'Label' });

export function labelRoutes({ devices, secrets, clock }: LabelNeeds): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/device/:deviceId/claimLabel',
      summary: "A device's claim link with its server-side key (claimingData), also as a QR code",
      roles: TENANT,
      grants: ['everything', 'delegated'],
      params: z.object({ deviceId }),
      responses: {
        200: { description: 'The label', schema: labelView },
        404: { description: 'No such device, or it has no key that works' },
      },
      async handle({ principal, params, linkBase }) {
        const device = await visibleDevice(devices, principal, params.deviceId);
        if (device.type !== 'found') return device;
        const { name, serverKey } = device.value;
        const secretKey = workingKeyOf(device.value, secrets, clock.now());
        if (serverKey === null || secretKey === undefined) return notFound;
        const url = claimLink(linkBase(), name, secretKey);
        const svg = renderSVG(url, { ecc: ERROR_CORRECTION, border: 2 });
        return json({ deviceName: name, url, svg, secretKey, expirationTime: serverKey.expiresAt });
      },
    }),
  ];
}
