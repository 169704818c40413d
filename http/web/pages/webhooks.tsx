/** Webhooks for the tenant: made, tried and changed, with what became of what was sent. A secret is shown once, when it is made. */
import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { pageView } from '../../views/page.ts';
import { attemptView, newWebhookView, webhookStateView, webhookView } from '../../views/webhook.ts';
import { segment } from '../api.ts';
import { linesOf } from '../form.ts';
import {
  type Element,
  memberPage,
  type Page,
  type PageReply,
  refusedTo,
  resultAt,
  type SignedIn,
  seeOther,
} from '../page.ts';
import { questionReply } from '../parts/confirm.tsx';
import { Back, Field, Head, Note, Refusal, Time } from '../parts/elements.tsx';
import { Table } from '../parts/table.tsx';

type Webhook = z.output<typeof webhookView>;
type State = z.output<typeof webhookStateView>;

const LISTED = 50;
const HOUR_MS = 3_600_000;
const FORMATS = {
  plain: 'Plain JSON',
  structured: 'CloudEvents, all in the body',
  binary: 'CloudEvents, attributes as headers',
} as const;

const OFF = {
  user: 'Switched off',
  gone: 'Switched off: the receiver wants nothing more (410)',
  failing: 'Switched off: nothing came through for five days',
} as const;

const stateOf = ({ disabledBecause }: Webhook) => (disabledBecause === null ? 'On' : OFF[disabledBecause]);
const pathOf = ({ params }: SignedIn) => `/webhooks/${segment(params.webhook ?? '')}`;
const routeOf = ({ params }: SignedIn) => `/api/webhook/${segment(params.webhook ?? '')}`;

async function listReply({ api, locale }: SignedIn): Promise<PageReply> {
  const { data } = await api.get(`/api/webhooks?pageSize=${LISTED}`, pageView(webhookView));
  return {
    type: 'page',
    title: 'Webhooks',
    body: (
      <>
        <Back to="/live" label="Overview" />
        <Head title="Webhooks" lead="URLs that hear what happens to your devices.">
          <a class="button primary" href="/webhooks/new">
            New webhook
          </a>
        </Head>
        {data.length === 0 ? (
          <div class="card empty">There are no webhooks yet.</div>
        ) : (
          <Table
            caption="Webhooks"
            columns={[
              {
                title: 'Label',
                kind: 'row',
                cell: ({ id, label }) => (
                  <a href={`/webhooks/${segment(id)}`}>{label === '' ? 'No label' : label}</a>
                ),
              },
              { title: 'URL', cell: ({ url }) => url },
              { title: 'State', cell: stateOf },
              {
                title: 'Since',
                cell: ({ createdTime }) => <Time at={createdTime} locale={locale} />,
              },
            ]}
            rows={data}
          />
        )}
      </>
    ),
  };
}

/** The fields of a form, as they were typed or as the webhook has them. */
interface Typed {
  readonly label: string;
  readonly url: string;
  readonly format: string;
  readonly events: string;
}

