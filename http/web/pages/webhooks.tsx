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
  type SignedIn,
  saidAt,
  seeOther,
} from '../page.ts';
import { questionReply } from '../parts/confirm.tsx';
import { Back, Field, Head, Lines, Note, Refusal, Time } from '../parts/elements.tsx';
import { Table } from '../parts/table.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';

type Webhook = z.output<typeof webhookView>;
type State = z.output<typeof webhookStateView>;

const LISTED = 50;
const HOUR_MS = 3_600_000;
const FORMATS = ['plain', 'structured', 'binary'] as const;

const OFF = { user: 'hooks.off', gone: 'hooks.offGone', failing: 'hooks.offFailing' } as const;

const stateOf = ({ disabledBecause }: Webhook, say: Say) =>
  say(disabledBecause === null ? 'hooks.on' : OFF[disabledBecause]);
const pathOf = ({ params }: SignedIn) => `/webhooks/${segment(params.webhook ?? '')}`;
const routeOf = ({ params }: SignedIn) => `/api/webhook/${segment(params.webhook ?? '')}`;

async function listReply({ api, locale }: SignedIn): Promise<PageReply> {
  const { say } = locale;
  const { data } = await api.get(`/api/webhooks?pageSize=${LISTED}`, pageView(webhookView));
  return {
    type: 'page',
    title: say('hooks.title'),
    body: (
      <>
        <Back to="/live" label={say('frame.overview')} />
        <Head title={say('hooks.title')} lead={say('hooks.lead')}>
          <a class="button primary" href="/webhooks/new">
            {say('hooks.new')}
          </a>
        </Head>
        {data.length === 0 ? (
          <div class="card empty">{say('hooks.none')}</div>
        ) : (
          <Table
            caption={say('hooks.title')}
            columns={[
              {
                title: say('hooks.label'),
                kind: 'row',
                cell: ({ id, label }) => (
                  <a href={`/webhooks/${segment(id)}`}>{label === '' ? say('hooks.nameless') : label}</a>
                ),
              },
              { title: say('hooks.url'), cell: ({ url }) => <bdi>{url}</bdi> },
              { title: say('hooks.state'), cell: (webhook) => stateOf(webhook, say) },
              {
                title: say('hooks.since'),
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

function Fields({ typed, say }: { typed: Typed; say: Say }) {
  return (
    <>
      <Field
        name="url"
        label={say('hooks.url')}
        type="url"
        value={typed.url}
        required
        maxlength={2000}
        hint={say('hooks.urlHint')}
      />
      <Field
        name="label"
        label={say('hooks.label')}
        value={typed.label}
        maxlength={255}
        hint={say('hooks.labelHint')}
      />
      <div class="field">
        <label for="f-format">{say('hooks.format')}</label>
        <select id="f-format" name="format">
          {FORMATS.map((format) => (
            <option value={format} selected={format === typed.format}>
              {say(`hooks.${format}`)}
            </option>
          ))}
        </select>
      </div>
      <Lines
        name="events"
        label={say('hooks.events')}
        value={typed.events}
        rows={4}
        dir="ltr"
        hint={
          <>
            {say.pieces('hooks.eventsHint', {
              one: <code>device.claimed</code>,
              many: <code>device.window.*</code>,
              named: <code>claim.refused</code>,
            })}
          </>
        }
      />
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
  const { say } = visit.locale;
  return {
    type: 'page',
    title: say('hooks.new'),
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/webhooks" label={say('hooks.title')} />
        <Head title={say('hooks.new')} lead={say('hooks.newLead')} />
        <form method="post" action="/webhooks/new" class="card">
          <Refusal text={refusal} />
          <Fields typed={typedIn(visit)} say={say} />
          <button type="submit" class="primary">
            {say('hooks.make')}
          </button>
        </form>
      </>
    ),
  };
}

async function make(visit: SignedIn): Promise<PageReply> {
  const made = await visit.api.post('/api/webhook', bodyOf(typedIn(visit)), newWebhookView);
  const { say } = visit.locale;
  if (made.type !== 'ok') return newReply(visit, refusalWords(made, say, say('hooks.refused')));
  return secretReply(made.value.secret, `/webhooks/${segment(made.value.id)}`, say);
}

/** The answer to the form itself: a secret is in no address, and no reload shows it again. */
function secretReply(secret: string, path: string, say: Say): PageReply {
  return {
    type: 'page',
    title: say('hooks.secret'),
    narrow: true,
    body: (
      <div class="card">
        <h1>{say('hooks.secret')}</h1>
        <Note kind="warn">{say('hooks.secretOnce')}</Note>
        <p class="mono">{secret}</p>
        <p>{say('hooks.secretUse')}</p>
        <a class="button primary" href={path}>
          {say('hooks.kept')}
        </a>
      </div>
    ),
  };
}

async function webhookReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const { api, locale } = visit;
  const { say } = locale;
  const webhook = await api.get(routeOf(visit), webhookView);
  const state = await api.get(`${routeOf(visit)}/attempts`, webhookStateView);
  const typed = refusal === undefined ? { ...webhook, events: webhook.events.join('\n') } : typedIn(visit);
  const path = pathOf(visit);
  return {
    type: 'page',
    title: say('hooks.one'),
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/webhooks" label={say('hooks.title')} />
        <Head title={webhook.label === '' ? say('hooks.one') : webhook.label} lead={stateOf(webhook, say)} />
        <Figures state={state} visit={visit} />
        <div class="card row">
          <Act to={`${path}/test`} label={say('hooks.test')} />
          <Act to={`${path}/recover`} label={say('hooks.recover')} />
          {webhook.enabled ? (
            <Act to={`${path}/disable`} label={say('hooks.switchOff')} />
          ) : (
            <Act to={`${path}/enable`} label={say('hooks.switchOn')} />
          )}
          <a class="button" href={`${path}/rotate`}>
            {say('hooks.newSecret')}
          </a>
          <a class="button danger" href={`${path}/delete`}>
            {say('hooks.delete')}
          </a>
        </div>
        <form method="post" action={path} class="card">
          <Refusal text={refusal} />
          <Fields typed={typed} say={say} />
          <button type="submit">{say('part.save')}</button>
        </form>
        <form method="post" action={`${path}/replay`} class="card">
          <Field
            name="hours"
            label={say('hooks.hours')}
            type="number"
            value="24"
            hint={say('hooks.hoursHint')}
          />
          <button type="submit">{say('hooks.replay')}</button>
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
  const { delivered, givenUp, devicesWaiting: devices, failingSince, restsUntil } = state;
  const { say } = locale;
  return (
    <div class="card">
      <p>{say('hooks.figures', { delivered, givenUp, devices })}</p>
      {failingSince === null ? null : (
        <p>{say.pieces('hooks.failingSince', { when: <Time at={failingSince} locale={locale} /> })}</p>
      )}
      {restsUntil === null ? null : (
        <p>{say.pieces('hooks.restsUntil', { when: <Time at={restsUntil} locale={locale} /> })}</p>
      )}
    </div>
  );
}

function Attempts({ state: { attempts }, visit }: { state: State; visit: SignedIn }) {
  const { say } = visit.locale;
  if (attempts.length === 0) return <div class="card empty">{say('hooks.noAttempts')}</div>;
  return (
    <Table
      caption={say('hooks.attempts')}
      shown
      columns={[
        { title: say('hooks.event'), kind: 'row', cell: ({ type }) => <code>{type}</code> },
        {
          title: say('hooks.when'),
          cell: ({ createdTime }) => <Time at={createdTime} locale={visit.locale} />,
        },
        {
          title: say('hooks.outcome'),
          cell: ({ attempt, delivered, outcome, answer }) => (
            <>
              {delivered ? say('hooks.delivered', { outcome }) : say('hooks.failed', { outcome, attempt })}
              {answer === '' ? null : (
                <small>
                  {' '}
                  <bdi>{answer}</bdi>
                </small>
              )}
            </>
          ),
        },
        {
          title: say('hooks.again'),
          cell: ({ messageId }) => (
            <form method="post" action={`${pathOf(visit)}/resend`}>
              <input type="hidden" name="message" value={messageId} />
              <button type="submit">{say('hooks.resend')}</button>
            </form>
          ),
        },
      ]}
      rows={attempts}
    />
  );
}

async function save(visit: SignedIn): Promise<PageReply> {
  const { api, locale } = visit;
  const { say } = locale;
  const there = await api.get(routeOf(visit), webhookView);
  const { deviceProfileIds, customerIds } = there; // the form has no fields for these
  const body = { ...bodyOf(typedIn(visit)), deviceProfileIds, customerIds };
  const saved = await api.act('PUT', routeOf(visit), body);
  return saved.type === 'ok'
    ? seeOther(pathOf(visit), say('hooks.changed'))
    : webhookReply(visit, refusalWords(saved, say, say('hooks.refused')));
}

/** A button that sends something, and says what came of it. */
function sending(name: string, request: (visit: SignedIn) => readonly [path: string, body: object]): Page {
  return memberPage(`/webhooks/:webhook/${name}`, TENANT, {
    async post(visit) {
      const { say } = visit.locale;
      const [path, body] = request(visit);
      const sent = await visit.api.post(`${routeOf(visit)}/${path}`, body, attemptView);
      if (sent.type !== 'ok') return refusedTo(pathOf(visit), refusalWords(sent, say, say('hooks.notSent')));
      const { delivered, outcome } = sent.value;
      return delivered
        ? seeOther(pathOf(visit), say('hooks.taken', { outcome }))
        : refusedTo(pathOf(visit), say('hooks.notTaken', { outcome }));
    },
  });
}

type DoneKey = 'hooks.recovering' | 'hooks.replaying' | 'hooks.isOn' | 'hooks.isOff';

/** A button whose answer needs no words but these. */
function acting(name: string, done: DoneKey, body: (visit: SignedIn) => object = () => ({})): Page {
  return memberPage(`/webhooks/:webhook/${name}`, TENANT, {
    async post(visit) {
      const acted = await visit.api.act('POST', `${routeOf(visit)}/${name}`, body(visit));
      return saidAt(pathOf(visit), acted, visit.locale.say(done), visit.locale);
    },
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
  memberPage('/webhooks/:webhook', TENANT, {
    get: (visit) => webhookReply(visit),
    post: save,
  }),
  sending('test', () => ['test', {}]),
  sending('resend', ({ form }) => [`attempts/${segment(form.text('message'))}/resend`, {}]),
  acting('recover', 'hooks.recovering'),
  acting('replay', 'hooks.replaying', sinceHours),
  acting('enable', 'hooks.isOn'),
  acting('disable', 'hooks.isOff'),
  memberPage('/webhooks/:webhook/rotate', TENANT, {
    async get(visit) {
      const { say } = visit.locale;
      const { url } = await visit.api.get(routeOf(visit), webhookView);
      const question = {
        title: say('hooks.rotateTitle'),
        what: url,
        consequence: say('hooks.rotateText'),
        yes: say('hooks.rotateYes'),
        no: say('part.keep'),
        back: pathOf(visit),
      };
      return questionReply(question, `${pathOf(visit)}/rotate`);
    },
    async post(visit) {
      const { say } = visit.locale;
      const made = await visit.api.post(`${routeOf(visit)}/secret/rotate`, {}, newWebhookView);
      return made.type === 'ok'
        ? secretReply(made.value.secret, pathOf(visit), say)
        : refusedTo(pathOf(visit), refusalWords(made, say));
    },
  }),
  memberPage('/webhooks/:webhook/delete', TENANT, {
    async get(visit) {
      const { say } = visit.locale;
      const { url } = await visit.api.get(routeOf(visit), webhookView);
      const question = {
        title: say('hooks.deleteTitle'),
        what: url,
        consequence: say('hooks.deleteText'),
        yes: say('hooks.deleteYes'),
        no: say('part.keep'),
        back: pathOf(visit),
      };
      return questionReply(question, `${pathOf(visit)}/delete`);
    },
    async post(visit) {
      const deleted = await visit.api.act('DELETE', routeOf(visit));
      return saidAt('/webhooks', deleted, visit.locale.say('hooks.deleted'), visit.locale, pathOf(visit));
    },
  }),
];
