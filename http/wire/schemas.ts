/** Input that many routes share: ids, texts, free JSON, paging. Refusals are whole sentences. */
import { z } from 'zod';
import type { Contact } from '../../actors/accounts/accounts.ts';
import {
  type CustomerId,
  type DeviceId,
  NULL_UUID,
  type ProfileId,
  type ProviderId,
  parseId,
  type TenantId,
  type TransferId,
  type UserId,
} from '../../actors/base/ids.ts';
import { isJsonObject, isKeepable, type JsonObject } from '../../actors/base/json.ts';
import { isCleanText, isEmail } from '../../actors/base/text.ts';
import { CLAIM_STATES } from '../../actors/device/claim-state.ts';
import { switched } from './query.ts';

/** UTF-16 units of names, titles and the like. */
export const NAME_MAX = 255;

/** A text. A whole number or a switch means its text, as in ThingsBoard; numbers that JavaScript rounds are refused. */
function text(error: string) {
  return z.union([z.string(), z.int().transform(String), z.boolean().transform(String)], { error });
}

/** A required text, e.g. a name. @param what its name in messages */
export function requiredText(what: string, max = NAME_MAX) {
  return text(`${what} should be specified!`)
    .refine((given) => given.trim() !== '', `${what} should be specified!`)
    .refine((given) => given.length <= max, `${what} should have at most ${max} characters!`)
    .refine(isCleanText, `${what} is malformed!`)
    .meta({ documentedAs: { type: 'string', minLength: 1, maxLength: max } });
}

/** A text that may be missing. Missing, null and empty are all null. */
export function optionalText(what: string, max = NAME_MAX) {
  return text(`${what} should be a text!`)
    .nullish()
    .transform((given) => (given === undefined || given === null || given === '' ? null : given))
    .refine(
      (given) => given === null || given.length <= max,
      `${what} should have at most ${max} characters!`,
    )
    .refine((given) => given === null || isCleanText(given), `${what} is malformed!`)
    .meta({ documentedAs: { type: ['string', 'null'], maxLength: max } });
}

/** As JSON, in bytes. A device's is written with each of its changes, and is in every list. */
const ADDITIONAL_INFO_BYTES_MAX = 16_384;

export const additionalInfo = z
  .custom<JsonObject>(
    (value) => isJsonObject(value) && isKeepable(value),
    'additionalInfo should be a JSON object!',
  )
  .refine(
    (info) => Buffer.byteLength(JSON.stringify(info)) <= ADDITIONAL_INFO_BYTES_MAX,
    `additionalInfo may not take more than ${ADDITIONAL_INFO_BYTES_MAX} bytes!`,
  )
  .nullish()
  .transform((info) => info ?? null);

// ------------------------------------------------------------------------------------------------------------ ids

function id<Id extends TenantId | CustomerId | UserId | DeviceId | ProfileId | TransferId | ProviderId>() {
  return z
    .string({ error: 'Invalid UUID string!' })
    .transform((text, context) => {
      const parsed = parseId<Id>(text);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: 'Invalid UUID string!' });
      return z.NEVER;
    })
    .meta({ documentedAs: { type: 'string', format: 'uuid' } });
}

export const tenantId = id<TenantId>();
export const customerId = id<CustomerId>();
export const userId = id<UserId>();
export const deviceId = id<DeviceId>();
export const profileId = id<ProfileId>();
export const transferId = id<TransferId>();
export const providerId = id<ProviderId>();

/** `{"entityType": …, "id": …}` in a body; the null id is undefined. */
export function reference<Id extends string>(of: z.ZodType<Id>) {
  return z
    .object({ id: of })
    .nullish()
    .transform((ref) => (ref === null || ref?.id === NULL_UUID ? undefined : ref?.id));
}

/** Some clients send the version that they read; then it must still be the newest. */
export const version = z
  .int()
  .nullish()
  .transform((value) => value ?? undefined);

// --------------------------------------------------------------------------------------------------------- paging

/** Of lists that tell what became of each row. */
export const WITH_REASONS =
  'With reasons=true each row has a reason beside its message: a code with what belongs to it, for programs.';

const PAGE_SIZE_MAX = 10_000;
/** Letters of what one page tells: tenants keep up to 64 KiB in one entity, and a page may have ten thousand. */
const PAGE_LETTERS_MAX = 16 * 2 ** 20;
const PAGE_MAX = 2 ** 31 - 1;

const integer = (text: string) => (/^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN);

/** Which page, and in which order. @param sizeMax items of one page */
function place(sizeMax: number) {
  return {
    pageSize: z
      .string()
      .default('10')
      .transform(integer)
      .refine((size) => !Number.isNaN(size), 'pageSize should be a whole number!')
      .refine((size) => size >= 1, {
        error: ({ input }) =>
          `Incorrect page link page size '${input}'. Page size must be greater than zero.`,
      })
      .refine((size) => !(size > sizeMax), `Page size must be at most ${sizeMax}.`)
      .meta({ documentedAs: { type: 'integer', minimum: 1, maximum: sizeMax, default: 10 } }),
    page: z
      .string()
      .default('0')
      .transform(integer)
      .refine((page) => !Number.isNaN(page), 'page should be a whole number!')
      .refine(
        (page) => page >= 0 && page <= PAGE_MAX,
        'Incorrect page link page. Page must be positive integer.',
      )
      .meta({ documentedAs: { type: 'integer', minimum: 0, maximum: PAGE_MAX, default: 0 } }),
    // Upper or lower case; empty means none, as in ThingsBoard.
    sortOrder: z
      .string()
      .optional()
      .transform((order) => order?.toUpperCase() || undefined)
      .pipe(z.enum(['ASC', 'DESC'], { error: 'sortOrder should be ASC or DESC!' }).optional())
      .meta({ documentedAs: { type: 'string', enum: ['ASC', 'DESC'] } }),
  };
}

