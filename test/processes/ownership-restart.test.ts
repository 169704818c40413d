/**
 * What an owner has begun outlives the process (H1, N2, K1): the server is killed after each acknowledgement, and what was
 * promised goes on where it stood.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { cast, claimPath, restApi } from '../kit/api.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { ConnectionBroken } from '../kit/http.ts';
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

/** How many claims are under way when the server is killed, and how many of them are acknowledged before. */
const CLAIMS = 60;
const ACKNOWLEDGED = 15;

test('ownership: C12: killed among claims, no device has an owner without what the policy gave with the claim', async () => {
  const hook = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { name } = JSON.parse(body).data.device;
      const said = JSON.stringify({ allow: true, attributes: { plan: `the plan of ${name}` } });
      response.writeHead(200, { 'content-type': 'application/json' }).end(said);
    });
  });
  await new Promise<void>((listening) => hook.listen(0, '127.0.0.1', listening));
  const { port } = hook.address() as AddressInfo;
  const dataDir = temporaryFolder();
  const env = {
    SYSADMIN_PASSWORD: PASSWORD,
    SECURITY_CLAIM_POLICY_HOOK_URL: `http://127.0.0.1:${port}/`,
    SECURITY_CLAIM_POLICY_HOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    SECURITY_CLAIM_POLICY_HOOK_TIMEOUT: '5000', // the machine may be slow
    OUTBOUND_ALLOW_HTTP: 'true',
    OUTBOUND_ALLOWED_NETWORKS: '127.0.0.1',
  };
  const server = await startServer({ dataDir, env });
  const { api, tenant, customers } = await cast(server.url, PASSWORD, 1);
  const token = customers[0]?.token ?? '';
  const names = Array.from({ length: CLAIMS }, (_, n) => `Lamp ${n}`);
  for (const name of names) {
    const accessToken = name.replace('Lamp ', 'token-of-lamp-');
    await api.createDevice(tenant, name, accessToken);
    await api.initiate(accessToken, { secretKey: 'secret' });
  }

  const acknowledged: string[] = [];
  let killed: Promise<unknown> | undefined;
  const claims = names.map(async (name) => {
    const reply = await api.confirm(token, name, 'secret').catch((error: unknown) => {
      if (!(error instanceof ConnectionBroken)) throw error;
    });
    if (reply?.status !== 200) return;
    acknowledged.push(name);
    if (acknowledged.length >= ACKNOWLEDGED) killed ??= server.kill();
  });
  await Promise.all(claims);
  await (killed ?? server.kill());

  const again = restApi((await startServer({ dataDir, env })).url);
  for (const name of names) {
    const { id, customerId } = await again.device(tenant, name);
    const isOwned = customerId.id === customers[0]?.id;
    const path = `/api/plugins/telemetry/DEVICE/${id.id}/values/attributes/SERVER_SCOPE`;
    const shown = await again.get<{ key: string; value: unknown }[]>(path, tenant);
    const values = shown.map(({ key, value }) => [key, value]);
    equal(values, isOwned ? [['plan', `the plan of ${name}`]] : [], name);
    if (acknowledged.includes(name)) is(isOwned, true, name);
  }
  is(acknowledged.length >= ACKNOWLEDGED, true, `only ${acknowledged.length} were acknowledged`);
  hook.closeAllConnections();
  hook.close();
});

test.run();
