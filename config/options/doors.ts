/** Where a server with these settings listens, and which of these places others than its own machine can reach. */
import { isLoopback } from '../../actors/sockets/loopback.ts';

interface Door {
  /** `HTTP` */
  readonly what: string;
  readonly address: string;
}

/** The settings that say where; see `schema.ts`. */
interface Addresses {
  readonly http: { readonly address: string };
  readonly mqtt: {
    readonly enabled: boolean;
    readonly bindAddress: string;
    readonly sslEnabled: boolean;
    readonly sslBindAddress: string;
  };
  readonly coap: { readonly enabled: boolean; readonly bindAddress: string };
}

/** Those that are switched on and reached from beyond this machine. */
export function openDoors({ http, mqtt, coap }: Addresses): readonly Door[] {
  const doors: readonly (Door & { readonly on: boolean })[] = [
    { what: 'HTTP', address: http.address, on: true },
    { what: 'MQTT', address: mqtt.bindAddress, on: mqtt.enabled },
    { what: 'MQTT over TLS', address: mqtt.sslBindAddress, on: mqtt.enabled && mqtt.sslEnabled },
    { what: 'CoAP', address: coap.bindAddress, on: coap.enabled },
  ];
  return doors.filter(({ on, address }) => on && !isLoopback(address));
}

/** `HTTP on 0.0.0.0, CoAP on 0.0.0.0` */
export function nameDoors(doors: readonly Door[]): string {
  return doors.map(({ what, address }) => `${what} on ${address}`).join(', ');
}
