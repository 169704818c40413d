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
import { memberPage, type Page, type PageReply, resultAt, type SignedIn, seeOther } from '../page.ts';
import { DaysField, newClaimingData } from '../parts/claim-key.tsx';
import { confirmPage, questionReply } from '../parts/confirm.tsx';
import { ClaimDetail, ClaimState, type DeviceInfo, findCustomer } from '../parts/device-parts.tsx';
import { Claiming, Danger, MainAction, Owner } from '../parts/device-sections.tsx';
import { Back, Field, Head, Refusal, Time } from '../parts/elements.tsx';
import { Pager, pageOf } from '../parts/list.tsx';
import { Story } from '../parts/trail.tsx';

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
        <Back to="/devices" label="Devices" />
        <Refusal text={refused?.why} />
        <div class="head">
          <div>
            <h1>{device.name}</h1>
            {device.label === null ? null : <p class="lead">{device.label}</p>}
            <p class="facts">
              <span>
                <ClaimState device={device} visit={visit} /> <ClaimDetail device={device} visit={visit} />
              </span>
              <span class={device.active ? 'state owned' : 'state free'}>
                {device.active ? 'Connected by MQTT' : 'Not connected'}
              </span>
            </p>
          </div>
          <MainAction device={device} keyed={keyed} />
        </div>
        <div class="grid two">
          <div>
            <section class="card" aria-labelledby="story">
              <h2 id="story">History</h2>
              {story.data.length === 0 ? (
                <p class="muted">Nothing is recorded yet.</p>
              ) : (
                <Story entries={story.data} locale={visit.locale} />
              )}
              <p>
                <a href={`${path}/history`}>All of its history</a>
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
            <Edit device={typed} profiles={profiles} open={refused?.form === 'edit'} />
            <Danger device={device} keyed={keyed} />
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
  return (
    <section class="card" aria-labelledby="about">
      <h2 id="about">About</h2>
      <dl>
        <dt>Created</dt>
        <dd>
          <Time at={device.createdTime} locale={locale} />
        </dd>
        <dt>Type</dt>
        <dd>{device.type}</dd>
        <dt>Profile</dt>
        <dd>{device.deviceProfileName}</dd>
        <dt>Credentials</dt>
        <dd>
          <details>
            <summary>Show</summary>
            <code>{credentials.credentialsId}</code> <small>{credentials.credentialsType}</small>
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
}

function Edit({ device: { id, name, type, label, deviceProfileId }, profiles, open }: EditProps) {
  return (
    <details class="card" open={open}>
      <summary>Edit</summary>
      <form method="post" action={`/devices/${id.id}/edit`}>
        <Field name="name" label="Name" value={name} maxlength={255} required verbatim />
        <Field name="type" label="Type" value={type} maxlength={255} />
        <Field name="label" label="Description" value={label ?? ''} maxlength={255} />
        <div class="field">
          <label for="f-profile">Profile</label>
          <select id="f-profile" name="profile">
            {profiles.map((one) => (
              <option value={one.id.id} selected={one.id.id === deviceProfileId.id}>
                {one.name}
              </option>
            ))}
          </select>
        </div>
        <button type="submit" class="primary">
          Save
        </button>
      </form>
    </details>
  );
}

