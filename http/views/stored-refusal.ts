/** A device's refusal as rows of batches are stored with it. A newer version may have stored one that is not known here. */
import { z } from 'zod';
import type { Refusal } from '../../actors/device/messages.ts';

const bare = <Code extends string>(reason: Code) => z.object({ reason: z.literal(reason) });

/** `gateway-unchecked` and `consent-needed` never leave the port to devices: no row has them. */
const refusal = z.discriminatedUnion('reason', [
  bare('unknown-device'),
  bare('already-provisioned'),
  bare('credentials-revoked'),
  bare('not-behind-gateway'),
  bare('credentials-superseded'),
  bare('already-claimed'),
  bare('claiming-not-allowed'),
  bare('superseded'),
  bare('duration-out-of-range'),
  bare('reset-not-allowed'),
  bare('reset-repeated'),
  bare('take-over-pending'),
  bare('no-window'),
  bare('window-elapsed'),
  bare('wrong-secret'),
  bare('proof-required'),
  bare('wrong-proof'),
  bare('proof-outdated'),
  bare('proof-not-possible'),
  bare('window-pending'),
  bare('window-replaced'),
  bare('not-owner'),
  bare('not-assigned'),
  bare('epoch-changed'),
  bare('no-offer'),
  bare('offer-elapsed'),
  bare('transfer-taken'),
  bare('description-changed'),
  bare('name-taken'),
  bare('credentials-taken'),
  z.object({ reason: z.literal('too-many-devices'), of: z.enum(['tenant', 'gateway']), max: z.number() }),
  z.object({ reason: z.literal('duration-too-long'), maxDurationMs: z.number() }),
  z.object({ reason: z.literal('secret-too-short'), minSecretLength: z.number() }),
  z.object({ reason: z.literal('rate-limited'), retryAfterMs: z.number() }),
  z.object({
    reason: z.literal('policy-refused'),
    policyReason: z.string(),
    policyMessage: z.string().nullable(),
  }),
  z.object({ reason: z.literal('attributes-too-large'), maxBytes: z.number() }),
  z.object({
    reason: z.literal('steering-attribute-malformed'),
    fault: z.enum([
      'allowed-not-boolean',
      'wrong-scope',
      'expiry-in-seconds',
      'expiry-past',
      'key-malformed',
    ]),
  }),
  z.object({ reason: z.literal('token-too-short'), minTokenLength: z.number() }),
]);

/** Undefined: it is none that this version knows. */
export const refusalOf = (stored: unknown): Refusal | undefined => refusal.safeParse(stored).data;
