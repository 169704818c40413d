/** Take-overs whose instant has come (N2): what the alarms look up of who asked, and what comes of it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { completingTakeOvers, type Newcomers } from '../../actors/claiming/take-overs.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import { createDeviceDecider } from '../../actors/device/device.ts';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import type { DeviceState } from '../../actors/device/state.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import {
  assign,
  CUSTOMER,
  confirm,
  DEVICE,
  expire,
  given,
  initiate,
  NOW,
  OPEN_POLICY,
  OTHER_CUSTOMER,
} from '../kit/given.ts';

const POLICY: ClaimPolicy = {
  ...OPEN_POLICY,
  ownership: { ...DEFAULT_OWNERSHIP_RULES, takeOver: 'after-notice', takeOverNoticeMs: 0 },
};

/** Who owns the device after its alarm, where the newcomer is found so at each look. */
async function ownerAfter(newcomers: Newcomers, time = NOW): Promise<unknown> {
  const decider = createDeviceDecider(POLICY);
  let state: DeviceState = given(POLICY).state;
  const devices: Pick<Devices, 'ask'> = {
    async ask(_, command) {
      const decision = decider.decide(state, command, NOW);
      if (decision.type === 'refuse') return { type: 'refused', refusal: decision.refusal };
      if (decision.type === 'accept') state = decider.evolve(state, decision.event);
      return { type: 'accepted', state, at: NOW };
    },
  };
  for (const command of [assign(CUSTOMER), initiate(1_000), confirm(OTHER_CUSTOMER)]) {
    await devices.ask(DEVICE, command);
  }
  await completingTakeOvers(devices, newcomers, () => time, silentLog).ask(DEVICE, expire);
  return state.status === 'absent' ? undefined : state.owner?.customerId;
}

/** One answer for each look, the last one for all later. */
const looks = (...answers: readonly boolean[]) => {
  let look = 0;
  return async () => answers[Math.min(look++, answers.length - 1)] === true;
};

test('take-overs: who asked gets the device, and who is gone before it gets nothing', async () => {
  assert.is(await ownerAfter({ stands: looks(true), exists: looks(true) }), OTHER_CUSTOMER);
  assert.is(await ownerAfter({ stands: looks(false), exists: looks(true) }), CUSTOMER);
});

test('take-overs: a clock that was just set forward takes nothing from an owner who may still object', async () => {
  const newcomers = { stands: looks(true), exists: looks(true) };
  assert.is(await ownerAfter(newcomers, NOW - 1), CUSTOMER);
  assert.is(await ownerAfter(newcomers, NOW), OTHER_CUSTOMER);
});

test('take-overs: a customer that is deleted at that moment does not keep the device', async () => {
  assert.is(await ownerAfter({ stands: looks(true), exists: looks(false) }), undefined);
});

test('take-overs: a user who is switched off at that moment takes nothing from the customer', async () => {
  assert.is(await ownerAfter({ stands: looks(true, false), exists: looks(true) }), OTHER_CUSTOMER);
});

test.run();
