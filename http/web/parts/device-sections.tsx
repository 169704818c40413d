/** The sections of a device's page with forms of their own: how it is claimed, and its owner. */
import { NULL_UUID } from '../../../actors/base/ids.ts';
import type { SignedIn } from '../page.ts';
import type { Say } from '../texts/say.ts';
import { DaysField } from './claim-key.tsx';
import { ClaimDetail, type DeviceInfo } from './device-parts.tsx';
import { Time } from './elements.tsx';

interface Saying {
  readonly say: Say;
}

interface ClaimingProps {
  readonly device: DeviceInfo;
  readonly visit: SignedIn;
  /** Whether it has a key, which may have expired. */
  readonly keyed: boolean;
}

/** Whether and how it can be claimed. */
export function Claiming({ device, visit, keyed }: ClaimingProps) {
  const { say } = visit.locale;
  const path = `/devices/${device.id.id}`;
  const expiresAt = device.claimingDataExpiresAt ?? 0;
  return (
    <section class="card" aria-labelledby="claiming">
      <h2 id="claiming">{say('one.claiming')}</h2>
      <Approval device={device} visit={visit} />
      <Permission device={device} say={say} />
      {keyed ? null : (
        <form method="post" action={`${path}/key`} class="search">
          <div>
            <DaysField label={say('one.setKeyDays')} />
          </div>
          <button type="submit">{say('one.setKey')}</button>
        </form>
      )}
      <div class="row">
        {keyed ? (
          <>
            <a class="button" href={`/devices/labels?ids=${device.id.id}`}>
              {say('one.printLabel')}
            </a>
            <a class="button" href={`${path}/key`}>
              {say('one.replaceKey')}
            </a>
          </>
        ) : null}
        {device.claimWindow === null ? null : (
          <form method="post" action={`${path}/close-window`}>
            <button type="submit">{say('one.closeWindow')}</button>
          </form>
        )}
      </div>
      <p class="muted">
        {visit.nowMs < expiresAt
          ? say.pieces('one.keyUntil', { when: <Time at={expiresAt} locale={visit.locale} /> })
          : say('one.withoutKey')}
      </p>
    </section>
  );
}

/** O9: what the credentials of a former owner's time open waits for the tenant. */
function Approval({ device, visit }: { device: DeviceInfo; visit: SignedIn }) {
  const { id, pendingWindow, credentialsState } = device;
  const { say } = visit.locale;
  if (credentialsState !== 'quarantined') return null;
  return (
    <div class="note warn">
      <p>{say('one.approvalText')}</p>
      {pendingWindow === null ? null : (
        <form method="post" action={`/devices/${id.id}/approve`}>
          <p>
            {say.pieces('one.waiting', {
              when: <Time at={pendingWindow.openedAt} locale={visit.locale} />,
            })}
          </p>
          <input type="hidden" name="openedAt" value={String(pendingWindow.openedAt)} />
          <button type="submit">{say('one.approve')}</button>
        </form>
      )}
    </div>
  );
}

const PERMISSIONS = [
  ['default', 'one.asServer'],
  ['allow', 'one.yes'],
  ['forbid', 'one.no'],
] as const;

function Permission({ device: { id, claimingAllowed }, say }: Pick<ClaimingProps, 'device'> & Saying) {
  const permission = claimingAllowed === null ? 'default' : claimingAllowed ? 'allow' : 'forbid';
  return (
    <form method="post" action={`/devices/${id.id}/permission`} class="search">
      <div>
        <label for="permission">{say('one.mayClaim')}</label>
        <select id="permission" name="permission">
          {PERMISSIONS.map(([value, text]) => (
            <option value={value} selected={value === permission}>
              {say(text)}
            </option>
          ))}
        </select>
      </div>
      <button type="submit">{say('part.save')}</button>
    </form>
  );
}

interface OwnerProps {
  readonly device: DeviceInfo;
  readonly visit: SignedIn;
  /** Customers to choose from; others are typed. */
  readonly titles: readonly string[];
  /** A customer that was refused. */
  readonly typed: string;
}

