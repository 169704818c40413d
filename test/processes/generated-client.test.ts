/**
 * Clients that are generated from the API's description, as people make theirs: by generators that others wrote, from what
 * a server serves, compiled strictly, and run against that server. Both versions of OpenAPI.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { runProgram } from '../kit/programs.ts';

const COMPILER = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url));
const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

const DEVICE = 'Thermostat T1';
const SECRET = 'printed on the box';

/** A generator, and beside its files a program as somebody would write it who has only the description. */
interface Generator {
  readonly program: string;
  readonly main: string;
  /** It makes modules, whose programs need packages out of this folder. */
  readonly modules?: string;
  readonly args: (api: string, folder: string) => readonly string[];
}

const WITH_CODEGEN = `
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

const WITH_OAZAPFTS = `
import * as claimd from "./client/api.js";

declare const process: { readonly argv: readonly string[] };
const [, , base = '', username = '', password = '', name = '', secretKey = ''] = process.argv;

async function main(): Promise<void> {
  claimd.defaults.baseUrl = base;
  const login = await claimd.postApiAuthLogin({ postApiAuthLoginBody: { username, password } });
  if (login.status !== 200 || !('refreshToken' in login.data)) throw new Error('not logged in');
  claimd.defaults.headers = { 'X-Authorization': 'Bearer ' + login.data.token };
  const user = await claimd.getApiAuthUser();
  if (user.status !== 200) throw new Error('nobody');
  const customerId = user.data.customerId.id;
  const owns = async (): Promise<boolean> => {
    const page = await claimd.getApiCustomerCustomerIdDevices({ customerId, page: 0, pageSize: 100 });
    if (page.status !== 200) throw new Error('no list');
    return page.data.data.some((device) => device.name === name);
  };
  const claim = (secret: string) =>
    claimd.postApiCustomerDeviceDeviceNameClaim({
      deviceName: name,
      postApiCustomerDeviceDeviceNameClaimBody: { secretKey: secret },
    });

  const before = await owns();
  const guessed = await claim('a guess');
  if (guessed.status !== 400) throw new Error('a guess is good');
  const claimed = await claim(secretKey);
  if (claimed.status !== 200) throw new Error('not claimed');
  const isOwn = claimed.data.device.customerId.id === customerId;
  console.log(JSON.stringify([before, '400 ' + guessed.data, claimed.data.response, isOwn, await owns()]));
}

void main();
`;

const WITH_TYPES = `
import createClient from "openapi-fetch";
import type { paths } from "./client/api.js";

declare const process: { readonly argv: readonly string[] };
const [, , baseUrl = '', username = '', password = '', name = '', secretKey = ''] = process.argv;

async function main(): Promise<void> {
  const claimd = createClient<paths>({ baseUrl });
  const login = await claimd.POST('/api/auth/login', { body: { username, password } });
  if (login.data === undefined || !('refreshToken' in login.data)) throw new Error('not logged in');
  const headers = { 'X-Authorization': 'Bearer ' + login.data.token };
  const user = await claimd.GET('/api/auth/user', { headers });
  if (user.data === undefined) throw new Error('nobody');
  const customerId = user.data.customerId.id;
  const owns = async (): Promise<boolean> => {
    const page = await claimd.GET('/api/customer/{customerId}/devices', {
      params: { path: { customerId }, query: { page: 0, pageSize: 100 } },
      headers,
    });
    if (page.data === undefined) throw new Error('no list');
    return page.data.data.some((device) => device.name === name);
  };
  const claim = (secret: string) =>
    claimd.POST('/api/customer/device/{deviceName}/claim', {
      params: { path: { deviceName: name } },
      body: { secretKey: secret },
      headers,
    });

  const before = await owns();
  const guessed = await claim('a guess');
  const claimed = await claim(secretKey);
  if (claimed.data === undefined || !('device' in claimed.data)) throw new Error('not claimed');
  const isOwn = claimed.data.device.customerId.id === customerId;
  console.log(JSON.stringify([before, guessed.response.status + ' ' + guessed.error, claimed.data.response, isOwn, await owns()]));
}

void main();
`;

/**
 * A folder with openapi-typescript, openapi-fetch and the TypeScript 5 that the former needs, which does not install beside ours:
 * `.ci/run` makes one.
 */
const TYPES_FOLDER = process.env.CLAIMD_OPENAPI_TYPESCRIPT;

const GENERATORS: Readonly<Record<string, Generator>> = {
  'openapi-typescript-codegen': {
    program: WITH_CODEGEN,
    main: fileURLToPath(import.meta.resolve('openapi-typescript-codegen/bin/index.js')),
    args: (api, folder) => ['--input', api, '--output', folder, '--useOptions', '--useUnionTypes'],
  },
  oazapfts: {
    program: WITH_OAZAPFTS,
    main: fileURLToPath(new URL('cli.js', import.meta.resolve('oazapfts'))),
    modules: MODULES,
    args: (api, folder) => [api, join(folder, 'api.ts'), '--argumentStyle=object'],
  },
  ...(TYPES_FOLDER === undefined
    ? {}
    : {
        'openapi-typescript': {
          program: WITH_TYPES,
          main: join(TYPES_FOLDER, 'node_modules/openapi-typescript/bin/cli.js'),
          modules: join(TYPES_FOLDER, 'node_modules'),
          args: (api, folder) => [api, '--output', join(folder, 'api.ts')],
        },
      }),
};
if (TYPES_FOLDER === undefined)
  process.stdout.write('# without CLAIMD_OPENAPI_TYPESCRIPT, clients of openapi-typescript are not tried\n');

const settings = (module: 'commonjs' | 'nodenext', exactOptionalPropertyTypes: boolean) => ({
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes,
    noImplicitReturns: true,
    target: 'ES2023',
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    module,
    moduleResolution: module === 'commonjs' ? 'bundler' : module,
    types: [],
    rootDir: '.',
    outDir: 'compiled',
  },
  include: ['*.ts', 'client/**/*.ts'],
});

const generated = suite('generated client');
generated.after(cleanUp);

for (const [name, generator] of Object.entries(GENERATORS)) {
  for (const path of ['/v3/api-docs', '/v3/api-docs/3.0']) {
    generated(
      `generated client: ${name} from ${path} compiles strictly, logs in, lists devices and claims`,
      () => claimWith(generator, path),
    );
  }
}

async function claimWith({ program, main, modules, args }: Generator, path: string): Promise<void> {
  const server = await startServer({ args: ['--demo'], env: { SECURITY_PASSWORD_HASH_COST: '1024' } });
  const folder = temporaryFolder();
  const inFolder = (name: string): string => join(folder, name);
  writeFileSync(inFolder('api.json'), await (await fetch(server.url + path)).text());
  writeFileSync(inFolder('program.ts'), program);
  // What is oazapfts' own in what it makes is not written for `exactOptionalPropertyTypes`.
  const isExact = program !== WITH_OAZAPFTS;
  const options = settings(modules === undefined ? 'commonjs' : 'nodenext', isExact);
  writeFileSync(inFolder('tsconfig.json'), JSON.stringify(options));
  if (modules !== undefined) {
    writeFileSync(inFolder('package.json'), '{"type":"module"}');
    symlinkSync(modules, inFolder('node_modules'));
  }
  mkdirSync(inFolder('client'));
  const made = await runProgram('node', [main, ...args(inFolder('api.json'), inFolder('client'))]);
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
}

generated.run();
