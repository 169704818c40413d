/**
 * How the workers of one server are. The supervisor knows who is started and hears from each every few seconds; it tells
 * all of them when something changes, so that whichever is asked (`/livez`) answers for all.
 *
 * A worker that does not answer is not ended: it may wait for a slow disk. `spread.ts` gives it one more connection at most,
 * and those after that to the others.
 */
import { isJsonObject } from '../../actors/base/json.ts';
import type { WorkerStates } from '../../http/routes/health.ts';

/** How often a worker is asked for a sign of life. */
export const ASK_EVERY_MS = 2_000;
/** So many questions without an answer: it is silent. They are counted, not timed, as this process may stand still too. */
export const UNANSWERED_MAX = 5;

/** A sign of life is asked for; a worker gives it. */
export const ALIVE_QUESTION = { type: 'alive?' } as const;
const ALIVE = { type: 'alive' } as const;

export function isAlive(message: unknown): boolean {
  return isJsonObject(message) && message.type === ALIVE.type;
}

export function statesMessage(states: WorkerStates): {
  readonly type: 'workers';
  readonly states: WorkerStates;
} {
  return { type: 'workers', states };
}

function isStatesMessage(message: unknown): message is ReturnType<typeof statesMessage> {
  return isJsonObject(message) && message.type === 'workers' && isJsonObject(message.states);
}

/**
 * In a worker: answers its supervisor from now on, and keeps what it tells.
 *
 * @param number of this worker
 */
export function heedSupervisor(number: number): () => WorkerStates {
  let states: WorkerStates = { ready: [number], starting: [], silent: [] };
  process.on('message', (message) => {
    if (isStatesMessage(message)) states = message.states;
    // Without a channel the supervisor is gone, and this process ends too.
    else if (isJsonObject(message) && message.type === ALIVE_QUESTION.type && process.connected) {
      process.send?.(ALIVE, undefined, undefined, () => {});
    }
  });
  return () => states;
}
