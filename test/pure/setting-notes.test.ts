/** What administrators set is in the audit trail, with what was and what is, and without what may be secret. */
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import {
  entity,
  type Household,
  isDone,
  type RestWorld,
  restLaws,
  systemAdministrator,
  type Tokens,
} from '../kit/rest-client.ts';

const { law, run } = restLaws('setting notes');

interface Entry {
  readonly actionType: string;
  readonly userId: { readonly id: string };
  readonly actionData: {
    readonly setting?: string;
    readonly impersonator?: string;
    readonly before?: Readonly<Record<string, unknown>>;
    readonly after?: Readonly<Record<string, unknown>>;
  };
}

/** Those about settings, the oldest first. */
async function entries(world: RestWorld, home: Household, setting: string): Promise<Entry[]> {
  await world.audit.catchUp();
  const answer = await home.admin.get('/api/audit/logs?pageSize=100&page=0&sortOrder=ASC');
  return (answer.json as { data: Entry[] }).data.filter(({ actionData }) => actionData.setting === setting);
}

law(
  'profiles: made, changed, made the default and deleted, with the rules before and after',
  async (scene) => {
    const { world, home } = scene;
    const profile = { name: 'lamps', claiming: { minSecretLength: 6 }, provisionDeviceSecret: 'hush-hush' };
    const made = entity(await home.admin.post('/api/deviceProfile', profile));
    const changed = {
      ...made,
      claiming: { minSecretLength: 8, takeOver: 'at-once' },
      provisionDeviceSecret: 'hush-more',
    };
    entity(await home.admin.post('/api/deviceProfile', changed));
    const standard = entity(await home.admin.get('/api/deviceProfileInfo/default')).id.id;
    entity(await home.admin.post(`/api/deviceProfile/${made.id.id}/default`));
    entity(await home.admin.post(`/api/deviceProfile/${standard}/default`));
    isDone(await home.admin.delete(`/api/deviceProfile/${made.id.id}`));

    const [added, updated, deleted] = await entries(world, home, 'device profile');
    assert.is(added?.actionType, 'ADDED');
    assert.equal(added?.actionData.after?.claiming, { minSecretLength: 6 });
    assert.is(added?.userId.id, home.adminId);
    assert.equal(updated?.actionData.before, { claiming: { minSecretLength: 6 }, other: 'changed' });
    assert.equal(updated?.actionData.after?.claiming, { minSecretLength: 8, takeOver: 'at-once' });
    assert.is(deleted?.actionType, 'DELETED');
    const [chosen] = await entries(world, home, 'default device profile');
    assert.equal([chosen?.actionData.before?.name, chosen?.actionData.after?.name], ['default', 'lamps']);
    const all = await home.admin.get('/api/audit/logs?pageSize=100&page=0');
    assert.not.match(all.text, /hush/);
  },
);

law('what changes nothing leaves no entry', async ({ world, home }) => {
  const made = entity(await home.admin.post('/api/customer', { title: 'Shop', phone: '0123-secret' }));
  entity(await home.admin.post('/api/customer', made));
  entity(await home.admin.post('/api/customer', { ...made, version: null, phone: '0456-secret' }));
  isDone(await home.admin.delete(`/api/customer/${made.id.id}`));
  const told = await entries(world, home, 'customer');
  assert.equal(
    told.map(({ actionType }) => actionType),
    ['ADDED', 'UPDATED', 'DELETED'],
  );
  assert.equal(told[1]?.actionData.after, { contact: 'changed' });
  assert.not.match(JSON.stringify(told), /0123|0456/);
});

const lines: object[] = [];

law(
  'the system administrator: of a tenant, and of who must have a second factor',
  async ({ world, home }) => {
    const sysadmin = await systemAdministrator(world);
    const tenant = entity(await sysadmin.get(`/api/tenant/${home.tenantId}`));
    entity(await sysadmin.post('/api/tenant', { ...tenant, title: 'Renamed' }));
    const [renamed] = await entries(world, home, 'tenant');
    assert.equal(renamed?.actionData.after, { title: 'Renamed' });
    const filter = { type: 'TENANT_ADMINISTRATORS', tenantsIds: [home.tenantId] };
    const set = (enforceTwoFa: boolean) =>
      sysadmin.post('/api/2fa/settings', { enforceTwoFa, enforcedUsersFilter: filter });
    assert.is((await set(true)).status, 200);
    assert.is((await set(false)).status, 200);
    world.clock.advance(3_000);
    const [on, off] = await entries(world, home, 'second factor');
    assert.equal(on?.actionData.after, { administrators: true });
    assert.equal(off?.actionData.after, { administrators: false });
    assert.is(lines.length, 2, 'and the log says so, for the whole server');
  },
  {
    log: {
      ...silentLog,
      info(fields, message) {
        if (message.includes('second factor')) lines.push(fields);
      },
    },
  },
);

law('who looks in as another administrator is named beside it', async ({ world, home }) => {
  const sysadmin = await systemAdministrator(world);
  const pair = (await sysadmin.get(`/api/user/${home.adminId}/token`)).json as Tokens;
  entity(await world.as(pair.token).post('/api/customer', { title: 'Shop' }));
  const [made] = await entries(world, home, 'customer');
  const { id } = (await sysadmin.get('/api/auth/user')).json as { id: { id: string } };
  assert.equal([made?.userId.id, made?.actionData.impersonator], [home.adminId, id.id]);
});

run();
