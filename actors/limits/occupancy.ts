/**
 * How much of a common good each address holds at this moment: connections, requests in flight. With a bound for each, one
 * address cannot take all. An IPv6 network of 64 bits is one address; those of 56 and 48 bits may hold 4 and 16 times as much.
 *
 * It remembers only who holds something, so what it counts bounds its memory.
 */
import { countedAs, networksOf } from './address.ts';
import { createHeld } from './held.ts';

export interface Occupancy {
  /** Whether the address holds as much as it may. */
  isFull(address: string): boolean;
  /** It holds one more. */
  add(address: string): void;
  /** It holds one less. */
  remove(address: string): void;
}

/** @param max for each address; 0: no bound */
export function createOccupancy(max: number): Occupancy {
  if (max === 0) return { isFull: () => false, add() {}, remove() {} };
  const held = createHeld<string>();
  const change = (address: string, by: number): void => {
    for (const { name } of networksOf(countedAs(address))) held.add(name, by);
  };
  return {
    isFull: (address) =>
      networksOf(countedAs(address)).some(({ name, times }) => held.by(name) >= max * times),
    add: (address) => change(address, 1),
    remove: (address) => change(address, -1),
  };
}
