/** How the span of a claim ends, whichever way the device came in. */
import type { TraceSpan } from '../base/tracing.ts';
import type { GatewayAnswer } from './gateways.ts';
import type { EntryOutcome } from './outcome.ts';

/** Of what became of a claim. */
export function endOfClaim(span: TraceSpan | undefined, outcome: { readonly type: string }): void {
  const error = outcome.type === 'unavailable' ? outcome.type : undefined;
  span?.end({ 'claimd.outcome': outcome.type }, error);
}

/** The same promise. Where it rejects, which is a bug, nobody else ends the span. */
export function orEndOfFault<Value>(span: TraceSpan | undefined, work: Promise<Value>): Promise<Value> {
  if (span === undefined) return work;
  return work.catch((error: unknown) => {
    span.end({}, 'fault');
    throw error;
  });
}

/** Of what became of a gateway's message: how many devices it named, and how many of their windows are open. */
export function endOfGatewayClaims(
  span: TraceSpan | undefined,
  answer: GatewayAnswer<ReadonlyMap<string, EntryOutcome>>,
): void {
  if (span === undefined) return;
  if (answer.type !== 'done') {
    endOfClaim(span, answer);
    return;
  }
  const outcomes = [...answer.value.values()];
  const count = (type: EntryOutcome['type']) => outcomes.filter((outcome) => outcome.type === type).length;
  const attributes = { 'claimd.gateway.devices': outcomes.length, 'claimd.gateway.opened': count('opened') };
  span.end(attributes, count('unavailable') > 0 ? 'unavailable' : undefined);
}
