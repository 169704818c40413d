/** How things stand at the end of a run, read from the store and the nodes themselves. */

import type { CustomerId, TenantId } from '../../actors/base/ids.ts';
import { lists } from '../../actors/device/indexes.ts';
import { decodeHead } from '../../actors/device/persistence.ts';
import { createDirectory } from '../../actors/fleet/directory.ts';
import { seenIn } from './commands.ts';
import type { Ending, Seen } from './history.ts';
import type { Simulation } from './simulation.ts';

export async function readEnding(simulation: Simulation, calmSince: number): Promise<Ending> {
  const { journal } = simulation.store;
  const heads = new Map<string, Seen | null>();
  for (const { device } of simulation.recorder.operations) {
    const { state, details } = await journal.load(device);
    heads.set(device, state === undefined ? null : seenIn(decodeHead(state, details), simulation.digests));
  }
  return {
    at: simulation.clock.now(),
    calmSince,
    inFlight: simulation.hosts.reduce((sum, { node }) => sum + (node?.inFlight ?? 0), 0),
    heads,
    strayIndexes: await strayIndexes(simulation, heads),
    surprises: simulation.recorder.surprises,
  };
}

/** Whatever the directory does not find where a head says it is, and whatever the lists hold beyond that. */
async function strayIndexes(
  simulation: Simulation,
  heads: ReadonlyMap<string, Seen | null>,
): Promise<string[]> {
  const { journal, index } = simulation.store;
  const directory = createDirectory(journal, index);
  const strays: string[] = [];
  const listed = new Map<string, number>();
  const expect = (list: string) => listed.set(list, (listed.get(list) ?? 0) + 1);

  for (const [device, seen] of heads) {
    if (seen === null) continue;
    const tenant = seen.tenant as TenantId;
    const byToken = await directory.byCredentials(seen.token);
    const byName = await directory.byName(tenant, seen.name);
    if (byToken?.id !== device) strays.push(`${device} is not found by its token`);
    const byNext = seen.next === null ? byToken : await directory.byCredentials(seen.next.token);
    if (byNext?.id !== device) strays.push(`${device} is not found by its next token`);
    if (byName?.id !== device) strays.push(`${device} is not found by its name`);
    expect(lists.byCreation(tenant));
    expect(lists.byName(tenant));
    if (seen.owner === null) continue;
    const customer = seen.owner.customer as CustomerId;
    expect(lists.ofCustomer(customer));
    const { items } = await directory.ofCustomer(tenant, customer, { page: 0, pageSize: 1000 });
    if (!items.some(({ id }) => id === device)) strays.push(`${device} is not listed under its owner`);
  }
  const owners = simulation.recorder.log.flatMap(({ head }) => (head?.owner ? [head.owner.customer] : []));
  const all = new Set([...listed.keys(), ...owners.map((owner) => lists.ofCustomer(owner as CustomerId))]);
  for (const list of all) {
    const count = await index.count(list);
    if (count !== (listed.get(list) ?? 0))
      strays.push(`${list} holds ${count}, not ${listed.get(list) ?? 0}`);
  }
  return strays;
}
