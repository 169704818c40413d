/**
 * The whole device machine, by enumeration: every sequence of the commands of a theme and those that every
 * theme meets, at instants from a small set, starting with a device that does not exist and with one that was just
 * provisioned, under each policy. And every short sequence of all commands of all themes. What was covered is printed.
 *
 * A law looks at one transition, so a state that was reached before is not walked through again: the first sequence
 * through it covers all others. For this, states that no rule tells apart are one (`essenceOf`), which makes them few
 * enough to walk on until there are no new ones. That no rule tells them apart is looked at too: a share of those that
 * were left out is asked every command, and must answer as the one that stands for it.
 *
 * A new kind of command is a new theme in `THEMES`, or belongs to one; a new member of a device's record needs nothing here.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Instant } from '../../actors/base/clock.ts';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import type { ClaimByKit } from '../../actors/device/confirming.ts';
import { type DeviceCommand, type DeviceDecider, evolve } from '../../actors/device/device.ts';
import type { InitiateClaim } from '../../actors/device/opening.ts';
import { DEFAULT_OWNERSHIP_RULES, type OwnershipRules } from '../../actors/device/ownership-rules.ts';
import { encodeState } from '../../actors/device/persistence.ts';
import type { UpdateDevice } from '../../actors/device/registration.ts';
import { absentDevice, type DeviceState } from '../../actors/device/state.ts';
import {
  ADDRESS,
  ADMIN,
  acceptOffer,
  assign,
  CODE,
  CUSTOMER,
  challenge,
  complete,
  confirm,
  declineOffer,
  deleteAttributes,
  endTakeOver,
  expire,
  idOf,
  initiate,
  NOW,
  OPEN_POLICY,
  OTHER_CUSTOMER,
  OTHER_SECRET,
  OTHER_TENANT,
  OTHER_TOKEN,
  OTHER_TRANSFER,
  offer,
  PUBLIC_KEY,
  prove,
  provision,
  provisioned,
  reclaim,
  remove,
  reset,
  SECRET,
  STRICT_POLICY,
  save,
  saveServerKey,
  TENANT,
  TO_ADDRESS,
  TO_CODE,
  TO_OTHER,
  TOKEN,
  USER,
  unassign,
  withdrawOffer,
  withFreshCredentials,
} from '../kit/given.ts';
import { check, eventLaws, freeze, stateLaws, stepLaws, textOf } from './device-laws.ts';

/** How long the sequences of all commands of all themes are at most. */
const TOGETHER = 3;
/** Walks are whole levels of sequences: one that would take more steps than this is not begun, and the walk says how far it came. */
const STEPS_MAX = 60_000;

/** A window opened at the first instant for 10 ms is open at the second, and over at the third and the fourth. */
const INSTANTS = [NOW, NOW + 9, NOW + 10, NOW + 11];
/** After a reset at the first instant there may be another one then. */
const AN_HOUR_LATER = NOW + 3_600_000;

/** A customer's gateway in its first epoch. */
const GATEWAY = { id: idOf<DeviceId>(2), ownerEpoch: 1 };

/** @param everyDevice whether its profile widens it */
const byOwnedGateway = (everyDevice: boolean): InitiateClaim => ({
  ...initiate(10),
  openedBy: {
    type: 'gateway',
    tenantId: TENANT,
    authority: { for: 'owner', gateway: GATEWAY, customerId: CUSTOMER, everyDevice },
  },
});

const byGateway = (tenantId: typeof TENANT): InitiateClaim => ({
  ...initiate(10),
  openedBy: { type: 'gateway', tenantId, authority: { for: 'tenant' } },
});

const rename: UpdateDevice = {
  type: 'UpdateDevice',
  tenantId: TENANT,
  customerId: null,
  name: 'PUMP two',
  deviceType: 'pump',
  label: 'second',
  additionalInfo: { gateway: true },
};

/** What every theme meets: a device comes, is claimed, changes hands and goes. */
const CORE: readonly DeviceCommand[] = [
  provision(),
  initiate(10),
  confirm(CUSTOMER, SECRET),
  reclaim(CUSTOMER),
  reclaim(null),
  assign(OTHER_CUSTOMER),
  unassign(),
  expire,
  remove,
];

