/** Every page, in the order in which they are tried: `/devices/new` is no device. */
import type { Page } from '../page.ts';
import { accountPages } from './account.tsx';
import { claimPages } from './claim.tsx';
import { customerPages } from './customers.tsx';
import { devicePagesOfOne } from './device.tsx';
import { devicePages } from './devices.tsx';
import { importPages } from './imports.tsx';
import { labelPages } from './labels.tsx';
import { livePages } from './live.tsx';
import { loginPages } from './login.tsx';
import { myDevicePages } from './my-devices.tsx';
import { peoplePages } from './people.tsx';
import { tenantPages } from './tenants.tsx';

export function allPages(): readonly Page[] {
  return [
    ...loginPages,
    ...accountPages,
    ...claimPages,
    ...myDevicePages,
    ...devicePages,
    ...labelPages,
    ...importPages,
    ...livePages,
    ...devicePagesOfOne,
    ...customerPages,
    ...peoplePages,
    ...tenantPages,
  ];
}
