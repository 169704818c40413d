/**
 * Opens connections as a fleet does after a power cut: TCP, CONNECT, CONNACK. They stay open, or are closed at once. Those
 * that stay send a PINGREQ in each keep-alive, if they have one.
 */
import { connect, isIPv4, type Socket } from 'node:net';
import type { ConnectStep } from '../contract.ts';
import { portOf } from './connecting.ts';
import { type Answered, CLOSED, type Driver } from './driver.ts';
import { CONNACK, connectFrame } from './mqtt.ts';
import type { Subject } from './subjects.ts';
import { filler } from './text.ts';

/**
 * One address has some 28,000 client ports, and the kernel searches long for a free one where more than half are taken; the
 * loopback network has many addresses. Devices are told apart by their number, because generators do not know of each other.
 */
const PER_ADDRESS = 10_000;
const ADDRESSES = 250;
const PINGREQ = Buffer.from([0xc0, 0x00]);

export class ConnectDriver implements Driver {
  readonly #step: ConnectStep;
  readonly #answered: Answered;
  readonly #userName: (n: number) => string;
  readonly #connecting = new Map<number, Socket>();
  readonly #held = new Set<Socket>();
  /** Held connections by the second of their keep-alive in which they send. */
  readonly #pinging: readonly Set<Socket>[];
  #second = 0;
  readonly #pings: NodeJS.Timeout | undefined;

  constructor(step: ConnectStep, answered: Answered) {
    this.#step = step;
    this.#answered = answered;
    this.#userName = filler(step.userName);
    this.#pinging = Array.from({ length: step.keepAliveS }, () => new Set());
    if (step.keepAliveS > 0) this.#pings = setInterval(() => this.#ping(), 1000);
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  send(lane: number, { n }: Subject): void {
    const { host, ports, hold, keepAliveS } = this.#step;
    const socket = connect({ host, port: portOf(ports, n), noDelay: true, ...this.#from(n) });
    const pinging = this.#pinging[n % Math.max(1, keepAliveS)];
    this.#connecting.set(lane, socket);
    let answered = false;
    const answer = (outcome: string): void => {
      if (answered || this.#connecting.get(lane) !== socket) return;
      answered = true;
      this.#connecting.delete(lane);
      this.#answered(lane, outcome);
    };
    socket.on('connect', () =>
      socket.write(connectFrame(4, `bench-${process.pid}-${n}`, this.#userName(n), keepAliveS)),
    );
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      this.#held.delete(socket);
      pinging?.delete(socket);
      answer(CLOSED);
    });
    socket.on('data', (chunk) => {
      if (this.#held.has(socket)) return; // a PINGRESP
      if (chunk[0] !== CONNACK) return answer('no CONNACK');
      if (hold) {
        this.#held.add(socket);
        pinging?.add(socket);
      } else socket.destroy();
      answer(`CONNACK ${chunk[3]}`);
    });
  }

  abandon(lane: number): void {
    const socket = this.#connecting.get(lane);
    this.#connecting.delete(lane);
    socket?.destroy();
  }

  close(): void {
    clearInterval(this.#pings);
    for (const socket of [...this.#connecting.values(), ...this.#held]) socket.destroy();
  }

  #ping(): void {
    const due = this.#pinging[this.#second++ % this.#pinging.length] ?? [];
    for (const socket of due) socket.write(PINGREQ);
  }

  #from(n: number): { localAddress?: string } {
    const { host } = this.#step;
    if (!isIPv4(host) || !host.startsWith('127.')) return {};
    const address = 1 + (Math.floor(n / PER_ADDRESS) % ADDRESSES);
    // With a chosen local address the kernel searches a port slowly if many are in use, so the first one is not chosen.
    return address === 1 ? {} : { localAddress: `127.0.0.${address}` };
  }
}
