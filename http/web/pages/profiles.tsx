/** Device profiles: which claiming rules devices follow, and how they send. Listed, made, changed, made the default, deleted. */
import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { profileView } from '../../views/profile.ts';
import { segment, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, resultAt, type SignedIn, seeOther } from '../page.ts';
import { confirmPage } from '../parts/confirm.tsx';
import { Back, Field, Head, Refusal } from '../parts/elements.tsx';
import { count, emptyText, Pager, pageOf } from '../parts/list.tsx';
import { RulesFields, rulesInWords, rulesOf } from '../parts/rules-form.tsx';
import { type Column, Table } from '../parts/table.tsx';

type Profile = z.output<typeof profileView>;

const PATH = '/profiles';
const PAGE_SIZE = 20;
const profilesPage = pageView(profileView);
const infosPage = pageView(deviceInfoView);

const TRANSPORTS = {
  DEFAULT: 'Any, JSON',
  MQTT: 'MQTT; the payload can be set by the API',
  COAP: 'CoAP; the payload can be set by the API',
} as const;

const routeOf = ({ params }: SignedIn) => `/api/deviceProfile/${segment(params.id ?? '')}`;
const profileOf = (visit: SignedIn): Promise<Profile> => visit.api.get(routeOf(visit), profileView);

async function devicesWith({ api }: SignedIn, { id }: Profile): Promise<number> {
  const wanted = toQuery({ pageSize: 1, deviceProfileId: id.id });
  return (await api.get(`/api/tenant/deviceInfos?${wanted}`, infosPage)).totalElements;
}

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { api, query, locale } = visit;
  const wanted = toQuery({ page: pageOf(query), pageSize: PAGE_SIZE, sortProperty: 'name' });
  const found = await api.get(`/api/deviceProfiles?${wanted}`, profilesPage);
  const counts = new Map(
    await Promise.all(found.data.map(async (one) => [one.id.id, await devicesWith(visit, one)] as const)),
  );
  const columns: readonly Column<Profile>[] = [
    {
      title: 'Name',
      kind: 'row',
      cell: ({ id, name, default: isDefault }) => (
        <>
          <a href={`${PATH}/${id.id}`}>{name}</a> {isDefault ? <small>default</small> : null}
        </>
      ),
    },
    {
      title: 'Claiming',
      cell: ({ claiming }) => {
        const own = rulesInWords(claiming ?? {});
        return own.length === 0
          ? 'As the server says'
          : count(locale, own.length, 'rule of its own', 'rules of its own');
      },
    },
    { title: 'Devices send by', cell: ({ transportType }) => TRANSPORTS[transportType].split(/[,;]/)[0] },
    { title: 'Devices', kind: 'number', cell: ({ id }) => locale.number(counts.get(id.id) ?? 0) },
  ];
  return {
    type: 'page',
    title: 'Profiles',
    body: (
      <>
        <Back to="/settings" label="Settings" />
        <Head title="Profiles" lead="A profile says which claiming rules its devices follow.">
          <a class="button primary" href={`${PATH}/new`}>
            New profile
          </a>
        </Head>
        {found.data.length === 0 ? (
          <div class="card empty">{emptyText(found, 'There are no profiles.', locale)}</div>
        ) : (
          <Table caption="Profiles" columns={columns} rows={found.data} />
        )}
        <Pager path={PATH} query={query} size={PAGE_SIZE} found={found} locale={locale} />
      </>
    ),
  };
}

/** @param profile undefined: a new one */
function ProfileForm({ profile, visit, refusal }: ProfileFormProps) {
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
        label="Name"
        value={typed?.text('name') ?? profile?.name ?? ''}
        maxlength={255}
        required
      />
      <Field
        name="description"
        label="Description"
        value={typed?.text('description') ?? profile?.description ?? ''}
        maxlength={1000}
      />
      {profile === undefined ? <Transport typed={typed?.text('transport') ?? 'DEFAULT'} /> : null}
      <RulesFields rules={profile?.claiming ?? {}} typed={typed} />
      <button type="submit" class="primary">
        {profile === undefined ? 'Create' : 'Save'}
      </button>
    </form>
  );
}

interface ProfileFormProps {
  readonly profile?: Profile;
  readonly visit: SignedIn;
  readonly refusal: string | undefined;
}

