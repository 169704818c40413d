/**
 * The values in the golden files of format 1, line by line: every kind of event and every shape of state. The files are
 * what is on disks out there: they are never changed, and a new format adds new ones.
 */

import type { ProfileId } from '../../../actors/base/ids.ts';
import type { DeviceEvent } from '../../../actors/device/device.ts';
import type { Credentials, Device, DeviceState } from '../../../actors/device/state.ts';
import {
  ADMIN,
  CUSTOMER,
  idOf,
  NOW,
  OTHER_CUSTOMER,
  OTHER_TOKEN,
  SECRET,
  TENANT,
  TO_ADDRESS,
  TO_CODE,
  TO_OTHER,
  TOKEN,
  TRANSFER,
  USER,
} from '../../kit/given.ts';

const serverKey = { secretDigest: SECRET, sealedSecret: 'c2VhbGVk', expiresAt: NOW + 3_600_000 };
const hardText = 'Ä/"\\\n\u0000\u2028\u{1f600}';

export const events: readonly DeviceEvent[] = [
  {
    type: 'DeviceProvisioned',
    at: NOW,
    tenantId: TENANT,
    name: 'Pump 1',
    deviceType: 'default',
    label: null,
    additionalInfo: null,
    credentials: TOKEN,
    customerId: null,
  },
  {
    type: 'DeviceProvisioned',
    at: NOW,
    tenantId: TENANT,
    name: hardText,
    deviceType: 'pump',
    label: hardText,
    additionalInfo: { gateway: true, nested: { list: [1, null, 'x', { deep: -0.5 }] } },
    credentials: TOKEN,
    customerId: CUSTOMER,
  },
  {
    type: 'DeviceUpdated',
    at: NOW + 1,
    name: 'Pump 2',
    deviceType: 'pump',
    label: 'second',
    additionalInfo: {},
  },
  { type: 'CredentialsChanged', at: NOW + 2, credentials: OTHER_TOKEN },
  { type: 'DeviceDeleted', at: NOW + 3 },
  {
    type: 'ClaimWindowOpened',
    at: NOW + 4,
    secretDigest: SECRET,
    closesAt: NOW + 86_400_004,
    openedBy: 'device',
  },
  {
    type: 'ClaimWindowOpened',
    at: NOW + 4,
    secretDigest: SECRET,
    closesAt: Number.MAX_SAFE_INTEGER,
    openedBy: 'gateway',
  },
  { type: 'ClaimWindowClosed', at: NOW + 5, userId: ADMIN },
  { type: 'ClaimWindowExpired', at: NOW + 6 },
  {
    type: 'DeviceClaimed',
    at: NOW + 7,
    customerId: CUSTOMER,
    userId: USER,
    claimingAllowedDeleted: true,
  },
  {
    type: 'DeviceReclaimed',
    at: NOW + 8,
    previousCustomerId: CUSTOMER,
    userId: USER,
    claimingAllowedRestored: false,
  },
  {
    type: 'DeviceAssigned',
    at: NOW + 9,
    customerId: OTHER_CUSTOMER,
    previousCustomerId: null,
    userId: ADMIN,
  },
  {
    type: 'DeviceAssigned',
    at: NOW + 9,
    customerId: OTHER_CUSTOMER,
    previousCustomerId: CUSTOMER,
    userId: ADMIN,
  },
  {
    type: 'DeviceUnassigned',
    at: NOW + 10,
    previousCustomerId: OTHER_CUSTOMER,
    userId: ADMIN,
    claimingAllowedRestored: true,
  },
  {
    type: 'AttributesSaved',
    at: NOW + 11,
    scope: 'SHARED_SCOPE',
    values: { text: hardText, number: 1.5e-7, flag: false, nothing: null, list: [], object: { a: 1 } },
  },
  { type: 'AttributesSaved', at: NOW + 12, scope: 'SERVER_SCOPE', values: {}, serverKey },
  {
    type: 'AttributesDeleted',
    at: NOW + 13,
    scope: 'SERVER_SCOPE',
    keys: ['claimingAllowed', 'claimingData'],
  },
];

