/**
 * Sends what waits in the outbox. One process does it, under a lease. A mail is removed behind its sending, so a crash in between
 * repeats it, with the same Message-ID. What the server puts off is tried again, more and more seldom, for a day; what it refuses
 * for good is dropped, which is logged. Where the server cannot be used at all, everything rests but for one mail now and then.
 */
import type { Clock, Instant } from '../base/clock.ts';
import { isDue } from '../base/clock-steps.ts';
import type { MailId, TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { ifUnavailable, StoreUnavailable } from '../journal/unavailable.ts';
import { type Lease, whileHeld } from '../records/lease.ts';
import { eachMember } from '../records/pages.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Index } from '../store/store.ts';
import type { Letter, Mail, Smtp } from './model.ts';
import { FRESH, LATER, type MailOutbox, type Waiting } from './outbox.ts';

const POLL_MS = 500;
/** Mails handled in one round. */
const ROUND_MAX = 100;
const IDS_AT_ONCE = 500;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** From a failed attempt to the next; the last one goes on. */
const STEPS_MS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR];
const JITTER = 0.2;
/** Longer than this no mail is put off. */
const STEP_MAX_MS = (1 + JITTER) * 2 * HOUR;
/** After so long a mail is of no use any more. */
const GIVEN_UP_AFTER_MS = 24 * HOUR;
const REST_FIRST_MS = 2_000;
const REST_MAX_MS = 2 * MINUTE;
/** How long a stop waits for what is being sent. */
const LAST_MS = 2_000;

export interface SenderFigures {
  readonly sent: number;
  /** Attempts that are made again. */
  readonly deferred: number;
  readonly dropped: number;
}

export interface MailSender {
  start(): void;
  /** There is something new. */
  wake(): void;
  figures(): SenderFigures;
  stop(): Promise<void>;
}