function Transport({ typed }: { typed: string }) {
  return (
    <div class="field">
      <label for="f-transport">Devices send by</label>
      <select id="f-transport" name="transport">
        {Object.entries(TRANSPORTS).map(([value, text]) => (
          <option value={value} selected={value === typed}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

function newReply(visit: SignedIn, refusal?: string): PageReply {
  return {
    type: 'page',
    title: 'New profile',
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to={PATH} label="Profiles" />
        <Head title="New profile" />
        <ProfileForm visit={visit} refusal={refusal} />
      </>
    ),
  };
}

const NUMBER = (label: string) => `“${label}” should be a number.`;

async function make(visit: SignedIn): Promise<PageReply> {
  const { api, form } = visit;
  const stated = rulesOf(form);
  if ('wrong' in stated) return newReply(visit, NUMBER(stated.wrong));
  const body = {
    name: form.text('name').trim(),
    description: form.text('description').trim(),
    transportType: form.text('transport'),
    claiming: stated.rules,
  };
  const made = await api.post('/api/deviceProfile', body, profileView);
  return made.type === 'ok'
    ? seeOther(`${PATH}/${made.value.id.id}`, 'The profile is created. Choose it on the page of a device.')
    : newReply(visit, made.message);
}

async function profileReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const profile = await profileOf(visit);
  const devices = await devicesWith(visit, profile);
  const path = `${PATH}/${profile.id.id}`;
  const own = rulesInWords(profile.claiming ?? {});
  return {
    type: 'page',
    title: profile.name,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to={PATH} label="Profiles" />
        <Head
          title={profile.name}
          lead={profile.default ? 'Devices follow it that name no other.' : undefined}
        />
        <div class="grid side">
          <ProfileForm profile={profile} visit={visit} refusal={refusal} />
          <section class="card" aria-labelledby="about">
            <h2 id="about">About</h2>
            <dl>
              <dt>Devices</dt>
              <dd>{visit.locale.number(devices)}</dd>
              <dt>Send by</dt>
              <dd>{TRANSPORTS[profile.transportType]}</dd>
              <dt>Claiming</dt>
              <dd>
                {own.length === 0 ? 'All as the server says' : null}
                {own.map((line) => (
                  <div>{line}</div>
                ))}
              </dd>
            </dl>
            {profile.default ? null : (
              <div class="row">
                <a class="button" href={`${path}/default`}>
                  Make it the default
                </a>
                <a class="button danger" href={`${path}/delete`}>
                  Delete
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
  const { api, form } = visit;
  const stated = rulesOf(form);
  if ('wrong' in stated) return profileReply(visit, NUMBER(stated.wrong));
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
  if (saved.type === 'ok') return seeOther(`${PATH}/${there.id.id}`, 'Saved. Devices follow it from now on.');
  return profileReply(
    visit,
    saved.status === 409
      ? 'Somebody else has changed it meanwhile. Load the page again and repeat your change.'
      : saved.message,
  );
}

export const profilePages: readonly Page[] = [
  memberPage(PATH, TENANT, { get: listReply }),
  memberPage(`${PATH}/new`, TENANT, { get: (visit) => newReply(visit), post: make }),
  memberPage(`${PATH}/:id`, TENANT, { get: (visit) => profileReply(visit), post: save }),
  confirmPage(`${PATH}/:id/default`, TENANT, {
    find: profileOf,
    ask: ({ id, name }) => ({
      title: 'Make it the default?',
      what: name,
      consequence: 'Devices that name no other profile follow its claiming rules from now on.',
      yes: 'Make it the default',
      back: `${PATH}/${id.id}`,
    }),
    async carryOut({ api }, { id }) {
      const chosen = await api.act('POST', `/api/deviceProfile/${id.id}/default`);
      return resultAt(`${PATH}/${id.id}`, chosen, 'It is the default now.');
    },
  }),
  confirmPage(`${PATH}/:id/delete`, TENANT, {
    find: profileOf,
    ask: ({ id, name }) => ({
      title: 'Delete this profile?',
      what: name,
      consequence: 'Only a profile that no device has can be deleted. This cannot be undone.',
      yes: 'Delete it',
      back: `${PATH}/${id.id}`,
    }),
    async carryOut({ api }, { id, name }) {
      const deleted = await api.act('DELETE', `/api/deviceProfile/${id.id}`);
      return resultAt(PATH, deleted, `“${name}” is deleted.`, `${PATH}/${id.id}`);
    },
  }),
];
