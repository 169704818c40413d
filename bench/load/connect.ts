/** Opens connections as a fleet does after a power cut: TCP, CONNECT, CONNACK. They stay open, or are closed at once. */
import { connect, isIPv4, type Socket } from 'node:net';
import type { ConnectStep } from '../contract.ts';
import { portOf } from './connecting.ts';
import { type Answered, CLOSED, type Driver } from './driver.ts';
import { CONNACK, connectFrame } from './mqtt.ts';
import type { Subject } from './subjects.ts';
import { filler } from './text.ts';

/** One address has some 28,000 client ports; the loopback network has many addresses. */
const PER_ADDRESS = 20_000;

export class ConnectDriver implements Driver {
  readonly #step: ConnectStep;
  readonly #answered: Answered;
  readonly #userName: (n: number) => string;
  readonly #connecting = new Map<number, Socket>();
  readonly #held = new Set<Socket>();
  #opened = 0;

  constructor(step: ConnectStep, answered: Answered) {
    this.#step = step;
    this.#answered = answered;
    this.#userName = filler(step.userName);
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  send(lane: number, { n }: Subject): void {
    const { host, ports, hold } = this.#step;
    const socket = connect({ host, port: portOf(ports, n), noDelay: true, ...this.#from() });
    this.#connecting.set(lane, socket);
    let answered = false;
    const answer = (outcome: string): void => {
      if (answered || this.#connecting.get(lane) !== socket) return;
      answered = true;
      this.#connecting.delete(lane);
      this.#answered(lane, outcome);
    };
    socket.on('connect', () => socket.write(connectFrame(4, `bench-${process.pid}-${n}`, this.#userName(n))));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      this.#held.delete(socket);
      answer(CLOSED);
    });
    socket.on('data', (chunk) => {
      if (chunk[0] !== CONNACK) return answer('no CONNACK');
      if (hold) this.#held.add(socket);
      else socket.destroy();
      answer(`CONNACK ${chunk[3]}`);
    });
  }

  abandon(lane: number): void {
    const socket = this.#connecting.get(lane);
    this.#connecting.delete(lane);
    socket?.destroy();
  }

  close(): void {
    for (const socket of [...this.#connecting.values(), ...this.#held]) socket.destroy();
  }

  #from(): { localAddress?: string } {
    const { host } = this.#step;
    if (!isIPv4(host) || !host.startsWith('127.')) return {};
    const address = 1 + (Math.floor(this.#opened++ / PER_ADDRESS) % 250);
    // With a chosen local address the kernel searches a port slowly if many are in use, so the first one is not chosen.
    return address === 1 ? {} : { localAddress: `127.0.0.${address}` };
  }
}
