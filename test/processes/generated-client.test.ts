/**
 * A client that is generated from the API's description, as people make theirs: by a generator that others wrote, from what
 * a server serves, compiled strictly, and run against that server. Both versions of OpenAPI.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { runProgram } from '../kit/programs.ts';

const GENERATOR = fileURLToPath(import.meta.resolve('openapi-typescript-codegen/bin/index.js'));
const COMPILER = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url));

const DEVICE = 'Thermostat T1';
const SECRET = 'printed on the box';

/** What is beside the generated files: a program as somebody would write it who has only the description. */
const PROGRAM = `
import { ApiError, AuthService, CustomerService, OpenAPI, type Device } from "./client";

declare const process: { readonly argv: readonly string[] };
const [, , base = '', username = '', password = '', name = '', secretKey = ''] = process.argv;

async function main(): Promise<void> {
  OpenAPI.BASE = base;
  const pair = await AuthService.postApiAuthLogin({ requestBody: { username, password } });
  if (!('refreshToken' in pair) || pair.token === null) throw new Error('one step more');
  OpenAPI.TOKEN = pair.token;
  const { customerId } = await AuthService.getApiAuthUser();
  const devices = async (): Promise<Device[]> => {
    const page = await CustomerService.getApiCustomerCustomerIdDevices({ customerId: customerId.id, page: 0, pageSize: 100 });
    return page.data;
  };
  const owns = async (): Promise<boolean> => (await devices()).some((device) => device.name === name);
  const claim = (secret: string) =>
    CustomerService.postApiCustomerDeviceDeviceNameClaim({ deviceName: name, requestBody: { secretKey: secret } });

  const before = await owns();
  const guessed = await claim('a guess').catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    return { response: error.status + ' ' + error.body };
  });
  const claimed = await claim(secretKey);
  if (!('device' in claimed)) throw new Error('it is pending');
  const isOwn = claimed.device.customerId.id === customerId.id;
  console.log(JSON.stringify([before, guessed.response, claimed.response, isOwn, await owns()]));
}

void main();
`;

const SETTINGS = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    noImplicitReturns: true,
    target: 'ES2023',
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    module: 'commonjs',
    moduleResolution: 'bundler',
    types: [],
    rootDir: '.',
    outDir: 'compiled',
  },
  include: ['*.ts', 'client/**/*.ts'],
};

const generated = suite('generated client');
generated.after(cleanUp);

for (const path of ['/v3/api-docs', '/v3/api-docs/3.0']) {
  generated(
    `generated client: from ${path}, it compiles strictly, logs in, lists devices and claims`,
    async () => {
      const server = await startServer({ args: ['--demo'], env: { SECURITY_PASSWORD_HASH_COST: '1024' } });
      const folder = temporaryFolder();
      const inFolder = (name: string): string => join(folder, name);
      writeFileSync(inFolder('api.json'), await (await fetch(server.url + path)).text());
      writeFileSync(inFolder('program.ts'), PROGRAM);
      writeFileSync(inFolder('tsconfig.json'), JSON.stringify(SETTINGS));
      const inputAndOutput = ['--input', inFolder('api.json'), '--output', inFolder('client')];
      const made = await runProgram('node', [
        GENERATOR,
        ...inputAndOutput,
        '--useOptions',
        '--useUnionTypes',
      ]);
      assert.is(made.code, 0, made.out);
      const compiled = await runProgram('node', [COMPILER, '-p', folder]);
      assert.is(compiled.out, '');
      assert.is(compiled.code, 0);

      const opened = await fetch(`${server.url}/api/v1/T1_TEST_TOKEN/claim`, {
        method: 'POST',
        body: JSON.stringify({ secretKey: SECRET }),
      });
      assert.is(opened.status, 200);
      const who = [server.url, 'customerA@thingsboard.org', 'customer', DEVICE, SECRET];
      const { out } = await runProgram('node', [inFolder('compiled/program.js'), ...who]);
      assert.is(out.trim(), JSON.stringify([false, '400 FAILURE', 'SUCCESS', true, true]), out);
      assert.is((await server.stop()).code, 0);
    },
  );
}

generated.run();
