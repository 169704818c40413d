/**
 * Authority ends with ownership (O9, R5): each change of owner begins the next owner epoch, nothing that names an epoch has
 * an effect in another one, and a device is transferred by nothing but the offer of its present owner.
 *
 * Looks at the log, so a change that nobody heard of counts too. Whoever adds a kind of grant that ends with the epoch
 * (as an offer does), adds to `Grants` what grants it, what ends it, and what needs it.
 */
import type { Checker, Durable, Violation } from '../history.ts';
import { mayHaveMade } from './matching.ts';

/** What lies open on a device by the will of its present owner. */
interface Grants {
  readonly epoch: number;
  /** The transfer that is offered. */
  readonly offer: string | null;
}

const NOTHING: Grants = { epoch: 0, offer: null };

export const epochs: Checker = ({ log, operations, rules }) => {
  const violations: Violation[] = [];
  const devices = new Map<string, Grants>();

  for (const durable of log) {
    const { device, event, step } = durable;
    const before = devices.get(device) ?? NOTHING;
    const tell = (text: string) =>
      violations.push({ law: 'epochs', device, text: `${text} (${event.type} at step ${step})` });

    if ('ownerEpoch' in event && event.ownerEpoch !== before.epoch + 1) {
      tell(`epoch ${event.ownerEpoch} follows epoch ${before.epoch}`);
    }
    if (event.type === 'DeviceTransferred' && before.offer !== event.transferId) {
      tell(`a transfer by an offer that ended, or that was accepted before`);
    }
    const asked = operations.filter((operation) => mayHaveMade(rules, operation, durable));
    const named = asked.flatMap(({ request }) => ('inEpochs' in request ? [request.inEpochs] : [undefined]));
    const holds = named.some((inEpochs) => inEpochs === undefined || inEpochs.includes(before.epoch));
    if (named.length > 0 && !holds) tell(`asked for another epoch than ${before.epoch}`);

    const approved = asked.some(
      ({ request }) =>
        (request.type === 'confirm' || request.type === 'kit') && request.consentIn === before.epoch,
    );
    if (event.type === 'DeviceClaimed' && rules.asksConsent && asked.length > 0 && !approved) {
      tell(`claimed by a consent to another epoch than ${before.epoch}`);
    }

    devices.set(device, grantsAfter(before, durable));
  }
  return violations;
};

function grantsAfter(before: Grants, { event }: Durable): Grants {
  if (event.type === 'DeviceDeleted') return NOTHING;
  if ('ownerEpoch' in event) return { ...NOTHING, epoch: event.ownerEpoch ?? before.epoch + 1 };
  if (event.type === 'DeviceOffered') return { ...before, offer: event.transferId };
  const ends = ['OfferDeclined', 'OfferWithdrawn', 'OfferExpired'];
  return ends.includes(event.type) ? { ...before, offer: null } : before;
}
