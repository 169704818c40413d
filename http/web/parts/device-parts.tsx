/** How a device stands, at a glance: its name, its state, its owner. */
import type { z } from 'zod';
import { customerView } from '../../views/customer.ts';
import type { deviceInfoView } from '../../views/device.ts';
import { type Api, type Result, refusalOf, toQuery } from '../api.ts';
import type { SignedIn } from '../page.ts';
import type { Say } from '../texts/say.ts';
import { Field, Time } from './elements.tsx';

export type DeviceInfo = z.output<typeof deviceInfoView>;

interface Props {
  readonly device: DeviceInfo;
  readonly visit: Pick<SignedIn, 'locale' | 'nowMs'>;
}

/** The description beside the name, where there is one. */
export function Description({ device: { label } }: Pick<Props, 'device'>) {
  return label === null ? null : (
    <>
      {' '}
      <small>{label}</small>
    </>
  );
}

const OWNED_BY: Readonly<Record<NonNullable<DeviceInfo['ownedBy']>, string>> = {
  claim: 'Claimed',
  assignment: 'Assigned',
  transfer: 'Handed over',
  'take-over': 'Taken over',
};

export function ClaimState({ device, visit: { nowMs } }: Props) {
  if (device.ownedBy !== null) {
    return <span class="state owned">{OWNED_BY[device.ownedBy]}</span>;
  }
  if (device.claimingAllowed === false) return <span class="state free">Not claimable</span>;
  if (device.claimWindow !== null) return <span class="state open">Window open</span>;
  const hasKey = (device.claimingDataExpiresAt ?? 0) > nowMs;
  if (hasKey) return <span class="state open">Waits for its key</span>;
  return <span class="state free">Unclaimed</span>;
}

/** The owner's own name for the device, beside that on its label, which stays. */
export function NameIt({ device: { id, label }, say }: Pick<Props, 'device'> & { readonly say: Say }) {
  return (
    <form method="post" action={`/my/devices/${id.id}/name`}>
      <Field
        name="label"
        label={say('part.nameIt')}
        value={label ?? ''}
        maxlength={255}
        hint={say('part.nameHint')}
      />
      <button type="submit">{say('part.save')}</button>
    </form>
  );
}

/** The owner and since when, or until when it can be claimed. */
export function ClaimDetail({ device, visit: { locale, nowMs } }: Props) {
  if (device.ownedSince !== null) {
    return (
      <>
        {device.customerTitle ?? 'a deleted customer'} <small>since </small>
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

/** The customer of this title, or a refusal that names it. */
export async function findCustomer(api: Api, title: string): Promise<Result<z.output<typeof customerView>>> {
  const answer = await api.send('GET', `/api/tenant/customers?${toQuery({ customerTitle: title })}`);
  if (answer.status === 200) return { type: 'ok', value: customerView.parse(answer.json) };
  return { ...refusalOf(answer), message: `There is no customer “${title}”.` };
}
