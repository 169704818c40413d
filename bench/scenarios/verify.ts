/** Checks on a sample that acknowledged windows exist, by claiming with their secret, and that owners are what they were told. */
import { NULL_UUID } from '../../actors/base/ids.ts';
import { claimPath, restApi } from '../../test/kit/api.ts';
import type { Bench } from '../bench.ts';
import { filler } from '../load/text.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';

const SAMPLE_MAX = 50;
const THINGSBOARDS_CACHE =
  'ThingsBoard keeps no more windows than CACHE_SPECS_CLAIM_DEVICES_MAX_SIZE says, by itself 1,000';

/** Up to `max` numbers, spread over 0 … count - 1. */
export function sample(count: number, max = SAMPLE_MAX): number[] {
  const size = Math.min(count, max);
  return Array.from({ length: size }, (_, at) => Math.floor((at * count) / size));
}

/** @param devices the numbers of devices with acknowledged windows */
export async function windowsAreThere(
  bench: Bench,
  target: Target,
  fleet: Fleet,
  devices: readonly number[],
  nameOf: (n: number) => string = filler(fleet.name),
): Promise<void> {
  bench.phase('checking that the windows are there');
  const api = restApi(target.url);
  const customer = fleet.customerTokens[0] ?? '';
  const missing: string[] = [];
  for (const n of devices) {
    const { status, body } = await api.confirm(customer, nameOf(n), fleet.secret);
    if (status !== 200 || !body.includes('SUCCESS')) missing.push(`${nameOf(n)}: ${status} ${body}`);
    else await api.must('DELETE', claimPath(nameOf(n)), customer);
  }
  if (missing.length === 0) return;
  if (bench.settings.target !== undefined) bench.warn(THINGSBOARDS_CACHE);
  bench.fail(
    `${missing.length} of ${devices.length} acknowledged windows were not there, e.g. ${missing[0] ?? ''}`,
  );
}

/** Of each device that a customer was told to own: no other can claim it, and the owner can give it back. */
export async function ownersAreThere(
  bench: Bench,
  target: Target,
  fleet: Fleet,
  devices: readonly number[],
): Promise<void> {
  bench.phase('checking that the owners are there');
  const api = restApi(target.url);
  const { customerTokens } = fleet;
  const nameOf = filler(fleet.name);
  for (const n of devices) {
    const ownerToken = customerTokens[n % customerTokens.length] ?? '';
    const rivalToken = customerTokens[(n + 1) % customerTokens.length] ?? '';
    const rival = await api.confirm(rivalToken, nameOf(n), fleet.secret);
    if (rival.body.includes('SUCCESS')) bench.fail(`${nameOf(n)} was claimed by a second customer`);
    const { status, body } = await api.send('DELETE', claimPath(nameOf(n)), ownerToken);
    if (status !== 200)
      bench.fail(`${nameOf(n)} was acknowledged, and is not its owner's: ${status} ${body}`);
  }
}

export async function nobodyOwns(
  bench: Bench,
  target: Target,
  fleet: Fleet,
  devices: readonly number[],
): Promise<void> {
  bench.phase('checking that all were given back');
  const api = restApi(target.url);
  const nameOf = filler(fleet.name);
  for (const n of devices) {
    const { customerId } = await api.device(fleet.tenantToken, nameOf(n));
    if (customerId.id !== NULL_UUID) bench.fail(`${nameOf(n)} has an owner after it was given back`);
  }
}
