/** The API keys of whoever is signed in: made, shown once, listed, revoked. */
import type { z } from 'zod';
import { ADMINISTRATORS } from '../../auth/principal.ts';
import { apiKeyView, newApiKeyView } from '../../views/api-key.ts';
import { pageView } from '../../views/page.ts';
import { segment, toQuery } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, refusedTo, resultAt, type SignedIn } from '../page.ts';
import { questionReply } from '../parts/confirm.tsx';
import { Copied } from '../parts/copied.tsx';
import { DAY_MS } from '../parts/days.ts';
import { Back, Field, Head, Note, Refusal, Time } from '../parts/elements.tsx';
import { type Column, Table } from '../parts/table.tsx';
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

const nameOf = ({ description }: Key) => (description === '' ? 'No description' : description);

function columnsIn(locale: Locale, nowMs: number): readonly Column<Key>[] {
  return [
    { title: 'For', kind: 'row', cell: nameOf },
    { title: 'May', cell: ({ claimingOnly }) => (claimingOnly ? 'Claim, nothing else' : 'All that you may') },
    {
      title: 'Last used',
      cell: ({ lastUsedTime }) =>
        lastUsedTime === 0 ? 'Never' : <Time at={lastUsedTime} now={nowMs} locale={locale} />,
    },
    {
      title: 'Ends',
      cell: ({ expirationTime }) => {
        if (expirationTime === 0) return 'Never';
        return expirationTime <= nowMs ? 'Has ended' : <Time at={expirationTime} locale={locale} />;
      },
    },
    {
      title: 'Revoke',
      kind: 'bare',
      cell: (key) => (
        <a href={`${PATH}/${key.id.id}/revoke`} aria-label={`Revoke the key ${nameOf(key)}`}>
          Revoke
        </a>
      ),
    },
  ];
}

async function listReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const { locale, nowMs, form } = visit;
  const keys = await keysOf(visit);
  return {
    type: 'page',
    title: 'Your API keys',
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/account" label="Your account" />
        <Head title="Your API keys" lead="A program with one of them acts as you, without your password." />
        <div class="grid side">
          <div>
            {keys.length === 0 ? (
              <div class="card empty">There are none yet. Make one for the program that needs it.</div>
            ) : (
              <Table caption="Your API keys" columns={columnsIn(locale, nowMs)} rows={keys} />
            )}
            <p class="links">
              {DOCUMENTS.map(([to, label]) => (
                <a href={to}>{label}</a>
              ))}
            </p>
          </div>
          <section class="card" aria-labelledby="new">
            <h2 id="new">New key</h2>
            <Refusal text={refusal} />
            <form method="post" action={PATH}>
              <Field
                name="description"
                label="What it is for"
                value={form.text('description')}
                maxlength={255}
                required
                hint="For example the name of the program and of the machine that it runs on."
              />
              <Field
                name="days"
                label="Good for days"
                type="number"
                value={form.text('days') || String(DAYS)}
                hint="Empty: until you revoke it."
              />
              <label class="check">
                <input type="checkbox" name="claimingOnly" value="yes" /> It may only claim and give back
              </label>
              <button type="submit" class="primary">
                Make it
              </button>
            </form>
          </section>
        </div>
      </>
    ),
  };
}

async function make(visit: SignedIn): Promise<PageReply> {
  const { api, form, nowMs } = visit;
  const typed = form.text('days').trim();
  const days = Number(typed);
  if (typed !== '' && !(Number.isSafeInteger(days) && days >= 1 && days <= DAYS_MAX))
    return listReply(visit, `Write a whole number of days, ${DAYS_MAX} at most, or none.`);
  const body = {
    description: form.text('description').trim(),
    claimingOnly: form.text('claimingOnly') === 'yes',
    expirationTime: typed === '' ? 0 : nowMs + days * DAY_MS,
  };
  const made = await api.post('/api/apiKey', body, newApiKeyView);
  return made.type === 'ok' ? shownOnce(made.value.value) : listReply(visit, made.message);
}

const shownOnce = (value: string): PageReply => ({
  type: 'page',
  title: 'Your new API key',
  narrow: true,
  islands: ['copy.js'],
  body: (
    <div class="card">
      <h1>Your new API key</h1>
      <Note kind="warn">It is shown now and never again. Copy it to where the program reads it.</Note>
      <Copied id="key" label="Key" value={value} />
      <p class="muted">
        It is sent with each request, as <code>X-Authorization: ApiKey …</code>
      </p>
      <a class="button primary" href={PATH}>
        Done
      </a>
    </div>
  ),
});

export const apiKeyPages: readonly Page[] = [
  memberPage(PATH, ADMINISTRATORS, { get: (visit) => listReply(visit), post: make }),
  memberPage(`${PATH}/:key/revoke`, ADMINISTRATORS, {
    async get(visit) {
      const wanted = visit.params.key;
      const key = (await keysOf(visit)).find(({ id }) => id.id === wanted);
      if (key === undefined) return refusedTo(PATH, 'There is no such key any more.');
      return questionReply(
        {
          title: 'Revoke this key?',
          what: nameOf(key),
          consequence: 'The program that has it is refused from now on. This cannot be undone.',
          yes: 'Revoke it',
          back: PATH,
        },
        `${PATH}/${key.id.id}/revoke`,
      );
    },
    async post({ api, params }) {
      const revoked = await api.act('DELETE', `/api/apiKey/${segment(params.key ?? '')}`);
      return resultAt(PATH, revoked, 'The key is revoked.');
    },
  }),
];
