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
  type SignedIn,
  saidAt,
  seeOther,
} from '../page.ts';
import { questionReply } from '../parts/confirm.tsx';
import { Back, Field, Head, Lines, Refusal, Time } from '../parts/elements.tsx';
import { Table } from '../parts/table.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { TextKey } from '../texts/catalogues.ts';
import type { Say } from '../texts/say.ts';

type Provider = z.output<typeof providerView>;

const PROVIDERS = '/providers';
const LISTED = 50;
const AUTHENTICATIONS = {
  BASIC: 'idp.shownBasic',
  POST: 'idp.shownPost',
  NONE: 'idp.shownNone',
} as const satisfies Readonly<Record<(typeof CLIENT_AUTHENTICATIONS)[number], TextKey>>;

const isOfSystem = ({ user }: SignedIn) => user.authority === 'SYS_ADMIN';
const pathOf = ({ params }: SignedIn) => `${PROVIDERS}/${segment(params.provider ?? '')}`;
const routeOf = ({ params }: SignedIn) => `/api/oauth2/client/${segment(params.provider ?? '')}`;

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { api, locale } = visit;
  const { say } = locale;
  const { data } = await api.get(
    `/api/oauth2/client/infos?pageSize=${LISTED}&page=0`,
    pageView(providerView),
  );
  return {
    type: 'page',
    title: say('idp.title'),
    body: (
      <>
        {isOfSystem(visit) ? (
          <Back to="/tenants" label={say('frame.tenants')} />
        ) : (
          <Back to="/settings" label={say('frame.settings')} />
        )}
        <Head title={say('idp.title')} lead={say(isOfSystem(visit) ? 'idp.leadSystem' : 'idp.leadTenant')}>
          <a class="button primary" href={`${PROVIDERS}/new`}>
            {say('idp.new')}
          </a>
        </Head>
        {data.length === 0 ? (
          <div class="card empty">{say('idp.none')}</div>
        ) : (
          <Table
            caption={say('idp.title')}
            columns={[
              {
                title: say('idp.name'),
                kind: 'row',
                cell: ({ id, title }) => <a href={`${PROVIDERS}/${segment(id.id)}`}>{title}</a>,
              },
              { title: say('idp.issuer'), cell: ({ issuer }) => <bdi>{issuer}</bdi> },
              {
                title: say('idp.since'),
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
  readonly say: Say;
}

function Fields({ typed, hasSecret, ofSystem, say }: FieldsProps) {
  return (
    <>
      <Field
        name="title"
        label={say('idp.name')}
        value={typed.title}
        required
        maxlength={100}
        hint={say('idp.nameHint')}
      />
      <Field
        name="label"
        label={say('idp.button')}
        value={typed.label}
        maxlength={100}
        hint={say('idp.buttonHint')}
      />
      <Field
        name="issuer"
        label={say('idp.issuer')}
        type="url"
        value={typed.issuer}
        required
        maxlength={2000}
        hint={say('idp.issuerHint', { document: '/.well-known/openid-configuration' })}
      />
      <Field
        name="clientId"
        label={say('idp.clientId')}
        value={typed.clientId}
        required
        maxlength={255}
        verbatim
      />
      <Field
        name="clientSecret"
        label={say('idp.secret')}
        type="password"
        autocomplete="new-password"
        maxlength={2048}
        hint={say(hasSecret ? 'idp.secretKept' : 'idp.secretNew')}
      />
      <div class="field">
        <label for="f-authentication">{say('idp.shown')}</label>
        <select id="f-authentication" name="authentication">
          {CLIENT_AUTHENTICATIONS.map((each) => (
            <option value={each} selected={each === typed.authentication}>
              {say(AUTHENTICATIONS[each])}
            </option>
          ))}
        </select>
      </div>
      <Field name="scopes" label={say('idp.scopes')} value={typed.scopes} verbatim />
      <Lines
        name="domains"
        label={say('idp.domains')}
        value={typed.domains}
        rows={3}
        dir="ltr"
        hint={say('idp.domainsHint')}
      />
      <Check name="signsUp" label={say('idp.signsUp')} checked={typed.signsUp} />
      <Field
        name="customer"
        label={say('idp.customer')}
        value={typed.customer}
        maxlength={255}
        hint={say('idp.customerHint', { email: '%{email}', domain: '%{domain}' })}
        verbatim
      />
      {ofSystem ? (
        <>
          <Field
            name="tenant"
            label={say('idp.tenant')}
            value={typed.tenant}
            hint={say('idp.tenantHint')}
            verbatim
          />
          <Field
            name="audience"
            label={say('idp.audience')}
            value={typed.audience}
            maxlength={255}
            hint={say('idp.audienceHint')}
            verbatim
          />
          <Check name="plainJwt" label={say('idp.plainJwt')} checked={typed.plainJwt} />
        </>
      ) : null}
    </>
  );
}

function newReply(visit: SignedIn, refusal?: string): PageReply {
  const { say } = visit.locale;
  return {
    type: 'page',
    title: say('idp.newTitle'),
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to={PROVIDERS} label={say('idp.title')} />
        <Head title={say('idp.newTitle')} lead={say('idp.newLead')} />
        <form method="post" action={`${PROVIDERS}/new`} class="card">
          <Refusal text={refusal} />
          <Fields
            typed={refusal === undefined ? EMPTY : typedIn(visit)}
            hasSecret={false}
            ofSystem={isOfSystem(visit)}
            say={say}
          />
          <button type="submit" class="primary">
            {say('idp.make')}
          </button>
        </form>
      </>
    ),
  };
}

async function make(visit: SignedIn): Promise<PageReply> {
  const made = await visit.api.post('/api/oauth2/client', bodyOf(visit), providerView);
  const { say } = visit.locale;
  return made.type === 'ok'
    ? seeOther(`${PROVIDERS}/${segment(made.value.id.id)}`, say('idp.made'))
    : newReply(visit, refusalWords(made, say, say('idp.refused')));
}

/** What the provider has to be told, and the link that leads people to it. */
function ToRegister({ provider, visit }: { provider: Provider; visit: SignedIn }) {
  const { linkBase, locale } = visit;
  const { say } = locale;
  const { id, redirectUri } = provider;
  return (
    <section class="card" aria-labelledby="register">
      <h2 id="register">{say('idp.register')}</h2>
      {[
        [say('idp.redirect'), redirectUri],
        [say('idp.signedOut'), `${linkBase}/login`],
        [say('idp.backChannel'), `${linkBase}/api/noauth/oauth2/backchannel-logout/${id.id}`],
      ].map(([what, url]) => (
        <p>
          {what}
          <br />
          <code>{url}</code>
        </p>
      ))}
      <p>
        {say('idp.signInAt')}
        <br />
        <code>{`${linkBase}/oauth2/authorization/${id.id}?prevUri=/claim`}</code>
      </p>
    </section>
  );
}

async function providerReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const { say } = visit.locale;
  const provider = await visit.api.get(routeOf(visit), providerView);
  const path = pathOf(visit);
  return {
    type: 'page',
    title: say('idp.one'),
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to={PROVIDERS} label={say('idp.title')} />
        <Head title={provider.title} lead={<bdi>{provider.issuer}</bdi>} />
        <div class="card row">
          <form method="post" action={`${path}/test`}>
            <button type="submit">{say('idp.test')}</button>
          </form>
          <a class="button danger" href={`${path}/delete`}>
            {say('idp.delete')}
          </a>
        </div>
        <ToRegister provider={provider} visit={visit} />
        <form method="post" action={path} class="card">
          <Refusal text={refusal} />
          <Fields
            typed={refusal === undefined ? typedOf(provider) : typedIn(visit)}
            hasSecret={provider.hasClientSecret}
            ofSystem={isOfSystem(visit)}
            say={say}
          />
          <button type="submit">{say('part.save')}</button>
        </form>
      </>
    ),
  };
}

async function save(visit: SignedIn): Promise<PageReply> {
  const { say } = visit.locale;
  const there = await visit.api.get(routeOf(visit), providerView);
  const saved = await visit.api.post('/api/oauth2/client', bodyOf(visit, there), providerView);
  return saved.type === 'ok'
    ? seeOther(pathOf(visit), say('idp.changed'))
    : providerReply(visit, refusalWords(saved, say, say('idp.refused')));
}

async function tryOut(visit: SignedIn): Promise<PageReply> {
  const { say } = visit.locale;
  const tested = await visit.api.post(`${routeOf(visit)}/test`, {}, providerTestView);
  if (tested.type !== 'ok') return refusedTo(pathOf(visit), refusalWords(tested, say, say('idp.testFailed')));
  const { authorizationUri, keys } = tested.value;
  return seeOther(pathOf(visit), say('idp.answers', { host: new URL(authorizationUri).host, keys }));
}

export const identityProviderPages: readonly Page[] = [
  memberPage(PROVIDERS, ADMINISTRATORS, { get: listReply }),
  memberPage(`${PROVIDERS}/new`, ADMINISTRATORS, {
    get: (visit) => newReply(visit),
    post: make,
  }),
  memberPage(`${PROVIDERS}/:provider`, ADMINISTRATORS, {
    get: (visit) => providerReply(visit),
    post: save,
  }),
  memberPage(`${PROVIDERS}/:provider/test`, ADMINISTRATORS, { post: tryOut }),
  memberPage(`${PROVIDERS}/:provider/delete`, ADMINISTRATORS, {
    async get(visit) {
      const { say } = visit.locale;
      const { title } = await visit.api.get(routeOf(visit), providerView);
      const question = {
        title: say('idp.deleteTitle'),
        what: title,
        consequence: say('idp.deleteText'),
        yes: say('idp.deleteYes'),
        no: say('part.keep'),
        back: pathOf(visit),
      };
      return questionReply(question, `${pathOf(visit)}/delete`);
    },
    async post(visit) {
      const deleted = await visit.api.act('DELETE', routeOf(visit));
      return saidAt(PROVIDERS, deleted, visit.locale.say('idp.deleted'), visit.locale, pathOf(visit));
    },
  }),
];
