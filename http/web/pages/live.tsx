/** The tenant's overview: figures of the last day, plots, and what happens at this moment. */
import { statisticsView, windowsView } from '../../routes/live.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { query } from '../api.ts';
import { memberPage, type Page } from '../page.ts';
import { Plot } from '../parts/plot.tsx';

const TENANT = ['TENANT_ADMIN'] as const;
const HOURS = 24;
/** A page's stream ends and is asked for anew so often: whoever signed out meanwhile gets no other. */
const STREAM_SECONDS = 300;
/** Open windows that are listed. */
const LISTED = 50;
const infosPage = pageView(deviceInfoView);

export const livePages: readonly Page[] = [
  memberPage('/live', TENANT, {
    async get({ api, locale, nowMs }) {
      const [{ hours, complete }, windows, devices] = await Promise.all([
        api.get(`/api/tenant/claimStatistics?hours=${HOURS}`, statisticsView),
        api.get('/api/tenant/claimWindows', windowsView),
        api.get(`/api/tenant/deviceInfos?${query({ pageSize: 1 })}`, infosPage),
      ]);
      const sum = (of: (hour: (typeof hours)[number]) => number) =>
        locale.number(hours.reduce((total, hour) => total + of(hour), 0));
      const values = (of: (hour: (typeof hours)[number]) => number) =>
        hours.map((hour) => [hour.startTime, of(hour)] as const);
      return {
        type: 'page',
        title: 'Overview',
        islands: ['live.js'],
        body: (
          <>
            <div class="head">
              <div>
                <h1>Overview</h1>
                <p class="lead">
                  The last {HOURS} hours
                  {complete ? '' : '; so much happened that the oldest are not counted wholly'}.
                </p>
              </div>
            </div>
            <div class="figures" data-fresh="figures">
              <div class="card">
                <b>{locale.number(devices.totalElements)}</b>{' '}
                {devices.totalElements === 1 ? 'device' : 'devices'} in all
              </div>
              <div class="card">
                <b>{locale.number(windows.data.length)}</b> {windows.data.length === 1 ? 'window' : 'windows'}{' '}
                open now
              </div>
              <div class="card">
                <b>{sum((hour) => hour.claimed)}</b> claimed
              </div>
              <div class="card">
                <b>{sum((hour) => hour.givenBack)}</b> given back
              </div>
              <div class="card">
                <b>{sum((hour) => hour.refused)}</b> claims refused
              </div>
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
              <section class="card" aria-labelledby="open" data-fresh="open">
                <h2 id="open">Open now</h2>
                {windows.data.length === 0 ? (
                  <p class="muted">No window is open. A device opens one when its button is pressed.</p>
                ) : (
                  <ul class="feed">
                    {windows.data.slice(0, LISTED).map((window) => (
                      <li>
                        <a href={`/devices/${window.deviceId}`}>{window.deviceName}</a>
                        <span class="muted">
                          closes{' '}
                          <span data-closes={window.closesAt} data-now={nowMs}>
                            in {locale.number(Math.ceil((window.closesAt - nowMs) / 60_000))} min
                          </span>
                        </span>
                      </li>
                    ))}
                  </ul>
                )}
                {windows.data.length > LISTED || !windows.complete ? (
                  <p class="muted">There are more; those that close first are listed.</p>
                ) : null}
              </section>
              <section class="card" aria-labelledby="now">
                <h2 id="now">Happening now</h2>
                <ol class="feed" data-feed="/live/events" aria-live="polite" aria-relevant="additions" />
                <p class="muted" data-feed-state>
                  With script enabled, events appear here as they happen.
                </p>
              </section>
            </div>
          </>
        ),
      };
    },
  }),

  memberPage('/live/events', TENANT, {
    get: async ({ api }) => ({
      type: 'stream',
      response: await api.open(`/api/events?seconds=${STREAM_SECONDS}`),
    }),
  }),
];