const device = {
  status: 'provisioned',
  tenantId: TENANT,
  createdAt: NOW,
  name: 'Pump 1',
  type: 'default',
  label: null,
  additionalInfo: null,
  credentials: TOKEN,
  owner: null,
  window: null,
  serverKey: null,
  attributes: { SERVER_SCOPE: {}, SHARED_SCOPE: {} },
} as const;

export const states: readonly DeviceState[] = [
  { status: 'absent' },
  device,
  { ...device, name: hardText, label: hardText, additionalInfo: { gateway: true, list: [1, [2, {}]] } },
  { ...device, owner: { customerId: CUSTOMER, since: NOW + 7, by: 'claim' } },
  { ...device, owner: { customerId: OTHER_CUSTOMER, since: NOW + 9, by: 'assignment' } },
  {
    ...device,
    window: { secretDigest: SECRET, openedAt: NOW + 4, closesAt: NOW + 86_400_004, openedBy: 'device' },
  },
  {
    ...device,
    window: { secretDigest: SECRET, openedAt: NOW, closesAt: Number.MAX_SAFE_INTEGER, openedBy: 'gateway' },
    serverKey: { ...serverKey, savedAt: NOW + 12 },
    attributes: {
      SERVER_SCOPE: { claimingAllowed: { value: true, savedAt: NOW + 11 } },
      SHARED_SCOPE: { [hardText]: { value: { deep: [null, 1.5e-7, hardText] }, savedAt: NOW + 11 } },
    },
  },
];

// ------------------------------------------------------------------ later additions to format 1: owner epochs

export const epochEvents: readonly DeviceEvent[] = [
  {
    type: 'DeviceClaimed',
    at: NOW + 7,
    customerId: CUSTOMER,
    userId: USER,
    claimingAllowedDeleted: true,
    ownerEpoch: 1,
  },
  {
    type: 'DeviceReclaimed',
    at: NOW + 8,
    previousCustomerId: CUSTOMER,
    userId: USER,
    claimingAllowedRestored: false,
    ownerEpoch: 2,
  },
  {
    type: 'DeviceAssigned',
    at: NOW + 9,
    customerId: OTHER_CUSTOMER,
    previousCustomerId: null,
    userId: ADMIN,
    ownerEpoch: 3,
  },
  {
    type: 'DeviceUnassigned',
    at: NOW + 10,
    previousCustomerId: OTHER_CUSTOMER,
    userId: ADMIN,
    claimingAllowedRestored: true,
    ownerEpoch: 4,
  },
];

export const epochStates: readonly DeviceState[] = [
  { ...device, owner: { customerId: CUSTOMER, since: NOW + 7, by: 'claim' }, ownerEpoch: 1 },
  { ...device, ownerEpoch: 4 },
];

// ------------------------------------------------------- later additions to format 1: credentials follow the owner

const nextCredentials = { credentials: OTHER_TOKEN, until: NOW + 10_000 };

export const handoverEvents: readonly DeviceEvent[] = [
  {
    type: 'DeviceReclaimed',
    at: NOW,
    previousCustomerId: CUSTOMER,
    userId: USER,
    claimingAllowedRestored: false,
    ownerEpoch: 2,
    nextCredentials,
    quarantined: true,
  },
  {
    type: 'ClaimWindowOpened',
    at: NOW + 1,
    secretDigest: 'c2VjcmV0',
    closesAt: NOW + 1000,
    openedBy: 'device',
    pending: true,
  },
  { type: 'ClaimWindowApproved', at: NOW + 2, userId: ADMIN, closesAt: NOW + 1000 },
  { type: 'ClaimWindowExpired', at: NOW + 3, pending: true },
  { type: 'CredentialsRotated', at: NOW + 4, by: 'use' },
  { type: 'CredentialsRead', at: NOW + 5, userId: USER, customerId: CUSTOMER },
];

