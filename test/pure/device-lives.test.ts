/**
 * Long random lives of one device, which show what short ones cannot. Texts, attributes and instants are arbitrary; time
 * may stand still or go back, as a machine's clock does. Every law is checked after every step. At the end of a life the
 * whole journal is replayed from its text and compared with the live state.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../actors/base/json.ts';
import { createDeviceDecider, type DeviceCommand, evolve } from '../../actors/device/device.ts';
import { indexChanges, indexEntries } from '../../actors/device/indexes.ts';
import { decodeEvent, encodeEvent, encodeState } from '../../actors/device/persistence.ts';
import { absentDevice, type DeviceState } from '../../actors/device/state.ts';
import {
  ADDRESS,
  acceptOffer,
  assign,
  CODE,
  CUSTOMER,
  confirm,
  DEVICE,
  declineOffer,
  deleteAttributes,
  expire,
  initiate,
  NOW,
  OPEN_POLICY,
  OTHER_CUSTOMER,
  OTHER_SECRET,
  OTHER_TOKEN,
  OTHER_TRANSFER,
  offer,
  provision,
  reclaim,
  remove,
  SECRET,
  STRICT_POLICY,
  save,
  saveServerKey,
  TENANT,
  TO_ADDRESS,
  TO_CODE,
  TO_OTHER,
  TOKEN,
  TRANSFER,
  unassign,
  withdrawOffer,
} from '../kit/given.ts';
import fc from '../kit/property.ts';
import { check, eventLaws, freeze, stateLaws, stepLaws } from './device-laws.ts';

const LIVES = 400;
const LONGEST = 120;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    'Pump 1',
    'pump 1',
    'PUMP 1',
    'a/b%',
    '\u0000',
    '__proto__',
    'İ',
    '\u{1f600}',
    '\ud800',
    '"\n\\',
  ),
);
const customer = fc.constantFrom(CUSTOMER, OTHER_CUSTOMER);
const party = fc.constantFrom(TO_OTHER, TO_CODE, TO_ADDRESS);
const transfer = fc.constantFrom(TRANSFER, OTHER_TRANSFER);
const customerOrAdmin = fc.constantFrom(CUSTOMER, OTHER_CUSTOMER, null);
const secret = fc.constantFrom(SECRET, OTHER_SECRET);
const token = fc.constantFrom(TOKEN, OTHER_TOKEN);
/** Objects as they come in: parsed from text. */
const object = fc
  .dictionary(text, fc.jsonValue(), { maxKeys: 4 })
  .map((value): JsonObject => JSON.parse(JSON.stringify(value)));
const additionalInfo = fc.option(object);
const attributes = fc.oneof(
  fc.record({ claimingAllowed: fc.constantFrom(true, false, 'true', null) }),
  object,
);

const command: fc.Arbitrary<DeviceCommand> = fc.oneof(
  fc.record({ name: text, additionalInfo, customerId: customerOrAdmin }).map((birth) => ({
    ...provision(),
    ...birth,
  })),
  fc
    .tuple(fc.oneof(fc.integer({ min: -5, max: 200 }), fc.double()), secret, token)
    .map(([durationMs, digest, { credentialsId }]) => ({
      ...initiate(durationMs, digest),
      openedBy: { type: 'device' as const, credentialsId },
    })),
  fc.tuple(customer, secret).map((args) => confirm(...args)),
  customerOrAdmin.map(reclaim),
  customer.map(assign),
  customerOrAdmin.map(unassign),
  fc
    .tuple(party, fc.integer({ min: -5, max: 200 }), customer, transfer)
    .map(([to, durationMs, owner, transferId]) => ({ ...offer(to, durationMs, owner), transferId })),
  fc
    .tuple(customer, fc.option(fc.constant(CODE)), fc.option(fc.constant(ADDRESS)), transfer)
    .map(([who, code, addressDigest, transferId]) => ({
      ...acceptOffer(who, code),
      addressDigest,
      transferId,
    })),
  customer.map(declineOffer),
  customerOrAdmin.map(withdrawOffer),
  fc.constant(expire),
  attributes.map(save),
  fc.tuple(fc.integer({ min: NOW, max: NOW + 1_000 }), secret).map((args) => saveServerKey(...args)),
  fc
    .array(fc.oneof(text, fc.constantFrom('claimingAllowed', 'claimingData')), { maxLength: 3 })
    .map((names) => deleteAttributes(...names)),
  token.map((credentials) => ({ type: 'ChangeCredentials' as const, tenantId: TENANT, credentials })),
  fc
    .record({
      name: text,
      deviceType: text,
      label: fc.option(text),
      additionalInfo,
      customerId: customerOrAdmin,
    })
    .map((fields) => ({ type: 'UpdateDevice' as const, tenantId: TENANT, ...fields })),
  { weight: 1, arbitrary: fc.constant(remove) },
);

const step = fc.record({ command, elapsedMs: fc.integer({ min: -20, max: 100 }) });

const POLICIES = [OPEN_POLICY, STRICT_POLICY].map((policy) => ({ ...policy, maxAttributeBytes: Infinity }));

for (const policy of POLICIES) {
  const words = policy.allowClaimingByDefault ? 'claimed by default' : 'claimed only where allowed';
  test(`device: ${words}: every law holds through long random lives`, () => {
    const decider = createDeviceDecider(policy);
    let events = 0;
    const life = fc.property(fc.array(step, { maxLength: LONGEST, size: 'max' }), (steps) => {
      let state: DeviceState = absentDevice;
      let at = NOW;
      const journal: string[] = [];
      const held = new Set<string>();

      for (const { command, elapsedMs } of [{ command: provision(), elapsedMs: 0 }, ...steps]) {
        at += elapsedMs;
        const before: DeviceState = state;
        const decision = decider.decide(before, freeze(command), at);
        if (decision.type === 'accept') {
          state = freeze(evolve(before, decision.event));
          check(eventLaws, before, decision.event, state);
          check(stateLaws, state);
          journal.push(encodeEvent(decision.event));
          const changes = indexChanges(DEVICE, before, decision.event, state);
          for (const key of changes?.release.unique ?? []) held.delete(key);
          for (const key of changes?.take.unique ?? []) held.add(key);
        }
        check(stepLaws, { policy, before, command, at, decision, after: state });
      }

      const replayed = journal.map(decodeEvent).reduce(evolve, absentDevice as DeviceState);
      assert.is(encodeState(replayed), encodeState(state));
      assert.equal([...held].sort(), [...indexEntries(DEVICE, state).unique].sort());
      events += journal.length;
    });
    fc.assert(life, { numRuns: LIVES, includeErrorInReport: true });
    assert.ok(events > LIVES, 'nothing happened in these lives');
    process.stdout.write(`\n# ${words}: ${LIVES} lives, ${events} events\n`);
  });
}

test.run();
