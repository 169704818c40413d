/** The rules of handing over (actors/device/RULES.md, H1 to H5), each by examples over the pure machine. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceEvent } from '../../actors/device/device.ts';
import { devicePersistence } from '../../actors/device/persistence.ts';
import { ownerEpochOf } from '../../actors/device/state.ts';
import {
  ADDRESS,
  ADMIN,
  acceptOffer,
  assign,
  CODE,
  CUSTOMER,
  claimed,
  declineOffer,
  deleteAttributes,
  expire,
  given,
  NOW,
  OPEN_POLICY,
  OTHER_CUSTOMER,
  OTHER_TENANT,
  OTHER_TRANSFER,
  offer,
  offered,
  reclaim,
  remove,
  save,
  saved,
  TO_ADDRESS,
  TO_CODE,
  TO_OTHER,
  TRANSFER,
  USER,
  unassign,
  withdrawOffer,
} from '../kit/given.ts';

const law = (rule: string, words: string, check: () => void) => test(`device: ${rule}: ${words}`, check);

const LATER = NOW + 1_000;
const owned = given(OPEN_POLICY, claimed());
const open = (to = TO_OTHER) => given(OPEN_POLICY, claimed(), offered(to, LATER));

law('H1', 'the owner offers its device, and nobody else does', () => {
  owned.when(offer(TO_OTHER, 1_000)).gives({
    type: 'DeviceOffered',
    at: NOW,
    transferId: TRANSFER,
    to: TO_OTHER,
    expiresAt: LATER,
    customerId: CUSTOMER,
    userId: USER,
  });
  owned.when(offer(TO_OTHER, 1_000, OTHER_CUSTOMER)).refused('not-owner');
  given(OPEN_POLICY).when(offer(TO_OTHER)).refused('not-owner');
  owned.when({ ...offer(TO_OTHER), tenantId: OTHER_TENANT }).refused('unknown-device');
});

law('H1', 'there is one offer at a time: a new one ends the one before it', () => {
  const again = open(TO_CODE).when({ ...offer(TO_OTHER), transferId: OTHER_TRANSFER }).state;
  assert.ok(again.status === 'provisioned');
  assert.equal([again.offer?.transferId, again.offer?.to], [OTHER_TRANSFER, TO_OTHER]);
});

law('H1', 'an offer has an end that can be written down', () => {
  for (const durationMs of [0, -1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER]) {
    owned.when(offer(TO_OTHER, durationMs)).refused('duration-out-of-range');
  }
});

law('R5', 'an offer may name owner epochs, and holds in no other', () => {
  owned.when({ ...offer(TO_OTHER), inEpochs: [1] }).happened('DeviceOffered');
  owned.when({ ...offer(TO_OTHER), inEpochs: [0, 2] }).refused('epoch-changed');
});

law(
  'H2',
  'accepting makes one event, with the next epoch, and nobody else owns the device in between',
  () => {
    const then = open().when(acceptOffer());
    then.gives({
      type: 'DeviceTransferred',
      at: NOW,
      transferId: TRANSFER,
      previousCustomerId: CUSTOMER,
      customerId: OTHER_CUSTOMER,
      userId: USER,
      ownerEpoch: 2,
    });
    const device = then.happened('DeviceTransferred');
    assert.equal(device.owner, {
      customerId: OTHER_CUSTOMER,
      since: NOW,
      by: 'transfer',
      transferId: TRANSFER,
    });
    assert.is(device.offer, undefined);
  },
);

law('H2', 'who accepted and asks again hears that it is so; an offer is accepted once', () => {
  const after = given(OPEN_POLICY, claimed(), offered(TO_CODE, LATER), transferred());
  after.when(acceptOffer(OTHER_CUSTOMER, CODE)).ignored();
  after.when(acceptOffer(CUSTOMER, CODE)).refused('no-offer');
  const returned = given(OPEN_POLICY, claimed(), offered(TO_CODE, LATER), transferred(), {
    ...claimedBack(),
    previousCustomerId: OTHER_CUSTOMER,
  });
  returned.when(acceptOffer(OTHER_CUSTOMER, CODE)).refused('no-offer');
});

law('H3', 'an offer is for the customer it names, the user of the address, or who knows the code', () => {
  open().when(acceptOffer()).happened('DeviceTransferred');
  open(TO_CODE).when(acceptOffer(OTHER_CUSTOMER, CODE)).happened('DeviceTransferred');
  open(TO_ADDRESS)
    .when({ ...acceptOffer(), addressDigest: ADDRESS })
    .happened('DeviceTransferred');
});

law('H3', 'to everybody else it is as if there were none', () => {
  const strangers = [
    open().when(acceptOffer(CUSTOMER, CODE)),
    open(TO_CODE).when(acceptOffer(OTHER_CUSTOMER, 'digest-of-a-guess')),
    open(TO_CODE).when(acceptOffer()),
    open(TO_ADDRESS).when(acceptOffer(OTHER_CUSTOMER, CODE)),
    open(TO_ADDRESS).when({ ...acceptOffer(), addressDigest: CODE }),
    open().when({ ...acceptOffer(), transferId: OTHER_TRANSFER }),
    open().when(declineOffer(CUSTOMER)),
    open(TO_CODE).when(declineOffer()),
    owned.when(acceptOffer()),
    given(OPEN_POLICY).when(acceptOffer()),
  ];
  for (const then of strangers) assert.equal(then.refused('no-offer'), { reason: 'no-offer' });
});

law('H3', 'the owner cannot take its own offer', () => {
  open(TO_CODE).when(acceptOffer(CUSTOMER, CODE)).refused('already-claimed');
});

law('H4', 'the instant decides: at its end an offer is over, also before any timer says so', () => {
  open()
    .when(acceptOffer(), LATER - 1)
    .happened('DeviceTransferred');
  open().when(acceptOffer(), LATER).refused('offer-elapsed');
  open(TO_CODE).when(acceptOffer(), LATER).refused('no-offer');
});

law('H4', 'the alarm ends it, never early, and wipes its digests', () => {
  const { state } = open(TO_CODE);
  assert.is(devicePersistence.alarmAt(state), LATER);
  open(TO_CODE)
    .when(expire, LATER - 1)
    .ignored();
  const then = open(TO_CODE).when(expire, LATER);
  then.gives({ type: 'OfferExpired', at: LATER, transferId: TRANSFER });
  assert.not.match(JSON.stringify(then.state), CODE);
  assert.is(devicePersistence.alarmAt(then.state), null);
});

law('H4', 'it ends when it is declined or withdrawn, by the owner or by the tenant', () => {
  const ends: readonly [ReturnType<typeof declineOffer | typeof withdrawOffer>, DeviceEvent['type']][] = [
    [declineOffer(), 'OfferDeclined'],
    [withdrawOffer(), 'OfferWithdrawn'],
    [withdrawOffer(null), 'OfferWithdrawn'],
  ];
  for (const [command, event] of ends) {
    assert.is(open().when(command).happened(event).offer, undefined);
  }
  open().when(withdrawOffer(OTHER_CUSTOMER)).refused('not-owner');
  owned.when(withdrawOffer()).ignored();
  owned.when(withdrawOffer(null)).ignored();
});

law('H4', 'it ends with the ownership: given back, taken away, assigned, or deleted', () => {
  for (const command of [reclaim(CUSTOMER), reclaim(null), unassign(), assign(OTHER_CUSTOMER), remove]) {
    const { state } = open(TO_CODE).when(command);
    assert.not.match(JSON.stringify(state), CODE);
    assert.is(devicePersistence.alarmAt(state), null);
  }
});

law('O9', 'an offer of an owner before has no effect on the device of the next', () => {
  const next = given(OPEN_POLICY, claimed(), offered(TO_CODE, LATER), claimedBack(), claimed(OTHER_CUSTOMER));
  next.when(acceptOffer(CUSTOMER, CODE)).refused('no-offer');
  assert.is(next.state.status === 'provisioned' && ownerEpochOf(next.state), 3);
});

law(
  'H5',
  'a forbidden device is neither offered nor accepted; its offer waits for when it is allowed again',
  () => {
    const forbidden = saved({ claimingAllowed: false });
    given(OPEN_POLICY, claimed(), forbidden).when(offer(TO_OTHER)).refused('claiming-not-allowed');
    const waiting = given(OPEN_POLICY, claimed(), offered(TO_OTHER, LATER), forbidden);
    waiting.when(acceptOffer()).refused('claiming-not-allowed');
    const free = given(OPEN_POLICY, claimed(), offered(TO_OTHER, LATER)).when(
      save({ claimingAllowed: false }),
    );
    assert.ok(free.state.status === 'provisioned' && free.state.offer !== undefined);
    const allowed = waiting.when(deleteAttributes('claimingAllowed')).state;
    assert.ok(allowed.status === 'provisioned' && allowed.offer !== undefined);
  },
);

law('H5', 'where the profile says never, nothing is offered, and what was offered before waits', () => {
  const ownership = { ...OPEN_POLICY.ownership, transfer: 'never' as const };
  const rented = { ...OPEN_POLICY, ownership };
  given(rented, claimed()).when(offer(TO_OTHER)).refused('claiming-not-allowed');
  given(rented, claimed(), offered(TO_OTHER, LATER)).when(acceptOffer()).refused('claiming-not-allowed');
});

function transferred(): DeviceEvent {
  return {
    type: 'DeviceTransferred',
    at: NOW - 10,
    transferId: TRANSFER,
    previousCustomerId: CUSTOMER,
    customerId: OTHER_CUSTOMER,
    userId: USER,
    ownerEpoch: 2,
  };
}

function claimedBack() {
  return {
    type: 'DeviceReclaimed',
    at: NOW - 5,
    previousCustomerId: CUSTOMER,
    userId: ADMIN,
    claimingAllowedRestored: false,
  } as const;
}

test.run();
