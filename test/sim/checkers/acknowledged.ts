/**
 * Nothing acknowledged is lost, nothing happens twice, nothing happens that nobody asked for: accepted operations and
 * events can be paired one to one, each event appended after its operation was asked and before it was answered.
 *
 * An operation that was accepted because it was so already (giving back what nobody owns) needs no event.
 */
import type { DeviceEvent } from '../../../actors/device/device.ts';
import type { Checker, History, Operation, Request } from '../history.ts';
import { mayHaveMade, pair } from './matching.ts';
import { accept, exactly } from './rules.ts';
import { during, type Era, timelines } from './timeline.ts';

export const acknowledged: Checker = (history) => {
  const { operations, log, rules } = history;
  const timeline = timelines(history);
  const askedEvents = log.filter(({ event }) => !isUnasked(event));
  const writing = operations.filter(
    (operation) =>
      operation.ended?.outcome.type === 'accepted' &&
      !wasSoAlready(history, operation, timeline.get(operation.device) ?? []),
  );

  const lost = pair(writing, askedEvents, (operation, durable) =>
    mayHaveMade(rules, operation, durable),
  ).alone.map(({ id, device, request, ended }) => ({
    law: 'acknowledged',
    device,
    text: `operation ${id} (${request.type}) was accepted at step ${ended?.moment.step}, but no event in the log is its effect`,
  }));

  const uncalled = pair(askedEvents, operations, (durable, operation) =>
    mayHaveMade(rules, operation, durable),
  ).alone.map(({ device, event, step }) => ({
    law: 'acknowledged',
    device,
    text: `${event.type} at step ${step} is the effect of no operation that could have caused it`,
  }));
  return [...lost, ...uncalled, ...operations.flatMap((operation) => wrongInstant(operation))];
};

/** Events that the alarms cause. */
function isUnasked(event: DeviceEvent): boolean {
  if (event.type === 'CredentialsRotated') return event.by === 'grace';
  return event.type === 'ClaimWindowExpired' || event.type === 'OfferExpired';
}

/** Of take-overs and resets. */
const SO_ALREADY = ['confirm', 'complete', 'end-take-over', 'reset'] as const;
/** Requests that succeed too where there is nothing to do. */
const IDEMPOTENT: readonly Request['type'][] = [
  'reclaim',
  'assign',
  'forget',
  'withdraw',
  'accept',
  'kit',
  'adopt',
  'read-credentials',
  ...SO_ALREADY,
];

/** Whether the request may have found its wish fulfilled at some moment between question and answer. */
function wasSoAlready({ rules }: History, operation: Operation, eras: readonly Era[]): boolean {
  const { request, called, ended } = operation;
  if (ended?.outcome.type !== 'accepted') return false;
  if (!IDEMPOTENT.includes(request.type)) return false;
  const at = exactly(ended.outcome.at);
  return during(eras, called.step, ended.moment.step).some(({ device }) => {
    const after = accept(rules, device, request, at);
    return after !== undefined && JSON.stringify(after) === JSON.stringify(device);
  });
}

/** An answer that claims to have been decided before the question or after itself. */
function wrongInstant({ id, device, called, ended }: Operation) {
  if (ended?.outcome.type !== 'accepted') return [];
  const { at } = ended.outcome;
  if (called.at <= at && at <= ended.moment.at) return [];
  return [
    { law: 'acknowledged', device, text: `operation ${id} says it was decided at ${at}, not in its time` },
  ];
}
