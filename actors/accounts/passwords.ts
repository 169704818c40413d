/**
 * Passwords, kept as scrypt hashes (RFC 7914) in PHC string format: the parameters stand beside each hash, so the
 * cost can be raised while old hashes still work.
 *
 * One hashing takes tens of milliseconds on one of libuv's four threads. So few run at once, some may wait, and beyond
 * that the answer is `overloaded`: a flood of logins must not stop the claims. Nor must a flood keep others from logging in:
 * each party has a queue of its own, and they take turns; and who has logged in from there before goes first, so a flood
 * from any number of addresses holds up those only who come from somewhere new.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { AccountSettings, Asker } from './model.ts';

const BLOCK_SIZE = 8;
const PARALLELISM = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** `overloaded`: too many wait already, nothing was done. */
type Overloaded = 'overloaded';

export interface Passwords {
  hash(password: string): Promise<string | Overloaded>;
  /**
   * Without a hash to compare with it takes as long and says no.
   */
  verify(password: string, hash: string | null, asker?: Asker): Promise<boolean | Overloaded>;
}

/** Those who have shown already who they are: an administrator, a user with an activation link. */
const NOBODY: Asker = { party: '', known: true };

type PasswordSettings = Pick<
  AccountSettings,
  'passwordHashCost' | 'passwordHashConcurrency' | 'passwordHashQueue'
>;

export function createPasswords(settings: PasswordSettings): Passwords {
  const gate = createGate(settings.passwordHashConcurrency, settings.passwordHashQueue);
  const cost = settings.passwordHashCost;
  let lastHashMs = 0;
  const nobody = format(cost, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));

  return {
    hash(password) {
      const salt = randomBytes(SALT_BYTES);
      return gate(NOBODY, async () => format(cost, salt, await derive(password, salt, cost)));
    },
    async verify(password, hash, asker = NOBODY) {
      const { cost: itsCost, salt, key } = parse(hash ?? nobody);
      const compare = async () => {
        const startedAt = performance.now();
        const same = timingSafeEqual(await derive(password, salt, itsCost), key);
        lastHashMs = performance.now() - startedAt;
        return same && hash !== null;
      };
      const result = await gate(asker, compare, hash === null);
      if (result !== 'spared') return result;
      await setTimeout(lastHashMs); // as long as the others, or the time would tell that there is no such user
      return false;
    },
  };
}

function derive(password: string, salt: Buffer, cost: number): Promise<Buffer> {
  const options: ScryptOptions = {
    N: cost,
    r: BLOCK_SIZE,
    p: PARALLELISM,
    // scrypt needs 128 * r * (N + p + 2) bytes; Node allows no more than 32 MiB by default.
    maxmem: 256 * BLOCK_SIZE * (cost + PARALLELISM + 2),
  };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, HASH_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

const PHC = /^\$scrypt\$ln=(\d+),r=8,p=1\$([\w-]+)\$([\w-]+)$/;

function format(cost: number, salt: Buffer, key: Buffer): string {
  const parameters = `ln=${Math.log2(cost)},r=${BLOCK_SIZE},p=${PARALLELISM}`;
  return `$scrypt$${parameters}$${salt.toString('base64url')}$${key.toString('base64url')}`;
}

function parse(hash: string): { cost: number; salt: Buffer; key: Buffer } {
  const [, log2, salt, key] = PHC.exec(hash) ?? [];
  if (log2 === undefined || salt === undefined || key === undefined) {
    throw new Error('a stored password hash has a format that this version does not know');
  }
  return {
    cost: 2 ** Number(log2),
    salt: Buffer.from(salt, 'base64url'),
    key: Buffer.from(key, 'base64url'),
  };
}

type Turn = 'go' | 'spared' | Overloaded;

interface Waiting {
  readonly tell: (turn: Turn) => void;
  /** Whether its task is done for the time it takes alone, so it can be spared where others wait. */
  readonly isVain: boolean;
}

/** After so many turns of known parties in a row comes one of an unknown party: who is known must not keep others out. */
const FAVOURED_IN_A_ROW = 8;

/**
 * Runs at most `width` tasks at once and keeps at most `queueMax` waiting. Known parties go first, and turn unknown ones away
 * where there is no room. Among their like, parties take turns, and where there is no room the one that has most waiting
 * gives up its newest: a flood from one party holds up that party.
 */
function createGate(width: number, queueMax: number) {
  let running = 0;
  let favoured = 0;
  const known = createLines();
  const unknown = createLines();
  const waiting = () => known.size + unknown.size;

  /** Waits for a place; whoever ends hands its own on. */
  function turn(asker: Asker, isVain: boolean): Promise<Turn> {
    const lines = asker.known ? known : unknown;
    if (waiting() >= queueMax && !makeRoom(asker)) return Promise.resolve('overloaded');
    return new Promise((tell) => lines.add(asker.party, { tell, isVain }));
  }

  function makeRoom({ party, known: isKnown }: Asker): boolean {
    if (isKnown) return unknown.dropNewest(0) || known.dropNewest(known.of(party) + 1);
    return unknown.dropNewest(unknown.of(party) + 1);
  }

  function next(): Waiting | undefined {
    const others = favoured >= FAVOURED_IN_A_ROW ? unknown.take() : undefined;
    if (others !== undefined) {
      favoured = 0;
      return others;
    }
    const first = known.take();
    favoured = first === undefined ? 0 : favoured + 1;
    return first ?? unknown.take();
  }

  function handOn(): void {
    for (;;) {
      // Looked at before the next is taken: who waits while there is no room does not wait alone.
      const isFull = waiting() >= queueMax;
      const first = next();
      if (first === undefined) {
        running -= 1;
        return;
      }
      const isSpared = isFull && first.isVain;
      first.tell(isSpared ? 'spared' : 'go');
      if (!isSpared) return;
    }
  }

  /** @param isVain whether the task need not be done where others wait for its place: then it is `spared` */
  return async <Result>(
    asker: Asker,
    task: () => Promise<Result>,
    isVain = false,
  ): Promise<Result | Exclude<Turn, 'go'>> => {
    if (running < width) running += 1;
    else {
      const mine = await turn(asker, isVain);
      if (mine !== 'go') return mine;
    }
    try {
      return await task();
    } finally {
      handOn();
    }
  };
}

/** Who waits, by party; the party whose turn it is comes first. */
function createLines() {
  const lines = new Map<string, Waiting[]>();
  let size = 0;
  return {
    get size() {
      return size;
    },

    of: (party: string): number => lines.get(party)?.length ?? 0,

    add(party: string, waiting: Waiting): void {
      size += 1;
      const line = lines.get(party);
      if (line === undefined) lines.set(party, [waiting]);
      else line.push(waiting);
    },

    take(): Waiting | undefined {
      const [first] = lines;
      if (first === undefined) return undefined;
      const [party, line] = first;
      const next = line.shift();
      size -= 1;
      lines.delete(party);
      if (line.length > 0) lines.set(party, line); // its next turn comes after everybody else's
      return next;
    },

    /** Turns the newest of the longest line away, if that line is longer than `length`. */
    dropNewest(length: number): boolean {
      let longest: [party: string, line: Waiting[]] | undefined;
      for (const entry of lines) if (entry[1].length > (longest?.[1].length ?? length)) longest = entry;
      if (longest === undefined) return false;
      const [party, line] = longest;
      line.pop()?.tell('overloaded');
      size -= 1;
      if (line.length === 0) lines.delete(party);
      return true;
    },
  };
}
