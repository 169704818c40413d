/**
 * What a message from the broker means, and what came of it: whose it is, what it asks for, the outcome in words.
 *
 *   opened, refused            durable or decided: acknowledged, the outcome is published
 *   malformed, unknown token,  no better the next time: acknowledged, so that it does not come again, and published on the
 *   no gateway, revoked        response topic, which follows from the topic
 *   unavailable                nobody knows: kept, and tried again until there is an answer (QoS 0: dropped)
 */
import type { Clock, Instant } from '../../../actors/base/clock.ts';
import type { DeviceId } from '../../../actors/base/ids.ts';
import type { Log } from '../../../actors/base/log.ts';
import type { Tracing } from '../../../actors/base/tracing.ts';
import { unreachable } from '../../../actors/base/unreachable.ts';
import { endOfClaim, endOfGatewayClaims, orEndOfFault } from '../../../actors/claiming/claim-spans.ts';
import type { Claiming } from '../../../actors/claiming/claiming.ts';
import type { AuthenticatedDevice } from '../../../actors/claiming/device-authentication.ts';
import type { Gateways } from '../../../actors/claiming/gateways.ts';
import { gatewayOutcomeMessages, outcomeMessage } from '../../../actors/claiming/outcome.ts';
import { readClaimPayload, readGatewayClaims } from '../../../actors/claiming/payload.ts';
import type { Profiles } from '../../../actors/fleet/profiles.ts';
import { ifUnavailable } from '../../../actors/journal/unavailable.ts';
import { GATEWAY_CLAIM_TOPIC } from '../topics.ts';
import { tracePublication } from '../trace.ts';
import type { Arrival } from './broker-connection.ts';
import { DeviceCache } from './device-cache.ts';
import type { BridgeSettings } from './settings.ts';
import type { Addressed } from './templates.ts';

/** What came of a message, for counting. */
export type Verdict = 'opened' | 'released' | 'refused' | 'malformed' | 'unknown';

export interface Done {
  readonly type: 'done';
  readonly verdict: Verdict;
  /** The outcome in words, in one message or several, for the response topic. */
  readonly messages: readonly string[];
}

type Served = Done | { readonly type: 'unavailable' };

interface Message {
  readonly addressed: Addressed;
  readonly payload: Buffer;
  /** It may have been served before. */
  readonly isRedelivery: boolean;
  /** It may have waited since. */
  readonly arrivedAt: Instant;
  readonly userProperties: Arrival['userProperties'];
}

export interface Service {
  /** Rejects for bugs only. */
  serve(message: Message): Promise<Served>;
  /** Whose token it is, where it was looked up lately. */
  deviceOf(token: string): DeviceId | undefined;
}

export interface ServiceNeeds {
  readonly claiming: Claiming;
  readonly gateways: Gateways;
  readonly profiles: Profiles;
  readonly settings: Pick<BridgeSettings, 'trustBroker' | 'payloadBytesMax'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracing?: Tracing | undefined;
}

const UNAVAILABLE: Served = { type: 'unavailable' };

