/** What the web application needs beyond ThingsBoard's endpoints: claim windows, figures, labels, imports, the live feed. */
import * as assert from 'uvu/assert';
import { type Caller, entity, HOUR_MS, openWindow, provision, restLaws } from '../kit/rest-client.ts';

const { law, run } = restLaws('rest fleet');

const infoOf = async (caller: Caller, id: string) => entity(await caller.get(`/api/device/info/${id}`));

law(
  'device infos: the tenant sees windows, keys and permissions, a customer does not',
  async ({ world, home }) => {
    const now = world.clock.now();
    const id = await provision(world, home.tenantId, 'D');
    const nothing = { claimWindow: null, claimingDataExpiresAt: null, claimingAllowed: null };
    const claimability = async (caller: Caller) => {
      const { claimWindow, claimingDataExpiresAt, claimingAllowed } = await infoOf(caller, id);
      return { claimWindow, claimingDataExpiresAt, claimingAllowed };
    };
    assert.equal(await claimability(home.admin), nothing);
    await openWindow(world, id, 's', HOUR_MS);
    const claimingData = { secretKey: 'k', expirationTime: now + 5 };
    await home.admin.post(`/api/plugins/telemetry/${id}/SERVER_SCOPE`, {
      claimingAllowed: true,
      claimingData,
    });
    const window = { openedAt: now, closesAt: now + HOUR_MS, openedBy: 'device' };
    const there = { claimWindow: window, claimingDataExpiresAt: now + 5, claimingAllowed: true };
    assert.equal(await claimability(home.admin), there);
    world.clock.advance(HOUR_MS);
    assert.equal(await claimability(home.admin), { ...there, claimWindow: null });
    await home.admin.post(`/api/customer/${home.alice.customerId}/device/${id}`);
    await home.admin.post(`/api/plugins/telemetry/${id}/SERVER_SCOPE`, { claimingData });
    assert.equal(await claimability(home.alice), nothing);
  },
);

run();
