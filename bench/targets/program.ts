/** Starts other programs that a measurement needs, each on a free port of the loopback interface. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { freePort } from '../../test/kit/ports.ts';
import { findProgram } from '../../test/kit/programs.ts';

const HOST = '127.0.0.1';
const LISTENS_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 25;

export interface Running {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** A program is not installed. */
export class NotInstalled extends Error {
  constructor(program: string) {
    super(`${program} is not installed`);
    this.name = 'NotInstalled';
  }
}

/** Starts an installed program. Throws `NotInstalled`. */
export function startProgram(name: string, args: (port: number) => readonly string[]): Promise<Running> {
  const program = findProgram(name);
  if (program === undefined) throw new NotInstalled(name);
  return start(program, args);
}

/** Starts one of our own scripts, with its port as the last argument. */
export function startScript(path: string, ...args: readonly string[]): Promise<Running> {
  return start(process.execPath, (port) => ['--max-semi-space-size=64', path, ...args, String(port)]);
}

async function start(program: string, args: (port: number) => readonly string[]): Promise<Running> {
  const port = await freePort();
  const child = spawn(program, args(port), { stdio: ['ignore', 'ignore', 'inherit'] });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  await listening(port, child);
  return {
    pid: child.pid ?? -1,
    port,
    stop: () =>
      new Promise((resolve) => {
        process.off('exit', end);
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once('close', () => resolve());
        end();
      }),
  };
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const limit = performance.now() + LISTENS_WITHIN_MS;
  while (performance.now() < limit) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with code ${child.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, HOST, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`${child.spawnfile} does not listen on its port`);
}
