/** A device is assigned to a customer, or created in a tenant, while that customer or tenant is being deleted. */
import * as assert from 'uvu/assert';
import type { DeviceCommand } from '../../actors/device/device.ts';
import type { ApiNeeds } from '../../http/app.ts';
import {
  claimPath,
  type Household,
  isProblem,
  openWindow,
  provision,
  type RestWorld,
  restLaws,
  type Scene,
} from '../kit/rest-client.ts';

const NAME = 'Pump 1';

const { law, run } = restLaws('rest tenure');

type Deletion = (accounts: ApiNeeds['accounts']) => Promise<unknown>;

/** A test in which all of `meanwhile` happens while a command of that type is on its way. */
function lawWhile(
  type: DeviceCommand['type'],
  name: string,
  play: (scene: Scene, meet: Meet) => Promise<void>,
) {
  let meanwhile: Deletion | undefined;
  const disturb = (needs: ApiNeeds): ApiNeeds => ({
    ...needs,
    devices: {
      read: (id) => needs.devices.read(id),
      async ask(id, command) {
        const now = command.type === type ? meanwhile : undefined;
        if (now !== undefined) {
          meanwhile = undefined;
          await now(needs.accounts);
        }
        return needs.devices.ask(id, command);
      },
    },
  });
  const meet: Meet = (deletion) => {
    meanwhile = deletion;
  };
  law(name, (scene) => play(scene, meet), { disturb });
}

type Meet = (deletion: Deletion) => void;

const deleteAlice =
  ({ tenantId, adminId, alice }: Household): Deletion =>
  ({ customers }) =>
    customers.remove(tenantId, alice.customerId, adminId);

async function ownerOf(world: RestWorld, { tenantId }: Household) {
  return (await world.directory.byName(tenantId, NAME))?.owner;
}

lawWhile(
  'ConfirmClaim',
  'a claim that meets the deletion of its customer leaves the device to nobody',
  async ({ world, home }, meet) => {
    await openWindow(world, await provision(world, home.tenantId, NAME), 'secret');
    meet(deleteAlice(home));
    const answer = await home.alice.post(claimPath(NAME), { secretKey: 'secret' });
    assert.is(await ownerOf(world, home), null);
    isProblem(answer, 401, 11);
  },
);

lawWhile(
  'AssignDevice',
  'an assignment that meets the deletion of the customer leaves the device to nobody',
  async ({ world, home }, meet) => {
    const id = await provision(world, home.tenantId, NAME);
    meet(deleteAlice(home));
    const answer = await home.admin.post(`/api/customer/${home.alice.customerId}/device/${id}`);
    assert.is(await ownerOf(world, home), null);
    isProblem(answer, 404, 32);
  },
);

lawWhile(
  'ProvisionDevice',
  'a device made for a customer that is deleted meanwhile is there, and nobody has it',
  async ({ world, home }, meet) => {
    meet(deleteAlice(home));
    const customerId = { entityType: 'CUSTOMER', id: home.alice.customerId };
    const answer = await home.admin.post('/api/device', { name: NAME, customerId });
    assert.is(await ownerOf(world, home), null);
    isProblem(answer, 404, 32);
  },
);

lawWhile(
  'ProvisionDevice',
  'a device made in a tenant that is deleted meanwhile is gone, and its access token free',
  async ({ world, home }, meet) => {
    meet(({ tenants }) => tenants.remove(home.tenantId, home.adminId));
    const answer = await home.admin.post('/api/device?accessToken=mine', { name: NAME });
    assert.is(await world.directory.byCredentials(world.secrets.credentialsId('mine')), undefined);
    isProblem(answer, 401, 11);
  },
);

run();
