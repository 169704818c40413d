/**
 * What an operator decides about ownership: what changes hands with a device, and what may change its owner. The server
 * has defaults for all of it (options `security.claim.*`), and a device's profile may say otherwise for each.
 *
 * The defaults are ThingsBoard's ways, except where those let somebody claim what is not his (`gatewayScope`).
 */

export interface OwnershipRules {
  /** What becomes of a device's credentials when its owner changes (O9). */
  readonly onOwnerChange: (typeof ON_OWNER_CHANGE)[number];
  /** `rotate`: for how long the old credentials may still fetch the new ones, in ms. */
  readonly rotationGraceMs: number;
  /** Whether a customer may become the owner of a device that another customer owns. */
  readonly takeOver: (typeof TAKE_OVER)[number];
  /** `after-notice`: for how long the owner may object, in ms. */
  readonly takeOverNoticeMs: number;
  /** What a take-over has to show. */
  readonly takeOverRequires: (typeof TAKE_OVER_REQUIRES)[number];
  /** What a factory reset, told by the device itself, does. */
  readonly deviceReset: (typeof DEVICE_RESET)[number];
  /** Whether a device proves with its own key that the customer is in touch with it. */
  readonly claimProof: (typeof CLAIM_PROOF)[number];
  /** For which devices a gateway that a customer owns may speak (O8). `tenant`: for all, as in ThingsBoard. */
  readonly gatewayScope: (typeof GATEWAY_SCOPE)[number];
  /** Whether an owner may hand its device over to another customer (H5). */
  readonly transfer: (typeof TRANSFER)[number];
  /** The shortest secret with which a device may be claimed, in characters; 0: none is needed, as in ThingsBoard. */
  readonly minSecretLength: number;
}

export const ON_OWNER_CHANGE = ['keep', 'rotate', 'quarantine'] as const;
export const TAKE_OVER = ['never', 'after-notice', 'at-once'] as const;
export const TAKE_OVER_REQUIRES = ['device-window', 'proof'] as const;
export const DEVICE_RESET = ['off', 'release', 'release-and-open'] as const;
export const CLAIM_PROOF = ['none', 'optional', 'required'] as const;
export const TRANSFER = ['never', 'by-owner'] as const;
export const GATEWAY_SCOPE = ['own', 'tenant'] as const;

const DAY_MS = 86_400_000;

/** The longest `rotationGraceMs`. */
export const ROTATION_GRACE_MAX_MS = 366 * DAY_MS;
/** The longest `takeOverNoticeMs`. */
export const TAKE_OVER_NOTICE_MAX_MS = 3 * DAY_MS;
/** The largest `minSecretLength`. */
export const MIN_SECRET_LENGTH_MAX = 64;

/** How many characters a secret has, as far as any rule asks: counted up to `MIN_SECRET_LENGTH_MAX`. */
export function secretLengthOf(secret: string): number {
  let length = 0;
  for (const _ of secret) {
    length += 1; // characters, not UTF-16 units
    if (length === MIN_SECRET_LENGTH_MAX) break;
  }
  return length;
}

/** Whether a take-over has to show a proof: where a claim of what nobody owns needs one, it does too. */
export function takeOverNeedsProof({ takeOverRequires, claimProof }: OwnershipRules): boolean {
  return takeOverRequires === 'proof' || claimProof === 'required';
}

export const DEFAULT_OWNERSHIP_RULES: OwnershipRules = {
  onOwnerChange: 'keep',
  rotationGraceMs: 7 * DAY_MS,
  takeOver: 'never',
  takeOverNoticeMs: DAY_MS,
  takeOverRequires: 'device-window',
  deviceReset: 'off',
  claimProof: 'optional',
  gatewayScope: 'own',
  transfer: 'by-owner',
  minSecretLength: 0,
};
