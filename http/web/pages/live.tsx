/** The tenant's overview: figures and plots of the last day, open windows, and what happens right now. */

import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { statisticsView, windowsView } from '../../routes/live.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Head } from '../parts/elements.tsx';
import { Plot } from '../parts/plot.tsx';

const HOURS = 24;
/** The event stream ends after this and the browser reconnects, which fails after signing out. */
const STREAM_SECONDS = 300;
/** Open windows that are listed. */
const LISTED = 50;
const infosPage = pageView(deviceInfoView);

type Windows = z.output<typeof windowsView>;
type Hour = z.output<typeof statisticsView>['hours'][number];

async function overviewReply(visit: SignedIn): Promise<PageReply> {
  const { api, locale } = visit;
  const [{ hours, complete }, windows, devices] = await Promise.all([
    api.get(`/api/tenant/claimStatistics?hours=${HOURS}`, statisticsView),
    api.get('/api/tenant/claimWindows', windowsView),
    api.get(`/api/tenant/deviceInfos?${toQuery({ pageSize: 1 })}`, infosPage),
  ]);
  const sum = (of: (hour: Hour) => number) => hours.reduce((total, hour) => total + of(hour), 0);
  const values = (of: (hour: Hour) => number) => hours.map((hour) => [hour.startTime, of(hour)] as const);
  const figures = [
    [devices.totalElements, devices.totalElements === 1 ? 'device in all' : 'devices in all'],
    [windows.data.length, windows.data.length === 1 ? 'window open now' : 'windows open now'],
    [sum((hour) => hour.claimed), 'claimed'],
    [sum((hour) => hour.givenBack), 'given back'],
    [sum((hour) => hour.refused), 'claims refused'],
  ] as const;
  const incomplete = complete ? '' : '; the oldest hours are incomplete, because so much happened';
  return {
    type: 'page',
    title: 'Overview',
    islands: ['live.js'],
    body: (
      <>
        <Head title="Overview" lead={`The last ${HOURS} hours${incomplete}.`}>
          <a class="button" href="/webhooks">
            Webhooks
          </a>
        </Head>
        <div class="figures" data-fresh="figures">
          {figures.map(([value, text]) => (
            <div class="card">
              <b>{locale.number(value)}</b> {text}
            </div>
          ))}
        </div>
        <div class="grid two" data-fresh="plots">
          <section class="card" aria-labelledby="claims">
            <h2 id="claims">Claims per hour</h2>
            <Plot title="Claims per hour" values={values((hour) => hour.claimed)} locale={locale} />
          </section>
          <section class="card" aria-labelledby="windows">
            <h2 id="windows">Open windows</h2>
            <Plot
              title="Open windows at the end of the hour"
              values={values((hour) => hour.windowsOpen)}
              locale={locale}
            />
          </section>
        </div>
        <div class="grid two">
          <OpenWindows windows={windows} visit={visit} />
          <Feed />
        </div>
      </>
    ),
  };
}

function OpenWindows({ windows: { data, complete }, visit }: { windows: Windows; visit: SignedIn }) {
  const { locale, nowMs } = visit;
  return (
    <section class="card" aria-labelledby="open" data-fresh="open">
      <h2 id="open">Open now</h2>
      {data.length === 0 ? (
        <p class="muted">No window is open. A device opens one when its button is pressed.</p>
      ) : (
        <ul class="feed">
          {data.slice(0, LISTED).map(({ deviceId, deviceName, closesAt }) => (
            <li>
              <a href={`/devices/${deviceId}`}>{deviceName}</a>
              <span class="muted">
                closes{' '}
                <span data-closes={closesAt} data-now={nowMs}>
                  in {locale.number(Math.ceil((closesAt - nowMs) / 60_000))} min
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
      {data.length > LISTED || !complete ? (
        <p class="muted">There are more; listed are those that close first.</p>
      ) : null}
    </section>
  );
}

/** Filled by an island. */
function Feed() {
  return (
    <section class="card" aria-labelledby="now">
      <h2 id="now">Happening now</h2>
      <ol class="feed" data-feed="/live/events" aria-live="polite" aria-relevant="additions" />
      <p class="muted" data-feed-state>
        With script enabled, events appear here as they happen.
      </p>
    </section>
  );
}

export const livePages: readonly Page[] = [
  memberPage('/live', TENANT, { get: overviewReply }),
  memberPage('/live/events', TENANT, {
    get: async ({ api }) => ({
      type: 'stream',
      response: await api.open(`/api/events?seconds=${STREAM_SECONDS}`),
    }),
  }),
];
