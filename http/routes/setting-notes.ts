/**
 * Entries of the audit trail about what administrators set: device profiles with their rules, customers, the tenant itself, who
 * must have a second factor. Each says what was and what is, of the members that changed.
 *
 * Only members that are named here are written out. What clients keep in an entity beside them may be anything, a
 * `provisionDeviceSecret` for example, so of that an entry says that it changed.
 */
import type { Contact, Customer, Tenant } from '../../actors/accounts/accounts.ts';
import type { Action } from '../../actors/audit/entry.ts';
import type { CustomerId, TenantId } from '../../actors/base/ids.ts';
import type { Json, JsonObject } from '../../actors/base/json.ts';
import type { DeviceProfile } from '../../actors/fleet/profiles.ts';
import type { Principal, TenantAdministrator } from '../auth/principal.ts';
import { type NotesChanges, noteChange } from './user-notes.ts';

/** What was set, before or after; undefined where there was or is none. */
type Settings = { readonly [member: string]: Written };
type Written = Json | Hidden;

/** Told by its digest-like text only: whether it is the same. */
interface Hidden {
  readonly hidden: string;
}

interface Change {
  readonly tenantId: TenantId;
  readonly action: Extract<Action, 'ADDED' | 'UPDATED' | 'DELETED'>;
  /** Of which kind it is, and which one. */
  readonly what: JsonObject;
  readonly customerId?: CustomerId;
  readonly before: Settings | undefined;
  readonly after: Settings | undefined;
}

/** A member of an entry is cut there. */
const MEMBER_CHARACTERS_MAX = 1_000;

/** Resolves as `noteChange` does. */
export async function noteSetting(audit: NotesChanges, by: Principal, change: Change): Promise<void> {
  const { tenantId, action, what, customerId, before = {}, after = {} } = change;
  const members = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = members.filter((member) => textOf(before[member]) !== textOf(after[member]));
  if (action === 'UPDATED' && changed.length === 0) return;
  const pick = (settings: Settings) =>
    Object.fromEntries(changed.flatMap((member) => shown(member, settings[member])));
  const data = { ...what, before: pick(before), after: pick(after) };
  await noteChange(audit, by, { tenantId, action, customerId, data });
}

const textOf = (value: Written | undefined) => JSON.stringify(value) ?? '';

function shown(member: string, value: Written | undefined): [string, Json][] {
  if (value === undefined) return [];
  if (isHidden(value)) return [[member, 'changed']];
  const text = textOf(value);
  return [
    [member, text.length <= MEMBER_CHARACTERS_MAX ? value : `${text.slice(0, MEMBER_CHARACTERS_MAX)}…`],
  ];
}

function isHidden(value: Written): value is Hidden {
  return typeof value === 'object' && value !== null && 'hidden' in value;
}

/** Whatever it is: that it changed is told, and nothing of it. */
const hidden = (value: unknown): Hidden => ({ hidden: JSON.stringify(value) ?? '' });

function settingsOfProfile(profile: DeviceProfile): Settings {
  const { name, description, transport, ownership = {}, more } = profile;
  return {
    name,
    description,
    transport: transport.type,
    payload: hidden(transport),
    claiming: { ...ownership },
    other: hidden(more ?? null),
  };
}

type Titled = Pick<Tenant | Customer, 'title' | 'additionalInfo'> & { readonly contact: Contact };

/** Addresses and numbers are personal, so they are not written down once more. */
export function settingsOfTitled({ title, contact, additionalInfo }: Titled): Settings {
  return { title, contact: hidden(contact), additionalInfo: hidden(additionalInfo) };
}

export async function noteProfile(
  audit: NotesChanges,
  by: TenantAdministrator,
  before: DeviceProfile | undefined,
  after: DeviceProfile | undefined,
): Promise<void> {
  const profile = after ?? before;
  if (profile === undefined) return;
  await noteSetting(audit, by, {
    tenantId: by.tenantId,
    action: before === undefined ? 'ADDED' : after === undefined ? 'DELETED' : 'UPDATED',
    what: { setting: 'device profile', profileId: profile.id, name: profile.name },
    before: before && settingsOfProfile(before),
    after: after && settingsOfProfile(after),
  });
}
