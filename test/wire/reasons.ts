/** The tables of reasons in http/README.md and transports/README.md, from the catalogue that the server itself tells by. */
import { type Audience, REASONS, type Reason, type ReasonCode } from '../../actors/claiming/reasons.ts';

export const CODES = Object.keys(REASONS) as ReasonCode[]; // a record's keys

/** What a device or a gateway hears. */
export function deviceReasonsTable(): string {
  return table(
    ['Reason', 'Heard by', 'What is so', 'What to do'],
    heardBy(['device', 'gateway']).map(([code, reason]) => [
      `\`${code}\``,
      audience(reason, ['device', 'gateway']),
      reason.words,
      reason.remedy,
    ]),
  );
}

/** What people and their programs hear. */
export function peopleReasonsTable(): string {
  return table(
    ['Reason', 'Heard by', 'What is so', 'What to do'],
    heardBy(['customer', 'tenant']).map(([code, reason]) => [
      `\`${code}\``,
      audience(reason, ['customer', 'tenant']),
      reason.words,
      reason.remedy,
    ]),
  );
}

function heardBy(audiences: readonly Audience[]): (readonly [ReasonCode, Reason])[] {
  return CODES.map((code) => [code, REASONS[code]] as const).filter(([, reason]) =>
    reason.heardBy.some((one) => audiences.includes(one)),
  );
}

function audience(reason: Reason, of: readonly Audience[]): string {
  return reason.heardBy.filter((one) => of.includes(one)).join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
