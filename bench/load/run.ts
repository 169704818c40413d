/** Runs a load generator in a process of its own and brings back what it measured. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpuSeconds } from '../cpu.ts';
import type { HttpRequestsOptions } from './http-requests.ts';
import type { MqttPublishOptions } from './mqtt-publish.ts';
import type { LoadResult } from './result.ts';

export interface Measured extends LoadResult {
  /** Processor time of the server per operation, in microseconds, all its threads together. */
  readonly serverCpuUs: number;
}

/** @param pid the server's process */
export function mqttPublish(pid: number, options: MqttPublishOptions): Promise<Measured> {
  return generate('mqtt-publish', pid, options);
}

/** @param pid the server's process */
export function httpRequests(pid: number, options: HttpRequestsOptions): Promise<Measured> {
  return generate('http-requests', pid, options);
}

async function generate(name: string, pid: number, options: object): Promise<Measured> {
  const script = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let cpuAtBegin = 0;
  let cpuAtEnd = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (output === '') cpuAtBegin = cpuSeconds(pid);
    output += chunk;
    cpuAtEnd = cpuSeconds(pid);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the load generator ${name} ended with code ${code}`);
  const result = JSON.parse(output.replace(/^begin\n/, '')) as LoadResult; // written by our own generator
  const wrong = Object.entries(result.wrong).map(([kind, count]) => `${count} × ${kind}`);
  if (wrong.length > 0) throw new Error(`wrong answers under ${name}: ${wrong.join(', ')}`);
  return { ...result, serverCpuUs: ((cpuAtEnd - cpuAtBegin) * 1e6) / result.operations };
}
