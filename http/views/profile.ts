/** What clients see of a device profile: whole, in short, and its name. */
import { z } from 'zod';
import type { ProfileId } from '../../actors/base/ids.ts';
import { isJsonObject, type JsonObject } from '../../actors/base/json.ts';
import type { DeviceProfile } from '../../actors/fleet/profiles.ts';
import { entityId, instant, optional } from './parts.ts';

/** Other fields that a client wrote into a profile are returned unchanged. */
export const profileView = z
  .looseObject({
    id: entityId('DEVICE_PROFILE'),
    createdTime: instant,
    tenantId: entityId('TENANT'),
    name: z.string(),
    description: optional,
    type: z.literal('DEFAULT'),
    transportType: z.enum(['DEFAULT', 'MQTT', 'COAP']),
    provisionType: z.literal('DISABLED'),
    profileData: z.looseObject({ transportConfiguration: z.looseObject({ type: z.string() }) }),
    /** What the profile says otherwise than the server's options; absent: nothing. */
    claiming: z.looseObject({}).optional(),
    version: z.int(),
    default: z.boolean(),
  })
  .meta({ id: 'DeviceProfile' });

export function viewProfile(profile: DeviceProfile, defaultId: ProfileId): z.infer<typeof profileView> {
  const { id, tenantId, name, description, transport, ownership, version } = profile;
  const more = profile.more ?? {};
  const written: JsonObject = isJsonObject(more.profileData) ? more.profileData : {};
  const configuration = isJsonObject(written.transportConfiguration)
    ? written.transportConfiguration
    : { type: transport.type };
  return {
    ...EMPTY_PROFILE,
    ...more,
    id: { entityType: 'DEVICE_PROFILE', id },
    createdTime: profile.createdAt,
    tenantId: { entityType: 'TENANT', id: tenantId },
    name,
    description,
    type: 'DEFAULT',
    transportType: transport.type,
    provisionType: 'DISABLED',
    profileData: {
      configuration: { type: 'DEFAULT' },
      provisionConfiguration: { type: 'DISABLED', provisionDeviceSecret: null },
      alarms: null,
      ...written,
      transportConfiguration: { ...configuration, type: transport.type },
    },
    ...(ownership !== undefined && Object.keys(ownership).length > 0 ? { claiming: ownership } : {}),
    version,
    default: id === defaultId,
  };
}

const EMPTY_PROFILE = {
  image: null,
  defaultRuleChainId: null,
  defaultDashboardId: null,
  defaultQueueName: null,
  provisionDeviceKey: null,
  firmwareId: null,
  softwareId: null,
  defaultEdgeRuleChainId: null,
  externalId: null,
};

export const profileInfoView = z
  .object({
    id: entityId('DEVICE_PROFILE'),
    tenantId: entityId('TENANT'),
    name: z.string(),
    image: z.null(),
    defaultDashboardId: z.null(),
    type: z.literal('DEFAULT'),
    transportType: z.enum(['DEFAULT', 'MQTT', 'COAP']),
  })
  .meta({ id: 'DeviceProfileInfo' });

export function viewProfileInfo(profile: DeviceProfile): z.infer<typeof profileInfoView> {
  const { id, tenantId, name, transport } = profile;
  return {
    id: { entityType: 'DEVICE_PROFILE', id },
    tenantId: { entityType: 'TENANT', id: tenantId },
    name,
    image: null,
    defaultDashboardId: null,
    type: 'DEFAULT',
    transportType: transport.type,
  };
}

export const profileNameView = z
  .object({ id: entityId('DEVICE_PROFILE'), name: z.string() })
  .meta({ id: 'DeviceProfileName' });

export function viewProfileName({
  id,
  name,
}: Pick<DeviceProfile, 'id' | 'name'>): z.infer<typeof profileNameView> {
  return { id: { entityType: 'DEVICE_PROFILE', id }, name };
}
