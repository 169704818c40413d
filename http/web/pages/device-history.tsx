/** How often and when a device changed hands, for its owner: without names, and with the signed statement of it. */
import type { z } from 'zod';
import { CUSTOMER } from '../../auth/principal.ts';
import { deviceInfoView } from '../../views/device.ts';
import { ownershipView, statementView } from '../../views/ownership.ts';
import { segment } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Back, Head, Time } from '../parts/elements.tsx';
import type { Say } from '../texts/say.ts';

type Change = z.output<typeof ownershipView>['changes'][number];

const CHANGES = {
  claim: 'change.claim',
  secret: 'change.secret',
  'server-key': 'change.serverKey',
  proof: 'change.proof',
  kit: 'change.kit',
  assignment: 'change.assignment',
  transfer: 'change.transfer',
  'take-over': 'change.takeOver',
  reset: 'change.reset',
  'give-back': 'change.giveBack',
  unassignment: 'change.unassignment',
} as const satisfies Readonly<Record<Change['by'], string>>;

/** What brought a change of owner about, for people. */
export const changeWords = (by: Change['by'], say: Say): string => say(CHANGES[by]);

async function historyReply({ api, params, locale }: SignedIn): Promise<PageReply> {
  const { say } = locale;
  const id = segment(params.id ?? '');
  const [device, ownership, { statement }] = await Promise.all([
    api.get(`/api/device/info/${id}`, deviceInfoView),
    api.get(`/api/device/${id}/ownership`, ownershipView),
    api.get(`/api/device/${id}/ownership/statement`, statementView),
  ]);
  const { ownerEpoch, changes, complete } = ownership;
  return {
    type: 'page',
    title: say('mine.historyOf', { name: device.name }),
    body: (
      <>
        <Back to={`/my/devices/${id}`} label={device.name} />
        <Head
          title={say('mine.history')}
          lead={ownerEpoch === 0 ? say('device.always') : say('device.handedOver', { count: ownerEpoch })}
        />
        <section class="card" aria-labelledby="changes">
          <h2 id="changes">{say('device.changes')}</h2>
          {complete ? null : <p class="muted">{say('device.before')}</p>}
          {changes.length === 0 ? <p>{say('device.noChange')}</p> : null}
          <ol>
            {changes.map(({ at, by }) => (
              <li>
                <Time at={at} locale={locale} /> {changeWords(by, say)}
              </li>
            ))}
          </ol>
          <details>
            <summary>{say('device.statementFor')}</summary>
            <p class="muted">{say('device.statementWhy', { address: '/.well-known/jwks.json' })}</p>
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