export const handoverStates: readonly DeviceState[] = [
  { ...device, ownerEpoch: 2, nextCredentials, quarantined: true, credentialsRead: true },
  {
    ...device,
    ownerEpoch: 2,
    quarantined: true,
    pendingWindow: {
      secretDigest: 'c2VjcmV0',
      openedAt: NOW + 1,
      closesAt: NOW + 1000,
      openedBy: 'device',
    },
  },
];

// ----------------------------------------------------- later additions to format 1: take-overs and factory resets

export const takeOverEvents: readonly DeviceEvent[] = [
  {
    type: 'TakeOverAsked',
    at: NOW + 1,
    customerId: OTHER_CUSTOMER,
    userId: USER,
    dueAt: NOW + 86_400_001,
    inEpoch: 1,
    ownerId: CUSTOMER,
  },
  {
    type: 'TakeOverEnded',
    at: NOW + 2,
    why: 'objected',
    customerId: OTHER_CUSTOMER,
    ownerId: CUSTOMER,
    userId: USER,
  },
  { type: 'TakeOverEnded', at: NOW + 2, why: 'newcomer-gone', customerId: OTHER_CUSTOMER, ownerId: CUSTOMER },
  {
    type: 'DeviceTakenOver',
    at: NOW + 3,
    customerId: OTHER_CUSTOMER,
    previousCustomerId: CUSTOMER,
    userId: USER,
    claimingAllowedDeleted: false,
    ownerEpoch: 2,
  },
  {
    type: 'DeviceReset',
    at: NOW + 4,
    previousCustomerId: CUSTOMER,
    claimingAllowedRestored: true,
    ownerEpoch: 3,
  },
  {
    type: 'DeviceReset',
    at: NOW + 4,
    previousCustomerId: CUSTOMER,
    claimingAllowedRestored: false,
    ownerEpoch: 3,
    window: { secretDigest: SECRET, closesAt: NOW + 86_400_004 },
  },
];

export const takeOverStates: readonly DeviceState[] = [
  {
    ...device,
    owner: { customerId: CUSTOMER, since: NOW, by: 'claim' },
    ownerEpoch: 1,
    takeOver: {
      customerId: OTHER_CUSTOMER,
      userId: USER,
      askedAt: NOW + 1,
      dueAt: NOW + 86_400_001,
      inEpoch: 1,
    },
  },
  { ...device, owner: { customerId: OTHER_CUSTOMER, since: NOW + 3, by: 'take-over' }, ownerEpoch: 2 },
  { ...device, ownerEpoch: 3, lastResetAt: NOW + 4 },
];

// ------------------------------------------------- later additions to format 1: profiles and other credentials

const profileId = idOf<ProfileId>(41);

const basic: Credentials = {
  type: 'MQTT_BASIC',
  credentialsId: 'a-digest',
  clientId: 'client',
  userName: null,
  sealedPassword: 'c2VhbGVk',
};
const certificate: Credentials = {
  type: 'X509_CERTIFICATE',
  credentialsId: 'a-digest',
  certificate: 'MIIB',
};

export const profileEvents: readonly DeviceEvent[] = [
  {
    type: 'DeviceProvisioned',
    at: NOW,
    tenantId: TENANT,
    name: 'Pump 1',
    deviceType: 'default',
    label: null,
    additionalInfo: null,
    profileId,
    credentials: basic,
    customerId: null,
  },
  {
    type: 'DeviceUpdated',
    at: NOW + 1,
    name: 'Pump 2',
    deviceType: 'pump',
    label: 'second',
    additionalInfo: {},
    profileId: null,
  },
  { type: 'CredentialsChanged', at: NOW + 2, credentials: certificate },
];

/** Deletions that name their device. */
export const deletionEvents: readonly DeviceEvent[] = [
  { type: 'DeviceDeleted', at: NOW, tenantId: TENANT, name: 'Pump 1' },
];

