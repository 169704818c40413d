/**
 * Every refusal, and every read, was true at some moment between question and answer: nobody is turned away, or
 * shown something, because a node still believed what had been overtaken before it was asked.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Checker, History, Operation, Seen } from '../history.ts';
import { isTrue, type Span, seenOf } from './rules.ts';
import { during, type Era, timelines } from './timeline.ts';

export const refusals: Checker = (history) => {
  const timeline = timelines(history);
  return history.operations.flatMap((operation) => {
    const { id, device, request, ended } = operation;
    if (ended === undefined) return [];
    const { outcome } = ended;
    if (outcome.type === 'refused' && !wasTrue(history, operation, outcome.reason, timeline)) {
      const text = `operation ${id} (${request.type}) was refused as ${outcome.reason}, which was not so at any moment`;
      return [{ law: 'refusals', device, text }];
    }
    if (outcome.type === 'read' && !wasThere(operation, outcome.seen, timeline)) {
      return [{ law: 'refusals', device, text: `operation ${id} read what was not so at any moment` }];
    }
    return [];
  });
};

type Timelines = ReadonlyMap<string, readonly Era[]>;

function wasTrue(
  history: History,
  operation: Operation,
  reason: Parameters<typeof isTrue>[4],
  timeline: Timelines,
): boolean {
  if (reason === 'name-taken' || reason === 'credentials-taken' || reason === 'transfer-taken')
    return wasTaken(operation, reason, timeline);
  return erasOf(operation, timeline).some((era) =>
    isTrue(history.rules, era.device, operation.request, common(era, operation), reason),
  );
}

function erasOf({ device, called, ended }: Operation, timeline: Timelines): Era[] {
  return during(timeline.get(device) ?? [], called.step, ended?.moment.step ?? Number.POSITIVE_INFINITY);
}

/** The time that an era and an operation have in common, by the clock of the operation's node. */
function common(era: Era, { called, ended, skewMs }: Operation): Span {
  return {
    from: Math.max(called.at, era.fromAt + skewMs),
    to: Math.min(ended?.moment.at ?? Number.POSITIVE_INFINITY, era.untilAt + skewMs),
  };
}

/** Whether another device held the name, or the token, at some moment of the operation. */
function wasTaken(
  operation: Operation,
  reason: 'name-taken' | 'credentials-taken' | 'transfer-taken',
  timeline: Timelines,
): boolean {
  const { request } = operation;
  return [...timeline].some(([device, eras]) => {
    if (device === operation.device) return false;
    const end = operation.ended?.moment.step ?? Number.POSITIVE_INFINITY;
    return during(eras, operation.called.step, end).some(({ device: other }) => {
      if (other === null) return false;
      if (reason === 'credentials-taken') return 'token' in request && request.token === other.token;
      if (reason === 'transfer-taken') {
        const held = [other.offer?.transfer, other.owner?.transfer];
        return request.type === 'offer' && held.includes(request.transfer);
      }
      return 'name' in request && request.name === other.name && request.tenant === other.tenant;
    });
  });
}

function wasThere(operation: Operation, seen: Seen | null, timeline: Timelines): boolean {
  return erasOf(operation, timeline).some(({ device }) => isDeepStrictEqual(seenOf(device), seen));
}