async function historyReply(visit: SignedIn): Promise<PageReply> {
  const { api, locale, query } = visit;
  const device = await deviceOf(visit);
  const { id } = device.id;
  // Since its creation: an earlier device may have had the same name.
  const wanted = toQuery({ page: pageOf(query), pageSize: TRAIL_SIZE, startTime: device.createdTime });
  const found = await api.get(`/api/audit/logs/entity/DEVICE/${id}?${wanted}`, auditPage);
  const path = `/devices/${id}`;
  return {
    type: 'page',
    title: `History of ${device.name}`,
    body: (
      <>
        <Back to={path} label={device.name} />
        <Head title={`History of ${device.name}`} />
        {found.data.length === 0 ? (
          <div class="card empty">Nothing is recorded yet.</div>
        ) : (
          <section class="card" aria-label="What happened, the newest first">
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

/** A form into which something is typed. It leads back to the device's page, which is shown again where it is refused. */
function typed(
  name: Refused['form'],
  good: string,
  run: (visit: SignedIn, device: DeviceInfo) => Promise<Result<unknown>>,
): Page {
  return memberPage(`/devices/:id/${name}`, TENANT, {
    get: (visit) => deviceReply(visit),
    async post(visit) {
      const device = await deviceOf(visit);
      const result = await run(visit, device);
      return result.type === 'ok'
        ? seeOther(`/devices/${device.id.id}`, good)
        : deviceReply(visit, { form: name, why: result.message });
    },
  });
}

const typedForms: readonly Page[] = [
  typed('edit', 'Saved.', (visit, { id, additionalInfo, deviceProfileId }) => {
    const chosen = visit.form.text('profile');
    const profile = chosen === '' ? deviceProfileId : { entityType: 'DEVICE_PROFILE', id: chosen };
    const body = { id, additionalInfo, deviceProfileId: profile, ...textsOf(visit) };
    return visit.api.post('/api/device', body, deviceView);
  }),
];

/** Gives the device to a customer. Where that takes it from somebody, it is asked before. */
const assignPage = memberPage('/devices/:id/assign', TENANT, {
  get: (visit) => deviceReply(visit),
  async post(visit) {
    const { api, form } = visit;
    const device = await deviceOf(visit);
    const { id, name, ownedSince, customerId, customerTitle } = device;
    const title = form.text('customer').trim();
    const customer = await findCustomer(api, title, visit.locale.say);
    if (customer.type === 'refused') return deviceReply(visit, { form: 'assign', why: customer.message });
    const to = customer.value.id.id;
    if (ownedSince !== null && customerId.id !== to && form.text('sure') !== 'yes')
      return questionReply(
        {
          title: `Take it from ${customerTitle ?? 'its owner'}?`,
          what: name,
          consequence: `${customer.value.title} owns it then, and who owns it now does not see it any more. Open claim windows close.`,
          fields: (
            <>
              <input type="hidden" name="customer" value={title} />
              <input type="hidden" name="sure" value="yes" />
            </>
          ),
          yes: `Assign to ${customer.value.title}`,
          back: `/devices/${id.id}`,
        },
        `/devices/${id.id}/assign`,
      );
    const given = await api.act('POST', `/api/customer/${to}/device/${id.id}`);
    return given.type === 'ok'
      ? seeOther(`/devices/${id.id}`, 'Assigned.')
      : deviceReply(visit, { form: 'assign', why: given.message });
  },
});

/** What one form of a device's page does; it leads back to that page. */
function action(
  name: string,
  good: string,
  run: (visit: SignedIn, device: DeviceInfo) => Promise<Result<unknown>>,
): Page {
  return memberPage(`/devices/:id/${name}`, TENANT, {
    async post(visit) {
      const device = await deviceOf(visit);
      return resultAt(`/devices/${device.id.id}`, await run(visit, device), good);
    },
  });
}

const actions: readonly Page[] = [
  action('permission', 'Saved.', ({ api, form }, device) => {
    const permission = form.text('permission');
    return permission === 'default'
      ? api.act('DELETE', `${attributesOf(device)}?keys=claimingAllowed`)
      : api.act('POST', attributesOf(device), { claimingAllowed: permission === 'allow' });
  }),
  action('close-window', 'The window is closed.', ({ api }, { name, ownedSince }) =>
    // That of an owned device waits for a take-over; to give the device back would be another thing.
    api.act('DELETE', `/api/customer/device/${segment(name)}/${ownedSince === null ? 'claim' : 'takeOver'}`),
  ),
  action('approve', 'It can be claimed now.', ({ api, form }, { id }) =>
    api.act('POST', `/api/device/${id.id}/claim/approve`, { openedAt: Number(form.text('openedAt')) }),
  ),
  action('cancel-take-over', 'It stays with its owner.', ({ api }, { name }) =>
    api.act('DELETE', `/api/customer/device/${segment(name)}/takeOver`),
  ),
  action('withdraw', 'The offer is withdrawn.', ({ api }, { name }) =>
    api.act('DELETE', `/api/customer/device/${segment(name)}/transfer`),
  ),
];

/** What makes printed labels void, or a device nobody's, is asked before. */
const askedBefore: readonly Page[] = [
  confirmPage('/devices/:id/key', TENANT, {
    find: deviceOf,
    ask: ({ id, name }) => ({
      title: 'Set a new key?',
      what: name,
      consequence: 'A label that was printed with the present key does not work any more: print a new one.',
      fields: (
        <div class="field">
          <DaysField label="Valid for days" />
        </div>
      ),
      yes: 'Set a new key',
      back: `/devices/${id.id}`,
    }),
    async carryOut({ api, form, nowMs }, device) {
      const result = await api.act('POST', attributesOf(device), newClaimingData(nowMs, form.text('days')));
      return resultAt(`/devices/${device.id.id}`, result, 'The key is set. Print its label now, or later.');
    },
  }),
  confirmPage('/devices/:id/remove-key', TENANT, {
    find: deviceOf,
    ask: ({ id, name }) => ({
      title: 'Remove its key?',
      what: name,
      consequence:
        'A label that was printed with it does not work any more. The device can be claimed when it opens its claim window itself.',
      yes: 'Remove the key',
      back: `/devices/${id.id}`,
    }),
    async carryOut({ api }, device) {
      const result = await api.act('DELETE', `${attributesOf(device)}?keys=claimingData`);
      return resultAt(`/devices/${device.id.id}`, result, 'The key is removed.');
    },
  }),
  confirmPage('/devices/:id/unassign', TENANT, {
    find: deviceOf,
    ask: ({ id, name, customerTitle }) => ({
      title: `Take it from ${customerTitle ?? 'its owner'}?`,
      what: name,
      consequence:
        'Nobody owns it then, and its owner does not see it any more. A label that it was claimed with does not work again: set a new key and print it, or let the device open its claim window.',
      yes: 'Take it back',
      no: 'Leave it there',
      back: `/devices/${id.id}`,
    }),
    async carryOut({ api }, { id }) {
      const result = await api.act('DELETE', `/api/customer/device/${id.id}`);
      return resultAt(`/devices/${id.id}`, result, 'Nobody owns it now.');
    },
  }),
];

export const devicePages: readonly Page[] = [
  memberPage('/devices/:id', TENANT, { get: deviceReply }),
  memberPage('/devices/:id/history', TENANT, { get: historyReply }),
  ...typedForms,
  assignPage,
  ...actions,
  ...askedBefore,
  confirmPage('/devices/:id/delete', TENANT, {
    find: deviceOf,
    ask: ({ id, name }) => ({
      title: 'Delete this device?',
      what: name,
      consequence:
        'It cannot connect any more, and nobody owns it. Its name and its access token are free again. This cannot be undone.',
      yes: 'Delete it',
      back: `/devices/${id.id}`,
    }),
    async carryOut({ api }, { id, name }) {
      return resultAt('/devices', await api.act('DELETE', `/api/device/${id.id}`), `“${name}” is deleted.`);
    },
  }),
];
