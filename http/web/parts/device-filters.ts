/**
 * Which devices a list is about: what was typed into its one search field (words of a name or a description, `type:…`,
 * `customer:…`, `profile:…`), the chips, the order. What it comes to is one description, which the list, its links and batches share.
 */
import { z } from 'zod';
import { parsedJson } from '../../../actors/base/json.ts';
import { CLAIM_STATES } from '../../../actors/device/claim-state.ts';
import { type Api, type Refused, type Result, toQuery } from '../api.ts';
import type { Say } from '../texts/say.ts';
import { findCustomer } from './device-parts.tsx';

/** As the address of the page has it. */
export interface Filters {
  readonly search: string;
  readonly state: string;
  readonly active: string;
  readonly sort: string;
}

const NAMES = ['search', 'state', 'active', 'sort'] as const;

export function filtersOf(query: URLSearchParams): Filters {
  const text = (name: (typeof NAMES)[number] | 'owner') => (query.get(name) ?? '').trim();
  // Links from elsewhere name a customer by itself.
  const owner = text('owner') === '' ? '' : word('customer', text('owner'));
  return {
    search: `${text('search')} ${owner}`.trim(),
    state: text('state'),
    active: text('active'),
    sort: text('sort'),
  };
}

export const isFiltered = ({ search, state, active }: Filters) =>
  search !== '' || state !== '' || active !== '';

/** The address of the list with these filters. */
export const listOf = (filters: Partial<Filters>) => {
  const query = toQuery({ ...filters });
  return query === '' ? '/devices' : `/devices?${query}`;
};

/** Devices as the API is asked for them; as `where` of a batch. */
const where = z.object({
  textSearch: z.string().optional(),
  type: z.string().optional(),
  claimState: z.enum(CLAIM_STATES).optional(),
  active: z.boolean().optional(),
  deviceProfileId: z.string().optional(),
  customerId: z.string().optional(),
});

export type Where = z.output<typeof where>;

/** As text in an address or a form; undefined: it is none. */
export const whereIn = (text: string): Where | undefined => where.safeParse(parsedJson(text)).data;

/** `type:lamp`, `customer:"Müller & Söhne"`. */
const WORD = /\b(type|customer|profile):(?:"([^"]*)"|(\S+))/gi;

/** A part of a search that a value is chosen by. */
export const word = (name: 'type' | 'customer' | 'profile', value: string) =>
  `${name}:${/[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value}`;

/** What a search can be about besides names and descriptions. */
export interface Known {
  /** Those that the tenant's devices have. */
  readonly types: readonly string[];
  readonly profiles: readonly { readonly id: { readonly id: string }; readonly name: string }[];
}

/** What the filters describe. Refused where there is no such customer or profile. */
export async function whereOf(
  api: Api,
  { search, state, active }: Filters,
  { types, profiles }: Known,
  say: Say,
): Promise<Result<Where>> {
  const chosen = new Map<string, string>();
  const textSearch = search
    .replace(WORD, (_, name: string, quoted?: string, plain?: string) => {
      chosen.set(name.toLowerCase(), quoted ?? plain ?? '');
      return ' ';
    })
    .trim();
  const type = chosen.get('type');
  const title = chosen.get('customer');
  const customer = title === undefined ? undefined : await findCustomer(api, title, say);
  if (customer?.type === 'refused') return customer;
  const named = chosen.get('profile');
  const name = named === undefined ? undefined : likeIn(profileNames(profiles), named);
  if (named !== undefined && name === undefined) return noProfile(named, say);
  const profile = profiles.find((one) => one.name === name);
  const claimState = CLAIM_STATES.find((name) => name === state);
  const value: Where = {
    ...(textSearch === '' ? {} : { textSearch }),
    ...(type === undefined ? {} : { type: likeIn(types, type) ?? type }),
    ...(claimState === undefined ? {} : { claimState }),
    ...(active === 'true' || active === 'false' ? { active: active === 'true' } : {}),
    ...(profile === undefined ? {} : { deviceProfileId: profile.id.id }),
    ...(customer === undefined ? {} : { customerId: customer.value.id.id }),
  };
  return { type: 'ok', value };
}

export const profileNames = (profiles: Known['profiles']) => profiles.map(({ name }) => name);

const noProfile = (name: string, say: Say): Refused => ({
  type: 'refused',
  status: 404,
  message: say('fleet.noProfile', { name }),
  retryAfterSeconds: undefined,
  reason: undefined,
});

/** The one that is this text but for case. */
export const likeIn = (texts: readonly string[], text: string) =>
  texts.find((one) => one === text) ?? texts.find((one) => one.toLowerCase() === text.toLowerCase());

/** The route of the API that lists them. */
export function routeOf(
  { customerId, active, ...rest }: Where,
  more: Readonly<Record<string, string | number>>,
) {
  const query = toQuery({ ...rest, ...more, ...(active === undefined ? {} : { active: String(active) }) });
  return customerId === undefined
    ? `/api/tenant/deviceInfos?${query}`
    : `/api/customer/${encodeURIComponent(customerId)}/deviceInfos?${query}`;
}

/** Sort orders that an index answers, and how the API says them. A customer's devices are listed by name alone. */
export const SORTS = {
  name: { sortProperty: 'name', sortOrder: 'ASC' },
  '-name': { sortProperty: 'name', sortOrder: 'DESC' },
  created: { sortProperty: 'createdTime', sortOrder: 'ASC' },
  '-created': { sortProperty: 'createdTime', sortOrder: 'DESC' },
} as const;

export type Sort = keyof typeof SORTS;

/** The order that was asked for; else by name, but by creation where all of one type are listed: that costs nothing. */
export function sortOf({ sort }: Filters, { type, textSearch, customerId }: Where): Sort {
  const asked = (Object.keys(SORTS) as Sort[]).find((name) => name === sort);
  if (customerId !== undefined) return asked === '-name' ? '-name' : 'name';
  return asked ?? (type !== undefined && textSearch === undefined ? 'created' : 'name');
}
