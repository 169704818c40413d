/**
 * Attributes of devices. Three of them control claiming: `claimingAllowed`, `claimPublicKey`, the key by which the device signs
 * proofs (rule C11), and `claimingData`, a key that the tenant sets for a device that was never online (rule C3). `claimingData`
 * is special: its secret is digested and sealed before it leaves this file (rule C9). The tenant's administrator may read it
 * back; customers neither see nor change it, or they could claim the device again after giving it back.
 *
 * Problems are answered as plain text here, as in ThingsBoard, but for a wrong path.
 */

import { z } from 'zod';
import type { DeviceId } from '../../actors/base/ids.ts';
import { isJsonObject, isKeepable, type Json, type JsonObject } from '../../actors/base/json.ts';
import { type Secrets, unsealedOrNull } from '../../actors/base/secret.ts';
import { isKeyToCheck } from '../../actors/claiming/proofs.ts';
import { isAttributeKey, type SaveAttributes } from '../../actors/device/attributes.ts';
import { secretLengthOf } from '../../actors/device/ownership-rules.ts';
import { publicJwk } from '../../actors/device/proof.ts';
import {
  type Attribute,
  type AttributeScope,
  CLAIM_PUBLIC_KEY,
  CLAIMING_DATA,
  type Device,
  type DeviceRecord,
  steersClaiming,
} from '../../actors/device/state.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import {
  type CustomerUser,
  impersonation,
  TENANT_AND_CUSTOMER,
  type TenantAdministrator,
} from '../auth/principal.ts';
import { defineRoute, type Method, type Route } from '../route.ts';
import { attributesView } from '../views/device.ts';
import { badRequest, malformedPublicKey, permissionDenied } from '../wire/errors.ts';
import { listed } from '../wire/query.ts';
import { isProblem, json, type Problem, type Reply } from '../wire/reply.ts';
import { deviceId } from '../wire/schemas.ts';
import { customerOf, visibleDevice } from './access.ts';
import { doneReply } from './answers.ts';

export interface AttributeNeeds {
  readonly devices: Devices;
  readonly secrets: Secrets;
}

type Caller = TenantAdministrator | CustomerUser;

const BASE = '/api/plugins/telemetry';
const BY_ENTITY = `${BASE}/:entityType/:entityId` as const;
const BY_DEVICE = `${BASE}/:deviceId` as const;

// ---------------------------------------------------------------------------------------------------------- input

const entityType = z.literal('DEVICE', { error: 'Only attributes of a DEVICE are kept here!' });
const byEntity = { entityType, entityId: deviceId };
const writableScope = z.enum(['SERVER_SCOPE', 'SHARED_SCOPE'], { error: 'Invalid scope!' });
const readableScope = z.enum(['SERVER_SCOPE', 'SHARED_SCOPE', 'CLIENT_SCOPE'], { error: 'Invalid scope!' });

/** Both ways to name a device, with the same result. */
const target = {
  byDevice: z
    .object({ deviceId, scope: writableScope })
    .transform(({ deviceId: id, scope }) => ({ id, scope })),
  byEntity: z
    .object({ ...byEntity, scope: writableScope })
    .transform(({ entityId: id, scope }) => ({ id, scope })),
};

const saved = z
  .custom<JsonObject>((value) => isJsonObject(value) && isKeepable(value), 'Invalid JSON')
  .refine((values) => Object.keys(values).length > 0, 'No attributes data found in request body!')
  .refine(
    (values) => Object.keys(values).every(isAttributeKey),
    'An attribute key is empty, too long or malformed!',
  )
  .refine(
    (values) => Object.values(values).every((value) => value !== null),
    'An attribute can not be null!',
  );

/** `keys=a,b`, and `key=a&key=b` for keys with commas in them. */
const named = z
  .object({
    keys: listed(),
    key: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .meta({ documentedAs: { type: 'array', items: { type: 'string' } } }),
  })
  .transform(({ keys, key }) => [...keys, ...[key ?? []].flat().filter((text) => text !== '')]);

/** Also accepted as a text that holds the object: ThingsBoard's users save it either way. */
const claimingData = z.preprocess(
  (data) => (typeof data === 'string' ? parsedObject(data) : data),
  z.object({
    secretKey: z
      .string({ error: 'secretKey should be a text' })
      .nullish()
      .transform((secret) => secret ?? ''),
    expirationTime: z
      .int({ error: 'expirationTime should be an instant in milliseconds since 1970' })
      .nonnegative({ error: 'expirationTime should be an instant in milliseconds since 1970' }),
  }),
);

/** The JSON in a text; the text itself if it is not JSON, to be refused like any text. */
function parsedObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

// --------------------------------------------------------------------------------------------------------- routes

