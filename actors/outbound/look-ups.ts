/**
 * Finds the addresses of names, as the system does (`/etc/hosts` counts). A look-up holds a thread of libuv's, of which names
 * get two, and for many seconds where nobody answers for the name. So of each tenant's names one is looked up at a time: its
 * dead ones hold up its own requests, and nobody else's. Whoever asks for a name that is being looked up hears with the others.
 */
import { lookup } from 'node:dns';
import type { TenantId } from '../base/ids.ts';

/** Finds the addresses of a name, as `dns.lookup` does with `all`. */
export type Resolve = (name: string, answer: Answer) => void;
type Answer = (
  error: Error | null,
  addresses: readonly { readonly address: string; readonly family: number }[],
) => void;

interface Asked {
  readonly name: string;
  /** Who has chosen it; null: the operator, whose names wait for nobody's. */
  readonly tenantId: TenantId | null;
  /** Whether nobody wants to know any more. */
  readonly isOver: () => boolean;
}

export const systemResolve: Resolve = (name, answer) =>
  lookup(name, { all: true }, (error, addresses) => answer(error, addresses ?? []));

export function createLookUps(resolve: Resolve): (asked: Asked, answer: Answer) => void {
  /** Who hears of each name that is being looked up. */
  const underWay = new Map<string, Answer[]>();
  /** Of each tenant of which one is: the names that wait for their turn, and who waits for them. */
  const turns = new Map<TenantId, Map<string, { readonly asked: Asked; readonly answer: Answer }[]>>();

  function lookUp(name: string, answers: readonly Answer[]): void {
    const there = underWay.get(name);
    if (there !== undefined) {
      there.push(...answers);
      return;
    }
    const waiting = [...answers];
    underWay.set(name, waiting);
    resolve(name, (error, addresses) => {
      underWay.delete(name);
      for (const answer of waiting) answer(error, addresses);
    });
  }

  function goOn(tenantId: TenantId): void {
    const names = turns.get(tenantId);
    for (const [name, waiting] of names ?? []) {
      names?.delete(name);
      const wanted = waiting.filter(({ asked }) => !asked.isOver());
      if (wanted.length === 0) continue;
      lookUp(name, [...wanted.map(({ answer }) => answer), () => goOn(tenantId)]);
      return;
    }
    turns.delete(tenantId);
  }

  return (asked, answer) => {
    const { name, tenantId } = asked;
    if (tenantId === null || underWay.has(name)) return lookUp(name, [answer]);
    const names = turns.get(tenantId);
    if (names === undefined) {
      turns.set(tenantId, new Map());
      return lookUp(name, [answer, () => goOn(tenantId)]);
    }
    names.set(name, [...(names.get(name) ?? []), { asked, answer }]);
  };
}
