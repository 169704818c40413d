/**
 * Every command is answered in the time it is given, faults or not. And when faults have stopped and time has gone on,
 * everything comes to rest: every question has an answer, no node thinks anything under way, every elapsed window has
 * been closed by an event, heads and indexes are what the events add up to, and nothing went wrong that nobody caused.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Checker, Violation } from '../history.ts';
import { seenOf } from './rules.ts';
import { timelines } from './timeline.ts';

/** How late an elapsed window may be closed, in ms: what the rule book promises. */
const PROMPT_MS = 1000;
/** How much later than its time limit an answer may come, in ms: limits are looked at now and then. */
const LATE_ANSWER_MS = 250;

export const settled: Checker = (history) => {
  const { operations, ending, rules } = history;
  const violations: Violation[] = [];
  const tell = (device: string, text: string) => violations.push({ law: 'settled', device, text });

  for (const { id, device, request, ended } of operations) {
    if (ended === undefined) tell(device, `operation ${id} (${request.type}) was never answered`);
    else if (request.type !== 'read' && ended.waitedMs > rules.askTimeoutMs + LATE_ANSWER_MS) {
      tell(device, `operation ${id} (${request.type}) was answered after ${ended.waitedMs} ms`);
    }
  }
  if (ending.inFlight !== 0) tell('-', `${ending.inFlight} commands are under way for ever`);
  for (const stray of ending.strayIndexes) tell('-', stray);
  for (const surprise of ending.surprises) tell('-', surprise);

  for (const [device, eras] of timelines(history)) {
    const story = seenOf(eras.at(-1)?.device ?? null);
    const head = ending.heads.get(device) ?? null;
    if (!isDeepStrictEqual(story, head)) {
      tell(device, `its head is ${JSON.stringify(head)}, its events add up to ${JSON.stringify(story)}`);
    }
    const closesAt = head?.window?.closesAt ?? Number.POSITIVE_INFINITY;
    const closedBy = Math.max(closesAt, ending.calmSince) + PROMPT_MS + rules.clockSlackMs;
    if (closedBy <= ending.at) tell(device, `its window elapsed at ${closesAt} and was never closed`);
    const expiresAt = head?.offer?.expiresAt ?? Number.POSITIVE_INFINITY;
    const endedBy = Math.max(expiresAt, ending.calmSince) + PROMPT_MS + rules.clockSlackMs;
    if (endedBy <= ending.at) tell(device, `its offer elapsed at ${expiresAt} and never ended`);
    const dueAt = head?.takeOver?.dueAt ?? Number.POSITIVE_INFINITY;
    const doneBy = Math.max(dueAt, ending.calmSince) + PROMPT_MS + rules.clockSlackMs;
    if (doneBy <= ending.at) tell(device, `its take-over was due at ${dueAt} and is still pending`);
  }
  return violations;
};
