/**
 * The machine's clock for what runs in a test's own process. While that process stands still, stopped or without a core, so does
 * what this clock measures. Otherwise each time limit would be over when the process goes on, before it reads the answer that has
 * been lying there: a retransmission, a timeout, a separate response that no quiet machine ever sees.
 */
import { type Clock, TIMER_MAX_MS } from '../../actors/base/clock.ts';

/** Between two looks, while the event loop turns. */
const LOOK_MS = 20;
/** What counts at most between two looks; the rest was a standstill. */
const AWAKE_MS = 100;

let awakeMs = 0;
let lookedAt = performance.now();

function look(): number {
  const now = performance.now();
  awakeMs += Math.min(now - lookedAt, AWAKE_MS);
  lookedAt = now;
  return awakeMs;
}

setInterval(look, LOOK_MS).unref();

/** Like the machine's clock it does not keep the process alive. */
export const awakeClock: Clock = {
  now: Date.now,
  elapsed: look,
  after(delayMs, task) {
    const dueAt = look() + delayMs;
    const again = (): void => {
      const left = dueAt - look();
      if (left > 0) timer = setTimeout(again, left).unref();
      else task();
    };
    let timer = setTimeout(again, Math.min(delayMs, TIMER_MAX_MS)).unref();
    return () => clearTimeout(timer);
  },
};

export interface SettableClock extends Clock {
  /** Somebody sets the time of day forward. */
  step(ms: number): void;
  /** Time goes by, and no timer that was set before ends any sooner. */
  pass(ms: number): void;
}

/** The same with a time of day that goes on with it. */
export function createSettableClock(): SettableClock {
  const start = Date.now() - look();
  let set = 0;
  let passed = 0;
  return {
    ...awakeClock,
    now: () => Math.floor(start + look() + passed + set),
    elapsed: () => look() + passed,
    step(ms) {
      set += ms;
    },
    pass(ms) {
      passed += ms;
    },
  };
}
