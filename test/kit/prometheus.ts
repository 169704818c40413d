/** Debian's Prometheus, which reads a server's figures with the scrape configuration and the alerts of `config/examples/prometheus`. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './folders.ts';
import { freePort } from './ports.ts';
import { endWithTests, type ServerProcess } from './process.ts';
import { findProgram } from './programs.ts';

export const PROMETHEUS = 'prometheus';
export const PROMETHEUS_EXAMPLES = fileURLToPath(
  new URL('../../../config/examples/prometheus/', import.meta.url),
);

/** Also how long one may take, which on a busy machine is seconds. */
const SCRAPED_EVERY = '5s';

export interface Prometheus {
  /** The data of an answer of its API; undefined while it gives none. @param path behind `/api/v1/` */
  ask(path: string): Promise<PrometheusAnswer>;
  query(expression: string): Promise<PrometheusAnswer>;
  /** The one number of an expression; undefined: there is none, or there are several. */
  figure(expression: string): Promise<number | undefined>;
  stop(): Promise<void>;
}

interface PrometheusAnswer {
  readonly status?: string;
  // As its API documents it; each asker knows what it asked for.
  readonly data?: ReturnType<typeof JSON.parse>;
}

/** Where a server tells its figures; it was started with METRICS_ENABLED=true. */
export function metricsPortOf(server: Pick<ServerProcess, 'log' | 'output'>): number {
  const metrics = server.log().find(({ msg }) => msg === 'ready')?.metrics;
  if (typeof metrics !== 'object' || metrics === null || !('port' in metrics))
    throw new Error(`no port for metrics: ${server.output()}`);
  return Number(metrics.port);
}

export async function startPrometheus(metricsPort: number): Promise<Prometheus> {
  const folder = temporaryFolder();
  const alerts = readFileSync(join(PROMETHEUS_EXAMPLES, 'alerts.yml'), 'utf8');
  const settings = readFileSync(join(PROMETHEUS_EXAMPLES, 'prometheus.yml'), 'utf8');
  if (!settings.includes('127.0.0.1:9464')) throw new Error('the example names another address');
  const here = settings
    .replace('127.0.0.1:9464', `127.0.0.1:${metricsPort}`)
    .replace('scrape_interval: 15s', `scrape_interval: ${SCRAPED_EVERY}`);
  writeFileSync(join(folder, 'prometheus.yml'), here);
  writeFileSync(join(folder, 'alerts.yml'), alerts);
  const port = await freePort();
  const process = spawn(
    findProgram(PROMETHEUS) ?? '',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  endWithTests(process);
  const ended = new Promise((resolve) => process.once('close', resolve));

  async function ask(path: string): Promise<PrometheusAnswer> {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`).catch(() => undefined);
    return JSON.parse((await answer?.text()) ?? '{}');
  }
  const query = (expression: string) => ask(`query?query=${encodeURIComponent(expression)}`);

  return {
    ask,
    query,
    async figure(expression) {
      const { data } = await query(expression);
      return data?.result?.length === 1 ? Number(data.result[0].value[1]) : undefined;
    },
    async stop() {
      process.kill('SIGKILL');
      await ended;
    },
  };
}
