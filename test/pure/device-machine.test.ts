/**
 * The whole device machine: every sequence of five commands and instants from a small set, starting with a device that
 * does not exist and with one that was just provisioned, under both policies.
 *
 * A law looks at one transition, so a state that was reached before is not walked through again: the first sequence
 * through it covers all others. What was covered is printed.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ClaimPolicy,
  createDeviceDecider,
  type DeviceCommand,
  evolve,
} from '../../actors/device/device.ts';
import { encodeState } from '../../actors/device/persistence.ts';
import { absentDevice, type DeviceState } from '../../actors/device/state.ts';
import {
  assign,
  CUSTOMER,
  confirm,
  deleteAttributes,
  expire,
  initiate,
  NOW,
  OPEN_POLICY,
  OTHER_CUSTOMER,
  OTHER_SECRET,
  OTHER_TENANT,
  OTHER_TOKEN,
  provision,
  provisioned,
  reclaim,
  remove,
  SECRET,
  STRICT_POLICY,
  save,
  saveServerKey,
  TENANT,
  TOKEN,
  unassign,
} from '../kit/given.ts';
import { check, eventLaws, freeze, stateLaws, stepLaws } from './device-laws.ts';

const DEPTH = 5;

/** A window opened at the first instant for 10 ms is open at the second, and over at the third and the fourth. */
const INSTANTS = [NOW, NOW + 9, NOW + 10, NOW + 11];

const byGateway = (tenantId: typeof TENANT): DeviceCommand => ({
  ...initiate(10),
  openedBy: { type: 'gateway', tenantId },
});

const rename: DeviceCommand = {
  type: 'UpdateDevice',
  tenantId: TENANT,
  customerId: null,
  name: 'PUMP two',
  deviceType: 'pump',
  label: 'second',
  additionalInfo: { gateway: true },
};

const COMMANDS: readonly DeviceCommand[] = [
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

/** Every command at every instant; only provisioning comes at the first instant alone, since later ones show nothing new. */
const ALPHABET = COMMANDS.flatMap((command) =>
  (command.type === 'ProvisionDevice' ? [NOW] : INSTANTS).map((at) => ({ command: freeze(command), at })),
);

const POLICIES: readonly ClaimPolicy[] = [
  { ...OPEN_POLICY, defaultDurationMs: 9 },
  { ...STRICT_POLICY, defaultDurationMs: 9 },
];

interface Coverage {
  states: number;
  steps: number;
  events: number;
}

/** Walks through everything that can happen to a device within `DEPTH` steps. */
function enumerate(policy: ClaimPolicy, starts: readonly DeviceState[]): Coverage {
  const decider = createDeviceDecider(policy);
  const covered: Coverage = { states: 0, steps: 0, events: 0 };
  const seen = new Set(starts.map(encodeState));
  let level = starts.map(freeze);

  for (let depth = 0; ; depth++) {
    covered.states += level.length;
    for (const state of level) check(stateLaws, state);
    if (depth === DEPTH) return covered;

    const reached: DeviceState[] = [];
    for (const before of level) {
      for (const { command, at } of ALPHABET) {
        const decision = decider.decide(before, command, at);
        const after = decision.type === 'accept' ? evolve(before, decision.event) : before;
        check(stepLaws, { policy, before, command, at, decision, after });
        covered.steps += 1;
        if (decision.type !== 'accept') continue;
        check(eventLaws, before, decision.event, after);
        covered.events += 1;
        const text = encodeState(after);
        if (seen.has(text)) continue;
        seen.add(text);
        reached.push(freeze(after));
      }
    }
    level = reached;
  }
}

/** How many sequences of 1 to `DEPTH` steps there are. */
function sequences(): string {
  let sum = 0;
  for (let depth = 1; depth <= DEPTH; depth++) sum += ALPHABET.length ** depth;
  return sum.toExponential(1);
}

const starts = [absentDevice, evolve(absentDevice, { ...provisioned, at: NOW })];

for (const policy of POLICIES) {
  const words = policy.allowClaimingByDefault ? 'claimed by default' : 'claimed only where allowed';
  test(`device: ${words}: every law holds at every step of every sequence, five deep`, () => {
    const { states, steps, events } = enumerate(policy, starts);
    const all = `${starts.length} x ${sequences()} sequences of ${ALPHABET.length} steps`;
    process.stdout.write(
      `\n# ${words}: ${all}: ${states} states, ${steps} steps, ${events} events checked\n`,
    );
    assert.ok(states > 1_000 && events > 100_000, 'the alphabet tells little');
  });
}

test.run();
