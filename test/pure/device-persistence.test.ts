/** How devices are written down. The golden files are records as earlier versions wrote them. */
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CustomerId, TransferId, UserId } from '../../actors/base/ids.ts';
import type { CredentialSecrets, SecretDigest } from '../../actors/base/secret.ts';
import { evolve } from '../../actors/device/device.ts';
import { knownChanges } from '../../actors/device/evidence.ts';
import { HANDOVERS_MARK, isLine, LINE_MARK } from '../../actors/device/head.ts';
import {
  decodeEvent,
  decodeHead,
  decodeState,
  encodeDetails,
  encodeEvent,
  encodeStanding,
  encodeState,
  UnreadableRecord,
} from '../../actors/device/persistence.ts';
import { type Device, type DeviceState, ownerEpochOf } from '../../actors/device/state.ts';
import { liftedEvent, liftedState } from '../../actors/store/format-2.ts';
import { CUSTOMER, DEVICE, idOf, OTHER_TOKEN, SECRET, TOKEN, USER } from '../kit/given.ts';
import { gatewayEvents, gatewayStates } from './golden/gateway-samples.ts';
import { givenEvents, givenStates } from './golden/given-samples.ts';
import {
  deletionEvents,
  epochEvents,
  epochStates,
  events,
  evidenceEvents,
  evidenceStates,
  handoverEvents,
  handoverStates,
  lateEvents,
  lateStates,
  notedResetEvents,
  notedResetStates,
  profileEvents,
  profileStates,
  proofEvents,
  proofStates,
  recentStates,
  refusedEvents,
  sealedEvents,
  sealedStates,
  signedEvents,
  states,
  takeOverEvents,
  takeOverStates,
  transferEvents,
  transferStates,
} from './golden/samples.ts';
import { tracedEvents, tracedStates } from './golden/traced-samples.ts';
import { writingEvents, writingStates } from './golden/writing-samples.ts';

/** The golden files lie beside the sources; the compiled tests run from a folder beside `test`. */
function asWritten(name: string): string[] {
  const text = readFileSync(new URL(`../../../test/pure/golden/${name}`, import.meta.url), 'utf8');
  return text.split('\n').slice(0, -1);
}

/** Digests that are the text itself, and seals that are stars: the samples have them so. */
const SEALING: CredentialSecrets = {
  credentialsId: (shown) => shown,
  sealCredential: () => '***',
  unsealCredential() {
    throw new Error('no key of this server has sealed it');
  },
};

test('device persistence: a password that a key of this server opens comes under the key of the store when it is lifted', () => {
  const [line = ''] = asWritten('states-v1-profiles.jsonl');
  const lifted = liftedState(
    {
      ...SEALING,
      unsealCredential: (whose, sealed) => `opened ${whose} ${sealed}`,
      sealCredential: (_whose, secret) => secret,
    },
    DEVICE,
    line,
  );
  assert.match(lifted, `"sealedPassword":"opened ${DEVICE} c2VhbGVk"`);
});

/** As a store has it that is opened: with tokens in plain, no device has met it since format 3 of the stores. */
function golden(name: string): string[] {
  return asWritten(name).map((line) =>
    name.startsWith('states') ? liftedState(SEALING, DEVICE, line) : liftedEvent(SEALING, DEVICE, line),
  );
}

test('device persistence: sealed tokens are read and written as ever', () => {
  const eventLines = asWritten('events-v1-sealed.jsonl');
  assert.equal(eventLines.map(decodeEvent), sealedEvents);
  assert.equal(sealedEvents.map(encodeEvent), eventLines);
  const stateLines = asWritten('states-v1-sealed.jsonl');
  assert.equal(stateLines.map(decodeState), sealedStates);
  assert.equal(sealedStates.map(encodeState), stateLines);
});

