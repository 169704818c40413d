/**
 * Finds the addresses of names, as the system does (`/etc/hosts` counts). A look-up holds a thread of libuv's, of which names
 * get two, and for many seconds where nobody answers for the name. So of each tenant's names one is looked up at a time, and
 * tenants take turns. Those whose names took long of late share one thread, however many they are: the other is for the rest.
 * The operator's names wait for no turn. Whoever asks for a name that is being looked up hears with the others.
 */
import { lookup } from 'node:dns';
import type { Clock } from '../base/clock.ts';
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

/** What libuv gives to look-ups of its four threads. */
const THREADS = 2;
/** A look-up that takes so long holds up others. */
const LONG_MS = 1_000;
/** For so long after one a tenant shares a thread with others like it. */
const REMEMBERED_MS = 600_000;

export function createLookUps(
  resolve: Resolve,
  clock: Pick<Clock, 'elapsed'>,
): (asked: Asked, answer: Answer) => void {
  /** Who hears of each name that is being looked up. */
  const underWay = new Map<string, Answer[]>();
  /** Of each tenant that has a look-up under way or waits for one: the names that wait, and who waits for them. */
  const turns = new Map<TenantId, Map<string, { readonly asked: Asked; readonly answer: Answer }[]>>();
  /** Who waits for a thread; each tenant is in it once. */
  const line: TenantId[] = [];
  /** Tenants with a name that took long, and until when that is remembered. */
  const slowUntil = new Map<TenantId, number>();
  let threads = 0;
  let isSlowThread = false;

  function isSlow(tenantId: TenantId): boolean {
    if (clock.elapsed() < (slowUntil.get(tenantId) ?? Number.NEGATIVE_INFINITY)) return true;
    slowUntil.delete(tenantId);
    return false;
  }

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

  /** The next name of a tenant that somebody still waits for. */
  function nextOf(tenantId: TenantId) {
    const names = turns.get(tenantId);
    for (const [name, waiting] of names ?? []) {
      names?.delete(name);
      const wanted = waiting.filter(({ asked }) => !asked.isOver());
      if (wanted.length > 0) return { name, answers: wanted.map(({ answer }) => answer) };
    }
    return undefined;
  }

  /** Gives the free threads to those who wait. */
  function goOn(): void {
    while (threads < THREADS) {
      const at = line.findIndex((tenantId) => !isSlowThread || !isSlow(tenantId));
      const [tenantId] = at < 0 ? [] : line.splice(at, 1);
      if (tenantId === undefined) return;
      const next = nextOf(tenantId);
      if (next === undefined) turns.delete(tenantId);
      else take(tenantId, next.name, next.answers);
    }
  }

  function take(tenantId: TenantId, name: string, answers: readonly Answer[]): void {
    const begun = clock.elapsed();
    const isOfSlow = isSlow(tenantId);
    threads += 1;
    if (isOfSlow) isSlowThread = true;
    const over: Answer = () => {
      threads -= 1;
      if (isOfSlow) isSlowThread = false;
      const now = clock.elapsed();
      if (now - begun >= LONG_MS) slowUntil.set(tenantId, now + REMEMBERED_MS);
      line.push(tenantId);
      goOn();
    };
    lookUp(name, [...answers, over]);
  }

  return (asked, answer) => {
    const { name, tenantId } = asked;
    if (tenantId === null || underWay.has(name)) return lookUp(name, [answer]);
    const names = turns.get(tenantId);
    if (names !== undefined) {
      names.set(name, [...(names.get(name) ?? []), { asked, answer }]);
      return;
    }
    turns.set(tenantId, new Map([[name, [{ asked, answer }]]]));
    line.push(tenantId);
    goOn();
  };
}
