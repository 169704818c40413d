/** Saved lists of devices: as links above the filters, the form that saves one, and its page. */
import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { savedViewsView } from '../../routes/saved-views.ts';
import { toQuery } from '../api.ts';
import { memberPage, type Page, refusedTo, type SignedIn, saidAt, seeOther } from '../page.ts';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';
import { Chip } from './chip.tsx';
import { type Filters, filtersOf, isFiltered, listOf } from './device-filters.ts';
import { Field } from './elements.tsx';

type SavedView = z.output<typeof savedViewsView>[number];

export const savedViews = ({ api }: Pick<SignedIn, 'api'>) =>
  api.get('/api/user/deviceViews', savedViewsView);

const addressOf = ({ search, state, active, sort }: Filters) => listOf({ search, state, active, sort });

interface Props {
  readonly views: readonly SavedView[];
  /** Of the list that is shown. */
  readonly filters: Filters;
  readonly say: Say;
}

/** The links; and for what is shown, the form that saves it, or the one that forgets it. */
export function SavedViews({ views, filters, say }: Props) {
  const here = addressOf(filters);
  const shown = views.find((view) => addressOf(view) === here);
  const isSavable = shown === undefined && (isFiltered(filters) || filters.sort !== '');
  if (views.length === 0 && !isSavable) return null;
  return (
    <div class="views">
      {views.length === 0 ? null : (
        <nav class="chips" aria-label={say('views.title')}>
          {views.map((view) => (
            <Chip to={addressOf(view)} chosen={view === shown}>
              {view.name}
            </Chip>
          ))}
        </nav>
      )}
      {shown === undefined ? null : (
        <form method="post" action="/devices/views">
          <Hidden filters={filters} />
          <input type="hidden" name="name" value={shown.name} />
          <button type="submit" name="do" value="forget">
            {say('views.forget')}
          </button>
        </form>
      )}
      {isSavable ? (
        <details>
          <summary>{say('views.save')}</summary>
          <form method="post" action="/devices/views" class="search">
            <Hidden filters={filters} />
            <Field name="name" label={say('mine.name')} required maxlength={60} />
            <button type="submit" name="do" value="save">
              {say('part.save')}
            </button>
          </form>
        </details>
      ) : null}
    </div>
  );
}

function Hidden({ filters }: { filters: Filters }) {
  return (
    <>
      {Object.entries(filters).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
    </>
  );
}

export const savedViewPages: readonly Page[] = [
  memberPage('/devices/views', TENANT, {
    async post({ api, form, locale }) {
      const { say } = locale;
      const name = form.text('name').trim();
      const names = ['search', 'state', 'active', 'sort'];
      const filters = filtersOf(
        new URLSearchParams(names.map((one): [string, string] => [one, form.text(one)])),
      );
      const here = addressOf(filters);
      if (form.text('do') === 'forget') {
        const forgotten = await api.act('DELETE', `/api/user/deviceViews?${toQuery({ name })}`);
        return saidAt(here, forgotten, say('views.forgotten', { name }), locale);
      }
      const saved = await api.act('POST', '/api/user/deviceViews', { name, ...filters });
      return saved.type === 'ok'
        ? seeOther(here, say('views.saved', { name }))
        : refusedTo(here, refusalWords(saved, say, say('views.refused')));
    },
  }),
];