export function createService(needs: ServiceNeeds): Service {
  const { claiming, gateways, profiles, settings, clock, log } = needs;
  const { payloadBytesMax } = settings;
  const lookUp = settings.trustBroker ? claiming.vouchedFor : claiming.authenticate;
  const cache = new DeviceCache(clock);
  const tooLarge = malformed(`the payload has more than ${payloadBytesMax} bytes`);

  async function claim(
    device: AuthenticatedDevice,
    { addressed, payload, isRedelivery, arrivedAt, userProperties }: Message,
  ): Promise<Served> {
    const payloadRules = await profiles.payloadRules(device, 'MQTT');
    if (payloadRules === undefined) return refused('unknown', 'transport-not-allowed');
    const request = readClaimPayload(payload, addressed.format ?? payloadRules.format);
    if (request.type === 'malformed') return malformed(request.why);
    const publication = { destination: 'v1/devices/+/claim', version: 5, userProperties };
    const span = tracePublication(needs.tracing, publication);
    const outcome = await orEndOfFault(
      span,
      claiming.initiate(device, request, isRedelivery, arrivedAt, span?.text),
    );
    endOfClaim(span, outcome);
    switch (outcome.type) {
      case 'opened':
      case 'released':
      case 'refused': {
        const messages = [JSON.stringify(outcomeMessage(outcome))];
        if (outcome.type === 'refused' && outcome.reason === 'credentials-superseded') {
          const fetched = await claiming.fetchCredentials(device); // O9: it is told where to go on
          if (fetched.type === 'fetched') messages.push(JSON.stringify(fetched.message));
        }
        return done(outcome.type, messages);
      }
      case 'malformed':
        return malformed(outcome.why);
      case 'revoked':
        return unknownDevice;
      case 'unavailable':
        return UNAVAILABLE;
      default:
        return unreachable(outcome);
    }
  }

  async function gatewayClaims(
    gateway: AuthenticatedDevice,
    { payload, arrivedAt, userProperties }: Message,
  ): Promise<Served> {
    if (!gateway.isGateway) return refused('unknown', 'not-a-gateway');
    const payloadRules = await profiles.payloadRules(gateway, 'MQTT');
    if (payloadRules === undefined) return refused('unknown', 'transport-not-allowed');
    const claims = readGatewayClaims(payload, payloadRules.format);
    if (claims.type === 'malformed') return malformed(claims.why);
    if (claims.type === 'nothing-usable') return malformed('the message has no entry');
    const publication = { destination: GATEWAY_CLAIM_TOPIC, version: 5, userProperties };
    const span = tracePublication(needs.tracing, publication);
    const answer = await orEndOfFault(span, gateways.claim(gateway, claims.entries, arrivedAt, span?.text));
    endOfGatewayClaims(span, answer);
    if (answer.type === 'revoked') return unknownDevice;
    if (answer.type === 'unavailable') return UNAVAILABLE;
    const outcomes = [...answer.value.values()];
    // The next attempt opens those that are open already once more: the same secret, the same duration.
    if (outcomes.some(({ type }) => type === 'unavailable')) return UNAVAILABLE;
    const verdict = outcomes.every(({ type }) => type === 'opened') ? 'opened' : 'refused';
    return done(verdict, gatewayOutcomeMessages(answer.value, payloadBytesMax));
  }

  function serveFor(device: AuthenticatedDevice, message: Message): Promise<Served> {
    return message.addressed.kind === 'gateway' ? gatewayClaims(device, message) : claim(device, message);
  }

  async function serve(message: Message): Promise<Served> {
    const { addressed, payload } = message;
    const { token } = addressed;
    if (payload.length > payloadBytesMax) return tooLarge;
    const cached = cache.get(token);
    // A device that was no gateway may be one by now, and nobody else would find that out.
    if (cached !== undefined && (addressed.kind === 'device' || cached.isGateway)) {
      const served = await serveFor(cached, message);
      if (served !== unknownDevice) return served;
      cache.delete(token); // it may be another device's by now
    }
    const device = await lookUp(token);
    if (device === undefined) return unknownDevice;
    cache.put(token, device);
    return serveFor(device, message);
  }

  return {
    deviceOf: (token) => cache.get(token)?.id,
    serve: (message) =>
      serve(message).catch(
        ifUnavailable((error) => {
          log.debug({ err: error }, 'mqtt bridge: a device could not be looked up');
          return UNAVAILABLE;
        }),
      ),
  };
}

function done(verdict: Verdict, messages: readonly string[]): Done {
  return { type: 'done', verdict, messages };
}

function refused(verdict: Verdict, reason: string): Done {
  return done(verdict, [JSON.stringify({ status: 'refused', reason })]);
}

function malformed(reason: string): Done {
  return done('malformed', [JSON.stringify({ status: 'malformed', reason })]);
}

/** So many messages of a device wait that this one is not taken: others have a right to the window too. */
export const tooManyWaiting = refused('refused', 'too-many-messages');

const unknownDevice = refused('unknown', 'unknown-device');
