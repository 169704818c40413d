/**
 * Container files that nothing here can run: what they say of this project is held against the project. Every option they
 * set is one, every file and service they name is there, ports are the defaults, images run as nobody special.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { loadConfig } from '../../config/options/load.ts';
import { ALL_OPTIONS, SCHEMA } from '../../config/options/schema.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = join(PROJECT, 'config/docker');
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

interface Service {
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

const compose = (name: string): Compose => parse(read(name), { merge: true });
const FILES = ['compose.yml', 'compose.cluster.yml'];
/** What the processes of the image listen on. */
const PORTS = new Set(
  [SCHEMA.http, SCHEMA.mqtt, SCHEMA.coap].flatMap(({ options }) =>
    Object.values(options).flatMap((option) =>
      option.type === 'integer' && option.unit === 'port' ? [option.default] : [],
    ),
  ),
);
const ENV_NAMES = new Set(ALL_OPTIONS.map(({ option }) => option.env));

/** The instructions of a Dockerfile, continued lines joined. */
function instructions(): { readonly word: string; readonly rest: string }[] {
  return read('Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [word = '', ...rest] = line.split(/\s+/);
      return { word, rest: rest.join(' ') };
    });
}

const of = (word: string) => instructions().filter((instruction) => instruction.word === word);

test('docker: the image is built in stages, and the last one runs as an ordinary user', () => {
  const all = instructions();
  assert.ok(all.filter(({ word }) => word === 'FROM').length >= 2);
  for (const { rest } of of('FROM')) assert.match(rest, /^node:24-slim\b/);
  const last = all.slice(all.findLastIndex(({ word }) => word === 'FROM'));
  // Of group 0, which may write to the data: so any other user of that group can run it, too.
  assert.is(last.filter(({ word }) => word === 'USER').at(-1)?.rest, 'node:0');
  assert.ok(last.some(({ word, rest }) => word === 'RUN' && /-m 770 .*-g 0 \/data$/.test(rest)));
  const user = last.findIndex(({ word }) => word === 'USER');
  assert.not.ok(last.slice(user).some(({ word }) => word === 'RUN' || word === 'COPY'));
  for (const word of ['HEALTHCHECK', 'ENTRYPOINT', 'VOLUME', 'EXPOSE']) {
    assert.is(last.filter((one) => one.word === word).length, 1, word);
  }
  assert.not.ok(
    last.some(({ rest }) => /npm|tsc/.test(rest)),
    'nothing is built in it',
  );
  const known = [
    'FROM',
    'WORKDIR',
    'COPY',
    'RUN',
    'ENV',
    'USER',
    'VOLUME',
    'EXPOSE',
    'HEALTHCHECK',
    'ENTRYPOINT',
  ];
  for (const { word } of all) assert.ok(known.includes(word), `no ${word}`);
});

test('docker: the image has what it is said to have', () => {
  const sources = of('COPY').flatMap(({ rest }) =>
    rest.startsWith('--from') ? [] : rest.split(' ').slice(0, -1),
  );
  assert.ok(sources.length > 5);
  for (const source of sources) assert.ok(existsSync(join(PROJECT, source)), source);
  const ignored = readFileSync(join(PROJECT, '.dockerignore'), 'utf8').split('\n');
  for (const source of sources) assert.ok(ignored.includes(`!${source}`), `.dockerignore lets ${source} in`);
  assert.match(of('RUN')[0]?.rest ?? '', 'npm ci');

  const [entry] = of('ENTRYPOINT');
  const command: string[] = JSON.parse(entry?.rest ?? '[]');
  const script = command.at(-1) ?? '';
  assert.ok(existsSync(join(PROJECT, script.replace('dist/', '').replace(/\.js$/, '.ts'))), script);
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  assert.is(scripts.start, `exec ${command.join(' ')}`, 'it is started as npm start does');

  for (const [name = ''] of of('ENV').flatMap(({ rest }) => rest.split(' ').map((pair) => pair.split('=')))) {
    assert.ok(name === 'NODE_ENV' || ENV_NAMES.has(name), name);
  }
  for (const port of of('EXPOSE')[0]?.rest.split(' ') ?? []) {
    assert.ok(PORTS.has(Number.parseInt(port, 10)), port);
  }
});

test('docker: the health check is a program that Node understands and a route that there is', () => {
  const [, code = ''] = /-e", "(.*)"\]$/.exec(of('HEALTHCHECK')[0]?.rest ?? '') ?? [];
  assert.match(code, '/livez');
  assert.not.throws(() => new Function(code));
});

