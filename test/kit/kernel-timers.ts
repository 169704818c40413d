/**
 * What timer the kernel runs for a connection within this machine. Linux alone says it, in a file with a line for each connection of
 * the machine, of which there may be hundreds of thousands: so it is read up to the line that is wanted, and no other is looked at.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Socket } from 'node:net';

const FILE = '/proc/net/tcp';
const PART_BYTES = 65_536;
/** 127.0.0.1 as the file has it: in the machine's order of bytes. */
const LOCAL = hex(new Uint32Array(Uint8Array.of(127, 0, 0, 1).buffer)[0], 8);

/** Of the end that a client over IPv4 talks to, e.g. `02:000003E8` (proc_net_tcp); undefined: it is not established. */
export function timerAtServer({ localPort, remotePort }: Socket): string | undefined {
  const line = new RegExp(
    `: ${LOCAL}:${hex(remotePort, 4)} ${LOCAL}:${hex(localPort, 4)} 01 \\w+:\\w+ (\\w+:\\w+) `,
  );
  const file = openSync(FILE, 'r');
  try {
    const part = Buffer.alloc(PART_BYTES);
    let text = '';
    for (;;) {
      const bytes = readSync(file, part);
      if (bytes === 0) return undefined;
      text = text.slice(text.lastIndexOf('\n') + 1) + part.toString('latin1', 0, bytes);
      const timer = line.exec(text)?.[1];
      if (timer !== undefined) return timer;
    }
  } finally {
    closeSync(file);
  }
}

function hex(number: number | undefined, digits: number): string {
  return (number ?? 0).toString(16).toUpperCase().padStart(digits, '0');
}
