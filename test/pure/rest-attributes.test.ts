/** Attributes over REST, `claimingData` above all (rules O3, C3, C9; facts 3.6 no. 14, 4.3). */
import * as assert from 'uvu/assert';
import { type Answer, claimPath, HOUR_MS, isDone, provision, restLaws, START } from '../kit/rest-client.ts';

const { law, run } = restLaws('rest attributes');

const BASE = '/api/plugins/telemetry';
const NAME = 'Device';
const SECRET = 'printed on the box';
const claimingData = { secretKey: SECRET, expirationTime: START + HOUR_MS };

/** These routes answer refusals as bare text. */
function says(answer: Answer, status: number, text: string): void {
  assert.is(answer.status, status, answer.text);
  assert.is(answer.text, text);
  assert.match(answer.headers.get('content-type') ?? '', 'text/plain');
}

law('attributes: saved by every path, read by scope and keys, deleted', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  const { admin } = home;
  isDone(await admin.post(`${BASE}/${id}/SERVER_SCOPE`, { a: 1, b: { c: [true] } }));
  isDone(await admin.post(`${BASE}/DEVICE/${id}/SERVER_SCOPE`, { a: 'x' }));
  isDone(await admin.post(`${BASE}/DEVICE/${id}/attributes/SHARED_SCOPE`, { s: false }));

  const values = async (rest: string) =>
    (await admin.get(`${BASE}/DEVICE/${id}/values/attributes${rest}`)).json;
  const row = (key: string, value: unknown) => ({ lastUpdateTs: START, key, value });
  assert.equal(await values('/SERVER_SCOPE'), [row('a', 'x'), row('b', { c: [true] })]);
  assert.equal(await values('/SERVER_SCOPE?keys=b,nothing'), [row('b', { c: [true] })]);
  assert.equal(await values('/SHARED_SCOPE'), [row('s', false)]);
  assert.equal(await values('/CLIENT_SCOPE'), []);
  assert.equal(await values('?keys=a,s'), [row('a', 'x'), row('s', false)]);
  const keys = async (rest: string) => (await admin.get(`${BASE}/DEVICE/${id}/keys/attributes${rest}`)).json;
  assert.equal(await keys(''), ['a', 'b', 's']);
  assert.equal(await keys('/SHARED_SCOPE'), ['s']);

  isDone(await admin.delete(`${BASE}/${id}/SERVER_SCOPE?keys=a,nothing`, {}));
  isDone(await admin.delete(`${BASE}/DEVICE/${id}/SHARED_SCOPE?key=s&key=t`));
  assert.equal(await keys(''), ['b']);
});

law('attributes: refusals of what is sent are bare text', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  const save = (body: string, path = `${BASE}/${id}/SERVER_SCOPE`) => home.admin.send('POST', path, { body });
  says(await save('{'), 400, 'Invalid JSON');
  says(await save(''), 400, 'Invalid JSON');
  says(await save('[1]'), 400, 'Invalid JSON');
  says(await save('1'), 400, 'Invalid JSON');
  says(await save('{"a":1e999}'), 400, 'Invalid JSON');
  says(await save('{}'), 400, 'No attributes data found in request body!');
  says(await save('{"a":null}'), 400, 'An attribute can not be null!');
  says(await save('{" ":1}'), 400, 'An attribute key is empty, too long or malformed!');
  says(await home.admin.delete(`${BASE}/${id}/SERVER_SCOPE`), 400, 'Empty keys!');
  says(
    await save(`{"a":"${'x'.repeat(70_000)}"}`),
    400,
    'Attributes of a device may not take more than 64512 bytes!',
  );
});

