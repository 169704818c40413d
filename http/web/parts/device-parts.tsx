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
      <small>
        <bdi>{label}</bdi>
      </small>
    </>
  );
}

const OWNED_BY = {
  claim: 'state.claimed',
  assignment: 'state.assigned',
  transfer: 'state.handedOver',
  'take-over': 'state.takenOver',
} as const satisfies Readonly<Record<NonNullable<DeviceInfo['ownedBy']>, string>>;

export function ClaimState({ device, visit: { nowMs, locale } }: Props) {
  const { say } = locale;
  if (device.ownedBy !== null) return <span class="state owned">{say(OWNED_BY[device.ownedBy])}</span>;
  if (device.claimingAllowed === false) return <span class="state free">{say('state.FORBIDDEN')}</span>;
  if (device.claimWindow !== null) return <span class="state open">{say('state.WINDOW_OPEN')}</span>;
  const hasKey = (device.claimingDataExpiresAt ?? 0) > nowMs;
  if (hasKey) return <span class="state open">{say('state.HAS_KEY')}</span>;
  return <span class="state free">{say('state.UNCLAIMED')}</span>;
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
export function ClaimDetail({ device, visit }: Props) {
  const { locale, nowMs } = visit;
  const { say } = locale;
  if (device.ownedSince !== null) {
    const customer = <bdi>{device.customerTitle ?? say('state.deletedCustomer')}</bdi>;
    const when = (
      <small>
        <Time at={device.ownedSince} now={nowMs} locale={locale} />
      </small>
    );
    return <>{say.pieces('state.ownedSince', { customer, when })}</>;
  }
  if (device.claimWindow !== null) return <Closes at={device.claimWindow.closesAt} visit={visit} />;
  const until = device.claimingDataExpiresAt ?? 0;
  if (until <= nowMs) return null;
  const when = <Time at={until} now={nowMs} locale={locale} />;
  return <small>{say.pieces('state.until', { when })}</small>;
}

/** When a window closes; in the browser it is the time that is left (`islands/page.ts`, which fills in `{time}`). */
export function Closes({ at, visit: { locale, nowMs } }: { at: number; visit: Props['visit'] }) {
  const { say } = locale;
  const when = <Time at={at} now={nowMs} locale={locale} />;
  return (
    <small data-closes={at} data-now={nowMs} data-left={say('state.closesIn', { time: '{time}' })}>
      {say.pieces('state.closesAt', { when })}
    </small>
  );
}

/** The customer of this title, or a refusal that names it, in the reader's language. */
export async function findCustomer(
  api: Api,
  title: string,
  say: Say,
): Promise<Result<z.output<typeof customerView>>> {
  const answer = await api.send('GET', `/api/tenant/customers?${toQuery({ customerTitle: title })}`);
  if (answer.status === 200) return { type: 'ok', value: customerView.parse(answer.json) };
  return { ...refusalOf(answer), message: say('state.noCustomer', { title }) };
}
