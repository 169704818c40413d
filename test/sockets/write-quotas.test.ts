/** How often the devices of one tenant may change: its own floods are held up, and nobody else's work. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TenantId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import type { DeviceState } from '../../actors/device/state.ts';
import { createWriteQuotas } from '../../actors/fleet/write-quotas.ts';
import { cast } from '../kit/api.ts';
import { DEVICE, given, idOf, OPEN_POLICY, opened, TENANT } from '../kit/given.ts';
import { SYSADMIN_PASSWORD, startLocalServer } from '../kit/local-server.ts';

test('write quotas: past the bound a tenant waits for the rest of the minute, and others do not', () => {
  const clock = { at: 1_000 };
  const told: unknown[] = [];
  const log = { ...silentLog, warn: (fields: object) => told.push(fields) };
  const quotas = createWriteQuotas(3, log, () => clock.at);
  const { state } = given(OPEN_POLICY, opened(2_000_000_000_000));
  const write = (of: DeviceState) =>
    quotas.onDeviceEvent(DEVICE, { type: 'ClaimWindowExpired', at: 1 }, of, of);
  for (let n = 0; n < 2; n += 1) write(state);
  assert.not(quotas.someWait);
  write(state);
  assert.ok(quotas.someWait);
  clock.at += 20_000;
  assert.is(quotas.waitOf(TENANT), 40_000);
  assert.is(quotas.waitOf(idOf<TenantId>(99)), 0);
  for (let n = 0; n < 10; n += 1) write(state);
  assert.is(told.length, 1, 'the log has one line');
  clock.at += 40_000;
  assert.is(quotas.waitOf(TENANT), 0);
  write(state);
  assert.not(quotas.someWait);
});

test('write quotas: devices that open windows without end are told to wait; claims and other tenants go on', async () => {
  const server = await startLocalServer({ options: { 'quota.writesPerTenant': '40' } });
  try {
    const { api, sysadmin, tenant, customers } = await cast(server.url, SYSADMIN_PASSWORD, 1);
    await api.createDevice(tenant, 'D', 'token-of-a-device-1');
    const open = async () => (await api.initiate('token-of-a-device-1', { secretKey: 's' })).status;
    let opened = 0;
    let status = await open();
    for (; status === 200; status = await open()) opened += 1;
    assert.is(status, 429);
    assert.ok(opened > 0 && opened < 60, String(opened));
    const other = await api.createTenant(sysadmin, 'Another');
    await api.createDevice(other, 'E', 'token-of-a-device-2');
    assert.is((await api.initiate('token-of-a-device-2', {})).status, 200);
    assert.is((await api.confirm(customers[0]?.token ?? '', 'D', 's')).status, 200);
  } finally {
    await server.stop();
  }
});

test.run();