const OFFERED_TO = {
  customer: 'one.offeredCustomer',
  email: 'one.offeredEmail',
  code: 'one.offeredCode',
} as const satisfies Readonly<Record<NonNullable<DeviceInfo['offer']>['to'], string>>;

/** Its owner, and assigning it to somebody. */
export function Owner({ device, titles, typed, visit }: OwnerProps) {
  const { say } = visit.locale;
  const path = `/devices/${device.id.id}`;
  const owned = device.ownedSince !== null;
  return (
    <section class="card" aria-labelledby="owner">
      <h2 id="owner">{say('one.owner')}</h2>
      <p>{owned ? <ClaimDetail device={device} visit={visit} /> : say('one.nobody')}</p>
      <form method="post" action={`${path}/assign`} class="search">
        <div>
          <label for="customer">{say(owned ? 'one.assignAnother' : 'one.assignCustomer')}</label>
          <input
            id="customer"
            name="customer"
            value={typed}
            list="customers"
            required
            maxlength={255}
            autocomplete="off"
          />
          <datalist id="customers">
            {titles.map((title) => (
              <option value={title} />
            ))}
          </datalist>
        </div>
        <button type="submit">{say('one.assign')}</button>
      </form>
      {device.takeOver === null ? null : (
        <form method="post" action={`${path}/cancel-take-over`}>
          <p class="note warn">{takeOverWords(device.takeOver, visit)}</p>
          <button type="submit">{say('one.cancelTakeOver')}</button>
        </form>
      )}
      {device.offer === null ? null : (
        <form method="post" action={`${path}/withdraw`}>
          <p>
            {say.pieces(OFFERED_TO[device.offer.to], {
              when: <Time at={device.offer.expiresAt} locale={visit.locale} />,
            })}
          </p>
          <button type="submit">{say('offer.withdraw')}</button>
        </form>
      )}
    </section>
  );
}

function takeOverWords(
  { customerTitle, completesAt }: NonNullable<DeviceInfo['takeOver']>,
  { locale }: Pick<SignedIn, 'locale'>,
) {
  const { say } = locale;
  const when = <Time at={completesAt} locale={locale} />;
  return customerTitle === null
    ? say.pieces('one.takeOverByGone', { when })
    : say.pieces('one.takeOver', { customer: customerTitle, when });
}

/** What cannot be undone, or voids what is in people's hands: apart from everything else, and each asks before. */
export function Danger({ device, keyed, say }: Pick<ClaimingProps, 'device' | 'keyed'> & Saying) {
  const path = `/devices/${device.id.id}`;
  return (
    <section class="card danger" aria-labelledby="danger">
      <h2 id="danger">{say('one.careful')}</h2>
      <div class="row">
        {device.ownedSince === null ? null : (
          <a class="button danger" href={`${path}/unassign`}>
            {device.customerTitle === null
              ? say('one.takeOwner')
              : say('one.take', { owner: device.customerTitle })}
          </a>
        )}
        {keyed ? (
          <a class="button danger" href={`${path}/remove-key`}>
            {say('one.removeKey')}
          </a>
        ) : null}
        <a class="button danger" href={`${path}/delete`}>
          {say('one.delete')}
        </a>
      </div>
    </section>
  );
}

/** The one thing that is most likely wanted now. */
export function MainAction({ device, keyed, say }: Pick<ClaimingProps, 'device' | 'keyed'> & Saying) {
  const path = `/devices/${device.id.id}`;
  if (device.pendingWindow !== null)
    return (
      <form method="post" action={`${path}/approve`}>
        <input type="hidden" name="openedAt" value={String(device.pendingWindow.openedAt)} />
        <button type="submit" class="primary">
          {say('one.approve')}
        </button>
      </form>
    );
  if (device.ownedSince !== null && device.customerId.id !== NULL_UUID)
    return (
      <a class="button primary" href={`/customers/${device.customerId.id}`}>
        {say('one.seeOwner')}
      </a>
    );
  return keyed ? (
    <a class="button primary" href={`/devices/labels?ids=${device.id.id}`}>
      {say('one.printLabel')}
    </a>
  ) : (
    <a class="button primary" href={`${path}/key`}>
      {say('one.setKey')}
    </a>
  );
}
