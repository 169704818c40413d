/**
 * Identity providers for administrators: set up, tried, changed and deleted, those of a tenant or of the system. The secret is
 * typed in and shown to nobody.
 */
import type { z } from 'zod';
import { CLIENT_AUTHENTICATIONS } from '../../../actors/providers/model.ts';
import { ADMINISTRATORS } from '../../auth/principal.ts';
import { pageView } from '../../views/page.ts';
import { providerTestView, providerView } from '../../views/provider.ts';
import { segment } from '../api.ts';
import { linesOf } from '../form.ts';
import {
  memberPage,
  type Page,
  type PageReply,
  refusedTo,
  resultAt,
  type SignedIn,
  seeOther,
} from '../page.ts';
import { questionReply } from '../parts/confirm.tsx';
import { Back, Field, Head, Refusal, Time } from '../parts/elements.tsx';
import { Table } from '../parts/table.tsx';

type Provider = z.output<typeof providerView>;

const PROVIDERS = '/providers';
const LISTED = 50;
const AUTHENTICATIONS = {
  BASIC: 'Secret in the Authorization header',
  POST: 'Secret in the form',
  NONE: 'No secret: PKCE alone',
} as const satisfies Readonly<Record<(typeof CLIENT_AUTHENTICATIONS)[number], string>>;

const isOfSystem = ({ user }: SignedIn) => user.authority === 'SYS_ADMIN';
const pathOf = ({ params }: SignedIn) => `${PROVIDERS}/${segment(params.provider ?? '')}`;
const routeOf = ({ params }: SignedIn) => `/api/oauth2/client/${segment(params.provider ?? '')}`;

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { api, locale } = visit;
  const { data } = await api.get(
    `/api/oauth2/client/infos?pageSize=${LISTED}&page=0`,
    pageView(providerView),
  );
  return {
    type: 'page',
    title: 'Identity providers',
    body: (
      <>
        {isOfSystem(visit) ? (
          <Back to="/tenants" label="Tenants" />
        ) : (
          <Back to="/settings" label="Settings" />
        )}
        <Head
          title="Identity providers"
          lead={
            isOfSystem(visit)
              ? 'By which everybody but system administrators can sign in. Each has a button on the login page.'
              : 'By which users of your customers can sign in. Each has a link of its own, which you give them.'
          }
        >
          <a class="button primary" href={`${PROVIDERS}/new`}>
            New provider
          </a>
        </Head>
        {data.length === 0 ? (
          <div class="card empty">There are no identity providers yet.</div>
        ) : (
          <Table
            caption="Identity providers"
            columns={[
              {
                title: 'Title',
                kind: 'row',
                cell: ({ id, title }) => <a href={`${PROVIDERS}/${segment(id.id)}`}>{title}</a>,
              },
              { title: 'Issuer', cell: ({ issuer }) => issuer },
              { title: 'Since', cell: ({ createdTime }) => <Time at={createdTime} locale={locale} /> },
            ]}
            rows={data}
          />
        )}
      </>
    ),
  };
}

/** The fields of a form, as they were typed or as the provider has them. */
interface Typed {
  readonly title: string;
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly authentication: string;
  readonly scopes: string;
  readonly domains: string;
  readonly signsUp: boolean;
  readonly customer: string;
  readonly tenant: string;
  readonly audience: string;
  readonly plainJwt: boolean;
}

const typedIn = ({ form }: SignedIn): Typed => ({
  title: form.text('title'),
  label: form.text('label'),
  issuer: form.text('issuer'),
  clientId: form.text('clientId'),
  authentication: form.text('authentication') || 'BASIC',
  scopes: form.text('scopes'),
  domains: form.text('domains'),
  signsUp: form.text('signsUp') === 'on',
  customer: form.text('customer'),
  tenant: form.text('tenant'),
  audience: form.text('audience'),
  plainJwt: form.text('plainJwt') === 'on',
});

const EMPTY: Typed = {
  title: '',
  label: '',
  issuer: '',
  clientId: '',
  authentication: 'BASIC',
  scopes: 'openid email profile',
  domains: '',
  signsUp: false,
  customer: '%{email}',
  tenant: '',
  audience: '',
  plainJwt: false,
};

const typedOf = (provider: Provider): Typed => ({
  title: provider.title,
  label: provider.loginButtonLabel,
  issuer: provider.issuer,
  clientId: provider.clientId,
  authentication: provider.clientAuthenticationMethod,
  scopes: provider.scope.join(' '),
  domains: provider.allowedEmailDomains.join('\n'),
  signsUp: provider.mapperConfig.allowUserCreation,
  customer: provider.mapperConfig.basic.customerNamePattern,
  tenant: provider.signUpTenantId ?? '',
  audience: provider.apiAudience ?? '',
  plainJwt: provider.apiTakesPlainJwt,
});

