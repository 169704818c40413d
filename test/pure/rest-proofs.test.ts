/**
 * Proof of possession over REST (rule C11): a device signs its customer's challenge, and the signed text is shown where the
 * secret goes. Most of these are attacks. The device's part is played with `node:crypto` alone, so that the
 * library which checks the proofs does not also make them.
 */
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import { x509 } from '../../actors/fleet/credentials.ts';
import { CERTIFIED_KEY, DEVICE_CERTIFICATE } from '../kit/device-certificate.ts';
import {
  type Answer,
  claimPath,
  HOUR_MS,
  isDone,
  isProblem,
  openWindow,
  provision,
  type Resident,
  restLaws,
  ruledBy,
  type Scene,
  steer,
} from '../kit/rest-client.ts';

const { law, run } = restLaws('rest proofs');

const NAME = 'Lock 7';
const MINUTE_S = 60;

interface Signer {
  readonly alg: string;
  readonly key: KeyObject;
}

const ed25519: Signer = { alg: 'EdDSA', key: generateKeyPairSync('ed25519').privateKey };
const p256: Signer = { alg: 'ES256', key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey };
const strangers: Signer = { alg: 'EdDSA', key: generateKeyPairSync('ed25519').privateKey };

const publicJwk = ({ key }: Signer) => createPublicKey(key).export({ format: 'jwk' });
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

interface Challenge {
  readonly nonce: string;
  readonly expiresAt: number;
  readonly audience: string;
}

/** What firmware makes of a challenge. */
function signed(
  signer: Signer,
  { nonce, audience }: Challenge,
  nowMs: number,
  { header = {}, claims = {} }: { readonly header?: object; readonly claims?: object } = {},
): string {
  const iat = Math.floor(nowMs / 1000);
  const all = { aud: audience, sub: NAME, nonce, iat, exp: iat + 5 * MINUTE_S, ...claims };
  const text = `${base64url({ alg: signer.alg, kid: NAME, ...header })}.${base64url(all)}`;
  const digest = signer.alg === 'ES256' ? 'sha256' : null;
  const signature = sign(digest, Buffer.from(text), { key: signer.key, dsaEncoding: 'ieee-p1363' });
  return `pop1.${text}.${signature.toString('base64url')}`;
}

async function lock({ world, home }: Scene, signer: Signer = ed25519, name = NAME): Promise<DeviceId> {
  const id = await provision(world, home.tenantId, name);
  isDone(await saveKey({ world, home }, id, publicJwk(signer)));
  return id;
}

function saveKey({ home }: Scene, id: DeviceId, claimPublicKey: unknown): Promise<Answer> {
  return home.admin.post(`/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`, { claimPublicKey });
}

const challengePath = (name: string) => `${claimPath(name)}/challenge`;

async function challengeFor(customer: Resident, name = NAME): Promise<Challenge> {
  const answer = await customer.post(challengePath(name));
  assert.is(answer.status, 200, answer.text);
  return answer.json as Challenge;
}

const show = (customer: Resident, secretKey: string, name = NAME) =>
  customer.post(claimPath(name), { secretKey });

function isClaimed(answer: Answer): void {
  assert.is(answer.status, 200, answer.text);
}

function isRefused(answer: Answer, reason: string): void {
  assert.equal([answer.status, answer.text], [400, '"FAILURE"']);
  assert.is(answer.headers.get('claim-refusal'), reason);
}

const REQUIRED = ruledBy({ claimProof: 'required' });
const NONE = ruledBy({ claimProof: 'none' });

for (const signer of [ed25519, p256]) {
  law(`C11: ${signer.alg}: what the device signed claims it, without a window`, async (scene) => {
    const { world, home } = scene;
    await lock(scene, signer);
    const challenge = await challengeFor(home.alice);
    assert.is(Buffer.from(challenge.nonce, 'base64url').length, 32);
    isClaimed(await show(home.alice, signed(signer, challenge, world.clock.now())));
  });
}

law('C11: a device with X.509 credentials signs by the key of its certificate', async (scene) => {
  const { world, home } = scene;
  const id = await provision(world, home.tenantId, NAME);
  isProblem(await home.alice.post(challengePath(NAME)), 400, 31, 'This device takes no proof of possession!');
  const credentials = x509(world.secrets, DEVICE_CERTIFICATE);
  assert.ok(credentials);
  const { tenantId } = home;
  assert.is(
    (await world.devices.ask(id, { type: 'ChangeCredentials', tenantId, credentials })).type,
    'accepted',
  );
  const challenge = await challengeFor(home.alice);
  isRefused(await show(home.alice, signed(p256, challenge, world.clock.now())), 'wrong-proof');
  isClaimed(
    await show(home.alice, signed({ alg: 'ES256', key: CERTIFIED_KEY }, challenge, world.clock.now())),
  );
});

