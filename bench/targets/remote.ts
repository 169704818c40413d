/** A running server: claimd, or another with ThingsBoard's API. Its answers are seen, and its processes where they run here. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { send } from '../../test/kit/http.ts';
import type { RemoteSettings } from '../settings.ts';
import { type Control, type Target, unprobed } from './target.ts';

const LOOK_EVERY_MS = 100;
/** A Java server with a database takes its time. */
const ANSWERS_WITHIN_MS = 10 * 60_000;

export function remoteTarget(settings: RemoteSettings): Target {
  const { host, httpPort, mqttPort, coapPort, watch, commands } = settings;
  const url = `http://${host}:${httpPort}`;
  return {
    name: host,
    store: 'unknown',
    durability: 'not known: `recovery` tells',
    host,
    httpPorts: [httpPort],
    mqttPorts: [mqttPort],
    coapPorts: [coapPort],
    claimTopic: 'v1/devices/me/claim',
    url,
    nodes: watch.map(unprobed),
    beside: [],
    commits: () => Promise.resolve(undefined),
    ...(commands === undefined ? {} : { control: controlBy(commands, url) }),
    stop: () => Promise.resolve(),
  };
}

/** Ends it and starts it again by commands of the shell, such as `systemctl kill -s KILL thingsboard`. */
function controlBy({ kill, start }: NonNullable<RemoteSettings['commands']>, url: string): Control {
  return {
    kill: () => run(kill),
    async start() {
      const since = performance.now();
      await run(start);
      await answering(url, since + ANSWERS_WITHIN_MS);
      return performance.now() - since;
    },
    dataBytes: () => undefined,
  };
}

async function run(command: string): Promise<void> {
  await promisify(execFile)('/bin/sh', ['-c', command]);
}

/** Resolves when the server answers a request, whatever it says. */
async function answering(url: string, until: number): Promise<void> {
  for (;;) {
    const reply = await send(`${url}/api/auth/user`, { method: 'GET' }).catch(() => undefined);
    if (reply !== undefined && reply.status < 500) return;
    if (performance.now() > until) throw new Error(`${url} does not answer after its start`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
