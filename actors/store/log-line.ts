/** An event as a line of text in a log: "<stream> <sequence> <event>". */
import type { LoggedEvent } from '../journal/journal.ts';

export function parseLogged(line: string): LoggedEvent {
  const first = line.indexOf(' ');
  const second = line.indexOf(' ', first + 1);
  return {
    stream: line.slice(0, first),
    sequence: Number(line.slice(first + 1, second)),
    event: line.slice(second + 1),
  };
}
