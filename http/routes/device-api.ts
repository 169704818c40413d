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
import type { Secrets } from '../../actors/base/secret.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { createDeviceAttributes, readAttributeRequest } from '../../actors/claiming/attributes.ts';
import type { AuthenticatedDevice, Authentication } from '../../actors/claiming/authentication.ts';
import { createClaiming } from '../../actors/claiming/claiming.ts';
import { type ClaimOutcome, refusalInWords } from '../../actors/claiming/outcome.ts';
import { parseClaimPayload } from '../../actors/claiming/payload.ts';
import { openGuard, type TokenGuard } from '../../actors/claiming/wrong-tokens.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import { defineRoute, type Route } from '../route.ts';
import { type DeviceApiSettings, defaultDeviceApiSettings } from '../settings.ts';
import {
  claimRefusedForDevice,
  malformedClaim,
  noSuchFeature,
  tooManyRequests,
  unavailableForDevice,
  windowsLimited,
} from '../wire/errors.ts';
import { type EmptyReply, empty, json, type Problem, type Reply } from '../wire/reply.ts';

export interface DeviceApiNeeds {
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  /** Counts wrong tokens; without it, nobody does. */
  readonly tokenGuard?: TokenGuard;
  readonly deviceApi?: DeviceApiSettings;
}

const unauthorized: EmptyReply = { ...empty, status: 401 };

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
  const { devices, directory, secrets, tokenGuard = openGuard, deviceApi = defaultDeviceApiSettings } = needs;
  const claiming = createClaiming(devices, directory, secrets);
  const unavailable = unavailableForDevice(deviceApi.retryAfterSeconds);

  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/:deviceToken/claim',
      summary: 'A device opens its claim window; answered when the window is on disk',
      description: 'For devices: the access token is in the path.',
      roles: ['PUBLIC'],
      params: z.object({ deviceToken: z.string() }),
      // Any text in the path is looked up as a token, also one that cannot be decoded.
      undecodablePath: 'keep',
      payload: { bytesMax: deviceApi.payloadBytesMax, schema: claimPayload },
      unavailable,
      responses: {
        200: { description: 'The window is open, or the device is reset', isEmpty: true },
        202: { description: 'The window waits for the approval of the tenant (rule O9)', isEmpty: true },
        400: { description: 'Malformed' },
        401: { description: 'No device has this token', isEmpty: true },
        405: { description: 'Another method than POST' },
        409: {
          description:
            'Refused; reason says why: credentials-superseded, already-claimed, claiming-not-allowed, duration-too-long, secret-too-short, ' +
            'reset-not-allowed, reset-repeated, take-over-pending',
          more: z.object({ reason: z.string() }),
        },
        429: {
          description:
            'Too many claim windows of this device, a reset within an hour of the last, or too many wrong tokens of its address',
        },
      },
      async handle({ params, address, readPayload }) {
        const admitted = await admit(tokenGuard, claiming, address, params.deviceToken);
        if (admitted.type !== 'device') return admitted.reply;
        const payload = await readPayload();
        if (payload.type === 'refused') return payload.reply;
        const request = parseClaimPayload(payload.bytes);
        const outcome =
          request.type === 'malformed' ? request : await claiming.initiate(admitted.device, request);
        return replyTo(outcome, unavailable);
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/:deviceToken/claim/credentials',
      summary: 'A device whose owner has changed fetches its new credentials with its old token (rule O9)',
      description:
        'For devices: the access token is in the path. With the new ones it then says hello, and the old ones end.',
      roles: ['PUBLIC'],
      params: z.object({ deviceToken: z.string() }),
      undecodablePath: 'keep',
      unavailable,
      responses: {
        200: { description: 'The new credentials, or null: it has no others', schema: newCredentialsView },
        401: { description: 'No device has this token', isEmpty: true },
        429: { description: 'Too many wrong tokens of its address' },
      },
      async handle({ params, address }) {
        const admitted = await admit(tokenGuard, claiming, address, params.deviceToken);
        if (admitted.type !== 'device') return admitted.reply;
        const fetched = await claiming.fetchCredentials(admitted.device);
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
      },
    }),
    readAttributes(needs, unavailable),
    ...DROPPED.map((feature) => dropped(needs, feature, unavailable)),
  ];
}

