/** CPU and heap profiles of the server under load, summed up by module: a folder of ours or a package. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModuleShare } from './contract.ts';
import type { Watched } from './measure/watch.ts';
import type { Settings } from './settings.ts';

export interface Profiling {
  end(): Promise<Profiles>;
}

interface Profiles {
  readonly cpu?: readonly ModuleShare[];
  readonly heap?: readonly ModuleShare[];
}

type What = keyof Profiles;

/** Modules with a smaller share are summed up as the rest. */
const SHARE_MIN = 0.005;

/** Starts profiling the first node, if asked for. */
export function startProfiling(
  { cpuProfile, heapProfile }: Pick<Settings, 'cpuProfile' | 'heapProfile'>,
  { nodes }: Pick<Watched, 'nodes'>,
): Profiling | undefined {
  const [node] = nodes;
  const wanted: What[] = [
    ...(cpuProfile ? (['cpu'] as const) : []),
    ...(heapProfile ? (['heap'] as const) : []),
  ];
  const [what] = wanted; // one at a time: heap profiling would show in the CPU profile
  if (node === undefined || what === undefined) return undefined;
  const started = node.probe.ask({ probe: 'profile', what });
  return {
    async end() {
      const folder = mkdtempSync(join(tmpdir(), 'claimd-bench-profile-'));
      try {
        await started;
        const file = join(folder, what);
        if ((await node.probe.ask({ probe: 'profiled', what, file })) === undefined) return {};
        const profile: unknown = JSON.parse(readFileSync(file, 'utf8'));
        return {
          [what]: what === 'cpu' ? cpuByModule(profile as CpuProfile) : heapByModule(profile as HeapProfile),
        };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
}

/** As V8 writes it. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

interface HeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}
export interface HeapProfile {
  readonly head: HeapNode;
}

/** Shares of the time that the process was not idle, the largest first. */
export function cpuByModule({ nodes, samples = [], timeDeltas = [] }: CpuProfile): ModuleShare[] {
  const modules = new Map(nodes.map(({ id, callFrame }) => [id, moduleOf(callFrame)]));
  const times = new Map<string, number>();
  for (const [at, id] of samples.entries()) {
    const module = modules.get(id) ?? '(unknown)';
    if (module !== '(idle)') times.set(module, (times.get(module) ?? 0) + (timeDeltas[at] ?? 0));
  }
  return shares(times);
}

/** Shares of the memory that is still held, by the module that allocated it. */
export function heapByModule({ head }: HeapProfile): ModuleShare[] {
  const sizes = new Map<string, number>();
  const visit = ({ callFrame, selfSize, children }: HeapNode): void => {
    const module = moduleOf(callFrame);
    sizes.set(module, (sizes.get(module) ?? 0) + selfSize);
    for (const child of children) visit(child);
  };
  visit(head);
  return shares(sizes);
}

/** A package, a folder of ours, `node:x`, a native function, or an entry of V8 in parentheses. */
export function moduleOf({ functionName, url }: CallFrame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : `native ${functionName}`;
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  if (inPackage?.[1] !== undefined) return inPackage[1];
  const ours = /\/dist[^/]*\/(.*)\/[^/]*$/.exec(url);
  return ours?.[1] ?? url;
}

function shares(amounts: ReadonlyMap<string, number>): ModuleShare[] {
  const total = [...amounts.values()].reduce((sum, amount) => sum + amount, 0);
  if (total === 0) return [];
  const all = [...amounts]
    .map(([module, amount]) => ({ module, share: amount / total }))
    .sort((a, b) => b.share - a.share);
  const large = all.filter(({ share }) => share >= SHARE_MIN);
  const rest = all.slice(large.length).reduce((sum, { share }) => sum + share, 0);
  return rest > 0 ? [...large, { module: 'the rest', share: rest }] : large;
}