/** Changes that name their user. */
export const signedEvents: readonly DeviceEvent[] = [
  {
    type: 'DeviceUpdated',
    at: NOW,
    userId: USER,
    customerId: CUSTOMER,
    name: 'Pump 1',
    deviceType: 'default',
    label: null,
    additionalInfo: null,
  },
  { type: 'CredentialsChanged', at: NOW + 1, userId: USER, credentials: TOKEN },
  { type: 'AttributesSaved', at: NOW + 2, userId: USER, scope: 'SERVER_SCOPE', values: {}, serverKey },
  {
    type: 'AttributesDeleted',
    at: NOW + 3,
    userId: USER,
    customerId: CUSTOMER,
    scope: 'SHARED_SCOPE',
    keys: ['colour'],
  },
];

/** Offers and transfers. */
export const transferEvents: readonly DeviceEvent[] = [
  {
    type: 'DeviceOffered',
    at: NOW,
    transferId: TRANSFER,
    to: TO_OTHER,
    expiresAt: NOW + 7,
    customerId: CUSTOMER,
    userId: USER,
  },
  {
    type: 'DeviceOffered',
    at: NOW + 1,
    transferId: TRANSFER,
    to: TO_ADDRESS,
    expiresAt: NOW + 7,
    customerId: CUSTOMER,
    userId: USER,
  },
  {
    type: 'DeviceOffered',
    at: NOW + 2,
    transferId: TRANSFER,
    to: TO_CODE,
    expiresAt: NOW + 7,
    customerId: CUSTOMER,
    userId: USER,
  },
  {
    type: 'DeviceTransferred',
    at: NOW + 3,
    transferId: TRANSFER,
    previousCustomerId: CUSTOMER,
    customerId: OTHER_CUSTOMER,
    userId: USER,
    ownerEpoch: 2,
  },
  { type: 'OfferDeclined', at: NOW + 4, transferId: TRANSFER, customerId: OTHER_CUSTOMER, userId: USER },
  { type: 'OfferWithdrawn', at: NOW + 5, transferId: TRANSFER, customerId: CUSTOMER, userId: USER },
  { type: 'OfferWithdrawn', at: NOW + 5, transferId: TRANSFER, customerId: null, userId: ADMIN },
  { type: 'OfferExpired', at: NOW + 7, transferId: TRANSFER },
];

export const transferStates: readonly DeviceState[] = [
  {
    ...device,
    owner: { customerId: CUSTOMER, since: NOW, by: 'claim' },
    ownerEpoch: 1,
    offer: { transferId: TRANSFER, to: TO_ADDRESS, offeredAt: NOW, expiresAt: NOW + 7 },
  },
  {
    ...device,
    owner: { customerId: OTHER_CUSTOMER, since: NOW, by: 'transfer', transferId: TRANSFER },
    ownerEpoch: 2,
  },
];

export const profileStates: readonly DeviceState[] = [
  { ...device, credentials: basic, profileId },
  { ...device, credentials: { ...basic, clientId: null, userName: 'user', sealedPassword: null } },
  { ...device, credentials: certificate, profileId: null },
];

// ------------------------------------------------------------- later additions to format 1: proofs of possession

export const proofEvents: readonly DeviceEvent[] = [
  {
    type: 'ChallengeIssued',
    at: NOW,
    customerId: CUSTOMER,
    userId: USER,
    nonceDigest: SECRET,
    expiresAt: NOW + 600_000,
  },
];

export const proofStates: readonly DeviceState[] = [
  {
    ...device,
    challenges: [
      { customerId: CUSTOMER, nonceDigest: SECRET, expiresAt: NOW + 600_000 },
      { customerId: OTHER_CUSTOMER, nonceDigest: 'another-digest', expiresAt: NOW + 600_001 },
    ],
  },
];

// ------------------------------------------------------------------- later additions to format 1: evidence

export const evidenceEvents: readonly DeviceEvent[] = (['secret', 'server-key', 'proof'] as const).map(
  (evidence) => ({
    type: 'DeviceClaimed',
    at: NOW,
    customerId: CUSTOMER,
    userId: USER,
    claimingAllowedDeleted: false,
    ownerEpoch: 1,
    evidence,
  }),
);

export const evidenceStates: readonly DeviceState[] = [
  { ...device, owner: { customerId: CUSTOMER, since: NOW, by: 'claim', evidence: 'secret' }, ownerEpoch: 1 },
  {
    ...device,
    ownerEpoch: 2,
    handovers: [
      [NOW, 'proof'],
      [NOW + 1, 'give-back'],
    ],
  },
];

