/**
 * What a gateway asks for is carried out one message after the other: so it has a bounded number of questions under way,
 * and of two claims for one device the later one stands. Also across its connections: what an earlier one asked and is
 * still to be done comes first.
 *
 * A connection that is gone frees its client to send more, while what it sent is still waiting. So what waits is bounded
 * for the gateway, not for its connection; beyond it nothing is taken, and the gateway sends it again.
 */
import type { DeviceId } from '../../../actors/base/ids.ts';

interface Line {
  last: Promise<unknown>;
  /** Those that are carried out or wait. */
  length: number;
}

export class GatewayTurns {
  readonly #lengthMax: number;
  readonly #lines = new Map<DeviceId, Line>();

  /** @param lengthMax messages of one gateway that are carried out or wait */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  /** Does this when what the gateway asked before is done. Undefined where too much waits already: nothing is done. */
  take<Result>(gateway: DeviceId, task: () => Promise<Result>): Promise<Result> | undefined {
    const line = this.#lines.get(gateway) ?? { last: Promise.resolve(), length: 0 };
    if (line.length >= this.#lengthMax) return undefined;
    line.length += 1;
    this.#lines.set(gateway, line);
    const mine = line.last.then(task, task);
    line.last = mine;
    const leave = () => {
      line.length -= 1;
      if (line.length === 0) this.#lines.delete(gateway);
    };
    mine.then(leave, leave);
    return mine;
  }
}
