/** A pure function of a text that remembers what it was asked last, within a bound. */

/**
 * @param max how many results are remembered at most
 * @param charsMax a longer text is not remembered
 */
export function remembered<Result>(
  work: (text: string) => Result,
  max: number,
  charsMax: number,
): (text: string) => Result {
  // Two halves: when the young one is full it becomes the old one, so nothing is sorted or counted per use.
  let young = new Map<string, Result>();
  let old = new Map<string, Result>();
  return (text) => {
    const known = young.get(text);
    if (known !== undefined) return known;
    const result = old.get(text) ?? work(text);
    if (text.length > charsMax) return result;
    if (young.size >= max / 2) {
      old = young;
      young = new Map();
    }
    young.set(text, result);
    return result;
  };
}
