/** A real Mosquitto as a child process, on a free port and with a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from './folders.ts';
import { afterPatience } from './patience.ts';
import { freePort } from './ports.ts';
import { endWithTests } from './process.ts';
import { findProgram } from './programs.ts';
import { until } from './until.ts';

export interface Mosquitto {
  readonly port: number;
  readonly url: string;
  /** What it has printed so far. */
  output(): string;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  restart(): Promise<void>;
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Of the process that runs now. */
  readonly pid: number;
}

/** A broker that has not ended this long after a signal is killed. */
const END_WITHIN_MS = 5_000;

/** Every client may connect and do everything; the broker limits neither messages in flight nor queues. */
const OPEN = [
  'allow_anonymous true',
  'max_inflight_messages 0',
  'max_queued_messages 0',
  'persistence false',
];

/**
 * @param config lines of mosquitto.conf besides the listener; or, as a function of the port, the whole of it
 */
export async function startMosquitto(
  config: readonly string[] | ((port: number, folder: string) => string) = OPEN,
): Promise<Mosquitto> {
  const port = await freePort();
  const folder = temporaryFolder();
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(
    file,
    typeof config === 'function'
      ? config(port, folder)
      : `listener ${port} 127.0.0.1\n${config.join('\n')}\n`,
  );
  let child: ChildProcess;
  let output = '';
  let gone: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    child = spawn(findProgram('mosquitto') ?? 'mosquitto', ['-c', file], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endWithTests(child);
    let ended = false;
    gone = new Promise((resolve) => {
      child.once('close', () => {
        ended = true;
        resolve();
      });
    });
    const note = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout?.on('data', note);
    child.stderr?.on('data', note);
    const started = until('mosquitto answers', async () => ended || (await answers(port)));
    await started.catch(() => {
      ended = true;
    });
    if (ended) {
      child.kill('SIGKILL');
      throw new Error(`mosquitto did not start:\n${output}`);
    }
  }

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    ending.kill(signal);
    // Mosquitto did once not end on SIGTERM.
    const cancel = afterPatience(END_WITHIN_MS, () => ending.kill('SIGKILL'));
    await gone;
    cancel();
  };
  await run();
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    output: () => output,
    kill: () => end('SIGKILL'),
    restart: run,
    stop: () => end('SIGTERM'),
    get pid() {
      return child.pid ?? 0;
    },
    signal: (signal) => {
      child.kill(signal);
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
