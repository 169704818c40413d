/**
 * One life of a node: the real actor system, registry, decider and alarms over a journal that the simulation handed in.
 * It can be stopped as the server stops (drained), or die: then nothing it was about to do happens any more.
 */

import type { Clock } from '../../actors/base/clock.ts';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { completingTakeOvers } from '../../actors/claiming/take-overs.ts';
import type { ClaimPolicy } from '../../actors/device/claim-policy.ts';
import { createDeviceDecider, type DeviceCommand } from '../../actors/device/device.ts';
import type { Refusal } from '../../actors/device/messages.ts';
import { decodeHead, deviceEngine, devicePersistence, encodeEvent } from '../../actors/device/persistence.ts';
import type { DeviceState } from '../../actors/device/state.ts';
import { type AlarmSettings, type Alarms, createAlarms } from '../../actors/fleet/alarms.ts';
import type { DeviceAnswer } from '../../actors/fleet/devices.ts';
import { readDevice } from '../../actors/fleet/live-devices.ts';
import type { Journal } from '../../actors/journal/journal.ts';
import { type Parent, startActorSystem, stop } from '../../actors/runtime/nact.ts';
import { createRegistry, type Registry, type RegistrySettings } from '../../actors/runtime/registry.ts';
import { commandFor, type Digests, seenIn, stands } from './commands.ts';
import { InjectedFault } from './faults.ts';
import type { Outcome, Request } from './history.ts';
import { type Plant, plant } from './plants.ts';
import type { OpenOperation, Recorder } from './recorder.ts';

export interface NodeOptions {
  /** The node's name with the number of its life. */
  readonly name: string;
  readonly skewMs: number;
  /** True time: no node sees it, each sees it shifted by its skew. */
  readonly clock: Clock;
  /** Wraps the store's journal into this node's wire; asked once, for this life. */
  readonly wire: (life: Life) => Journal;
  readonly policy: ClaimPolicy;
  /** A token that no device has. */
  readonly freshToken: () => string;
  readonly registry: RegistrySettings;
  readonly alarms: AlarmSettings;
  readonly digests: Digests;
  readonly recorder: Recorder;
  readonly bug: Plant | undefined;
  /** Looks at the head before deciding: always, as a worker on LMDB does, or where others write, as a node on Redis does. */
  readonly looksFirst: 'always' | 'contended' | undefined;
}

/** What the wire knows of a node. */
export interface Life {
  readonly alive: boolean;
  /** When a call of it to its store was last made to fail, in true time. */
  failedAt: number;
}

export class SimNode implements Life {
  readonly name: string;
  alive = true;
  failedAt = Number.NEGATIVE_INFINITY;
  readonly #options: NodeOptions;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #root: Parent;
  readonly #registry: Registry<DeviceState, DeviceCommand, Refusal>;
  readonly #alarms: Alarms;
  readonly #open = new Map<OpenOperation, (outcome: Outcome) => void>();

