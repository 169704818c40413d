/**
 * Why something is refused: every code there is, what it means, what to do, and who hears it. The codes are the same on
 * every door and stay as they are:
 *
 *   device HTTP API    `reason` in the body             MQTT 5    reason string `code: words`
 *   REST API           `reason` in the body, header     MQTT      `reason` on the response topics
 *                      Refusal-Reason; beside FAILURE   CoAP      diagnostic payload
 *                      and CLAIMED Claim-Refusal
 *
 * They are told to who is entitled: a device what concerns itself, a gateway what concerns the devices behind it, a
 * customer what concerns a claim or its own devices, the tenant everything. A stranger hears the same whatever the truth:
 * `not-found`, or 401 without a reason. A new refusal does not compile until it is here; the tables in http/README.md and
 * transports/README.md are made from this (`node dist/test/wire/write-readme.js`).
 */
import type { AccountRefusal } from '../accounts/model.ts';
import type { RefusalReason } from '../device/messages.ts';
import type { KitReason } from '../kits/model.ts';

/** Told at an edge: no device was asked. */
export type EdgeReason =
  | 'malformed'
  | 'name-not-visible'
  | 'too-many-wrong-tokens'
  | 'too-many-wrong-secrets'
  | 'too-many-wrong-codes'
  | 'already-yours'
  | 'permission-denied';

export type ReasonCode = RefusalReason | AccountRefusal['reason'] | KitReason | EdgeReason;

export type Audience = 'device' | 'gateway' | 'customer' | 'tenant';

export interface Reason {
  /** What is so. */
  readonly words: string;
  /** What whoever hears it can do. */
  readonly remedy: string;
  /** Empty: nobody; a stranger's answer stands for it. */
  readonly heardBy: readonly Audience[];
}

const ALL: readonly Audience[] = ['device', 'gateway', 'customer', 'tenant'];
const THOSE_WHO_OPEN: readonly Audience[] = ['device', 'gateway'];
const PEOPLE: readonly Audience[] = ['customer', 'tenant'];

