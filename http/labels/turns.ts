/** Long lists of small work, cut where others should get their turn: what an item costs here is known only when it is done. */
import { nextTurn } from '../../actors/base/slices.ts';

/** So long the work goes on before others get their turn. */
const TURN_MS = 5;

/** The same items, a few in each turn of the event loop: most labels take up to a millisecond, long names in Hebrew more. */
export async function* inTurns<Item>(items: AsyncIterable<Item> | Iterable<Item>): AsyncGenerator<Item> {
  let began = Number.NEGATIVE_INFINITY;
  for await (const item of items) {
    if (performance.now() - began > TURN_MS) {
      await nextTurn();
      began = performance.now();
    }
    yield item;
  }
}
