/** Which folder may import which, and the check of it: every arrow points down, and no imports form a circle. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

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
  ['limits', 'runtime', 'sockets'],
  ['device'],
  ['cluster'],
  ['store'],
  ['records'],
  ['fleet'],
  ['accounts'],
  ['audit', 'claiming', 'imports'],
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
      const found = readFileSync(join(project, file), 'utf8').matchAll(IMPORT);
      const targets = [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
      const resolved = targets.map((to) => (to.startsWith('.') ? join(dirname(file), to) : to));
      imports.set(
        file,
        resolved.map((path) => path.split(sep).join('/')),
      );
    }
  }
  return imports;
}

/** The imports that the tables above forbid, each as `from -> to`. */
export function forbiddenArrows(imports: Imports): string[] {
  return arrowsOf(imports)
    .filter(([from, to]) => !isAllowed(from, to, imports))
    .map(([from, to]) => `${from} -> ${to}`);
}

function isAllowed(from: string, to: string, imports: Imports): boolean {
  const [top = '', room = ''] = from.split('/');
  if (!imports.has(to)) return !(to in HIDDEN) || HIDDEN[to] === from;
  const [toTop = '', toRoom = ''] = to.split('/');
  if (top !== toTop) return MAY_IMPORT[top]?.includes(toTop) ?? false;
  if (top !== 'actors' || room === toRoom) return true;
  return floorOf(toRoom) < floorOf(room);
}

/** The floor of a room of `actors`, or NaN when it has none: then no arrow from or to it is allowed. */
function floorOf(room: string): number {
  const floor = FLOORS.findIndex((rooms) => rooms.includes(room));
  return floor === -1 ? Number.NaN : floor;
}

/** The first circle that is found, as the files along it, without the arrows in `but`; undefined when there is none. */
export function findCircle(imports: Imports, but: readonly string[] = []): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    done.add(file);
    path.push(file);
    for (const to of imports.get(file) ?? []) {
      const circle = but.includes(`${file} -> ${to}`) ? undefined : visit(to);
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

/** Whether the arrow exists and closes a circle. */
export function closesCircle(imports: Imports, arrow: string): boolean {
  const [from = '', to = ''] = arrow.split(' -> ');
  if (!imports.get(from)?.includes(to)) return false;
  const reached = new Set<string>();
  const waiting = [to];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    waiting.push(...(imports.get(file) ?? []));
  }
  return reached.has(from);
}

function arrowsOf(imports: Imports): [from: string, to: string][] {
  return [...imports].flatMap(([from, targets]) => targets.map((to): [string, string] => [from, to]));
}
