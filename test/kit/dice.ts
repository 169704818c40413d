/**
 * Seeded random numbers: the same seed gives the same draws, on every machine. For simulations and random tests; not
 * for secrets. The generator is xoshiro128** (Blackman and Vigna, 2018), its state filled by splitmix32.
 *
 * `fork` gives an independent stream for a named purpose, so that one more draw in one place does not change what all
 * others draw: failures found by a seed stay findable while a test grows.
 */
import { fnv1a } from '../../actors/base/fnv1a.ts';
import { formatUuid } from '../../actors/base/ids.ts';

export interface Dice {
  /** A fraction in [0, 1), of 32 bits. */
  fraction(): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** True with the given probability (0 … 1). */
  chance(probability: number): boolean;
  /** One of the items, each as likely. Throws when there is none. */
  pick<Item>(items: readonly Item[]): Item;
  /** One of the items, each as likely as its weight says. Throws when the weights sum to nothing. */
  weigh<Item>(weighted: readonly (readonly [weight: number, item: Item])[]): Item;
  /** A UUID of version 4. */
  uuid(): string;
  /** Dice of their own for a purpose: they depend on this seed and the label only, not on what was drawn. */
  fork(label: string): Dice;
}

/** @param seed a whole number, or any text */
export function createDice(seed: number | string): Dice {
  const name = String(seed);
  let [a, b, c, d] = filledState(name);

  function word(): number {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  }

  const dice: Dice = {
    fraction: () => word() / 2 ** 32,

    between(least, most) {
      return least + Math.floor((word() / 2 ** 32) * (most - least + 1));
    },

    chance: (probability) => word() / 2 ** 32 < probability,

    pick(items) {
      const item = items[dice.between(0, items.length - 1)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },

    weigh(weighted) {
      const sum = weighted.reduce((total, [weight]) => total + weight, 0);
      let left = (word() / 2 ** 32) * sum;
      for (const [weight, item] of weighted) {
        if (left < weight) return item;
        left -= weight;
      }
      throw new RangeError('the weights sum to nothing');
    },

    uuid() {
      const bytes = Buffer.alloc(16);
      for (let at = 0; at < bytes.length; at += 4) bytes.writeInt32BE(word() | 0, at);
      return formatUuid(bytes, 4);
    },

    fork: (label) => createDice(`${name}/${label}`),
  };
  return dice;
}

/** FNV-1a over the name, spread over four words by splitmix32. */
function filledState(name: string): [number, number, number, number] {
  let hash = fnv1a(name);
  const next = (): number => {
    hash = (hash + 0x9e3779b9) | 0;
    let z = hash;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  return [next(), next(), next(), next() | 1]; // the state must not be all zeros
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
