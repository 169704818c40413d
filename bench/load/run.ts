/** Runs a load generator in a process of its own and brings back what it measured. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { HttpRequestsOptions } from './http-requests.ts';
import type { MqttPublishOptions } from './mqtt-publish.ts';
import type { LoadResult } from './result.ts';

export function mqttPublish(options: MqttPublishOptions): Promise<LoadResult> {
  return generate('mqtt-publish', options);
}

export function httpRequests(options: HttpRequestsOptions): Promise<LoadResult> {
  return generate('http-requests', options);
}

async function generate(name: string, options: object): Promise<LoadResult> {
  const script = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the load generator ${name} ended with code ${code}`);
  const result = JSON.parse(output) as LoadResult; // written by our own generator
  const wrong = Object.entries(result.wrong).map(([kind, count]) => `${count} × ${kind}`);
  if (wrong.length > 0) throw new Error(`wrong answers under ${name}: ${wrong.join(', ')}`);
  return result;
}
