/** How often and when a device changed hands, for its owner: without names, and with the signed statement of it. */
import type { z } from 'zod';
import { CUSTOMER } from '../../auth/principal.ts';
import { deviceInfoView } from '../../views/device.ts';
import { ownershipView, statementView } from '../../views/ownership.ts';
import { segment } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Back, Head, Time } from '../parts/elements.tsx';
import { count } from '../parts/list.tsx';

type Change = z.output<typeof ownershipView>['changes'][number];

/** What brought a change of owner about, for people. */
export const CHANGES: Readonly<Record<Change['by'], string>> = {
  claim: 'Claimed',
  secret: 'Claimed with its key',
  'server-key': 'Claimed with the key that its supplier had set',
  proof: 'Claimed with the device at hand',
  kit: 'Claimed with the code of a kit',
  assignment: 'Assigned by its supplier',
  transfer: 'Handed over by its owner',
  'take-over': 'Taken over by who had it in hand',
  reset: 'Reset by who had it in hand',
  'give-back': 'Given back',
  unassignment: 'Taken back by its supplier',
};

async function historyReply({ api, params, locale }: SignedIn): Promise<PageReply> {
  const id = segment(params.id ?? '');
  const [device, ownership, { statement }] = await Promise.all([
    api.get(`/api/device/info/${id}`, deviceInfoView),
    api.get(`/api/device/${id}/ownership`, ownershipView),
    api.get(`/api/device/${id}/ownership/statement`, statementView),
  ]);
  const { ownerEpoch, changes, complete } = ownership;
  return {
    type: 'page',
    title: `History of ${device.name}`,
    body: (
      <>
        <Back to={`/my/devices/${id}`} label={device.name} />
        <Head
          title={device.name}
          lead={
            ownerEpoch === 0
              ? 'It has always been yours.'
              : `It has changed hands ${count(locale, ownerEpoch, 'time')}.`
          }
        />
        <section class="card" aria-labelledby="changes">
          <h2 id="changes">Changes of owner</h2>
          {complete ? null : <p class="muted">Of the time before nothing more is known.</p>}
          {changes.length === 0 ? <p>None is known.</p> : null}
          <ol>
            {changes.map(({ at, by }) => (
              <li>
                <Time at={at} locale={locale} /> {CHANGES[by]}
              </li>
            ))}
          </ol>
          <details>
            <summary>Statement for somebody else</summary>
            <p class="muted">
              Signed by this service, without names: whoever buys the device can check it with the key at
              /.well-known/jwks.json.
            </p>
            <code>{statement}</code>
          </details>
        </section>
      </>
    ),
  };
}

export const deviceHistoryPages: readonly Page[] = [
  memberPage('/my/devices/:id/history', CUSTOMER, { get: historyReply }),
];
