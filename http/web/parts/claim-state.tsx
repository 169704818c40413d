/** How it stands with a device, at a glance. */
import type { z } from 'zod';
import type { deviceInfoView } from '../../views/device.ts';
import type { Locale } from '../locale.ts';
import { Time } from './layout.tsx';

export type DeviceInfo = z.output<typeof deviceInfoView>;

interface Props {
  readonly device: DeviceInfo;
  readonly locale: Locale;
  readonly nowMs: number;
}

export function ClaimState({ device, nowMs }: Props) {
  if (device.ownedBy !== null) {
    return <span class="state owned">{device.ownedBy === 'claim' ? 'Claimed' : 'Assigned'}</span>;
  }
  if (device.claimWindow !== null) return <span class="state open">Window open</span>;
  const hasKey = (device.claimingDataExpiresAt ?? 0) > nowMs;
  if (hasKey) return <span class="state open">Waits for its key</span>;
  return <span class="state free">{device.claimingAllowed === false ? 'Not claimable' : 'Unclaimed'}</span>;
}

/** By whom and since when, or for how long still. */
export function ClaimDetail({ device, locale, nowMs }: Props) {
  if (device.ownedSince !== null) {
    return (
      <>
        {device.customerTitle ?? 'a customer that is gone'} <small>since </small>
        <small>
          <Time at={device.ownedSince} now={nowMs} locale={locale} />
        </small>
      </>
    );
  }
  if (device.claimWindow !== null) {
    const { closesAt } = device.claimWindow;
    return (
      <small>
        closes{' '}
        <span data-closes={closesAt} data-now={nowMs}>
          at <Time at={closesAt} now={nowMs} locale={locale} />
        </span>
      </small>
    );
  }
  const until = device.claimingDataExpiresAt ?? 0;
  if (until <= nowMs) return null;
  return (
    <small>
      until <Time at={until} now={nowMs} locale={locale} />
    </small>
  );
}
