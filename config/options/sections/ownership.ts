/** What changes hands with a device, and what may change its owner; a device profile may say otherwise for each. */
import {
  OWNERSHIP_CHOICES as CHOICES,
  DEFAULT_OWNERSHIP_RULES as DEFAULTS,
  type OwnershipRules,
} from '../../../actors/device/ownership-rules.ts';
import { choice, count, integer, section } from './declare.ts';

export const ownership = section('Ownership', {
  onOwnerChange: choice({
    key: 'security.claim.onOwnerChange',
    env: 'SECURITY_CLAIM_ON_OWNER_CHANGE',
    choices: CHOICES.onOwnerChange,
    default: DEFAULTS.onOwnerChange,
    why: "What becomes of a device's credentials when its owner changes: they stay (as in ThingsBoard), the device gets new ones, or a window that is opened with the old ones waits for the tenant.",
  }),
  rotationGraceMs: integer({
    key: 'security.claim.rotationGrace',
    env: 'SECURITY_CLAIM_ROTATION_GRACE',
    unit: 'ms',
    default: DEFAULTS.rotationGraceMs,
    ...CHOICES.rotationGraceMs,
    why: 'With onOwnerChange=rotate: for how long the old credentials of a device can still fetch the new ones. A device that is offline longer needs the tenant.',
  }),
  takeOver: choice({
    key: 'security.claim.takeOver',
    env: 'SECURITY_CLAIM_TAKE_OVER',
    choices: CHOICES.takeOver,
    default: DEFAULTS.takeOver,
    why: 'Whether a customer may claim a device that another customer owns: never (as in ThingsBoard), after a time in which the owner can object, or at once. With onOwnerChange=keep a former owner who has copied the credentials of a device takes it back by a window.',
  }),
  takeOverNoticeMs: integer({
    key: 'security.claim.takeOverNotice',
    env: 'SECURITY_CLAIM_TAKE_OVER_NOTICE',
    unit: 'ms',
    default: DEFAULTS.takeOverNoticeMs,
    ...CHOICES.takeOverNoticeMs,
    why: 'With takeOver=after-notice: for how long the owner can object.',
  }),
  takeOverRequires: choice({
    key: 'security.claim.takeOverRequires',
    env: 'SECURITY_CLAIM_TAKE_OVER_REQUIRES',
    choices: CHOICES.takeOverRequires,
    default: DEFAULTS.takeOverRequires,
    why: 'What a take-over has to show: a window that the device itself has opened, or a proof of possession.',
  }),
  deviceReset: choice({
    key: 'security.claim.deviceReset',
    env: 'SECURITY_CLAIM_DEVICE_RESET',
    choices: CHOICES.deviceReset,
    default: DEFAULTS.deviceReset,
    why: 'What a device does that reports its factory reset ("reset": true on the claim topic): nothing, it leaves its owner, or it leaves its owner and opens a claim window.',
  }),
  claimProof: choice({
    key: 'security.claim.proof',
    env: 'SECURITY_CLAIM_PROOF',
    choices: CHOICES.claimProof,
    default: DEFAULTS.claimProof,
    why: 'Whether a device can be claimed with a proof of possession: never, also, or only so.',
  }),
  gatewayScope: choice({
    key: 'security.claim.gatewayScope',
    env: 'SECURITY_CLAIM_GATEWAY_SCOPE',
    choices: CHOICES.gatewayScope,
    default: DEFAULTS.gatewayScope,
    why: 'For which devices a gateway may speak that a customer owns: those that it brought up itself or that its owner owns, or all of the tenant (as in ThingsBoard).',
  }),
  transfer: choice({
    key: 'security.claim.transfer',
    env: 'SECURITY_CLAIM_TRANSFER',
    choices: CHOICES.transfer,
    default: DEFAULTS.transfer,
    why: 'Whether an owner may hand its device over to another customer, who accepts it. Set never where devices are rented: a device that the tenant has assigned can be handed over too.',
  }),
  minSecretLength: count({
    key: 'security.claim.minSecretLength',
    env: 'SECURITY_CLAIM_MIN_SECRET_LENGTH',
    default: DEFAULTS.minSecretLength,
    ...CHOICES.minSecretLength,
    why: 'Shortest secret with which a device may be claimed, in characters. 0: none is needed, as in ThingsBoard.',
  }),
} satisfies { readonly [Rule in keyof OwnershipRules]: unknown });
