/** Every page, in the order in which their paths are matched: `/devices/new` before `/devices/:id`. */
import type { Page } from '../page.ts';
import { accountPages } from './account.tsx';
import { apiKeyPages } from './api-keys.tsx';
import { auditPages } from './audit.tsx';
import { batchPages } from './batches.tsx';
import { claimPages } from './claim.tsx';
import { claimKitPages } from './claim-kit.tsx';
import { componentPages } from './components.tsx';
import { customerPages } from './customers.tsx';
import { devicePages } from './device.tsx';
import { deviceExportPages } from './device-export.tsx';
import { deviceHistoryPages } from './device-history.tsx';
import { devicesPages } from './devices.tsx';
import { importJobPages } from './import-job.tsx';
import { importStartPages } from './import-start.tsx';
import { kitPages } from './kits.tsx';
import { labelPages } from './labels.tsx';
import { languagePages } from './language.tsx';
import { livePages } from './live.tsx';
import { loginPages } from './login.tsx';
import { myDevicePage } from './my-device.tsx';
import { myDevicePages } from './my-devices.tsx';
import { newDevicePages } from './new-device.tsx';
import { offlinePages } from './problem.tsx';
import { profilePages } from './profiles.tsx';
import { identityProviderPages } from './providers.tsx';
import { serverPages } from './server.tsx';
import { settingsPages } from './settings.tsx';
import { tenantPages } from './tenants.tsx';
import { transferPages } from './transfers.tsx';
import { userPages } from './users.tsx';
import { webhookPages } from './webhooks.tsx';

export function allPages(): readonly Page[] {
  return [
    ...loginPages,
    ...accountPages,
    ...apiKeyPages,
    ...settingsPages,
    ...serverPages,
    ...profilePages,
    ...identityProviderPages,
    ...auditPages,
    ...languagePages,
    ...claimPages,
    ...claimKitPages,
    ...myDevicePages,
    ...myDevicePage,
    ...deviceHistoryPages,
    ...transferPages,
    ...devicesPages,
    ...batchPages,
    ...deviceExportPages,
    ...newDevicePages,
    ...labelPages,
    ...kitPages,
    ...webhookPages,
    ...importStartPages,
    ...importJobPages,
    ...livePages,
    ...devicePages,
    ...customerPages,
    ...userPages,
    ...offlinePages,
    ...componentPages,
    ...tenantPages,
  ];
}
