/**
 * The journal: where actors' facts become durable. One operation carries the whole promise of this server:
 *
 *   append(n -> n+1): event n+1 is stored only while the stream's head is at n, in one atomic, flushed step together
 *   with the new state, the stream's index entries and its alarm.
 *
 * It makes one process crash-safe, as all of that is on disk or nothing is. And it makes many processes correct: of two
 * that decide on the same head, one gets `conflict`, recovers and decides again.
 *
 * The head holds the whole state, so recovering an actor is one read, however long its history. A state may be in two
 * parts, of which one is written only with the events that change it. The log keeps the events
 * in the order of their commits; the audit trail is projected from it.
 *
 * This file imports nothing: stores and actors both point at it.
 */

/** The newest state of one stream. */
export interface Head {
  /** Number of events appended so far; 0 where the stream does not exist. */
  readonly sequence: number;
  /** The encoded state after that many events; undefined where the stream does not exist (or was removed). */
  readonly state: string | undefined;
  /** The other part of the state, as the newest append that had one left it; absent where none had. */
  readonly details?: string | undefined;
}

/** What a stream occupies in the indexes. The same values must always come from the same state. */
export interface IndexEntries {
  /** Keys that at most one stream may hold, e.g. a device name within its tenant. */
  readonly unique: readonly string[];
  /** Memberships in ordered lists, e.g. a customer's devices by name. */
  readonly members: readonly ListMember[];
}

/** Members of one list are distinct and ordered by their UTF-8 bytes. A member ends in the id of what it stands for. */
export interface ListMember {
  readonly list: string;
  readonly member: string;
}

export interface IndexChanges {
  readonly take: IndexEntries;
  readonly release: IndexEntries;
}

export interface Append {
  /** An id: without spaces, line breaks and slashes, which separate it from what is written beside it. */
  readonly stream: string;
  /** The head's sequence that the decision was made on. */
  readonly expected: number;
  /** The encoded event, one line without line breaks. */
  readonly event: string;
  /** The encoded state after the event; undefined removes the head. The id must not be used again. */
  readonly state: string | undefined;
  /** The part of the state that most events leave as it is; absent: as it is. Never empty. It goes with the head. */
  readonly details?: string | undefined;
  /** When to wake the stream (epoch ms), or null. Replaces the alarm there was. */
  readonly alarmAt: number | null;
  /** Undefined where nothing changes, which is the common case. */
  readonly index: IndexChanges | undefined;
}

export type AppendResult =
  /** Durable: on disk, survives kill -9 and a power cut. */
  | { readonly type: 'appended' }
  /** The head was no longer at `expected`; nothing was written. */
  | { readonly type: 'conflict' }
  /** Another stream or entity holds the unique key; nothing was written. */
  | { readonly type: 'taken'; readonly key: string };

export interface DueAlarm {
  readonly stream: string;
  readonly dueAt: number;
}

export interface DuePage {
  readonly alarms: readonly DueAlarm[];
  /** Where to go on in this round; undefined when the round is complete. */
  readonly next: string | undefined;
}

export interface LoggedEvent {
  readonly stream: string;
  readonly sequence: number;
  readonly event: string;
}

export interface LogPage {
  readonly events: readonly LoggedEvent[];
  /** Position after the last event of this page, to go on from. At the end it is the position that was asked for. */
  readonly next: number;
  /** Events between the position that was asked for and the first of this page are gone: a store has let go of them. */
  readonly isGap?: true;
}

/** A part of a log, by positions. */
export interface Stretch {
  readonly from: number;
  readonly upTo: number;
}

export type Verdict = 'keep' | 'forget' | 'not-yet';

export interface Journal {
  /** Reads the newest head. Rejects when the store cannot be read. */
  load(stream: string): Promise<Head>;

  /**
   * The number of the newest head, at once; 0 where the stream does not exist. Only where that is much cheaper than a load,
   * and crosses no network. Throws when the store cannot be read.
   */
  sequenceOf?(stream: string): number;

  /**
   * The number of the append that wrote the newest details of a stream, at once; undefined where there are none. While it is the same,
   * they are. Where `sequenceOf` is there, too. Throws when the store cannot be read.
   */
  detailsFrom?(stream: string): number | undefined;

  /**
   * Reads the newest heads of several streams, in their order: at one go, which costs a fraction of as many loads. Each is whole as
   * `load` has it; they need not be of one moment. Rejects when the store cannot be read.
   *
   * @param streams some hundred: it is one slice of work
   * @param part `state`: without their details, which are not read then
   */
  loadMany(streams: readonly string[], part?: 'state'): Promise<readonly Head[]>;

  /**
   * Appends one event. Rejects when the store cannot say whether it is durable: then the event may or may not be
   * there, and the caller must load the head before it decides anything more.
   */
  append(entry: Append): Promise<AppendResult>;

  /**
   * Streams whose alarm is at or before `now`, by the instant they were due (coarsely). A stream is listed until
   * its alarm is replaced, so a crash between waking and acting loses nothing; listing twice is harmless.
   *
   * @param after where the previous page of this round ended
   * @param limit about how many to return; a page may be somewhat larger, or empty and not the last
   */
  due(now: number, after: string | undefined, limit: number): Promise<DuePage>;

  /**
   * All alarms, of whatever instant, in pages as those of `due`. There may be some among them that were replaced since: for who looks at
   * the heads anyhow. It reads none, and writes nothing.
   */
  alarms(after: string | undefined, limit: number): Promise<DuePage>;

  /**
   * Into how many logs the events are spread (1 for memory and LMDB). All events of one stream are in one of them, in
   * order. Fixed for a store's life.
   */
  readonly logs: number;

  /**
   * Events of one log in the order in which they became durable, from a position on (0: from the beginning, or from
   * the first that is kept).
   *
   * @param which counted from 0
   */
  log(which: number, from: number, limit: number): Promise<LogPage>;

  /**
   * Everything before `upTo` has been projected durably. A store to which it costs memory (Redis) may drop it; the others
   * keep the history.
   */
  trim(which: number, upTo: number): Promise<void>;

  /**
   * Lets go of events in a part of a log, by a verdict on each, about `limit` at once. Events are taken in their order, up
   * to the first one that is not to be decided yet. Positions stay what they are, and doing it again is harmless.
   *
   * @returns the position behind the last event that was decided; `from` where none was
   */
  forget(
    which: number,
    stretch: Stretch,
    limit: number,
    verdict: (event: LoggedEvent) => Verdict,
  ): Promise<number>;
}
