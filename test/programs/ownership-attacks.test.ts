/**
 * Attacks by a former owner, from outside: over real sockets against the whole server. "Your IoTs Are (Not) Mine"
 * (DSN 2019) calls them binding denial of service (A2) and hijacking (A4). Rule O9.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { claimPath } from '../kit/api.ts';
import { showReply } from '../wire/doors.ts';
import { createStage, type Stage, type StagedDevice } from '../wire/stage.ts';

const PRINTED = 'printed on the box';
const HIS = "of the former owner's choice";

const confirm = async ({ api }: Stage, token: string, { name }: StagedDevice, secretKey: string) => {
  const { status, body } = await api.send('POST', claimPath(name), token, { secretKey });
  return showReply(status, body);
};

/** The first steps: the device was claimed, and its owner asks for its token. */
async function claimAndRead(stage: Stage, device: StagedDevice) {
  const { api, customer } = stage;
  assert.is((await api.initiate(device.accessToken, { secretKey: PRINTED })).status, 200);
  assert.is(await confirm(stage, customer.token, device, PRINTED), '200 SUCCESS');
  return api.send('GET', `/api/device/${device.id}/credentials`, customer.token);
}

let stage: Stage;

const safe = suite('ownership attacks: defaults');
safe.before(async () => {
  stage = await createStage();
});
safe.after(() => stage.stop());

safe("A2, A4: an owner cannot read the device's token, so it cannot act as the device later", async () => {
  const { api, customer, otherCustomer: buyer } = stage;
  const device = await stage.device();
  const read = await claimAndRead(stage, device);
  assert.is(read.status, 403);
  assert.match(read.body, 'Only the tenant administrator may read the credentials of a device');
  assert.not.match(read.body, device.accessToken);

  // Nor does any other answer that an owner may ask for tell the token.
  for (const path of [
    `/api/device/${device.id}`,
    `/api/device/info/${device.id}`,
    `/api/customer/${customer.id}/devices?page=0&pageSize=10`,
    `/api/customer/${customer.id}/deviceInfos?page=0&pageSize=10`,
    `/api/plugins/telemetry/DEVICE/${device.id}/values/attributes`,
  ]) {
    const { status, body } = await api.send('GET', path, customer.token);
    assert.is(status, 200, path);
    assert.not.match(body, device.accessToken);
  }

  await api.must('DELETE', claimPath(device.name), customer.token);
  assert.is((await api.initiate(device.accessToken, { secretKey: PRINTED })).status, 200);
  assert.is(await confirm(stage, buyer.token, device, PRINTED), '200 SUCCESS');
});

const open = suite('ownership attacks: customers read credentials');
open.before(async () => {
  stage = await createStage({ options: { 'security.claim.customersReadCredentials': 'true' } });
});
open.after(() => stage.stop());

open('A2, A4: with the token that it has read, a former owner takes the device from the buyer', async () => {
  const { api, customer, otherCustomer: buyer } = stage;
  const device = await stage.device();
  const read = await claimAndRead(stage, device);
  assert.is(read.status, 200);
  const { credentialsId } = JSON.parse(read.body);
  await api.must('DELETE', claimPath(device.name), customer.token);
  assert.is((await api.initiate(device.accessToken, { secretKey: PRINTED })).status, 200);
  assert.is((await api.initiate(credentialsId, { secretKey: HIS })).status, 200, 'from afar');
  assert.is(await confirm(stage, buyer.token, device, PRINTED), '400 "FAILURE"');
  // This is what the option gives away, as ThingsBoard does; the default above is why it is off.
  assert.is(await confirm(stage, customer.token, device, HIS), '200 SUCCESS');
});

safe.run();
open.run();