law(
  'attributes: who is not let in, and where there is nothing, is told in the envelope',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    const save = (path: string) => home.admin.send('POST', path, { body: '{"a":1}' });
    const enveloped = (answer: Answer, status: number, errorCode: number, message: string) => {
      assert.is(answer.status, status, answer.text);
      const { timestamp, ...rest } = answer.json as Record<string, unknown>;
      assert.equal(rest, { status, message, errorCode });
      assert.type(timestamp, 'number');
    };
    enveloped(await save(`${BASE}/${id}/CLIENT_SCOPE`), 400, 31, 'Invalid scope!');
    enveloped(
      await save(`${BASE}/ASSET/${id}/SERVER_SCOPE`),
      400,
      31,
      'Only attributes of a DEVICE are kept here!',
    );
    enveloped(await save(`${BASE}/not-an-id/SERVER_SCOPE`), 400, 31, 'Invalid UUID string!');
    enveloped(await save(`${BASE}/%ff/SERVER_SCOPE`), 400, 31, 'The path is not percent-encoded UTF-8');
    const nobody = await world.app.request(`${BASE}/${id}/SERVER_SCOPE`, { method: 'POST', body: '{"a":1}' });
    assert.is(((await nobody.json()) as Record<string, unknown>).errorCode, 10);
  },
);

law('attributes: names that mean something in JavaScript are names like others', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  const body = '{"__proto__":{"x":1},"constructor":1,"toString":"t"}';
  isDone(await home.admin.send('POST', `${BASE}/${id}/SHARED_SCOPE`, { body }));
  const path = `${BASE}/DEVICE/${id}/values/attributes/SHARED_SCOPE`;
  const rows = (await home.admin.get(path)).json as { key: string; value: unknown }[];
  assert.equal(Object.fromEntries(rows.map(({ key, value }) => [`key ${key}`, value])), {
    'key __proto__': { x: 1 },
    'key constructor': 1,
    'key toString': 't',
  });
  isDone(await home.admin.delete(`${BASE}/${id}/SHARED_SCOPE?keys=__proto__,constructor`));
  assert.equal((await home.admin.get(`${BASE}/DEVICE/${id}/keys/attributes`)).json, ['toString']);
});

law(
  'claimingData: the tenant reads back what it set; customers neither see nor touch it',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME, home.alice.customerId);
    const path = `${BASE}/${id}/SERVER_SCOPE`;
    isDone(await home.admin.post(path, { claimingData, colour: 'red' }));
    const rows = (who: typeof home.admin) => who.get(`${BASE}/DEVICE/${id}/values/attributes`);
    const keys = (who: typeof home.admin) => who.get(`${BASE}/DEVICE/${id}/keys/attributes/SERVER_SCOPE`);
    assert.equal((await rows(home.admin)).json, [
      { lastUpdateTs: START, key: 'colour', value: 'red' },
      { lastUpdateTs: START, key: 'claimingData', value: claimingData },
    ]);
    assert.equal((await keys(home.admin)).json, ['colour', 'claimingData']);
    assert.equal((await keys(home.alice)).json, ['colour']);
    assert.not.match((await rows(home.alice)).text, 'claimingData');

    const denied = "You don't have permission to perform this operation!";
    for (const body of [
      { claimingData },
      { claimingAllowed: true },
      { colour: 'blue', claimingAllowed: false },
    ]) {
      says(await home.alice.post(path, body), 403, denied);
    }
    says(await home.alice.delete(`${path}?keys=colour,claimingData`), 403, denied);
    says(await home.alice.delete(`${path}?keys=claimingAllowed`), 403, denied);
    assert.equal((await keys(home.admin)).json, ['colour', 'claimingData']);
    isDone(await home.alice.post(path, { colour: 'green' }));
    // In the other scope these names mean nothing to claiming.
    for (const body of [{ claimingData: 1 }, { claimingAllowed: false }]) {
      const text = 'claimingAllowed, claimingData and claimPublicKey belong in SERVER_SCOPE!';
      says(await home.alice.post(`${BASE}/${id}/SHARED_SCOPE`, body), 400, text);
      says(await home.admin.post(`${BASE}/${id}/SHARED_SCOPE`, body), 400, text);
    }

    isDone(await home.admin.delete(`${path}?keys=claimingData`));
    assert.equal((await keys(home.admin)).json, ['colour']);
  },
);