const claiming: readonly DeviceCommand[] = [
  provision(),
  provision(CUSTOMER),
  { ...provision(), tenantId: OTHER_TENANT },
  initiate(10),
  initiate(10, OTHER_SECRET),
  initiate(0), // the default, see POLICIES
  initiate(0.5),
  { ...initiate(10), openedBy: { type: 'device', credentialsId: OTHER_TOKEN.credentialsId } },
  byGateway(TENANT),
  byGateway(OTHER_TENANT),
  confirm(CUSTOMER, SECRET),
  confirm(CUSTOMER, OTHER_SECRET),
  confirm(OTHER_CUSTOMER, SECRET),
  { ...confirm(CUSTOMER, SECRET), tenantId: OTHER_TENANT },
  reclaim(CUSTOMER),
  reclaim(OTHER_CUSTOMER),
  reclaim(null),
  { ...reclaim(null), tenantId: OTHER_TENANT },
  assign(CUSTOMER),
  assign(OTHER_CUSTOMER),
  { ...assign(CUSTOMER), tenantId: OTHER_TENANT },
  unassign(),
  unassign(CUSTOMER),
  { ...reclaim(CUSTOMER), inEpochs: [1] },
  { ...reclaim(null), inEpochs: [0, 2] },
  { ...assign(OTHER_CUSTOMER), inEpochs: [1] },
  { ...unassign(), inEpochs: [] },
  { type: 'DeleteDevice', tenantId: TENANT, inEpochs: [1] },
  expire,
  save({ claimingAllowed: true }),
  save({ claimingAllowed: false }),
  save({ claimingAllowed: 'false' }),
  { ...save({ claimingAllowed: false }), scope: 'SHARED_SCOPE' },
  deleteAttributes('claimingAllowed'),
  saveServerKey(NOW + 10, SECRET),
  saveServerKey(NOW + 11, OTHER_SECRET),
  deleteAttributes('claimingData'),
  { type: 'ChangeCredentials', tenantId: TENANT, credentials: OTHER_TOKEN },
  { type: 'ChangeCredentials', tenantId: TENANT, credentials: TOKEN },
  rename,
  remove,
];

const gateways: readonly DeviceCommand[] = [
  { ...provision(), viaGateway: GATEWAY.id },
  { ...provision(CUSTOMER), viaGateway: GATEWAY.id },
  byGateway(TENANT),
  byOwnedGateway(false),
  byOwnedGateway(true),
  assign(OTHER_CUSTOMER),
  { ...confirm(OTHER_CUSTOMER, SECRET), gateway: GATEWAY },
  { ...confirm(OTHER_CUSTOMER, SECRET), gateway: { ...GATEWAY, ownerEpoch: 2 } },
  saveServerKey(NOW + 11, SECRET),
  save({ claimingAllowed: false }),
  { type: 'ChangeCredentials', tenantId: TENANT, credentials: OTHER_TOKEN },
  { type: 'ChangeCredentials', tenantId: TENANT, credentials: TOKEN },
];

const transfer: readonly DeviceCommand[] = [
  provision(CUSTOMER),
  offer(TO_OTHER),
  offer(TO_CODE),
  { ...offer(TO_ADDRESS, 9), transferId: OTHER_TRANSFER },
  offer(TO_OTHER, 10, OTHER_CUSTOMER),
  offer(TO_OTHER, 0.5),
  { ...offer(TO_OTHER), tenantId: OTHER_TENANT },
  { ...offer(TO_CODE), inEpochs: [1] },
  acceptOffer(OTHER_CUSTOMER),
  acceptOffer(OTHER_CUSTOMER, CODE),
  acceptOffer(CUSTOMER, CODE),
  acceptOffer(CUSTOMER),
  { ...acceptOffer(OTHER_CUSTOMER, CODE), transferId: OTHER_TRANSFER, addressDigest: ADDRESS },
  { ...acceptOffer(OTHER_CUSTOMER, CODE), tenantId: OTHER_TENANT },
  declineOffer(OTHER_CUSTOMER),
  { ...declineOffer(CUSTOMER), transferId: OTHER_TRANSFER, addressDigest: ADDRESS },
  withdrawOffer(CUSTOMER),
  withdrawOffer(OTHER_CUSTOMER),
  withdrawOffer(null),
  save({ claimingAllowed: false }),
  deleteAttributes('claimingAllowed'),
];

const CERTIFICATE = { type: 'X509_CERTIFICATE', credentialsId: 'a-digest', certificate: 'MIIB' } as const;

