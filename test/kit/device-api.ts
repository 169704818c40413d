/** The device HTTP API alone, over a world of devices: an app that answers `app.request()`. */
import { silentLog } from '../../actors/base/log.ts';
import { createAttributeNews } from '../../actors/claiming/attribute-news.ts';
import { silentBus } from '../../actors/cluster/bus.ts';
import { createRoutesApp } from '../../http/app.ts';
import type { App } from '../../http/dispatch.ts';
import type { Route } from '../../http/route.ts';
import { deviceApiRoutes } from '../../http/routes/device-api.ts';
import {
  type DeviceApiSettings,
  defaultApiSettings,
  defaultDeviceApiSettings,
  defaultTokenSettings,
} from '../../http/settings.ts';
import { notAuthenticated } from '../../http/wire/errors.ts';
import type { TransportWorld } from '../contract/transport-world.ts';

export interface DeviceApi {
  readonly app: App;
  readonly routes: readonly Route[];
}

export function createDeviceApi(world: TransportWorld, settings: Partial<DeviceApiSettings> = {}): DeviceApi {
  const { devices, directory, secrets, guard, clock } = world;
  const deviceApi = { ...defaultDeviceApiSettings, ...settings };
  const news = createAttributeNews(silentBus);
  world.onEvent = news.onDeviceEvent;
  const routes = deviceApiRoutes({
    devices,
    directory,
    secrets,
    clock,
    log: silentLog,
    news,
    deviceApi,
    ...(guard === undefined ? {} : { tokenGuard: guard }),
  });
  const nobody = async () => notAuthenticated;
  const app = createRoutesApp(routes, {
    audit: { note: () => {}, noted: async () => {} },
    authentication: { authenticate: nobody, stands: async () => false, refresh: nobody, enter: nobody },
    clock,
    log: silentLog,
    settings: { ...defaultApiSettings, tokens: { ...defaultTokenSettings, signingKey: Buffer.alloc(64) } },
  });
  return { app, routes };
}
