/**
 * A device whose owner has changed hears its new credentials on its session (O9): on the response topic, and as shared
 * attributes, which ThingsBoard's SDKs deliver. Until it uses them, its session can do nothing else.
 */

import { unreachable } from '../../../../actors/base/unreachable.ts';
import type { FetchedCredentials } from '../../../../actors/claiming/new-credentials.ts';
import { ATTRIBUTES_TOPIC, CLAIM_RESPONSE_TOPIC } from '../../topics.ts';
import { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';

/** Asks for them, if the device listens. */
export function fetchCredentials(session: Session): void {
  const { device, context, subscriptions } = session;
  session.superseded = true;
  if (device === undefined) return;
  if (!subscriptions?.has(CLAIM_RESPONSE_TOPIC) && !subscriptions?.has(ATTRIBUTES_TOPIC)) return;
  context.claiming.fetchCredentials(device).then(
    (fetched) => session.tell({ type: 'credentials', fetched }),
    (error) => session.fail(error),
  );
}

export function deliverCredentials(session: Session, fetched: FetchedCredentials): void {
  switch (fetched.type) {
    case 'fetched': {
      const { message, attributes } = fetched;
      if (attributes === undefined) {
        session.superseded = false; // what it has shown is what it has: the word came late
        return;
      }
      session.publish(CLAIM_RESPONSE_TOPIC, CLAIM_RESPONSE_TOPIC, JSON.stringify(message));
      // Attributes are in the format of the profile, and a device that reads protobuf cannot read JSON.
      if (session.payloadRules.format === 'JSON') {
        session.publish(ATTRIBUTES_TOPIC, ATTRIBUTES_TOPIC, JSON.stringify(attributes));
      }
      return;
    }
    case 'revoked':
      session.disconnect(Reason.administrativeAction);
      return;
    case 'unavailable':
      return; // it hears them when it claims, or comes back
    default:
      unreachable(fetched);
  }
}