/** The query of a list. @param sortable the sort properties, and what they sort by */
export function paging<Sort extends string>(sortable: Readonly<Record<string, Sort>>) {
  return z
    .object({
      ...place(PAGE_SIZE_MAX),
      textSearch: z.string().max(NAME_MAX).optional(),
      sortProperty: z
        .string()
        .optional()
        .transform((name, context) => {
          if (name === undefined || name === '' || name === 'id') return undefined;
          const property = Object.hasOwn(sortable, name) ? sortable[name] : undefined;
          if (property !== undefined) return property;
          context.addIssue({ code: 'custom', message: 'Unsupported sort property!' });
          return z.NEVER;
        })
        .meta({ documentedAs: { type: 'string', enum: Object.keys(sortable) } }),
      type: z.string().max(NAME_MAX).optional(),
    })
    .transform(({ textSearch, sortProperty, sortOrder, type, ...place }) => ({
      ...place,
      lettersMax: PAGE_LETTERS_MAX,
      ...(textSearch === undefined || textSearch === '' ? {} : { textSearch }),
      ...(sortProperty === undefined ? {} : { sortProperty }),
      ...(sortOrder === undefined ? {} : { sortOrder }),
      ...(type === undefined || type === '' ? {} : { type }),
    }));
}

/** Of 255 letters, with the id of the device, in base64. */
const PLACE_MAX = 2_000;

/**
 * A place in a list of devices, as an answer gave it (`listPlace`); empty: its beginning. Pages are counted from there. Who sends none
 * counts pages, and would miss what a page that is not full leaves out.
 */
const after = z
  .string()
  .max(PLACE_MAX)
  .optional()
  .transform((text) => ({
    untilFull: text === undefined,
    ...(text ? { after: Buffer.from(text, 'base64url').toString() } : {}),
  }));

/** How a place is written in `after`. */
export function listPlace(place: string): string {
  return Buffer.from(place).toString('base64url');
}

const isOneOrder = ({ after, textSearch }: { after?: string; textSearch?: string }) =>
  after === undefined || textSearch === undefined;
const NO_TEXT = {
  error: 'What is searched for by a text is not given in parts: after goes with filters alone!',
};

/** Also filters by connection and by claim state. */
export const deviceInfoPaging = z
  .object({
    active: switched('active'),
    // Empty means any: ThingsBoard's pages always send it.
    deviceProfileId: z
      .string()
      .optional()
      .transform((id) => id || undefined)
      .pipe(profileId.optional())
      .meta({ documentedAs: { type: 'string', format: 'uuid' } }),
    claimState: z.enum(CLAIM_STATES).optional(),
    after,
  })
  .transform(({ active, deviceProfileId, claimState, after }) => ({
    ...after,
    ...(claimState === undefined ? {} : { claimState }),
    ...(active === undefined ? {} : { active }),
    ...(deviceProfileId === undefined ? {} : { deviceProfileId }),
  }))
  .and(paging({ createdTime: 'createdTime', name: 'name' }))
  .refine(isOneOrder, NO_TEXT);
export const profilePaging = paging({ createdTime: 'createdTime', name: 'name' });
export const devicePaging = paging({ createdTime: 'createdTime', name: 'name' });
export const deviceListPaging = z
  .object({ after })
  .transform(({ after }) => after)
  .and(devicePaging)
  .refine(isOneOrder, NO_TEXT);
export const titlePaging = paging({ createdTime: 'createdTime', title: 'name', name: 'name' });
/** In the order of creation only: a kit is read with its thousand devices, so a list of them is never read whole. */
export const kitPaging = z
  .object({
    ...place(50),
    textSearch: z
      .string()
      .refine((text) => text === '', 'Kits cannot be searched!')
      .optional(),
    sortProperty: z
      .string()
      .refine((name) => ['', 'id', 'createdTime'].includes(name), 'Unsupported sort property!')
      .optional(),
  })
  .transform(({ page, pageSize, sortOrder }) => ({
    page,
    pageSize,
    ...(sortOrder === undefined ? {} : { sortOrder }),
  }));
export const userPaging = paging({ createdTime: 'createdTime', email: 'name', name: 'name' });

// -------------------------------------------------------------------------------------------------------- contact

export const contactFields = {
  country: optionalText('Country'),
  state: optionalText('State'),
  city: optionalText('City'),
  address: optionalText('Address'),
  address2: optionalText('Address 2'),
  zip: optionalText('Zip'),
  phone: optionalText('Phone'),
  email: optionalText('Email').refine(
    (email) => email === null || isEmail(email),
    'Invalid email address format!',
  ),
};

/** The contact fields of a body. */
export function toContact(body: Contact): Contact {
  const { country, state, city, address, address2, zip, phone, email } = body;
  return { country, state, city, address, address2, zip, phone, email };
}

/** Longer ones cannot be passwords, and are not worth a hash. */
const CREDENTIAL_MAX = 1024;

export const credential = z.string().max(CREDENTIAL_MAX);