export const REASONS: { readonly [Code in ReasonCode]: Reason } = {
  // ------------------------------------------------------------------------------------------------------- devices
  'already-claimed': {
    words: 'the device already has an owner',
    remedy: 'stop asking; the owner has to give it back first',
    heardBy: ALL,
  },
  'already-yours': {
    words: 'you own the device already',
    remedy: 'nothing is left to do',
    heardBy: ['customer'],
  },
  'claiming-not-allowed': {
    words: 'claiming is not allowed for this device',
    remedy: 'the tenant forbids it; ask again after a while, or when a person presses the button again',
    heardBy: ALL,
  },
  'duration-too-long': {
    words: 'durationMs is above the limit',
    remedy: 'ask for at most `maxDurationMs`',
    heardBy: THOSE_WHO_OPEN,
  },
  'duration-out-of-range': {
    words: 'durationMs reaches beyond the end of time',
    remedy: 'a bug in the firmware; told as `malformed`',
    heardBy: [],
  },
  superseded: {
    words: 'a newer message of the device has opened a window since',
    remedy: 'nothing; the newer window stands',
    heardBy: THOSE_WHO_OPEN,
  },
  'secret-too-short': {
    words: 'secretKey is too short',
    remedy: 'the secret should have `minSecretLength` characters',
    heardBy: ['device', 'gateway', 'tenant'],
  },
  'take-over-pending': {
    words: 'somebody has asked to take the device over',
    remedy: 'wait: its owner may object; who asked hears it until it has happened',
    heardBy: ['device', 'customer'],
  },
  'reset-not-allowed': {
    words: 'a reset does not end the ownership of this device',
    remedy:
      'send the message without `reset`; its profile says what a reset does (`deviceReset`), and a gateway cannot reset',
    heardBy: THOSE_WHO_OPEN,
  },
  'reset-repeated': {
    words: 'the message may be an old one (MQTT: DUP), and the device was reset before',
    remedy: 'send it again as a new message, if it still holds',
    heardBy: ['device'],
  },
  'rate-limited': {
    words: 'too many claim windows of this device, or a reset within an hour of the last',
    remedy: 'wait `retryAfterMs`',
    heardBy: THOSE_WHO_OPEN,
  },
  malformed: {
    words: 'the message cannot be read',
    remedy: 'a bug in the sender: the words behind the code say which field',
    heardBy: THOSE_WHO_OPEN,
  },
  'name-not-visible': {
    words: 'the name or the type has characters that nobody can see, or that turn the direction',
    remedy: 'send the name without them; the tenant cannot create such a device either',
    heardBy: ['gateway'],
  },
  'too-many-wrong-tokens': {
    words: 'too many wrong tokens came from this address',
    remedy: 'wait as long as the answer says, and check the token',
    heardBy: ['device'],
  },
  'credentials-revoked': {
    words: 'the credentials are no longer the device’s',
    remedy: 'connect with the present ones; told as 401, or the connection is closed',
    heardBy: [],
  },
  'credentials-superseded': {
    words: 'the credentials do nothing any more but fetch those that replace them',
    remedy:
      'fetch the new ones (`GET /api/v1/{deviceToken}/claim/credentials`), store them, and connect with them',
    heardBy: ['device'],
  },
  'not-behind-gateway': {
    words: 'the gateway does not speak for this device',
    remedy: 'let the device open its window itself, or the tenant widen `gatewayScope`',
    heardBy: ['gateway'],
  },
  'unknown-device': {
    words: 'there is no such device, and the gateway may not create any',
    remedy: 'the tenant has to create it; people hear `not-found`',
    heardBy: ['gateway'],
  },
  'too-many-devices': {
    words: 'there are as many devices as there may be',
    remedy: 'delete some, or raise `quota.devicesPerGateway` or `quota.devicesPerTenant`',
    heardBy: ['gateway', 'tenant'],
  },
  'gateway-unchecked': {
    words: 'the gateway is to be looked up first',
    remedy: 'never leaves the server',
    heardBy: [],
  },
  // -------------------------------------------------------------------------------------------------- a claim's end
  'wrong-secret': {
    words: 'the secret opens nothing',
    remedy: 'check the secret; `Claim-Attempts-Left` says how many more tries there are for now',
    heardBy: ['customer'],
  },
  'no-window': {
    words: 'the device has no open claim window',
    remedy: 'switch the device on, or press its button',
    heardBy: ['customer'],
  },
  'window-elapsed': {
    words: 'the claim window has elapsed',
    remedy: 'too late: press the button again',
    heardBy: ['customer'],
  },
  'window-pending': {
    words: 'the secret is right, and the claim window waits for the tenant’s approval',
    remedy: 'ask the tenant to approve the window, then claim again',
    heardBy: ['customer'],
  },
  'window-replaced': {
    words: 'another claim window waits for approval by now',
    remedy: 'look at the device again, and approve the window that is there',
    heardBy: ['tenant'],
  },
  'policy-refused': {
    words: 'the operator’s policy does not allow this claim',
    remedy: 'ask whoever runs the service; `Claim-Policy-Reason` and `Claim-Policy-Message` say why',
    heardBy: ['customer'],
  },
  'consent-needed': {
    words: 'the operator’s policy is to be asked first',
    remedy: 'never leaves the server',
    heardBy: [],
  },
  'proof-required': {
    words: 'the device is claimed by a proof of possession only',
    remedy: 'get a challenge, let the device sign it, and show what it signed',
    heardBy: ['customer'],
  },
  'wrong-proof': {
    words: 'the device has not signed this, for this server and this customer',
    remedy: 'get another challenge and let the device sign it',
    heardBy: ['customer'],
  },
  'proof-outdated': {
    words: 'the proof or its challenge is too old',
    remedy: 'get another challenge and let the device sign it',
    heardBy: ['customer'],
  },
  'proof-not-possible': {
    words: 'the device takes no proof of possession',
    remedy: 'claim it with its secret',
    heardBy: ['customer'],
  },
  'too-many-wrong-secrets': {
    words: 'too many wrong secrets',
    remedy: 'wait `Retry-After` seconds; others can still claim',
    heardBy: ['customer'],
  },
  // ---------------------------------------------------------------------------------------------------------- kits
  'kit-unknown': {
    words: 'there is no kit with this code',
    remedy: 'check the code on the box, letter by letter',
    heardBy: PEOPLE,
  },
  'kit-expired': {
    words: 'the code has expired',
    remedy: 'ask the supplier for another',
    heardBy: ['customer'],
  },
  'kit-revoked': {
    words: 'the kit is revoked',
    remedy: 'ask the supplier for another',
    heardBy: PEOPLE,
  },
  'kit-claimed': {
    words: 'somebody has claimed the kit already',
    remedy: 'a kit is claimed once; ask the supplier',
    heardBy: PEOPLE,
  },
  'kit-too-large': {
    words: 'a kit has at most 1000 devices',
    remedy: 'make several',
    heardBy: ['tenant'],
  },
  'kit-empty': {
    words: 'a kit needs at least one device',
    remedy: 'name the devices; of a kit that is split, both parts keep some',
    heardBy: ['tenant'],
  },
  'kit-not-over': {
    words: 'the kit is still open, or its devices are still being claimed',
    remedy: 'revoke it first, or wait until all its devices have their outcome',
    heardBy: ['tenant'],
  },
  'too-many-kits': {
    words: 'there are as many kits as there may be',
    remedy: 'delete those that are over, or put more devices into each',
    heardBy: ['tenant'],
  },
  'too-many-wrong-codes': {
    words: 'too many wrong codes',
    remedy: 'wait `Retry-After` seconds',
    heardBy: ['customer'],
  },
  // -------------------------------------------------------------------------------------------- owning and managing
  'not-owner': {
    words: 'it takes the owner of the device, or the tenant',
    remedy: 'claim the device first, or ask the tenant',
    heardBy: ['customer'],
  },
  'permission-denied': {
    words: 'the role or the API key does not reach so far',
    remedy: 'ask somebody who may',
    heardBy: PEOPLE,
  },
  'not-assigned': {
    words: 'the device is not assigned to that customer',
    remedy: 'nothing is left to do',
    heardBy: ['tenant'],
  },
  'epoch-changed': {
    words: 'the owner has changed since the epoch in If-Match',
    remedy: 'read the device again and decide anew',
    heardBy: PEOPLE,
  },
  'no-offer': {
    words: 'there is no such offer, or it is for somebody else',
    remedy: 'told as `not-found`',
    heardBy: [],
  },
  'offer-elapsed': {
    words: 'the offer has ended',
    remedy: 'ask the owner for another',
    heardBy: ['customer'],
  },
  'transfer-taken': {
    words: 'another offer has this id',
    remedy: 'never leaves the server',
    heardBy: [],
  },
  'description-changed': {
    words: 'the description of the device was changed meanwhile',
    remedy: 'never leaves the server; a batch says of the device that it was left alone',
    heardBy: [],
  },
  'already-provisioned': {
    words: 'there is a device with this id',
    remedy: 'ids are made by the server; imports take it for done',
    heardBy: [],
  },
  'name-taken': {
    words: 'another device of the tenant has this name',
    remedy: 'choose another name; a gateway may have brought it up',
    heardBy: PEOPLE,
  },
  'credentials-taken': {
    words: 'another device has these credentials',
    remedy: 'choose others',
    heardBy: ['tenant'],
  },
  'token-too-short': {
    words: 'the access token is too short',
    remedy: 'choose one of at least `security.credentials.min_token_length` characters, or let one be drawn',
    heardBy: ['tenant'],
  },
  'attributes-too-large': {
    words: 'the attributes of a device may not be that large together',
    remedy: 'delete some, or raise `security.claim.maxAttributeBytes`',
    heardBy: PEOPLE,
  },
  'steering-attribute-malformed': {
    words: 'the attribute would steer nothing with this value or in this scope',
    remedy: 'the message says what is wrong with it',
    heardBy: ['tenant'],
  },
  // -------------------------------------------------------------------------------------------------------- people
  'not-found': {
    words: 'there is none, or it is not yours to see',
    remedy: 'check the id or the name',
    heardBy: PEOPLE,
  },
  'title-taken': { words: 'the title is taken', remedy: 'choose another', heardBy: ['tenant'] },
  'email-taken': { words: 'the address is taken', remedy: 'choose another', heardBy: PEOPLE },
  'email-malformed': { words: 'that is no e-mail address', remedy: 'check it', heardBy: PEOPLE },
  'password-too-short': {
    words: 'the password is too short',
    remedy: 'choose a longer one',
    heardBy: PEOPLE,
  },
  'password-too-long': { words: 'the password is too long', remedy: 'choose a shorter one', heardBy: PEOPLE },
  'password-well-known': {
    words: 'everybody knows or guesses the password',
    remedy: 'choose another',
    heardBy: PEOPLE,
  },
  'password-made-of-names': {
    words: 'the password is made of names that are known',
    remedy: 'choose another',
    heardBy: PEOPLE,
  },
  'version-conflict': {
    words: 'somebody has changed it since it was read',
    remedy: 'read it again',
    heardBy: PEOPLE,
  },
  'already-activated': { words: 'the user is active already', remedy: 'log in', heardBy: PEOPLE },
  'not-activated': {
    words: 'the user is not active yet',
    remedy: 'follow the activation link',
    heardBy: PEOPLE,
  },
  'activation-token-invalid': {
    words: 'the link is used or too old',
    remedy: 'ask for another',
    heardBy: PEOPLE,
  },
  'reset-token-invalid': {
    words: 'the link is used, or a newer one was asked for',
    remedy: 'ask for another',
    heardBy: PEOPLE,
  },
  'reset-token-expired': { words: 'the link is too old', remedy: 'ask for another', heardBy: PEOPLE },
  'password-unchanged': { words: 'the password is the old one', remedy: 'choose another', heardBy: PEOPLE },
};

/** A code with words for a person behind it, where a door has one text for both. */
export function toldAs(code: ReasonCode, words = REASONS[code].words): string {
  return `${code}: ${words}`;
}
