/** Device profiles and the three kinds of credentials over REST. */
import * as assert from 'uvu/assert';
import { firstProfileOf, type TransportConfiguration } from '../../actors/fleet/profiles.ts';
import { CERTIFICATE } from '../kit/certificate.ts';
import {
  type Answer,
  claimPath,
  entity,
  isDone,
  isProblem,
  openWindow,
  pageOf,
  provision,
  restLaws,
  settle,
} from '../kit/rest-client.ts';
import { until } from '../kit/until.ts';

const { law, run } = restLaws('rest profiles');

const reference = (id: string) => ({ entityType: 'DEVICE_PROFILE', id });
const idOf = (answer: Answer) => entity(answer).id.id;

const PROTOBUF = {
  name: 'protobuf',
  transportType: 'MQTT',
  defaultQueueName: 'Main',
  profileData: {
    transportConfiguration: {
      type: 'MQTT',
      deviceTelemetryTopic: 'v1/devices/me/telemetry',
      transportPayloadTypeConfiguration: {
        transportPayloadType: 'PROTOBUF',
        deviceTelemetryProtoSchema: 'syntax ="proto3";',
        enableCompatibilityWithJsonPayloadFormat: true,
      },
      sendAckOnValidationException: true,
    },
  },
};

law('profiles: ownership rules stay when a client does not know them, and go with null', async ({ home }) => {
  const claiming = { onOwnerChange: 'rotate', rotationGraceMs: 60_000, minSecretLength: 8 };
  const made = entity(await home.admin.post('/api/deviceProfile', { name: 'strict', claiming }));
  assert.equal(made.claiming, claiming);
  const { claiming: _, ...withoutRules } = made;
  const saved = entity(await home.admin.post('/api/deviceProfile', { ...withoutRules, description: 'new' }));
  assert.equal(saved.claiming, claiming);
  const reset = entity(await home.admin.post('/api/deviceProfile', { ...saved, claiming: null }));
  assert.is(reset.claiming, undefined);
  for (const wrong of [
    { onOwnerChanges: 'keep' },
    { takeOver: 'notify' },
    { minSecretLength: -1 },
    'rotate',
  ]) {
    isProblem(await home.admin.post('/api/deviceProfile', { name: 'wrong', claiming: wrong }), 400, 31);
  }
});

law(
  'profiles: claimingData with a shorter secret than its profile asks for is refused',
  async ({ world, home }) => {
    const profile = idOf(
      await home.admin.post('/api/deviceProfile', { name: 'pin', claiming: { minSecretLength: 6 } }),
    );
    const device = entity(
      await home.admin.post('/api/device', { name: 'D', deviceProfileId: reference(profile) }),
    );
    const path = `/api/plugins/telemetry/DEVICE/${device.id.id}/SERVER_SCOPE`;
    const save = (secretKey: string | null) =>
      home.admin.post(path, { claimingData: { secretKey, expirationTime: world.clock.now() + 1_000 } });
    for (const short of ['12345', '', null, '🔑🔑🔑🔑🔑']) {
      const { status, text } = await save(short);
      assert.equal([status, text], [400, 'secretKey should have at least 6 characters!']);
    }
    isDone(await save('🔑🔑🔑🔑🔑🔑'));
  },
);

law(
  'an imported row with too short an access token is refused, in the trial too',
  async ({ home }) => {
    const { id } = (await home.admin.post('/api/deviceImport', {})).json as { id: string };
    const rows = [
      { name: 'short', accessToken: '12345678901' },
      { name: 'good', accessToken: '123456789012' },
      { name: 'drawn' },
    ];
    entity(await home.admin.post(`/api/deviceImport/${id}/rows`, { from: 0, rows }));
    for (const dryRun of [true, false]) {
      entity(await home.admin.post(`/api/deviceImport/${id}/start?dryRun=${dryRun}`));
      const job = async () => (await home.admin.get(`/api/deviceImport/${id}`)).json as { state: string };
      await until('it has ended', async () => (await job()).state === (dryRun ? 'TRIED' : 'DONE'));
      const page = pageOf(await home.admin.get(`/api/deviceImport/${id}/rows?pageSize=10`));
      const messages = (page.data as unknown as { message: string | null }[]).map(({ message }) => message);
      assert.equal(messages, ['The access token has fewer than 12 characters', null, null]);
    }
  },
  { minTokenLength: 12 },
);

