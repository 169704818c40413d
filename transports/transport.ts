/**
 * What every transport is to the rest of the house: something that starts, says where it listens, and stops.
 * Adding a transport touches no other.
 */
import type { DeviceListener } from '../actors/fleet/devices.ts';
import type { Listening } from '../actors/sockets/listen.ts';

export interface Transport {
  /** For logs and metrics: `mqtt`, `http`, `coap`. */
  readonly name: string;
  /** Starts to listen. Rejects with a `ListenError` when the address cannot be had. */
  start(): Promise<Listening>;
  /**
   * Takes no new work, answers what is under way, then closes every connection. Resolves after `drainMs` at the
   * latest, whatever the other side does.
   */
  stop(drainMs: number): Promise<void>;
  /** Told of every durable event, to end sessions of deleted devices and the like. */
  readonly onDeviceEvent?: DeviceListener;
}
