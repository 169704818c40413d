/**
 * From what went wrong to the answer: status, ThingsBoard's error code, and a sentence without secrets. The switches
 * are exhaustive: a new refusal does not compile until it is here.
 */

import type { AccountAnswer, AccountRefusal } from '../../actors/accounts/accounts.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { REASONS, type ReasonCode } from '../../actors/claiming/reasons.ts';
import type { Refusal, SteeringFault } from '../../actors/device/messages.ts';
import type { KitReason } from '../../actors/kits/model.ts';
import type { Unavailable } from '../../actors/runtime/decider.ts';
import type { Problem, ProblemFields } from './reply.ts';

/** ThingsBoard's error codes. */
export const ErrorCode = {
  GENERAL: 2,
  AUTHENTICATION: 10,
  JWT_TOKEN_EXPIRED: 11,
  PERMISSION_DENIED: 20,
  BAD_REQUEST_PARAMS: 31,
  ITEM_NOT_FOUND: 32,
  TOO_MANY_REQUESTS: 33,
  VERSION_CONFLICT: 35,
} as const;

function problem(status: number, errorCode: number, message: string, more?: ProblemFields): Problem {
  return { type: 'problem', status, errorCode, message, ...(more === undefined ? {} : { more }) };
}

export const badRequest = (message: string) => problem(400, ErrorCode.BAD_REQUEST_PARAMS, message);
/** Of a tenant that has used its bytes up (`quota.bytesPerTenant`). */
export const storedTooMuch = badRequest(
  'This account has stored as much as it may! Ask whoever runs this server for more.',
);
export const malformedJson = badRequest('Invalid JSON');

export const notAuthenticated = problem(401, ErrorCode.AUTHENTICATION, 'Authentication failed');
export const badCredentials = problem(401, ErrorCode.AUTHENTICATION, 'Invalid username or password');
export const accountNotActive = problem(401, ErrorCode.AUTHENTICATION, 'User account is not active');
export const tokenExpired = problem(401, ErrorCode.JWT_TOKEN_EXPIRED, 'Token has expired');

export const permissionDenied: Problem = {
  ...problem(403, ErrorCode.PERMISSION_DENIED, "You don't have permission to perform this operation!"),
  reason: 'permission-denied',
};
export const credentialsAreTenants: Problem = {
  ...permissionDenied,
  message:
    'Only the tenant administrator may read the credentials of a device (security.claim.customersReadCredentials is off)!',
};
/** Also for entities of another tenant: for the caller they do not exist. */
export const notFound: Problem = {
  ...problem(404, ErrorCode.ITEM_NOT_FOUND, "Requested item wasn't found!"),
  reason: 'not-found',
};
export const versionConflict = (what: string): Problem => ({
  ...problem(409, ErrorCode.VERSION_CONFLICT, `${what} was already changed by someone else`),
  reason: 'version-conflict',
});
/** Two send rows of one import. */
export const rowsConflict = (why: string): Problem => problem(409, ErrorCode.VERSION_CONFLICT, why);
/** What a device sends cannot be read. */
export const malformedClaim = (why: string): Problem => ({ ...badRequest(why), reason: 'malformed' });
/** The condition of `If-Match` does not hold (RFC 9110 §13.1.1). */
const epochChanged = problem(
  412,
  ErrorCode.VERSION_CONFLICT,
  'The owner of the device has changed since the epoch in If-Match!',
);
/** Only who the offer was for hears this. */
const offerElapsed = problem(410, ErrorCode.ITEM_NOT_FOUND, 'The offer has ended: ask for another one!');
/** In the device HTTP API. */
export const noSuchFeature = problem(404, ErrorCode.ITEM_NOT_FOUND, 'No such feature of the device API');
export const methodNotAllowed = (method: string) =>
  problem(405, ErrorCode.BAD_REQUEST_PARAMS, `Request method '${method}' is not supported`);
export const internalError = problem(500, ErrorCode.GENERAL, 'Internal server error');

