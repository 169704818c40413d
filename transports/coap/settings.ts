/** Everything about the CoAP server that has a limit or an address, with its unit in its name. */
export interface CoapSettings {
  /** IP address or host name to listen on. */
  readonly bindAddress: string;
  /** UDP port; 0 takes any free one. */
  readonly port: number;
  /** A confirmable request that is not answered after so long is acknowledged first and answered separately. */
  readonly piggybackTimeoutMs: number;

  /** Largest datagram; a larger one is answered 4.13, which tells the client to send in blocks. */
  readonly datagramBytesMax: number;
  /** Largest payload, whether it comes in one datagram or in blocks. */
  readonly payloadBytesMax: number;

  /** Payloads that are coming in, in blocks; beyond it the one that rested longest makes room. */
  readonly uploadsMax: number;
  /** A payload whose next block does not come for so long is forgotten. */
  readonly uploadIdleMs: number;

  /** Requests that are being served, and answers that are not acknowledged yet; beyond it the answer is 5.03. */
  readonly inFlightMax: number;
  /** The same for one peer, which is an address with its port. */
  readonly inFlightPerPeerMax: number;
  /** Past requests that are remembered, so that a duplicate is answered and not served again; the oldest make room. */
  readonly exchangesMax: number;
  /** The same for one peer. */
  readonly exchangesPerPeerMax: number;
  /** What the remembered requests and their answers may come to in memory. */
  readonly exchangeBytesMax: number;

  /** Devices that observe their attributes; beyond it the one that has heard nothing for longest makes room. */
  readonly observationsMax: number;

  /** Whether telemetry and attributes of devices are taken, and dropped. */
  readonly acceptsTelemetry: boolean;

  /** What a device is told to wait before it asks again, when no answer could be had, in whole seconds. */
  readonly retryAfterSeconds: number;
}

/** Working defaults; the first lines are ThingsBoard's own. */
export const COAP_DEFAULTS: CoapSettings = {
  bindAddress: '0.0.0.0',
  port: 5683,
  piggybackTimeoutMs: 500,
  payloadBytesMax: 65_536,

  datagramBytesMax: 4_096,
  uploadsMax: 256,
  uploadIdleMs: 60_000,
  inFlightMax: 10_000,
  inFlightPerPeerMax: 64,
  exchangesMax: 100_000,
  exchangesPerPeerMax: 256,
  exchangeBytesMax: 32 * 1024 * 1024,
  observationsMax: 10_000,
  acceptsTelemetry: true,
  retryAfterSeconds: 1,
};

/** Transmission parameters (RFC 7252 §4.8), which both sides have to agree on: no settings. */
export const Transmission = {
  ackTimeoutMs: 2_000,
  ackRandomFactor: 1.5,
  maxRetransmit: 4,
  /** How long a confirmable message's id must not be used again (§4.8.2). */
  exchangeLifetimeMs: 247_000,
  /** The same for a non-confirmable one. */
  nonLifetimeMs: 145_000,
} as const;
