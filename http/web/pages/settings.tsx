/** What a tenant has and may have, how it is set up, and the way to everything that is not a device or a customer. */
import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { usageView } from '../../routes/usage.ts';
import { pageView } from '../../views/page.ts';
import { profileView } from '../../views/profile.ts';
import { tenantView } from '../../views/tenant.ts';
import { toQuery } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Head, Time } from '../parts/elements.tsx';

type Usage = z.output<typeof usageView>;

const MB = 1e6;
const profilesPage = pageView(profileView);

async function settingsReply({ api, user, locale }: SignedIn): Promise<PageReply> {
  const [tenant, usage, profiles] = await Promise.all([
    api.get(`/api/tenant/${user.tenantId.id}`, tenantView),
    api.get('/api/usage', usageView),
    api.get(`/api/deviceProfiles?${toQuery({ pageSize: 1 })}`, profilesPage),
  ]);
  return {
    type: 'page',
    title: 'Settings',
    body: (
      <>
        <Head title="Settings" lead={tenant.title} />
        <div class="grid two">
          <section class="card" aria-labelledby="usage">
            <h2 id="usage">Usage</h2>
            <UsageList usage={usage} locale={locale} />
            <p class="muted">Limits are set by whoever runs this server.</p>
          </section>
          <section class="card" aria-labelledby="tenant">
            <h2 id="tenant">Tenant</h2>
            <dl>
              <dt>Name</dt>
              <dd>{tenant.title}</dd>
              {tenant.region === null ? null : (
                <>
                  <dt>Region</dt>
                  <dd>{tenant.region}</dd>
                </>
              )}
              <dt>Since</dt>
              <dd>
                <Time at={tenant.createdTime} locale={locale} />
              </dd>
              <dt>Id</dt>
              <dd>
                <code>{tenant.id.id}</code>
              </dd>
            </dl>
            <p class="muted">The system administrator changes the name.</p>
          </section>
        </div>
        <Ways profiles={profiles.totalElements} locale={locale} />
      </>
    ),
  };
}

function UsageList({ usage, locale }: { usage: Usage; locale: Locale }) {
  const rows = [
    ['Devices', usage.devices, usage.maxDevices],
    ['Customers', usage.customers, usage.maxCustomers],
    ['People', usage.users, usage.maxUsers],
    ['Stored, in MB', usage.storedBytes / MB, usage.maxStoredBytes / MB],
  ] as const;
  return (
    <dl class="usage">
      {rows.map(([name, used, max]) => (
        <>
          <dt>{name}</dt>
          <dd>
            {ofLimit(used, max, locale)}
            {max === 0 ? null : <meter aria-label={name} value={used} max={max} high={max * NEARLY_FULL} />}
          </dd>
        </>
      ))}
    </dl>
  );
}

/** From this share on a limit is shown as nearly reached. */
const NEARLY_FULL = 0.9;

/** @param max 0: no limit */
function ofLimit(used: number, max: number, locale: Locale): string {
  const written = (value: number) => locale.number(Math.ceil(value));
  return max === 0 ? written(used) : `${written(used)} of ${written(max)}`;
}

function Ways({ profiles, locale }: { profiles: number; locale: Locale }) {
  const ways = [
    ['/profiles', 'Profiles', `Which rules devices follow: ${locale.number(profiles)} in all`],

    ['/audit', 'Audit trail', 'Who did what, and what was refused'],
    ['/admins', 'Administrators', 'Who may do all this'],
    ['/account', 'Your account', 'Password, second factor, sessions'],
    ['/account/keys', 'Your API keys', 'For programs that act as you'],
    ['/webhooks', 'Webhooks', 'URLs that hear what happens to devices'],
    ['/kits', 'Kits', 'Codes on boxes that claim many devices'],
    ['/devices/import', 'Import', 'Devices from a file'],
  ] as const;
  return (
    <div class="grid two">
      <section class="card" aria-labelledby="ways">
        <h2 id="ways">More</h2>
        <ul class="ways">
          {ways.map(([to, label, text]) => (
            <li>
              <a href={to}>{label}</a> <small class="muted">{text}</small>
            </li>
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="documents">
        <h2 id="documents">For programs</h2>
        <ul class="ways">
          {DOCUMENTS.map(([to, label, text]) => (
            <li>
              <a href={to}>{label}</a> <small class="muted">{text}</small>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

export const DOCUMENTS = [
  ['/swagger-ui', 'REST API', 'Every route with its parameters and answers'],
  ['/v3/api-docs', 'OpenAPI 3.1', 'The same as a file, for making clients'],
  ['/v3/api-docs/3.0', 'OpenAPI 3.0', 'For tools that know no newer one'],
] as const;

export const settingsPages: readonly Page[] = [memberPage('/settings', TENANT, { get: settingsReply })];
