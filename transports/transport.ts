/**
 * What every transport is to the rest of the house: something that starts, says where it listens, and stops.
 * Adding a transport touches no other.
 */
import type { DeviceListener } from '../actors/fleet/devices.ts';

export interface Transport {
  /** For logs and metrics: `mqtt`, `http`, `coap`. */
  readonly name: string;
  /** Starts to listen. Rejects with a `ListenError` when the address can not be had. */
  start(): Promise<Listening>;
  /**
   * Takes no new work, answers what is under way, then closes every connection. Resolves after `drainMs` at the
   * latest, whatever the other side does.
   */
  stop(drainMs: number): Promise<void>;
  /** Told of every durable event, to end sessions of deleted devices and the like. */
  readonly onDeviceEvent?: DeviceListener;
}

export interface Listening {
  readonly address: string;
  readonly port: number;
}

/** The address is taken or not allowed. `message` is one line fit for a person. */
export class ListenError extends Error {
  constructor(what: string, address: string, port: number, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const why =
      code === 'EADDRINUSE'
        ? 'the port is taken by another program'
        : code === 'EACCES'
          ? 'this user may not listen there'
          : code === 'EADDRNOTAVAIL'
            ? 'this machine does not have that address'
            : cause instanceof Error
              ? cause.message
              : String(cause);
    super(`${what} can not listen on ${address}:${port}: ${why}`, { cause });
    this.name = 'ListenError';
  }
}
