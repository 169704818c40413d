/** Where a server with these settings listens, and which of these places others than its own machine can reach. */
import { isLoopback } from '../../actors/sockets/loopback.ts';
import type { Config } from './schema.ts';

interface Door {
  /** `HTTP` */
  readonly what: string;
  readonly address: string;
}

/** Those that are switched on and reached from beyond this machine. */
export function openDoors({ http, mqtt, coap }: Pick<Config, 'http' | 'mqtt' | 'coap'>): readonly Door[] {
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
