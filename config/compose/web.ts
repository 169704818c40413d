/** What the web application is given: its look from the options, and in the demo the accounts to try it with. */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { DemoAccount, Logo, WebSettings } from '../../http/web/settings.ts';
import { NO_OVERLAYS } from '../../http/web/texts/overlay.ts';
import { DEMO, SYSADMIN } from '../demo/demo-data.ts';
import type { Config } from '../options/schema.ts';
import { listOf } from '../options/sections/accounts.ts';
import { StartRefused } from './refusal.ts';
import { readTexts } from './web-texts.ts';

const LOGO_BYTES_MAX = 256 * 1024;
const TYPES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};

/** Undefined if the application is switched off. Throws `StartRefused` for a logo or texts that cannot be used. */
export function webSettings({ accounts, web, install, mail }: Config): WebSettings | undefined {
  if (!web.enabled) return undefined;
  const {
    name,
    accent,
    logoFile,
    support,
    privacy,
    buttonHint,
    afterClaim,
    afterClaimLink,
    language,
    texts,
  } = web;
  return {
    name,
    accent,
    support: support ?? null,
    privacy: privacy ?? null,
    buttonHint: buttonHint ?? null,
    afterClaim: afterClaim === undefined ? null : { text: afterClaim, link: afterClaimLink ?? null },
    mails: mail.host !== undefined,
    signUp: listOf(accounts.signUpTenants ?? '').length > 0,
    logo: logoFile === undefined ? null : readLogo(logoFile),
    language,
    texts: texts === undefined ? NO_OVERLAYS : readTexts(texts),
    pseudo: false,
    demoAccounts: install.loadDemo ? demoAccounts(install.sysadminPassword) : [],
  };
}

function readLogo(file: string): Logo {
  let body: Buffer;
  try {
    body = readFileSync(file);
  } catch (error) {
    throw new StartRefused(
      `the logo (web.logo) cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (body.length > LOGO_BYTES_MAX) {
    throw new StartRefused(`the logo (web.logo) has ${body.length} bytes, more than ${LOGO_BYTES_MAX}`);
  }
  return { type: TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream', body };
}

/** The accounts to show on the login page. A system administrator with the operator's own password is not one. */
function demoAccounts(sysadminPassword: string | undefined): DemoAccount[] {
  const [customer] = DEMO.customers;
  const { users } = customer;
  return [
    { label: 'Customer A', ...users[1] },
    { label: 'Customer B', ...DEMO.customers[1].users[0] },
    { label: 'Tenant administrator', ...DEMO.tenantAdmin },
    ...(sysadminPassword === undefined
      ? [{ label: 'System administrator', email: SYSADMIN.email, password: SYSADMIN.demoPassword }]
      : []),
  ];
}
