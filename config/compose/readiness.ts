/**
 * Whether the stores of all workers work. Each has its own connection to the store, and a client's next request may go to any
 * of them; so the one that is asked (`/readyz`) asks the others over their bus.
 */
import type { Clock } from '../../actors/base/clock.ts';
import type { JsonObject } from '../../actors/base/json.ts';
import type { Bus } from '../../actors/cluster/bus.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import type { WorkerStates } from '../../http/routes/health.ts';

export interface WorkerNeeds {
  readonly number: number;
  /** To the other workers. */
  readonly bus: Bus;
  readonly states: () => WorkerStates;
}

const ASK = 'readiness/ask';
const ANSWER = 'readiness/answer';
/** Who says nothing for this long has no say: it may have died just now, and the supervisor tells who is silent. */
const ANSWER_MS = 2_000;

/** What a worker says of its store. */
type Said = 'up' | 'store-unavailable' | 'no-room';

/**
 * @param check of this worker's own store
 * @returns checks all; checks that overlap are one, so that many who ask cost no more than one does
 */
export function checkOfAll(
  check: () => Promise<void>,
  worker: WorkerNeeds,
  clock: Clock,
): () => Promise<void> {
  const { number, bus, states } = worker;
  const own = shared(check);
  const asked = new Map<number, (from: number, said: Said) => void>();
  let lastId = 0;

  bus.subscribe(ASK, ({ from, id }) => {
    const answer = (said: Said) => bus.publish(ANSWER, { to: from ?? 0, id: id ?? 0, from: number, said });
    own().then(
      () => answer('up'),
      (error: unknown) => answer(reasonOf(error) ?? 'store-unavailable'),
    );
  });
  bus.subscribe(ANSWER, (message) => {
    const { to, id, from, said } = message;
    if (to === number) asked.get(Number(id))?.(Number(from), saidOf(said));
  });

  /** Resolves to the first that is not well. */
  function askOthers(): Promise<{ readonly from: number; readonly said: Said } | undefined> {
    const waitedFor = new Set(states().ready.filter((other) => other !== number));
    if (waitedFor.size === 0) return Promise.resolve(undefined);
    const id = ++lastId;
    return new Promise((resolve) => {
      const end = (bad?: { readonly from: number; readonly said: Said }): void => {
        cancel();
        asked.delete(id);
        resolve(bad);
      };
      const cancel = clock.after(ANSWER_MS, () => end());
      asked.set(id, (from, said) => {
        waitedFor.delete(from);
        if (said !== 'up') end({ from, said });
        else if (waitedFor.size === 0) end();
      });
      bus.publish(ASK, { from: number, id } satisfies JsonObject);
    });
  }

  return shared(async () => {
    const others = askOthers();
    await own();
    const bad = await others;
    if (bad === undefined) return;
    const reason = bad.said === 'no-room' ? bad.said : undefined;
    throw new StoreUnavailable(`of worker ${bad.from}`, 'its check failed', reason);
  });
}

function reasonOf(error: unknown): 'no-room' | undefined {
  return error instanceof StoreUnavailable ? error.reason : undefined;
}

function saidOf(said: unknown): Said {
  return said === 'up' || said === 'no-room' ? said : 'store-unavailable';
}

/** Whoever calls while a call is under way shares its end. */
function shared(check: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  return () => {
    underWay ??= check().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