  constructor(options: NodeOptions) {
    const { name, clock, skewMs, policy, recorder, bug } = options;
    this.name = name;
    this.#options = options;
    this.#clock = {
      now: () => clock.now() + skewMs,
      elapsed: () => clock.elapsed(),
      after: (delayMs, task) =>
        clock.after(delayMs, () => {
          if (this.alive) task();
        }),
    };
    this.#journal = options.wire(this);
    const { decider, journal } = plant(bug, createDeviceDecider(policy), this.#journal);
    const log = surprisingLog(name, recorder);
    this.#root = startActorSystem(deviceEngine(journal));
    this.#registry = createRegistry(
      this.#root,
      'devices',
      {
        decider,
        persistence: devicePersistence,
        journal,
        clock: this.#clock,
        log,
        rulesFor: (_id, _state) => ({
          ...policy.ownership,
          freshCredentials: {
            type: 'ACCESS_TOKEN',
            credentialsId: options.freshToken(),
            sealedToken: '***',
          },
        }),
        ...(options.looksFirst === undefined
          ? {}
          : { looksFirst: { decodeState: decodeHead, when: options.looksFirst } }),
        onEvent(id, event) {
          recorder.tally('heard');
          if (!recorder.isDurable(id, encodeEvent(event))) {
            recorder.surprise(`${name}: a listener heard of ${event.type} before it was durable`);
          }
        },
      },
      options.registry,
    );
    const devices = { ask: (id: DeviceId, command: DeviceCommand) => this.#askByAlarm(id, command) };
    const woken = completingTakeOvers(
      devices,
      {
        stands: async (_, { customerId }) => stands(customerId),
        exists: async (_, customerId) => stands(customerId),
      },
      () => this.#clock.now(),
      log,
    );
    this.#alarms = createAlarms({
      journal,
      devices: woken,
      settings: options.alarms,
      clock: this.#clock,
      log,
    });
    this.#alarms.start();
  }

  get inFlight(): number {
    return this.#registry.inFlight;
  }

  /** Every limit has a name, and holds at any time. */
  checkLimits(): void {
    const { registry, recorder, name } = this.#options;
    const { residents, inFlight } = this.#registry;
    if (residents > registry.residentsMax) recorder.surprise(`${name}: ${residents} actors are resident`);
    if (inFlight > registry.inFlightMax) recorder.surprise(`${name}: ${inFlight} commands are in flight`);
  }

  /** Delivers a request and writes down what comes of it. Resolves with the outcome, also when the node dies. */
  deliver(device: string, request: Request): Promise<Outcome> {
    return this.#observe(device, request, () => this.#carryOut(device, request));
  }

  /** What changes an owner is written down like what a caller asks for. */
  async #askByAlarm(device: DeviceId, command: DeviceCommand): Promise<DeviceAnswer> {
    if (!this.alive) return new Promise(() => {}); // it died in the turn in which it heard who is due
    if (command.type !== 'CompleteTakeOver') return this.#registry.ask(device, command);
    const { customerId: customer, inEpoch, newcomerStands } = command;
    const request = { type: 'complete', customer, inEpoch, stands: newcomerStands } as const;
    let answer: DeviceAnswer = { type: 'unavailable', reason: 'stopping' };
    await this.#observe(device, request, async () => {
      answer = await this.#registry.ask(device, command);
      return this.#outcomeOf(answer);
    });
    return answer;
  }

  #observe(device: string, request: Request, carryOut: () => Promise<Outcome>): Promise<Outcome> {
    const { recorder, skewMs } = this.#options;
    const operation = recorder.call(device, this.name, skewMs, request, this.#clock.now());
    const calledAt = this.#options.clock.now();
    return new Promise((resolve) => {
      const end = (outcome: Outcome): void => {
        if (!this.#open.delete(operation)) return;
        if (outcome.type === 'unknown' && outcome.why === 'store' && this.failedAt < calledAt) {
          recorder.surprise(`${this.name}: operation ${operation.id} failed, but its store did not`);
        }
        recorder.end(operation, this.#clock.now(), outcome);
        resolve(outcome);
      };
      this.#open.set(operation, end);
      carryOut().then(end, (error: unknown) => recorder.surprise(describe(error)));
    });
  }

  /** Ends as the server does on SIGTERM: what is under way is answered, at most for `drainMs`. */
  async drain(drainMs: number): Promise<void> {
    void this.#alarms.stop();
    await this.#registry.stop(drainMs);
    await new Promise((resolve) => setImmediate(resolve)); // answers given on the last moment arrive
    if (!this.alive) return;
    for (const { id, request } of this.#open.keys()) {
      if (request.type === 'read') continue; // reads are the store's, not the registry's
      this.#options.recorder.surprise(`${this.name}: operation ${id} got no answer before the node stopped`);
    }
    this.die();
  }

  /** Ends as by kill -9. */
  die(): void {
    if (!this.alive) return;
    this.alive = false;
    // A turn later. What has been read in this turn is still being worked on, and must find its actors there: it gets no further
    // than to the wire and the clock, which are dead.
    setImmediate(() => stop(this.#root));
    for (const end of [...this.#open.values()]) end({ type: 'unknown', why: 'node-died' });
  }

  async #carryOut(device: string, request: Request): Promise<Outcome> {
    const { digests } = this.#options;
    if (request.type === 'read') return this.#read(device as DeviceId);
    return this.#outcomeOf(await this.#registry.ask(device, commandFor(device, request, digests)));
  }

  #outcomeOf(answer: DeviceAnswer): Outcome {
    const { digests } = this.#options;
    switch (answer.type) {
      case 'accepted':
        return { type: 'accepted', at: answer.at, seen: seenIn(answer.state, digests) };
      case 'refused':
        return { type: 'refused', reason: answer.refusal.reason };
      case 'unavailable':
        if (answer.reason === 'policy') throw new Error('nobody is asked for consent here');
        return answer.reason === 'overloaded'
          ? { type: 'nothing-done' }
          : { type: 'unknown', why: answer.reason };
      default:
        return unreachable(answer);
    }
  }

  /** Reads go past the plants: they remember what the actors loaded. */
  async #read(id: DeviceId): Promise<Outcome> {
    try {
      const record = await readDevice(this.#journal, id);
      return { type: 'read', seen: record === undefined ? null : seenIn(record, this.#options.digests) };
    } catch (error) {
      if (!(error instanceof InjectedFault)) throw error;
      return { type: 'unknown', why: 'store' };
    }
  }
}

/** Counts failures that the simulation caused; every other one is a surprise. */
function surprisingLog(node: string, recorder: Recorder): Log {
  return {
    debug() {},
    info() {},
    warn() {},
    error(fields, message) {
      const cause = 'err' in fields ? fields.err : undefined;
      if (cause instanceof InjectedFault) recorder.tally('actor-failed');
      else recorder.surprise(`${node}: ${message}: ${describe(cause)}`);
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
