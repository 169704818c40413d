/**
 * The device HTTP API: `POST /api/v1/{access token}/claim` opens a claim window. The status tells the device what
 * happened, once it is durable (rule O6):
 *
 *   200 empty        the window is open, the reset is done  (ThingsBoard: also when it silently refused)
 *   409 envelope     refused, `reason` says why
 *   400 envelope     malformed                          (ThingsBoard: 500)
 *   401 empty        unknown or revoked token
 *   413 JSON text    body too large
 *   429 envelope     too many claim windows of this device, or too many wrong tokens of its address; Retry-After
 *   503 envelope     the store or this process cannot serve now; Retry-After
 *
 * The body is read after the token is known, because only then is it worth memory. The content type is ignored, as in
 * ThingsBoard. Empty answers have a length: small HTTP clients on devices cannot read chunked ones.
 */
import { z } from 'zod';
import { unreachable } from '../../actors/base/unreachable.ts';
import { type ClaimOutcome, refusalInWords } from '../../actors/claiming/outcome.ts';
import { parseClaimPayload } from '../../actors/claiming/payload.ts';
import { defineRoute, type Route } from '../route.ts';
import { claimRefusedForDevice, malformedClaim, windowsLimited } from '../wire/errors.ts';
import { empty, json, type Problem, type Reply } from '../wire/reply.ts';
import {
  createDeviceDoor,
  type DeviceApiNeeds,
  type DeviceDoor,
  deviceInPath,
  FOR_DEVICES,
  tokenResponses,
  unauthorized,
} from './device-door.ts';
import { deviceFeatureRoutes } from './device-features.ts';

/** For the description only: the body is read by the rules of `actors/claiming/payload.ts`. */
const claimPayload = z.object({
  secretKey: z.string().default(''),
  durationMs: z.int().default(0).describe('0 or less: the default of the server'),
  reset: z
    .boolean()
    .default(false)
    .describe(
      'The device was reset to its factory state; where its profile allows it, it has no owner any more',
    ),
});

const newCredentialsView = z.object({
  credentials: z
    .object({
      type: z.enum(['ACCESS_TOKEN', 'MQTT_BASIC']),
      token: z.string().optional(),
      clientId: z.string().optional(),
      userName: z.string().optional(),
      password: z.string().optional(),
      epoch: z.int(),
    })
    .nullable(),
  ownerEpoch: z.int(),
});

export function deviceApiRoutes(needs: DeviceApiNeeds): Route[] {
  const door = createDeviceDoor(needs);
  return [openWindow(door), newCredentials(door), ...deviceFeatureRoutes(door, needs)];
}

const REFUSALS = [
  'credentials-superseded',
  'already-claimed',
  'claiming-not-allowed',
  'duration-too-long',
  'secret-too-short',
  'reset-not-allowed',
  'reset-repeated',
  'take-over-pending',
];

function openWindow({ admit, claiming, settings, unavailable }: DeviceDoor): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/v1/:deviceToken/claim',
    summary: 'A device opens its claim window; answered when the window is on disk',
    description: FOR_DEVICES,
    ...deviceInPath,
    frequent: true,
    payload: { bytesMax: settings.payloadBytesMax, schema: claimPayload },
    unavailable,
    responses: {
      200: { description: 'The window is open, or the device is reset', isEmpty: true },
      202: { description: 'The window waits for the approval of the tenant (rule O9)', isEmpty: true },
      400: { description: 'Malformed' },
      401: tokenResponses[401],
      405: { description: 'Another method than POST' },
      409: {
        description: `Refused; reason says why: ${REFUSALS.join(', ')}`,
        more: z.object({ reason: z.string() }),
      },
      429: {
        description:
          'Too many claim windows of this device, a reset within an hour of the last, or too many wrong tokens of its address',
      },
    },
    async handle({ params, address, readPayload, trace }) {
      const admitted = await admit(address, params.deviceToken);
      if (admitted.type !== 'device') return admitted.reply;
      const payload = await readPayload();
      if (payload.type === 'refused') return payload.reply;
      const request = parseClaimPayload(payload.bytes);
      const outcome =
        request.type === 'malformed'
          ? request
          : await claiming.initiate(admitted.device, request, false, undefined, trace?.begin());
      return replyTo(outcome, unavailable);
    },
  });
}

function newCredentials({ asDevice, claiming, unavailable }: DeviceDoor): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/v1/:deviceToken/claim/credentials',
    summary: 'A device whose owner has changed fetches its new credentials with its old token (rule O9)',
    description: `${FOR_DEVICES} With the new ones it then says hello, and the old ones end.`,
    ...deviceInPath,
    unavailable,
    responses: {
      200: { description: 'The new credentials, or null: it has no others', schema: newCredentialsView },
      ...tokenResponses,
    },
    handle: (call) =>
      asDevice(call, async (device) => {
        const fetched = await claiming.fetchCredentials(device);
        switch (fetched.type) {
          case 'fetched':
            return json(fetched.message);
          case 'revoked':
            return unauthorized;
          case 'unavailable':
            return unavailable;
          default:
            return unreachable(fetched);
        }
      }),
  });
}

function replyTo(outcome: ClaimOutcome, unavailable: Problem): Reply {
  switch (outcome.type) {
    case 'opened':
      return outcome.pending ? { ...empty, status: 202 } : empty;
    case 'released':
      return empty;
    case 'refused': {
      const { reason, maxDurationMs, minSecretLength, retryAfterMs } = outcome;
      const message = refusalInWords(outcome);
      return retryAfterMs === undefined
        ? claimRefusedForDevice(message, { reason, maxDurationMs, minSecretLength })
        : windowsLimited(message, retryAfterMs, { reason });
    }
    case 'malformed':
      return malformedClaim(outcome.why);
    case 'revoked':
      return unauthorized;
    case 'unavailable':
      return unavailable;
    default:
      return unreachable(outcome);
  }
}
