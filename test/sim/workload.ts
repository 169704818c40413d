/**
 * The callers: devices and gateways that open windows, rival customers who confirm and give back, tenants who assign,
 * permit, rename, re-key and delete, and strangers of another tenant. Messages take their time, arrive twice or out of
 * order, and are sent again when nobody answered.
 *
 * The callers know what they heard, and use it: a confirm mostly carries the secret that was last accepted, and
 * some arrive just before, at and just after the instant at which a window closes.
 */

import { unreachable } from '../../actors/base/unreachable.ts';
import type { Dice } from '../kit/dice.ts';
import type { Allowed, Gate, Outcome, Party, Request, Seen } from './history.ts';
import { CERTIFICATE } from './history.ts';
import type { Plan } from './plan.ts';
import type { Host, Simulation } from './simulation.ts';

/** Of all tenants: that a gateway is of another tenant is not the point here. */
const GATEWAYS = ['gateway 1', 'gateway 2'];

const TENANTS = ['tenant-1', 'tenant-2'] as const;
const CUSTOMERS: { readonly [tenant: string]: readonly string[] } = {
  'tenant-1': ['anna', 'bert', 'carl'],
  'tenant-2': ['dora', 'emil'],
};
const SECRETS = ['', 'alpha', 'beta', 'gamma'];
const CODES = ['one', 'two'];
const RETRIES_MAX = 4;
/** 40 years: far beyond what a timer can wait. */
const YEARS_MS = 40 * 365 * 86_400_000;

/** Longest wait of a message behind a broker. One that waited for over a second is late (O5). */
const WAIT_MAX_MS = 3_000;

type Initiate = Extract<Request, { readonly type: 'initiate' }>;

/** A device as its callers know it. A slot gets a new device when its last one was deleted. */
interface Slot {
  readonly tenant: string;
  readonly letter: string;
  device: string;
  /** What somebody last heard of it. */
  seen: Seen | null;
  /** The last secret with which a window was opened. */
  secret: string;
  /** The last offer that somebody heard of, which may have ended. */
  offer: Seen['offer'];
  /** The last proofs of possession that customers got out of the device: any may be shown again. */
  proofs: readonly { readonly customer: string; readonly nonce: string; readonly token: string }[];
  provisioning: boolean;
  /** Numbers messages as they are sent, and the highest number that has arrived. */
  sent: number;
  arrived: number;
}

export class Workload {
  readonly #simulation: Simulation;
  readonly #plan: Plan;
  readonly #dice: Dice;
  readonly #ids: Dice;
  readonly #broker: Dice;
  readonly #slots: Slot[];
  #numbers = 0;
  #under = 0;

