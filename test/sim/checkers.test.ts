/**
 * The checkers themselves, on histories written by hand: good ones, some of them strange, must pass all of them; bad ones
 * must be caught, by the checker whose matter it is. A checker that never objects is worth nothing.
 */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CustomerId, TenantId, UserId } from '../../actors/base/ids.ts';
import type { CredentialsId } from '../../actors/base/secret.ts';
import type { DeviceEvent } from '../../actors/device/device.ts';
import { DEFAULT_OWNERSHIP_RULES } from '../../actors/device/ownership-rules.ts';
import type { Durable, Ending, History, Operation, Outcome, Request, Rules, Seen } from './history.ts';
import { CHECKERS } from './run.ts';

const RULES: Rules = {
  allowClaimingByDefault: true,
  onOwnerChange: 'keep',
  rotationGraceMs: 60_000,
  defaultDurationMs: 1000,
  maxDurationMs: 0,
  maxAttributeBytes: 2048,
  ownership: DEFAULT_OWNERSHIP_RULES,
  asksConsent: false,
  askTimeoutMs: 1000,
  clockSlackMs: 0,
};

const TENANT = 'tenant-1';
const NEW: Seen = {
  tenant: TENANT,
  name: 'd',
  token: 't',
  owner: null,
  epoch: 0,
  next: null,
  quarantined: false,
  known: false,
  window: null,
  offer: null,
  pending: null,
  key: null,
  allowed: null,
  given: null,
  challenges: [],
  takeOver: null,
  lastResetAt: null,
};

/** A history of one device, told step by step. It begins with the device provisioned at 0 ms. */
class Story {
  readonly #operations: { -readonly [Key in keyof Operation]: Operation[Key] }[] = [];
  readonly #log: Durable[] = [];
  readonly #rules: Rules;
  #step = 0;
  #now = 0;
  head: Seen | null = null;

  constructor(rules: Partial<Rules> = {}) {
    this.#rules = { ...RULES, ...rules };
    const born = this.ask({
      type: 'provision',
      tenant: TENANT,
      name: 'd',
      token: 't',
      customer: null,
      via: null,
    });
    this.append(provisioned, NEW).accept(born);
  }

  at(ms: number): this {
    this.#now = ms;
    return this;
  }

