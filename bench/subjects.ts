/** What is measured and what it is measured against: each a process on a free port of the loopback address. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../test/kit/ports.ts';
import { type ServerProcess, startServer } from '../test/kit/process.ts';
import { findProgram } from '../test/kit/programs.ts';

export const HOST = '127.0.0.1';
export const SYSADMIN = { username: 'sysadmin@thingsboard.org', password: 'bench-sysadmin' };

/** The server as `npm start` runs it; only logins are made cheap, they are not what is measured, and devices may claim without end. */
export function startClaimd(env: { readonly [name: string]: string } = {}): Promise<ServerProcess> {
  return startServer({
    env: {
      NODE_OPTIONS: '--max-semi-space-size=64',
      SYSADMIN_PASSWORD: SYSADMIN.password,
      SECURITY_PASSWORD_HASH_COST: '1024',
      SECURITY_CLAIM_WINDOWS_PER_DEVICE: '0', // a thousand devices stand for many more
      ...env,
    },
  });
}

export interface Peer {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** Mosquitto without persistence: its bare QoS 1 acknowledgement. Undefined where it is not installed. */
export async function startMosquitto(): Promise<Peer | undefined> {
  const program = findProgram('mosquitto');
  if (program === undefined) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'claimd-bench-'));
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(file, `listener ${port} ${HOST}\nallow_anonymous true\npersistence false\nlog_type none\n`);
  const child = spawn(program, ['-c', file], { stdio: 'ignore' });
  await answering(port, child);
  return {
    pid: child.pid ?? -1,
    port,
    stop: async () => {
      await ended(child);
      rmSync(folder, { recursive: true });
    },
  };
}

/** An empty JSON POST on Hono. */
export async function startHono(): Promise<Peer> {
  const port = await freePort();
  const script = fileURLToPath(new URL('./peers/hono.js', import.meta.url));
  const child = spawn(process.execPath, ['--max-semi-space-size=64', script, String(port)], {
    stdio: 'ignore',
  });
  await answering(port, child);
  return { pid: child.pid ?? -1, port, stop: () => ended(child) };
}

/** Waits until somebody listens on the port. */
async function answering(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`the peer ended with code ${child.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, HOST, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the peer does not listen');
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.kill('SIGKILL');
  });
}
