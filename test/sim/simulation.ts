/**
 * The simulated cluster: one store, two or three nodes on it, one clock for all, and dice for everything that is left
 * to chance.
 *
 * Time stands still while anything moves: after each timer the event loop turns (nact handles its messages with real
 * `setImmediate`s) until nothing happens any more, then the clock goes to the next timer. Chance is drawn only where
 * something happens, so the same seed gives the same history, to the letter.
 *
 * A leap moves time without running the timers in between, as when a machine was asleep or a process starved: timers
 * then are late.
 */

import type { Clock } from '../../actors/base/clock.ts';
import { createSecrets } from '../../actors/base/secret.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import type { AlarmSettings } from '../../actors/fleet/alarms.ts';
import type { RegistrySettings } from '../../actors/runtime/registry.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { createSimClock } from '../kit/clock.ts';
import type { Dice } from '../kit/dice.ts';
import { createDigests } from './commands.ts';
import { createFaultyJournal, type FaultRates, NO_FAULTS } from './faults.ts';
import type { Outcome, Request } from './history.ts';
import { type Life, SimNode } from './node.ts';
import type { Plant } from './plants.ts';
import { Recorder } from './recorder.ts';

export interface SimulationOptions {
  readonly policy: ClaimPolicy;
  readonly registry: RegistrySettings;
  readonly alarms: AlarmSettings;
  readonly rates: FaultRates;
  /** How far each node's clock is ahead of true time, in ms. As many nodes as entries. */
  readonly skewsMs: readonly number[];
  readonly bug: Plant | undefined;
}

const START = Date.UTC(2026, 0, 1);
/** Whether nodes look at heads before they decide, by the letter of their host; the others never do. */
const LOOKS_FIRST: { readonly [letter: string]: 'always' | 'contended' | undefined } = {
  B: 'always',
  C: 'contended',
};
/** Turns of the event loop without any activity after which nothing moves without time. */
const IDLE_TURNS = 2;

/** The machine that a node runs on. A node dies, its host stays. */
export interface Host {
  /** Nodes are called after their host and the number of their life: A1, A2, … */
  readonly letter: string;
  readonly skewMs: number;
  lives: number;
  node: SimNode | undefined;
  /** While true, its store cannot be reached. */
  cut: boolean;
}

export class Simulation {
  readonly store = createMemoryStore();
  readonly digests = createDigests(createSecrets(Buffer.alloc(32, 1)));
  readonly #timers = createSimClock(START);
  readonly recorder = new Recorder(this.digests, () => this.#timers.now());
  readonly hosts: readonly Host[];
  #leapt = 0;
  #freshTokens = 0;
  #calm = false;
  readonly #options: SimulationOptions;
  readonly #faults: Dice;

  constructor(options: SimulationOptions, dice: Dice) {
    this.#options = options;
    this.#faults = dice.fork('faults');
    this.hosts = options.skewsMs.map((skewMs, at) => ({
      letter: String.fromCharCode(65 + at),
      skewMs,
      lives: 0,
      node: undefined,
      cut: false,
    }));
  }

  /** True time. */
  readonly clock: Clock = {
    now: () => this.#timers.now() + this.#leapt,
    elapsed: () => this.#timers.elapsed(),
    after: (delayMs, task) => this.#timers.after(delayMs, task),
  };

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  tally(what: string): void {
    this.recorder.tally(what);
  }

  /** Starts a node where none is running. */
  start(host: Host): void {
    if (host.node !== undefined) return;
    host.lives += 1;
    const { policy, registry, alarms, bug } = this.#options;
    const name = `${host.letter}${host.lives}`;
    host.node = new SimNode({
      name,
      skewMs: host.skewMs,
      clock: this.clock,
      wire: (life) => this.#wire(host, name, life),
      policy,
      freshToken: () => `fresh ${++this.#freshTokens}`,
      registry,
      alarms,
      digests: this.digests,
      recorder: this.recorder,
      bug,
      looksFirst: bug === undefined ? LOOKS_FIRST[host.letter] : undefined,
    });
  }

  /** Kills a node in the middle of whatever it does. Another life begins `downMs` later. */
  crash(host: Host, downMs: number): void {
    if (host.node === undefined) return;
    this.tally('crash');
    host.node.die();
    host.node = undefined;
    this.clock.after(downMs, () => this.start(host));
  }

  /** Stops a node in order, as for an upgrade, unless it dies over it. Another life begins `downMs` after its end. */
  async restart(host: Host, drainMs: number, downMs: number): Promise<void> {
    const { node } = host;
    if (node === undefined) return;
    this.tally('drain');
    await node.drain(drainMs);
    if (host.node === node) host.node = undefined;
    this.clock.after(downMs, () => this.start(host));
  }

  /** Delivers a request to the node on a host. Undefined when there is none: the caller could not connect. */
  async deliver(host: Host, device: string, request: Request): Promise<Outcome | undefined> {
    if (host.node === undefined) {
      this.tally('connection-refused');
      return undefined;
    }
    return host.node.deliver(device, request);
  }

  /** Moves time on without running the timers in between. */
  leap(ms: number): void {
    this.tally('leap');
    this.#leapt += ms;
  }

  /** From now on nothing fails that has not failed yet, and every node is up. */
  calm(): void {
    this.#calm = true;
    for (const host of this.hosts) {
      host.cut = false;
      this.start(host);
    }
  }

  /** Lets `ms` pass, timer by timer. */
  async run(ms: number): Promise<void> {
    const end = this.#timers.now() + ms;
    await this.#settle();
    for (let next = this.#timers.next(); next !== undefined && next <= end; next = this.#timers.next()) {
      this.#timers.advanceTo(next);
      await this.#settle();
    }
    this.#timers.advanceTo(end);
  }

  /** Lets everything move that moves without time. */
  async #settle(): Promise<void> {
    for (let idle = 0; idle < IDLE_TURNS; ) {
      const before = this.recorder.activity;
      await new Promise((resolve) => setImmediate(resolve));
      idle = this.recorder.activity === before ? idle + 1 : 0;
    }
    for (const { node } of this.hosts) node?.checkLimits();
  }

  #wire(host: Host, name: string, life: Life) {
    const simulation = this;
    const wire = {
      get alive() {
        return life.alive;
      },
      get cut() {
        return host.cut && !simulation.#calm;
      },
      get rates() {
        return simulation.#calm ? NO_FAULTS : simulation.#options.rates;
      },
      failed() {
        life.failedAt = simulation.clock.now();
      },
      kill() {
        if (life.alive) simulation.crash(host, simulation.#faults.between(10, 800));
      },
    };
    const watched = this.recorder.watch(this.store.journal, name, () => this.clock.now());
    return createFaultyJournal(watched, wire, {
      dice: this.#faults,
      sleep: (ms) => this.sleep(ms),
      tally: (what) => this.tally(what),
    });
  }
}