law('profiles: an imported row with too short a secret is refused, in the trial too', async ({ home }) => {
  const standard = entity(await home.admin.get('/api/deviceProfileInfo/default')).id.id;
  const full = entity(await home.admin.get(`/api/deviceProfile/${standard}`));
  entity(await home.admin.post('/api/deviceProfile', { ...full, claiming: { minSecretLength: 6 } }));
  const { id } = (await home.admin.post('/api/deviceImport', {})).json as { id: string };
  const rows = [
    { name: 'short', secretKey: '12345' },
    { name: 'good', secretKey: '123456' },
    { name: 'none' },
  ];
  entity(await home.admin.post(`/api/deviceImport/${id}/rows`, { from: 0, rows }));
  for (const dryRun of [true, false]) {
    entity(await home.admin.post(`/api/deviceImport/${id}/start?dryRun=${dryRun}`));
    const job = async () => (await home.admin.get(`/api/deviceImport/${id}`)).json as { state: string };
    await until('it has ended', async () => (await job()).state === (dryRun ? 'TRIED' : 'DONE'));
    const page = pageOf(await home.admin.get(`/api/deviceImport/${id}/rows?pageSize=10`));
    const told = (page.data as unknown as { outcome: string; message: string | null }[]).map(
      ({ outcome, message }) => `${outcome} ${message}`,
    );
    const well = dryRun ? 'GOOD' : 'CREATED';
    assert.equal(told, ['REFUSED The secret has fewer than 6 characters', `${well} null`, `${well} null`]);
  }
  const names = pageOf(await home.admin.get('/api/tenant/devices')).data.map(({ name }) => name);
  assert.equal([...names].sort(), ['good', 'none']);
});

law('profiles: each tenant has a default from the start, as info and as profile', async ({ home }) => {
  const short = entity(await home.alice.get('/api/deviceProfileInfo/default'));
  assert.equal([short.name, short.transportType], ['default', 'DEFAULT']);
  const full = entity(await home.admin.get(`/api/deviceProfile/${short.id.id}`));
  assert.equal([full.default, full.transportType, full.provisionType], [true, 'DEFAULT', 'DISABLED']);
  const page = pageOf(await home.admin.get('/api/deviceProfiles?pageSize=10&page=0'));
  assert.equal(
    page.data.map(({ name }) => name),
    ['default'],
  );
});

law(
  'profiles: what a client wrote is returned, and decides how payloads are read',
  async ({ world, home }) => {
    const made = entity(await home.admin.post('/api/deviceProfile', PROTOBUF));
    assert.equal([made.transportType, made.defaultQueueName, made.default], ['MQTT', 'Main', false]);
    const { transportConfiguration } = made.profileData as { transportConfiguration: object };
    assert.equal(transportConfiguration, PROTOBUF.profileData.transportConfiguration);

    // Sent back as it was read, it does not change.
    const again = entity(await home.admin.post('/api/deviceProfile', made));
    assert.equal({ ...again, version: 1 }, made);
    isProblem(await home.admin.post('/api/deviceProfile', made), 409, 35);

    const device = entity(
      await home.admin.post('/api/device', { name: 'D', deviceProfileId: reference(made.id.id) }),
    );
    assert.equal([device.type, device.deviceProfileId], ['protobuf', reference(made.id.id)]);
    const record = await world.directory.byName(home.tenantId, 'D');
    assert.is(record?.profileId, made.id.id);
    const info = entity(await home.admin.get(`/api/device/info/${device.id.id}`));
    assert.is(info.deviceProfileName, 'protobuf');
    isProblem(await home.admin.delete(`/api/deviceProfile/${made.id.id}`), 400, 31);
  },
);