test('device persistence: lifting finds the tokens of all golden records, and what was lifted stays as it is', () => {
  const tokens = [TOKEN, OTHER_TOKEN].map(({ credentialsId }) => credentialsId);
  const digests = {
    ...SEALING,
    credentialsId: (shown: string) => `digest of ${[...shown].reverse().join('')}`,
  };
  const names = readdirSync(new URL('../../../test/pure/golden', import.meta.url));
  for (const name of names.filter((one) => one.endsWith('.jsonl') && !one.includes('sealed'))) {
    for (const line of asWritten(name)) {
      const lift = name.startsWith('states') ? liftedState : liftedEvent;
      const lifted = lift(digests, DEVICE, line);
      assert.not.ok(
        tokens.some((token) => lifted.includes(`"${token}"`)),
        `${name}: ${lifted}`,
      );
      if (lift === liftedEvent) assert.is(lift(digests, DEVICE, lifted), lifted, name);
    }
  }
});

test('device persistence: every event of format 1 is read and written as ever', () => {
  const lines = golden('events-v1.jsonl');
  assert.equal(lines.map(decodeEvent), events);
  assert.equal(events.map(encodeEvent), lines);
});

test('device persistence: every state of format 1 is read and written as ever', () => {
  const lines = golden('states-v1.jsonl');
  assert.equal(lines.map(decodeState), states);
  assert.equal(states.map(encodeState), lines);
});

