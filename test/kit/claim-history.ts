/**
 * Records of a device as the claim story makes them, played in a time of their own: for tests of the checker. Answers get
 * lost in faults, and what was asked then happens late, or never, or twice. What is true is told by the model.
 */
import { type Asked, type Claimable, claimOperation, UNCLAIMED } from './claim-model.ts';
import type { Dice } from './dice.ts';
import type { Operation } from './linearizability.ts';

export interface HistorySettings {
  readonly rounds: number;
  /** Every so many rounds there is a fault of up to so many. */
  readonly faultEvery: number;
  readonly faultRounds: number;
  readonly takesOver: boolean;
}

type Question = Asked extends infer One ? (One extends Asked ? Omit<One, 'answer'> : never) : never;

const CUSTOMERS = ['a', 'b', 'c'];
const LONG_MS = 600_000;
const SHORT_MS = 150;
const LATENESS_MS = 10_000;

interface Call {
  readonly question: Question;
  readonly calledAt: number;
  /** When it happens; Infinity: never. */
  readonly at: number;
  readonly isLost: boolean;
  readonly takesMs: number;
}

/** @returns the operations of one device, how many of them got no answer, and what was seen at the end */
export function playHistory(dice: Dice, settings: HistorySettings): ReturnType<Player['end']> {
  const player = new Player(dice, settings);
  for (let round = 0; round < settings.rounds; round += 1) {
    const phase = round % settings.faultEvery;
    player.playRound(phase > 0 && phase <= settings.faultRounds);
  }
  return player.end();
}

class Player {
  readonly #dice: Dice;
  readonly #choice: { readonly takesOver: boolean };
  readonly #operations: Operation<Claimable>[] = [];
  #device = UNCLAIMED;
  #late: Call[] = [];
  #now = 0;
  #lost = 0;
  #made = 0;
  #secret = 'none yet';
  #code: string | undefined;
  #epoch = 0;

  constructor(dice: Dice, { takesOver }: HistorySettings) {
    this.#dice = dice;
    this.#choice = { takesOver };
  }

