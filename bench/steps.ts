/** What devices and customers do, as steps of a load, on any server with ThingsBoard's API. */
import { claimPath } from '../test/kit/api.ts';
import type { CoapStep, ConnectStep, HttpStep, MqttStep, Payload } from './contract.ts';
import type { Fleet } from './targets/fleet.ts';
import type { Target } from './targets/target.ts';

/** The network failed or the server is unavailable: not a wrong answer. */
const NOT_NOW = ['connection closed', 'timeout'];
/** MQTT 3.1.1 and 5. */
const SERVER_UNAVAILABLE = ['CONNACK 3', 'CONNACK 136'];
const HTTP_NOT_NOW = [...NOT_NOW, '503', '429'];

const text = (value: object): Payload => ({ type: 'text', text: JSON.stringify(value) });
const NOTHING: Payload = { type: 'text', text: '' };

/** Longer than any run, so that no window expires during it. */
const WINDOW_MS = 6 * 3_600_000;

/** What a device sends to open its window. */
export const claimOf = ({ secret }: Fleet) => ({ secretKey: secret, durationMs: WINDOW_MS });

const windowOf = (fleet: Fleet): Payload => text(claimOf(fleet));

export function initiateMqtt(target: Target, fleet: Fleet, version: 4 | 5): MqttStep {
  return {
    type: 'mqtt',
    name: 'open',
    host: target.host,
    ports: target.mqttPorts,
    version,
    userName: fleet.token,
    topic: target.claimTopic.replace('{token}', fleet.token),
    ...(target.responseTopic === undefined
      ? {}
      : { response: target.responseTopic.replace('{token}', fleet.token) }),
    payload: windowOf(fleet),
    right: ['PUBACK', 'response opened'],
    refused: [...NOT_NOW, ...SERVER_UNAVAILABLE],
  };
}

export function connectMqtt(target: Target, fleet: Fleet, hold: boolean, keepAliveS = 0): ConnectStep {
  return {
    type: 'connect',
    name: 'connect',
    host: target.host,
    ports: target.mqttPorts,
    userName: fleet.token,
    hold,
    keepAliveS,
    right: ['CONNACK 0'],
    refused: [...NOT_NOW, 'CONNACK 3'],
  };
}

export function initiateHttp(target: Target, fleet: Fleet, payload = windowOf(fleet)): HttpStep {
  return {
    type: 'http',
    name: 'open',
    host: target.host,
    ports: target.httpPorts,
    method: 'POST',
    path: `/api/v1/${fleet.token}/claim`,
    body: payload,
    tokens: [],
    reads: 'status',
    right: ['200'],
    refused: HTTP_NOT_NOW,
  };
}

export function initiateCoap(target: Target, fleet: Fleet): CoapStep {
  return {
    type: 'coap',
    name: 'open',
    host: target.host,
    ports: target.coapPorts,
    path: `/api/v1/${fleet.token}/claim`,
    payload: windowOf(fleet),
    right: ['2.01', '2.04'],
    refused: [...NOT_NOW, '5.03'],
  };
}

export function confirm(target: Target, fleet: Fleet): HttpStep {
  return {
    type: 'http',
    name: 'confirm',
    host: target.host,
    ports: target.httpPorts,
    method: 'POST',
    path: pathOf(fleet),
    body: text({ secretKey: fleet.secret }),
    tokens: fleet.customerTokens,
    reads: 'claim',
    right: ['200 SUCCESS'],
    refused: HTTP_NOT_NOW,
  };
}

/** The owner offers a device by a code, for the customer after it to accept. */
export function offer(target: Target, fleet: Fleet): HttpStep {
  return {
    type: 'http',
    name: 'offer',
    host: target.host,
    ports: target.httpPorts,
    method: 'POST',
    path: pathOf(fleet).replace(/claim$/, 'transfer'),
    body: text({}),
    tokens: fleet.customerTokens,
    reads: 'code',
    right: ['200'],
    refused: HTTP_NOT_NOW,
  };
}

/** The next customer accepts it. */
export function accept(target: Target, fleet: Fleet): HttpStep {
  return {
    type: 'http',
    name: 'accept',
    host: target.host,
    ports: target.httpPorts,
    method: 'POST',
    path: '/api/transfer/accept',
    body: text({ code: '{code}' }),
    tokens: nextCustomers(fleet),
    reads: 'status',
    right: ['200'],
    refused: HTTP_NOT_NOW,
  };
}

/** The device, whose owner has changed, learns its new token with the one that it has. */
export function learnToken(target: Target): HttpStep {
  return {
    type: 'http',
    name: 'learn token',
    host: target.host,
    ports: target.httpPorts,
    method: 'GET',
    path: '/api/v1/{token}/claim/credentials',
    body: NOTHING,
    tokens: [],
    reads: 'token',
    right: ['200'],
    refused: HTTP_NOT_NOW,
  };
}

/** The tokens of the customers to whom devices are handed over. */
function nextCustomers({ customerTokens: [first = '', ...others] }: Fleet): readonly string[] {
  return [...others, first];
}

/** The owner, to whom a device was handed over, gives it back. */
export function reclaimHandedOver(target: Target, fleet: Fleet): HttpStep {
  return { ...reclaim(target, fleet), tokens: nextCustomers(fleet) };
}

/** The same where a window may be acknowledged before it is there. */
export function confirmSoon(target: Target, fleet: Fleet): HttpStep {
  return { ...confirm(target, fleet), early: ['400 FAILURE', '404'] };
}

/** The owner gives a device back; with `byTenant` the tenant takes it back from any owner. */
export function reclaim(target: Target, fleet: Fleet, byTenant = false): HttpStep {
  return {
    type: 'http',
    name: 'reclaim',
    host: target.host,
    ports: target.httpPorts,
    method: 'DELETE',
    path: pathOf(fleet),
    body: NOTHING,
    tokens: byTenant ? [fleet.tenantToken] : fleet.customerTokens,
    reads: 'status',
    right: ['200'],
    refused: HTTP_NOT_NOW,
  };
}

export function provision(target: Target, fleet: Pick<Fleet, 'name' | 'token' | 'tenantToken'>): HttpStep {
  return {
    type: 'http',
    name: 'provision',
    host: target.host,
    ports: target.httpPorts,
    method: 'POST',
    path: `/api/device?accessToken=${fleet.token}`,
    body: text({ name: fleet.name, type: 'default' }),
    tokens: [fleet.tenantToken],
    reads: 'status',
    right: ['200'],
    rightAgain: ['400', '409'], // it was made, and the answer was lost
    refused: HTTP_NOT_NOW,
  };
}

/** Makes a device that is a gateway, under the fleet's token. */
export function provisionGateway(target: Target, fleet: Fleet): HttpStep {
  const device = { name: `${fleet.name} gateway`, type: 'default', additionalInfo: { gateway: true } };
  return { ...provision(target, fleet), body: text(device) };
}

/** The path to claim a device of the fleet. `{n}` must not be percent-encoded. */
function pathOf(fleet: Fleet): string {
  return claimPath(fleet.name).replace(encodeURIComponent('{n}'), '{n}');
}
