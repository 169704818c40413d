/**
 * The production composition inside the test's own process: real sockets on free ports of 127.0.0.1, a store that
 * forgets, cheap password hashes, and a clock that stands still while the process does. Everything else is what an operator gets.
 */
import type { Clock } from '../../actors/base/clock.ts';
import { type Log, silentLog } from '../../actors/base/log.ts';
import type { Core } from '../../config/compose/core.ts';
import { type System, startSystem } from '../../config/compose/system.ts';
import { loadConfig } from '../../config/options/load.ts';
import { awakeClock } from './awake-clock.ts';

export interface LocalServerOptions {
  /** Options by their YAML keys, on top of what the kit sets. */
  readonly options?: { readonly [key: string]: string };
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface LocalServer {
  readonly core: Core;
  readonly system: System;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly coapPort: number;
  stop(): Promise<void>;
}

/** The password of sysadmin@thingsboard.org on a server without the demo. */
export const SYSADMIN_PASSWORD = 'local-test-sysadmin';

export async function startLocalServer({
  options = {},
  clock = awakeClock,
  log = silentLog,
}: LocalServerOptions = {}): Promise<LocalServer> {
  const all: { readonly [key: string]: string } = {
    'server.address': '127.0.0.1',
    'server.port': '0',
    'transport.mqtt.bind_address': '127.0.0.1',
    'transport.mqtt.bind_port': '0',
    'coap.bind_address': '127.0.0.1',
    'coap.bind_port': '0',
    'store.url': 'memory:',
    'security.password.hash_cost': '1024',
    'install.sysadmin_password': SYSADMIN_PASSWORD,
    ...options,
  };
  const flags = Object.entries(all).map(([key, value]) => ({ key, value }));
  const loaded = loadConfig({ env: {}, flags });
  if (loaded.type === 'problems') throw new Error(loaded.problems.join('\n'));
  const system = await startSystem(loaded.config, { clock, log, announce: () => {}, shown: loaded.shown });
  const { http, mqtt, coap } = system.addresses;
  return {
    core: system.core,
    system,
    url: `http://127.0.0.1:${http.port}`,
    httpPort: http.port,
    mqttPort: mqtt?.port ?? 0,
    coapPort: coap?.port ?? 0,
    stop: () => system.stop(),
  };
}
