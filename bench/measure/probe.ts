/**
 * Loaded into the server's process by the bench (`node --import`), never by the product. It watches the event loop, the
 * garbage collector and the heap, and answers the bench over the channel of its fork.
 *
 * It does nothing in threads or in processes that the server starts.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import { unreachable } from '../../actors/base/unreachable.ts';

/** The bench's process id, which it sets. */
const PARENT = 'CLAIMD_BENCH_PARENT';
/** The interval of the delay histogram. The delays are those beyond it. */
const RESOLUTION_MS = 10;
const HEAP_SAMPLE_BYTES = 32 * 1024;

export type ToProbe =
  | { readonly probe: 'begin' | 'end' | 'collect' }
  | { readonly probe: 'profile'; readonly what: 'cpu' | 'heap' }
  | { readonly probe: 'profiled'; readonly what: 'cpu' | 'heap'; readonly file: string };

export interface ProbeReport {
  /** The request that it answers. */
  readonly probe: ToProbe['probe'];
  readonly elapsedMs: number;
  readonly loopP50Ms: number;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  readonly gcMs: number;
  readonly majorGcs: number;
  readonly heapUsedMb: number;
}

if (isMainThread && process.send !== undefined && process.env[PARENT] === String(process.ppid)) watch();

function watch(): void {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  const collections = watchCollections();
  const profiler = createProfiler();
  let since = performance.now();

  const report = (probe: ToProbe['probe']): ProbeReport => {
    const beyond = (ns: number) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    return {
      probe,
      elapsedMs: performance.now() - since,
      loopP50Ms: beyond(loop.percentile(50)),
      loopP99Ms: beyond(loop.percentile(99)),
      loopMaxMs: beyond(loop.max),
      gcMs: collections.ms,
      majorGcs: collections.major,
      heapUsedMb: process.memoryUsage().heapUsed / 1024 / 1024,
    };
  };

  async function carryOut(message: ToProbe): Promise<void> {
    switch (message.probe) {
      case 'begin':
        loop.enable();
        loop.reset();
        collections.ms = 0;
        collections.major = 0;
        since = performance.now();
        return;
      case 'end':
        loop.disable(); // looking costs a hundred turns a second
        return;
      case 'collect':
        setFlagsFromString('--expose-gc');
        (runInNewContext('gc') as () => void)(); // V8's own function; Node has no other way to it at run time
        return;
      case 'profile':
        return profiler.start(message.what);
      case 'profiled':
        return profiler.stop(message.what, message.file);
      default:
        unreachable(message);
    }
  }

  process.on('message', (message: ToProbe) => {
    void carryOut(message).then(() => process.send?.(report(message.probe)));
  });
  // The channel must not keep the server's process alive.
  process.channel?.unref();
  // Nobody measures it any more, and nobody would end it: the bench is gone.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

/** Counts garbage collections from now on. */
function watchCollections(): { ms: number; major: number } {
  const counts = { ms: 0, major: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      counts.ms += entry.duration;
      const detail = 'detail' in entry ? entry.detail : undefined; // not among Node's types
      const kind =
        typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined;
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) counts.major += 1;
    }
  }).observe({ entryTypes: ['gc'] });
  return counts;
}

/** Takes one profile at a time. */
function createProfiler() {
  let session: Session | undefined;
  return {
    async start(what: 'cpu' | 'heap'): Promise<void> {
      session = new Session();
      session.connect();
      if (what === 'cpu') {
        await session.post('Profiler.enable');
        await session.post('Profiler.start');
      } else {
        await session.post('HeapProfiler.enable');
        await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_SAMPLE_BYTES });
      }
    },

    async stop(what: 'cpu' | 'heap', file: string): Promise<void> {
      if (session === undefined) return;
      const { profile } =
        what === 'cpu'
          ? await session.post('Profiler.stop')
          : await session.post('HeapProfiler.stopSampling');
      session.disconnect();
      session = undefined;
      writeFileSync(file, JSON.stringify(profile));
    },
  };
}