law('C11: the key is checked when the tenant sets it, and only the tenant does', async (scene) => {
  const { world, home } = scene;
  const id = await provision(world, home.tenantId, NAME, home.alice.customerId);
  const path = `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`;
  const good = publicJwk(ed25519);
  const { key: privateKey } = ed25519;
  const wrong = [
    'not a key',
    7,
    {},
    { ...good, x: `${good.x?.slice(1)}` },
    privateKey.export({ format: 'jwk' }), // with it anybody who reads it could sign
    generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }),
    { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }, // no point of the curve
    { kty: 'oct', k: 'c2VjcmV0' },
    `{"kty": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`, // a text may be nested as deep as it is long
  ];
  for (const key of wrong) {
    const answer = await saveKey(scene, id, key);
    assert.is(answer.status, 400, JSON.stringify(key).slice(0, 200));
    assert.match(answer.text, 'claimPublicKey should be a public JWK');
  }
  const shared = await home.admin.post(path.replace('SERVER', 'SHARED'), { claimPublicKey: good });
  assert.is(shared.status, 400);
  assert.is((await home.alice.post(path, { claimPublicKey: good })).status, 403);
  assert.is((await home.alice.delete(`${path}?keys=claimPublicKey`)).status, 403);
  isDone(await saveKey(scene, id, JSON.stringify({ ...good, kid: 'as a text' })));
  const device = await world.devices.read(id);
  assert.equal(device?.attributes.SERVER_SCOPE.claimPublicKey?.value, good);
});

law('attack: a replayed proof: it claims once, also after the device was given back', async (scene) => {
  const { world, home } = scene;
  await lock(scene);
  const proof = signed(ed25519, await challengeFor(home.alice), world.clock.now());
  isClaimed(await show(home.alice, proof));
  assert.is((await show(home.alice, proof)).text, '"CLAIMED"');
  isDone(await home.alice.delete(claimPath(NAME)));
  isRefused(await show(home.alice, proof), 'wrong-proof');
});

law('attack: a proof of an earlier owner epoch: whatever began the next one', async (scene) => {
  const { world, home } = scene;
  const id = await lock(scene);
  const proof = signed(ed25519, await challengeFor(home.alice), world.clock.now());
  const device = { tenantId: home.tenantId, userId: home.bob.userId } as const;
  await world.devices.ask(id, { type: 'AssignDevice', ...device, customerId: home.bob.customerId });
  await world.devices.ask(id, { type: 'UnassignDevice', ...device, customerId: null });
  isRefused(await show(home.alice, proof), 'wrong-proof');
});

law(
  'attack: a foreign proof: of another customer’s challenge, though the device signed it',
  async (scene) => {
    const { world, home } = scene;
    await lock(scene);
    const proof = signed(ed25519, await challengeFor(home.alice), world.clock.now());
    isRefused(await show(home.bob, proof), 'wrong-proof');
    await challengeFor(home.bob); // also while Bob has a challenge of his own
    isRefused(await show(home.bob, proof), 'wrong-proof');
    isClaimed(await show(home.alice, proof));
  },
);

law('attack: a foreign proof: signed by another device, or for another', async (scene) => {
  const { world, home } = scene;
  await lock(scene);
  await lock(scene, strangers, 'Lock 8');
  const now = world.clock.now();
  const challenge = await challengeFor(home.alice);
  isRefused(await show(home.alice, signed(strangers, challenge, now)), 'wrong-proof');
  const forOther = signed(ed25519, challenge, now, { claims: { sub: 'Lock 8' } });
  isRefused(await show(home.alice, forOther), 'wrong-proof');
  isRefused(await show(home.alice, forOther, 'Lock 8'), 'wrong-proof');
  const byOther = signed(ed25519, challenge, now, { header: { kid: 'Lock 8' } });
  isRefused(await show(home.alice, byOther), 'wrong-proof');
  // The challenge of one device, signed by another one for itself.
  const other = signed(strangers, challenge, now, { header: { kid: 'Lock 8' }, claims: { sub: 'Lock 8' } });
  isRefused(await show(home.alice, other, 'Lock 8'), 'wrong-proof');
});