test('device persistence: records with profiles and other credentials are read and written as ever', () => {
  const eventLines = golden('events-v1-profiles.jsonl');
  assert.equal(eventLines.map(decodeEvent), profileEvents);
  assert.equal(profileEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-profiles.jsonl');
  assert.equal(stateLines.map(decodeState), profileStates);
  assert.equal(profileStates.map(encodeState), stateLines);
});

test('device persistence: a deletion that names its device is read and written as ever', () => {
  const lines = golden('events-v1-deletion.jsonl');
  assert.equal(lines.map(decodeEvent), deletionEvents);
  assert.equal(deletionEvents.map(encodeEvent), lines);
});

test('device persistence: changes that name their user are read and written as ever', () => {
  const lines = golden('events-v1-signed.jsonl');
  assert.equal(lines.map(decodeEvent), signedEvents);
  assert.equal(signedEvents.map(encodeEvent), lines);
});

test('device persistence: owner epochs are read and written as ever', () => {
  const eventLines = golden('events-v1-epoch.jsonl');
  assert.equal(eventLines.map(decodeEvent), epochEvents);
  assert.equal(epochEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-epoch.jsonl');
  assert.equal(stateLines.map(decodeState), epochStates);
  assert.equal(epochStates.map(encodeState), stateLines);
});

test('device persistence: what gateways bring up and open is read and written as ever', () => {
  const eventLines = golden('events-v1-gateways.jsonl');
  assert.equal(eventLines.map(decodeEvent), gatewayEvents);
  assert.equal(gatewayEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-gateways.jsonl');
  assert.equal(stateLines.map(decodeState), gatewayStates);
  assert.equal(gatewayStates.map(encodeState), stateLines);
});

test('device persistence: offers and transfers are read and written as ever', () => {
  const eventLines = golden('events-v1-transfer.jsonl');
  assert.equal(eventLines.map(decodeEvent), transferEvents);
  assert.equal(transferEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-transfer.jsonl');
  assert.equal(stateLines.map(decodeState), transferStates);
  assert.equal(transferStates.map(encodeState), stateLines);
});

test('device persistence: evidence is read and written as ever', () => {
  const eventLines = golden('events-v1-evidence.jsonl');
  assert.equal(eventLines.map(decodeEvent), evidenceEvents);
  assert.equal(evidenceEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-evidence.jsonl');
  assert.equal(stateLines.map(decodeState), evidenceStates);
  assert.equal(evidenceStates.map(encodeState), stateLines);
});

test('device persistence: R6: a device that was claimed once costs 40 bytes more at most', () => {
  const [claimed] = evidenceStates;
  assert.ok(claimed?.status === 'provisioned' && claimed.owner !== null);
  const { evidence: _, ...owner } = claimed.owner;
  const { ownerEpoch: __, ...without } = claimed;
  assert.ok(encodeState(claimed).length - encodeState({ ...without, owner }).length <= 40);
});

test('persistence: what is traced is read back with its context', () => {
  const eventLines = golden('events-v1-traced.jsonl');
  assert.equal(eventLines.map(decodeEvent), tracedEvents);
  assert.equal(tracedEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-traced.jsonl');
  assert.equal(stateLines.map(decodeState), tracedStates);
  assert.equal(tracedStates.map(encodeState), stateLines);
});

test('device persistence: R4: what an owner wrote, and what the tenant had there, is read and written as ever', () => {
  const eventLines = golden('events-v1-writings.jsonl');
  assert.equal(eventLines.map(decodeEvent), writingEvents);
  assert.equal(writingEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-writings.jsonl');
  assert.equal(stateLines.map(decodeState), writingStates);
  assert.equal(writingStates.map(encodeState), stateLines);
});

test('device persistence: R4: of a stored device the tenant has its own back when it is given back', () => {
  const [stored] = golden('states-v1-writings.jsonl').map(decodeState);
  assert.ok(stored?.status === 'provisioned' && stored.owner !== null);
  const { customerId } = stored.owner;
  const given = evolve(stored, {
    type: 'DeviceReclaimed',
    at: stored.owner.since + 10,
    previousCustomerId: customerId,
    userId: idOf<UserId>(99),
    claimingAllowedRestored: false,
    ownerEpoch: 2,
  });
  assert.ok(given.status === 'provisioned');
  const values = (scope: 'SERVER_SCOPE' | 'SHARED_SCOPE') =>
    Object.fromEntries(Object.entries(given.attributes[scope]).map(([key, { value }]) => [key, value]));
  assert.equal(values('SERVER_SCOPE'), { batch: 7, model: 'P-100' });
  assert.equal(values('SHARED_SCOPE'), { interval: 300 });
  assert.equal([given.label, given.additionalInfo], [null, null]);
});

test('device persistence: windows of messages that waited are read and written as ever', () => {
  const eventLines = golden('events-v1-late.jsonl');
  assert.equal(eventLines.map(decodeEvent), lateEvents);
  assert.equal(lateEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-late.jsonl');
  assert.equal(stateLines.map(decodeState), lateStates);
  assert.equal(lateStates.map(encodeState), stateLines);
});

test('device persistence: challenges are read and written as ever', () => {
  const eventLines = golden('events-v1-proof.jsonl');
  assert.equal(eventLines.map(decodeEvent), proofEvents);
  assert.equal(proofEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-proof.jsonl');
  assert.equal(stateLines.map(decodeState), proofStates);
  assert.equal(proofStates.map(encodeState), stateLines);
});

test('device persistence: O9: credentials that follow the owner are read and written as ever', () => {
  const eventLines = golden('events-v1-handover.jsonl');
  assert.equal(eventLines.map(decodeEvent), handoverEvents);
  assert.equal(handoverEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-handover.jsonl');
  assert.equal(stateLines.map(decodeState), handoverStates);
  assert.equal(handoverStates.map(encodeState), stateLines);
});

test('device persistence: take-overs and resets are read and written as ever', () => {
  const eventLines = golden('events-v1-take-over.jsonl');
  assert.equal(eventLines.map(decodeEvent), takeOverEvents);
  assert.equal(takeOverEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-take-over.jsonl');
  assert.equal(stateLines.map(decodeState), takeOverStates);
  assert.equal(takeOverStates.map(encodeState), stateLines);
});

test('device persistence: told refusals of claims are read and written as ever, and change no state', () => {
  const lines = golden('events-v1-refused.jsonl');
  assert.equal(lines.map(decodeEvent), refusedEvents);
  assert.equal(refusedEvents.map(encodeEvent), lines);
  for (const state of inParts) {
    for (const event of refusedEvents) {
      assert.is(evolve(state, event), state);
      assert.is(encodeDetails(evolve(state, event), state), undefined);
    }
  }
});

test('device persistence: resets that released nobody are read and written as ever', () => {
  const eventLines = golden('events-v1-noted-reset.jsonl');
  assert.equal(eventLines.map(decodeEvent), notedResetEvents);
  assert.equal(notedResetEvents.map(encodeEvent), eventLines);
  const stateLines = golden('states-v1-noted-reset.jsonl');
  assert.equal(stateLines.map(decodeState), notedResetStates);
  assert.equal(notedResetStates.map(encodeState), stateLines);
});

/** Every sample of a device, in the two parts of its head. */
const inParts: readonly Device[] = [
  ...states,
  ...sealedStates,
  ...gatewayStates,
  ...epochStates,
  ...handoverStates,
  ...takeOverStates,
  ...transferStates,
  ...profileStates,
  ...proofStates,
  ...evidenceStates,
  ...lateStates,
  ...notedResetStates,
  ...writingStates,
].filter((state) => state.status === 'provisioned');

const partsOf = (device: Device) => [encodeStanding(device), encodeDetails(device, undefined)] as const;

/** Holds that the heads of a file are those of the devices, read and written. @returns their standings */
function standingsAsEver(file: string, devices: readonly Device[]): readonly string[] {
  const lines = asWritten(file);
  const heads = lines.map((line) => JSON.parse(line) as [string, string]);
  assert.equal(
    heads.map(([standing, details]) => decodeHead(standing, details)),
    devices,
  );
  assert.equal(
    devices.map((device) => JSON.stringify(partsOf(device))),
    lines,
  );
  return heads.map(([standing]) => standing);
}

test('device persistence: heads in two parts are read and written as ever', () => {
  const standings = standingsAsEver('heads-v2-sealed.jsonl', inParts);
  const areLines = standings.map((standing) => standing.startsWith(LINE_MARK));
  assert.ok(
    areLines.includes(true) && areLines.includes(false),
    'a line, and JSON where a line cannot say it',
  );
});

test('device persistence: what devices have alike is there once for all that are read, and reads as it was written', () => {
  const standing = `${LINE_MARK};;`;
  const bare = { SERVER_SCOPE: {}, SHARED_SCOPE: {} };
  const read = (attributes: object, more: object = {}) => {
    const written = { tenantId: 'T', type: 'pump', credentials: TOKEN, attributes, ...more };
    const device = decodeHead(standing, JSON.stringify({ v: 2, ...written }));
    assert.equal(
      { ...device },
      { ...written, status: 'provisioned', owner: null, window: null, serverKey: null },
    );
    return device.status === 'provisioned' ? device.attributes : undefined;
  };
  assert.is(read(bare), read(bare));
  assert.is(read(bare, { profileId: 'P' }), read(bare, { profileId: null }));
  const value = { value: true, savedAt: 1 };
  // With a value in either scope, or as another version might write them.
  for (const other of [
    { ...bare, SERVER_SCOPE: { a: value } },
    { ...bare, SHARED_SCOPE: { a: value } },
    { ...bare, CLIENT_SCOPE: {} },
    { SERVER_SCOPE: {} },
    {},
  ])
    assert.is.not(read(other), read(other));
});

test('device persistence: heads with recent handovers are read and written as ever', () => {
  assert.equal(
    standingsAsEver('heads-v3-sealed.jsonl', recentStates).map((standing) => standing.charAt(0)),
    [HANDOVERS_MARK, HANDOVERS_MARK, '{'],
  );
});

test('device persistence: C12: what the policy gave, and what it promised, is read and written as ever', () => {
  const lines = golden('events-v1-given.jsonl');
  assert.equal(lines.map(decodeEvent), givenEvents);
  assert.equal(givenEvents.map(encodeEvent), lines);
  const standings = standingsAsEver('heads-v2-given-sealed.jsonl', givenStates);
  assert.ok(standings.every(isLine), 'they are among the details');
});

test('device persistence: a device is claimed and given back time and again, and its details are written at one of four give-backs at most', () => {
  let device: DeviceState | undefined = inParts[0];
  let written = 0;
  const lives = 40;
  for (let at = 1; at <= lives; at += 1) {
    for (const event of [
      { type: 'DeviceClaimed', at, customerId: CUSTOMER, userId: USER, claimingAllowedDeleted: false },
      {
        type: 'DeviceReclaimed',
        at,
        previousCustomerId: CUSTOMER,
        userId: USER,
        claimingAllowedRestored: false,
      },
    ] as const) {
      assert.ok(device !== undefined);
      const after = evolve(device, event);
      assert.ok(after.status === 'provisioned');
      const details = encodeDetails(after, device);
      if (details !== undefined) written += 1;
      assert.ok(encodeStanding(after).length <= 260, encodeStanding(after));
      device = after;
    }
  }
  assert.ok(device?.status === 'provisioned');
  assert.is(written, lives / 4);
  const known = knownChanges(device).map(({ at, by }) => [at, by]);
  assert.equal(known.slice(-2), [
    [lives, 'claim'],
    [lives, 'give-back'],
  ]);
  assert.is(known.length, 32);
});

test('device persistence: an event that changes a window or the owner writes about a hundred bytes', () => {
  for (const device of inParts.filter(({ serverKey, window }) => serverKey === null && !window?.gateway)) {
    const [standing] = partsOf(device);
    assert.ok(isLine(standing) && standing.length <= 160, standing);
    assert.is(encodeDetails({ ...device, window: null, owner: null }, device), undefined);
  }
});

test('device persistence: the details are written where one of them changed, whichever it is, and nowhere else', () => {
  const [device] = inParts;
  assert.ok(device !== undefined);
  // The compiler keeps this list complete.
  const changes: { readonly [Name in keyof Required<Omit<Device, 'status'>>]: Device[Name] } = {
    tenantId: idOf(99),
    createdAt: 1,
    name: 'another',
    type: 'another',
    label: 'another',
    additionalInfo: {},
    profileId: null,
    credentials: { ...device.credentials },
    nextCredentials: { credentials: device.credentials, until: 1 },
    quarantined: true,
    credentialsRead: true,
    viaGateway: DEVICE,
    credentialsEpoch: 1,
    offer: {
      transferId: idOf(98),
      to: { type: 'customer', customerId: idOf(97) },
      offeredAt: 1,
      expiresAt: 2,
    },
    pendingWindow: { secretDigest: SECRET, openedAt: 1, closesAt: 2, openedBy: 'device' },
    attributes: { ...device.attributes },
    tenantAttributes: device.attributes,
    tenantDescription: { label: null, additionalInfo: null },
    handovers: [],
    recentHandovers: [[1, 'kit']],
    challenges: [],
    takeOver: { customerId: idOf(97), userId: idOf(96), askedAt: 1, dueAt: 2, inEpoch: 0 },
    lastResetAt: 1,
    owner: { customerId: idOf(97), since: 1, by: 'claim' },
    ownerEpoch: 1,
    window: {
      secretDigest: SECRET,
      openedAt: 1,
      closesAt: 2,
      openedBy: 'gateway',
      gateway: { id: DEVICE, ownerEpoch: 1 },
    },
    serverKey: { secretDigest: SECRET, sealedSecret: '***', expiresAt: 1, savedAt: 0 },
  };
  const standing = ['owner', 'ownerEpoch', 'window', 'serverKey', 'recentHandovers'];
  const [, stored] = partsOf(device);
  for (const [name, value] of Object.entries(changes)) {
    const after: Device = { ...device, [name]: value };
    const written = encodeDetails(after, device);
    assert.is(written === undefined, standing.includes(name), name);
    assert.equal(decodeHead(encodeStanding(after), written ?? stored), after, name);
  }
});

test('device persistence: what a line cannot say is said in JSON', () => {
  const [device] = inParts;
  assert.ok(device !== undefined);
  const window = { secretDigest: SECRET, openedAt: 1, closesAt: 2, openedBy: 'device' } as const;
  const owner = {
    customerId: idOf<CustomerId>(97),
    since: 1,
    by: 'transfer',
    transferId: idOf<TransferId>(98),
  } as const;
  const odd: readonly Partial<Device>[] = [
    { window: { ...window, secretDigest: 'a;b' as SecretDigest } },
    { window: { ...window, openedAt: -1 } },
    { window: { ...window, trace: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } },
    { window: { ...window, closesAt: 1.5 } },
    { window: { ...window, arrivedAt: -1 } },
    { owner: { ...owner, since: -5 } },
    { owner: { ...owner, customerId: 'a,b' as CustomerId } },
    { owner: { ...owner, transferId: 'x;y' as TransferId } },
  ];
  for (const change of odd) {
    const [standing, details] = partsOf({ ...device, ...change });
    assert.ok(standing.startsWith('{"v":2,'), standing);
    assert.equal(decodeHead(standing, details), { ...device, ...change });
  }
  for (const recentHandovers of [[[-1, 'kit']], [[1.5, 'kit']]] as const) {
    const [standing, details] = partsOf({ ...device, recentHandovers });
    assert.ok(standing.startsWith('{"v":3,'), standing);
    assert.equal(decodeHead(standing, details), { ...device, recentHandovers });
  }
});

test('device persistence: a head of which a part is damaged or missing is unreadable, and not quoted', () => {
  const [device] = inParts;
  assert.ok(device !== undefined);
  const [, details] = partsOf(device);
  const customer = idOf(97);
  const damaged = [
    '',
    'secret',
    '{"v":3,"owner":null,"window":null}',
    '{"v":1,"status":"provisioned"}',
    ...[
      '',
      ';',
      ';;;',
      'x;;',
      '1.5;;',
      '-1;;',
      '99999999999999999;;',
      ';secret;',
      `;c,${customer};`,
      `;x1,${customer};`,
      ';c1,;',
      `;c1,${customer},secret-of-mine;`,
      `;c1,${customer},kit,a,b;`,
      ';;d1,2;',
      ';;d1,2',
      ';;x1,2,secret',
      ';;d1,2,secret,',
      ';;d1,2,secret,3,4',
      ';;d,2,secret',
      ';;;1 kit',
    ].map((text) => LINE_MARK + text),
    ...[
      '',
      ';;',
      ';;;',
      ';;;1',
      ';;;1 secret-of-mine',
      ';;;kit',
      ';;;-1 kit',
      ';;;1 kit,',
      ';;;1 kit 2',
      ';;;1 kit;',
      ';secret;;1 kit',
    ].map((text) => HANDOVERS_MARK + text),
  ];
  for (const standing of damaged) {
    const error = thrown(() => decodeHead(standing, details));
    assert.instance(error, UnreadableRecord, standing);
    assert.not.match(String(error instanceof Error ? error.stack : error), 'secret');
  }
  for (const other of [undefined, '', '{}', '{"v":1,"tenantId":"a"}', '{"v":2}', '{"v":2,"tenantId":1}'])
    assert.instance(
      thrown(() => decodeHead(encodeStanding(device), other)),
      UnreadableRecord,
      other,
    );
});

test('device persistence: R5: a state without an epoch is in epoch 0, an event without one counts one more', () => {
  const [old] = golden('states-v1.jsonl').slice(3).map(decodeState);
  assert.ok(old?.status === 'provisioned' && old.owner !== null);
  assert.is(ownerEpochOf(old), 0);
  const [claimed, reclaimed] = [epochEvents[0], epochEvents[1]];
  assert.ok(claimed?.type === 'DeviceClaimed' && reclaimed?.type === 'DeviceReclaimed');
  const { ownerEpoch: _, ...withoutEpoch } = reclaimed;
  const after = evolve(old, withoutEpoch);
  assert.ok(after.status === 'provisioned');
  assert.is(ownerEpochOf(after), 1);
  const later = evolve({ ...after, ownerEpoch: 7 }, { ...claimed, ownerEpoch: 8 });
  assert.is(later.status === 'provisioned' && later.ownerEpoch, 8);
});

test('device persistence: R5: an epoch costs a device at rest 40 bytes at most, and nothing before the first change', () => {
  for (const state of states) assert.not.match(encodeState(state), 'ownerEpoch');
  const [owned] = epochStates;
  assert.ok(owned?.status === 'provisioned');
  const { ownerEpoch: _, ...without } = owned;
  const longest = encodeState({ ...owned, ownerEpoch: Number.MAX_SAFE_INTEGER });
  assert.ok(longest.length - encodeState(without).length <= 40);
});

test('device persistence: there is a golden sample of every kind of event', () => {
  // The compiler keeps this list complete: one kind more or less is an error here.
  const kinds: { readonly [Kind in (typeof events)[number]['type']]: true } = {
    DeviceProvisioned: true,
    DeviceUpdated: true,
    CredentialsChanged: true,
    CredentialsRotated: true,
    CredentialsRead: true,
    ClaimWindowApproved: true,
    DeviceDeleted: true,
    ClaimWindowOpened: true,
    ClaimWindowClosed: true,
    ClaimWindowExpired: true,
    ChallengeIssued: true,
    DeviceClaimed: true,
    TakeOverAsked: true,
    TakeOverEnded: true,
    DeviceTakenOver: true,
    DeviceReset: true,
    ResetNoted: true,
    ClaimsRefused: true,
    DeviceReclaimed: true,
    DeviceAssigned: true,
    DeviceUnassigned: true,
    DeviceOffered: true,
    DeviceTransferred: true,
    OfferDeclined: true,
    OfferWithdrawn: true,
    OfferExpired: true,
    AttributesSaved: true,
    AttributesDeleted: true,
  };
  const sampled = new Set(
    [
      ...events,
      ...transferEvents,
      ...proofEvents,
      ...handoverEvents,
      ...takeOverEvents,
      ...notedResetEvents,
      ...refusedEvents,
    ].map(({ type }) => type),
  );
  assert.equal([...sampled].sort(), Object.keys(kinds).sort());
});

test('device persistence: the version stands in front, and the record is one line', () => {
  for (const line of [...events.map(encodeEvent), ...states.map(encodeState)]) {
    assert.ok(line.startsWith('{"v":1,'), line);
    assert.not.ok(/[\r\n]/.test(line), line);
  }
});

test('device persistence: an unreadable record is reported without quoting it', () => {
  const unreadable = [
    '',
    'secret',
    '{"v":1,"type":"secret',
    'null',
    '7',
    '"secret"',
    '["secret"]',
    '{}',
    '{"v":1}',
    '{"v":1,"type":7,"status":null,"secretDigest":"secret"}',
    '{"type":"DeviceDeleted","status":"absent","at":1}',
    '{"v":0,"type":"DeviceDeleted","status":"absent","at":1}',
    '{"v":2,"type":"DeviceDeleted","status":"absent","at":1}',
    '{"v":"1","type":"DeviceDeleted","status":"absent","at":1}',
  ];
  for (const text of unreadable) {
    for (const decode of [decodeEvent, decodeState]) {
      const error = thrown(() => decode(text));
      assert.instance(error, UnreadableRecord, text);
      assert.not.ok(String(error instanceof Error ? error.stack : error).includes('secret'));
    }
  }
});

test('device persistence: a record of a newer version is named as such', () => {
  const error = thrown(() => decodeState('{"v":7,"status":"absent"}'));
  assert.match(String(error), /its format is 7, known is 1/);
});

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test.run();
