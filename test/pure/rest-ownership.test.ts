/**
 * How often and when a device changed hands (rule R6): what a new owner sees of it, and the signed statement of it. The
 * statement is checked with `node:crypto` alone, as anybody could.
 */
import { createPublicKey, verify } from 'node:crypto';
import * as assert from 'uvu/assert';
import { createStatements } from '../../actors/claiming/statements.ts';
import type { Device, DeviceRecord } from '../../actors/device/state.ts';
import {
  type Answer,
  claimByWindow,
  claimPath,
  HOUR_MS,
  isDone,
  isProblem,
  provision,
  restLaws,
  START,
  steer,
} from '../kit/rest-client.ts';

const { law, run } = restLaws('rest ownership');

const NAME = 'Bike 12';

interface History {
  readonly ownerEpoch: number;
  readonly owned: boolean;
  readonly changes: readonly { readonly epoch: number; readonly at: number; readonly by: string }[];
  readonly complete: boolean;
}

function history(answer: Answer): History {
  assert.is(answer.status, 200, answer.text);
  return answer.json as History;
}

law(
  'R6: a new owner sees how often, when and by what a device changed hands, and no names',
  async (scene) => {
    const { world, home } = scene;
    const { clock } = world;
    const id = await provision(world, home.tenantId, NAME);
    const path = `/api/device/${id}/ownership`;
    assert.equal(history(await home.admin.get(path)), {
      ownerEpoch: 0,
      owned: false,
      changes: [],
      complete: true,
    });

    await claimByWindow(world, home.alice, id, NAME);
    const first = { epoch: 1, at: START, by: 'secret' };
    assert.equal(history(await home.alice.get(path)).changes, [first]);
    isProblem(await home.bob.get(path), 403, 20);

    clock.advance(HOUR_MS);
    isDone(await home.alice.delete(claimPath(NAME)));
    isProblem(await home.alice.get(path), 403, 20); // what comes after her is not hers to see
    clock.advance(HOUR_MS);
    const claimingData = { secretKey: 'key', expirationTime: clock.now() + HOUR_MS };
    await steer(home.admin, id, { claimingData });
    assert.is((await home.bob.post(claimPath(NAME), { secretKey: 'key' })).status, 200);

    const answer = await home.bob.get(path);
    assert.equal(history(answer), {
      ownerEpoch: 3,
      owned: true,
      changes: [
        first,
        { epoch: 2, at: START + HOUR_MS, by: 'give-back' },
        { epoch: 3, at: START + 2 * HOUR_MS, by: 'server-key' },
      ],
      complete: true,
    });
    for (const secret of [home.alice.customerId, home.alice.userId, home.alice.email, home.bob.customerId]) {
      assert.not.ok(answer.text.includes(secret));
    }
    isDone(await home.admin.delete(claimPath(NAME)));
    assert.is((await home.admin.post(`/api/customer/${home.alice.customerId}/device/${id}`)).status, 200);
    assert.equal(
      history(await home.alice.get(path)).changes.map(({ by }) => by),
      ['secret', 'give-back', 'server-key', 'give-back', 'assignment'],
    );
  },
);

law('R6: the audit trail says by what each change of owner came about', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  await claimByWindow(world, home.alice, id, NAME);
  await home.alice.delete(claimPath(NAME));
  await world.audit.catchUp();
  const { items } = await world.audit.find(home.tenantId, {
    page: 0,
    pageSize: 10,
    deviceId: id,
    sortOrder: 'ASC',
  });
  const told = items.flatMap(({ data: { ownerEpoch, evidence } }) =>
    evidence ? [[ownerEpoch, evidence]] : [],
  );
  assert.equal(told, [
    [1, 'secret'],
    [2, 'give-back'],
  ]);
});

law('R6: a device keeps its last changes, and says when these are not all', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  const { tenantId, alice, bob, admin } = home;
  for (let change = 0; change < 50; change++) {
    const { customerId, userId } = change % 2 === 0 ? alice : bob;
    await world.devices.ask(id, { type: 'AssignDevice', tenantId, userId, customerId });
  }
  const { ownerEpoch, changes, complete } = history(await admin.get(`/api/device/${id}/ownership`));
  assert.equal([ownerEpoch, changes.length, complete], [50, 33, false]);
  assert.equal(
    changes.map(({ epoch }) => epoch),
    Array.from({ length: 33 }, (_, nth) => 18 + nth),
  );
});

interface Statement {
  readonly statement: string;
}

law(
  'R6: a statement is checked by anybody with the published key, and says what the device’s owner sees',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    await claimByWindow(world, home.alice, id, NAME);
    const seen = history(await home.alice.get(`/api/device/${id}/ownership`));
    const answer = await home.alice.get(`/api/device/${id}/ownership/statement`);
    isProblem(await home.bob.get(`/api/device/${id}/ownership/statement`), 403, 20);

    const { statement } = answer.json as Statement;
    const published = await world.nobody.get('/.well-known/jwks.json');
    const { keys } = published.json as { readonly keys: readonly { readonly kid: string }[] };
    const [key] = keys;
    assert.ok(key !== undefined && !('d' in key));
    const claims = checked(statement, key);
    assert.equal(claims, {
      iss: 'claimd',
      sub: id,
      iat: START / 1000,
      device: { id, name: NAME, type: 'default' },
      ...seen,
    });
    const [header = '', body = '', signature = ''] = statement.split('.');
    assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()), {
      alg: 'EdDSA',
      kid: key.kid,
      typ: 'ownership-statement+jwt',
    });
    const forged = Buffer.from(JSON.stringify({ ...(claims as object), ownerEpoch: 0, changes: [] }));
    assert.is(checked(`${header}.${forged.toString('base64url')}.${signature}`, key), undefined);
    assert.is(checked(`${header}.${body}.${Buffer.alloc(64).toString('base64url')}`, key), undefined);
  },
);

/** The claims of a statement; undefined if this key did not sign it. */
function checked(statement: string, jwk: object): unknown {
  const [header = '', body = '', signature = ''] = statement.split('.');
  const isSigned = verify(
    null,
    Buffer.from(`${header}.${body}`),
    createPublicKey({ key: { ...jwk }, format: 'jwk' }),
    Buffer.from(signature, 'base64url'),
  );
  return isSigned ? JSON.parse(Buffer.from(body, 'base64url').toString()) : undefined;
}

law(
  'R6: all nodes of an installation sign by one key, another installation by another',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    const device = { ...((await world.devices.read(id)) as Device), id } as DeviceRecord;
    const [ours, again, theirs] = [1, 1, 2].map((byte) =>
      createStatements([Buffer.alloc(32, byte)], 'x', world.clock),
    );
    assert.ok(ours && again && theirs);
    assert.equal(await ours.keys(), await again.keys());
    assert.is(await ours.sign(device), await again.sign(device));
    const [theirKey] = (await theirs.keys()).keys;
    assert.is(checked(await ours.sign(device), theirKey ?? {}), undefined);
    const changing = createStatements([Buffer.alloc(32, 2), Buffer.alloc(32, 1)], 'x', world.clock);
    const { keys } = await changing.keys();
    assert.is(keys.length, 2, 'while keys are changed, what the old one signed can still be checked');
    const statement = await ours.sign(device);
    assert.ok(keys.some((key) => checked(statement, key) !== undefined));
  },
);

run();
