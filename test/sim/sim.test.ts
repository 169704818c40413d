/**
 * The simulation inside the tests: many seeds, no law broken, and nothing that can happen left out. A seed that
 * fails is printed with the line that replays it alone.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceEvent } from '../../actors/device/device.ts';
import type { RefusalReason } from '../../actors/device/messages.ts';
import type { Request } from './history.ts';
import { describe, replayCommand, tell } from './report.ts';
import { runSeed } from './run.ts';

/** Seeds from 1 on: as many as it takes for all that is counted below. `CLAIMD_SIM_SEEDS` sets another number, for a longer night. */
const SEEDS = Number(process.env.CLAIMD_SIM_SEEDS ?? 1000);

const counts = new Map<string, number>();

test(`sim: ${SEEDS} seeds break no law`, async () => {
  const startedAt = performance.now();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = await runSeed(seed);
    const [first] = run.violations;
    if (first !== undefined) assert.unreachable(`${describe(first)}\nreplay: ${replayCommand(seed)}`);
    for (const [what, count] of run.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  tell(`\n# ${SEEDS} seeds in ${seconds.toFixed(1)} s (${(SEEDS / seconds).toFixed(0)} seeds/s)`);
});

test('sim: every event, every refusal and every fault happened', () => {
  const missing = EVERYTHING.filter((what) => (counts.get(what) ?? 0) === 0);
  assert.equal(missing, []);
});

test('sim: the same seed gives the same history, to the letter', async () => {
  const seeds = [3, 14, 159, 265];
  const first = [];
  for (const seed of seeds) first.push((await runSeed(seed)).fingerprint);
  const again = [];
  for (const seed of [...seeds].reverse()) again.unshift((await runSeed(seed)).fingerprint);
  assert.equal(again, first);
  assert.is(new Set(first).size, seeds.length, 'and different seeds give different ones');
});

/** Refusals are counted in front of the devices, which the simulation does without. */
type SimulatedEvent = Exclude<DeviceEvent['type'], 'ClaimsRefused'>;

// Records, so that a new event, refusal or request does not compile until it is expected here.
const EVENTS: { readonly [Type in SimulatedEvent]: true } = {
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

/**
 * Every device has a key. Neither how many devices there are, nor how long tokens are, is limited in the simulation. It has
 * no batches, which alone change a label on a condition.
 */
type Simulated = Exclude<
  RefusalReason,
  'description-changed' | 'too-many-devices' | 'token-too-short' | 'proof-not-possible' | 'policy-refused'
>;
const REFUSALS: { readonly [Reason in Simulated]: true } = {
  'unknown-device': true,
  'already-provisioned': true,
  'credentials-revoked': true,
  'not-behind-gateway': true,
  'gateway-unchecked': true,
  'credentials-superseded': true,
  superseded: true,
  'window-pending': true,
  'window-replaced': true,
  'already-claimed': true,
  'claiming-not-allowed': true,
  'secret-too-short': true,
  'reset-not-allowed': true,
  'reset-repeated': true,
  'rate-limited': true,
  'take-over-pending': true,
  'duration-out-of-range': true,
  'duration-too-long': true,
  'no-window': true,
  'window-elapsed': true,
  'wrong-secret': true,
  'proof-required': true,
  'consent-needed': true,
  'wrong-proof': true,
  'proof-outdated': true,
  'not-owner': true,
  'not-assigned': true,
  'attributes-too-large': true,
  'steering-attribute-malformed': true,
  'epoch-changed': true,
  'no-offer': true,
  'offer-elapsed': true,
  'transfer-taken': true,
  'name-taken': true,
  'credentials-taken': true,
};

const REQUESTS: { readonly [Type in Exclude<Request['type'], 'read'>]: true } = {
  provision: true,
  rename: true,
  'change-credentials': true,
  adopt: true,
  'read-credentials': true,
  approve: true,
  delete: true,
  initiate: true,
  reset: true,
  complete: true,
  'end-take-over': true,
  confirm: true,
  kit: true,
  challenge: true,
  reclaim: true,
  assign: true,
  unassign: true,
  offer: true,
  accept: true,
  decline: true,
  withdraw: true,
  save: true,
  forget: true,
};

const EVERYTHING = [
  ...Object.keys(EVENTS).map((type) => `event: ${type}`),
  ...Object.keys(REFUSALS).map((reason) => `refused: ${reason}`),
  ...Object.keys(REQUESTS).map((type) => `accepted: ${type}`),
  'read',
  'nothing-done',
  ...['store', 'timeout', 'stopping', 'node-died'].map((why) => `unknown: ${why}`),
  ...['fails', 'done-but-reported-failed', 'slow-to-store', 'slow-from-store', 'while-cut-off'].map(
    (fault) => `append-${fault}`,
  ),
  'append-conflict',
  'append-taken',
  'append-on-its-way-when-node-died',
  'append-done-as-node-died',
  ...['fails', 'slow-to-store', 'slow-from-store', 'while-cut-off', 'on-its-way-when-node-died'].flatMap(
    (fault) => [`load-${fault}`, `due-${fault}`],
  ),
  'due-early',
  'actor-failed',
  'connection-refused',
  'crash',
  'drain',
  'leap',
  'duplicate',
  'reordered',
  'retry',
  'heard',
];

test.run();