  constructor(simulation: Simulation, plan: Plan, dice: Dice) {
    this.#simulation = simulation;
    this.#plan = plan;
    this.#dice = dice.fork('workload');
    this.#ids = dice.fork('ids');
    this.#broker = dice.fork('broker');
    const tenants = ['tenant-1', 'tenant-1', 'tenant-2'].slice(0, this.#dice.between(1, 3));
    this.#slots = tenants.map((tenant, at) => ({
      tenant,
      letter: String.fromCharCode(120 + at),
      device: '',
      seen: null,
      secret: '',
      offer: null,
      proofs: [],
      provisioning: false,
      sent: 0,
      arrived: 0,
    }));
  }

  /** True while callers still wait for something. */
  get busy(): boolean {
    return this.#under > 0;
  }

  /** Provisions the devices, then sets out to do everything the plan has. Resolves when all is set out. */
  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#provision(slot)));
    for (let intent = 0; intent < this.#plan.intents; intent++) {
      await this.#simulation.sleep(this.#dice.between(0, this.#plan.pauseMaxMs));
      const slot = this.#dice.pick(this.#slots);
      if (slot.provisioning) continue;
      this.#track(this.#intend(slot));
    }
  }

  /** Something that one or more callers want of a device. */
  async #intend(slot: Slot): Promise<void> {
    const dice = this.#dice;
    const kind = dice.weigh([
      [50, 'one'],
      [5, 'race'],
      [8, 'edge'],
      [5, 'hand-over'],
      [3, 'late-accept'],
      [8, 'take-over'],
      [3, 'reset-again'],
      [2, 'delete'],
    ] as const);
    switch (kind) {
      case 'one':
        return this.#send(slot, this.#anything(slot), 0);
      case 'race':
        await Promise.all(
          customersOf(slot).map((customer) =>
            this.#send(slot, this.#confirm(slot, customer, slot.secret), 0),
          ),
        );
        return;
      case 'edge': {
        const { window, key } = slot.seen ?? { window: null, key: null };
        const [secret, end] =
          window === null ? [key?.secret, key?.expiresAt] : [window.secret, window.closesAt];
        const wait = (end ?? 0) + dice.between(-1, 1) - this.#simulation.clock.now();
        if (secret === undefined || wait < 0 || wait > 5000) return this.#send(slot, this.#open(slot), 0);
        await this.#simulation.sleep(wait);
        return this.#arrive(slot, this.#confirm(slot, dice.pick(customersOf(slot)), secret), slot.sent++, 0);
      }
      case 'hand-over':
        // Offered, and taken by several at once.
        await this.#send(slot, this.#offer(slot.tenant, ownerOf(slot), {}), 0);
        await Promise.all(customersOf(slot).map(() => this.#send(slot, this.#accept(slot, slot.tenant), 0)));
        return;
      case 'late-accept':
        return this.#acceptLate(slot);
      case 'take-over':
        return this.#takeOver(slot);
      case 'reset-again':
        return this.#resetAgain(slot);
      case 'delete':
        await this.#send(slot, { type: 'delete', tenant: slot.tenant }, 0);
        return this.#provision(slot);
      default:
        return unreachable(kind);
    }
  }

  /** The device opens a window although somebody owns it, another claims it; then it is too late, or it is not. */
  async #takeOver(slot: Slot): Promise<void> {
    const dice = this.#dice;
    const { seen, tenant } = slot;
    if (seen === null) return;
    const [owner, newcomer] = [dice.pick(customersOf(slot)), dice.pick(customersOf(slot))];
    const user = this.#number('user');
    if (seen.owner === null) await this.#send(slot, { type: 'assign', tenant, customer: owner, user }, 0);
    const secret = dice.pick(SECRETS.slice(1));
    const by = { type: 'device', token: seen.token } as const;
    await this.#send(slot, { type: 'initiate', by, secret, durationMs: 5_000 }, 0);
    await this.#send(slot, this.#confirm(slot, newcomer, secret), 0);
    const customer = slot.seen?.owner?.customer ?? owner;
    const next = dice.weigh<Request | undefined>([
      [3, undefined],
      [3, { type: 'end-take-over', tenant, customer, user }],
      [3, { type: 'assign', tenant, customer: dice.pick(customersOf(slot)), user }],
    ]);
    if (next !== undefined) await this.#send(slot, next, 0);
  }

  /** One request of any kind but those that end a device. */
  #anything(slot: Slot): Request {
    const dice = this.#dice;
    const { seen } = slot;
    const stranger = TENANTS.find((other) => other !== slot.tenant) ?? slot.tenant;
    const tenant = dice.chance(0.03) ? stranger : slot.tenant;
    const customers = CUSTOMERS[tenant] ?? [];
    const customer = dice.pick(customers);
    const owner = seen?.owner?.customer ?? customer;
    const user = this.#number('user');
    // As last seen, so that what happened since makes it out of date.
    const inEpoch = dice.chance(0.2) ? { inEpochs: [seen?.epoch ?? 0] } : {};

    return dice.weigh<() => Request>([
      [22, () => this.#open(slot)],
      [4, () => this.#reset(slot)],
      [
        3,
        () => ({ type: 'end-take-over', tenant, customer: this.#ender(owner, customer), user, ...inEpoch }),
      ],
      [18, () => this.#confirm({ ...slot, tenant }, customer, this.#guess(slot))],
      [this.#rotates ? 0 : 8, () => this.#challenge(tenant, customer)],
      [this.#rotates ? 0 : 12, () => this.#prove({ ...slot, tenant }, customer)],
      [
        5,
        () => ({
          type: 'kit',
          tenant,
          customer,
          user,
          grantedIn: dice.chance(0.7) ? (seen?.epoch ?? 0) : dice.between(0, 2),
          ...(this.#plan.rules.asksConsent ? { consentIn: seen?.epoch ?? 0, ...this.#gives() } : {}),
        }),
      ],
      [8, () => ({ type: 'reclaim', tenant, customer: owner, user, ...inEpoch })],
      [4, () => ({ type: 'reclaim', tenant, customer, user, ...inEpoch })],
      [4, () => ({ type: 'reclaim', tenant, customer: null, user, ...inEpoch })],
      [4, () => ({ type: 'assign', tenant, customer, user, ...inEpoch })],
      [
        4,
        () => ({
          type: 'unassign',
          tenant,
          customer: dice.chance(0.5) ? null : customer,
          user,
          ...inEpoch,
        }),
      ],
      [9, () => this.#offer(tenant, owner, inEpoch)],
      [12, () => this.#accept(slot, tenant)],
      [
        2,
        () => {
          const { customer: who, ...accept } = this.#accept(slot, tenant);
          return { type: 'decline', tenant, customer: who, user, transfer: accept.transfer };
        },
      ],
      [2, () => ({ type: 'withdraw', tenant, customer: dice.chance(0.3) ? null : owner, user })],
      [8, () => this.#save(tenant, dice.chance(0.15) ? customer : null)],
      [
        3,
        () => ({ type: 'forget', tenant, customer: dice.chance(0.15) ? customer : null, keys: this.#keys() }),
      ],
      [
        2,
        () => ({ type: 'rename', tenant, customer: dice.chance(0.2) ? customer : null, name: this.#name() }),
      ],
      [6, () => ({ type: 'adopt', token: seen?.next?.token ?? seen?.token ?? '' })],
      [4, () => ({ type: 'read-credentials', tenant, customer: dice.chance(0.8) ? owner : customer, user })],
      [
        8,
        () => ({
          type: 'approve',
          tenant,
          user,
          openedAt: (seen?.pending?.openedAt ?? 0) - (dice.chance(0.1) ? 1 : 0),
        }),
      ],
      [2, () => ({ type: 'change-credentials', tenant, token: this.#token(slot) })],
      [8, () => ({ type: 'read' })],
    ])();
  }

  #open(slot: Slot): Request {
    const dice = this.#dice;
    const by =
      dice.chance(0.2) || slot.seen === null
        ? this.#gateway(slot)
        : ({ type: 'device', token: this.#tokenToShow(slot.seen) } as const);
    const durationMs = dice.weigh<() => number>([
      [12, () => dice.between(100, 1500)],
      [4, () => dice.between(1500, 9000)],
      [3, () => dice.pick([0, -1, -60_000])],
      [1, () => 60_000 + dice.between(0, 1)],
      [1, () => YEARS_MS],
      [1, () => dice.pick([Number.MAX_SAFE_INTEGER, Number.MAX_VALUE])],
    ])();
    return { type: 'initiate', by, secret: dice.pick(SECRETS), durationMs };
  }

  /** Mostly the one that works; sometimes the device comes with its old one, or has not yet said that it has the next. */
  #tokenToShow({ token, next }: Seen): string {
    return next !== null && this.#dice.chance(0.3) ? next.token : token;
  }

  /** The device is reset, goes to somebody else, and a reset comes again: another one, or the same. */
  async #resetAgain(slot: Slot): Promise<void> {
    const { tenant } = slot;
    const user = this.#number('user');
    for (const isRedelivery of [false, this.#dice.chance(0.5)]) {
      const customer = this.#dice.pick(customersOf(slot));
      await this.#send(slot, { type: 'assign', tenant, customer, user }, 0);
      if (slot.seen === null) return;
      const by = { type: 'device', token: slot.seen.token } as const;
      const secret = this.#dice.pick(SECRETS);
      await this.#send(slot, { type: 'reset', by, secret, durationMs: 1_000, isRedelivery }, 0);
    }
  }

  #reset(slot: Slot): Request {
    const opening = this.#open(slot);
    return opening.type === 'initiate'
      ? { ...opening, type: 'reset', isRedelivery: this.#dice.chance(0.3) }
      : opening;
  }

  /** The owner objects, the tenant cancels, or anybody tries. */
  #ender(owner: string, anybody: string): string | null {
    return this.#dice.weigh<string | null>([
      [5, owner],
      [2, null],
      [3, anybody],
    ]);
  }

  #gateway(slot: Slot): Extract<Request, { type: 'initiate' }>['by'] {
    const dice = this.#dice;
    const tenant = dice.chance(0.05) ? dice.pick(TENANTS) : slot.tenant;
    if (dice.chance(0.3)) return { type: 'gateway', tenant };
    return { type: 'gateway', tenant, owned: { ...this.#gate(), customer: dice.pick(customersOf(slot)) } };
  }

  #gate(): Gate {
    return { gateway: this.#dice.pick(GATEWAYS), epoch: this.#dice.between(1, 2) };
  }

  #confirm(
    { tenant, seen }: Pick<Slot, 'tenant' | 'seen'>,
    customer: string,
    secret: string,
  ): Request & { readonly type: 'confirm' } {
    const gate = this.#dice.chance(0.5) ? this.#gate() : null;
    const request = { type: 'confirm', tenant, customer, user: this.#number('user'), secret, gate } as const;
    if (!this.#plan.rules.asksConsent || this.#dice.chance(0.1)) return request;
    // As last seen, or a consent that was given earlier and comes late.
    const epoch = seen?.epoch ?? 0;
    const consentIn = this.#dice.chance(0.85) ? epoch : Math.max(0, epoch - 1);
    return { ...request, consentIn, ...this.#gives() };
  }

  /** What the operator gives with its consent: something to every other claim. */
  #gives(): { readonly gives?: number } {
    const number = ++this.#numbers;
    return number % 2 === 0 ? { gives: number } : {};
  }

  /** Mostly under a fresh id; now and then under that of another device. */
  #offer(tenant: string, owner: string, inEpoch: { inEpochs?: number[] }): Request {
    const dice = this.#dice;
    const customer = dice.pick(CUSTOMERS[tenant] ?? []);
    const to = dice.weigh<() => Party>([
      [3, () => ({ type: 'customer', customer })],
      [2, () => ({ type: 'address', customer })],
      [3, () => ({ type: 'code', code: dice.pick(CODES) })],
    ])();
    const other = dice.pick(this.#slots).seen;
    const known = other?.offer?.transfer ?? other?.owner?.transfer;
    const transfer = dice.chance(0.15) && known ? known : this.#ids.uuid();
    const durationMs = dice.chance(0.02) ? Number.MAX_SAFE_INTEGER : dice.between(100, 4000);
    const user = this.#number('user');
    return { type: 'offer', tenant, customer: owner, user, transfer, to, durationMs, ...inEpoch };
  }

  /** An offer is made; the device is given back and claimed by somebody else; then the offer is accepted. */
  async #acceptLate(slot: Slot): Promise<void> {
    const { tenant } = slot;
    const user = this.#number('user');
    await this.#send(slot, this.#offer(tenant, ownerOf(slot), {}), 0);
    const accept = this.#accept(slot, tenant);
    await this.#send(slot, { type: 'reclaim', tenant, customer: ownerOf(slot), user }, 0);
    await this.#send(slot, this.#open(slot), 0);
    await this.#send(slot, this.#confirm(slot, this.#dice.pick(customersOf(slot)), slot.secret), 0);
    return this.#send(slot, accept, 0);
  }

  /** Mostly by whom it is offered to, and under the id that was last seen or the one before it. */
  #accept(slot: Slot, tenant: string): Request & { readonly type: 'accept' } {
    const dice = this.#dice;
    const to = slot.offer?.to;
    const meant = to !== undefined && to.type !== 'code' ? to.customer : undefined;
    const customer = meant !== undefined && dice.chance(0.8) ? meant : dice.pick(CUSTOMERS[tenant] ?? []);
    const known = to?.type === 'code' ? to.code : null;
    const code = dice.chance(0.85) ? known : dice.pick(CODES);
    const transfer = slot.offer?.transfer ?? this.#ids.uuid();
    return { type: 'accept', tenant, customer, user: this.#number('user'), transfer, code };
  }

  #challenge(tenant: string, customer: string): Request {
    const user = this.#number('user');
    const validMs = this.#dice.between(200, 4000);
    return { type: 'challenge', tenant, customer, user, nonce: this.#number('nonce'), validMs };
  }

  /** Shows a proof: mostly one's own, sometimes one that was used, or that another customer got. */
  #prove(slot: Slot, customer: string): Request {
    const shown = this.#dice.chance(0.8) ? slot.proofs.at(-1) : slot.proofs.at(0);
    if (shown === undefined) return this.#challenge(slot.tenant, customer);
    const { nonce, token } = shown;
    const by = this.#dice.chance(0.85) ? shown.customer : customer;
    return { ...this.#confirm(slot, by, ''), proof: { nonce, token } };
  }

  #guess(slot: Slot): string {
    const known = this.#dice.chance(0.2) ? slot.seen?.key?.secret : slot.secret;
    return this.#dice.chance(0.75) && known !== undefined ? known : this.#dice.pick(SECRETS);
  }

  #save(tenant: string, customer: string | null): Request {
    const dice = this.#dice;
    const expiresAt = this.#simulation.clock.now() + dice.between(-200, 3000);
    return {
      type: 'save',
      tenant,
      customer,
      mark: ++this.#numbers,
      allowed: dice.weigh<Allowed>([
        [2, null],
        [4, true],
        [2, false],
        [0.5, 'true'],
      ]),
      key: dice.chance(0.4) ? { secret: dice.pick(SECRETS), expiresAt } : null,
      padding: dice.chance(0.05) ? 4000 : 0,
    };
  }

  #keys(): string[] {
    return ['claimingAllowed', 'claimingData', 'mark'].filter(() => this.#dice.chance(0.5));
  }

  #name(): string {
    return `device ${this.#dice.between(1, 4)}`;
  }

  /** Mostly a fresh one; now and then that of another device. */
  /** Certificates do not rotate, and access tokens sign nothing. */
  get #rotates(): boolean {
    return this.#plan.rules.onOwnerChange === 'rotate';
  }

  #token(slot: Slot): string {
    const other = this.#dice.pick(this.#slots).seen?.token;
    const kind = this.#rotates ? 'token' : CERTIFICATE;
    return this.#dice.chance(0.3) && other !== undefined ? other : this.#number(`${kind}-${slot.letter}`);
  }

  /**
   * Puts a new device into a slot. Each attempt draws a new id, as the server does: an id whose fate is unknown is never
   * asked for again, since a provisioning still on its way could bring it back after its deletion.
   */
  async #provision(slot: Slot): Promise<void> {
    slot.provisioning = true;
    for (;;) {
      const device = this.#ids.uuid();
      const request: Request = {
        type: 'provision',
        tenant: slot.tenant,
        name: this.#dice.chance(0.1) ? this.#name() : this.#number(`device ${slot.letter}`),
        token: this.#token(slot),
        customer: this.#dice.chance(0.1) ? this.#dice.pick(customersOf(slot)) : null,
        via: this.#dice.chance(0.6) ? this.#dice.pick(GATEWAYS) : null,
      };
      const copies = this.#dice.chance(this.#plan.duplicates) ? 2 : 1;
      const outcomes = await Promise.all(
        Array.from({ length: copies }, () => this.#simulation.deliver(this.#host(), device, request)),
      );
      const isClear = outcomes.every((outcome) => outcome !== undefined && outcome.type !== 'unknown');
      const born = outcomes.find((outcome) => outcome?.type === 'accepted');
      if (isClear && born?.type === 'accepted') {
        Object.assign(slot, { device, seen: born.seen, offer: null, proofs: [], provisioning: false });
        return;
      }
      await this.#simulation.sleep(this.#dice.between(10, 100));
    }
  }

  /** Sends a request, the first time perhaps twice; each copy finds its own way. Resolves when all have been dealt with. */
  async #send(slot: Slot, request: Request, attempt: number): Promise<void> {
    const number = slot.sent++;
    const copies = attempt === 0 && this.#dice.chance(this.#plan.duplicates) ? 2 : 1;
    if (copies > 1) this.#simulation.tally('duplicate');
    const ways = Array.from({ length: copies }, () => this.#dice.between(0, this.#plan.wayMaxMs));
    await Promise.all(
      ways.map(async (way) => {
        if (way > 0) await this.#simulation.sleep(way);
        await this.#arrive(slot, request, number, attempt);
      }),
    );
  }

  async #arrive(slot: Slot, request: Request, number: number, attempt: number): Promise<void> {
    if (number < slot.arrived) this.#simulation.tally('reordered');
    slot.arrived = Math.max(slot.arrived, number);
    const { device } = slot;
    const host = this.#host();
    const asked = request.type === 'initiate' ? await this.#afterWaiting(host, request) : request;
    const outcome = await this.#simulation.deliver(host, device, asked);
    if (outcome !== undefined && slot.device === device) this.#learn(slot, request, outcome);

    const unanswered = outcome === undefined || outcome.type === 'unknown' || outcome.type === 'nothing-done';
    if (unanswered && attempt < RETRIES_MAX && this.#dice.chance(this.#plan.retries)) {
      this.#simulation.tally('retry');
      await this.#simulation.sleep(this.#dice.between(20, 400));
      await this.#send(slot, request, attempt + 1);
    }
  }

  /** Some messages of devices come by a broker, and wait there while the node is away, or busy; others do not (O5). */
  async #afterWaiting(host: Host, request: Initiate): Promise<Initiate> {
    if (!this.#broker.chance(0.2)) return request;
    const arrivedAt = this.#simulation.clock.now() + host.skewMs;
    const waitMs = this.#broker.between(0, WAIT_MAX_MS);
    if (waitMs > 0) await this.#simulation.sleep(waitMs);
    return { ...request, arrivedAt };
  }

  #learn(slot: Slot, request: Request, outcome: Outcome): void {
    if (outcome.type === 'accepted' || outcome.type === 'read') slot.seen = outcome.seen ?? slot.seen;
    slot.offer = slot.seen?.offer ?? slot.offer;
    if (outcome.type !== 'accepted') return;
    if (request.type === 'initiate') slot.secret = request.secret;
    if (request.type !== 'challenge' || outcome.seen === null) return;
    const { customer, nonce } = request;
    slot.proofs = [...slot.proofs, { customer, nonce, token: outcome.seen.token }].slice(-3);
  }

  #host(): Host {
    return this.#dice.pick(this.#simulation.hosts);
  }

  #number(of: string): string {
    this.#numbers += 1;
    return `${of} ${this.#numbers}`;
  }

  #track(work: Promise<void>): void {
    this.#under += 1;
    work.then(
      () => {
        this.#under -= 1;
      },
      (error: unknown) => {
        throw error;
      },
    );
  }
}

/** Who was last seen to own it; if nobody, somebody. */
function ownerOf(slot: Slot): string {
  return slot.seen?.owner?.customer ?? customersOf(slot)[0] ?? '';
}

function customersOf(slot: Slot): readonly string[] {
  return CUSTOMERS[slot.tenant] ?? [];
}
