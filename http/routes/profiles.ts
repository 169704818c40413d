/**
 * Device profiles: how devices send their messages (JSON or protobuf, see `actors/fleet/profiles.ts`), and which ownership
 * rules they follow (`claiming`, see `actors/device/ownership-rules.ts`). The other fields are stored and returned.
 *
 * A client of ThingsBoard that reads a profile and saves it again drops `claiming`, which it does not know. So an absent
 * one stays as it is; null takes it away.
 */

import { z } from 'zod';
import { isKeepable, type JsonObject } from '../../actors/base/json.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { OWNERSHIP_CHOICES as CHOICES, type OwnershipRules } from '../../actors/device/ownership-rules.ts';
import type {
  ProfileFields,
  ProfileRefusal,
  Profiles,
  TransportConfiguration,
} from '../../actors/fleet/profiles.ts';
import { TENANT, TENANT_AND_CUSTOMER } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { pageView } from '../views/page.ts';
import {
  profileInfoView,
  profileNameView,
  profileView,
  viewProfile,
  viewProfileInfo,
  viewProfileName,
} from '../views/profile.ts';
import { badRequest, notFound, versionConflict } from '../wire/errors.ts';
import { unlessVisible } from '../wire/names.ts';
import { empty, isProblem, json, type Problem } from '../wire/reply.ts';
import { optionalText, profileId, profilePaging, reference, requiredText, version } from '../wire/schemas.ts';

import { pageReply } from './answers.ts';
import { noteProfile, noteSetting } from './setting-notes.ts';
import type { NotesChanges } from './user-notes.ts';

/** Limit for the other fields, as JSON in bytes. */
const MORE_BYTES_MAX = 65_536;

const inPath = z.object({ profileId });

const payloadType = z.looseObject({
  transportPayloadType: z.enum(['JSON', 'PROTOBUF']).default('JSON'),
  enableCompatibilityWithJsonPayloadFormat: z.boolean().nullish(),
});

/** ThingsBoard's shapes, as far as they have an effect here. */
const transportConfiguration = z.discriminatedUnion(
  'type',
  [
    z.looseObject({ type: z.literal('DEFAULT') }),
    z.looseObject({
      type: z.literal('MQTT'),
      transportPayloadTypeConfiguration: payloadType.nullish(),
      sendAckOnValidationException: z.boolean().nullish(),
    }),
    z.looseObject({
      type: z.literal('COAP'),
      coapDeviceTypeConfiguration: z
        .looseObject({ transportPayloadTypeConfiguration: payloadType.nullish() })
        .nullish(),
    }),
  ],
  { error: 'Only the transport types DEFAULT, MQTT and COAP are supported!' },
);

/** Which ownership rules the profile's devices follow; what is absent follows the server's options. */
const ownership = z.strictObject({
  onOwnerChange: z.enum(CHOICES.onOwnerChange).exactOptional(),
  rotationGraceMs: within(CHOICES.rotationGraceMs),
  takeOver: z.enum(CHOICES.takeOver).exactOptional(),
  takeOverNoticeMs: within(CHOICES.takeOverNoticeMs),
  takeOverRequires: z.enum(CHOICES.takeOverRequires).exactOptional(),
  deviceReset: z.enum(CHOICES.deviceReset).exactOptional(),
  claimProof: z.enum(CHOICES.claimProof).exactOptional(),
  gatewayScope: z.enum(CHOICES.gatewayScope).exactOptional(),
  transfer: z.enum(CHOICES.transfer).exactOptional(),
  minSecretLength: within(CHOICES.minSecretLength),
} satisfies { readonly [Rule in keyof OwnershipRules]: z.ZodType });

function within({ min, max }: { readonly min: number; readonly max: number }) {
  return z.int().min(min).max(max).exactOptional();
}

const profileBody = z.looseObject(
  {
    id: reference(profileId),
    name: requiredText('Device profile name'),
    description: optionalText('Description', 4096),
    transportType: z
      .enum(['DEFAULT', 'MQTT', 'COAP'], {
        error: 'Only the transport types DEFAULT, MQTT and COAP are supported!',
      })
      .nullish(),
    profileData: z.looseObject({ transportConfiguration: transportConfiguration.nullish() }).nullish(),
    claiming: ownership.nullish(),
    version,
  },
  { error: 'The body should be a JSON object!' },
);
type ProfileBody = z.output<typeof profileBody>;