const proof: readonly DeviceCommand[] = [
  save({ claimPublicKey: PUBLIC_KEY }),
  save({ claimPublicKey: { ...PUBLIC_KEY, x: '-' } }),
  { ...save({ claimPublicKey: PUBLIC_KEY }), scope: 'SHARED_SCOPE' },
  deleteAttributes('claimPublicKey'),
  save({ claimingAllowed: true }),
  { type: 'ChangeCredentials', tenantId: TENANT, credentials: CERTIFICATE },
  challenge(),
  challenge(OTHER_CUSTOMER, 'nonce-2'),
  { ...challenge(), tenantId: OTHER_TENANT } as DeviceCommand,
  prove(),
  prove(OTHER_CUSTOMER),
  prove(OTHER_CUSTOMER, 'nonce-2'),
  prove(CUSTOMER, 'nonce-1', 'x509 a-digest'),
  { ...prove(), proof: { type: 'outdated' } },
  { ...prove(), proof: { type: 'wrong' } },
  { ...prove(), secretDigest: SECRET }, // also the secret of a window, where proofs are not looked at
];

/** What every token that there is can do, in every epoch; and what the tenant lets through. */
const credentials: readonly DeviceCommand[] = [
  initiate(11, OTHER_SECRET),
  confirm(OTHER_CUSTOMER, OTHER_SECRET),
  ...['fresh-1', 'fresh-2', TOKEN.credentialsId].flatMap((credentialsId): DeviceCommand[] => [
    { ...initiate(10), openedBy: { type: 'device', credentialsId } },
    { type: 'FetchCredentials', credentialsId },
    { type: 'AdoptCredentials', credentialsId },
  ]),
  { type: 'ReadCredentials', tenantId: TENANT, customerId: CUSTOMER, userId: USER },
  { type: 'ApproveWindow', tenantId: TENANT, userId: ADMIN, openedAt: NOW },
  { type: 'ApproveWindow', tenantId: TENANT, userId: ADMIN, openedAt: NOW + 9 },
  { type: 'ChangeCredentials', tenantId: TENANT, credentials: OTHER_TOKEN },
];

const byKit = (customerId: typeof CUSTOMER, grantedIn: number): ClaimByKit => ({
  type: 'ClaimByKit',
  tenantId: TENANT,
  customerId,
  userId: USER,
  grantedIn,
});

const consented = (epoch: number): DeviceCommand => ({ ...confirm(CUSTOMER, SECRET), consentIn: epoch });

/** C12: played where the operator's policy is asked. */
const consent: readonly DeviceCommand[] = [
  consented(0),
  consented(1),
  consented(2),
  { ...confirm(OTHER_CUSTOMER, OTHER_SECRET), consentIn: 0 },
  { ...byKit(CUSTOMER, 0), consentIn: 0 },
  { ...byKit(CUSTOMER, 1), consentIn: 0 },
  saveServerKey(NOW + 11, OTHER_SECRET),
];

const gives = (epoch: number, customerId = CUSTOMER, secretDigest = SECRET): DeviceCommand => ({
  ...confirm(customerId, secretDigest),
  consentIn: epoch,
  attributes: { plan: 'gold', colour: 'green' },
});

/** C12: attributes that the operator's policy gave. */
const giving: readonly DeviceCommand[] = [
  gives(0),
  gives(1, OTHER_CUSTOMER),
  gives(1, OTHER_CUSTOMER, OTHER_SECRET),
  { ...byKit(CUSTOMER, 0), consentIn: 0, attributes: { plan: { until: 7 } } },
  complete(OTHER_CUSTOMER, 1),
  save({ colour: 'red' }),
  { ...save({ colour: 'blue' }), customerId: CUSTOMER },
  deleteAttributes('plan'),
  { ...deleteAttributes('plan', 'colour'), customerId: CUSTOMER },
];

