/**
 * What a device hears of its attributes. It asks for them after it has connected, and ThingsBoard's SDKs wait for the
 * answer. Shared attributes are answered; client attributes, which a device would write itself, are not kept here.
 */
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import type { DeviceRecord, DeviceState } from '../device/state.ts';
import type { Devices } from '../fleet/devices.ts';
import type { AuthenticatedDevice } from './device-authentication.ts';

/** Which attributes are asked for. Without either list, all. */
export interface AttributeRequest {
  readonly clientKeys?: readonly string[];
  readonly sharedKeys?: readonly string[];
}

/** `{"client": …, "shared": …}`, each only where it has something: `{}` at least (facts 1.8). */
type AttributeAnswer = { readonly shared?: JsonObject };

/** The question in a message; undefined where it is none. */
export function readAttributeRequest(value: unknown): AttributeRequest | undefined {
  if (!isJsonObject(value)) return undefined;
  const { clientKeys, sharedKeys } = value;
  const isList = (keys: Json | undefined) => keys === undefined || typeof keys === 'string';
  if (!isList(clientKeys) || !isList(sharedKeys)) return undefined;
  return {
    ...(typeof clientKeys === 'string' ? { clientKeys: listOf(clientKeys) } : {}),
    ...(typeof sharedKeys === 'string' ? { sharedKeys: listOf(sharedKeys) } : {}),
  };
}

/** Keys separated by commas. */
function listOf(keys: string): string[] {
  return keys.split(',').flatMap((key) => key.trim() || []);
}

/** What a gateway asks for: one device, one key or several, of the client's or of the shared ones. */
export interface GatewayAttributeRequest {
  readonly id: number;
  readonly device: string;
  readonly client: boolean;
  readonly keys: readonly string[];
  /** Asked for by `key`: answered with `value`, not with `values`. */
  readonly single: boolean;
}

export function readGatewayAttributeRequest(value: unknown): GatewayAttributeRequest | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, device, client = false, key, keys } = value;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) return undefined;
  if (typeof device !== 'string' || device === '' || typeof client !== 'boolean') return undefined;
  if (typeof key === 'string') return { id, device, client, keys: [key], single: true };
  const listed = typeof keys === 'string' ? listOf(keys) : keys;
  if (!Array.isArray(listed) || !listed.every((one) => typeof one === 'string')) return undefined;
  return { id, device, client, keys: listed, single: false };
}

/** What a gateway hears: without a value where the device has none, or is not its to speak for. */
export function gatewayAnswer(
  { id, device: name, client, keys, single }: GatewayAttributeRequest,
  device: DeviceRecord | undefined,
): JsonObject {
  const values = device === undefined || client ? {} : sharedValues(device, keys);
  if (!single) return { id, device: name, values };
  const [value] = Object.values(values);
  return value === undefined ? { id, device: name } : { id, device: name, value };
}

export interface DeviceAttributes {
  /** Undefined: the device has other credentials by now. Rejects with `StoreUnavailable`. */
  answer(device: AuthenticatedDevice, request: AttributeRequest): Promise<AttributeAnswer | undefined>;
  /** Whether what has shown these credentials hears of attributes, as it is now (O9). Rejects with `StoreUnavailable`. */
  hears(device: AuthenticatedDevice): Promise<boolean>;
}

export function createDeviceAttributes(devices: Pick<Devices, 'read'>): DeviceAttributes {
  return {
    async answer({ id, credentialsId }, { clientKeys, sharedKeys }) {
      const record = await devices.read(id);
      if (record?.credentials.credentialsId !== credentialsId) return undefined;
      if (!mayRead(record)) return {};
      // Who names client attributes alone asks for no others.
      const wanted = sharedKeys ?? (clientKeys === undefined ? undefined : []);
      const shared = sharedValues(record, wanted);
      return Object.keys(shared).length > 0 ? { shared } : {};
    },

    async hears({ id, credentialsId }) {
      const record = await devices.read(id);
      return record?.credentials.credentialsId === credentialsId && mayRead(record);
    },
  };
}

/** O9: replaced credentials fetch their successors and quarantined ones open windows for approval; neither reads anything. */
function mayRead({ nextCredentials, quarantined }: DeviceRecord): boolean {
  return nextCredentials === undefined && quarantined !== true;
}

/** The shared attributes of a device. @param keys which; undefined: all */
function sharedValues(
  { attributes }: Pick<DeviceRecord, 'attributes'>,
  keys?: readonly string[],
): JsonObject {
  const shared = Object.entries(attributes.SHARED_SCOPE);
  const named = new Set(keys);
  const wanted = keys === undefined ? shared : shared.filter(([key]) => named.has(key));
  return Object.fromEntries(wanted.map(([key, { value }]) => [key, value]));
}

export type SharedChange =
  | { readonly type: 'saved'; readonly values: JsonObject }
  | { readonly type: 'deleted'; readonly keys: readonly string[] };

/** What is to be told of the shared attributes of a device that was as it was before: those that are gone, those that differ. */
export function sharedChanges(before: DeviceState, now: DeviceState): SharedChange[] {
  if (before.status !== 'provisioned' || now.status !== 'provisioned') return [];
  const was = before.attributes.SHARED_SCOPE;
  const is = now.attributes.SHARED_SCOPE;
  if (was === is) return [];
  const deleted = Object.keys(was).filter((key) => !Object.hasOwn(is, key));
  const changed = Object.entries(is).filter(
    ([key, { value }]) => !Object.hasOwn(was, key) || !isDeepStrictEqual(was[key]?.value, value),
  );
  return [
    ...(deleted.length > 0 ? [{ type: 'deleted', keys: deleted } as const] : []),
    ...(changed.length > 0
      ? [
          {
            type: 'saved',
            values: Object.fromEntries(changed.map(([key, { value }]) => [key, value])),
          } as const,
        ]
      : []),
  ];
}

/** Shared attributes were saved or deleted: `{"key": value}` or `{"deleted": ["key"]}`. */
export interface SharedNews {
  readonly type: 'shared';
  /** Of the device behind this gateway that has the name; absent: of the session's own device. */
  readonly behind?: string;
  readonly news: JsonObject;
}
