/** Writes down what happens in a run, in one order: operations as they are called and end, events as they become durable. */

import { unreachable } from '../../actors/base/unreachable.ts';
import type { DeviceEvent } from '../../actors/device/device.ts';
import { decodeHead } from '../../actors/device/persistence.ts';
import type { Append, AppendResult, Journal } from '../../actors/journal/journal.ts';
import { type Digests, seenIn } from './commands.ts';
import type { Durable, Moment, Operation, Outcome, Request } from './history.ts';

export type OpenOperation = { -readonly [Key in keyof Operation]: Operation[Key] };

export class Recorder {
  readonly operations: OpenOperation[] = [];
  readonly log: Durable[] = [];
  /** How often each thing worth counting happened. */
  readonly counts = new Map<string, number>();
  /** Errors that no injected fault explains. */
  readonly surprises: string[] = [];
  /** Goes up with everything that happens; when it stands still, nothing moves without time. */
  activity = 0;
  #step = 0;
  readonly #digests: Digests;
  readonly #uptime: () => number;
  readonly #durable = new Set<string>();
  /** The part of a device's state that its newest append left as it was. */
  readonly #details = new Map<string, string>();
  readonly #calledAt = new Map<Operation, number>();

  /** @param uptime ms that have passed, leaps of time not counted */
  constructor(digests: Digests, uptime: () => number) {
    this.#digests = digests;
    this.#uptime = uptime;
  }

  tally(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
    this.activity += 1;
  }

  surprise(what: string): void {
    this.surprises.push(what);
    this.activity += 1;
  }

  call(device: string, node: string, skewMs: number, request: Request, at: number): OpenOperation {
    const id = this.operations.length;
    const called = this.#moment(at);
    const operation = { id, device, node, skewMs, request, called, ended: undefined };
    this.operations.push(operation);
    this.#calledAt.set(operation, this.#uptime());
    return operation;
  }

  end(operation: OpenOperation, at: number, outcome: Outcome): void {
    const waitedMs = this.#uptime() - (this.#calledAt.get(operation) ?? Number.NaN);
    operation.ended = { moment: this.#moment(at), outcome, waitedMs };
    this.tally(nameOf(operation, outcome));
  }

  /** The store's journal as one node uses it: what it appends is written down at the moment it is durable. */
  watch(journal: Journal, node: string, now: () => number): Journal {
    return {
      load: (stream) => {
        this.activity += 1;
        return journal.load(stream);
      },
      loadMany: (streams, part) => {
        this.activity += 1;
        return journal.loadMany(streams, part);
      },
      alarms: (after, limit) => journal.alarms(after, limit),
      append: async (entry) => {
        const result = await journal.append(entry);
        this.#appended(entry, result, node, now());
        return result;
      },
      due: (at, after, limit) => journal.due(at, after, limit),
      logs: journal.logs,
      log: (which, from, limit) => journal.log(which, from, limit),
      trim: (which, upTo) => journal.trim(which, upTo),
      forget: (which, stretch, limit, verdict) => journal.forget(which, stretch, limit, verdict),
    };
  }

  /** Whether an event of a device, as encoded, is durable. */
  isDurable(device: string, event: string): boolean {
    return this.#durable.has(`${device} ${event}`);
  }

  #appended(entry: Append, result: AppendResult, node: string, at: number): void {
    if (result.type !== 'appended') {
      this.tally(`append-${result.type}`);
      return;
    }
    const { stream: device, expected, event: text, state } = entry;
    const event = JSON.parse(text) as DeviceEvent;
    const { details } = entry;
    if (details !== undefined) this.#details.set(device, details);
    const head =
      state === undefined ? null : seenIn(decodeHead(state, this.#details.get(device)), this.#digests);
    const { step } = this.#moment(at);
    this.log.push({ step, at, device, node, sequence: expected + 1, event, head });
    this.#durable.add(`${device} ${text}`);
    this.tally(`event: ${event.type}`);
  }

  #moment(at: number): Moment {
    this.activity += 1;
    this.#step += 1;
    return { step: this.#step, at };
  }
}

/** What an outcome is counted as. */
function nameOf({ request }: Operation, outcome: Outcome): string {
  switch (outcome.type) {
    case 'accepted':
      return `accepted: ${request.type}`;
    case 'refused':
      return `refused: ${outcome.reason}`;
    case 'unknown':
      return `unknown: ${outcome.why}`;
    case 'read':
    case 'nothing-done':
      return outcome.type;
    default:
      return unreachable(outcome);
  }
}