function Fields({ typed }: { typed: Typed }) {
  return (
    <>
      <Field
        name="url"
        label="URL"
        type="url"
        value={typed.url}
        required
        maxlength={2000}
        hint="It gets a signed POST for each event."
      />
      <Field name="label" label="Label" value={typed.label} maxlength={255} hint="For you." />
      <div class="field">
        <label for="f-format">Format</label>
        <select id="f-format" name="format">
          {Object.entries(FORMATS).map(([format, words]) => (
            <option value={format} selected={format === typed.format}>
              {words}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="f-events">Events</label>
        <textarea id="f-events" name="events" rows={4} spellcheck={false} aria-describedby="f-events-hint">
          {typed.events}
        </textarea>
        <small id="f-events-hint">
          One on each line, like device.claimed or device.window.*; empty: all of them.
        </small>
      </div>
    </>
  );
}

function typedIn({ form }: SignedIn): Typed {
  return {
    label: form.text('label'),
    url: form.text('url'),
    format: form.text('format') || 'plain',
    events: form.text('events'),
  };
}

function bodyOf({ label, url, format, events }: Typed) {
  return { label: label.trim(), url: url.trim(), format, events: linesOf(events) };
}

function newReply(visit: SignedIn, refusal?: string): PageReply {
  return {
    type: 'page',
    title: 'New webhook',
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/webhooks" label="Webhooks" />
        <Head title="New webhook" lead="Its secret is shown once, on the next page." />
        <form method="post" action="/webhooks/new" class="card">
          <Refusal text={refusal} />
          <Fields typed={typedIn(visit)} />
          <button type="submit" class="primary">
            Make the webhook
          </button>
        </form>
      </>
    ),
  };
}

async function make(visit: SignedIn): Promise<PageReply> {
  const made = await visit.api.post('/api/webhook', bodyOf(typedIn(visit)), newWebhookView);
  if (made.type !== 'ok') return newReply(visit, made.message);
  return secretReply(made.value.secret, `/webhooks/${segment(made.value.id)}`);
}

/** The answer to the form itself: a secret is in no address, and no reload shows it again. */
function secretReply(secret: string, path: string): PageReply {
  return {
    type: 'page',
    title: 'Secret of the webhook',
    narrow: true,
    body: (
      <div class="card">
        <h1>Secret of the webhook</h1>
        <Note kind="warn">It is shown now and never again. Give it to the receiver.</Note>
        <p class="mono">{secret}</p>
        <p>With it the receiver checks the signatures, by any library for Standard Webhooks.</p>
        <a class="button primary" href={path}>
          I have kept it
        </a>
      </div>
    ),
  };
}

async function webhookReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const { api } = visit;
  const webhook = await api.get(routeOf(visit), webhookView);
  const state = await api.get(`${routeOf(visit)}/attempts`, webhookStateView);
  const typed = refusal === undefined ? { ...webhook, events: webhook.events.join('\n') } : typedIn(visit);
  const path = pathOf(visit);
  return {
    type: 'page',
    title: 'Webhook',
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/webhooks" label="Webhooks" />
        <Head title={webhook.label === '' ? 'Webhook' : webhook.label} lead={stateOf(webhook)} />
        <Figures state={state} visit={visit} />
        <div class="card row">
          <Act to={`${path}/test`} label="Send a test" />
          <Act to={`${path}/recover`} label="Try again what failed" />
          {webhook.enabled ? (
            <Act to={`${path}/disable`} label="Switch off" />
          ) : (
            <Act to={`${path}/enable`} label="Switch on" />
          )}
          <a class="button" href={`${path}/rotate`}>
            New secret
          </a>
          <a class="button danger" href={`${path}/delete`}>
            Delete
          </a>
        </div>
        <form method="post" action={path} class="card">
          <Refusal text={refusal} />
          <Fields typed={typed} />
          <button type="submit">Save</button>
        </form>
        <form method="post" action={`${path}/replay`} class="card">
          <Field
            name="hours"
            label="Hours to send once more"
            type="number"
            value="24"
            hint="All events of so many hours, also those that were delivered, under the same ids."
          />
          <button type="submit">Send them once more</button>
        </form>
        <Attempts state={state} visit={visit} />
      </>
    ),
  };
}

function Act({ to, label }: { to: string; label: string }) {
  return (
    <form method="post" action={to}>
      <button type="submit">{label}</button>
    </form>
  );
}

function Figures({ state, visit: { locale } }: { state: State; visit: SignedIn }): Element {
  const { delivered, givenUp, devicesWaiting, failingSince, restsUntil } = state;
  return (
    <div class="card">
      <p>
        {locale.number(delivered)} delivered, {locale.number(givenUp)} given up, events of{' '}
        {locale.number(devicesWaiting)} devices wait.
      </p>
      {failingSince === null ? null : (
        <p>
          Nothing has come through since <Time at={failingSince} locale={locale} />.
        </p>
      )}
      {restsUntil === null ? null : (
        <p>
          The next attempt is on <Time at={restsUntil} locale={locale} />.
        </p>
      )}
    </div>
  );
}

function Attempts({ state: { attempts }, visit }: { state: State; visit: SignedIn }) {
  if (attempts.length === 0) return <div class="card empty">Nothing has been sent yet.</div>;
  return (
    <Table
      caption="Newest attempts"
      shown
      columns={[
        { title: 'Event', kind: 'row', cell: ({ type }) => type },
        { title: 'When', cell: ({ createdTime }) => <Time at={createdTime} locale={visit.locale} /> },
        {
          title: 'Outcome',
          cell: ({ attempt, delivered, outcome, answer }) => (
            <>
              {delivered ? `Delivered (${outcome})` : `Failed: ${outcome}, attempt ${attempt}`}
              {answer === '' ? null : <small> {answer}</small>}
            </>
          ),
        },
        {
          title: 'Again',
          cell: ({ messageId }) => (
            <form method="post" action={`${pathOf(visit)}/resend`}>
              <input type="hidden" name="message" value={messageId} />
              <button type="submit">Send again</button>
            </form>
          ),
        },
      ]}
      rows={attempts}
    />
  );
}

