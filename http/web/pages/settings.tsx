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
  const { say } = locale;
  const [tenant, usage, profiles] = await Promise.all([
    api.get(`/api/tenant/${user.tenantId.id}`, tenantView),
    api.get('/api/usage', usageView),
    api.get(`/api/deviceProfiles?${toQuery({ pageSize: 1 })}`, profilesPage),
  ]);
  return {
    type: 'page',
    title: say('frame.settings'),
    body: (
      <>
        <Head title={say('frame.settings')} lead={tenant.title} />
        <div class="grid two">
          <section class="card" aria-labelledby="usage">
            <h2 id="usage">{say('settings.usage')}</h2>
            <UsageList usage={usage} locale={locale} />
            <p class="muted">{say('settings.limits')}</p>
          </section>
          <section class="card" aria-labelledby="tenant">
            <h2 id="tenant">{say('settings.tenant')}</h2>
            <dl>
              <dt>{say('settings.name')}</dt>
              <dd>{tenant.title}</dd>
              {tenant.region === null ? null : (
                <>
                  <dt>{say('settings.region')}</dt>
                  <dd>{tenant.region}</dd>
                </>
              )}
              <dt>{say('settings.since')}</dt>
              <dd>
                <Time at={tenant.createdTime} locale={locale} />
              </dd>
              <dt>{say('settings.id')}</dt>
              <dd>
                <code>{tenant.id.id}</code>
              </dd>
            </dl>
            <p class="muted">{say('settings.renaming')}</p>
          </section>
        </div>
        <Ways profiles={profiles.totalElements} locale={locale} />
      </>
    ),
  };
}

function UsageList({ usage, locale }: { usage: Usage; locale: Locale }) {
  const { say } = locale;
  const rows = [
    [say('frame.fleet'), usage.devices, usage.maxDevices],
    [say('frame.customers'), usage.customers, usage.maxCustomers],
    [say('settings.people'), usage.users, usage.maxUsers],
    [say('settings.stored'), usage.storedBytes / MB, usage.maxStoredBytes / MB],
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
  const [rounded, limit] = [Math.ceil(used), Math.ceil(max)];
  return max === 0 ? locale.number(rounded) : locale.say('settings.ofLimit', { used: rounded, max: limit });
}

function Ways({ profiles, locale }: { profiles: number; locale: Locale }) {
  const { say } = locale;
  const ways = [
    ['/profiles', say('settings.profiles'), say('settings.profilesText', { count: profiles })],
    ['/audit', say('settings.audit'), say('settings.auditText')],
    ['/admins', say('settings.admins'), say('settings.adminsText')],
    ['/account', say('account.title'), say('settings.accountText')],
    ['/account/keys', say('keys.title'), say('settings.keysText')],
    ['/providers', say('settings.providers'), say('settings.providersText')],
    ['/webhooks', say('settings.webhooks'), say('settings.webhooksText')],
    ['/kits', say('settings.kits'), say('settings.kitsText')],
    ['/devices/import', say('settings.import'), say('settings.importText')],
  ] as const;
  return (
    <div class="grid two">
      <section class="card" aria-labelledby="ways">
        <h2 id="ways">{say('settings.more')}</h2>
        <ul class="ways">
          {ways.map(([to, label, text]) => (
            <li>
              <a href={to}>{label}</a> <small class="muted">{text}</small>
            </li>
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="documents">
        <h2 id="documents">{say('settings.programs')}</h2>
        <ul class="ways">
          {DOCUMENTS.map(([to, label, text]) => (
            <li>
              <a href={to}>{label}</a> <small class="muted">{say(text)}</small>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

/** By names that are the same in every language. */
export const DOCUMENTS = [
  ['/swagger-ui', 'REST API', 'settings.restText'],
  ['/v3/api-docs', 'OpenAPI 3.1', 'settings.newestText'],
  ['/v3/api-docs/3.0', 'OpenAPI 3.0', 'settings.olderText'],
] as const;

export const settingsPages: readonly Page[] = [memberPage('/settings', TENANT, { get: settingsReply })];