/** What the API takes. @param there what is changed, which has what the form has no field for */
function bodyOf(visit: SignedIn, there?: Provider) {
  const typed = typedIn(visit);
  const secret = visit.form.text('clientSecret');
  return {
    ...(there === undefined ? {} : { id: there.id, loginButtonIcon: there.loginButtonIcon }),
    title: typed.title.trim(),
    issuer: typed.issuer.trim(),
    clientId: typed.clientId.trim(),
    ...(secret === '' ? {} : { clientSecret: secret }),
    clientAuthenticationMethod: typed.authentication,
    scope: typed.scopes.split(/\s+/).filter((scope) => scope !== ''),
    loginButtonLabel: typed.label.trim() || typed.title.trim(),
    allowedEmailDomains: linesOf(typed.domains),
    ...(typed.tenant.trim() === '' ? {} : { signUpTenantId: typed.tenant.trim() }),
    ...(typed.audience.trim() === '' ? {} : { apiAudience: typed.audience.trim() }),
    apiTakesPlainJwt: typed.plainJwt,
    mapperConfig: {
      allowUserCreation: typed.signsUp,
      basic: { customerNamePattern: typed.customer.trim() || EMPTY.customer },
    },
  };
}

function Check({ name, label, checked }: { name: string; label: string; checked: boolean }) {
  return (
    <label class="check">
      <input type="checkbox" name={name} value="on" checked={checked} /> {label}
    </label>
  );
}

interface FieldsProps {
  readonly typed: Typed;
  readonly hasSecret: boolean;
  readonly ofSystem: boolean;
}

function Fields({ typed, hasSecret, ofSystem }: FieldsProps) {
  return (
    <>
      <Field
        name="title"
        label="Title"
        value={typed.title}
        required
        maxlength={100}
        hint="For people, e.g. Acme."
      />
      <Field
        name="label"
        label="Words on the button"
        value={typed.label}
        maxlength={100}
        hint="Empty: the title."
      />
      <Field
        name="issuer"
        label="Issuer"
        type="url"
        value={typed.issuer}
        required
        maxlength={2000}
        hint="To the letter as its /.well-known/openid-configuration says, with or without a slash at the end."
      />
      <Field name="clientId" label="Client id" value={typed.clientId} required maxlength={255} verbatim />
      <Field
        name="clientSecret"
        label="Client secret"
        type="password"
        autocomplete="new-password"
        maxlength={2048}
        hint={
          hasSecret
            ? 'It is kept, and not shown. Empty: it stays.'
            : 'It is kept sealed, and never shown again.'
        }
      />
      <div class="field">
        <label for="f-authentication">How the secret is shown</label>
        <select id="f-authentication" name="authentication">
          {CLIENT_AUTHENTICATIONS.map((each) => (
            <option value={each} selected={each === typed.authentication}>
              {AUTHENTICATIONS[each]}
            </option>
          ))}
        </select>
      </div>
      <Field name="scopes" label="Scopes" value={typed.scopes} verbatim />
      <div class="field">
        <label for="f-domains">Domains of e-mail addresses</label>
        <textarea id="f-domains" name="domains" rows={3} spellcheck={false} aria-describedby="f-domains-hint">
          {typed.domains}
        </textarea>
        <small id="f-domains-hint">
          One on each line. Users with such an address are found by it at their first sign-in. Empty: nobody
          is.
        </small>
      </div>
      <Check name="signsUp" label="Who has no account becomes a customer" checked={typed.signsUp} />
      <Field
        name="customer"
        label="Of which customer"
        value={typed.customer}
        maxlength={255}
        hint="%{email}: one of its own for everybody. Or a title for all, in which %{domain} may stand."
      />
      {ofSystem ? (
        <>
          <Field
            name="tenant"
            label="Of which tenant"
            value={typed.tenant}
            hint="Its id; needed where people become customers."
            verbatim
          />
          <Field
            name="audience"
            label="Audience of access tokens"
            value={typed.audience}
            maxlength={255}
            hint="Access tokens of this issuer for this audience are taken on the REST API. Empty: none are."
            verbatim
          />
          <Check name="plainJwt" label="Also of the type JWT (Entra, Keycloak)" checked={typed.plainJwt} />
        </>
      ) : null}
    </>
  );
}

