/** What became of the devices behind a gateway, as the gateway reads it on its response topic. */
import { outcomeMessage } from './claiming.ts';
import type { BehindOutcome } from './gateways.ts';

/** JSON objects from names to outcomes, each of no more bytes than given, unless one outcome alone has more. */
export function gatewayOutcomeMessages(
  outcomes: ReadonlyMap<string, BehindOutcome>,
  bytesMax: number,
): string[] {
  const payloads: string[] = [];
  let members: string[] = [];
  let bytes = 0;
  for (const [name, outcome] of outcomes) {
    const member = `${JSON.stringify(name)}:${JSON.stringify(inWords(outcome))}`;
    const more = Buffer.byteLength(member) + 1;
    if (bytes > 0 && bytes + more > bytesMax) {
      payloads.push(`{${members.join(',')}}`);
      members = [];
      bytes = 0;
    }
    members.push(member);
    bytes += more;
  }
  payloads.push(`{${members.join(',')}}`);
  return payloads;
}

function inWords(outcome: BehindOutcome): object {
  switch (outcome.type) {
    case 'malformed':
      return { status: 'malformed', reason: outcome.why };
    case 'not-created':
      return { status: 'refused', reason: outcome.why };
    case 'revoked':
      return { status: 'refused', reason: 'unknown-device' };
    case 'opened':
    case 'refused':
    case 'unavailable':
      return outcomeMessage(outcome) ?? { status: 'unavailable' };
    default:
      return outcome satisfies never;
  }
}
