/** Everything about the MQTT endpoint that has a limit or an address, with its unit in its name. */
import { GATEWAY_DEFAULTS, type GatewaySettings } from '../../../actors/claiming/gateways.ts';

export interface MqttEndpointSettings extends GatewaySettings {
  /** IP address or host name to listen on. */
  readonly bindAddress: string;
  /** TCP port; 0 takes any free one. */
  readonly port: number;

  /** Connections at once, those that have not said CONNECT included; beyond it new ones are closed unread. */
  readonly connectionsMax: number;
  /** Connections that are not authenticated yet; beyond it the one that has waited longest makes room. */
  readonly connectingMax: number;
  /** A connection that is not authenticated after so long is closed. */
  readonly connectTimeoutMs: number;
  /** A device that sends nothing for so long is disconnected, when it asked for no keep-alive. */
  readonly inactivityTimeoutMs: number;
  /** How long a peer may take to close its side after we closed ours. */
  readonly closeTimeoutMs: number;
  /** How often timeouts are looked at: one sweep over all connections; timeouts are late by up to this much. */
  readonly sweepIntervalMs: number;

  /** Largest payload of a PUBLISH. */
  readonly payloadBytesMax: number;
  /** What a packet may have besides its payload: fixed header, topic name, properties. */
  readonly headerBytesMax: number;
  /** Bytes of one connection that are read and decoded but not handled yet; beyond it reading pauses. */
  readonly readAheadBytesMax: number;
  /** Bytes that wait for one client to read them; beyond it the connection is destroyed. */
  readonly outputBytesMax: number;

  /**
   * Publications of one connection that are not acknowledged yet (1 … 65535). Version 5 is told as its Receive
   * Maximum and disconnected beyond it; from older versions reading pauses until acknowledgements have gone out.
   */
  readonly inFlightMax: number;
  /** Messages to one client that it has not acknowledged; beyond it messages go out with QoS 0. */
  readonly unacknowledgedMax: number;
  /** Topic aliases that a version 5 client may use (0 … 65535). */
  readonly topicAliasMax: number;
}

/** Working defaults; the first lines are ThingsBoard's own. */
export const MQTT_ENDPOINT_DEFAULTS: MqttEndpointSettings = {
  bindAddress: '0.0.0.0',
  port: 1883,
  connectTimeoutMs: 10_000,
  inactivityTimeoutMs: 600_000,
  closeTimeoutMs: 1_000,
  payloadBytesMax: 65_536,
  inFlightMax: 100,

  connectionsMax: 100_000,
  connectingMax: 2_000,
  sweepIntervalMs: 1_000,
  headerBytesMax: 4_096,
  readAheadBytesMax: 65_536,
  outputBytesMax: 262_144,
  unacknowledgedMax: 100,
  topicAliasMax: 10,
  ...GATEWAY_DEFAULTS,
};

/** Largest packet a client may send, fixed header included. */
export function packetBytesMax(settings: MqttEndpointSettings): number {
  return settings.payloadBytesMax + settings.headerBytesMax;
}

/** Linux takes no more than nine hours; two are what it has by itself. */
const TCP_SILENCE_MAX_MS = 7_200_000;

/**
 * Probes of TCP, for Node's sockets. A client may ask for a keep-alive of 18 hours, and one that loses its power sends no FIN. One that
 * is there has to answer no sooner than where it asked for no keep-alive at all: a probe wakes up a radio.
 */
export function keepAliveOf({ inactivityTimeoutMs }: MqttEndpointSettings) {
  return {
    keepAlive: true,
    keepAliveInitialDelay: Math.min(inactivityTimeoutMs, TCP_SILENCE_MAX_MS),
  } as const;
}
