/** Which folder may import which, and the check of it: every arrow points down, and no imports form a circle. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';

/** Top-level folder → the others that it may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  actors: [],
  transports: ['actors'],
  http: ['actors'],
  config: ['actors', 'transports', 'http'],
  bench: ['actors', 'transports', 'http', 'config', 'test'],
  test: ['actors', 'transports', 'http', 'config', 'bench'],
};

/** The rooms of `actors`, from the ground up. A room imports only rooms of lower floors. */
export const FLOORS: readonly (readonly string[])[] = [
  ['base'],
  ['journal'],
  ['limits', 'outbound', 'runtime', 'sockets', 'texts'],
  ['device'],
  ['cluster'],
  ['store'],
  ['records'],
  ['fleet'],
  ['accounts'],
  ['kits', 'providers'],
  ['audit', 'batches', 'claiming', 'imports'],
  ['outbox'],
  ['mail', 'webhooks'],
];

/** Package → the only file that may import it. */
const HIDDEN: Readonly<Record<string, string>> = { nact: 'actors/runtime/nact.ts' };

/** Source file → what it imports: source files by path, packages by name. Types count. */
export type Imports = ReadonlyMap<string, readonly string[]>;

const IMPORT = /^(?:import|export)\b[^'";]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;

/** The imports of all sources below `project`. */
export function readImports(project: string): Imports {
  const imports = new Map<string, string[]>();
  for (const folder of Object.keys(MAY_IMPORT)) {
    for (const name of readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(name)) continue;
      const file = `${folder}/${name.split(sep).join('/')}`;
      const found = [...readFileSync(join(project, file), 'utf8').matchAll(IMPORT)];
      const targets = found.map((match) => match[1] ?? match[2] ?? match[3] ?? '');
      imports.set(
        file,
        targets.map((to) => (to.startsWith('.') ? posix.join(posix.dirname(file), to) : to)),
      );
    }
  }
  return imports;
}

/** The imports that the tables above forbid, each as `from -> to`. */
export function forbiddenArrows(imports: Imports): string[] {
  return [...imports].flatMap(([from, targets]) =>
    targets.filter((to) => !isAllowed(from, to, imports)).map((to) => `${from} -> ${to}`),
  );
}

function isAllowed(from: string, to: string, imports: Imports): boolean {
  const [top = '', room = ''] = from.split('/');
  const [toTop = '', toRoom = ''] = to.split('/');
  if (!(toTop in MAY_IMPORT)) return !(to in HIDDEN) || HIDDEN[to] === from; // a package
  if (!imports.has(to)) return false; // no such file
  if (top !== toTop) return MAY_IMPORT[top]?.includes(toTop) ?? false;
  if (top !== 'actors' || room === toRoom) return true;
  return floorOf(toRoom) < floorOf(room);
}

/** The floor of a room of `actors`, or NaN when it has none: then no arrow from or to it is allowed. */
function floorOf(room: string): number {
  const floor = FLOORS.findIndex((rooms) => rooms.includes(room));
  return floor === -1 ? Number.NaN : floor;
}

/** The files along the first circle that is found; undefined: there is none. */
export function findCircle(imports: Imports): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    done.add(file);
    path.push(file);
    for (const to of imports.get(file) ?? []) {
      const circle = visit(to);
      if (circle !== undefined) return circle;
    }
    path.pop();
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = visit(file);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