  /** A few callers ask at once; the next round begins when all have an answer, or gave up. */
  playRound(isFault: boolean): void {
    const calls = this.#questions().map((question): Call => {
      const calledAt = this.#now + this.#dice.between(0, 2);
      const takesMs = this.#dice.between(1, 20);
      const isLost = isFault && this.#dice.chance(0.8) && question.type !== 'look';
      const at = calledAt + this.#dice.between(0, isLost ? LATENESS_MS : takesMs);
      return {
        question,
        calledAt,
        takesMs,
        isLost,
        at: isLost && this.#dice.chance(0.5) ? Number.POSITIVE_INFINITY : at,
      };
    });
    if (isFault) calls.push(...this.#repeated(calls));
    this.#late.push(...calls);
    const ended = Math.max(...calls.map(({ calledAt, takesMs }) => calledAt + takesMs));
    this.#now = ended + (calls.some(({ isLost }) => isLost) ? 300 : 1);
    this.#happen(ended);
  }

  /** A broker may deliver once more what it delivered already. */
  #repeated(calls: readonly Call[]): Call[] {
    return calls
      .filter(({ question, isLost }) => question.type === 'open' && !isLost && this.#dice.chance(0.5))
      .map((call) => ({
        ...call,
        isLost: true,
        at: this.#dice.chance(0.5)
          ? Number.POSITIVE_INFINITY
          : call.calledAt + this.#dice.between(0, LATENESS_MS),
      }));
  }

  end() {
    this.#happen(this.#now + LATENESS_MS);
    const times = { calledAt: this.#now + LATENESS_MS, endedAt: this.#now + LATENESS_MS + 1 };
    const { owner, epoch } = this.#device;
    this.#operations.push(claimOperation({ type: 'look', owner, epoch }, times, this.#choice));
    for (const { question, calledAt } of this.#late)
      this.#note(question, 'unknown', calledAt, Number.POSITIVE_INFINITY);
    return { operations: this.#operations, lost: this.#lost, end: { owner, epoch, at: times.endedAt } };
  }

  /** Lets everything happen whose instant has come, in the order of instants. */
  #happen(until: number): void {
    const due = this.#late.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
    this.#late = this.#late.filter(({ at }) => at > until);
    for (const { question, at, calledAt, takesMs, isLost } of due) {
      const asked = this.#answered(question, at, isLost);
      if (asked !== undefined && !isLost) this.#learn(asked);
      if (isLost) this.#note(question, 'unknown', calledAt, Number.POSITIVE_INFINITY);
      else if (asked !== undefined)
        this.#operations.push(claimOperation(asked, { calledAt, endedAt: calledAt + takesMs }, this.#choice));
    }
  }

  #note(question: Question, answer: 'unknown', calledAt: number, endedAt: number): void {
    if (question.type === 'look') return;
    this.#lost += 1;
    this.#operations.push(
      claimOperation({ ...question, answer } as Asked, { calledAt, endedAt }, this.#choice),
    );
  }

  /** The first of the possible answers that the model allows, and the device after it. */
  #answered(question: Question, at: number, isLost: boolean): Asked | undefined {
    for (const asked of this.#answers(question, at, isLost)) {
      const [then] = claimOperation(asked, { calledAt: at, endedAt: at }, this.#choice).apply(this.#device);
      if (then === undefined) continue;
      this.#device = then;
      return asked;
    }
    return undefined;
  }

  #answers(question: Question, at: number, isLost: boolean): readonly Asked[] {
    const { owner, epoch, came } = this.#device;
    switch (question.type) {
      case 'open':
        return [
          { ...question, answer: { type: 'opened', closesAt: null } },
          { ...question, answer: 'claimed' },
        ];
      case 'confirm':
        return [
          { ...question, answer: { type: 'success', epoch: epoch + 1 } },
          { ...question, answer: 'claimed' },
          { ...question, answer: 'failure' },
        ];
      case 'reclaim':
        return (['done', 'not-owner', 'epoch-changed'] as const).map((answer) => ({ ...question, answer }));
      case 'offer': {
        this.#made += 1;
        const offered = {
          type: 'offered',
          by: `code ${this.#made}`,
          endsAt: at + question.durationMs,
        } as const;
        return [
          { ...question, answer: isLost ? 'unknown' : offered },
          { ...question, answer: 'not-owner' },
        ];
      }
      case 'accept': {
        const again = owner === question.customer && came === question.by;
        return [
          { ...question, answer: { type: 'accepted', epoch: again ? epoch : epoch + 1 } },
          { ...question, answer: 'own' },
          { ...question, answer: 'none' },
        ];
      }
      case 'withdraw':
        return (['done', 'not-owner'] as const).map((answer) => ({ ...question, answer }));
      case 'look':
        return [{ type: 'look', owner, epoch }];
      case 'reset':
        return [];
    }
  }

  #learn(asked: Asked): void {
    if (asked.type === 'look') this.#epoch = asked.epoch;
    if (asked.type === 'offer' && typeof asked.answer !== 'string') this.#code = asked.answer.by;
  }

  #questions(): readonly Question[] {
    const customer = this.#dice.pick(CUSTOMERS);
    const rival = this.#dice.pick(CUSTOMERS);
    const open = (): Question => {
      this.#made += 1;
      this.#secret = `secret ${this.#made}`;
      return { type: 'open', secret: this.#secret, durationMs: this.#dice.chance(0.1) ? SHORT_MS : LONG_MS };
    };
    const confirm = (who: string, secret = this.#secret): Question => ({
      type: 'confirm',
      customer: who,
      secret,
    });
    const reclaim = (who: string): Question =>
      this.#dice.chance(0.3)
        ? { type: 'reclaim', customer: who, inEpoch: this.#epoch }
        : { type: 'reclaim', customer: who };
    const offer = (who: string): Question => ({ type: 'offer', customer: who, durationMs: LONG_MS });
    const accept = (who: string): Question =>
      this.#code === undefined ? look : { type: 'accept', customer: who, by: this.#code };
    const look: Question = { type: 'look', owner: null, epoch: 0 };
    return this.#dice.pick<() => Question[]>([
      () => [open()],
      () => {
        const secret = this.#secret;
        return [open(), confirm(customer, secret)];
      },
      () => [confirm(customer), confirm(rival)],
      () => [confirm(customer), confirm(rival, 'wrong'), look],
      () => [reclaim(customer), reclaim(rival)],
      () => [offer(customer), offer(rival)],
      () => [offer(customer), accept(rival), look],
      () => [accept(customer), accept(rival), look],
      () => [accept(customer), reclaim(rival)],
      () => [accept(customer), { type: 'withdraw', customer: rival }],
      () => [reclaim(customer), open()],
      () => [reclaim(customer), confirm(rival), look],
    ])();
  }
}
