/**
 * The shape of an event-sourced actor, as three pure functions.
 *
 * `decide` looks at the state and a command and says what happened, or why not. `evolve` folds one event into the
 * state. Neither has a clock, randomness, crypto keys or I/O: the instant arrives as an argument, digests arrive
 * in the command. So the whole machine can be enumerated in a test, simulated, and replayed.
 */
import type { Instant } from '../base/clock.ts';

/** What came of a command. There is no fourth case, and so no command without an answer. */
export type Decision<Event, Refusal> =
  /** It happened: exactly one event. The caller hears of it when the event is durable. */
  | { readonly type: 'accept'; readonly event: Event }
  /** It is so already: the caller hears success, nothing is written. */
  | { readonly type: 'ignore' }
  /** It must not happen: the caller hears why, nothing is written. */
  | { readonly type: 'refuse'; readonly refusal: Refusal };

export interface Decider<State, Command, Event, Refusal, Rules = never> {
  readonly initial: State;
  /**
   * Total: a refusal is a value, never an exception.
   * @param rules what holds for this one alone, where not the same holds for all; absent: the decider's own
   */
  decide(state: State, command: Command, at: Instant, rules?: Rules): Decision<Event, Refusal>;
  evolve(state: State, event: Event): State;
}

/** The answer an actor gives to a command. `unavailable` says nothing about whether it happened. */
export type Answer<State, Refusal> =
  | { readonly type: 'accepted'; readonly state: State; readonly at: Instant }
  | { readonly type: 'refused'; readonly refusal: Refusal }
  | Unavailable;

/**
 * No decision could be given. `overloaded`: too many wait already, nothing was done. `stopping`: this process is
 * about to end. `store`: the journal could not be read or written. `timeout`: no answer in time. After all but
 * `overloaded` and `policy` the command may or may not have happened; asking again is always safe. `policy`: somebody else's
 * consent was needed, and could not be had; nothing was done.
 */
export interface Unavailable {
  readonly type: 'unavailable';
  readonly reason: 'overloaded' | 'store' | 'timeout' | 'stopping' | 'policy';
}