export function attributeRoutes(needs: AttributeNeeds): Route[] {
  return [
    saving(needs, `${BY_DEVICE}/:scope`, target.byDevice),
    saving(needs, `${BY_ENTITY}/:scope`, target.byEntity),
    saving(needs, `${BY_ENTITY}/attributes/:scope`, target.byEntity),
    deleting(needs, `${BY_DEVICE}/:scope`, target.byDevice),
    deleting(needs, `${BY_ENTITY}/:scope`, target.byEntity),

    defineRoute({
      ...reading,
      path: `${BY_ENTITY}/values/attributes`,
      summary: 'Attributes of a device, of all scopes',
      params: z.object(byEntity),
      query: named,
      responses: readingResponses(attributesView),
      handle: ({ principal, params, query }) =>
        read(needs, principal, params.entityId, SCOPES, valuesReply(query)),
    }),
    defineRoute({
      ...reading,
      path: `${BY_ENTITY}/values/attributes/:scope`,
      summary: 'Attributes of a device, of one scope',
      params: z.object({ ...byEntity, scope: readableScope }),
      query: named,
      responses: readingResponses(attributesView),
      handle: ({ principal, params, query }) =>
        read(needs, principal, params.entityId, kept(params.scope), valuesReply(query)),
    }),
    defineRoute({
      ...reading,
      path: `${BY_ENTITY}/keys/attributes`,
      summary: "The names of a device's attributes, of all scopes",
      params: z.object(byEntity),
      responses: readingResponses(z.array(z.string())),
      handle: ({ principal, params }) => read(needs, principal, params.entityId, SCOPES, keysReply),
    }),
    defineRoute({
      ...reading,
      path: `${BY_ENTITY}/keys/attributes/:scope`,
      summary: "The names of a device's attributes, of one scope",
      params: z.object({ ...byEntity, scope: readableScope }),
      responses: readingResponses(z.array(z.string())),
      handle: ({ principal, params }) =>
        read(needs, principal, params.entityId, kept(params.scope), keysReply),
    }),
  ];
}

type Target = (typeof target)[keyof typeof target];

function saving(needs: AttributeNeeds, path: `/${string}`, params: Target): Route {
  return defineRoute({
    method: 'POST',
    path,
    stores: (body) => !steersOnly(body),
    summary: 'Save attributes of a device',
    roles: TENANT_AND_CUSTOMER,
    params,
    body: saved,
    plainProblems: true,
    responses: writing('Saved'),
    handle: ({ principal, params: { id, scope }, body }) => save(needs, principal, id, scope, body),
  });
}

/** Whether a body has nothing but what steers claiming: a tenant can forbid that however much it has stored. */
function steersOnly(body: unknown): boolean {
  return isJsonObject(body) && Object.keys(body).every(steersClaiming);
}

function deleting(needs: AttributeNeeds, path: `/${string}`, params: Target): Route {
  return defineRoute({
    method: 'DELETE',
    path,
    summary: 'Delete attributes of a device; those it does not have are no matter',
    roles: TENANT_AND_CUSTOMER,
    params,
    query: named,
    plainProblems: true,
    responses: writing('Deleted'),
    handle: ({ principal, params: { id, scope }, query }) => remove(needs, principal, id, scope, query),
  });
}

const reading = { method: 'GET' as Method, roles: TENANT_AND_CUSTOMER, plainProblems: true as const };

async function save(
  { devices, secrets }: AttributeNeeds,
  principal: Caller,
  id: DeviceId,
  scope: AttributeScope,
  values: JsonObject,
) {
  const refusal = await forbidden(devices, principal, id, scope, Object.keys(values));
  if (refusal !== undefined) return refusal;
  const checked = withPublicKey(scope, values);
  if (isProblem(checked)) return checked;
  const command: SaveAttributes | Problem = withServerKey(secrets, id, {
    type: 'SaveAttributes',
    tenantId: principal.tenantId,
    customerId: customerOf(principal),
    userId: principal.userId,
    ...impersonation(principal),
    scope,
    values: checked,
  });
  return isProblem(command) ? command : doneReply(await devices.ask(id, command));
}

async function remove(
  { devices }: AttributeNeeds,
  principal: Caller,
  id: DeviceId,
  scope: AttributeScope,
  keys: readonly string[],
) {
  if (keys.length === 0) return badRequest('Empty keys!');
  const refusal = await forbidden(devices, principal, id, scope, keys);
  if (refusal !== undefined) return refusal;
  const { tenantId } = principal;
  return doneReply(
    await devices.ask(id, {
      type: 'DeleteAttributes',
      tenantId,
      customerId: customerOf(principal),
      userId: principal.userId,
      ...impersonation(principal),
      scope,
      keys,
    }),
  );
}

/** The problem, if the caller may not write these keys of this device. */
async function forbidden(
  devices: Devices,
  principal: Caller,
  id: DeviceId,
  scope: AttributeScope,
  keys: readonly string[],
) {
  const device = await visibleDevice(devices, principal, id);
  if (device.type !== 'found') return device;
  const touched = scope === 'SERVER_SCOPE' && keys.some(steersClaiming);
  return touched && principal.authority !== 'TENANT_ADMIN' ? permissionDenied : undefined;
}