function newReply(visit: SignedIn, refusal?: string): PageReply {
  return {
    type: 'page',
    title: 'New identity provider',
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to={PROVIDERS} label="Identity providers" />
        <Head title="New identity provider" lead="What is to be registered there is on the next page." />
        <form method="post" action={`${PROVIDERS}/new`} class="card">
          <Refusal text={refusal} />
          <Fields
            typed={refusal === undefined ? EMPTY : typedIn(visit)}
            hasSecret={false}
            ofSystem={isOfSystem(visit)}
          />
          <button type="submit" class="primary">
            Set it up
          </button>
        </form>
      </>
    ),
  };
}

async function make(visit: SignedIn): Promise<PageReply> {
  const made = await visit.api.post('/api/oauth2/client', bodyOf(visit), providerView);
  return made.type === 'ok'
    ? seeOther(
        `${PROVIDERS}/${segment(made.value.id.id)}`,
        'The provider is set up. Register there what is below.',
      )
    : newReply(visit, made.message);
}

/** What the provider has to be told, and the link that leads people to it. */
function ToRegister({ provider, linkBase }: { provider: Provider; linkBase: string }) {
  const { id, redirectUri } = provider;
  return (
    <section class="card" aria-labelledby="register">
      <h2 id="register">To be registered at the provider</h2>
      {[
        ['Redirect URI', redirectUri],
        ['After signing out', `${linkBase}/login`],
        ['Back-channel logout', `${linkBase}/api/noauth/oauth2/backchannel-logout/${id.id}`],
      ].map(([what, url]) => (
        <p>
          {what}
          <br />
          <code>{url}</code>
        </p>
      ))}
      <p>
        People sign in by it at
        <br />
        <code>{`${linkBase}/oauth2/authorization/${id.id}?prevUri=/claim`}</code>
      </p>
    </section>
  );
}

async function providerReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const provider = await visit.api.get(routeOf(visit), providerView);
  const path = pathOf(visit);
  return {
    type: 'page',
    title: 'Identity provider',
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to={PROVIDERS} label="Identity providers" />
        <Head title={provider.title} lead={provider.issuer} />
        <div class="card row">
          <form method="post" action={`${path}/test`}>
            <button type="submit">Test</button>
          </form>
          <a class="button danger" href={`${path}/delete`}>
            Delete
          </a>
        </div>
        <ToRegister provider={provider} linkBase={visit.linkBase} />
        <form method="post" action={path} class="card">
          <Refusal text={refusal} />
          <Fields
            typed={refusal === undefined ? typedOf(provider) : typedIn(visit)}
            hasSecret={provider.hasClientSecret}
            ofSystem={isOfSystem(visit)}
          />
          <button type="submit">Save</button>
        </form>
      </>
    ),
  };
}

async function save(visit: SignedIn): Promise<PageReply> {
  const there = await visit.api.get(routeOf(visit), providerView);
  const saved = await visit.api.post('/api/oauth2/client', bodyOf(visit, there), providerView);
  return saved.type === 'ok'
    ? seeOther(pathOf(visit), 'The provider is changed.')
    : providerReply(visit, saved.message);
}

async function tryOut(visit: SignedIn): Promise<PageReply> {
  const tested = await visit.api.post(`${routeOf(visit)}/test`, {}, providerTestView);
  return tested.type === 'ok'
    ? seeOther(
        pathOf(visit),
        `The provider answers, and is who the issuer says. People are sent to ${new URL(tested.value.authorizationUri).host}, and it shows ${tested.value.keys === 1 ? 'a key' : `${tested.value.keys} keys`} to check its tokens by. Whether id and secret are right shows when somebody signs in.`,
      )
    : refusedTo(pathOf(visit), tested.message);
}

export const identityProviderPages: readonly Page[] = [
  memberPage(PROVIDERS, ADMINISTRATORS, { get: listReply }),
  memberPage(`${PROVIDERS}/new`, ADMINISTRATORS, { get: (visit) => newReply(visit), post: make }),
  memberPage(`${PROVIDERS}/:provider`, ADMINISTRATORS, { get: (visit) => providerReply(visit), post: save }),
  memberPage(`${PROVIDERS}/:provider/test`, ADMINISTRATORS, { post: tryOut }),
  memberPage(`${PROVIDERS}/:provider/delete`, ADMINISTRATORS, {
    async get(visit) {
      const { title } = await visit.api.get(routeOf(visit), providerView);
      const question = {
        title: 'Delete this identity provider?',
        what: title,
        consequence:
          'Nobody signs in by it any more. Who has no password gets in no more; sessions that are there go on.',
        yes: 'Delete it',
        back: pathOf(visit),
      };
      return questionReply(question, `${pathOf(visit)}/delete`);
    },
    async post(visit) {
      const deleted = await visit.api.act('DELETE', routeOf(visit));
      return resultAt(PROVIDERS, deleted, 'The identity provider is deleted.', pathOf(visit));
    },
  }),
];