interface ProfileNeeds {
  readonly profiles: Profiles;
  readonly audit: NotesChanges;
}

export function profileRoutes(needs: ProfileNeeds): Route[] {
  return [
    saveProfile(needs),
    profileNames(needs),
    readProfile(needs),
    deleteProfile(needs),
    makeDefault(needs),
    listProfiles(needs),
    listProfileInfos(needs),
    readDefaultInfo(needs),
    readProfileInfo(needs),
  ];
}

function saveProfile({ profiles, audit }: ProfileNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/deviceProfile',
    stores: true,
    summary: 'Create a device profile, or with an id: change it',
    roles: TENANT,
    body: profileBody,
    responses: {
      200: { description: 'The profile', schema: profileView },
      400: { description: 'The name is taken or malformed, or the transport is not supported' },
      404: { description: 'No such profile' },
      409: { description: 'Changed since the version given' },
    },
    async handle({ principal, body }) {
      const { tenantId } = principal;
      const fields = fieldsOf(body);
      if (isProblem(fields)) return fields;
      const before = body.id === undefined ? undefined : await profiles.find(tenantId, body.id);
      const hidden = unlessVisible([['Device profile name', body.name, before?.name]]);
      if (hidden !== undefined) return hidden;
      const saved =
        body.id === undefined
          ? await profiles.create(tenantId, fields)
          : await profiles.update(tenantId, body.id, fields, body.version);
      if (saved.type === 'refused') return refusedProfile(saved.reason);
      await noteProfile(audit, principal, before, saved.value);
      return json(viewProfile(saved.value, (await profiles.default(tenantId)).id));
    },
  });
}

function profileNames({ profiles }: ProfileNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceProfile/names',
    summary: "The names of the tenant's device profiles",
    roles: TENANT_AND_CUSTOMER,
    responses: { 200: { description: 'The names', schema: z.array(profileNameView) } },
    async handle({ principal }) {
      return json((await profiles.names(principal.tenantId)).slice(0, ALL).map(viewProfileName));
    },
  });
}

function readProfile({ profiles }: ProfileNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceProfile/:profileId',
    summary: 'A device profile',
    roles: TENANT,
    params: inPath,
    responses: {
      200: { description: 'The profile', schema: profileView },
      404: { description: 'No such profile' },
    },
    async handle({ principal: { tenantId }, params }) {
      const profile = await profiles.find(tenantId, params.profileId);
      if (profile === undefined) return notFound;
      return json(viewProfile(profile, (await profiles.default(tenantId)).id));
    },
  });
}

function deleteProfile({ profiles, audit }: ProfileNeeds): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/api/deviceProfile/:profileId',
    summary: 'Delete a device profile that no device names and that is not the default',
    roles: TENANT,
    params: inPath,
    responses: {
      200: { description: 'Deleted' },
      400: { description: 'It is the default, or devices have it' },
      404: { description: 'No such profile' },
    },
    async handle({ principal, params }) {
      const before = await profiles.find(principal.tenantId, params.profileId);
      const removed = await profiles.remove(principal.tenantId, params.profileId);
      if (removed.type === 'refused') return refusedProfile(removed.reason);
      await noteProfile(audit, principal, before, undefined);
      return empty;
    },
  });
}

function makeDefault({ profiles, audit }: ProfileNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/deviceProfile/:profileId/default',
    summary: 'Make a device profile the default, which devices follow that name none',
    roles: TENANT,
    params: inPath,
    responses: {
      200: { description: 'The profile', schema: profileView },
      404: { description: 'No such profile' },
    },
    async handle({ principal, params }) {
      const { tenantId } = principal;
      const before = await profiles.default(tenantId);
      const chosen = await profiles.makeDefault(tenantId, params.profileId);
      if (chosen.type === 'refused') return refusedProfile(chosen.reason);
      await noteSetting(audit, principal, {
        tenantId,
        action: 'UPDATED',
        what: { setting: 'default device profile' },
        before: { id: before.id, name: before.name },
        after: { id: chosen.value.id, name: chosen.value.name },
      });
      return json(viewProfile(chosen.value, chosen.value.id));
    },
  });
}