async function read(
  { devices, secrets }: AttributeNeeds,
  principal: Caller,
  id: DeviceId,
  scopes: readonly AttributeScope[],
  reply: (shown: readonly ShownAttribute[]) => Reply,
): Promise<Reply> {
  const device = await visibleDevice(devices, principal, id);
  if (device.type !== 'found') return device;
  return reply(scopes.flatMap((scope) => shownAttributes(secrets, principal, device.value, scope)));
}

function valuesReply(keys: readonly string[]) {
  const named = new Set(keys);
  return (shown: readonly ShownAttribute[]) =>
    json(named.size === 0 ? shown : shown.filter(({ key }) => named.has(key)));
}

function keysReply(shown: readonly ShownAttribute[]): Reply {
  return json([...new Set(shown.map(({ key }) => key))]);
}

const SCOPES: readonly AttributeScope[] = ['SERVER_SCOPE', 'SHARED_SCOPE'];

/** Devices send client attributes, and none are kept here. */
function kept(scope: AttributeScope | 'CLIENT_SCOPE'): readonly AttributeScope[] {
  return scope === 'CLIENT_SCOPE' ? [] : [scope];
}

function writing(description: string) {
  return {
    200: { description },
    400: { description: 'Malformed, answered as plain text' },
    403: { description: "Another customer owns the device, or the attribute is the tenant's own" },
    404: { description: 'No such device' },
  };
}

function readingResponses(schema: z.ZodType) {
  return {
    200: { description: 'The attributes', schema },
    403: { description: 'Another customer owns the device, or nobody' },
    404: { description: 'No such device' },
  };
}

// ------------------------------------------------------------------------------------------------- server-side key

/** Takes `claimingData` out of the values and puts it into the command, digested and sealed. */
function withServerKey(secrets: Secrets, id: DeviceId, command: SaveAttributes): SaveAttributes | Problem {
  if (command.scope !== 'SERVER_SCOPE' || !Object.hasOwn(command.values, CLAIMING_DATA)) return command;
  const { [CLAIMING_DATA]: data, ...values } = command.values;
  const parsed = claimingData.safeParse(data);
  if (!parsed.success) {
    // Zod's message says what was expected, never what was sent, which may be the secret.
    const why = parsed.error.issues[0]?.message ?? 'it is malformed';
    return badRequest(`${CLAIMING_DATA} should be {"secretKey": …, "expirationTime": …}: ${why}`);
  }
  const { secretKey, expirationTime } = parsed.data;
  const serverKey = {
    secretDigest: secrets.digest(id, secretKey),
    sealedSecret: secrets.seal(id, secretKey),
    expiresAt: expirationTime,
  };
  return { ...command, values, serverKey, secretLength: secretLengthOf(secretKey) };
}

/**
 * `claimPublicKey` as the object it is, should it be saved as a text. A key against which nothing can be checked is refused
 * here; what can be seen without looking at the curve, the device's own rules refuse.
 */
function withPublicKey(scope: AttributeScope, values: JsonObject): JsonObject | Problem {
  if (scope !== 'SERVER_SCOPE' || !Object.hasOwn(values, CLAIM_PUBLIC_KEY)) return values;
  const value = values[CLAIM_PUBLIC_KEY];
  const key = typeof value === 'string' ? parsedObject(value) : value;
  // Not looked through as other values are: a text may be nested deeper than the body around it.
  const jwk = publicJwk(key);
  if (jwk === undefined || !isKeyToCheck(jwk)) return malformedPublicKey;
  return { ...values, [CLAIM_PUBLIC_KEY]: jwk };
}

interface ShownAttribute {
  readonly lastUpdateTs: number;
  readonly key: string;
  readonly value: Json;
}

/** The attributes of a device that the caller may see. */
function shownAttributes(
  secrets: Secrets,
  principal: Caller,
  device: DeviceRecord,
  scope: AttributeScope,
): ShownAttribute[] {
  const shown = Object.entries(device.attributes[scope]).map(
    ([key, { value, savedAt }]: [string, Attribute]) => ({
      lastUpdateTs: savedAt,
      key,
      value,
    }),
  );
  const { serverKey }: Pick<Device, 'serverKey'> = device;
  if (scope === 'SERVER_SCOPE' && serverKey !== null && principal.authority === 'TENANT_ADMIN') {
    const value = {
      secretKey: unsealedOrNull(secrets, device.id, serverKey.sealedSecret),
      expirationTime: serverKey.expiresAt,
    };
    shown.push({ lastUpdateTs: serverKey.savedAt, key: CLAIMING_DATA, value });
  }
  return shown;
}