law('attack: a foreign proof: for another server, or for several', async (scene) => {
  const { world, home } = scene;
  await lock(scene);
  const challenge = await challengeFor(home.alice);
  for (const aud of [
    'https://evil.example',
    '',
    undefined,
    [challenge.audience],
    [challenge.audience, 'x'],
  ]) {
    const proof = signed(ed25519, challenge, world.clock.now(), { claims: { aud } });
    isRefused(await show(home.alice, proof), 'wrong-proof');
  }
});

law(
  'attack: alg none, HMAC under the public key, and what is no JWS',
  async (scene) => {
    const { world, home } = scene;
    await lock(scene);
    const challenge = await challengeFor(home.alice);
    const proof = signed(ed25519, challenge, world.clock.now());
    const [, header = '', claims = '', signature = ''] = proof.split('.');
    const publicKey = createPublicKey(ed25519.key);
    const underKey = (key: Buffer | string) => {
      const text = `${base64url({ alg: 'HS256' })}.${claims}`;
      return `pop1.${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
    };
    const own = { jwk: publicJwk(strangers) };
    const forged = [
      `pop1.${base64url({ alg: 'none' })}.${claims}.`,
      `pop1.${base64url({ alg: 'none' })}.${claims}.${signature}`,
      underKey(publicKey.export({ type: 'spki', format: 'pem' })),
      underKey(publicKey.export({ type: 'spki', format: 'der' })),
      underKey(Buffer.from(publicJwk(ed25519).x ?? '', 'base64url')),
      underKey(''),
      signed({ ...ed25519, alg: 'EdDSA' }, challenge, world.clock.now(), { header: { alg: 'ES256' } }),
      signed(strangers, challenge, world.clock.now(), { header: own }), // brings its own key
      signed(ed25519, challenge, world.clock.now(), { header: { crit: ['x'], x: 1 } }),
      `pop1.${header}.${claims}.`,
      `pop1.${header}.${claims}`,
      `pop1.${header}..${signature}`,
      'pop1.',
      'pop1...',
      'pop1.{}.{}.{}',
      `pop1.${'A'.repeat(100_000)}`,
      `pop1.${base64url({ alg: 'EdDSA' })}.${Buffer.from('[').toString('base64url')}.${signature}`,
    ];
    for (const text of forged) {
      isRefused(await show(home.alice, text), 'wrong-proof');
    }
  },
  { limits: { wrongSecretsPerCustomerAndDevice: { max: 0, windowMs: 1000 } } },
);

law('attack: guessing proofs counts as guessing secrets', async (scene) => {
  const { home } = scene;
  await lock(scene);
  for (let guess = 0; guess < 10; guess++) isRefused(await show(home.bob, 'pop1.a.b.c'), 'wrong-proof');
  assert.is((await show(home.bob, 'pop1.a.b.c')).status, 429);
});

law(
  'attack: however many wrong proofs others show, whoever has the right one claims',
  async (scene) => {
    const { world, home } = scene;
    await lock(scene);
    const proof = signed(ed25519, await challengeFor(home.alice), world.clock.now());
    for (let at = 0; at < 50; at += 1) isRefused(await show(home.bob, 'pop1.x'), 'wrong-proof');
    isClaimed(await show(home.alice, proof));
  },
  { limits: { wrongSecretsPerCustomerAndDevice: { max: 0, windowMs: 1000 } } },
);

law(
  'C11: a proof has an age: its own, and that of its challenge',
  async (scene) => {
    const { world, home } = scene;
    await lock(scene);
    const challenge = await challengeFor(home.alice);
    const at = (claims: object) => signed(ed25519, challenge, world.clock.now(), { claims });
    const now = Math.floor(world.clock.now() / 1000);
    isRefused(await show(home.alice, at({ exp: now - 5 * MINUTE_S })), 'proof-outdated');
    isRefused(await show(home.alice, at({ iat: now - 12 * MINUTE_S })), 'proof-outdated');
    isRefused(await show(home.alice, at({ exp: now + 11 * MINUTE_S })), 'wrong-proof'); // lasts too long
    isRefused(await show(home.alice, at({ iat: now + 5 * MINUTE_S })), 'wrong-proof'); // from the future
    isRefused(await show(home.alice, at({ iat: undefined })), 'wrong-proof');
    isRefused(await show(home.alice, at({ exp: undefined })), 'wrong-proof');
    isRefused(await show(home.alice, at({ nonce: undefined })), 'wrong-proof');
    isRefused(await show(home.alice, at({ nonce: [challenge.nonce] })), 'wrong-proof');
    assert.is(challenge.expiresAt, world.clock.now() + 10 * MINUTE_S * 1000);
    world.clock.advance(10 * MINUTE_S * 1000);
    isRefused(await show(home.alice, signed(ed25519, challenge, world.clock.now())), 'proof-outdated');
  },
  { limits: { wrongSecretsPerCustomerAndDevice: { max: 0, windowMs: 1000 } } },
);

law(
  'attack: a stolen label, where a proof is required: neither secret nor server key claims',
  async (scene) => {
    const { world, home } = scene;
    const id = await lock(scene);
    await openWindow(world, id, 'on the label');
    isRefused(await show(home.bob, 'on the label'), 'proof-required');
    isRefused(await show(home.bob, ''), 'proof-required');
    const claimingData = { secretKey: 'server key', expirationTime: world.clock.now() + HOUR_MS };
    await steer(home.admin, id, { claimingData });
    isRefused(await show(home.bob, 'server key'), 'proof-required');
    isClaimed(await show(home.alice, signed(ed25519, await challengeFor(home.alice), world.clock.now())));
  },
  REQUIRED,
);

law(
  'C11: a device without a key, where a proof is required, is claimed by nobody',
  async (scene) => {
    const { world, home } = scene;
    const id = await provision(world, home.tenantId, NAME);
    await openWindow(world, id, 'pop1.is-no-proof');
    isRefused(await show(home.bob, 'pop1.is-no-proof'), 'proof-required');
  },
  REQUIRED,
);

law(
  'C11: without proofs, or without a key, a secret that begins with pop1. is a secret',
  async (scene) => {
    const { world, home } = scene;
    const id = await lock(scene);
    await openWindow(world, id, 'pop1.a.b.c');
    isProblem(await home.alice.post(challengePath(NAME)), 400, 31);
    isClaimed(await show(home.alice, 'pop1.a.b.c'));
  },
  NONE,
);

law('C11: a key that is changed or deleted ends what was signed by the old one', async (scene) => {
  const { world, home } = scene;
  const id = await lock(scene);
  const proof = signed(ed25519, await challengeFor(home.alice), world.clock.now());
  isDone(await saveKey(scene, id, publicJwk(p256)));
  isRefused(await show(home.alice, proof), 'wrong-proof');
  isDone(await home.admin.delete(`/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE?keys=claimPublicKey`));
  isRefused(await show(home.alice, proof), 'no-window'); // a secret like any other now
});

law('C11: a forbidden device gives no challenges and takes no proofs', async (scene) => {
  const { world, home } = scene;
  const id = await lock(scene);
  const proof = signed(ed25519, await challengeFor(home.alice), world.clock.now());
  await steer(home.admin, id, { claimingAllowed: false });
  isRefused(await show(home.alice, proof), 'claiming-not-allowed');
  isProblem(await home.alice.post(challengePath(NAME)), 403, 20);
});

law(
  'C11: challenges are few: one per customer, so many a minute, none for what is owned',
  async (scene) => {
    const { world, home } = scene;
    const id = await lock(scene);
    const first = signed(ed25519, await challengeFor(home.alice), world.clock.now());
    await challengeFor(home.alice);
    isRefused(await show(home.alice, first), 'wrong-proof'); // a newer challenge is in its place
    assert.is((await home.alice.post(challengePath(NAME))).status, 429);
    assert.is((await world.devices.read(id))?.challenges?.length, 1);
    isProblem(await home.bob.post(challengePath('nothing')), 404, 32);
    await world.devices.ask(id, {
      type: 'AssignDevice',
      tenantId: home.tenantId,
      userId: home.alice.userId,
      customerId: home.alice.customerId,
    });
    isProblem(await home.bob.post(challengePath(NAME)), 400, 31, 'Device is already claimed!');
  },
  { limits: { challengesPerCustomer: { max: 2, windowMs: 60_000 } } },
);

law(
  'C11: where refusals are uniform, whoever may not have a challenge gets a useless one',
  async (scene) => {
    const { world, home } = scene;
    const id = await provision(world, home.tenantId, NAME);
    for (const name of [NAME, 'nothing']) {
      const answer = await home.alice.post(challengePath(name));
      assert.is(answer.status, 200);
      assert.equal(Object.keys(answer.json as object), ['nonce', 'expiresAt', 'audience']);
    }
    assert.is((await world.devices.read(id))?.challenges, undefined);
  },
  { settings: { uniformRefusals: true } },
);

run();
