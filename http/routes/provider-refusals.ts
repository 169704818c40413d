/** Why nobody was signed in by an identity provider, as the API says it; and how much of an attempt is read. */
import { unreachable } from '../../actors/base/unreachable.ts';
import type { SignInReason } from '../../actors/providers/model.ts';
import type { CompletionReason } from '../auth/provider-sign-in.ts';
import { badRequest, ErrorCode, tooManyRequests } from '../wire/errors.ts';
import type { Problem } from '../wire/reply.ts';

export const ATTEMPT_MAX = 4_096;
export const ANSWER_MAX = 8_192;
const DAY_MS = 86_400_000;

export function refusedSignIn(why: CompletionReason | SignInReason): Problem {
  const problem = (status: number, errorCode: number, message: string): Problem => ({
    type: 'problem',
    status,
    errorCode,
    message,
  });
  switch (why) {
    case 'attempt-lost':
      return badRequest('This sign-in took too long, or was begun elsewhere. Please begin again!');
    case 'denied':
      return badRequest('The sign-in was broken off at the provider.');
    case 'provider-away':
      return problem(502, ErrorCode.GENERAL, 'The provider does not answer. Please try again in a moment.');
    case 'provider-wrong':
      return problem(502, ErrorCode.GENERAL, 'What the provider answered does not hold. Please begin again.');
    case 'user-unknown':
      return problem(403, ErrorCode.PERMISSION_DENIED, 'You have no account here. Ask your administrator.');
    case 'email-not-verified':
      return problem(
        403,
        ErrorCode.PERMISSION_DENIED,
        'The provider has not checked your e-mail address. Confirm it there, then sign in again.',
      );
    case 'email-unproven':
      return problem(
        403,
        ErrorCode.PERMISSION_DENIED,
        'There is an account with your address, and nobody has checked that it is yours. Choose “Forgot your password?” once and set a new one by the mail, or ask your administrator. Then sign in here again.',
      );
    case 'user-not-below':
      return problem(403, ErrorCode.PERMISSION_DENIED, 'Your account cannot sign in by this provider.');
    case 'user-disabled':
      return problem(403, ErrorCode.PERMISSION_DENIED, 'User account is not active');
    case 'too-many-sign-ups':
      return tooManyRequests('Too many have signed up, try again later', DAY_MS);
    default:
      return unreachable(why);
  }
}
