/**
 * Packs the bench as a package of its own, `claimbench`: `npm run bench:pack` leaves `claimbench-VERSION.tgz` here. What belongs
 * to it is whatever its programs import; what starts or takes apart a claimd stays behind.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DIST = join(ROOT, 'dist');
const COMMAND = 'bench/claimbench.js';
/** Programs of their own, which no module imports. */
const PROGRAMS = [COMMAND, 'bench/load/worker.js', 'bench/peers/hono.js', 'bench/peers/redis-routes.js'];
/** Loaded only where there is a claimd to start. */
const LEFT_OUT = ['bench/targets/own.js', 'bench/targets/cluster.js'];
const IMPORTED = /(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g;

interface PackageJson {
  readonly version: string;
  readonly license: string;
  readonly engines: object;
  readonly dependencies: { readonly [name: string]: string };
  readonly devDependencies: { readonly [name: string]: string };
}

interface Parts {
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
}

/** Whatever the programs import, and what that imports. */
function parts(): Parts {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file) || LEFT_OUT.includes(file)) return;
    files.add(file);
    for (const [, name = ''] of readFileSync(join(DIST, file), 'utf8').matchAll(IMPORTED)) {
      if (name.startsWith('.')) visit(relative(DIST, resolve(DIST, dirname(file), name)));
      else if (!name.startsWith('node:')) packages.add(packageOf(name));
    }
  };
  for (const program of PROGRAMS) visit(program);
  return { files, packages };
}

/** `@scope/name/inner` is in `@scope/name`. */
function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

function packageJson({ packages }: Parts): object {
  // The project's own, whose shape we know.
  const ours = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;
  const versions = { ...ours.devDependencies, ...ours.dependencies };
  const dependencies = [...packages].sort().map((name) => {
    const version = versions[name];
    if (version === undefined) throw new Error(`package.json has no ${name}`);
    return [name, version];
  });
  return {
    name: 'claimbench',
    version: ours.version,
    description: "Measures servers that speak ThingsBoard's claiming API, and checks what they acknowledge",
    license: ours.license,
    type: 'module',
    engines: ours.engines,
    bin: { claimbench: COMMAND },
    dependencies: Object.fromEntries(dependencies),
  };
}

const all = parts();
const folder = mkdtempSync(join(tmpdir(), 'claimbench-'));
try {
  for (const file of all.files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(DIST, file), join(folder, file));
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packageJson(all), undefined, 2)}\n`);
  copyFileSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
  for (const name of ['README.md', 'FIGURES.md']) copyFileSync(join(ROOT, 'bench', name), join(folder, name));
  const packed = execFileSync('npm', ['pack', '--silent', folder], { cwd: process.cwd(), encoding: 'utf8' });
  process.stdout.write(packed);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
