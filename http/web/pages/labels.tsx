/** A sheet of QR labels to print. Devices without a key get one here first. */

import { raw } from 'hono/html';
import { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { labelView } from '../../routes/labels.ts';
import { deviceView } from '../../views/device.ts';
import { segment } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { DaysField } from '../parts/claim-key.tsx';
import { Note } from '../parts/elements.tsx';
import { SELECTED_MAX } from './devices.tsx';

const SIZES = [
  ['s', 'Small, 50 × 22 mm'],
  ['m', 'Medium, 70 × 32 mm'],
  ['l', 'Large, 100 × 50 mm'],
] as const;

/** Names of more letters are printed smaller, so that the key below stays on the label. */
const LONG = 36;

type Label = z.output<typeof labelView>;

interface Labelled {
  readonly id: string;
  readonly name: string;
  /** Undefined when the device has no key that works. */
  readonly label: Label | undefined;
}

async function labelsOf(api: SignedIn['api'], ids: readonly string[]): Promise<readonly Labelled[]> {
  if (ids.length === 0) return [];
  const devices = await api.get(`/api/devices?deviceIds=${ids.map(segment).join(',')}`, z.array(deviceView));
  return Promise.all(
    devices.map(async ({ id: { id }, name }) => {
      const answer = await api.send('GET', `/api/device/${id}/claimLabel`);
      return { id, name, label: answer.status === 200 ? labelView.parse(answer.json) : undefined };
    }),
  );
}

async function sheetReply({ api, query, settings }: SignedIn): Promise<PageReply> {
  const ids = (query.get('ids') ?? '')
    .split(',')
    .filter((id) => id !== '')
    .slice(0, SELECTED_MAX);
  const size = SIZES.find(([name]) => name === query.get('size'))?.[0] ?? 'm';
  const devices = await labelsOf(api, ids);
  const labels = devices.flatMap(({ label }) => label ?? []);
  // What is printed cannot be changed, so people see where it leads before.
  const address = labels[0]?.url.split('/claim#', 1)[0];
  const keyless = devices.filter(({ label }) => label === undefined);
  return {
    type: 'page',
    title: 'Labels',
    islands: ['print.js'],
    body: (
      <>
        <div class="head noprint">
          <div>
            <h1>Labels</h1>
            <p class="lead">
              Scanning a label opens the claim page with name and key filled in. Keep printed labels as safe
              as keys.
              {address === undefined ? null : ` They lead to ${address}.`}
            </p>
          </div>
          <div class="row">
            <button type="button" class="primary" data-print hidden>
              Print
            </button>
            <a class="button" href="/devices">
              Back to the devices
            </a>
          </div>
        </div>
        <SizeForm ids={ids} size={size} />
        {keyless.length === 0 ? null : <KeylessForm devices={keyless} />}
        {labels.length === 0 ? (
          <Note kind="plain">There is nothing to print yet. Select devices that have keys.</Note>
        ) : (
          <Sheet labels={labels} size={size} product={settings.name} />
        )}
      </>
    ),
  };
}

function SizeForm({ ids, size }: { ids: readonly string[]; size: string }) {
  return (
    <form class="search noprint" action="/devices/labels">
      <input type="hidden" name="ids" value={ids.join(',')} />
      <div class="small">
        <label for="size">Size of a label</label>
        <select id="size" name="size">
          {SIZES.map(([name, text]) => (
            <option value={name} selected={name === size}>
              {text}
            </option>
          ))}
        </select>
      </div>
      <button type="submit">Show</button>
    </form>
  );
}

/** Sets keys for devices that have none, and comes back to the sheet. */
function KeylessForm({ devices }: { devices: readonly Labelled[] }) {
  return (
    <form method="post" action="/devices/selected" class="card noprint">
      <h2>{devices.length === 1 ? 'One device has no key' : `${devices.length} devices have no key`}</h2>
      <p>{devices.map(({ name }) => name).join(', ')}</p>
      {devices.map(({ id }) => (
        <input type="hidden" name="id" value={id} />
      ))}
      <input type="hidden" name="then" value="labels" />
      {/* They have no key that a label could have been printed with. */}
      <input type="hidden" name="sure" value="yes" />
      <div class="search">
        <div class="small">
          <DaysField label="Valid for days" />
        </div>
        <button type="submit" name="do" value="keys" class="primary">
          Set keys for them
        </button>
      </div>
    </form>
  );
}

function Sheet({ labels, size, product }: { labels: readonly Label[]; size: string; product: string }) {
  return (
    <div class="sheet">
      {labels.map(({ deviceName, secretKey, svg }) => (
        <article
          class={`label ${size}${deviceName.length > LONG ? ' long' : ''}`}
          aria-label={`Label of ${deviceName}`}
        >
          {raw(svg.replace('<svg ', '<svg aria-hidden="true" '))}
          <div>
            <b>{deviceName}</b>
            <span class="mono">{secretKey}</span>
            <span class="product">{product}</span>
          </div>
        </article>
      ))}
    </div>
  );
}

export const labelPages: readonly Page[] = [memberPage('/devices/labels', TENANT, { get: sheetReply })];