law(
  'claimingData: a customer cannot set a key before giving back and claim by it later',
  async ({ world, home }) => {
    await provision(world, home.tenantId, NAME, home.alice.customerId);
    const { id } = (await world.directory.byName(home.tenantId, NAME)) ?? { id: '' };
    assert.is((await home.alice.post(`${BASE}/${id}/SERVER_SCOPE`, { claimingData })).status, 403);
    await home.alice.delete(claimPath(NAME));
    assert.is((await home.alice.post(claimPath(NAME), { secretKey: SECRET })).text, '"FAILURE"');
  },
);

law(
  'claimingData: malformed is refused with the reason, and never with the secret',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    for (const data of [
      SECRET,
      [SECRET],
      { secretKey: SECRET },
      { secretKey: SECRET, expirationTime: '123' },
      { secretKey: SECRET, expirationTime: -1 },
      { secretKey: SECRET, expirationTime: 1.5 },
      { secretKey: SECRET, expirationTime: 2 ** 63 },
      { secretKey: [SECRET], expirationTime: 1 },
      { secretKey: { SECRET }, expirationTime: 1 },
    ]) {
      const answer = await home.admin.post(`${BASE}/${id}/SERVER_SCOPE`, { claimingData: data });
      assert.is(answer.status, 400);
      assert.match(answer.text, 'claimingData should be');
      assert.not.match(answer.text, SECRET);
    }
    isDone(
      await home.admin.post(`${BASE}/${id}/SERVER_SCOPE`, { claimingData: { expirationTime: START + 1 } }),
    );
  },
);

law(
  'claimingData: an instant in seconds or already past is refused, and says which',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    const set = (expirationTime: number) =>
      home.admin.post(`${BASE}/${id}/SERVER_SCOPE`, { claimingData: { secretKey: SECRET, expirationTime } });
    const past = 'expirationTime of claimingData is already past!';
    const seconds = 'expirationTime of claimingData should be in milliseconds since 1970, not in seconds!';
    says(await set(START), 400, past);
    says(await set(0), 400, past);
    says(await set(Math.floor((START + HOUR_MS) / 1000)), 400, seconds);
    isDone(await set(START + 1));
  },
);

law('claimingAllowed: anything but a boolean is refused when it is set', async ({ world, home }) => {
  const id = await provision(world, home.tenantId, NAME);
  for (const claimingAllowed of ['false', 'true', 0, {}, [true]]) {
    const answer = await home.admin.post(`${BASE}/DEVICE/${id}/attributes/SERVER_SCOPE`, { claimingAllowed });
    says(answer, 400, 'claimingAllowed should be true or false, not a text or a number!');
  }
  assert.equal((await home.admin.get(`${BASE}/DEVICE/${id}/keys/attributes`)).json, []);
  isDone(await home.admin.post(`${BASE}/${id}/SERVER_SCOPE`, { claimingAllowed: false }));
});

law(
  'claimingData: what is stored holds neither the secret nor a plain digest of it',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    isDone(await home.admin.post(`${BASE}/${id}/SERVER_SCOPE`, { claimingData }));
    const head = JSON.stringify(await world.store.journal.load(id));
    const log = JSON.stringify(await world.store.journal.log(0, 0, 100));
    for (const text of [head, log]) {
      assert.not.match(text, SECRET);
      assert.not.match(text, Buffer.from(SECRET).toString('base64').replace(/=+$/, ''));
      assert.match(text, 'sealedSecret');
    }
  },
);

law(
  'calls to devices are answered as where the device is not connected, and at once',
  async ({ world, home }) => {
    const id = await provision(world, home.tenantId, NAME);
    const { admin } = home;
    for (const [base, status] of [
      ['/api/rpc', 504],
      ['/api/plugins/rpc', 409],
    ] as const) {
      for (const kind of ['oneway', 'twoway']) {
        const call = (body: unknown, to: string = id) => admin.post(`${base}/${kind}/${to}`, body);
        const answer = await call({ method: 'reboot', params: {}, timeout: 60_000, persistent: true });
        assert.equal([answer.status, answer.text], [status, '']);
        assert.is((await call({ method: 'reboot' })).status, status);
        says(await call({ params: {} }), 400, 'method: Invalid request body');
        says(await call([]), 400, 'Invalid request body');
        assert.is((await call({ method: 'x' }, '00000000-0000-7000-8000-000000000000')).status, 404);
      }
    }
  },
);

run();
