/** Sections of a device's page with forms of their own: how it is claimed, and whose it is. */

import type { SignedIn } from '../page.ts';
import { KEY_DAYS, KEY_DAYS_MAX } from './claim-key.ts';
import { ClaimDetail, type DeviceInfo } from './claim-state.tsx';
import { Time } from './layout.tsx';

/** Whether and how it can be claimed. */
export function Claiming({ device, visit, keyed }: { device: DeviceInfo; visit: SignedIn; keyed: boolean }) {
  const { id } = device.id;
  const permission =
    device.claimingAllowed === null ? 'default' : device.claimingAllowed ? 'allow' : 'forbid';
  return (
    <section class="card" aria-labelledby="claiming">
      <h2 id="claiming">Claiming</h2>
      <form method="post" action={`/devices/${id}/permission`} class="search">
        <div>
          <label for="permission">May customers claim it?</label>
          <select id="permission" name="permission">
            <option value="default" selected={permission === 'default'}>
              As the server’s setting says
            </option>
            <option value="allow" selected={permission === 'allow'}>
              Yes
            </option>
            <option value="forbid" selected={permission === 'forbid'}>
              No
            </option>
          </select>
        </div>
        <button type="submit">Save</button>
      </form>
      <form method="post" action={`/devices/${id}/key`} class="search">
        <div>
          <label for="days">
            {keyed ? 'Replace its key; valid for days' : 'Set a key for its label; valid for days'}
          </label>
          <input id="days" name="days" type="number" min={1} max={KEY_DAYS_MAX} value={String(KEY_DAYS)} />
        </div>
        <button type="submit">{keyed ? 'Replace' : 'Set a key'}</button>
      </form>
      <div class="row">
        {keyed ? (
          <>
            <a class="button" href={`/devices/labels?ids=${id}`}>
              Print its label
            </a>
            <form method="post" action={`/devices/${id}/remove-key`}>
              <button type="submit">Remove the key</button>
            </form>
          </>
        ) : null}
        {device.claimWindow === null ? null : (
          <form method="post" action={`/devices/${id}/close-window`}>
            <button type="submit">Close the window</button>
          </form>
        )}
      </div>
      <p class="muted">
        {visit.nowMs < (device.claimingDataExpiresAt ?? 0) ? (
          <>
            Its key works until <Time at={device.claimingDataExpiresAt ?? 0} locale={visit.locale} />.
          </>
        ) : (
          'Without a key the device itself opens its claim window.'
        )}
      </p>
    </section>
  );
}

/** Whose it is, and giving it to somebody. */
export function Owner({
  device,
  titles,
  visit,
}: {
  device: DeviceInfo;
  titles: readonly string[];
  visit: SignedIn;
}) {
  const { id } = device.id;
  return (
    <section class="card" aria-labelledby="owner">
      <h2 id="owner">Owner</h2>
      <p>
        {device.ownedSince === null ? (
          'Nobody owns it.'
        ) : (
          <ClaimDetail device={device} locale={visit.locale} nowMs={visit.nowMs} />
        )}
      </p>
      <form method="post" action={`/devices/${id}/assign`} class="search">
        <div>
          <label for="customer">
            {device.ownedSince === null ? 'Assign to the customer' : 'Assign to another customer'}
          </label>
          <input id="customer" name="customer" list="customers" required maxlength={255} autocomplete="off" />
          <datalist id="customers">
            {titles.map((title) => (
              <option value={title} />
            ))}
          </datalist>
        </div>
        <button type="submit">Assign</button>
      </form>
      {device.ownedSince === null ? null : (
        <form method="post" action={`/devices/${id}/unassign`}>
          <button type="submit" class="danger">
            Take it from {device.customerTitle ?? 'its owner'}
          </button>
        </form>
      )}
    </section>
  );
}