const takingOver: readonly DeviceCommand[] = [
  offer(TO_OTHER),
  acceptOffer(OTHER_CUSTOMER),
  initiate(10, OTHER_SECRET),
  byGateway(TENANT),
  confirm(OTHER_CUSTOMER, SECRET),
  confirm(OTHER_CUSTOMER, OTHER_SECRET),
  { ...initiate(10), secretLength: 0 },
  complete(OTHER_CUSTOMER, 1),
  { ...complete(OTHER_CUSTOMER, 1), newcomerStands: false },
  complete(CUSTOMER, 2),
  complete(CUSTOMER, 3),
  endTakeOver(CUSTOMER),
  endTakeOver(OTHER_CUSTOMER),
  endTakeOver(null),
  { ...endTakeOver(null), tenantId: OTHER_TENANT },
  { ...endTakeOver(CUSTOMER), inEpochs: [1] },
  save({ claimingAllowed: true }),
  save({ claimingAllowed: false }),
  saveServerKey(NOW + 10, SECRET),
];

const resetting: readonly DeviceCommand[] = [
  reset(10),
  reset(0.5),
  { ...reset(10), isRedelivery: true },
  { ...byGateway(TENANT), type: 'ResetDevice', isRedelivery: false },
  { ...byGateway(OTHER_TENANT), type: 'ResetDevice', isRedelivery: false },
  { ...reset(10), openedBy: { type: 'device', credentialsId: OTHER_TOKEN.credentialsId } },
  save({ claimingAllowed: false }),
  deleteAttributes('claimingAllowed'),
];

const kits: readonly DeviceCommand[] = [
  byKit(CUSTOMER, 0),
  byKit(OTHER_CUSTOMER, 0),
  byKit(CUSTOMER, 1),
  { ...byKit(CUSTOMER, 0), tenantId: OTHER_TENANT } as DeviceCommand,
  confirm(OTHER_CUSTOMER, SECRET),
  saveServerKey(NOW + 11, SECRET),
  save({ claimingAllowed: true }),
  save({ claimingAllowed: false }),
  deleteAttributes('claimingAllowed'),
];

/** What the tenant writes stays, what the owner writes goes with it. */
const writings: readonly DeviceCommand[] = [
  save({ colour: 'red' }),
  { ...save({ colour: 'blue' }), customerId: CUSTOMER },
  { ...save({ colour: 'blue' }), customerId: OTHER_CUSTOMER },
  { ...save({ claimingAllowed: true }), customerId: CUSTOMER },
  deleteAttributes('colour'),
  { ...deleteAttributes('colour'), customerId: CUSTOMER },
  { ...deleteAttributes('claimingData'), customerId: CUSTOMER },
  { ...rename, customerId: CUSTOMER },
  { ...rename, name: 'Pump 1', deviceType: 'default', additionalInfo: null, customerId: CUSTOMER },
  assign(CUSTOMER),
  initiate(10),
  confirm(OTHER_CUSTOMER, SECRET),
];

/** Messages that waited: two of them for long. */
const late: readonly DeviceCommand[] = [
  provision(),
  save({ claimingAllowed: true }),
  initiate(10),
  ...[NOW - 2_000, NOW - 1_500, NOW - 1].map((arrivedAt) => ({ ...initiate(10, OTHER_SECRET), arrivedAt })),
  confirm(CUSTOMER, SECRET),
  confirm(CUSTOMER, OTHER_SECRET),
  reclaim(CUSTOMER),
  reclaim(null),
  expire,
  remove,
];

const THEMES: Readonly<Record<string, readonly DeviceCommand[]>> = {
  claiming,
  gateways,
  late,
  transfer,
  proof,
  credentials,
  consent,
  giving,
  takingOver,
  resetting,
  kits,
  writings,
};

/** Under which ownership rules a theme is played too, beside the defaults. */
const RULES: Readonly<Record<string, readonly Partial<OwnershipRules>[]>> = {
  proof: [
    { claimProof: 'required' },
    { claimProof: 'none' },
    { takeOver: 'at-once', takeOverRequires: 'proof' },
  ],
  giving: [{ takeOver: 'at-once' }, { takeOver: 'after-notice', takeOverNoticeMs: 1 }],
  credentials: [{ onOwnerChange: 'rotate', rotationGraceMs: 9 }, { onOwnerChange: 'quarantine' }],
  transfer: [{ onOwnerChange: 'rotate', rotationGraceMs: 9 }, { transfer: 'never' }],
  takingOver: [
    { takeOver: 'after-notice', takeOverNoticeMs: 1 },
    { takeOver: 'at-once' },
    { takeOver: 'at-once', claimProof: 'required' },
    { takeOver: 'at-once', onOwnerChange: 'quarantine' },
  ],
  resetting: [
    { deviceReset: 'release' },
    { deviceReset: 'release-and-open' },
    { deviceReset: 'release-and-open', onOwnerChange: 'rotate', rotationGraceMs: 9 },
  ],
  kits: [{ claimProof: 'required' }],
  writings: [{ takeOver: 'at-once' }],
};