// ------------------------------------------------------------------------ heads in two parts: recent handovers

const recentHandovers = [
  [NOW, 'secret'],
  [NOW + 1, 'give-back'],
] as const;

export const recentStates: readonly Device[] = [
  { ...device, ownerEpoch: 2, recentHandovers },
  {
    ...device,
    owner: { customerId: CUSTOMER, since: NOW, by: 'transfer', transferId: TRANSFER },
    ownerEpoch: 9,
    window: {
      secretDigest: SECRET,
      openedAt: NOW,
      closesAt: NOW + 1,
      openedBy: 'device',
      arrivedAt: NOW - 1,
    },
    handovers: [
      [NOW - 2, 'take-over'],
      [NOW - 1, 'unassignment'],
    ],
    recentHandovers,
  },
  { ...device, ownerEpoch: 2, serverKey: { ...serverKey, savedAt: NOW }, recentHandovers },
];

// ------------------------------------------------------- later additions to format 1: messages that waited

export const lateEvents: readonly DeviceEvent[] = [
  {
    type: 'ClaimWindowOpened',
    at: NOW + 5_000,
    secretDigest: SECRET,
    closesAt: NOW + 65_000,
    openedBy: 'device',
    arrivedAt: NOW,
  },
];

export const lateStates: readonly DeviceState[] = [
  {
    ...device,
    window: {
      secretDigest: SECRET,
      openedAt: NOW + 5_000,
      closesAt: NOW + 65_000,
      openedBy: 'device',
      arrivedAt: NOW,
    },
  },
];

// -------------------------------------- later additions to format 1: resets told while nobody owned the device

export const notedResetEvents: readonly DeviceEvent[] = [
  {
    type: 'ClaimWindowOpened',
    at: NOW + 1,
    secretDigest: SECRET,
    closesAt: NOW + 60_001,
    openedBy: 'device',
    byReset: true,
  },
  { type: 'ResetNoted', at: NOW + 2 },
];

export const notedResetStates: readonly DeviceState[] = [
  {
    ...device,
    window: { secretDigest: SECRET, openedAt: NOW + 1, closesAt: NOW + 60_001, openedBy: 'device' },
    lastResetAt: NOW + 1,
  },
];

// -------------------------------------------- later additions to format 1: claims that were refused, told together

export const refusedEvents: readonly DeviceEvent[] = [
  { type: 'ClaimsRefused', at: NOW + 60_000, since: NOW, reasons: { 'wrong-secret': 3 }, by: { secret: 3 } },
  {
    type: 'ClaimsRefused',
    at: NOW + 60_000,
    since: NOW,
    reasons: { 'already-claimed': 2, 'wrong-secret': 1 },
    by: { secret: 2, kit: 1 },
    ownerId: CUSTOMER,
  },
];

/** Since format 3 of the stores: tokens are digests, with a sealed copy. */
const sealed = {
  type: 'ACCESS_TOKEN',
  credentialsId: '0yIOdt5j7LG0TmdcQ6iJAh',
  sealedToken: 'c2VhbGVk',
} as const;
const next = { credentials: { ...sealed, credentialsId: '2gtfYnWZ1IJi-CBBhyi-88' }, until: NOW + 10_000 };

export const sealedEvents: readonly DeviceEvent[] = [
  { type: 'CredentialsChanged', at: NOW + 1, userId: USER, credentials: sealed },
  { type: 'CredentialsChanged', at: NOW + 1, userId: USER, credentials: basic },
  {
    type: 'DeviceReclaimed',
    at: NOW + 2,
    previousCustomerId: CUSTOMER,
    userId: USER,
    claimingAllowedRestored: false,
    ownerEpoch: 2,
    nextCredentials: next,
  },
];

export const sealedStates: readonly DeviceState[] = [
  { ...device, credentials: sealed },
  { ...device, credentials: sealed, nextCredentials: next },
];
