/** The list of devices as a file: for a spreadsheet or for a program. */
import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn } from '../page.ts';
import { routeOf, whereIn } from '../parts/device-filters.ts';
import { count } from '../parts/list.tsx';
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
  const chosen = chosenIn(visit.query);
  const total = chosen === undefined ? 0 : await totalOf(chosen, visit);
  return {
    type: 'page',
    title: 'Export',
    narrow: true,
    body: (
      <div class="card">
        <h1>Export</h1>
        <p class="big">{count(visit.locale, total, 'device')}</p>
        {chosen === undefined ? <p>Select devices first.</p> : <Files chosen={chosen} />}
        <a class="button" href="/devices">
          Back to the devices
        </a>
      </div>
    ),
  };
}

function Files({ chosen }: { chosen: Chosen }) {
  const file = (reader: string) => {
    const query = 'ids' in chosen ? { ids: chosen.ids.join(',') } : { where: JSON.stringify(chosen.where) };
    return `/devices/export.csv?${toQuery({ ...query, for: reader })}`;
  };
  return (
    <>
      <p>
        A CSV file with names, types, states and owners, as they are at this moment. Tokens and keys are not
        in it: those are in the result of an import, and on labels.
      </p>
      <p>
        <small id="programs">
          In the file for a program nothing is changed. In that for a spreadsheet, texts that it would run as
          a formula have a quote before them.
        </small>
      </p>
      <div class="row">
        <a class="button primary" href={file('spreadsheet')} download>
          For a spreadsheet
        </a>
        <a class="button" href={file('programs')} download aria-describedby="programs">
          For a program
        </a>
      </div>
    </>
  );
}

export const deviceExportPages: readonly Page[] = [
  memberPage('/devices/export', TENANT, { get: exportReply }),

  memberPage('/devices/export.csv', TENANT, {
    async get({ api, query }) {
      const chosen = chosenIn(query);
      if (chosen === undefined) return refusedTo('/devices', 'Select devices first.');
      const form = query.get('for') === 'programs' ? { raw: 'true' } : { bom: 'true' };
      const devices =
        'ids' in chosen ? { deviceIds: chosen.ids.join(',') } : { where: JSON.stringify(chosen.where) };
      const response = await api.open(`/api/deviceExport?${toQuery({ ...devices, ...form })}`);
      response.headers.set('Content-Disposition', 'attachment; filename="devices.csv"');
      return { type: 'stream', response };
    },
  }),
];