export function tooManyRequests(message: string, retryAfterMs: number, reason?: ReasonCode): Problem {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const told = problem(429, ErrorCode.TOO_MANY_REQUESTS, message);
  return { ...told, retryAfterSeconds, ...(reason === undefined ? {} : { reason }) };
}

const RETRY_UNAVAILABLE_SECONDS = 1;

/** As in draft-ietf-httpapi-idempotency-key-header §2.7. */
export const keyReused = problem(
  422,
  ErrorCode.BAD_REQUEST_PARAMS,
  'The Idempotency-Key was used for another request',
);

/** The store or this process cannot serve now; asking again is safe. */
export function unavailable(reason: Unavailable['reason']): Problem {
  const why: Record<Unavailable['reason'], string> = {
    overloaded: 'The server is overloaded, try again later',
    store: 'The store is not available, try again later',
    timeout: 'No answer in time, try again later',
    stopping: 'The server is about to stop, try again later',
    policy: 'Nobody can say just now whether this claim is allowed, try again later',
  };
  return { ...problem(503, ErrorCode.GENERAL, why[reason]), retryAfterSeconds: RETRY_UNAVAILABLE_SECONDS };
}

/** In the words of the device HTTP API. */
export function unavailableForDevice(retryAfterSeconds: number): Problem {
  const message = 'The server can not answer just now, try again';
  return { ...problem(503, ErrorCode.GENERAL, message), retryAfterSeconds };
}

/**
 * The device's claim window was not opened.
 * @param more fields for the device's program
 */
export const claimRefusedForDevice = (message: string, more: ProblemFields) =>
  problem(409, ErrorCode.BAD_REQUEST_PARAMS, message, more);
export const windowsLimited = (message: string, retryAfterMs: number, more: ProblemFields): Problem => ({
  ...tooManyRequests(message, retryAfterMs),
  more,
});

const STEERING_FAULTS: Record<SteeringFault, string> = {
  'allowed-not-boolean': 'claimingAllowed should be true or false, not a text or a number!',
  'wrong-scope': 'claimingAllowed, claimingData and claimPublicKey belong in SERVER_SCOPE!',
  'key-malformed': 'claimPublicKey should be a public JWK, P-256 or Ed25519!',
  'expiry-in-seconds': 'expirationTime of claimingData should be in milliseconds since 1970, not in seconds!',
  'expiry-past': 'expirationTime of claimingData is already past!',
};

export const malformedPublicKey = badRequest(STEERING_FAULTS['key-malformed']);

/** @param reason told to the tenant, or to who shows the code of that kit */
export function refusedKit(reason: KitReason): Problem {
  const told = reason === 'kit-unknown' ? notFound : badRequest(`${capitalised(REASONS[reason].words)}!`);
  return { ...told, reason };
}

function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/**
 * A device's refusal, where a route has nothing more specific to say. What a stranger may hear has no code of its own, so
 * that the truth cannot be told from it.
 */
export function refusedByDevice(refusal: Refusal): Problem {
  const { reason } = refusal;
  const heard = REASONS[reason].heardBy;
  const told = reason !== 'unknown-device' && heard.length > 0 && !FAILURES.has(reason);
  return told ? { ...problemOf(refusal), reason } : problemOf(refusal);
}

/** FAILURE says no more; why is in a header, for who may hear it (`claim-refusal.ts`). */
const FAILURES: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'no-window',
  'window-elapsed',
  'wrong-secret',
  'proof-required',
  'wrong-proof',
  'proof-outdated',
]);

