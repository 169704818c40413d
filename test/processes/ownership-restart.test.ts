/**
 * What an owner has begun outlives the process (H1, N2, K1): the server is killed after each acknowledgement, and what was
 * promised goes on where it stood.
 */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { cast, claimPath } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, startServer } from '../kit/process.ts';

const PASSWORD = 'a-long-password';

test.after(cleanUp);

test('ownership: an offer outlives kills of the server, is accepted once, and its end outlives them too', async () => {
  const dataDir = temporaryFolder();
  const start = () => startServer({ dataDir, env: { SYSADMIN_PASSWORD: PASSWORD } });
  let server = await start();
  const restarted = async () => {
    await server.kill();
    server = await start();
  };
  const scene = await cast(server.url, PASSWORD, 3);
  const [seller, buyer, third] = scene.customers;
  const { tenant } = scene;
  await scene.api.createDevice(tenant, 'Lamp', 'token-of-the-lamp');
  await scene.api.initiate('token-of-the-lamp', { secretKey: 'secret' });
  is((await scene.api.confirm(seller?.token ?? '', 'Lamp', 'secret')).status, 200);

  const ask = async (method: string, path: string, token?: string, body?: object) => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { 'x-authorization': `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.text() };
  };
  const ownerNow = async () =>
    JSON.parse((await ask('GET', '/api/tenant/devices?deviceName=Lamp', tenant)).body).customerId.id;

  const offer = await ask('POST', '/api/customer/device/Lamp/transfer', seller?.token, {});
  is(offer.status, 200, offer.body);
  const { code } = JSON.parse(offer.body);
  await restarted();
  is(await ownerNow(), seller?.id, 'an offer alone changes nothing');

  const accepted = await ask('POST', '/api/transfer/accept', buyer?.token, { code });
  is(accepted.status, 200, accepted.body);
  await restarted();
  is(await ownerNow(), buyer?.id);

  const late = await ask('POST', '/api/transfer/accept', third?.token, { code });
  is(late.status >= 400, true, 'a code works once');
  is(
    (await ask('DELETE', claimPath('Lamp'), seller?.token)).status >= 400,
    true,
    'the seller owns it no more',
  );
  is(await ownerNow(), buyer?.id);

  // An offer that was withdrawn stays so.
  const again = await ask('POST', '/api/customer/device/Lamp/transfer', buyer?.token, {});
  is(again.status, 200, again.body);
  is((await ask('DELETE', '/api/customer/device/Lamp/transfer', buyer?.token)).status, 200);
  await restarted();
  const withdrawn = await ask('POST', '/api/transfer/accept', third?.token, {
    code: JSON.parse(again.body).code,
  });
  equal([withdrawn.status >= 400, await ownerNow()], [true, buyer?.id]);
});

test.run();
