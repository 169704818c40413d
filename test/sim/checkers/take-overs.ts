/**
 * No take-over but one that was asked for with the secret of a window that the device itself had opened; after notice, not
 * before its instant, to who asked, in the owner epoch it was asked in, and not after it was ended (N1, N2). And no reset
 * where there is none, nor two within an hour (N4, N5). Looks at the log alone.
 */
import type { Checker, Durable, History } from '../history.ts';
import { troubleWithProof } from './expiry.ts';
import { mayHaveMade } from './matching.ts';
import { HOUR_MS, type Model, needsProof } from './rules.ts';
import { timelines } from './timeline.ts';

export const takeOvers: Checker = (history) =>
  [...timelines(history)].flatMap(([device, eras]) =>
    eras.flatMap(({ device: before, endedBy }) => {
      if (endedBy === undefined || before === null) return [];
      const trouble = troubleWith(history, before, endedBy);
      return trouble === undefined
        ? []
        : [{ law: 'take-overs', device, text: `${trouble} (step ${endedBy.step})` }];
    }),
  );

function troubleWith(history: History, before: Model, durable: Durable): string | undefined {
  const { event } = durable;
  const { ownership } = history.rules;
  switch (event.type) {
    case 'TakeOverAsked':
      if (ownership.takeOver !== 'after-notice') return 'a take-over was asked for where there is none';
      return troubleWithClaim(history, before, durable);
    case 'DeviceTakenOver':
      if (ownership.takeOver === 'never') return 'a take-over where there is none';
      return ownership.takeOver === 'at-once'
        ? troubleWithClaim(history, before, durable)
        : troubleWithCompletion(before, event.customerId, event.at);
    case 'DeviceReset': {
      if (ownership.deviceReset === 'off') return 'a reset where there is none';
      const sinceMs = before.lastReset === null ? HOUR_MS : Math.abs(event.at - before.lastReset.from);
      return sinceMs < HOUR_MS ? `a reset again, ${sinceMs} ms after the last` : undefined;
    }
    default:
      return undefined;
  }
}

function troubleWithClaim(history: History, before: Model, durable: Durable): string | undefined {
  const asked = history.operations
    .filter((operation) => mayHaveMade(history.rules, operation, durable))
    .flatMap(({ request }) => (request.type === 'confirm' ? [request] : []));
  if (needsProof(history.rules)) {
    const [request] = asked;
    return request === undefined
      ? 'a take-over that nobody asked for'
      : troubleWithProof(before, request, durable.event.at);
  }
  const { window } = before;
  if (window === null || window.by !== 'device') return 'a take-over without a window of the device';
  if (durable.event.at >= window.closes.from) return 'a take-over after the end of the window';
  return asked.some(({ secret }) => secret !== '' && secret === window.secret)
    ? undefined
    : 'a take-over with a wrong secret';
}

function troubleWithCompletion({ takeOver, epoch }: Model, customer: string, at: number): string | undefined {
  if (takeOver === null) return `a take-over by ${customer} that was not pending`;
  if (takeOver.customer !== customer) return `a take-over by ${customer}, asked for by ${takeOver.customer}`;
  if (takeOver.inEpoch !== epoch) return `a take-over of epoch ${takeOver.inEpoch} in epoch ${epoch}`;
  return at < takeOver.due.from ? `a take-over ${takeOver.due.from - at} ms before its instant` : undefined;
}
