/**
 * The device HTTP API: `POST /api/v1/{access token}/claim` opens a claim window.
 *
 * A Hono app without a server, so that it lives on the port where people are served and answers `app.request()` in
 * tests. The device is told the outcome by the status, after it is durable (rule O6):
 *
 *   200 empty        the window is open                 (ThingsBoard: also when it silently refused)
 *   409 envelope     refused, `reason` says why
 *   400 envelope     malformed                          (ThingsBoard: 500)
 *   401 empty        unknown or revoked token
 *   413 JSON text    payload too large
 *   429 envelope     the device was asked too often, or its address has shown too many wrong tokens; Retry-After
 *   503 envelope     no answer could be had; Retry-After
 *
 * The content type is not examined, as in ThingsBoard. Access tokens are part of the path: never log the path.
 */
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Clock } from '../actors/base/clock.ts';
import type { Log } from '../actors/base/log.ts';
import type { Secrets } from '../actors/base/secret.ts';
import { createClaiming } from '../actors/claiming/claiming.ts';
import { type ClaimOutcome, refusalInWords } from '../actors/claiming/outcome.ts';
import { parseClaimPayload } from '../actors/claiming/payload.ts';
import { type Admission, openGuard, type TokenGuard } from '../actors/claiming/wrong-tokens.ts';
import type { Devices, Directory } from '../actors/fleet/devices.ts';

export interface DeviceHttpSettings {
  /** Largest body of a request, in bytes. */
  readonly payloadBytesMax: number;
  /** What a device is told to wait before it asks again, when no answer could be had, in whole seconds. */
  readonly retryAfterSeconds: number;
}

export const DEVICE_HTTP_DEFAULTS: DeviceHttpSettings = { payloadBytesMax: 65_536, retryAfterSeconds: 1 };

export interface DeviceHttpOptions {
  readonly settings: DeviceHttpSettings;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly secrets: Secrets;
  /** Counts wrong tokens; without it they are not counted. */
  readonly guard?: TokenGuard;
  /** Where a request comes from; `env` is what came with it to `fetch`. */
  readonly addressOf?: (env: unknown, request: Request) => string;
  readonly clock: Clock;
  readonly log: Log;
}

/** ThingsBoard's error codes that are used here (facts 3.2). */
const ErrorCode = { general: 2, badRequest: 31, notFound: 32, tooManyRequests: 33 };

/** The routes under `/api/v1`, to be mounted at the root of an app. */
export function createDeviceHttpApi(options: DeviceHttpOptions): Hono {
  const { settings, guard = openGuard, addressOf = () => 'unknown', clock, log } = options;
  const claiming = createClaiming(options.devices, options.directory, options.secrets);

  const envelope = (
    c: Context,
    status: ContentfulStatusCode,
    errorCode: number,
    message: string,
    more: object = {},
  ) => c.json({ status, message, errorCode, timestamp: clock.now(), ...more }, status);

  // Without a length the answer would be sent chunked, which small HTTP clients on devices do not read.
  const empty = (c: Context, status: 200 | 401) => c.body(null, status, { 'Content-Length': '0' });
  const unauthorized = (c: Context) => empty(c, 401);

  const unavailable = (c: Context) => {
    c.header('Retry-After', String(settings.retryAfterSeconds));
    return envelope(c, 503, ErrorCode.general, 'The server can not answer just now, try again');
  };

  const tooMany = (c: Context, message: string, retryAfterMs: number, more: object = {}) => {
    c.header('Retry-After', String(Math.ceil(retryAfterMs / 1000)));
    return envelope(c, 429, ErrorCode.tooManyRequests, message, more);
  };

  const tooLarge = (c: Context) =>
    c.json(`Payload size exceeds the limit of ${settings.payloadBytesMax} bytes`, 413);

  const answer = (c: Context, outcome: ClaimOutcome) => {
    switch (outcome.type) {
      case 'opened':
        return empty(c, 200);
      case 'refused': {
        const { reason, maxDurationMs, retryAfterMs } = outcome;
        if (retryAfterMs !== undefined) return tooMany(c, refusalInWords(outcome), retryAfterMs, { reason });
        return envelope(c, 409, ErrorCode.badRequest, refusalInWords(outcome), { reason, maxDurationMs });
      }
      case 'malformed':
        return envelope(c, 400, ErrorCode.badRequest, outcome.why);
      case 'revoked':
        return unauthorized(c);
      case 'unavailable':
        return unavailable(c);
      default:
        return outcome satisfies never;
    }
  };

  const app = new Hono();

  app.post('/api/v1/:token/claim', async (c) => {
    if (Number(c.req.header('content-length') ?? 0) > settings.payloadBytesMax) return tooLarge(c);

    let admission: Admission;
    try {
      const from = addressOf(c.env, c.req.raw);
      admission = await guard.admit(from, () => claiming.authenticate(c.req.param('token')));
    } catch (error) {
      log.warn({ err: error }, 'device http api: a device could not be looked up');
      return unavailable(c);
    }
    if (admission.type === 'unknown') return unauthorized(c);
    if (admission.type === 'blocked') return tooMany(c, 'Too many wrong tokens', admission.retryAfterMs);
    const { device } = admission;

    const body = await readBody(c.req.raw, settings.payloadBytesMax);
    if (body === 'too-large') return tooLarge(c);
    if (body === 'broken-off') return answer(c, { type: 'malformed', why: 'the body broke off' });
    const request = parseClaimPayload(body);
    return answer(c, request.type === 'malformed' ? request : await claiming.initiate(device, request));
  });

  app.all('/api/v1/:token/claim', (c) => {
    c.header('Allow', 'POST');
    return envelope(c, 405, ErrorCode.badRequest, `Request method '${c.req.method}' is not supported`);
  });

  app.all('/api/v1/*', (c) => envelope(c, 404, ErrorCode.notFound, 'No such feature of the device API'));

  return app;
}

/** Reads a body to its end, or until it is too large, whether or not it came with a Content-Length. */
async function readBody(request: Request, bytesMax: number): Promise<Buffer | 'too-large' | 'broken-off'> {
  try {
    // With a Content-Length, which was checked, the server hands out no more than that, and in one piece.
    if (request.headers.has('content-length'))
      return bounded([new Uint8Array(await request.arrayBuffer())], bytesMax);
    return request.body === null ? Buffer.alloc(0) : await readStream(request.body, bytesMax);
  } catch {
    return 'broken-off';
  }
}

async function readStream(stream: ReadableStream<Uint8Array>, bytesMax: number) {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bytesMax) break; // which cancels the stream: the rest is not kept
  }
  return bounded(chunks, bytesMax);
}

function bounded(chunks: readonly Uint8Array[], bytesMax: number): Buffer | 'too-large' {
  const body = Buffer.concat(chunks);
  return body.length > bytesMax ? 'too-large' : body;
}
