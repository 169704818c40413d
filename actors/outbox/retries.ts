/**
 * When something that could not be delivered is tried again: soon at first, then more and more seldom, for three days, and each
 * time a little earlier or later than planned, so that what failed together does not come back together.
 *
 * The steps are those that Standard Webhooks 1.0.0 gives as an example.
 */
import type { Instant } from '../base/clock.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** From a failed attempt to the next one, in ms: behind the last step it is given up. */
const STEPS_MS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];
/** A step takes between so much less and so much more of itself. */
const JITTER = 0.2;
/** A counterpart that asks for more time gets it, up to this. */
const ASKED_MAX_MS = 24 * HOUR;
/** The first and the longest rest of a counterpart of which nothing comes through any more. */
const REST_FIRST_MS = 5 * SECOND;
const REST_MAX_MS = HOUR;
/** Longer than this nothing waits. */
export const WAIT_MAX_MS = (1 + JITTER) * 24 * HOUR;

/**
 * When one message is tried again; undefined: it is given up.
 *
 * @param attempts how many have failed
 * @param askedMs for how long the counterpart asks to be left alone
 * @param chance between 0 and 1
 */
export function nextTry(
  attempts: number,
  now: Instant,
  askedMs: number,
  chance: number,
): Instant | undefined {
  const step = STEPS_MS[attempts - 1];
  return step === undefined ? undefined : now + Math.max(jittered(step, chance), asked(askedMs));
}

/**
 * When a counterpart of which nothing comes through is tried again, by one message: twice as late after each failure.
 *
 * @param rests how many there were before this one
 */
export function restUntil(
  rests: number,
  now: Instant,
  askedMs: number,
  chance: number,
  maxMs = REST_MAX_MS,
): Instant {
  const restMs = Math.min(REST_FIRST_MS * 2 ** Math.min(rests, 30), maxMs);
  return now + Math.max(jittered(restMs, chance), asked(askedMs));
}

const jittered = (ms: number, chance: number): number => Math.round(ms * (1 - JITTER + 2 * JITTER * chance));

const asked = (ms: number): number => Math.min(Math.max(ms, 0), ASKED_MAX_MS);
