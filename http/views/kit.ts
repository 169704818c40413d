/** What clients see of a kit: the tenant with its code, the customer who claimed it without. */
import { z } from 'zod';
import type { Kit, KitDevice } from '../../actors/kits/model.ts';
import { instant, optional, uuid } from './parts.ts';

const kitDeviceView = z.object({
  id: uuid,
  name: z.string(),
  outcome: z.enum(['WAITING', 'CLAIMED', 'REFUSED']),
  /** Why it was left out: a code of the catalogue in http/README.md. */
  reason: optional,
});

const figures = {
  id: uuid,
  label: z.string(),
  /** `EXPIRED`: nobody claimed it in time. */
  state: z.enum(['OPEN', 'EXPIRED', 'REVOKED', 'CLAIMING', 'CLAIMED']),
  total: z.int(),
  claimed: z.int(),
  refused: z.int(),
};

/** A kit in a list: counted, not told, are its devices. */
export const listedKitView = z
  .object({
    ...figures,
    createdTime: instant,
    expirationTime: instant,
    /** What is printed on the box; null when the server's key under which it was kept has been dropped. */
    code: z.string().nullable(),
    /** Who has claimed it. */
    customerId: optional,
    claimedTime: instant.nullable(),
  })
  .meta({ id: 'ListedKit' });

export const kitView = listedKitView.extend({ devices: z.array(kitDeviceView) }).meta({ id: 'Kit' });

export const claimedKitView = z
  .object({ ...figures, devices: z.array(kitDeviceView) })
  .meta({ id: 'ClaimedKit' });

function viewFigures({ id, label, state, devices, expiresAt }: Kit, now: number) {
  const count = (outcome: KitDevice['outcome']) =>
    devices.filter((device) => device.outcome === outcome).length;
  const expired = state === 'open' && now >= expiresAt;
  return {
    id,
    label,
    state: expired ? ('EXPIRED' as const) : STATES[state],
    total: devices.length,
    claimed: count('claimed'),
    refused: count('refused'),
  };
}

const STATES = { open: 'OPEN', revoked: 'REVOKED', claiming: 'CLAIMING', claimed: 'CLAIMED' } as const;
const OUTCOMES = { waiting: 'WAITING', claimed: 'CLAIMED', refused: 'REFUSED' } as const;

const viewDevices = ({ devices }: Kit) =>
  devices.map(({ id, name, outcome, reason = null }) => ({ id, name, outcome: OUTCOMES[outcome], reason }));

export function viewListedKit(kit: Kit, code: string | null, now: number): z.infer<typeof listedKitView> {
  const { createdAt, expiresAt, claim } = kit;
  return {
    ...viewFigures(kit, now),
    createdTime: createdAt,
    expirationTime: expiresAt,
    code,
    customerId: claim?.customerId ?? null,
    claimedTime: claim?.at ?? null,
  };
}

export function viewKit(kit: Kit, code: string | null, now: number): z.infer<typeof kitView> {
  return { ...viewListedKit(kit, code, now), devices: viewDevices(kit) };
}

export function viewClaimedKit(kit: Kit, now: number): z.infer<typeof claimedKitView> {
  return { ...viewFigures(kit, now), devices: viewDevices(kit) };
}
