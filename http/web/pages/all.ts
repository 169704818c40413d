/** Every page. */
import type { Page } from '../page.ts';
import { accountPages } from './account.tsx';
import { claimPages } from './claim.tsx';
import { loginPages } from './login.tsx';
import { myDevicePages } from './my-devices.tsx';

export function allPages(): readonly Page[] {
  return [...loginPages, ...accountPages, ...claimPages, ...myDevicePages];
}