interface Asked {
  readonly command: DeviceCommand;
  readonly at: Instant;
}

/** Commands that are answered the same at every instant: they come at the first and the last. */
const TIMELESS: ReadonlySet<DeviceCommand['type']> = new Set([
  'ReclaimDevice',
  'AssignDevice',
  'UnassignDevice',
  'UpdateDevice',
  'ChangeCredentials',
  'DeleteAttributes',
  'DeleteDevice',
  'DeclineOffer',
  'WithdrawOffer',
]);

function instantsOf({ type }: DeviceCommand): readonly Instant[] {
  if (type === 'ProvisionDevice') return [NOW]; // later ones show nothing new
  if (type === 'ResetDevice') return [...INSTANTS, AN_HOUR_LATER];
  return TIMELESS.has(type) ? [NOW, Math.max(...INSTANTS)] : INSTANTS;
}

/** Every command at every instant that may make a difference. */
function asked(commands: readonly DeviceCommand[]): readonly Asked[] {
  const distinct = new Map(commands.map((command) => [JSON.stringify(command), command]));
  return [...distinct.values()].flatMap((command) =>
    instantsOf(command).map((at) => ({ command: freeze(command), at })),
  );
}

/** What the defaults leave out. */
const ALL_AT_WORK: Partial<OwnershipRules> = {
  takeOver: 'after-notice',
  takeOverNoticeMs: 1,
  deviceReset: 'release-and-open',
};

function policyOf(of: ClaimPolicy, ownership: Partial<OwnershipRules> = {}): ClaimPolicy {
  return { ...of, defaultDurationMs: 9, ownership: { ...DEFAULT_OWNERSHIP_RULES, ...ownership } };
}

const POLICIES: Readonly<Record<string, ClaimPolicy>> = {
  'claimed by default': policyOf(OPEN_POLICY),
  'claimed only where allowed': policyOf(STRICT_POLICY),
};

/** Members that are told and that no rule reads. */
const NEVER_READ: ReadonlySet<string> = new Set([
  'createdAt',
  'evidence',
  'handovers',
  'recentHandovers',
  'since',
  'openedAt',
  'savedAt',
  'offeredAt',
  'credentialsEpoch',
  'askedAt',
]);
/** No command here names this owner epoch or a later one. */
const UNNAMED_EPOCH = 4;
/** Later than every command: of what is due after the last of them, it makes no difference when. */
const LATER = AN_HOUR_LATER + 1;

/** What a rule may tell a state by: equal for two states that will answer every sequence of commands alike. */
function essenceOf(state: DeviceState | Refused): string {
  return JSON.stringify(state, (member, value) => {
    if (NEVER_READ.has(member)) return undefined;
    // A window that waits for approval is called by it.
    if (member === 'pendingWindow') return { ...value, name: value.openedAt };
    if (member === 'ownerEpoch' || member === 'inEpoch') return Math.min(value, UNNAMED_EPOCH);
    return typeof value === 'number' ? Math.min(value, LATER) : value;
  });
}

/** A refusal may tell the epoch. */
type Refused = Extract<ReturnType<DeviceDecider['decide']>, { readonly type: 'refuse' }>;

/** One of so many states that were left out is compared with the state that stands for it. */
const COMPARED = 64;

/** Throws where two states answer differently that are taken for one. */
function compare(decider: DeviceDecider, alphabet: readonly Asked[], a: DeviceState, b: DeviceState): void {
  for (const { command, at } of alphabet) {
    const [ofA, ofB] = [a, b].map((state) => {
      const decision = decider.decide(state, command, at);
      if (decision.type === 'refuse') return essenceOf(decision);
      if (decision.type === 'ignore') return 'ignore';
      return `${decision.event.type} ${essenceOf(evolve(state, decision.event))}`;
    });
    assert.is(ofA, ofB, `essenceOf leaves out what a rule reads: ${JSON.stringify([a, b, command, at])}`);
  }
}

