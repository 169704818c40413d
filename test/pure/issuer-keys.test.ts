/** The keys of an issuer are looked for anew behind an answer: what goes wrong there is told, and ends nothing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { newId, type ProviderId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { createIssuerKeys } from '../../http/auth/issuer-keys.ts';
import { NOW } from '../kit/given.ts';
import { until } from '../kit/until.ts';

const PROVIDER = {
  id: newId<ProviderId>(NOW),
  version: 1,
  tenantId: null,
  createdAt: NOW,
  sealedSecret: null,
  title: 'Issuer',
  issuer: 'https://issuer.example',
  clientId: 'claimd',
  clientAuthentication: 'BASIC',
  scopes: [],
  buttonLabel: 'Sign in',
  buttonIcon: null,
  emailDomains: [],
  signsUp: false,
  signUpTenantId: null,
  customerPattern: '%{email}',
} as const;

test('where the keys cannot be looked for anew, a bug is told and a store away is not; those that were had go on', async () => {
  const bugs: string[] = [];
  const log = { ...silentLog, error: (_fields: object, message: string) => bugs.push(message) };
  const failures = [undefined, new StoreUnavailable('memory', 'away'), new Error('a bug')];
  let asked = 0;
  const keysAt = async () => {
    const failure = failures[asked];
    asked += 1;
    if (failure !== undefined) throw failure;
    return new URL('https://issuer.example/keys');
  };
  const send = () => Promise.reject(new Error('no key is asked for'));
  const keysOf = createIssuerKeys({ keysAt }, send, log);
  const first = await keysOf(PROVIDER);
  assert.type(first, 'function');
  assert.is(await keysOf(PROVIDER), first);
  assert.is(await keysOf(PROVIDER), first);
  await until('the bug is told', async () => bugs.length > 0);
  assert.equal([asked, bugs.length], [3, 1]);
});

test.run();
