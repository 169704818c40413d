/**
 * A flood of wrong logins from many addresses at a real server whose limits on guessing are switched off, so all of it
 * reaches the hashing. Beside it a customer logs in from home and claims a device. How long that takes is told in passwords of the
 * flood that were hashed meanwhile, so it says as much on a slow machine.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cast, claimPath } from '../kit/api.ts';
import { send } from '../kit/http.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { pause, until } from '../kit/until.ts';

const flood = suite('login flood');
flood.after(cleanUp);

const SYSADMIN_PASSWORD = 'flood-test-sysadmin';
/** More than the queue has room for: the flood fills it and is turned away in part. */
const ATTACKERS = 90;
const HOME = '198.51.100.7';
/** Logins of one measurement, of which the middle one counts. */
const ROUNDS = 5;
/**
 * How many of the flood's hashes may be made while it is answered. It waits for those that are being made, and makes its own: five on a
 * machine with twenty processes for each core. Without favour it would wait for the whole queue, fifty, if it was let in at all.
 */
const HASHES_MAX = 16;
/** This process may stand still, and then hears of many at once. */
const TURNS_MAX = 5;

flood('a customer who comes from a known address logs in and claims beside it', async () => {
  const server = await startServer({
    env: {
      SYSADMIN_PASSWORD,
      HTTP_TRUSTED_PROXIES: '1',
      SECURITY_PASSWORD_HASH_COST: '32768', // the default
      SECURITY_LOGIN_MAX_FAILED: '0',
      SECURITY_LOGIN_MAX_FAILED_PER_ADDRESS: '0',
      SECURITY_LOGIN_MAX_FAILED_PER_USER: '0',
    },
  });
  const { api, tenant, customers } = await cast(server.url, SYSADMIN_PASSWORD, 1);
  const [customer] = customers;
  assert.ok(customer);
  await api.createDevice(tenant, 'flooded', 'FLOODED-TOKEN-0001');

  const login = (username: string, password: string, from: string) =>
    send(`${server.url}/api/auth/login`, {
      method: 'POST',
      body: { username, password },
      headers: { 'x-forwarded-for': from },
    });
  const email = 'user@customer-0.example';
  const fromHome = () => login(email, 'a-long-password', HOME);
  assert.is((await fromHome()).status, 200, 'from now on the address is known');

  async function claim(): Promise<void> {
    assert.is((await api.initiate('FLOODED-TOKEN-0001', { secretKey: 'right' })).status, 200);
    assert.is(
      (await api.send('POST', claimPath('flooded'), customer?.token, { secretKey: 'right' })).status,
      200,
    );
    assert.is((await api.reclaim(customer?.token ?? '', 'flooded')).status, 200);
  }

  let flooding = false;
  const answers = new Map<number, number>();
  /** How many of the flood's passwords were hashed while it was under way. */
  async function hashedDuring(task: () => Promise<unknown>): Promise<number> {
    const before = answers.get(401) ?? 0;
    await task();
    return (answers.get(401) ?? 0) - before;
  }

  /** The middle of some. */
  async function measure(): Promise<{ readonly login: number; readonly claim: number }> {
    const logins: number[] = [];
    const claims: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      logins.push(await hashedDuring(async () => assert.is((await fromHome()).status, 200)));
      claims.push(await hashedDuring(claim));
    }
    return { login: middle(logins), claim: middle(claims) };
  }

  async function attack(at: number): Promise<void> {
    while (flooding) {
      const [who, from] = [at % 2 === 0 ? email : `nobody${at}@flood.example`, `203.0.113.${at}`];
      const { status } = await login(who, 'wrong-password', from);
      answers.set(status, (answers.get(status) ?? 0) + 1);
      if (status === 503) await pause(200); // or its own requests would be the load, and not the hashing
    }
  }

  /** What the same takes while the flood goes on. */
  async function measureBeside() {
    flooding = true;
    const crowd = Array.from({ length: ATTACKERS }, (_, at) => attack(at));
    try {
      const before = answers.get(503) ?? 0;
      await until('the flood has filled the queue', () => (answers.get(503) ?? 0) > before + ATTACKERS / 2);
      return await measure();
    } finally {
      flooding = false;
      await Promise.all(crowd);
    }
  }

  const told: string[] = [];
  async function isHeldUpByLittle(): Promise<boolean> {
    const beside = await measureBeside();
    told.push(JSON.stringify(beside));
    return beside.login <= HASHES_MAX && beside.claim <= HASHES_MAX;
  }
  let turns = 0;
  while (!(await isHeldUpByLittle())) {
    turns += 1;
    assert.ok(turns < TURNS_MAX, told.join('\n'));
  }
  process.stdout.write(`\n# login flood: hashes made meanwhile: ${told}\n`);
  assert.ok((answers.get(401) ?? 0) > 0, 'the flood was hashed');
  assert.not.ok(answers.has(200));
  assert.is((await server.stop()).code, 0);
});

function middle(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

flood.run();
