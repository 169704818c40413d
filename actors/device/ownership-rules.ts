/**
 * What an operator decides about ownership: what changes hands with a device, and what may change its owner. The server
 * has defaults for all of it (options `security.claim.*`), and a device's profile may say otherwise for each.
 *
 * The defaults are ThingsBoard's ways, except where those let somebody claim what is not his (`gatewayScope`).
 */

const DAY_MS = 86_400_000;

/** What each rule may be: one of some words, or a whole number within bounds. The options and the profiles are made from it. */
export const OWNERSHIP_CHOICES = {
  onOwnerChange: ['keep', 'rotate', 'quarantine'],
  rotationGraceMs: { min: 1000, max: 366 * DAY_MS },
  takeOver: ['never', 'after-notice', 'at-once'],
  takeOverNoticeMs: { min: 1000, max: 3 * DAY_MS },
  takeOverRequires: ['device-window', 'proof'],
  deviceReset: ['off', 'release', 'release-and-open'],
  claimProof: ['none', 'optional', 'required'],
  gatewayScope: ['own', 'tenant'],
  transfer: ['never', 'by-owner'],
  minSecretLength: { min: 0, max: 64 },
} as const satisfies {
  readonly [Rule in keyof OwnershipRules]: readonly string[] | { readonly min: number; readonly max: number };
};

type Choices = typeof OWNERSHIP_CHOICES;

export interface OwnershipRules {
  /** What becomes of a device's credentials when its owner changes (O9). */
  readonly onOwnerChange: Choices['onOwnerChange'][number];
  /** `rotate`: for how long the old credentials may still fetch the new ones, in ms. */
  readonly rotationGraceMs: number;
  /** Whether a customer may become the owner of a device that another customer owns. */
  readonly takeOver: Choices['takeOver'][number];
  /** `after-notice`: for how long the owner may object, in ms. */
  readonly takeOverNoticeMs: number;
  /** What a take-over has to show. */
  readonly takeOverRequires: Choices['takeOverRequires'][number];
  /** What a factory reset, told by the device itself, does. */
  readonly deviceReset: Choices['deviceReset'][number];
  /** Whether a device proves with its own key that the customer is in touch with it. */
  readonly claimProof: Choices['claimProof'][number];
  /** For which devices a gateway that a customer owns may speak (O8). `tenant`: for all, as in ThingsBoard. */
  readonly gatewayScope: Choices['gatewayScope'][number];
  /** Whether an owner may hand its device over to another customer (H5). */
  readonly transfer: Choices['transfer'][number];
  /** The shortest secret with which a device may be claimed, in characters; 0: none is needed, as in ThingsBoard. */
  readonly minSecretLength: number;
}

/** How many characters a secret has, as far as any rule asks: counted up to the largest `minSecretLength`. */
export function secretLengthOf(secret: string): number {
  let length = 0;
  for (const _ of secret) {
    length += 1; // characters, not UTF-16 units
    if (length === OWNERSHIP_CHOICES.minSecretLength.max) break;
  }
  return length;
}

/** Whether a take-over has to show a proof: where a claim of what nobody owns needs one, it does too. */
export function takeOverNeedsProof({ takeOverRequires, claimProof }: OwnershipRules): boolean {
  return takeOverRequires === 'proof' || claimProof === 'required';
}

/** Whether a device that somebody owns may open a window, for somebody to take it over (O2). */
export function mayOpenWhileOwned(rules: OwnershipRules): boolean {
  return rules.takeOver !== 'never' && !takeOverNeedsProof(rules);
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
