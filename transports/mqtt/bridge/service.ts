/**
 * What a message from the broker means, and what came of it: whose it is, what it asks for, the outcome in words.
 *
 *   opened, refused            durable or decided: acknowledged, the outcome is published
 *   malformed, unknown token,  poison: it would be no better next time. Acknowledged, so that it does not come again,
 *   no gateway, revoked        and told on the response topic, which the topic itself gives
 *   unavailable                nobody knows: kept, and asked again until there is an answer (QoS 0: dropped)
 */
import type { Clock } from '../../../actors/base/clock.ts';
import type { Log } from '../../../actors/base/log.ts';
import type { AuthenticatedDevice } from '../../../actors/claiming/authentication.ts';
import type { Claiming } from '../../../actors/claiming/claiming.ts';
import type { Gateways } from '../../../actors/claiming/gateways.ts';
import { gatewayOutcomeMessages, outcomeMessage } from '../../../actors/claiming/outcome.ts';
import { readClaimPayload, readGatewayClaims } from '../../../actors/claiming/payload.ts';
import type { Profiles } from '../../../actors/fleet/profiles.ts';
import { StoreUnavailable } from '../../../actors/store/store.ts';
import { KnownDevices } from './known-devices.ts';
import type { BridgeSettings } from './settings.ts';
import type { Addressed } from './templates.ts';

/** How a message was done with, for counting. */
export type Verdict = 'opened' | 'refused' | 'malformed' | 'unknown';

export interface Settled {
  readonly type: 'settled';
  readonly verdict: Verdict;
  /** The outcome in words, in one message or several. */
  readonly told: readonly string[];
}

export type Served = Settled | { readonly type: 'unavailable' };

export interface Service {
  /** Rejects for bugs only. */
  serve(addressed: Addressed, payload: Buffer): Promise<Served>;
}

export interface ServiceNeeds {
  readonly claiming: Claiming;
  readonly gateways: Gateways;
  readonly profiles: Profiles;
  readonly settings: Pick<BridgeSettings, 'trustBroker' | 'payloadBytesMax'>;
  readonly clock: Clock;
  readonly log: Log;
}

const UNAVAILABLE: Served = { type: 'unavailable' };

export function createService(needs: ServiceNeeds): Service {
  const { claiming, gateways, profiles, settings, clock, log } = needs;
  const { payloadBytesMax } = settings;
  const find = settings.trustBroker ? claiming.vouchedFor : claiming.authenticate;
  const known = new KnownDevices(clock);
  const tooLarge = malformed(`the payload has more than ${payloadBytesMax} bytes`);

  async function claim(device: AuthenticatedDevice, addressed: Addressed, payload: Buffer): Promise<Served> {
    const speech = await profiles.speech(device, 'MQTT');
    if (speech === undefined) return refused('unknown', 'transport-not-allowed');
    const request = readClaimPayload(payload, addressed.format ?? speech.format);
    if (request.type === 'malformed') return malformed(request.why);
    const outcome = await claiming.initiate(device, request);
    switch (outcome.type) {
      case 'opened':
      case 'refused':
        return settled(outcome.type, [JSON.stringify(outcomeMessage(outcome))]);
      case 'malformed':
        return malformed(outcome.why);
      case 'revoked':
        return unknownDevice;
      case 'unavailable':
        return UNAVAILABLE;
      default:
        return outcome satisfies never;
    }
  }

  async function claimsBehind(device: AuthenticatedDevice, payload: Buffer): Promise<Served> {
    if (!device.isGateway) return refused('unknown', 'not-a-gateway');
    const speech = await profiles.speech(device, 'MQTT');
    if (speech === undefined) return refused('unknown', 'transport-not-allowed');
    const read = readGatewayClaims(payload, speech.format);
    if (read.type === 'malformed') return malformed(read.why);
    if (read.type === 'nothing-usable') return malformed('the message has no entry');
    const outcome = await gateways.claim(device, read.entries);
    if (outcome.type === 'revoked') return unknownDevice;
    if (outcome.type === 'unavailable') return UNAVAILABLE;
    const outcomes = [...outcome.value.values()];
    // Those that are open already are opened once more with the next attempt: the same secret, as long again.
    if (outcomes.some(({ type }) => type === 'unavailable')) return UNAVAILABLE;
    const verdict = outcomes.every(({ type }) => type === 'opened') ? 'opened' : 'refused';
    return settled(verdict, gatewayOutcomeMessages(outcome.value, payloadBytesMax));
  }

  function attend(device: AuthenticatedDevice, addressed: Addressed, payload: Buffer): Promise<Served> {
    return addressed.kind === 'gateway' ? claimsBehind(device, payload) : claim(device, addressed, payload);
  }

  return {
    async serve(addressed, payload) {
      const { token } = addressed;
      if (payload.length > payloadBytesMax) return tooLarge;
      try {
        const remembered = known.get(token);
        // That it is no gateway may have changed, and nobody else would find that out.
        if (remembered !== undefined && (addressed.kind === 'device' || remembered.isGateway)) {
          const served = await attend(remembered, addressed, payload);
          if (served !== unknownDevice) return served;
          known.forget(token); // it may be another device's by now
        }
        const device = await find(token);
        if (device === undefined) return unknownDevice;
        known.remember(token, device);
        return await attend(device, addressed, payload);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        log.debug({ err: error }, 'mqtt bridge: a device could not be looked up');
        return UNAVAILABLE;
      }
    },
  };
}

function settled(verdict: Verdict, told: readonly string[]): Settled {
  return { type: 'settled', verdict, told };
}

function refused(verdict: Verdict, reason: string): Settled {
  return settled(verdict, [JSON.stringify({ status: 'refused', reason })]);
}

function malformed(reason: string): Settled {
  return settled('malformed', [JSON.stringify({ status: 'malformed', reason })]);
}

/** So many of a device's messages wait that this one is not taken: others have a right to the window too. */
export const tooManyWaiting = refused('refused', 'too-many-messages');

const unknownDevice = refused('unknown', 'unknown-device');
