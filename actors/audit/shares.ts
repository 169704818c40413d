/**
 * Which old entries stay when a trail has more than may be kept. Were the oldest to go whoever wrote them, somebody who does
 * the same thing all day would push out what others did. So entries are counted by who did what, and of each such series the
 * newest stay, all with the same bound; a series that is shorter than that loses nothing. What passes (windows,
 * logins that succeed) has the room that the rest leaves.
 */
import { unreachable } from '../base/unreachable.ts';
import type { Action } from './entry.ts';
import type { Line } from './line.ts';

/** @returns those of the lines that stay, at most `max`, in their order */
export function fairShares(lines: readonly Line[], max: number): readonly Line[] {
  const lasting = newestOfEach(
    lines.filter((line) => !passes(line)),
    max,
  );
  const passing = newestOfEach(lines.filter(passes), max - lasting.size);
  return lines.filter((line) => lasting.has(line) || passing.has(line));
}

function newestOfEach(lines: readonly Line[], max: number): ReadonlySet<Line> {
  const lengths = new Map<string, number>();
  for (const line of lines) {
    const series = seriesOf(line);
    lengths.set(series, (lengths.get(series) ?? 0) + 1);
  }
  // Where there are more series than may stay, the newest of each, as far as they go.
  const share = Math.max(1, greatestShare([...lengths.values()], max));
  const taken = new Map<string, number>();
  const stay = new Set<Line>();
  for (let at = lines.length - 1; at >= 0 && stay.size < max; at -= 1) {
    const line = lines[at];
    if (line === undefined) break;
    const series = seriesOf(line);
    const count = taken.get(series) ?? 0;
    if (count >= share) continue;
    taken.set(series, count + 1);
    stay.add(line);
  }
  return stay;
}

/** The greatest bound for all series under which no more than `max` stay. */
function greatestShare(lengths: readonly number[], max: number): number {
  let [low, high] = [0, max];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const staying = lengths.reduce((sum, length) => sum + Math.min(length, middle), 0);
    if (staying <= max) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Who did what: the user, else the customer or the gateway, else the device. What was refused is apart: others can cause that. */
function seriesOf([, action, , device, , customer, user, data, failure]: Line): string {
  const { viaGateway } = data;
  const who = user || customer || (typeof viaGateway === 'string' ? viaGateway : device);
  return `${action} ${failure === 0 ? 'done' : 'refused'} ${who}`;
}

/** Whether an entry says nothing of who owns a device or who may do what. */
function passes([, action, , , , , , data, failure]: Line): boolean {
  return failure === 0 && data.impersonator === undefined && isPassing(action);
}

function isPassing(action: Action): boolean {
  switch (action) {
    case 'LOGIN':
    case 'LOGOUT':
    case 'CLAIM_WINDOW_OPENED':
    case 'CLAIM_WINDOW_CLOSED':
    case 'CLAIM_WINDOW_EXPIRED':
    case 'CLAIM_CHALLENGE_ISSUED':
    case 'RESET_NOTED':
      return true;
    case 'ADDED':
    case 'UPDATED':
    case 'DELETED':
    case 'CREDENTIALS_UPDATED':
    case 'CREDENTIALS_READ':
    case 'ASSIGNED_TO_CUSTOMER':
    case 'UNASSIGNED_FROM_CUSTOMER':
    case 'ATTRIBUTES_UPDATED':
    case 'ATTRIBUTES_DELETED':
    case 'ACTIVATED':
    case 'SUSPENDED':
    case 'CLAIM_WINDOW_PENDING':
    case 'CLAIM_WINDOW_APPROVED':
    case 'CLAIM_REFUSED':
    case 'TRANSFER_OFFERED':
    case 'TRANSFER_DECLINED':
    case 'TRANSFER_WITHDRAWN':
    case 'TRANSFER_EXPIRED':
    case 'TRANSFER_REFUSED':
    case 'TAKE_OVER_ASKED':
    case 'TAKE_OVER_ENDED':
    case 'MAIL_DROPPED':
    case 'TRAIL_PRUNED':
      return false;
    default:
      return unreachable(action);
  }
}