  ask(request: Request, node = 'A1'): number {
    const id = this.#operations.length;
    const called = { step: ++this.#step, at: this.#now };
    this.#operations.push({ id, device: 'd', node, skewMs: 0, request, called, ended: undefined });
    return id;
  }

  end(id: number, outcome: Outcome, waitedMs = 0): this {
    const operation = this.#operations[id];
    if (operation === undefined) throw new RangeError('no such operation');
    operation.ended = { moment: { step: ++this.#step, at: this.#now }, outcome, waitedMs };
    return this;
  }

  /** Ends an operation as accepted, decided now, showing the head (or something else). */
  accept(id: number, seen = this.head): this {
    return this.end(id, { type: 'accepted', at: this.#now, seen });
  }

  refuse(id: number, reason: Extract<Outcome, { type: 'refused' }>['reason']): this {
    return this.end(id, { type: 'refused', reason });
  }

  loseSightOf(id: number): this {
    return this.end(id, { type: 'unknown', why: 'store' });
  }

  append(event: DeviceEvent, head: Seen | null, node = 'A1'): this {
    const sequence = this.#log.length + 1;
    this.head = head;
    this.#log.push({ step: ++this.#step, at: this.#now, device: 'd', node, sequence, event, head });
    return this;
  }

  /** A window opened, stored and answered in one go. */
  open(secret: string, durationMs: number): this {
    const id = this.ask(initiate(secret, durationMs));
    return this.appendWindow(secret, durationMs).accept(id);
  }

  appendWindow(secret: string, durationMs: number, node = 'A1'): this {
    const closesAt = this.#now + durationMs;
    return this.append(
      opened(secret, this.#now, closesAt),
      { ...NEW, epoch: this.head?.epoch ?? 0, window: { secret, closesAt } },
      node,
    );
  }

  /** The ending: by default all that remains is at rest, and no window is left to close. */
  told(ending: Partial<Ending> = {}): History {
    const rest = { at: this.#now, calmSince: this.#now, inFlight: 0, strayIndexes: [], surprises: [] };
    return {
      rules: this.#rules,
      operations: this.#operations,
      log: this.#log,
      secretOf: (digest) => digest.replace('digest of ', ''),
      ending: { ...rest, heads: new Map([['d', this.head]]), ...ending },
    };
  }
}

const provisioned: DeviceEvent = {
  type: 'DeviceProvisioned',
  at: 0,
  tenantId: TENANT as TenantId,
  name: 'd',
  deviceType: 'default',
  label: null,
  additionalInfo: null,
  credentials: { type: 'ACCESS_TOKEN', credentialsId: 't', sealedToken: '***' },
  customerId: null,
};

const initiate = (secret: string, durationMs: number): Request => ({
  type: 'initiate',
  by: { type: 'device', token: 't' },
  secret,
  durationMs,
});
const confirm = (customer: string, secret: string, user = `user of ${customer}`): Request => ({
  type: 'confirm',
  gate: null,
  tenant: TENANT,
  customer,
  user,
  secret,
});
const reclaim = (customer: string | null, user = 'someone'): Request => ({
  type: 'reclaim',
  tenant: TENANT,
  customer,
  user,
});

const opened = (secret: string, at: number, closesAt: number): DeviceEvent => ({
  type: 'ClaimWindowOpened',
  at,
  secretDigest: `digest of ${secret}`,
  closesAt,
  openedBy: 'device',
});
const claimed = (customer: string, at: number): DeviceEvent => ({
  type: 'DeviceClaimed',
  at,
  customerId: customer as CustomerId,
  userId: `user of ${customer}` as UserId,
  claimingAllowedDeleted: false,
});
const assignedTo = (customer: string, at: number): DeviceEvent => ({
  type: 'DeviceAssigned',
  at,
  customerId: customer as CustomerId,
  previousCustomerId: null,
  userId: 'u' as UserId,
});
const reclaimedFrom = (customer: string, at: number): DeviceEvent => ({
  type: 'DeviceReclaimed',
  at,
  previousCustomerId: customer as CustomerId,
  userId: 'someone' as UserId,
  claimingAllowedRestored: false,
});
const nextOf = (token: string, until: number) => ({
  credentials: { type: 'ACCESS_TOKEN', credentialsId: token as CredentialsId, sealedToken: '***' } as const,
  until,
});
const owned = (customer: string, since: number, epoch = 1): Seen => ({
  ...NEW,
  owner: { customer, since, by: 'claim', transfer: null },
  epoch,
});

function lawsBrokenBy(history: History): string[] {
  return [...new Set(CHECKERS.flatMap((check) => check(history)).map(({ law }) => law))].sort();
}

function good(name: string, tell: (story: Story) => History, rules: Partial<Rules> = {}): void {
  test(`checkers: fine: ${name}`, () => {
    const complaints = CHECKERS.flatMap((check) => check(tell(new Story(rules))));
    assert.equal(complaints, []);
  });
}

/** @param law the checker that must object; others may as well */
function bad(name: string, law: string, tell: (story: Story) => History): void {
  test(`checkers: ${law}: ${name}`, () => {
    const laws = lawsBrokenBy(tell(new Story()));
    assert.ok(laws.includes(law), `${law} did not object, only: ${laws.join(', ') || 'nobody'}`);
  });
}

// ---------------------------------------------------------------------------------------------------- good histories

good('a window, a wrong secret, a claim, a rival too late', (story) => {
  story.at(10).open('alpha', 500);
  story.at(20).refuse(story.ask(confirm('bert', 'beta')), 'wrong-secret');
  const anna = story.at(30).ask(confirm('anna', 'alpha'));
  story.append(claimed('anna', 30), owned('anna', 30)).accept(anna);
  return story
    .at(40)
    .refuse(story.ask(confirm('bert', 'alpha')), 'already-claimed')
    .told();
});

good('a claim decided in time and stored after the window ended', (story) => {
  story.at(10).open('alpha', 500);
  const id = story.at(509).ask(confirm('anna', 'alpha'));
  const decided: Outcome = { type: 'accepted', at: 509, seen: owned('anna', 509) };
  return story.at(700).append(claimed('anna', 509), owned('anna', 509)).end(id, decided).told();
});

good('an operation of unknown outcome that happened, and is seen much later', (story) => {
  story.at(10).open('alpha', 5000);
  story.at(20).loseSightOf(story.ask(confirm('anna', 'alpha')));
  story.at(30).end(story.ask({ type: 'read' }), { type: 'read', seen: story.head });
  story.at(40).append(claimed('anna', 20), owned('anna', 20));
  return story
    .at(50)
    .refuse(story.ask(confirm('bert', 'alpha')), 'already-claimed')
    .told();
});

good('an operation of unknown outcome that never happened', (story) => {
  story.at(10).open('alpha', 500);
  story.at(20).loseSightOf(story.ask(confirm('anna', 'alpha')));
  story.at(600).append({ type: 'ClaimWindowExpired', at: 600 }, NEW);
  return story
    .at(700)
    .refuse(story.ask(confirm('bert', 'alpha')), 'no-window')
    .told();
});

good(
  'a device shows its token when the time for the next one is long up, and nobody has recorded that',
  (story) => {
    const owner = { customer: 'bert', since: 10, by: 'assignment', transfer: null } as const;
    const assign = story.at(10).ask({ type: 'assign', tenant: TENANT, customer: 'bert', user: 'u' });
    const assigned = { ...assignedTo('bert', 10), nextCredentials: nextOf('second', 60_010) };
    const FIRST: Seen = { ...NEW, owner, epoch: 1, next: { token: 'second', until: 60_010 } };
    story.append(assigned, FIRST).accept(assign);
    story
      .at(60_020)
      .append(
        { type: 'CredentialsRotated', at: 60_020, by: 'grace' },
        { ...FIRST, token: 'second', next: null },
      );

    // Whether it was given back is not known, so neither is which of the two was the present one then.
    const back = story.at(60_030).ask(reclaim(null));
    const next = { token: 'third', until: 120_030 };
    const FREE: Seen = { ...NEW, epoch: 2, token: 'second', next };
    const reclaimed = { ...reclaimedFrom('bert', 60_030), nextCredentials: nextOf('third', 120_030) };
    story.append(reclaimed, FREE).loseSightOf(back);
    return story
      .at(200_000)
      .accept(story.ask({ type: 'adopt', token: 'second' }), FREE)
      .told();
  },
  { onOwnerChange: 'rotate' },
);

good('what would have changed nothing early changed something late', (story) => {
  // The reclaim overlaps the assignment, and only after it does the initiation fit.
  const assign = story.at(10).ask({ type: 'assign', tenant: TENANT, customer: 'bert', user: 'u' });
  const back = story.ask(reclaim(null));
  const open = story.ask(initiate('alpha', 500));
  const held: Seen = {
    ...NEW,
    owner: { customer: 'bert', since: 10, by: 'assignment', transfer: null },
    epoch: 1,
  };
  story.append(assignedTo('bert', 10), held).accept(assign);
  const FREE_AGAIN: Seen = { ...NEW, epoch: 2 };
  story.append(reclaimedFrom('bert', 10), FREE_AGAIN).accept(back);
  return story.appendWindow('alpha', 500).accept(open).told();
});

good('giving back what nobody owns needs no event, and closes nothing', (story) => {
  story.at(10).open('alpha', 500);
  return story
    .at(20)
    .accept(story.ask(reclaim('anna')))
    .told();
});

good('a refusal that was true when it was decided, and no longer when it arrived', (story) => {
  const late = story.at(10).ask(confirm('anna', 'alpha'), 'B1');
  story.at(20).open('alpha', 500);
  return story.at(30).refuse(late, 'no-window').told();
});

good('an elapsed window reads as elapsed, whether or not its expiry is recorded', (story) => {
  story.at(10).open('alpha', 500);
  story.at(510).refuse(story.ask(confirm('anna', 'alpha')), 'window-elapsed');
  story.append({ type: 'ClaimWindowExpired', at: 510 }, NEW);
  return story
    .at(520)
    .refuse(story.ask(confirm('anna', 'alpha')), 'no-window')
    .told();
});

// ----------------------------------------------------------------------------------------------------- bad histories

bad('two customers claim the same window', 'ownership', (story) => {
  story.at(10).open('alpha', 500);
  const anna = story.at(20).ask(confirm('anna', 'alpha'), 'A1');
  const bert = story.ask(confirm('bert', 'alpha'), 'B1');
  story.append(claimed('anna', 20), owned('anna', 20)).accept(anna);
  return story.append(claimed('bert', 20), owned('bert', 20), 'B1').accept(bert).told();
});

bad('two customers hear that they own the device', 'linearizable', (story) => {
  story.at(10).open('alpha', 500);
  const anna = story.at(20).ask(confirm('anna', 'alpha'));
  const bert = story.ask(confirm('bert', 'alpha'));
  story.append(claimed('anna', 20), owned('anna', 20)).accept(anna);
  return story.accept(bert, owned('bert', 20)).told();
});

bad('the owner changes without an event', 'ownership', (story) => {
  const id = story.at(10).ask(initiate('alpha', 500));
  const window = { secret: 'alpha', closesAt: 510 };
  return story
    .append(opened('alpha', 10, 510), { ...owned('anna', 10), window })
    .accept(id)
    .told();
});

bad('an accepted window is nowhere in the log', 'acknowledged', (story) => {
  const id = story.at(10).ask(initiate('alpha', 500));
  return story.accept(id, { ...NEW, window: { secret: 'alpha', closesAt: 510 } }).told();
});

bad('an answer comes before its event is durable', 'acknowledged', (story) => {
  const id = story.at(10).ask(initiate('alpha', 500));
  story.accept(id, { ...NEW, window: { secret: 'alpha', closesAt: 510 } });
  return story.appendWindow('alpha', 500).told();
});

bad('one request is carried out twice', 'acknowledged', (story) => {
  const id = story.at(10).ask(initiate('alpha', 500));
  return story.appendWindow('alpha', 500).appendWindow('alpha', 500).accept(id).told();
});

bad('something happens that was refused', 'acknowledged', (story) => {
  story.at(10).open('alpha', 500);
  const id = story.at(20).ask(confirm('anna', 'alpha'));
  return story.append(claimed('anna', 20), owned('anna', 20)).refuse(id, 'wrong-secret').told();
});

bad('something happens before it was asked', 'acknowledged', (story) => {
  story.at(10).open('alpha', 500);
  story.at(20).append(claimed('anna', 20), owned('anna', 20));
  return story.accept(story.ask(confirm('anna', 'alpha'))).told();
});

bad('what one node was asked is done by another', 'acknowledged', (story) => {
  const id = story.at(10).ask(initiate('alpha', 500), 'B1');
  return story.appendWindow('alpha', 500, 'A1').accept(id).told();
});

bad('a claim at the very instant at which the window closes', 'expiry', (story) => {
  story.at(10).open('alpha', 500);
  const id = story.at(510).ask(confirm('anna', 'alpha'));
  return story.append(claimed('anna', 510), owned('anna', 510)).accept(id).told();
});

bad('a claim with a wrong secret, though nobody heard of it', 'expiry', (story) => {
  story.at(10).open('alpha', 500);
  const id = story.at(20).ask(confirm('anna', 'beta'));
  return story.append(claimed('anna', 20), owned('anna', 20)).loseSightOf(id).told();
});

bad('a claim with no window open', 'expiry', (story) => {
  const id = story.at(20).ask(confirm('anna', 'alpha'));
  return story.append(claimed('anna', 20), owned('anna', 20)).accept(id).told();
});

bad('a window is closed as elapsed a moment early', 'expiry', (story) => {
  story.at(10).open('alpha', 500);
  return story.at(509).append({ type: 'ClaimWindowExpired', at: 509 }, NEW).told();
});

bad('a refusal on a state that was overtaken before the question', 'refusals', (story) => {
  story.at(10).open('alpha', 500);
  return story
    .at(20)
    .refuse(story.ask(confirm('anna', 'alpha'), 'B1'), 'no-window')
    .told();
});

bad('a read of a state that was overtaken before the question', 'refusals', (story) => {
  story.at(10).open('alpha', 500);
  return story
    .at(20)
    .end(story.ask({ type: 'read' }, 'B1'), { type: 'read', seen: NEW })
    .told();
});

bad('a name refused as taken that nobody holds', 'refusals', (story) => {
  const rename: Request = { type: 'rename', tenant: TENANT, customer: null, name: 'e' };
  return story.refuse(story.at(10).ask(rename), 'name-taken').told();
});

bad('a read goes back behind what was read before', 'linearizable', (story) => {
  const open = story.at(10).ask(initiate('alpha', 500));
  const window = { secret: 'alpha', closesAt: 510 };
  story.end(story.ask({ type: 'read' }), { type: 'read', seen: { ...NEW, window } });
  story.end(story.ask({ type: 'read' }), { type: 'read', seen: NEW });
  return story.appendWindow('alpha', 500).accept(open).told();
});

bad('an unknown outcome is no licence to have happened before it was asked', 'linearizable', (story) => {
  story.at(10).open('alpha', 500);
  const early = story.at(20).ask(confirm('bert', 'alpha'));
  story.refuse(early, 'already-claimed');
  story.loseSightOf(story.at(30).ask(confirm('anna', 'alpha')));
  return story.append(claimed('anna', 30), owned('anna', 30)).told();
});

bad('a wrong secret closes the window', 'linearizable', (story) => {
  story.at(10).open('alpha', 500);
  story.at(20).refuse(story.ask(confirm('bert', 'beta')), 'wrong-secret');
  return story
    .at(30)
    .refuse(story.ask(confirm('anna', 'alpha')), 'no-window')
    .told();
});

bad('the owner changes, and the epoch does not', 'linearizable', (story) => {
  story.at(10).open('alpha', 500);
  const anna = story.at(20).ask(confirm('anna', 'alpha'));
  return story
    .append(claimed('anna', 20), owned('anna', 20, 0))
    .accept(anna)
    .told();
});

bad("a customer takes back another customer's device", 'linearizable', (story) => {
  story.at(10).open('alpha', 500);
  const anna = story.at(20).ask(confirm('anna', 'alpha'));
  story.append(claimed('anna', 20), owned('anna', 20)).accept(anna);
  return story
    .at(30)
    .accept(story.ask(reclaim('bert')), NEW)
    .told();
});

bad('an answer overtakes another of the same node', 'ordered', (story) => {
  const first = story.at(10).ask(initiate('alpha', 500));
  const second = story.ask(initiate('beta', 400));
  story.appendWindow('beta', 400).accept(second);
  return story.appendWindow('alpha', 500).accept(first).told();
});

bad('a question is never answered', 'settled', (story) => {
  story.at(10).ask({ type: 'read' });
  return story.told();
});

bad('a command is answered long after its time limit', 'settled', (story) => {
  const id = story.at(10).ask(confirm('anna', ''));
  return story.at(9000).end(id, { type: 'unknown', why: 'timeout' }, 8990).told();
});

bad('an elapsed window is never closed', 'settled', (story) => {
  story.at(10).open('alpha', 500);
  return story.at(5000).told({ calmSince: 600 });
});

bad('a head is not what its events add up to', 'settled', (story) => {
  story.at(10).open('alpha', 500);
  return story.told({ heads: new Map([['d', NEW]]) });
});

bad('a node thinks that something is still under way', 'settled', (story) => story.told({ inFlight: 1 }));

bad('an index points to nothing', 'settled', (story) => story.told({ strayIndexes: ['d is not found'] }));

bad('an error that nobody injected', 'settled', (story) => story.told({ surprises: ['a bug'] }));

test.run();
