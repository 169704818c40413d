/**
 * Searches that are bounded by what they look at alone. By the bounds of time an answer is less exact, or cut, where the machine is
 * slow or this process stood still: that is a law of its own, and no other is to depend on it.
 */
import { SEARCH_BOUNDS, type SearchBounds } from '../../actors/fleet/search.ts';

const NEVER_MS = 1e9;

export const UNHURRIED: SearchBounds = {
  ...SEARCH_BOUNDS,
  pageMs: NEVER_MS,
  fullPageMs: NEVER_MS,
  countMs: NEVER_MS,
  hardMs: NEVER_MS,
};
