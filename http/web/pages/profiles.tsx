/** Device profiles: which claiming rules devices follow, and how they send. Listed, made, changed, made the default, deleted. */
import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { profileView } from '../../views/profile.ts';
import { segment, toQuery } from '../api.ts';
import {
  memberPage,
  type Page,
  type PageReply,
  refusedTo,
  type SignedIn,
  saidAt,
  seeOther,
} from '../page.ts';
import { confirmPage } from '../parts/confirm.tsx';
import { Back, Field, Head, Refusal } from '../parts/elements.tsx';
import { emptyText, Pager, pageOf } from '../parts/list.tsx';
import { RulesFields, rulesInWords, rulesOf } from '../parts/rules-form.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';

type Profile = z.output<typeof profileView>;

const PATH = '/profiles';
const PAGE_SIZE = 20;
const profilesPage = pageView(profileView);
const infosPage = pageView(deviceInfoView);

/** How devices send; the names of the protocols are the same in every language. */
const TRANSPORTS = ['DEFAULT', 'MQTT', 'COAP'] as const satisfies readonly Profile['transportType'][];
const PROTOCOLS = { MQTT: 'MQTT', COAP: 'CoAP' } as const;

function transportWords(transport: Profile['transportType'], say: Say): string {
  if (transport === 'DEFAULT') return say('profiles.any');
  return say('profiles.payload', { protocol: PROTOCOLS[transport] });
}

const routeOf = ({ params }: SignedIn) => `/api/deviceProfile/${segment(params.id ?? '')}`;
const profileOf = (visit: SignedIn): Promise<Profile> => visit.api.get(routeOf(visit), profileView);

async function devicesWith({ api }: SignedIn, { id }: Profile): Promise<number> {
  const wanted = toQuery({ pageSize: 1, deviceProfileId: id.id });
  return (await api.get(`/api/tenant/deviceInfos?${wanted}`, infosPage)).totalElements;
}

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { api, query, locale } = visit;
  const { say } = locale;
  const wanted = toQuery({ page: pageOf(query), pageSize: PAGE_SIZE, sortProperty: 'name' });
  const found = await api.get(`/api/deviceProfiles?${wanted}`, profilesPage);
  const counts = new Map(
    await Promise.all(found.data.map(async (one) => [one.id.id, await devicesWith(visit, one)] as const)),
  );
  const columns: readonly Column<Profile>[] = [
    {
      title: say('titled.name'),
      kind: 'row',
      cell: ({ id, name, default: isDefault }) => (
        <>
          <a href={`${PATH}/${id.id}`}>{name}</a>{' '}
          {isDefault ? <small>{say('profiles.default')}</small> : null}
        </>
      ),
    },
    {
      title: say('profiles.claiming'),
      cell: ({ claiming }) => {
        const own = rulesInWords(claiming ?? {}, locale);
        return own.length === 0 ? say('profiles.asServer') : say('profiles.ownRules', { count: own.length });
      },
    },
    {
      title: say('profiles.sendBy'),
      cell: ({ transportType }) =>
        transportType === 'DEFAULT' ? say('profiles.anyShort') : PROTOCOLS[transportType],
    },
    { title: say('frame.fleet'), kind: 'number', cell: ({ id }) => locale.number(counts.get(id.id) ?? 0) },
  ];
  return {
    type: 'page',
    title: say('settings.profiles'),
    body: (
      <>
        <Back to="/settings" label={say('frame.settings')} />
        <Head title={say('settings.profiles')} lead={say('profiles.lead')}>
          <a class="button primary" href={`${PATH}/new`}>
            {say('profiles.new')}
          </a>
        </Head>
        {found.data.length === 0 ? (
          <div class="card empty">{emptyText(found, say('profiles.none'), locale)}</div>
        ) : (
          <Table caption={say('settings.profiles')} columns={columns} rows={found.data} />
        )}
        <Pager path={PATH} query={query} size={PAGE_SIZE} found={found} locale={locale} />
      </>
    ),
  };
}

/** @param profile undefined: a new one */
function ProfileForm({ profile, visit, refusal }: ProfileFormProps) {
  const { say } = visit.locale;
  const typed = refusal === undefined ? undefined : visit.form;
  return (
    <form
      method="post"
      action={profile === undefined ? `${PATH}/new` : `${PATH}/${profile.id.id}`}
      class="card"
    >
      <Refusal text={refusal} />
      {profile === undefined ? null : (
        <input type="hidden" name="version" value={typed?.text('version') ?? String(profile.version)} />
      )}
      <Field
        name="name"
        label={say('titled.name')}
        value={typed?.text('name') ?? profile?.name ?? ''}
        maxlength={255}
        required
      />
      <Field
        name="description"
        label={say('new.label')}
        value={typed?.text('description') ?? profile?.description ?? ''}
        maxlength={1000}
      />
      {profile === undefined ? <Transport typed={typed?.text('transport') ?? 'DEFAULT'} say={say} /> : null}
      <RulesFields rules={profile?.claiming ?? {}} typed={typed} say={say} />
      <button type="submit" class="primary">
        {say(profile === undefined ? 'new.create' : 'part.save')}
      </button>
    </form>
  );
}

interface ProfileFormProps {
  readonly profile?: Profile;
  readonly visit: SignedIn;
  readonly refusal: string | undefined;
}

