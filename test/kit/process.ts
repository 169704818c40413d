/**
 * The real server as a child process: on free ports, with a data folder of its own, its output kept. What a test
 * starts it also ends, by process id: `stop` is for polite ends, `kill` for crashes, `cleanUp` for the rest.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './folders.ts';
import { afterPatience, PATIENCE_MS } from './patience.ts';

const MAIN = fileURLToPath(new URL('../../config/process/main.js', import.meta.url));

export interface ServerOptions {
  /** Kept between two starts to try restarts; by default a new one per process. See `temporaryFolder`. */
  readonly dataDir?: string;
  /** Added to what the kit sets; undefined takes a variable away. */
  readonly env?: { readonly [name: string]: string | undefined };
  readonly args?: readonly string[];
  /** The program, where it is not this version's. */
  readonly main?: string;
  /** Node's program, where it is not the one that runs the test. */
  readonly node?: string;
  /** For Node itself. */
  readonly nodeArgs?: readonly string[];
  /** A soft limit on the size of a file that it writes; lifted by `prlimit`. */
  readonly fileBytesMax?: number;
  /** Where a shell sends its standard output: `>/dev/full`, `| head -1`. */
  readonly into?: string;
  /** Whether there is a channel for messages to and from `child`. */
  readonly channel?: boolean;
}

export interface ServerProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly coapPort: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** The lines that the process has printed so far, on both streams. One of either may come before what was printed earlier on the other. */
  output(): string;
  /** The JSON log lines so far. */
  log(): readonly { readonly [field: string]: unknown }[];
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Ended>;
  /** `kill -9`, as a crash: nothing is flushed. Resolves when the process is gone. */
  kill(): Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

const living = new Set<ChildProcess>();

/** Has `cleanUp` end this process as well, if it still runs by then. */
export function endWithTests(child: ChildProcess): void {
  living.add(child);
  child.once('close', () => living.delete(child));
}

/** Ends every process of this file that still runs. For `test.after`. */
export async function cleanUp(): Promise<void> {
  const ending = [...living].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of living) child.kill('SIGKILL');
  await Promise.all(ending);
}

/** Runs the server's command and does not wait for anything. For starts that are meant to fail. */
export function launch(options: ServerOptions = {}): {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  output(): string;
} {
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HTTP_BIND_ADDRESS: '127.0.0.1',
    HTTP_BIND_PORT: '0',
    MQTT_BIND_ADDRESS: '127.0.0.1',
    MQTT_BIND_PORT: '0',
    COAP_BIND_ADDRESS: '127.0.0.1',
    COAP_BIND_PORT: '0',
    SECURITY_PASSWORD_HASH_COST: '1024', // as cheap as can be
    // On a crowded machine a process may stand still for longer than an operator's limits allow.
    ACTORS_DEVICE_ASK_TIMEOUT: String(PATIENCE_MS),
    DRAIN_TIMEOUT: String(PATIENCE_MS),
    DATA_DIR: options.dataDir ?? temporaryFolder(),
    ...options.env,
  };
  // Run elsewhere, so that no config file in the current folder is read. Without --enable-source-maps, which makes a start dearer:
  // the runner finds the sources of what a failure prints.
  const command = [
    options.node ?? process.execPath,
    ...(options.nodeArgs ?? []),
    options.main ?? MAIN,
    ...(options.args ?? []),
  ];
  const blocks = options.fileBytesMax === undefined ? undefined : Math.floor(options.fileBytesMax / 512);
  const limit = blocks === undefined ? '' : `ulimit -S -f ${blocks}; `;
  const run = options.into === undefined ? 'exec "$0" "$@"' : `"$0" "$@" ${options.into}`;
  const [program = '', ...args] =
    limit === '' && options.into === undefined ? command : ['sh', '-c', `${limit}${run}`, ...command];
  const child = spawn(program, args, {
    cwd: tmpdir(),
    env,
    stdio: ['ignore', 'pipe', 'pipe', ...(options.channel === true ? (['ipc'] as const) : [])],
  });
  living.add(child);
  let output = '';
  // Line by line: what comes on one stream does not fall into the middle of a line of the other.
  for (const stream of [child.stdout, child.stderr]) {
    let begun = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      begun += chunk;
      const end = begun.lastIndexOf('\n') + 1;
      output += begun.slice(0, end);
      begun = begun.slice(end);
    });
    stream?.once('end', () => {
      output += begun;
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      living.delete(child);
      resolve({ code, signal, output });
    });
  });
  return { child, ended, output: () => output };
}

/** Starts the server and waits until it serves. Rejects with its output when it ends or takes too long instead. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const { child, ended, output } = launch(options);
  const ready = await untilReady(child, ended, output);
  const signal = (name: NodeJS.Signals): void => {
    child.kill(name);
  };
  return {
    pid: child.pid ?? -1,
    child,
    ...ready,
    url: `http://127.0.0.1:${ready.httpPort}`,
    output,
    log: () => logLines(output()),
    signal,
    ended,
    stop: () => {
      signal('SIGTERM');
      return ended;
    },
    kill: () => {
      signal('SIGKILL');
      return ended;
    },
  };
}

function untilReady(
  child: ChildProcess,
  ended: Promise<Ended>,
  output: () => string,
): Promise<{ httpPort: number; mqttPort: number; coapPort: number }> {
  return new Promise((resolve, reject) => {
    const endLimit = afterPatience(PATIENCE_MS, () => {
      child.kill('SIGKILL');
      reject(new Error(`the server was not ready in time:\n${output()}`));
    });
    const look = (): void => {
      const lines = logLines(output());
      const line = lines.find((fields) => fields.msg === 'ready');
      if (line === undefined) return;
      // Workers write for themselves, so the line of one may come after that of their supervisor.
      const told = lines.filter((fields) => fields.msg === 'worker ready').length;
      if (told < Number(line.workers ?? 0)) return;
      endLimit();
      child.stdout?.off('data', look);
      resolve({ httpPort: portOf(line.http), mqttPort: portOf(line.mqtt), coapPort: portOf(line.coap) });
    };
    child.stdout?.on('data', look);
    ended.then(({ code, output: all }) => {
      endLimit();
      reject(new Error(`the server ended with code ${code} instead of getting ready:\n${all}`));
    }, reject);
  });
}

/** The process of a worker, of its newest life that has become ready; NaN: none has. */
export const workerPid = (server: ServerProcess, number: number): number =>
  Number(
    server.log().findLast(({ msg, worker }) => msg === 'worker ready' && worker === number)?.pid ??
      Number.NaN,
  );

/** The JSON lines among what was printed; the last one may still be incomplete. */
export function logLines(output: string): { readonly [field: string]: unknown }[] {
  return output
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

function portOf(listening: unknown): number {
  if (typeof listening !== 'object' || listening === null || !('port' in listening)) return 0;
  return Number(listening.port);
}
