/**
 * Free TCP ports of 127.0.0.1, for programs that cannot pick one themselves, and for servers that are started again under
 * their address. Nobody takes one between two of its uses: they lie below those that the system gives to `listen(0)` and to
 * every outgoing connection (one that is tried again and again at a dead server's port would even be connected with itself
 * at last), and of two test files one only is given a port: a file per port says whose it is, until its process ends.
 */
import { randomInt } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Above 10080, which browsers and `fetch` refuse to ask (the port blocking of WHATWG's Fetch). */
const LOWEST = 10_081;
/** The first that the system gives by itself; Linux's default, where the system does not say or leaves us no others. */
const SYSTEM_FROM = 32_768;
const RANGE_FILE = '/proc/sys/net/ipv4/ip_local_port_range';
/** More than that cannot be taken but by mistake. */
const TRIES_MAX = 1_000;

const folder = join(tmpdir(), `claimd-test-ports-${process.getuid?.() ?? ''}`);
const ours = new Set<string>();

process.once('exit', () => {
  for (const file of ours) rmSync(file, { force: true });
});

/** As many distinct free ports as asked for, kept for this process until it ends. */
export async function freePorts(count: number): Promise<number[]> {
  mkdirSync(folder, { recursive: true });
  const end = systemPortsFrom();
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries > TRIES_MAX) throw new Error('no free port');
    const port = randomInt(LOWEST, end);
    if (isKept(port) && (await canListen(port))) ports.push(port);
  }
  return ports;
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('no free port');
  return port;
}

function systemPortsFrom(): number {
  try {
    const from = Number.parseInt(readFileSync(RANGE_FILE, 'utf8'), 10);
    return from > 2 * LOWEST ? from : SYSTEM_FROM;
  } catch {
    return SYSTEM_FROM;
  }
}

/** Keeps the port for this process, unless it is kept already. */
function isKept(port: number): boolean {
  const file = join(folder, String(port));
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    ours.add(file);
    return true;
  } catch {
    if (!ours.has(file)) forgetDead(file);
    return false;
  }
}

/** Of a process that was killed the files are left. The next to draw the port may have it. */
function forgetDead(file: string): void {
  const owner = ownerOf(file);
  if (owner === undefined || isAlive(owner)) return;
  // Taken away under another name first: meanwhile somebody may have put a file of his own there.
  const taken = `${file}-${process.pid}`;
  try {
    renameSync(file, taken);
  } catch {
    return; // another process was first
  }
  if (ownerOf(taken) !== owner) giveBack(taken, file);
  rmSync(taken, { force: true });
}

function ownerOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    // Nobody's number: whoever has just made the file is about to write it.
    return pid === 0 || process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function giveBack(taken: string, file: string): void {
  try {
    linkSync(taken, file);
  } catch {
    // It is somebody else's already.
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
