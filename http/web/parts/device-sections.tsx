/** The sections of a device's page with forms of their own: how it is claimed, and its owner. */
import { NULL_UUID } from '../../../actors/base/ids.ts';
import type { SignedIn } from '../page.ts';
import { DaysField } from './claim-key.tsx';
import { ClaimDetail, type DeviceInfo } from './device-parts.tsx';
import { Time } from './elements.tsx';

interface ClaimingProps {
  readonly device: DeviceInfo;
  readonly visit: SignedIn;
  /** Whether it has a key, which may have expired. */
  readonly keyed: boolean;
}

/** Whether and how it can be claimed. */
export function Claiming({ device, visit, keyed }: ClaimingProps) {
  const path = `/devices/${device.id.id}`;
  const expiresAt = device.claimingDataExpiresAt ?? 0;
  return (
    <section class="card" aria-labelledby="claiming">
      <h2 id="claiming">Claiming</h2>
      <Approval device={device} visit={visit} />
      <Permission device={device} />
      {keyed ? null : (
        <form method="post" action={`${path}/key`} class="search">
          <div>
            <DaysField label="Set a key for its label; valid for days" />
          </div>
          <button type="submit">Set a key</button>
        </form>
      )}
      <div class="row">
        {keyed ? (
          <>
            <a class="button" href={`/devices/labels?ids=${device.id.id}`}>
              Print its label
            </a>
            <a class="button" href={`${path}/key`}>
              Replace the key
            </a>
          </>
        ) : null}
        {device.claimWindow === null ? null : (
          <form method="post" action={`${path}/close-window`}>
            <button type="submit">Close the window</button>
          </form>
        )}
      </div>
      <p class="muted">
        {visit.nowMs < expiresAt ? (
          <>
            Its key works until <Time at={expiresAt} locale={visit.locale} />.
          </>
        ) : (
          'Without a key the device itself opens its claim window.'
        )}
      </p>
    </section>
  );
}

/** O9: what the credentials of a former owner's time open waits for the tenant. */
function Approval({ device, visit }: { device: DeviceInfo; visit: SignedIn }) {
  const { id, pendingWindow, credentialsState } = device;
  if (credentialsState !== 'quarantined') return null;
  return (
    <div class="note warn">
      <p>
        Its owner has changed, and a former owner may know its token. So a claim window that it opens waits
        for you, until you set new credentials.
      </p>
      {pendingWindow === null ? null : (
        <form method="post" action={`/devices/${id.id}/approve`}>
          <p>
            One waits, opened at <Time at={pendingWindow.openedAt} locale={visit.locale} />.
          </p>
          <input type="hidden" name="openedAt" value={String(pendingWindow.openedAt)} />
          <button type="submit">Let it be claimed</button>
        </form>
      )}
    </div>
  );
}

const PERMISSIONS = [
  ['default', 'As the server’s setting says'],
  ['allow', 'Yes'],
  ['forbid', 'No'],
] as const;

function Permission({ device: { id, claimingAllowed } }: { device: DeviceInfo }) {
  const permission = claimingAllowed === null ? 'default' : claimingAllowed ? 'allow' : 'forbid';
  return (
    <form method="post" action={`/devices/${id.id}/permission`} class="search">
      <div>
        <label for="permission">May customers claim it?</label>
        <select id="permission" name="permission">
          {PERMISSIONS.map(([value, text]) => (
            <option value={value} selected={value === permission}>
              {text}
            </option>
          ))}
        </select>
      </div>
      <button type="submit">Save</button>
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

const OFFERED_TO: Readonly<Record<NonNullable<DeviceInfo['offer']>['to'], string>> = {
  customer: 'to another customer',
  email: 'to an e-mail address',
  code: 'to whoever has its code',
};

/** Its owner, and assigning it to somebody. */
export function Owner({ device, titles, typed, visit }: OwnerProps) {
  const path = `/devices/${device.id.id}`;
  const owned = device.ownedSince !== null;
  return (
    <section class="card" aria-labelledby="owner">
      <h2 id="owner">Owner</h2>
      <p>{owned ? <ClaimDetail device={device} visit={visit} /> : 'Nobody owns it.'}</p>
      <form method="post" action={`${path}/assign`} class="search">
        <div>
          <label for="customer">{owned ? 'Assign to another customer' : 'Assign to the customer'}</label>
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
        <button type="submit">Assign</button>
      </form>
      {device.takeOver === null ? null : (
        <form method="post" action={`${path}/cancel-take-over`}>
          <p class="note warn">
            {device.takeOver.customerTitle ?? 'A deleted customer'} has asked to take it over. Unless somebody
            objects, that happens at <Time at={device.takeOver.completesAt} locale={visit.locale} />.
          </p>
          <button type="submit">Cancel the take-over</button>
        </form>
      )}
      {device.offer === null ? null : (
        <form method="post" action={`${path}/withdraw`}>
          <p>
            It is on offer {OFFERED_TO[device.offer.to]}, until{' '}
            <Time at={device.offer.expiresAt} locale={visit.locale} />.
          </p>
          <button type="submit">Withdraw the offer</button>
        </form>
      )}
    </section>
  );
}

/** What cannot be undone, or voids what is in people's hands: apart from everything else, and each asks before. */
export function Danger({ device, keyed }: Pick<ClaimingProps, 'device' | 'keyed'>) {
  const path = `/devices/${device.id.id}`;
  return (
    <section class="card danger" aria-labelledby="danger">
      <h2 id="danger">Careful</h2>
      <div class="row">
        {device.ownedSince === null ? null : (
          <a class="button danger" href={`${path}/unassign`}>
            Take it from {device.customerTitle ?? 'its owner'}
          </a>
        )}
        {keyed ? (
          <a class="button danger" href={`${path}/remove-key`}>
            Remove the key
          </a>
        ) : null}
        <a class="button danger" href={`${path}/delete`}>
          Delete this device
        </a>
      </div>
    </section>
  );
}

/** The one thing that is most likely wanted now. */
export function MainAction({ device, keyed }: Pick<ClaimingProps, 'device' | 'keyed'>) {
  const path = `/devices/${device.id.id}`;
  if (device.pendingWindow !== null)
    return (
      <form method="post" action={`${path}/approve`}>
        <input type="hidden" name="openedAt" value={String(device.pendingWindow.openedAt)} />
        <button type="submit" class="primary">
          Let it be claimed
        </button>
      </form>
    );
  if (device.ownedSince !== null && device.customerId.id !== NULL_UUID)
    return (
      <a class="button primary" href={`/customers/${device.customerId.id}`}>
        See its owner
      </a>
    );
  return keyed ? (
    <a class="button primary" href={`/devices/labels?ids=${device.id.id}`}>
      Print its label
    </a>
  ) : (
    <a class="button primary" href={`${path}/key`}>
      Set a key
    </a>
  );
}