/** What a device may send that is of no use to claiming. */
const DROPPED = ['telemetry', 'attributes'] as const;

const deviceInPath = { params: z.object({ deviceToken: z.string() }), undecodablePath: 'keep' } as const;

/** ThingsBoard's answer: the shared attributes that were asked for; client attributes are not kept here. */
function readAttributes(
  { devices, directory, secrets, tokenGuard = openGuard }: DeviceApiNeeds,
  unavailable: Problem,
): Route {
  const claiming = createClaiming(devices, directory, secrets);
  const attributes = createDeviceAttributes(devices);
  return defineRoute({
    method: 'GET',
    path: '/api/v1/:deviceToken/attributes',
    summary: 'A device reads its shared attributes',
    description: 'For devices: the access token is in the path.',
    roles: ['PUBLIC'],
    ...deviceInPath,
    query: z.object({ clientKeys: z.string().optional(), sharedKeys: z.string().optional() }),
    unavailable,
    responses: {
      200: { description: 'Those that are there', schema: attributeAnswer },
      401: { description: 'No device has this token', isEmpty: true },
      429: { description: 'Too many wrong tokens of its address' },
    },
    async handle({ params, query, address }) {
      const admitted = await admit(tokenGuard, claiming, address, params.deviceToken);
      if (admitted.type !== 'device') return admitted.reply;
      const answer = await attributes.answer(admitted.device, readAttributeRequest(query) ?? {});
      return answer === undefined ? unauthorized : json(answer);
    },
  });
}

const attributeAnswer = z.object({ shared: z.record(z.string(), z.unknown()).optional() });

/** Accepted and dropped, as by MQTT: firmware that also sends telemetry works, and an SDK's test of the connection. */
function dropped(
  {
    devices,
    directory,
    secrets,
    tokenGuard = openGuard,
    deviceApi = defaultDeviceApiSettings,
  }: DeviceApiNeeds,
  feature: (typeof DROPPED)[number],
  unavailable: Problem,
): Route {
  const claiming = createClaiming(devices, directory, secrets);
  return defineRoute({
    method: 'POST',
    path: `/api/v1/:deviceToken/${feature}`,
    summary: `A device sends ${feature}: taken, and not kept (transport.telemetry.accept)`,
    description: 'For devices: the access token is in the path.',
    roles: ['PUBLIC'],
    ...deviceInPath,
    payload: { bytesMax: deviceApi.payloadBytesMax, schema: z.unknown() },
    unavailable,
    responses: {
      200: { description: 'Taken', isEmpty: true },
      401: { description: 'No device has this token', isEmpty: true },
      404: { description: 'Not taken here' },
      429: { description: 'Too many wrong tokens of its address' },
    },
    async handle({ params, address, readPayload }) {
      if (!deviceApi.acceptsTelemetry) return noSuchFeature;
      const admitted = await admit(tokenGuard, claiming, address, params.deviceToken);
      if (admitted.type !== 'device') return admitted.reply;
      const payload = await readPayload();
      return payload.type === 'refused' ? payload.reply : empty;
    },
  });
}

type Admitted =
  | { readonly type: 'device'; readonly device: AuthenticatedDevice }
  | { readonly type: 'refused'; readonly reply: Reply };

/** The device of a token, or the answer where there is none. */
async function admit(
  tokenGuard: TokenGuard,
  claiming: Authentication,
  address: string,
  token: string,
): Promise<Admitted> {
  const admission = await tokenGuard.admit(address, () => claiming.authenticate(token));
  switch (admission.type) {
    case 'unknown':
      return { type: 'refused', reply: unauthorized };
    case 'blocked': {
      const reply = tooManyRequests('Too many wrong tokens', admission.retryAfterMs, 'too-many-wrong-tokens');
      return { type: 'refused', reply };
    }
    case 'admitted':
      return { type: 'device', device: admission.device };
    default:
      return unreachable(admission);
  }
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