async function save(visit: SignedIn): Promise<PageReply> {
  const { api } = visit;
  const there = await api.get(routeOf(visit), webhookView);
  const { deviceProfileIds, customerIds } = there; // the form has no fields for these
  const body = { ...bodyOf(typedIn(visit)), deviceProfileIds, customerIds };
  const saved = await api.act('PUT', routeOf(visit), body);
  return saved.type === 'ok'
    ? seeOther(pathOf(visit), 'The webhook is changed.')
    : webhookReply(visit, saved.message);
}

/** A button that sends something, and says what came of it. */
function sending(name: string, request: (visit: SignedIn) => readonly [path: string, body: object]): Page {
  return memberPage(`/webhooks/:webhook/${name}`, TENANT, {
    async post(visit) {
      const [path, body] = request(visit);
      const sent = await visit.api.post(`${routeOf(visit)}/${path}`, body, attemptView);
      if (sent.type !== 'ok') return refusedTo(pathOf(visit), sent.message);
      const { delivered, outcome } = sent.value;
      return delivered
        ? seeOther(pathOf(visit), `The receiver has taken it (${outcome}).`)
        : refusedTo(pathOf(visit), `The receiver has not taken it: ${outcome}.`);
    },
  });
}

/** A button whose answer needs no words but these. */
function acting(name: string, words: string, body: (visit: SignedIn) => object = () => ({})): Page {
  return memberPage(`/webhooks/:webhook/${name}`, TENANT, {
    post: async (visit) =>
      resultAt(
        pathOf(visit),
        await visit.api.act('POST', `${routeOf(visit)}/${name}`, body(visit)),
        words,
        pathOf(visit),
      ),
  });
}

function sinceHours({ form, nowMs }: SignedIn): object {
  const hours = Number(form.text('hours'));
  return {
    since: Number.isFinite(hours) && hours > 0 ? Math.max(0, Math.floor(nowMs - hours * HOUR_MS)) : nowMs,
  };
}

export const webhookPages: readonly Page[] = [
  memberPage('/webhooks', TENANT, { get: listReply }),
  memberPage('/webhooks/new', TENANT, { get: (visit) => newReply(visit), post: make }),
  memberPage('/webhooks/:webhook', TENANT, { get: (visit) => webhookReply(visit), post: save }),
  sending('test', () => ['test', {}]),
  sending('resend', ({ form }) => [`attempts/${segment(form.text('message'))}/resend`, {}]),
  acting('recover', 'What failed is tried again.'),
  acting('replay', 'They are on their way once more.', sinceHours),
  acting('enable', 'It is switched on, and goes on where it was.'),
  acting('disable', 'It is switched off.'),
  memberPage('/webhooks/:webhook/rotate', TENANT, {
    async get(visit) {
      const { url } = await visit.api.get(routeOf(visit), webhookView);
      const question = {
        title: 'Make a new secret?',
        what: url,
        consequence:
          'The old one goes on signing beside it for a day. Give the new one to the receiver in that time.',
        yes: 'Make a new secret',
        back: pathOf(visit),
      };
      return questionReply(question, `${pathOf(visit)}/rotate`);
    },
    async post(visit) {
      const made = await visit.api.post(`${routeOf(visit)}/secret/rotate`, {}, newWebhookView);
      return made.type === 'ok'
        ? secretReply(made.value.secret, pathOf(visit))
        : refusedTo(pathOf(visit), made.message);
    },
  }),
  memberPage('/webhooks/:webhook/delete', TENANT, {
    async get(visit) {
      const { url } = await visit.api.get(routeOf(visit), webhookView);
      const question = {
        title: 'Delete this webhook?',
        what: url,
        consequence: 'It hears nothing more, and what still waits for it is not sent.',
        yes: 'Delete it',
        back: pathOf(visit),
      };
      return questionReply(question, `${pathOf(visit)}/delete`);
    },
    async post(visit) {
      const deleted = await visit.api.act('DELETE', routeOf(visit));
      return resultAt('/webhooks', deleted, 'The webhook is deleted.', pathOf(visit));
    },
  }),
];
