/** A pure function of a text that remembers what it was asked last, within a bound. */
import { Recent } from './recent.ts';

/**
 * @param max how many results are remembered at most
 * @param charsMax a longer text is not remembered
 */
export function remembered<Result>(
  work: (text: string) => Result,
  max: number,
  charsMax: number,
): (text: string) => Result {
  const known = new Recent<string, Result>(max);
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const result = work(text);
    if (text.length <= charsMax) known.set(text, result);
    return result;
  };
}
