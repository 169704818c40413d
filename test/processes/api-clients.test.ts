/** The clients that `http/README.md` shows, run against a real server: each claims a device, after a wrong guess. */
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cleanUp, startServer } from '../kit/process.ts';
import { findProgram, needing, runProgram } from '../kit/programs.ts';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** Relative to the compiled test. TypeScript runs as the build left it, the others from source. */
const CLIENTS: readonly (readonly [program: string, args: readonly string[]])[] = [
  ['curl', ['sh', file('../../../http/clients/claim.sh')]],
  ['python3', ['python3', file('../../../http/clients/claim.py')]],
  ['node', ['node', file('../../http/clients/claim.js')]],
  ['java', ['java', file('../../../http/clients/Claim.java')]],
];

const DEVICE = 'Thermostat T1';
const TOKEN = 'T1_TEST_TOKEN';
const SECRET = 'printed "on" the\\box, ä';

const clients = suite('api clients');
clients.after(cleanUp);

/** Languages that nobody needs for claimd itself: not even the check that guards the main branch requires them. */
const OPTIONAL = ['python3', 'java'];

for (const [program, [command = '', ...args]] of CLIENTS) {
  const name = `api clients: ${program} claims a device, and is told why not`;
  if (OPTIONAL.includes(program) && findProgram(program) === undefined) {
    process.stdout.write(`\n# skipped (not installed: ${program}): ${name}\n`);
    clients.skip(name);
    continue;
  }
  needing([program], clients)(name, async () => {
    const server = await startServer({ args: ['--demo'], env: { SECURITY_PASSWORD_HASH_COST: '1024' } });
    const claim = async (secret: string): Promise<string> => {
      const who = [server.url, 'customerA@thingsboard.org', 'customer'];
      return (await runProgram(command, [...args, ...who, DEVICE, secret])).out.trim();
    };
    assert.match(await claim(SECRET), /^"?FAILURE"?\s+(refused: )?no-window$/);
    const opened = await fetch(`${server.url}/api/v1/${TOKEN}/claim`, {
      method: 'POST',
      body: JSON.stringify({ secretKey: SECRET }),
    });
    assert.is(opened.status, 200);
    assert.match(await claim('a guess'), /^"?FAILURE"?\s+(refused: )?wrong-secret$/);
    assert.match(await claim(SECRET), /SUCCESS/);
    assert.match(await claim(SECRET), /^"?CLAIMED"?\s+(refused: )?already-yours$/);
    await server.stop();
  });
}

clients.run();
