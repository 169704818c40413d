/** A sheet of QR labels to print. */
import { raw } from 'hono/html';
import { z } from 'zod';
import { labelView } from '../../routes/labels.ts';
import { deviceView } from '../../views/device.ts';
import { part } from '../api.ts';
import { memberPage, type Page } from '../page.ts';
import { KEY_DAYS, KEY_DAYS_MAX } from '../parts/claim-key.ts';
import { Note } from '../parts/layout.tsx';
import { SELECTED_MAX } from './devices.tsx';

const SIZES = [
  ['s', 'Small, 50 × 22 mm'],
  ['m', 'Medium, 70 × 32 mm'],
  ['l', 'Large, 100 × 50 mm'],
] as const;

export const labelPages: readonly Page[] = [
  memberPage('/devices/labels', ['TENANT_ADMIN'], {
    async get({ api, query, settings }) {
      const ids = (query.get('ids') ?? '')
        .split(',')
        .filter((id) => id !== '')
        .slice(0, SELECTED_MAX);
      const size = SIZES.find(([name]) => name === query.get('size'))?.[0] ?? 'm';
      const devices =
        ids.length === 0
          ? []
          : await api.get(`/api/devices?deviceIds=${ids.map(part).join(',')}`, z.array(deviceView));
      const all = await Promise.all(
        devices.map(async ({ id, name }) => {
          const sent = await api.send('GET', `/api/device/${id.id}/claimLabel`);
          return { id: id.id, name, label: sent.status === 200 ? labelView.parse(sent.json) : undefined };
        }),
      );
      const labels = all.flatMap(({ label }) => label ?? []);
      const without = all.filter(({ label }) => label === undefined);
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
                  Whoever scans a label is led to the claim page, with name and key filled in. Keep printed
                  labels as safe as keys.
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
            {without.length === 0 ? null : (
              <form method="post" action="/devices/selected" class="card noprint">
                <h2>
                  {without.length === 1 ? 'One device has no key' : `${without.length} devices have no key`}
                </h2>
                <p>{without.map(({ name }) => name).join(', ')}</p>
                {without.map(({ id }) => (
                  <input type="hidden" name="id" value={id} />
                ))}
                <input type="hidden" name="then" value="labels" />
                <div class="search">
                  <div class="small">
                    <label for="days">Valid for days</label>
                    <input
                      id="days"
                      name="days"
                      type="number"
                      min={1}
                      max={KEY_DAYS_MAX}
                      value={String(KEY_DAYS)}
                    />
                  </div>
                  <button type="submit" name="do" value="keys" class="primary">
                    Set keys for them
                  </button>
                </div>
              </form>
            )}
            {labels.length === 0 ? (
              <Note kind="plain">There is nothing to print yet. Select devices that have keys.</Note>
            ) : (
              <div class="sheet">
                {labels.map((label) => (
                  <article class={`label ${size}`} aria-label={`Label of ${label.deviceName}`}>
                    {raw(label.svg.replace('<svg ', '<svg aria-hidden="true" '))}
                    <div>
                      <b>{label.deviceName}</b>
                      <span class="mono">{label.secretKey}</span>
                      <br />
                      {settings.name}
                    </div>
                  </article>
                ))}
              </div>
            )}
          </>
        ),
      };
    },
  }),
];
