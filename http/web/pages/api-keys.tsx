/** The API keys of whoever is signed in: made, shown once, listed, revoked. */
import type { z } from 'zod';
import { ADMINISTRATORS } from '../../auth/principal.ts';
import { apiKeyView, newApiKeyView } from '../../views/api-key.ts';
import { pageView } from '../../views/page.ts';
import { segment, toQuery } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, saidAt } from '../page.ts';
import { questionReply } from '../parts/confirm.tsx';
import { Copied } from '../parts/copied.tsx';
import { DAY_MS } from '../parts/days.ts';
import { Back, Field, Head, Note, Refusal, Time } from '../parts/elements.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';
import { DOCUMENTS } from './settings.tsx';

type Key = z.output<typeof apiKeyView>;

const PATH = '/account/keys';
/** More than a user may have. */
const LISTED = 100;
const DAYS = 365;
const DAYS_MAX = 3_650;
const keysPage = pageView(apiKeyView);

const keysOf = async ({ api, user }: SignedIn): Promise<readonly Key[]> => {
  const wanted = toQuery({ pageSize: LISTED, sortProperty: 'createdTime', sortOrder: 'DESC' });
  return (await api.get(`/api/apiKeys/${user.id.id}?${wanted}`, keysPage)).data;
};

const nameOf = ({ description }: Key, say: Say) => (description === '' ? say('keys.nameless') : description);

function columnsIn(locale: Locale, nowMs: number): readonly Column<Key>[] {
  const { say } = locale;
  return [
    { title: say('keys.for'), kind: 'row', cell: (key) => nameOf(key, say) },
    {
      title: say('keys.may'),
      cell: ({ claimingOnly }) => say(claimingOnly ? 'keys.mayClaim' : 'keys.mayAll'),
    },
    {
      title: say('keys.used'),
      cell: ({ lastUsedTime }) =>
        lastUsedTime === 0 ? say('keys.never') : <Time at={lastUsedTime} now={nowMs} locale={locale} />,
    },
    {
      title: say('keys.ends'),
      cell: ({ expirationTime }) => {
        if (expirationTime === 0) return say('keys.never');
        return expirationTime <= nowMs ? say('keys.ended') : <Time at={expirationTime} locale={locale} />;
      },
    },
    {
      title: say('keys.revoke'),
      kind: 'bare',
      cell: (key) => (
        <a href={`${PATH}/${key.id.id}/revoke`} aria-label={say('keys.revokeOf', { name: nameOf(key, say) })}>
          {say('keys.revoke')}
        </a>
      ),
    },
  ];
}

async function listReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const { locale, nowMs, form } = visit;
  const { say } = locale;
  const keys = await keysOf(visit);
  return {
    type: 'page',
    title: say('keys.title'),
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/account" label={say('account.title')} />
        <Head title={say('keys.title')} lead={say('keys.lead')} />
        <div class="grid side">
          <div>
            {keys.length === 0 ? (
              <div class="card empty">{say('keys.none')}</div>
            ) : (
              <Table caption={say('keys.title')} columns={columnsIn(locale, nowMs)} rows={keys} />
            )}
            <p class="links">
              {DOCUMENTS.map(([to, label]) => (
                <a href={to}>{label}</a>
              ))}
            </p>
          </div>
          <section class="card" aria-labelledby="new">
            <h2 id="new">{say('keys.new')}</h2>
            <Refusal text={refusal} />
            <form method="post" action={PATH}>
              <Field
                name="description"
                label={say('keys.purpose')}
                value={form.text('description')}
                maxlength={255}
                required
                hint={say('keys.purposeHint')}
              />
              <Field
                name="days"
                label={say('keys.days')}
                type="number"
                value={form.text('days') || String(DAYS)}
                hint={say('keys.daysHint')}
              />
              <label class="check">
                <input type="checkbox" name="claimingOnly" value="yes" /> {say('keys.claimingOnly')}
              </label>
              <button type="submit" class="primary">
                {say('keys.make')}
              </button>
            </form>
          </section>
        </div>
      </>
    ),
  };
}

async function make(visit: SignedIn): Promise<PageReply> {
  const { api, form, nowMs, locale } = visit;
  const { say } = locale;
  const typed = form.text('days').trim();
  const days = Number(typed);
  if (typed !== '' && !(Number.isSafeInteger(days) && days >= 1 && days <= DAYS_MAX))
    return listReply(visit, say('keys.daysWrong', { max: DAYS_MAX }));
  const body = {
    description: form.text('description').trim(),
    claimingOnly: form.text('claimingOnly') === 'yes',
    expirationTime: typed === '' ? 0 : nowMs + days * DAY_MS,
  };
  const made = await api.post('/api/apiKey', body, newApiKeyView);
  return made.type === 'ok' ? shownOnce(made.value.value, say) : listReply(visit, refusalWords(made, say));
}

const shownOnce = (value: string, say: Say): PageReply => ({
  type: 'page',
  title: say('keys.made'),
  narrow: true,
  islands: ['copy.js'],
  body: (
    <div class="card">
      <h1>{say('keys.made')}</h1>
      <Note kind="warn">{say('keys.once')}</Note>
      <Copied id="key" label={say('keys.key')} value={value} say={say} />
      <p class="muted">{say.pieces('keys.sent', { header: <code>X-Authorization: ApiKey …</code> })}</p>
      <a class="button primary" href={PATH}>
        {say('keys.done')}
      </a>
    </div>
  ),
});

export const apiKeyPages: readonly Page[] = [
  memberPage(PATH, ADMINISTRATORS, {
    get: (visit) => listReply(visit),
    post: make,
  }),
  memberPage(`${PATH}/:key/revoke`, ADMINISTRATORS, {
    async get(visit) {
      const { say } = visit.locale;
      const wanted = visit.params.key;
      const key = (await keysOf(visit)).find(({ id }) => id.id === wanted);
      if (key === undefined) return refusedTo(PATH, say('keys.gone'));
      return questionReply(
        {
          title: say('keys.revokeTitle'),
          what: nameOf(key, say),
          consequence: say('keys.revokeText'),
          yes: say('keys.revokeYes'),
          no: say('part.keep'),
          back: PATH,
        },
        `${PATH}/${key.id.id}/revoke`,
      );
    },
    async post({ api, params, locale }) {
      const revoked = await api.act('DELETE', `/api/apiKey/${segment(params.key ?? '')}`);
      return saidAt(PATH, revoked, locale.say('keys.revoked'), locale);
    },
  }),
];
