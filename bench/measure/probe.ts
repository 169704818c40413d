/**
 * Loaded into the server's process by the bench (`node --import`), never by the product: it looks at the event loop,
 * the garbage collector and the heap from inside, and tells when asked over the channel that the bench opened.
 *
 * It does nothing in threads, nor in processes that the server itself starts.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/** Names the process that asks; set by the bench. */
const PARENT = 'CLAIMD_BENCH_PARENT';
/** The delay histogram looks so often; what it reports is the delay beyond that. */
const RESOLUTION_MS = 10;
const HEAP_SAMPLE_BYTES = 32 * 1024;

export type ToProbe =
  | { readonly probe: 'begin' | 'end' | 'collect' }
  | { readonly probe: 'profile'; readonly what: 'cpu' | 'heap' }
  | { readonly probe: 'profiled'; readonly what: 'cpu' | 'heap'; readonly file: string };

export interface ProbeReport {
  /** What it answers. */
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
  let gcMs = 0;
  let majorGcs = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      gcMs += entry.duration;
      const detail = 'detail' in entry ? entry.detail : undefined; // not among Node's types
      const kind =
        typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined;
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) majorGcs += 1;
    }
  }).observe({ entryTypes: ['gc'] });
  let since = performance.now();
  let session: Session | undefined;

  const report = (probe: ToProbe['probe']): ProbeReport => {
    const beyond = (ns: number) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    return {
      probe,
      elapsedMs: performance.now() - since,
      loopP50Ms: beyond(loop.percentile(50)),
      loopP99Ms: beyond(loop.percentile(99)),
      loopMaxMs: beyond(loop.max),
      gcMs,
      majorGcs,
      heapUsedMb: process.memoryUsage().heapUsed / 1024 / 1024,
    };
  };

  async function obey(message: ToProbe): Promise<void> {
    switch (message.probe) {
      case 'begin':
        loop.reset();
        gcMs = 0;
        majorGcs = 0;
        since = performance.now();
        return;
      case 'end':
        return;
      case 'collect':
        setFlagsFromString('--expose-gc');
        (runInNewContext('gc') as () => void)(); // V8's own function; Node has no other way to it at run time
        return;
      case 'profile':
        session = new Session();
        session.connect();
        if (message.what === 'cpu') {
          await session.post('Profiler.enable');
          await session.post('Profiler.start');
        } else {
          await session.post('HeapProfiler.enable');
          await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_SAMPLE_BYTES });
        }
        return;
      case 'profiled': {
        if (session === undefined) return;
        const { profile } =
          message.what === 'cpu'
            ? await session.post('Profiler.stop')
            : await session.post('HeapProfiler.stopSampling');
        session.disconnect();
        session = undefined;
        writeFileSync(message.file, JSON.stringify(profile));
        return;
      }
      default:
        message satisfies never;
    }
  }

  process.on('message', (message: ToProbe) => {
    void obey(message).then(() => process.send?.(report(message.probe)));
  });
  // The channel must not keep a server alive that wants to end.
  process.channel?.unref();
  process.on('disconnect', () => loop.disable());
}
