/** One device, as its tenant sees it: its state, its owner, how it is claimed, what happened to it. */

import { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { auditView } from '../../views/audit.ts';
import { credentialsView } from '../../views/credentials.ts';
import { customerView } from '../../views/customer.ts';
import { attributesView, deviceInfoView, deviceView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { profileNameView } from '../../views/profile.ts';
import { type Result, segment, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn, saidAt, seeOther } from '../page.ts';
import { DaysField, newClaimingData } from '../parts/claim-key.tsx';
import { confirmPage, questionReply } from '../parts/confirm.tsx';
import { ClaimDetail, ClaimState, type DeviceInfo, findCustomer } from '../parts/device-parts.tsx';
import { Claiming, Danger, MainAction, Owner } from '../parts/device-sections.tsx';
import { Back, Field, Head, Refusal, Time } from '../parts/elements.tsx';
import { Pager, pageOf } from '../parts/list.tsx';
import { Story } from '../parts/trail.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { TextKey } from '../texts/catalogues.ts';
import type { Say } from '../texts/say.ts';

const auditPage = pageView(auditView);
const customersPage = pageView(customerView);
const TRAIL_SIZE = 50;
/** What the device's page shows of it. */
const STORY_SIZE = 10;
/** Customers that can be chosen by name; others are typed. */
const CHOICES = 100;

type Credentials = z.output<typeof credentialsView>;

const deviceOf = ({ api, params }: SignedIn): Promise<DeviceInfo> =>
  api.get(`/api/device/info/${segment(params.id ?? '')}`, deviceInfoView);

const attributesOf = ({ id }: DeviceInfo) => `/api/plugins/telemetry/${id.id}/SERVER_SCOPE`;

/** A form that was refused: shown again with what was typed. */
interface Refused {
  readonly form: 'edit' | 'assign';
  readonly why: string;
}

async function deviceReply(visit: SignedIn, refused?: Refused): Promise<PageReply> {
  const { api } = visit;
  const { say } = visit.locale;
  const device = await deviceOf(visit);
  const { id } = device.id;
  const trail = toQuery({ pageSize: STORY_SIZE, startTime: device.createdTime });
  const [credentials, keys, customers, profiles, story] = await Promise.all([
    api.get(`/api/device/${id}/credentials`, credentialsView),
    api.get(
      `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE?keys=claimingData`,
      attributesView,
    ),
    api.get(`/api/customers?${toQuery({ pageSize: CHOICES })}`, customersPage),
    api.get('/api/deviceProfile/names', z.array(profileNameView)),
    api.get(`/api/audit/logs/entity/DEVICE/${id}?${trail}`, auditPage),
  ]);
  const path = `/devices/${id}`;
  const keyed = keys.length > 0;
  const typed = refused?.form === 'edit' ? { ...device, ...textsOf(visit) } : device;
  return {
    type: 'page',
    title: device.name,
    status: refused === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/devices" label={say('frame.fleet')} />
        <Refusal text={refused?.why} />
        <div class="head">
          <div>
            <h1>
              <bdi>{device.name}</bdi>
            </h1>
            {device.label === null ? null : (
              <p class="lead">
                <bdi>{device.label}</bdi>
              </p>
            )}
            <p class="facts">
              <span>
                <ClaimState device={device} visit={visit} /> <ClaimDetail device={device} visit={visit} />
              </span>
              <span class={device.active ? 'state owned' : 'state free'}>
                {say(device.active ? 'one.connected' : 'fleet.notConnected')}
              </span>
            </p>
          </div>
          <MainAction device={device} keyed={keyed} say={say} />
        </div>
        <div class="grid two">
          <div>
            <section class="card" aria-labelledby="story">
              <h2 id="story">{say('mine.history')}</h2>
              {story.data.length === 0 ? (
                <p class="muted">{say('one.nothing')}</p>
              ) : (
                <Story entries={story.data} locale={visit.locale} />
              )}
              <p>
                <a href={`${path}/history`}>{say('one.allHistory')}</a>
              </p>
            </section>
          </div>
          <div>
            <Claiming device={device} visit={visit} keyed={keyed} />
            <Owner
              device={device}
              titles={customers.data.map(({ title }) => title)}
              typed={refused?.form === 'assign' ? visit.form.text('customer') : ''}
              visit={visit}
            />
            <About device={device} credentials={credentials} visit={visit} />
            <Edit device={typed} profiles={profiles} open={refused?.form === 'edit'} say={say} />
            <Danger device={device} keyed={keyed} say={say} />
          </div>
        </div>
      </>
    ),
  };
}

interface AboutProps {
  readonly device: DeviceInfo;
  readonly credentials: Credentials;
  readonly visit: SignedIn;
}

function About({ device, credentials, visit: { locale } }: AboutProps) {
  const { say } = locale;
  return (
    <section class="card" aria-labelledby="about">
      <h2 id="about">{say('one.about')}</h2>
      <dl>
        <dt>{say('fleet.created')}</dt>
        <dd>
          <Time at={device.createdTime} locale={locale} />
        </dd>
        <dt>{say('mine.type')}</dt>
        <dd>
          <bdi>{device.type}</bdi>
        </dd>
        <dt>{say('one.profile')}</dt>
        <dd>
          <bdi>{device.deviceProfileName}</bdi>
        </dd>
        <dt>{say('one.credentials')}</dt>
        <dd>
          <details>
            <summary>{say('one.show')}</summary>
            <code>{credentials.credentialsId}</code> <code>{credentials.credentialsType}</code>
          </details>
        </dd>
      </dl>
    </section>
  );
}

interface EditProps {
  readonly device: DeviceInfo;
  readonly profiles: readonly z.output<typeof profileNameView>[];
  readonly open: boolean;
  readonly say: Say;
}

function Edit({ device, profiles, open, say }: EditProps) {
  const { id, name, type, label, deviceProfileId } = device;
  return (
    <details class="card" open={open}>
      <summary>{say('one.edit')}</summary>
      <form method="post" action={`/devices/${id.id}/edit`}>
        <Field name="name" label={say('mine.name')} value={name} maxlength={255} required verbatim />
        <Field name="type" label={say('mine.type')} value={type} maxlength={255} />
        <Field name="label" label={say('new.label')} value={label ?? ''} maxlength={255} />
        <div class="field">
          <label for="f-profile">{say('one.profile')}</label>
          <select id="f-profile" name="profile">
            {profiles.map((one) => (
              <option value={one.id.id} selected={one.id.id === deviceProfileId.id}>
                {one.name}
              </option>
            ))}
          </select>
        </div>
        <button type="submit" class="primary">
          {say('part.save')}
        </button>
      </form>
    </details>
  );
}

async function historyReply(visit: SignedIn): Promise<PageReply> {
  const { api, locale, query } = visit;
  const { say } = locale;
  const device = await deviceOf(visit);
  const { id } = device.id;
  // Since its creation: an earlier device may have had the same name.
  const wanted = toQuery({ page: pageOf(query), pageSize: TRAIL_SIZE, startTime: device.createdTime });
  const found = await api.get(`/api/audit/logs/entity/DEVICE/${id}?${wanted}`, auditPage);
  const path = `/devices/${id}`;
  return {
    type: 'page',
    title: say('mine.historyOf', { name: device.name }),
    body: (
      <>
        <Back to={path} label={device.name} />
        <Head title={say('mine.historyOf', { name: device.name })} />
        {found.data.length === 0 ? (
          <div class="card empty">{say('one.nothing')}</div>
        ) : (
          <section class="card" aria-label={say('trail.caption')}>
            <Story entries={found.data} locale={locale} />
          </section>
        )}
        <Pager path={`${path}/history`} query={query} size={TRAIL_SIZE} found={found} locale={locale} />
      </>
    ),
  };
}

const textsOf = ({ form }: SignedIn) => ({
  name: form.text('name').trim(),
  type: form.text('type').trim(),
  label: form.text('label').trim(),
});

/** What is said where something was done. */
type GoodKey = Extract<
  TextKey,
  'device.saved' | 'one.windowClosed' | 'one.approved' | 'one.stays' | 'offer.withdrawn'
>;

/** A form into which something is typed. It leads back to the device's page, which is shown again where it is refused. */
function typed(
  name: Refused['form'],
  good: GoodKey,
  run: (visit: SignedIn, device: DeviceInfo) => Promise<Result<unknown>>,
): Page {
  return memberPage(`/devices/:id/${name}`, TENANT, {
    get: (visit) => deviceReply(visit),
    async post(visit) {
      const device = await deviceOf(visit);
      const { say } = visit.locale;
      const result = await run(visit, device);
      return result.type === 'ok'
        ? seeOther(`/devices/${device.id.id}`, say(good))
        : deviceReply(visit, { form: name, why: refusalWords(result, say, say('one.editRefused')) });
    },
  });
}

const typedForms: readonly Page[] = [
  typed('edit', 'device.saved', (visit, { id, additionalInfo, deviceProfileId }) => {
    const chosen = visit.form.text('profile');
    const profile = chosen === '' ? deviceProfileId : { entityType: 'DEVICE_PROFILE', id: chosen };
    const body = { id, additionalInfo, deviceProfileId: profile, ...textsOf(visit) };
    return visit.api.post('/api/device', body, deviceView);
  }),
];

const takeFrom = (owner: string | null, say: Say) =>
  owner === null ? say('one.takeFromOwner') : say('one.takeFrom', { owner });

/** Gives the device to a customer. Where that takes it from somebody, it is asked before. */
const assignPage = memberPage('/devices/:id/assign', TENANT, {
  get: (visit) => deviceReply(visit),
  async post(visit) {
    const { api, form, locale } = visit;
    const { say } = locale;
    const device = await deviceOf(visit);
    const { id, name, ownedSince, customerId, customerTitle } = device;
    const title = form.text('customer').trim();
    const customer = await findCustomer(api, title, say);
    if (customer.type === 'refused') return deviceReply(visit, { form: 'assign', why: customer.message });
    const to = customer.value.id.id;
    if (ownedSince !== null && customerId.id !== to && form.text('sure') !== 'yes')
      return questionReply(
        {
          title: takeFrom(customerTitle, say),
          what: name,
          consequence: say('one.assignText', { customer: customer.value.title }),
          fields: (
            <>
              <input type="hidden" name="customer" value={title} />
              <input type="hidden" name="sure" value="yes" />
            </>
          ),
          yes: say('one.assignTo', { customer: customer.value.title }),
          no: say('part.keep'),
          back: `/devices/${id.id}`,
        },
        `/devices/${id.id}/assign`,
      );
    const given = await api.act('POST', `/api/customer/${to}/device/${id.id}`);
    return given.type === 'ok'
      ? seeOther(`/devices/${id.id}`, say('one.assigned'))
      : deviceReply(visit, { form: 'assign', why: refusalWords(given, say) });
  },
});

/** What one form of a device's page does; it leads back to that page. */
function action(
  name: string,
  good: GoodKey,
  run: (visit: SignedIn, device: DeviceInfo) => Promise<Result<unknown>>,
): Page {
  return memberPage(`/devices/:id/${name}`, TENANT, {
    async post(visit) {
      const { locale } = visit;
      const device = await deviceOf(visit);
      return saidAt(`/devices/${device.id.id}`, await run(visit, device), locale.say(good), locale);
    },
  });
}

const actions: readonly Page[] = [
  action('permission', 'device.saved', ({ api, form }, device) => {
    const permission = form.text('permission');
    return permission === 'default'
      ? api.act('DELETE', `${attributesOf(device)}?keys=claimingAllowed`)
      : api.act('POST', attributesOf(device), { claimingAllowed: permission === 'allow' });
  }),
  action('close-window', 'one.windowClosed', ({ api }, { name, ownedSince }) =>
    // That of an owned device waits for a take-over; to give the device back would be another thing.
    api.act('DELETE', `/api/customer/device/${segment(name)}/${ownedSince === null ? 'claim' : 'takeOver'}`),
  ),
  action('approve', 'one.approved', ({ api, form }, { id }) =>
    api.act('POST', `/api/device/${id.id}/claim/approve`, { openedAt: Number(form.text('openedAt')) }),
  ),
  action('cancel-take-over', 'one.stays', ({ api }, { name }) =>
    api.act('DELETE', `/api/customer/device/${segment(name)}/takeOver`),
  ),
  action('withdraw', 'offer.withdrawn', ({ api }, { name }) =>
    api.act('DELETE', `/api/customer/device/${segment(name)}/transfer`),
  ),
];

/** What makes printed labels void, or a device nobody's, is asked before. */
const askedBefore: readonly Page[] = [
  confirmPage('/devices/:id/key', TENANT, {
    find: deviceOf,
    ask: ({ id, name }, { locale: { say } }) => ({
      title: say('one.newKey'),
      what: name,
      consequence: say('one.newKeyText'),
      fields: (
        <div class="field">
          <DaysField label={say('fleet.validDays')} />
        </div>
      ),
      yes: say('one.newKeyYes'),
      back: `/devices/${id.id}`,
    }),
    async carryOut({ api, form, nowMs, locale }, device) {
      const result = await api.act('POST', attributesOf(device), newClaimingData(nowMs, form.text('days')));
      return saidAt(`/devices/${device.id.id}`, result, locale.say('one.keySet'), locale);
    },
  }),
  confirmPage('/devices/:id/remove-key', TENANT, {
    find: deviceOf,
    ask: ({ id, name }, { locale: { say } }) => ({
      title: say('one.removeKeyAsk'),
      what: name,
      consequence: say('one.removeKeyText'),
      yes: say('one.removeKey'),
      back: `/devices/${id.id}`,
    }),
    async carryOut({ api, locale }, device) {
      const result = await api.act('DELETE', `${attributesOf(device)}?keys=claimingData`);
      return saidAt(`/devices/${device.id.id}`, result, locale.say('one.keyRemoved'), locale);
    },
  }),
  confirmPage('/devices/:id/unassign', TENANT, {
    find: deviceOf,
    ask: ({ id, name, customerTitle }, { locale: { say } }) => ({
      title: takeFrom(customerTitle, say),
      what: name,
      consequence: say('one.takeText'),
      yes: say('one.takeYes'),
      no: say('one.takeNo'),
      back: `/devices/${id.id}`,
    }),
    async carryOut({ api, locale }, { id }) {
      const result = await api.act('DELETE', `/api/customer/device/${id.id}`);
      return saidAt(`/devices/${id.id}`, result, locale.say('one.taken'), locale);
    },
  }),
];

export const devicePages: readonly Page[] = [
  memberPage('/devices/:id', TENANT, { get: (visit) => deviceReply(visit) }),
  memberPage('/devices/:id/history', TENANT, { get: historyReply }),
  ...typedForms,
  assignPage,
  ...actions,
  ...askedBefore,
  confirmPage('/devices/:id/delete', TENANT, {
    find: deviceOf,
    ask: ({ id, name }, { locale: { say } }) => ({
      title: say('one.deleteAsk'),
      what: name,
      consequence: say('one.deleteText'),
      yes: say('one.deleteYes'),
      back: `/devices/${id.id}`,
    }),
    async carryOut({ api, locale }, { id, name }) {
      const deleted = await api.act('DELETE', `/api/device/${id.id}`);
      return saidAt('/devices', deleted, locale.say('one.deleted', { name }), locale);
    },
  }),
];