function Transport({ typed, say }: { typed: string; say: Say }) {
  return (
    <div class="field">
      <label for="f-transport">{say('profiles.sendBy')}</label>
      <select id="f-transport" name="transport">
        {TRANSPORTS.map((value) => (
          <option value={value} selected={value === typed}>
            {transportWords(value, say)}
          </option>
        ))}
      </select>
    </div>
  );
}

function newReply(visit: SignedIn, refusal?: string): PageReply {
  const { say } = visit.locale;
  return {
    type: 'page',
    title: say('profiles.new'),
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to={PATH} label={say('settings.profiles')} />
        <Head title={say('profiles.new')} />
        <ProfileForm visit={visit} refusal={refusal} />
      </>
    ),
  };
}

async function make(visit: SignedIn): Promise<PageReply> {
  const { api, form, locale } = visit;
  const { say } = locale;
  const stated = rulesOf(form, say);
  if ('wrong' in stated) return newReply(visit, say('profiles.numberWrong', { label: stated.wrong }));
  const body = {
    name: form.text('name').trim(),
    description: form.text('description').trim(),
    transportType: form.text('transport'),
    claiming: stated.rules,
  };
  const made = await api.post('/api/deviceProfile', body, profileView);
  return made.type === 'ok'
    ? seeOther(`${PATH}/${made.value.id.id}`, say('profiles.created'))
    : newReply(visit, refusalWords(made, say, say('profiles.refused')));
}

async function profileReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const { say } = visit.locale;
  const profile = await profileOf(visit);
  const devices = await devicesWith(visit, profile);
  const path = `${PATH}/${profile.id.id}`;
  const own = rulesInWords(profile.claiming ?? {}, visit.locale);
  return {
    type: 'page',
    title: profile.name,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to={PATH} label={say('settings.profiles')} />
        <Head title={profile.name} lead={profile.default ? say('profiles.isDefault') : undefined} />
        <div class="grid side">
          <ProfileForm profile={profile} visit={visit} refusal={refusal} />
          <section class="card" aria-labelledby="about">
            <h2 id="about">{say('profiles.about')}</h2>
            <dl>
              <dt>{say('frame.fleet')}</dt>
              <dd>{visit.locale.number(devices)}</dd>
              <dt>{say('profiles.sendBy')}</dt>
              <dd>{transportWords(profile.transportType, say)}</dd>
              <dt>{say('profiles.claiming')}</dt>
              <dd>
                {own.length === 0 ? say('profiles.allAsServer') : null}
                {own.map((line) => (
                  <div>{line}</div>
                ))}
              </dd>
            </dl>
            {profile.default ? null : (
              <div class="row">
                <a class="button" href={`${path}/default`}>
                  {say('profiles.makeDefault')}
                </a>
                <a class="button danger" href={`${path}/delete`}>
                  {say('kits.delete')}
                </a>
              </div>
            )}
          </section>
        </div>
      </>
    ),
  };
}

/** What the form has no field for stays as it is; a profile that was changed since it was shown is not overwritten. */
async function save(visit: SignedIn): Promise<PageReply> {
  const { api, form, locale } = visit;
  const { say } = locale;
  const stated = rulesOf(form, say);
  if ('wrong' in stated) return profileReply(visit, say('profiles.numberWrong', { label: stated.wrong }));
  const there = await profileOf(visit);
  const version = Number(form.text('version'));
  const body = {
    ...there,
    ...(Number.isSafeInteger(version) ? { version } : {}),
    name: form.text('name').trim(),
    description: form.text('description').trim(),
    claiming: stated.rules,
  };
  const saved = await api.post('/api/deviceProfile', body, profileView);
  if (saved.type === 'ok') return seeOther(`${PATH}/${there.id.id}`, say('profiles.saved'));
  return profileReply(
    visit,
    saved.status === 409 ? say('profiles.changed') : refusalWords(saved, say, say('profiles.refused')),
  );
}

export const profilePages: readonly Page[] = [
  memberPage(PATH, TENANT, { get: listReply }),
  memberPage(`${PATH}/new`, TENANT, { get: (visit) => newReply(visit), post: make }),
  memberPage(`${PATH}/:id`, TENANT, { get: (visit) => profileReply(visit), post: save }),
  confirmPage(`${PATH}/:id/default`, TENANT, {
    find: profileOf,
    ask: ({ id, name }, { locale: { say } }) => ({
      title: say('profiles.defaultTitle'),
      what: name,
      consequence: say('profiles.defaultText'),
      yes: say('profiles.makeDefault'),
      back: `${PATH}/${id.id}`,
    }),
    async carryOut({ api, locale }, { id }) {
      const chosen = await api.act('POST', `/api/deviceProfile/${id.id}/default`);
      return saidAt(`${PATH}/${id.id}`, chosen, locale.say('profiles.defaultDone'), locale);
    },
  }),
  confirmPage(`${PATH}/:id/delete`, TENANT, {
    find: profileOf,
    ask: ({ id, name }, { locale: { say } }) => ({
      title: say('profiles.deleteTitle'),
      what: name,
      consequence: say('profiles.deleteText'),
      yes: say('profiles.deleteYes'),
      back: `${PATH}/${id.id}`,
    }),
    async carryOut({ api, locale }, { id, name }) {
      const deleted = await api.act('DELETE', `/api/deviceProfile/${id.id}`);
      const { say } = locale;
      return deleted.type === 'ok'
        ? seeOther(PATH, say('profiles.deleted', { name }))
        : refusedTo(`${PATH}/${id.id}`, refusalWords(deleted, say, say('profiles.inUse')));
    },
  }),
];
