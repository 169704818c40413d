/** Figures about the process itself, by the names that everybody's dashboards know (those of Prometheus' client libraries). */
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { memoryUsage, resourceUsage } from 'node:process';
import type { Metrics } from '../../actors/base/metrics.ts';

/** How often the delay of the event loop is looked at. Node's 10 ms would wake an idle process a hundred times a second. */
const LOOP_RESOLUTION_MS = 50;
const GC_SECONDS = [0.001, 0.01, 0.1, 1, 2, 5] as const;
const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

/** @returns ends what was started to measure */
export function meterProcess(metrics: Metrics): () => void {
  const startedAt = performance.timeOrigin / 1_000;
  const one = (name: string, help: string, read: () => number) =>
    metrics.gauge({ name, help }, [], () => [[[], read()]]);

  metrics.counted(
    { name: 'process_cpu_seconds_total', help: 'CPU time of the process, in seconds.' },
    () => (resourceUsage().userCPUTime + resourceUsage().systemCPUTime) / 1e6,
  );
  one('process_start_time_seconds', 'When the process started, in seconds since 1970.', () => startedAt);
  one('process_resident_memory_bytes', 'Memory that is resident, in bytes.', () => memoryUsage.rss());
  one('nodejs_heap_size_total_bytes', 'Size of the heap, in bytes.', () => memoryUsage().heapTotal);
  one('nodejs_heap_size_used_bytes', 'Part of the heap that is used.', () => memoryUsage().heapUsed);
  one('nodejs_external_memory_bytes', 'Memory outside the heap.', () => memoryUsage().external);

  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  delay.enable();
  const lag = (name: string, help: string, read: () => number) =>
    one(name, help, () => Math.max(0, read() / 1e9 - LOOP_RESOLUTION_MS / 1_000));
  lag(
    'nodejs_eventloop_lag_mean_seconds',
    'Mean delay of the event loop since the start.',
    () => delay.mean || 0,
  );
  lag(
    'nodejs_eventloop_lag_max_seconds',
    'Longest delay of the event loop since the last look.',
    () => delay.max,
  );
  // The last of the three, so that each look is about the time since the one before.
  lag('nodejs_eventloop_lag_p99_seconds', '99th percentile of the delay since the last look.', () => {
    const p99 = delay.percentile(99);
    delay.reset();
    return p99;
  });

  const pauses = metrics.histograms(
    { name: 'nodejs_gc_duration_seconds', help: 'Pauses of the garbage collector.' },
    GC_SECONDS,
    'kind',
    Object.values(GC_KINDS),
  );
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = gcKindOf(entry);
      if (kind !== undefined) pauses.get(kind)?.observe(entry.duration / 1_000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });

  return () => {
    observer.disconnect();
    delay.disable();
  };
}

function gcKindOf(entry: object): string | undefined {
  const detail = 'detail' in entry ? entry.detail : undefined;
  const hasKind = typeof detail === 'object' && detail !== null && 'kind' in detail;
  return hasKind && typeof detail.kind === 'number' ? GC_KINDS[detail.kind] : undefined;
}
