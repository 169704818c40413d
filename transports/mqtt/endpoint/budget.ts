/**
 * The budget of one connection in one turn of the event loop, for all packets that it sends. What each kind of packet costs is a
 * table here; what a publication asks for is added where that is known. A connection that has used its budget up stands in line
 * behind the others (`actors/runtime/turns.ts`), and what it goes on sending stays in its socket.
 *
 * So a flood holds up nobody but who sends it. A large packet may cost more than there is: then the connection is in debt, and
 * pays it back in the turns to come.
 */
import type { Turns, Who } from '../../../actors/runtime/turns.ts';
import type { ClientPacket, Fault } from './packets.ts';

/** Of a turn, in cost: about as many microseconds. */
const PER_TURN = 200;

/** What a packet costs, whatever is in it. */
const COST: { readonly [cmd in (ClientPacket | Fault)['cmd']]: number } = {
  connect: 50,
  publish: 2,
  puback: 1,
  pubrec: 2,
  pubrel: 2,
  pubcomp: 1,
  subscribe: 5,
  unsubscribe: 3,
  pingreq: 1,
  disconnect: 1,
  auth: 1,
  fault: 1,
};
/** Bytes that cost as much as a microsecond: those that are looked at one by one, and those of a payload. */
const BYTES_READ = 32;
const BYTES_KEPT = 256;

/** What a publication costs besides, by what it asks for; most of it is done later, by somebody else. */
export const PublicationCost = {
  claim: 20,
  call: 10,
  attributes: 30,
  gatewayMessage: 150,
  /** A gateway's question: two devices and a profile are read. */
  gatewayAttributes: 150,
  /** Of each device that a gateway's message names. */
  gatewayEntry: 15,
} as const;

/** Whose budget it is. */
export interface Spender {
  /** Who has not said who it is has a line of its own: thousands may say CONNECT at once. */
  readonly isLetIn: boolean;
  /** Called, when a packet had to wait, as soon as it need not. */
  goOn(): void;
}

export class Budget {
  readonly #turns: Turns;
  readonly #spender: Spender;
  #turn = -1;
  #left = PER_TURN;
  #waits = false;
  #called = false;

  constructor(turns: Turns, spender: Spender) {
    this.#turns = turns;
    this.#spender = spender;
  }

  /** Whether a packet may be handled now; if not, the spender's `goOn` is called when it may. */
  mayGoOn(): boolean {
    if (this.#waits) return false;
    const turn = this.#turns.enter();
    if (turn !== this.#turn) {
      this.#left = Math.min(PER_TURN, this.#left + PER_TURN * (turn - this.#turn));
      this.#turn = turn;
      if (!this.#called && this.#turns.late) return this.#wait('newcomer');
    }
    this.#called = false;
    return this.#left > 0 ? true : this.#wait('again');
  }

  #wait(known: Who): false {
    this.#waits = true;
    this.#turns.wait(
      () => {
        this.#waits = false;
        this.#called = true;
        this.#spender.goOn();
      },
      this.#spender.isLetIn ? known : 'stranger',
    );
    return false;
  }

  /** A packet of so many bytes is about to be handled. */
  spendOn({ cmd }: ClientPacket | Fault, bytes: number): void {
    this.spend(COST[cmd] + bytes / (cmd === 'publish' ? BYTES_KEPT : BYTES_READ));
  }

  spend(cost: number): void {
    this.#left -= cost;
  }
}
