/**
 * Passwords, kept as scrypt hashes (RFC 7914) in PHC string format: the parameters stand beside each hash, so the
 * cost can be raised while old hashes still work.
 *
 * One hashing takes tens of milliseconds on one of libuv's four threads. So few run at once, some may wait, and beyond
 * that the answer is `overloaded`: a flood of logins must not stop the claims. Nor must one party's flood keep others from
 * logging in, so each party has a queue of its own, and they take turns.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import type { AccountSettings } from './model.ts';

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
   * @param party on whose behalf, e.g. an address; parties take turns
   */
  verify(password: string, hash: string | null, party?: string): Promise<boolean | Overloaded>;
}

/** The party of those who are known already: an administrator, a user with an activation link. */
const NOBODY = '';

type PasswordSettings = Pick<
  AccountSettings,
  'passwordHashCost' | 'passwordHashConcurrency' | 'passwordHashQueue'
>;

export function createPasswords(settings: PasswordSettings): Passwords {
  const gate = createGate(settings.passwordHashConcurrency, settings.passwordHashQueue);
  const cost = settings.passwordHashCost;
  const nobody = format(cost, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));

  return {
    hash(password) {
      const salt = randomBytes(SALT_BYTES);
      return gate(NOBODY, async () => format(cost, salt, await derive(password, salt, cost)));
    },
    verify(password, hash, party = NOBODY) {
      const { cost: itsCost, salt, key } = parse(hash ?? nobody);
      return gate(party, async () => {
        const same = timingSafeEqual(await derive(password, salt, itsCost), key);
        return same && hash !== null;
      });
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

type Waiting = (turn: 'go' | Overloaded) => void;

/**
 * Runs at most `width` tasks at once and keeps at most `queueMax` waiting. Parties take turns, and where there is no
 * room the one that has most waiting gives up its newest: a flood from one party holds up that party.
 */
function createGate(width: number, queueMax: number) {
  let running = 0;
  let waiting = 0;
  /** Who waits, by party; the party whose turn it is comes first. */
  const lines = new Map<string, Waiting[]>();

  /** Waits for a place; whoever ends hands its own on. */
  function turn(party: string): Promise<'go' | Overloaded> {
    const mine = lines.get(party)?.length ?? 0;
    if (waiting >= queueMax && !makeRoom(mine)) return Promise.resolve('overloaded');
    waiting += 1;
    return new Promise((resolve) => {
      const line = lines.get(party);
      if (line === undefined) lines.set(party, [resolve]);
      else line.push(resolve);
    });
  }

  /** Turns the newest of the longest line away, if that line is longer than the asking one would become. */
  function makeRoom(asking: number): boolean {
    let longest: Waiting[] = [];
    for (const line of lines.values()) if (line.length > longest.length) longest = line;
    if (longest.length <= asking + 1) return false;
    longest.pop()?.('overloaded'); // others are left in that line
    waiting -= 1;
    return true;
  }

  function handOn(): void {
    const [first] = lines;
    if (first === undefined) {
      running -= 1;
      return;
    }
    const [party, line] = first;
    const next = line.shift();
    waiting -= 1;
    lines.delete(party);
    if (line.length > 0) lines.set(party, line); // its next turn comes after everybody else's
    next?.('go');
  }

  return async <Result>(party: string, task: () => Promise<Result>): Promise<Result | Overloaded> => {
    if (running < width) running += 1;
    else if ((await turn(party)) === 'overloaded') return 'overloaded';
    try {
      return await task();
    } finally {
      handOn();
    }
  };
}