for (const [what, profileData, transport] of [
  ['nothing', undefined, { type: 'DEFAULT' }],
  [
    'CoAP with protobuf',
    {
      transportConfiguration: {
        type: 'COAP',
        coapDeviceTypeConfiguration: {
          coapDeviceType: 'DEFAULT',
          transportPayloadTypeConfiguration: { transportPayloadType: 'PROTOBUF' },
        },
      },
    },
    { type: 'COAP', payloadType: 'PROTOBUF' },
  ],
  [
    'MQTT without more',
    { transportConfiguration: { type: 'MQTT' } },
    { type: 'MQTT', payloadType: 'JSON', jsonCompatible: false, ackMalformed: false },
  ],
] as const satisfies readonly (readonly [string, unknown, TransportConfiguration])[]) {
  let kept: unknown;
  law(
    `profiles: transport of ${what}`,
    async ({ home }) => {
      entity(await home.admin.post('/api/deviceProfile', { name: 'P', profileData }));
      assert.equal(kept, transport);
    },
    {
      disturb: (needs) => ({
        ...needs,
        profiles: {
          ...needs.profiles,
          create: (tenantId, fields) => {
            kept = fields.transport;
            return needs.profiles.create(tenantId, fields);
          },
        },
      }),
    },
  );
}

law('profiles: a profile that cannot be served is refused, and nothing of it is kept', async ({ home }) => {
  for (const body of [
    { name: 'P', transportType: 'LWM2M' },
    { name: 'P', profileData: { transportConfiguration: { type: 'SNMP' } } },
    { name: 'P', transportType: 'MQTT', profileData: { transportConfiguration: { type: 'COAP' } } },
    { name: 'default' },
    { name: '' },
    { name: 'P', blob: 'x'.repeat(70_000) },
  ])
    isProblem(await home.admin.post('/api/deviceProfile', body), 400, 31);
  assert.is(pageOf(await home.admin.get('/api/deviceProfiles')).totalElements, 1);
});

law('profiles: when another is the default, the old one can be deleted', async ({ home }) => {
  const first = firstProfileOf(home.tenantId);
  const id = idOf(await home.admin.post('/api/deviceProfile', { name: 'new' }));
  isProblem(await home.admin.delete(`/api/deviceProfile/${first}`), 400, 31);
  assert.is(entity(await home.admin.post(`/api/deviceProfile/${id}/default`)).default, true);
  assert.is(idOf(await home.alice.get('/api/deviceProfileInfo/default')), id);
  isDone(await home.admin.delete(`/api/deviceProfile/${first}`));
  const names = (await home.alice.get('/api/deviceProfile/names')).json;
  assert.equal(names, [{ id: reference(id), name: 'new' }]);
});

law("profiles: another tenant's are not there", async ({ world, home }) => {
  const other = await settle(world, 'other');
  const id = idOf(await other.admin.post('/api/deviceProfile', { name: 'theirs' }));
  isProblem(await home.admin.get(`/api/deviceProfile/${id}`), 404, 32);
  isProblem(await home.admin.post('/api/device', { name: 'D', deviceProfileId: reference(id) }), 404, 32);
});

law(
  'profiles: a device that is sent back as it was read still names no profile; lists by profile',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, 'D');
    const read = entity(await home.admin.get(`/api/device/${id}`));
    entity(await home.admin.post('/api/device', { ...read, label: 'L' }));
    const record = await world.devices.read(id);
    assert.equal([record?.profileId ?? null, record?.label], [null, 'L']);
    const profile = idOf(await home.admin.post('/api/deviceProfile', { name: 'P' }));
    entity(await home.admin.post('/api/device', { name: 'E', deviceProfileId: reference(profile) }));
    const page = pageOf(await home.admin.get(`/api/tenant/deviceInfos?deviceProfileId=${profile}`));
    assert.equal(
      page.data.map(({ name }) => name),
      ['E'],
    );
  },
);

law(
  'profiles: a device that names none follows the default, wherever it is shown',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, 'D');
    await openWindow(world, id, 's');
    const first = firstProfileOf(home.tenantId);
    const profileIdOf = (device: object) =>
      'deviceProfileId' in device ? device.deviceProfileId : undefined;
    const listed = async (profile: string) =>
      pageOf(await home.admin.get(`/api/tenant/deviceInfos?deviceProfileId=${profile}`)).data.length;
    const read = entity(await home.admin.get(`/api/device/${id}`));
    assert.equal(profileIdOf(read), reference(first));
    assert.is(await listed(first), 1);

    const other = idOf(await home.admin.post('/api/deviceProfile', { name: 'new' }));
    entity(await home.admin.post(`/api/deviceProfile/${other}/default`));
    assert.equal([await listed(first), await listed(other)], [0, 1]);
    const now = entity(await home.admin.get(`/api/device/${id}`));
    const info = entity(await home.admin.get(`/api/device/info/${id}`));
    const [inList] = pageOf(await home.admin.get('/api/tenant/devices?pageSize=10&page=0')).data;
    const claim = await home.alice.post(claimPath('D'), { secretKey: 's' });
    const saved = entity(await home.admin.post('/api/device', { ...now, label: 'L' }));
    const claimed = (claim.json as { device: object }).device; // as the schema has it
    for (const device of [now, info, inList ?? {}, claimed, saved]) {
      assert.equal(profileIdOf(device), reference(other));
    }
    assert.is(info.deviceProfileName, 'new');
    assert.is((await world.devices.read(id))?.profileId ?? null, null);
  },
);