interface Coverage {
  states: number;
  steps: number;
  events: number;
  /** States that were left out and compared with the one that stands for them. */
  compared: number;
  /** The length of the longest sequence that led to a new state. */
  longest: number;
  /** Whether the walk came to its end, or to the depth it was given. */
  isWhole: boolean;
}

/** Walks through everything that can happen to a device, within `depth` steps. */
function enumerate(policy: ClaimPolicy, alphabet: readonly Asked[], depth: number): Coverage {
  const decider = withFreshCredentials(policy);
  const covered: Coverage = { states: 0, steps: 0, events: 0, compared: 0, longest: 0, isWhole: true };
  const seen = new Map(STARTS.map((state) => [essenceOf(state), state]));
  const texts = new Set(STARTS.map(encodeState));
  let leftOut = 0;
  let level = STARTS.map(freeze);

  /** Whether it is new; if not, it is compared with its like now and then. */
  function isNew(state: DeviceState): boolean {
    const text = textOf(state);
    if (texts.has(text)) return false;
    texts.add(text);
    const essence = essenceOf(state);
    const like = seen.get(essence);
    if (like === undefined) {
      seen.set(essence, state);
      return true;
    }
    if (leftOut++ % COMPARED === 0) {
      compare(decider, alphabet, like, state);
      covered.compared += 1;
    }
    return false;
  }

  for (let length = 0; level.length > 0; length++) {
    covered.states += level.length;
    covered.longest = length;
    for (const state of level) check(stateLaws, state);
    const tooMany = covered.steps + level.length * alphabet.length > STEPS_MAX;
    if (length === depth || tooMany) {
      covered.isWhole = !tooMany;
      break;
    }

    const reached: DeviceState[] = [];
    for (const before of level) {
      for (const { command, at } of alphabet) {
        const decision = decider.decide(before, command, at);
        const after = decision.type === 'accept' ? evolve(before, decision.event) : before;
        check(stepLaws, { policy, before, command, at, decision, after });
        covered.steps += 1;
        if (decision.type !== 'accept') continue;
        check(eventLaws, before, decision.event, after);
        covered.events += 1;
        if (isNew(after)) reached.push(freeze(after));
      }
    }
    level = reached;
  }
  return covered;
}

const STARTS: readonly DeviceState[] = [absentDevice, evolve(absentDevice, { ...provisioned, at: NOW })];

const lengthOf = ({ isWhole, longest }: Coverage) => (isWhole ? 'any length' : `up to ${longest}`);

function tell(what: string, alphabet: readonly Asked[], covered: Coverage): void {
  const { states, steps, events, compared, longest } = covered;
  process.stdout.write(
    `\n# ${what}, of ${alphabet.length} commands at instants: ${states} states, the last after ${longest} steps; ` +
      `${steps} steps and ${events} events checked; ${compared} states compared with their like\n`,
  );
}

for (const [words, policy] of Object.entries(POLICIES)) {
  for (const [theme, commands] of Object.entries(THEMES)) {
    for (const rules of [{}, ...(RULES[theme] ?? [])]) {
      const also = Object.entries(rules).map(([rule, value]) => `, ${rule}: ${value}`);
      test(`device: ${words}${also}: every law holds at every step of every sequence: ${theme}`, () => {
        const alphabet = asked([...CORE, ...commands]);
        const played = { ...policyOf(policy, rules), asksConsent: theme === 'consent' || theme === 'giving' };
        const covered = enumerate(played, alphabet, Number.POSITIVE_INFINITY);
        tell(`${words}${also}, ${theme}: every sequence of ${lengthOf(covered)}`, alphabet, covered);
        assert.ok(covered.states > 20 && covered.events > 200 && covered.compared > 0, 'it tells little');
      });
    }
  }

  for (const rules of [{}, ALL_AT_WORK]) {
    const also = Object.entries(rules).map(([rule, value]) => `, ${rule}: ${value}`);
    test(`device: ${words}${also}: every law holds at every step of short sequences of everything together`, () => {
      const alphabet = asked([...CORE, ...Object.values(THEMES).flat()]);
      const covered = enumerate(policyOf(policy, rules), alphabet, TOGETHER);
      tell(
        `${words}${also}, all themes together: every sequence of up to ${covered.longest}`,
        alphabet,
        covered,
      );
      assert.ok(covered.states > 100 && covered.events > 1_000, 'it tells little');
    });
  }
}

test.run();
