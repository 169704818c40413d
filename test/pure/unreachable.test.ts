/** An exhaustive switch throws on what no case names: a stored event of a newer version must never become a state. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { entryOfEvent } from '../../actors/audit/entry.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { createDeviceDecider, type DeviceCommand, evolve } from '../../actors/device/device.ts';
import { indexChanges } from '../../actors/device/indexes.ts';
import { decodeEvent } from '../../actors/device/persistence.ts';
import { DEVICE, given, NOW, OPEN_POLICY } from '../kit/given.ts';

const device = given(OPEN_POLICY).state;
/** As read from a journal that a newer version wrote. */
const unknownEvent = decodeEvent('{"v":1,"type":"DevicePainted","at":1,"colour":"a secret colour"}');
const unknownCommand = JSON.parse('{"type":"PaintDevice"}') as DeviceCommand;

test('unreachable: throws and names what it got, by type and keys, without its values', () => {
  const never = (text: string) => JSON.parse(text) as never;
  assert.throws(() => unreachable(never('{"type":"x","token":"t"}')), /^no case for x {type, token}$/);
  assert.throws(() => unreachable(never('{"token":"t"}')), /^no case for {token}$/);
  assert.throws(() => unreachable(never('"other"')), /^no case for other$/);
  assert.throws(() => unreachable(never('null')), /^no case for null$/);
});

test('unreachable: an unknown stored event throws, wherever it is folded, indexed or audited', () => {
  const named = /no case for DevicePainted {type, at, colour}$/;
  assert.throws(() => evolve(device, unknownEvent), named);
  assert.throws(() => indexChanges(DEVICE, device, unknownEvent, device), named);
  assert.throws(() => entryOfEvent(unknownEvent), named);
});

test('unreachable: an unknown command throws', () => {
  const { decide } = createDeviceDecider(OPEN_POLICY);
  assert.throws(() => decide(device, unknownCommand, NOW), /no case for PaintDevice/);
});

test.run();