export interface SenderNeeds {
  readonly outbox: MailOutbox;
  readonly index: Index;
  readonly smtp: Smtp;
  /** Undefined: nobody is to have this mail any more. */
  readonly write: (id: MailId, letter: Letter, askedAt: Instant) => Promise<Mail | undefined>;
  readonly lease: Lease;
  /** After so long without a renewal the lease is lost. */
  readonly leaseMs: number;
  /** Hears of each mail that will never be sent. */
  readonly dropped: (letter: Letter, tenantId: TenantId | null, why: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** Between 0 and 1. */
  readonly chance: () => number;
  /** Mails at the same time. */
  readonly atOnce: number;
}

/** What one mail came to. */
type Came = 'done' | 'later' | 'wrong-server';

export function createMailSender(needs: SenderNeeds): MailSender {
  const { outbox, index, smtp, lease, clock, log, chance } = needs;
  /** Those that are tried again, and when; undefined: not read yet. */
  let later: Map<MailId, Instant> | undefined;
  let rests = 0;
  let restsUntil = Number.NEGATIVE_INFINITY;
  let figures: SenderFigures = { sent: 0, deferred: 0, dropped: 0 };
  let cancel = () => {};
  let isOn = false;
  let isRunning: Promise<void> | undefined;
  let again = false;

  const jittered = (ms: number) => Math.round(ms * (1 - JITTER + 2 * JITTER * chance()));
  const count = (what: keyof SenderFigures) => {
    figures = { ...figures, [what]: figures[what] + 1 };
  };

  async function readLater(): Promise<Map<MailId, Instant>> {
    const found = new Map<MailId, Instant>();
    for await (const id of eachMember(index, LATER, IDS_AT_ONCE)) {
      const mail = await outbox.mails.find(id);
      if (mail !== undefined) found.set(mail.id, mail.nextAt);
    }
    return found;
  }

  async function drop(mail: Waiting, why: string): Promise<Came> {
    count('dropped');
    await outbox.mails.remove(mail.id);
    try {
      await needs.dropped(outbox.letterOf(mail), mail.tenantId, why);
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      reportBug(log, 'mail', error, { mail: mail.id, about: mail.type });
    }
    return 'done';
  }

  /** For the log, which has no address. */
  const named = ({ id, type, tenantId }: Waiting) => ({ mail: id, about: type, tenantId });

  async function defer(waiting: Map<MailId, Instant>, mail: Waiting, why: string): Promise<void> {
    count('deferred');
    const now = clock.now();
    const nextAt = now + jittered(STEPS_MS[Math.min(mail.attempts, STEPS_MS.length - 1)] ?? HOUR);
    log.debug({ mail: mail.id, about: mail.type, why }, 'mail: it is tried again later');
    await outbox.mails.change(mail.id, (there) => ({ ...there, attempts: there.attempts + 1, nextAt }));
    waiting.set(mail.id, nextAt);
  }

  /** A letter that cannot be written must not keep the others from being sent. */
  async function write(mail: Waiting): Promise<Mail | 'bug' | undefined> {
    try {
      return await needs.write(mail.id, outbox.letterOf(mail), mail.createdAt);
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      reportBug(log, 'mail', error, { mail: mail.id, about: mail.type });
      return 'bug';
    }
  }

  async function handle(waiting: Map<MailId, Instant>, id: MailId): Promise<Came> {
    waiting.delete(id);
    const mail = await outbox.mails.find(id);
    if (mail === undefined) return 'done';
    if (mail.attempts > 0 && !isDue(mail.nextAt, clock.now(), STEP_MAX_MS)) {
      waiting.set(id, mail.nextAt); // another process has put it off meanwhile
      return 'done';
    }
    if (clock.now() >= mail.createdAt + GIVEN_UP_AFTER_MS) {
      log.warn(named(mail), 'a mail could not be sent for a day: it is given up');
      return drop(mail, 'too-late');
    }
    const written = await write(mail);
    if (written === 'bug') {
      await defer(waiting, mail, 'bug');
      return 'later';
    }
    if (written === undefined) {
      await outbox.mails.remove(id);
      return 'done';
    }
    const sent = await smtp.send(written);
    switch (sent.type) {
      case 'sent':
        count('sent');
        await outbox.mails.remove(id);
        return 'done';
      case 'refused':
        log.warn({ ...named(mail), why: sent.why }, 'the mail server refuses a mail for good: it is dropped');
        return drop(mail, sent.why);
      case 'later':
        await defer(waiting, mail, sent.why);
        return 'later';
      case 'wrong-server':
        // Also itself is put off: were it the mail that the server dies of, all others would wait behind it for ever.
        await defer(waiting, mail, sent.why);
        rest(sent.why);
        return 'wrong-server';
    }
  }

  function rest(why: string): void {
    const restMs = jittered(Math.min(REST_FIRST_MS * 2 ** Math.min(rests, 20), REST_MAX_MS));
    rests += 1;
    restsUntil = clock.elapsed() + restMs;
    log.warn({ option: 'mail.host', why, restMs }, 'the mail server cannot be used: mails wait');
  }

  /** After a stop it is another one's. */
  const mayGoOn = async () => isOn && (await lease.hold());

  /** Resolves to whether there may be more at once. */
  async function round(): Promise<boolean> {
    // Another process had the lease meanwhile, and put off some that this one has not heard of.
    if (later !== undefined && (await index.count(LATER)) !== later.size) later = undefined;
    const fresh = await index.page(FRESH, { offset: 0, limit: ROUND_MAX });
    if (fresh.length === 0 && later?.size === 0) return false;
    if (later === undefined && fresh.length === 0 && (await index.count(LATER)) === 0) return false;
    if (!(await lease.hold())) {
      later = undefined; // whoever has the lease changes them
      return false;
    }
    later ??= await readLater();
    const waiting = later;
    const now = clock.now();
    const due = [...waiting].filter(([, at]) => isDue(at, now, STEP_MAX_MS)).map(([id]) => id);
    const all = [...fresh.map((id) => id as MailId), ...due].slice(0, ROUND_MAX);
    // After a rest one mail shows whether the server can be used again.
    const isTrial = rests > 0;
    const before = figures.sent;
    for (let at = 0; at < all.length && isOn; ) {
      const some = all.slice(at, at + (isTrial && figures.sent === before ? 1 : needs.atOnce));
      at += some.length;
      // A slow server takes longer for a mail than the lease holds: another process would send the same ones.
      const came = await whileHeld(mayGoOn, clock, needs.leaseMs, () =>
        Promise.all(some.map((id) => handle(waiting, id))),
      );
      if (came.includes('wrong-server')) return false;
      if (figures.sent > before) rests = 0;
      if (!(await lease.hold())) {
        later = undefined;
        return false;
      }
    }
    return all.length === ROUND_MAX;
  }

  async function run(): Promise<void> {
    try {
      while (isOn && clock.elapsed() >= restsUntil) {
        again = false;
        if (!(await round()) && !again) return;
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) reportBug(log, 'mail', error);
      later = undefined;
    }
  }

  function tick(delayMs: number): void {
    if (!isOn) return;
    cancel();
    cancel = clock.after(delayMs, () => {
      if (isRunning !== undefined) return;
      isRunning = run().finally(() => {
        isRunning = undefined;
        tick(POLL_MS);
      });
    });
  }

  return {
    start() {
      isOn = true;
      tick(0);
    },
    wake() {
      again = true;
      if (isRunning === undefined) tick(0);
    },
    figures: () => figures,
    async stop() {
      isOn = false;
      cancel();
      const enough = new Promise<void>((done) => clock.after(LAST_MS, done));
      await Promise.race([isRunning, enough]);
      smtp.close();
      await lease.release().catch(ifUnavailable(() => {})); // then it runs out by itself
    },
  };
}