function problemOf(refusal: Refusal): Problem {
  switch (refusal.reason) {
    case 'unknown-device':
      return notFound;
    case 'not-owner':
    case 'claiming-not-allowed':
      return permissionDenied;
    case 'credentials-revoked':
    case 'credentials-superseded':
      return badCredentials;
    case 'name-taken':
      return badRequest('Device with such name already exists!');
    case 'credentials-taken':
      return badRequest('Device credentials are already assigned to another device!');
    case 'description-changed':
      return badRequest('The description of the device was changed meanwhile!');
    case 'already-provisioned':
      return badRequest('Device with such id already exists!');
    case 'already-claimed':
      return badRequest('Device is already claimed!');
    case 'not-behind-gateway':
      return permissionDenied;
    case 'too-many-devices':
      return badRequest(`There may not be more than ${refusal.max} devices!`);
    case 'gateway-unchecked': // never leaves the port to devices
      return badRequest('Claiming failed!');
    case 'take-over-pending':
      return badRequest('Somebody has asked to take the device over already!');
    case 'reset-not-allowed':
    case 'reset-repeated':
      return badRequest('The device may not be reset!');
    case 'not-assigned':
      return badRequest("Device isn't assigned to any customer!");
    case 'attributes-too-large':
      return badRequest(`Attributes of a device may not take more than ${refusal.maxBytes} bytes!`);
    case 'steering-attribute-malformed':
      return badRequest(STEERING_FAULTS[refusal.fault]);
    case 'window-replaced':
      return badRequest('Another claim window waits for approval now!');
    case 'superseded':
      return badRequest('A newer message of the device has opened a claim window since!');
    case 'epoch-changed':
      return epochChanged;
    case 'rate-limited':
      return tooManyRequests('Too many changes of devices, try again later!', refusal.retryAfterMs);
    case 'duration-out-of-range':
      return badRequest('The duration is out of range!');
    case 'duration-too-long':
      return badRequest(`The duration may not be longer than ${refusal.maxDurationMs} ms!`);
    case 'no-offer':
      return notFound;
    case 'offer-elapsed':
      return offerElapsed;
    case 'transfer-taken':
      return unavailable('overloaded');
    case 'token-too-short':
      return badRequest(`The access token should have at least ${refusal.minTokenLength} characters!`);
    case 'secret-too-short':
      return badRequest(`secretKey should have at least ${refusal.minSecretLength} characters!`);
    case 'no-window':
    case 'window-elapsed':
    case 'wrong-secret':
    case 'policy-refused':
    case 'consent-needed': // never leaves the port to devices
    case 'proof-required':
    case 'wrong-proof':
    case 'proof-outdated':
    case 'window-pending':
      return badRequest('Claiming failed!');
    case 'proof-not-possible':
      return badRequest('This device takes no proof of possession!');
    default:
      return unreachable(refusal);
  }
}

/** @param what the kind of entity, for the message: `Customer`, `User`, … */
export function refusedByAccounts(refusal: AccountRefusal, what: string): Problem {
  return { ...accountProblemOf(refusal, what), reason: refusal.reason };
}

function accountProblemOf(refusal: AccountRefusal, what: string): Problem {
  switch (refusal.reason) {
    case 'not-found':
      return notFound;
    case 'title-taken':
      return badRequest(`${what} with such title already exists!`);
    case 'email-taken':
      return badRequest(`User with email '${refusal.email}' already present in database!`);
    case 'email-malformed':
      return badRequest(`Invalid email address format '${refusal.email}'!`);
    case 'password-too-short':
      return badRequest(`Password must be ${refusal.minLength} or more characters in length.`);
    case 'password-too-long':
      return badRequest(`Password must be no more than ${refusal.maxLength} characters in length.`);
    case 'password-well-known':
      return badRequest('Password is one of those that everybody knows or guesses. Choose another one.');
    case 'password-made-of-names':
      return badRequest('Password should be more than names of the product, the tenant and yourself.');
    case 'version-conflict':
      return versionConflict(what);
    case 'already-activated':
      return badRequest('User is already activated!');
    case 'not-activated':
      return badRequest('User is not activated!');
    case 'activation-token-invalid':
      return badRequest('Unable to find user credentials by activateToken!');
    case 'reset-token-invalid':
      return badRequest('Invalid reset token!');
    case 'reset-token-expired':
      return badRequest('Password reset token expired');
    case 'password-unchanged':
      return badRequest('New password should be different from existing!');
    default:
      return unreachable(refusal);
  }
}

/** The problem in an answer that is not `done`. */
export function accountProblem(
  answer: Exclude<AccountAnswer<unknown>, { type: 'done' }>,
  what: string,
): Problem {
  return answer.type === 'refused' ? refusedByAccounts(answer.refusal, what) : unavailable(answer.reason);
}
