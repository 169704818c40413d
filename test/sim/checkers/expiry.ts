/**
 * No claim at or after the window's last instant, none with a wrong secret or proof (C2, C3, C8, C11); no window closed as elapsed
 * before it had, and none opened by a late message in place of one whose message came after it (O5). Looks at every claim and window
 * in the log, whether or not anybody heard of it.
 */
import type { Checker, Durable, History, Request } from '../history.ts';
import { mayHaveMade } from './matching.ts';
import { LATE_MS, type Model } from './rules.ts';
import { timelines } from './timeline.ts';

export const expiry: Checker = (history) =>
  [...timelines(history)].flatMap(([device, eras]) =>
    eras.flatMap(({ device: before, endedBy }) => {
      if (endedBy === undefined) return [];
      const trouble = troubleWith(history, before, endedBy);
      return trouble === undefined
        ? []
        : [{ law: 'expiry', device, text: `${trouble} (step ${endedBy.step})` }];
    }),
  );

function troubleWith(history: History, before: Model | null, durable: Durable): string | undefined {
  const { event } = durable;
  switch (event.type) {
    case 'DeviceClaimed': {
      if (event.evidence === 'kit') return undefined; // a kit's code has no instant of the device's
      const asked = history.operations
        .filter((operation) => mayHaveMade(history.rules, operation, durable))
        .flatMap(({ request }) => (request.type === 'confirm' ? [request] : []));
      const [request] = asked;
      if (request === undefined) return 'a claim that nobody asked for';
      return request.proof === undefined
        ? troubleWithClaim(before, request.secret, event.at)
        : troubleWithProof(before, request, event.at);
    }
    case 'ClaimWindowExpired': {
      const closesAt = (event.pending ? before?.pending : before?.window)?.closes.from;
      if (closesAt === undefined) return 'the expiry of a window that was not there';
      return event.at < closesAt ? `a window closed ${closesAt - event.at} ms before it elapsed` : undefined;
    }
    case 'DeviceTransferred': {
      const expiresAt = before?.offer?.expires.from;
      if (expiresAt === undefined || event.at < expiresAt) return undefined;
      return `a transfer ${event.at - expiresAt} ms after its offer's end`;
    }
    case 'OfferExpired': {
      const expiresAt = before?.offer?.expires.from;
      if (expiresAt === undefined) return 'the end of an offer that was not there';
      return event.at < expiresAt ? `an offer ended ${expiresAt - event.at} ms before it elapsed` : undefined;
    }
    case 'ClaimWindowOpened':
      if (event.closesAt <= event.at) return 'a window that was over when it opened';
      return isByLate(history, before, durable)
        ? 'a late message opened a window in place of one that came after it'
        : undefined;
    default:
      return undefined;
  }
}

/** O5: whoever may have asked for it came before a window that is there, and waited for long. */
function isByLate(history: History, before: Model | null, durable: Durable): boolean {
  const newest = Math.max(before?.window?.came.from ?? 0, before?.pending?.came.from ?? 0);
  const asked = history.operations.filter((operation) => mayHaveMade(history.rules, operation, durable));
  return (
    asked.length > 0 &&
    asked.every(({ request }) => {
      const arrivedAt = request.type === 'initiate' ? request.arrivedAt : undefined;
      return arrivedAt !== undefined && durable.event.at - arrivedAt > LATE_MS && newest > arrivedAt;
    })
  );
}

/** C11: signed by the device as it was, and the customer's challenge was still open. */
export function troubleWithProof(
  before: Model | null,
  { customer, proof }: Request & { readonly type: 'confirm' },
  at: number,
): string | undefined {
  if (proof?.token !== before?.token) return 'a claim by a proof of another key';
  const isOpen = before?.challenges.some(
    (open) => open.customer === customer && open.nonce === proof?.nonce && at < open.expires.from,
  );
  return isOpen ? undefined : 'a claim by a proof of a challenge that was not open';
}

function troubleWithClaim(before: Model | null, secret: string, at: number): string | undefined {
  const window = before?.window ?? null;
  const key = before?.key ?? null;
  const opened =
    (window?.secret === secret && at < window.closes.from) || (key?.secret === secret && at < key.expiresAt);
  if (opened) return undefined;
  if (window === null && key === null) return 'a claim with no window open and no server-side key';
  const fitting = [window?.secret === secret ? window.closes.from : undefined].concat(
    key?.secret === secret ? key.expiresAt : undefined,
  );
  const end = fitting.find((instant) => instant !== undefined);
  return end === undefined ? 'a claim with a wrong secret' : `a claim ${at - end} ms after its window's end`;
}