function listProfiles({ profiles }: ProfileNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceProfiles',
    summary: "The tenant's device profiles",
    roles: TENANT,
    query: profilePaging,
    responses: { 200: { description: 'A page of profiles', schema: pageView(profileView) } },
    async handle({ principal: { tenantId }, query }) {
      const page = await profiles.list(tenantId, query);
      const { id } = await profiles.default(tenantId);
      return pageReply(page, query, (profile) => viewProfile(profile, id));
    },
  });
}

function listProfileInfos({ profiles }: ProfileNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceProfileInfos',
    summary: "The tenant's device profiles, in short",
    roles: TENANT_AND_CUSTOMER,
    query: profilePaging,
    responses: { 200: { description: 'A page of profiles', schema: pageView(profileInfoView) } },
    async handle({ principal, query }) {
      return pageReply(await profiles.list(principal.tenantId, query), query, viewProfileInfo);
    },
  });
}

function readDefaultInfo({ profiles }: ProfileNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceProfileInfo/default',
    summary: "The tenant's default device profile, in short",
    roles: TENANT_AND_CUSTOMER,
    responses: { 200: { description: 'The profile', schema: profileInfoView } },
    handle: async ({ principal }) => json(viewProfileInfo(await profiles.default(principal.tenantId))),
  });
}

function readProfileInfo({ profiles }: ProfileNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/deviceProfileInfo/:profileId',
    summary: 'A device profile, in short',
    roles: TENANT_AND_CUSTOMER,
    params: inPath,
    responses: {
      200: { description: 'The profile', schema: profileInfoView },
      404: { description: 'No such profile' },
    },
    async handle({ principal, params }) {
      const profile = await profiles.find(principal.tenantId, params.profileId);
      return profile === undefined ? notFound : json(viewProfileInfo(profile));
    },
  });
}

/** More profiles than any tenant has. */
const ALL = 10_000;

function fieldsOf(body: ProfileBody): ProfileFields | Problem {
  const transport = transportOf(body);
  if (transport === undefined) return badRequest('transportType and transportConfiguration do not agree!');
  const { id: _, name, description, version: __, claiming, ...rest } = body;
  if (!isKeepable(rest)) return badRequest('A number in the profile is out of range!');
  const more = rest as JsonObject; // `isKeepable` checked it
  if (Buffer.byteLength(JSON.stringify(more)) > MORE_BYTES_MAX) {
    return badRequest(`A device profile may not take more than ${MORE_BYTES_MAX} bytes!`);
  }
  const rules = claiming === undefined ? {} : { ownership: claiming ?? {} };
  return { name, description, transport, ...rules, more };
}

function transportOf({ transportType, profileData }: ProfileBody): TransportConfiguration | undefined {
  const configuration = profileData?.transportConfiguration;
  const type = transportType ?? configuration?.type ?? 'DEFAULT';
  if (configuration !== undefined && configuration !== null && configuration.type !== type) return undefined;
  switch (type) {
    case 'DEFAULT':
      return { type };
    case 'MQTT': {
      const mqtt = configuration?.type === 'MQTT' ? configuration : undefined;
      const payload = mqtt?.transportPayloadTypeConfiguration;
      return {
        type,
        payloadType: payload?.transportPayloadType ?? 'JSON',
        jsonCompatible: payload?.enableCompatibilityWithJsonPayloadFormat ?? false,
        ackMalformed: mqtt?.sendAckOnValidationException ?? false,
      };
    }
    case 'COAP': {
      const coap = configuration?.type === 'COAP' ? configuration.coapDeviceTypeConfiguration : undefined;
      return { type, payloadType: coap?.transportPayloadTypeConfiguration?.transportPayloadType ?? 'JSON' };
    }
    default:
      return unreachable(type);
  }
}

function refusedProfile(reason: ProfileRefusal): Problem {
  switch (reason) {
    case 'not-found':
      return notFound;
    case 'name-taken':
      return badRequest('Device profile with such name already exists!');
    case 'version-conflict':
      return versionConflict('Device profile');
    case 'is-default':
      return badRequest('Deletion of the default device profile is prohibited!');
    case 'in-use':
      return badRequest("The device profile referenced by the devices can't be deleted!");
    default:
      return unreachable(reason);
  }
}
