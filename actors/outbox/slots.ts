/** How many deliveries are under way at once, of all targets and of each tenant: slow counterparts of one tenant hold up no other's. */
import type { TenantId } from '../base/ids.ts';

/** Each costs a connection. */
const ALL_MAX = 256;
const PER_TENANT_MAX = 64;

export interface Slots {
  /** Waits for a slot, holds it while the task runs. */
  run<Result>(tenantId: TenantId, task: () => Promise<Result>): Promise<Result>;
  /** The same for who would not wait; undefined: there is none just now. */
  ifFree<Result>(tenantId: TenantId, task: () => Promise<Result>): Promise<Result> | undefined;
}

export function createSlots(): Slots {
  let used = 0;
  const usedBy = new Map<TenantId, number>();
  /** In the order in which they came. */
  const waiting = new Set<{ readonly tenantId: TenantId; begin(): void }>();

  const isFree = (tenantId: TenantId) => used < ALL_MAX && (usedBy.get(tenantId) ?? 0) < PER_TENANT_MAX;

  function take(tenantId: TenantId): void {
    used += 1;
    usedBy.set(tenantId, (usedBy.get(tenantId) ?? 0) + 1);
  }

  function give(tenantId: TenantId): void {
    used -= 1;
    const left = (usedBy.get(tenantId) ?? 1) - 1;
    if (left === 0) usedBy.delete(tenantId);
    else usedBy.set(tenantId, left);
    for (const one of waiting) {
      if (!isFree(one.tenantId)) continue;
      waiting.delete(one);
      take(one.tenantId);
      one.begin();
      return;
    }
  }

  async function runTaken<Result>(tenantId: TenantId, task: () => Promise<Result>): Promise<Result> {
    try {
      return await task();
    } finally {
      give(tenantId);
    }
  }

  return {
    async run(tenantId, task) {
      if (isFree(tenantId)) take(tenantId);
      else await new Promise<void>((begin) => waiting.add({ tenantId, begin }));
      return runTaken(tenantId, task);
    },
    ifFree(tenantId, task) {
      if (!isFree(tenantId)) return undefined;
      take(tenantId);
      return runTaken(tenantId, task);
    },
  };
}