for (const name of FILES) {
  test(`docker: ${name}: every option is one and has a good value`, () => {
    const claimds = Object.values(compose(name).services).filter(({ image }) => image === 'claimd');
    assert.ok(claimds.length > 0);
    for (const { environment = {} } of claimds) {
      for (const option of Object.keys(environment)) assert.ok(ENV_NAMES.has(option), option);
      // What is left to the operator stands for something good.
      const env = Object.fromEntries(
        Object.entries(environment).map(([option, value]) => [
          option,
          value.startsWith('${') ? 'A'.repeat(88) : value,
        ]),
      );
      const loaded = loadConfig({ env: { ...env, SYSADMIN_PASSWORD: 'a-long-password' }, flags: [] });
      assert.equal(loaded.type === 'problems' ? loaded.problems : [], []);
    }
  });

  test(`docker: ${name}: the root of a node is read-only, and it can gain no rights`, () => {
    const services = Object.values(parse(read(name), { merge: true }).services) as Record<string, unknown>[];
    for (const { image, read_only, tmpfs, cap_drop, security_opt } of services) {
      if (image !== 'claimd') continue;
      assert.equal([read_only, tmpfs, cap_drop], [true, ['/tmp'], ['ALL']]);
      assert.equal(security_opt, ['no-new-privileges:true']);
    }
  });

  test(`docker: ${name}: files, services and volumes that it names are there`, () => {
    const { services, volumes = {} } = compose(name);
    for (const [
      service,
      { build, image = '', depends_on = [], ports = [], volumes: mounts = [] },
    ] of Object.entries(services)) {
      if (build !== undefined) assert.ok(existsSync(join(resolve(FOLDER, build.context), build.dockerfile)));
      assert.not.match(image, /:latest$/);
      const needed = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);
      for (const other of needed) assert.ok(other in services, `${service} needs ${other}`);
      for (const mount of mounts) {
        const [source = ''] = mount.split(':');
        if (source.startsWith('.')) assert.ok(existsSync(resolve(FOLDER, source)), source);
        else assert.ok(source in volumes, source);
      }
      if (image !== 'claimd') continue;
      for (const port of ports) {
        const [inside = ''] = port.split(':').slice(-1);
        assert.ok(PORTS.has(Number.parseInt(inside, 10)), port);
      }
    }
  });
}

test('docker: the cluster is wired together: addresses, passwords, the proxy and its nodes', () => {
  const { services } = compose('compose.cluster.yml');
  const nodes = Object.entries(services).filter(([, { image }]) => image === 'claimd');
  assert.is(nodes.length, 2);
  for (const [, { environment = {} }] of nodes) {
    for (const key of ['STORE_URL', 'MQTT_BROKER_URL']) {
      assert.ok(new URL(environment[key] ?? '').hostname in services, key);
    }
    assert.equal(environment, nodes[0]?.[1].environment);
  }
  const caddyfile = read('Caddyfile');
  const upstreams = [...caddyfile.matchAll(/([\w-]+):(\d+)/g)].filter(([, host = '']) =>
    host.startsWith('claimd'),
  );
  assert.equal(upstreams.map(([, host]) => host).sort(), nodes.map(([host]) => host).sort());
  for (const [, , port] of upstreams) assert.is(Number(port), SCHEMA.http.options.port.default);
  assert.match(caddyfile, '/readyz');

  // The broker's own files say the same ports and the same user.
  const conf = readFileSync(join(PROJECT, 'config/examples/mosquitto/mosquitto.conf'), 'utf8');
  const { environment = {} } = nodes[0]?.[1] ?? {};
  assert.match(conf, `listener ${new URL(environment.MQTT_BROKER_URL ?? '').port}`);
  const acl = readFileSync(join(PROJECT, 'config/examples/mosquitto/nodes.acl'), 'utf8');
  assert.match(acl, `user ${environment.MQTT_BROKER_USERNAME}`);
  for (const topics of [environment.MQTT_BROKER_CLAIM_TOPICS, environment.MQTT_BROKER_GATEWAY_TOPICS]) {
    assert.match(acl, `topic read ${topics?.replace('{token}', '+')}`);
  }

  const example = read('cluster.env.example');
  const wanted = [...read('compose.cluster.yml').matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
  for (const name of wanted) assert.match(example, new RegExp(`^${name}=`, 'm'));
  const ignored = readFileSync(join(PROJECT, '.gitignore'), 'utf8').split('\n');
  assert.ok(ignored.includes(`${dirname('config/docker/x')}/*.env`), 'secrets are not committed');
});

test.run();
