/** Headers that say how far a list was counted, or given. They are no fields of the body: that has ThingsBoard's four and no more. */

/** `at-least` where there may be more entries than `totalElements`. */
export const TOTAL_IS = 'X-Total-Is';
/** At how many devices a search looked that did not look at all of them. */
export const SEARCHED = 'X-Searched-Devices';
/** Where an answer is a part: `after=…` or `from=…`, by which the same query gets the next one; `none`: it is the last. */
export const NEXT_PART = 'X-Next-Part';