// ---------------------------------------------------------------------------------------------------- credentials

law('credentials: O9: an owner does not read them, and hears who may', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, 'D', home.alice.customerId);
  const answer = await home.alice.get(`/api/device/${id}/credentials`);
  isProblem(answer, 403, 20);
  assert.match(answer.text, 'Only the tenant administrator may read the credentials of a device');
  assert.match(answer.text, 'security.claim.customersReadCredentials');
  assert.is((answer.json as { reason?: string }).reason, 'permission-denied');
  assert.is((await home.admin.get(`/api/device/${id}/credentials`)).status, 200);
  assert.not.match((await home.bob.get(`/api/device/${id}/credentials`)).text, 'customersReadCredentials');
});

law(
  'credentials: O9: an owner reads them where the operator allows it, nobody else',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, 'D', home.alice.customerId);
    const path = `/api/device/${id}/credentials`;
    assert.equal(entity(await home.alice.get(path)), entity(await home.admin.get(path)));
    isProblem(await home.bob.get(path), 403, 20);
    await home.alice.delete(claimPath('D'));
    isProblem(await home.alice.get(path), 403, 20);
  },
  { settings: { customersReadCredentials: true } },
);

law('credentials: MQTT_BASIC and X509_CERTIFICATE, set, read back and found', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, 'D', home.alice.customerId);
  const save = (credentialsType: string, credentialsValue?: string) =>
    home.admin.post('/api/device/credentials', {
      deviceId: { entityType: 'DEVICE', id },
      credentialsType,
      credentialsValue,
    });
  const parts = { clientId: 'c', userName: 'u', password: 'p4ss' };
  const basic = entity(await save('MQTT_BASIC', JSON.stringify(parts)));
  assert.equal(JSON.parse(String(basic.credentialsValue)), parts);
  assert.match(String(basic.credentialsId), /^[0-9a-f]{64}$/);
  const read = entity(await home.admin.get(`/api/device/${id}/credentials`));
  assert.equal(read, basic);
  assert.is(
    (await world.directory.byCredentials(world.secrets.credentialsId(String(basic.credentialsId))))?.id,
    id,
  );

  const pem = `-----BEGIN CERTIFICATE-----\n${CERTIFICATE}\n-----END CERTIFICATE-----\n`;
  const x509 = entity(await save('X509_CERTIFICATE', pem));
  assert.equal([x509.credentialsType, x509.credentialsValue], ['X509_CERTIFICATE', CERTIFICATE]);

  for (const [type, value] of [
    ['MQTT_BASIC', undefined],
    ['MQTT_BASIC', 'p4ss'],
    ['MQTT_BASIC', '{"password":"p4ss"}'],
    ['MQTT_BASIC', '{"clientId":7}'],
    ['X509_CERTIFICATE', 'not-a-certificate'],
    ['X509_CERTIFICATE', Buffer.from('a certificate').toString('base64')],
    ['ACCESS_TOKEN', undefined],
    ['LWM2M_CREDENTIALS', '{}'],
  ] as const) {
    const refused = await save(type, value);
    isProblem(refused, 400, 31);
    assert.not.match(refused.text, /p4ss/);
  }
});

law('credentials: a device can be created with them; no two devices have the same', async ({ home }) => {
  const born = (name: string) =>
    home.admin.post('/api/device-with-credentials', {
      device: { name },
      credentials: { credentialsType: 'MQTT_BASIC', credentialsValue: '{"userName":"u","password":"p"}' },
    });
  const id = idOf(await born('one'));
  assert.is(entity(await home.admin.get(`/api/device/${id}/credentials`)).credentialsId, 'u');
  isProblem(await born('two'), 400, 31);
});

run();
