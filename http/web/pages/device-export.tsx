/** The list of devices as a file: for a spreadsheet or for a program. */
import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn } from '../page.ts';
import { routeOf, whereIn } from '../parts/device-filters.ts';
import type { Say } from '../texts/say.ts';
import { SELECTED_MAX } from './batches.tsx';

const infosPage = pageView(deviceInfoView);

/** The devices that the address names or describes; undefined: none. */
function chosenIn(query: URLSearchParams) {
  const where = whereIn(query.get('where') ?? '');
  if (where !== undefined) return { where };
  const ids = (query.get('ids') ?? '').split(',').filter((id) => id !== '');
  return ids.length === 0 ? undefined : { ids: ids.slice(0, SELECTED_MAX) };
}

type Chosen = NonNullable<ReturnType<typeof chosenIn>>;

async function totalOf(chosen: Chosen, { api }: SignedIn): Promise<number> {
  if ('ids' in chosen) return chosen.ids.length;
  const page: z.output<typeof infosPage> = await api.get(routeOf(chosen.where, { pageSize: 1 }), infosPage);
  return page.totalElements;
}

async function exportReply(visit: SignedIn): Promise<PageReply> {
  const { say } = visit.locale;
  const chosen = chosenIn(visit.query);
  const total = chosen === undefined ? 0 : await totalOf(chosen, visit);
  return {
    type: 'page',
    title: say('export.title'),
    narrow: true,
    body: (
      <div class="card">
        <h1>{say('export.title')}</h1>
        <p class="big">{say('mine.count', { count: total })}</p>
        {chosen === undefined ? <p>{say('fleet.selectFirst')}</p> : <Files chosen={chosen} say={say} />}
        <a class="button" href="/devices">
          {say('fleet.back')}
        </a>
      </div>
    ),
  };
}

function Files({ chosen, say }: { chosen: Chosen; say: Say }) {
  const file = (reader: string) => {
    const query = 'ids' in chosen ? { ids: chosen.ids.join(',') } : { where: JSON.stringify(chosen.where) };
    return `/devices/export.csv?${toQuery({ ...query, for: reader })}`;
  };
  return (
    <>
      <p>{say('export.text')}</p>
      <p>
        <small id="programs">{say('export.formulas')}</small>
      </p>
      <div class="row">
        <a class="button primary" href={file('spreadsheet')} download>
          {say('export.spreadsheet')}
        </a>
        <a class="button" href={file('programs')} download aria-describedby="programs">
          {say('export.program')}
        </a>
      </div>
    </>
  );
}

export const deviceExportPages: readonly Page[] = [
  memberPage('/devices/export', TENANT, { get: exportReply }),

  memberPage('/devices/export.csv', TENANT, {
    async get({ api, query, locale }) {
      const chosen = chosenIn(query);
      if (chosen === undefined) return refusedTo('/devices', locale.say('fleet.selectFirst'));
      const form = query.get('for') === 'programs' ? { raw: 'true' } : { bom: 'true' };
      const devices =
        'ids' in chosen ? { deviceIds: chosen.ids.join(',') } : { where: JSON.stringify(chosen.where) };
      const response = await api.open(`/api/deviceExport?${toQuery({ ...devices, ...form })}`);
      response.headers.set('Content-Disposition', 'attachment; filename="devices.csv"');
      return { type: 'stream', response };
    },
  }),
];
