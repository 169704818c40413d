/** How much of something is held at this moment: by each holder, and in all. It remembers only who holds something. */
export interface Held<Holder> {
  /** By all of them. */
  readonly all: number;
  by(holder: Holder): number;
  /** @param more may be negative */
  add(holder: Holder, more: number): void;
}

export function createHeld<Holder>(): Held<Holder> {
  const held = new Map<Holder, number>();
  let all = 0;
  return {
    get all() {
      return all;
    },
    by: (holder) => held.get(holder) ?? 0,
    add(holder, more) {
      all += more;
      const own = (held.get(holder) ?? 0) + more;
      if (own > 0) held.set(holder, own);
      else held.delete(holder);
    },
  };
}
